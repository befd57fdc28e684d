# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun netns: a named network namespace, /run/netns/NAME. Pure."""

from __future__ import annotations

from dataclasses import field
from typing import Any, Dict, Hashable, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import sysctls
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import (
    AddNetns,
    BindNetns,
    DropNetns,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.engines import ENGINES
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Container, NsFile, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import netns_want
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import made_for
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.netns_source import Binding, Given, binding
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.netns_want import Want
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan, Resource, Sides, brief
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State


@dataclass(frozen=True)
class Inside:
    """What a want asks of the inside of a namespace: whether the loopback is up, and the sysctls, None for a key that the kernel has not.
    ``lacking``: interfaces that sysctls are of, and that are not there; ``foreseen``: check mode takes one for made by an earlier task."""

    loopback_up: bool = False
    sysctls: Mapping[str, Optional[str]] = field(default_factory=dict, hash=False)
    lacking: Tuple[str, ...] = ()
    foreseen: bool = False


@dataclass(frozen=True)
class Have:
    """``entry`` and ``inode`` (0: none) of what the name means now, ``shared`` the other names of that namespace. ``binding`` is what
    the name is to be bound to, ``binding_shared`` the other names of that. ``inside`` is the inside of the wanted
    namespace, ``inside_now`` of the namespace that the name means now, where that is another. ``processes`` and ``links`` are in the
    namespace that loses its name. ``borrowed``: what the name means now is the own namespace of another item."""

    entry: Optional[NsFile] = None
    inode: int = 0
    host_inode: int = 0
    shared: Tuple[str, ...] = ()
    binding: Binding = field(default_factory=Binding)
    binding_shared: Tuple[str, ...] = ()
    inside: Inside = field(default_factory=Inside)
    inside_now: Optional[Inside] = None
    processes: Tuple[Tuple[int, str], ...] = ()
    links: Tuple[str, ...] = ()
    borrowed: bool = False

    @property
    def stale(self) -> bool:
        """Return whether the name is a file, but no namespace."""
        return self.entry is not None and self.entry.kind != "namespace"

    @property
    def empty(self) -> bool:
        """Return whether the name is a file that a namespace was to be mounted on, and nothing else."""
        return self.entry is not None and self.entry.kind == "empty"


class NetnsResource(Resource[Want, Have]):
    noun = "netns"
    options = netns_want.OPTIONS
    rules = netns_want.RULES

    def parse(self, params: Mapping[str, Any]) -> Want:
        return netns_want.parse(params)

    def identities(self, want: Want) -> Sequence[Hashable]:
        return (want.name,)

    def together(self, wants: Sequence[Want]) -> List[Want]:
        return netns_want.together(wants)

    def require(self, wants: Sequence[Want], source: Any) -> None:
        source.require_mounts()

    def ask(self, wants: Sequence[Want], source: Any) -> None:
        for engine, names in dict.fromkeys(
            (want.engine, want.asked) for want in wants if want.present and want.container
        ):
            source.ask(engine, names)

    def subject(self, want: Want) -> str:
        return "netns %s" % want.name

    def effect(self, want: Want, plan: Plan) -> Sides:
        return brief((plan.before, plan.after), {"loopback": True}, {"path": "name"})

    def look(self, want: Want, state: State) -> Have:
        entry = state.entries().get(want.name)
        host = state.need(HOST)
        inode = state.find(want.ref) or 0 if entry and entry.kind == "namespace" else 0
        shared = _sharing(want, inode, host, state)
        if not want.present:
            if inode in (0, host):
                return Have(entry, inode, host, shared)
            links = tuple(link.name for link in state.links(inode) if link.name != "lo")
            return Have(entry, inode, host, shared, processes=tuple(state.processes(inode)), links=links)
        bound = binding(want, host, state)
        moves = bool(inode) and bound.inode not in (0, inode)
        leaves = moves and inode > 0 and inode != host and not shared
        return Have(
            entry,
            inode,
            host,
            shared,
            bound,
            _sharing(want, bound.inode, host, state),
            _inside(want, bound.inode or inode, state),
            _inside(want, inode, state) if moves else None,
            tuple(state.processes(inode)) if leaves else (),
            borrowed=bool(want.own and inode > 0 and (shared or want.given))
            and _borrowed(want, shared, inode, host, state),
        )

    def plan(self, want: Want, have: Have) -> Plan:
        if not want.present:
            return self._absent(want, have)
        if have.entry is not None and have.stale and not have.empty and (want.own or not have.entry.target):
            raise _no_namespace(want, have.entry)
        fresh = want.own and (have.inode in (0, have.host_inode) or have.borrowed)
        rebound = not want.own and (
            have.inode != have.binding.inode or (have.entry is not None and have.entry.target != have.binding.file)
        )
        changes: List[Change] = []
        if fresh:
            changes += [_drop(want, have)] if have.inode or have.empty else []
            changes.append(AddNetns(want.name, tuple(want.new_sysctls.items())))
        elif rebound:
            asks = _asks(want) if want.container and have.binding.process is None else ()
            bound = have.binding
            changes.append(BindNetns(want.name, bound.ref, bound.inode, have.entry, bound.file, asks))
        if want.loopback and want.source != HOST and (fresh or not have.inside.loopback_up):
            changes.append(SetLink(want.ref, "lo", {"enabled": True}, {"enabled": False}))
        values = {}
        for key, value in want.sysctls.items():
            old = None if fresh else have.inside.sysctls.get(key)
            interface = sysctls.interface_of(key)
            if old is None and interface not in ("", "lo") and (fresh or interface in have.inside.lacking):
                raise Refused("sysctls: '%s': there is no interface '%s' in %s." % (key, interface, want.ref))
            if old is None and not fresh and have.binding.inode >= 0 and have.inode >= 0 and not have.inside.foreseen:
                raise Refused(
                    "sysctls: this kernel has no '%s' in %s; the module it belongs to is not loaded, or the key is misspelt."
                    % (key, want.ref)
                )
            values[key] = sysctls.written(key, value, old or "")
            if values[key] != old:
                changes.append(SetSysctl(want.ref, sysctls.key_of(key), value, old or ""))
        warnings = []
        if have.processes:
            warnings.append(
                "%s meant another namespace until now, in which %s still %s; what is to be in the new one has to be started anew."
                % (str(want.ref).capitalize(), _named(have.processes), "runs" if len(have.processes) == 1 else "run")
            )
        return Plan(
            self._describe(want, have) if have.inode else {},
            self._after(want, have, fresh, rebound, values),
            tuple(changes),
            tuple(warnings),
            {"anew": bool(have.inode) and (fresh or (rebound and have.inode != have.binding.inode))},
            ("inode",) if fresh or want.source is not None else (),
        )

    def _after(self, want: Want, have: Have, fresh: bool, rebound: bool, values: Mapping[str, str]) -> Dict[str, Any]:
        """Return the namespace as it is to be: ``fresh``, or its name ``rebound``."""
        after = self._describe(want, have)
        after.pop("symlink", None)
        if fresh:
            after.update(inode=None, shared_with=[])
        if rebound:
            after.update(
                inode=have.binding.inode if have.binding.inode > 0 else None,
                shared_with=list(have.binding_shared),
                **_of(have.binding.process),
            )
        is_host = want.source == HOST
        after["loopback"] = (want.loopback and not is_host) or (not fresh and have.inside.loopback_up)
        after["sysctls"] = dict(values)
        if have.binding.file or (not rebound and not fresh and have.entry is not None and have.entry.target):
            after["symlink"] = True
        return after

    @staticmethod
    def _describe(want: Want, have: Have) -> Dict[str, Any]:
        inside = have.inside_now or have.inside
        described = {
            **_name_of(want, have, have.binding.process if have.inode == have.binding.inode else None),
            "loopback": inside.loopback_up,
            "sysctls": {key: value for key, value in inside.sysctls.items() if value is not None},
        }
        if have.entry is not None and have.entry.target:
            described["symlink"] = True
        return described

    @staticmethod
    def _absent(want: Want, have: Have) -> Plan:
        if have.entry is None:
            return Plan({}, {})
        if have.stale:
            if have.entry.kind == "file" and not have.entry.target:
                raise Refused(
                    "%s is a file of %d bytes, not a namespace; it is left alone, remove it by hand."
                    % (want.ref.path, have.entry.size)
                )
            before: Dict[str, Any] = {"name": want.name, "path": want.ref.path, "stale": True}
        else:
            before = _name_of(want, have, None)
        held = [_named(have.processes)] if have.processes else []
        if have.shared and have.inode != have.host_inode:
            held.append("the name " + ", ".join(have.shared))
        warnings: Tuple[str, ...] = ()
        if held:
            text = "%s lives on without its name: %s holds it" % (str(want.ref).capitalize(), " and ".join(held))
            text += "; its interfaces %s stay until then." % ", ".join(have.links) if have.links else "."
            warnings = (text,)
        return Plan(before, {}, (_drop(want, have),), warnings, hidden=("inode",))

    def observe(self, want: Want, after: Dict[str, Any], state: State) -> Dict[str, Any]:
        """The inode of a namespace that was made is known only now."""
        return dict(after, inode=state.find(want.ref)) if after and after.get("inode") is None else after


# --- looking ---


def _inside(want: Want, inode: int, state: State) -> Inside:
    """Return what is asked of the inside of a namespace."""
    if not inode:
        return Inside()
    loopback = state.link(inode, "lo")
    keys = {key: sysctls.key_of(key) for key in want.sysctls}
    found = {key: state.sysctl(inode, whole) for key, whole in keys.items()}
    names = sorted({sysctls.interface_of(key) for key, value in found.items() if value is None} - {""})
    lacking = tuple(name for name in names if inode > 0 and state.link(inode, name) is None)
    if lacking and state.predict:
        for name in lacking:
            state.need_link(inode, want.ref, name, "sysctls")
    return Inside(
        bool(loopback and loopback.get("enabled")),
        {key: value if value is None else sysctls.canonical(key, value) for key, value in found.items()},
        () if state.predict else lacking,
        bool(lacking) and state.predict,
    )


def _sharing(want: Want, inode: int, host: int, state: State) -> Tuple[str, ...]:
    """Return the other names of a namespace."""
    if not inode:
        return ()
    names = [entry.name for entry in state.entries().of(inode) if entry.name != want.name]
    return (("host",) if inode == host else ()) + tuple(names)


def _borrowed(want: Want, shared: Sequence[str], inode: int, host: int, state: State) -> bool:
    """Return whether a namespace is rather that of another item of this task, of those that share it: a process gives it, a pair was
    made for that name, or, with nothing to tell them by, that item comes first."""
    rivals = [name for name in shared if name in want.owners]
    given = inode in state.extension(Given).inodes(want.given)  # to a name that means another one, or nothing, as yet
    pairs = [
        (near, far)
        for far in (state.links(inode, "veth") if rivals or given else ())
        for near in [state.link_at(host, far.peer_index) if far.peer_ns == host else None]
        if near is not None
    ]

    def wired(name: str) -> bool:
        return any(made_for(NsRef.parse(name).path, near, far, state.identity()) for near, far in pairs)

    if not (rivals or given) or wired(want.name):
        return False
    if given:
        return True
    order = list(want.owners)
    return any(want.owners[name] or wired(name) or order.index(name) < order.index(want.name) for name in rivals)


# --- planning ---


def _drop(want: Want, have: Have) -> DropNetns:
    return DropNetns(want.name, max(have.inode, 0), have.entry.target if have.entry else "", have.empty)


def _asks(want: Want) -> Tuple[str, ...]:
    """Return the command that prints the process ID of a container that an earlier task would have started."""
    return (*ENGINES[want.engine if want.engine in ENGINES else "docker"].pid_of, want.container)


def _name_of(want: Want, have: Have, process: Optional[Container]) -> Dict[str, Any]:
    """Return what the result says of a name and what it means."""
    return {
        "name": want.name,
        "path": want.ref.path,
        "inode": have.inode if have.inode > 0 else None,
        **_of(process),
        "shared_with": list(have.shared),
    }


def _of(process: Optional[Container]) -> Dict[str, Any]:
    """Return what the result says of the process that a namespace is bound for."""
    known = process or Container("", "")
    return {"pid": known.pid or None, "container": known.name or None, "engine": known.engine or None}


def _named(processes: Sequence[Tuple[int, str]]) -> str:
    return (
        "process " + ", ".join("%d (%s)" % pair for pair in processes[:5]) + (" and more" if len(processes) > 5 else "")
    )


def _no_namespace(want: Want, entry: NsFile) -> Refused:
    """Return the error for a name that is a stale file."""
    what = (
        "a symbolic link to nowhere; remove it with state: absent"
        if entry.kind == "dangling"
        else "a file of %d bytes; it is left alone, remove it by hand" % entry.size
    )
    return Refused("%s is no namespace: %s is %s." % (str(want.ref).capitalize(), want.ref.path, what))


RESOURCE = NetnsResource()
