# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun netns: a named network namespace, /run/netns/NAME. Pure."""

from __future__ import annotations

import collections
from dataclasses import dataclass, field, replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import values
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import (
    AddNetns,
    BindNetns,
    DropNetns,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.engines import ENGINES
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import netns_name
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Container, NsFile, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import made_for
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import STATE, Plan, Resource
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State


@dataclass(frozen=True)
class Want:
    """``source`` is the namespace that the name is to be bound to; ``says`` the option that named it. ``pid`` or ``container``
    is a process: its namespace is the source, or, beside a ``source``, has to be the same one. Without any of them the name
    gets a namespace of its own.

    Of the other items of its task a want knows ``asked``, the containers that the same engine is asked for, and ``owners``:
    the names that are to mean a namespace of their own, and whether a process gives it.
    """

    name: str
    present: bool = True
    source: Optional[NsRef] = None
    says: str = ""
    pid: Optional[int] = None
    container: str = ""
    engine: str = "auto"
    loopback: bool = True
    sysctls: Mapping[str, str] = field(default_factory=dict, hash=False)
    asked: Tuple[str, ...] = ()
    owners: Mapping[str, bool] = field(default_factory=dict, hash=False)

    @property
    def ref(self) -> NsRef:
        return NsRef.parse(self.name, "name")

    @property
    def own(self) -> bool:
        return self.source is None and self.pid is None and not self.container


@dataclass(frozen=True)
class Have:
    """``inode`` 0: nothing there. ``file`` is another one of the wanted namespace, that the name is to be a link to, so as not to
    keep a container's namespace alive when that ends. ``source`` and ``source_inode`` of the wanted namespace, ``process`` what is said to run in it.
    ``loopback_up`` and ``sysctls`` as they are inside what is wanted, ``now`` the same of what the name means now, where that
    is another namespace. ``borrowed``: what the name means now is the own namespace of another item."""

    entry: Optional[NsFile] = None
    inode: int = 0
    host_inode: int = 0
    source: NsRef = HOST
    source_inode: int = 0
    file: str = ""
    source_shared: Tuple[str, ...] = ()
    process: Optional[Container] = None
    shared: Tuple[str, ...] = ()
    loopback_up: bool = False
    sysctls: Mapping[str, Optional[str]] = field(default_factory=dict, hash=False)
    processes: Tuple[Tuple[int, str], ...] = ()
    links: Tuple[str, ...] = ()
    now: Optional[Tuple[bool, Mapping[str, Optional[str]]]] = field(default=None, hash=False)
    borrowed: bool = False


def _sysctl(key: str, value: Any) -> Tuple[str, str]:
    if not key.startswith(("net.", "net/")) or ".." in key:
        raise Invalid("sysctls: '%s' is not a key of a network namespace; those begin with 'net.'." % key)
    if isinstance(value, bool):
        value = int(value)
    if value is None or isinstance(value, (dict, list)) or not str(value).strip():
        raise Invalid("sysctls: '%s' needs a value, a number or a text." % key)
    return key, values.sysctl(key, str(value))


class NetnsResource(Resource[Want, Have]):
    noun = "netns"
    locks = True
    options: Dict[str, Any] = {
        "name": {"type": "str", "required": True},
        **STATE,
        "pid": {"type": "int"},
        "path": {"type": "path"},
        "share": {"type": "str"},
        "container": {"type": "str"},
        "engine": {"type": "str", "choices": ["auto", *ENGINES], "default": "auto"},
        "loopback": {"type": "bool", "default": True},
        "sysctls": {"type": "dict"},
    }
    rules = {"mutually_exclusive": [["path", "share"], ["path", "pid"], ["path", "container"], ["pid", "container"]]}

    def parse(self, params: Mapping[str, Any]) -> Want:
        source, says = None, ""
        if params.get("pid") is not None and params["pid"] < 1:
            raise Invalid("pid: %d is not a process ID." % params["pid"])
        if params.get("container") is not None:
            netns_name(params["container"], "container")
        if params.get("path") is not None:
            if not params["path"].startswith("/"):
                raise Invalid("path: '%s' is not an absolute path." % params["path"])
            source, says = NsRef.parse(params["path"]), "path: %s" % params["path"]
        elif params.get("share") is not None:
            source = HOST if params["share"] == "host" else NsRef.parse(params["share"], "share")
            says = "share: %s" % params["share"]
        name = netns_name(params["name"], "name")
        if source == NsRef.parse(name) and params.get("share") is not None:
            raise Invalid("share: netns '%s' cannot share itself." % name)
        sysctls = dict(_sysctl(key, value) for key, value in (params.get("sysctls") or {}).items())
        if sysctls and source == HOST:
            raise Invalid(
                "sysctls: with share: host they would be the host's own; set those with ansible.posix.sysctl."
            )
        return Want(
            name,
            params["state"] == "present",
            source,
            says,
            params.get("pid"),
            params.get("container") or "",
            params["engine"],
            params["loopback"],
            sysctls,
        )

    def together(self, wants: Sequence[Want]) -> List[Want]:
        """Tell each want which containers its engine is asked for, and which names are to mean a namespace of their own."""
        asked: Dict[str, Dict[str, None]] = collections.defaultdict(dict)
        owners: Dict[str, bool] = {}
        for want in wants:
            if want.present and want.container:
                asked[want.engine][want.container] = None
            if want.present and want.source is None:
                owners[want.name] = not want.own
        return [replace(want, asked=tuple(asked[want.engine]), owners=owners) for want in wants]

    def subject(self, want: Want) -> str:
        return "netns %s" % want.name

    def look(self, want: Want, state: State) -> Have:
        entry = state.entries().get(want.name)
        host = state.need(HOST)
        inode = state.find(want.ref) or 0 if entry and entry.kind == "namespace" else 0
        if not want.present:
            if not inode:
                return Have(entry=entry, host_inode=host)
            links = tuple(link.name for link in state.links(inode) if link.name != "lo") if inode != host else ()
            processes = tuple(state.processes(inode)) if inode > 0 and inode != host else ()
            return Have(
                entry, inode, host, shared=self._sharing(want, inode, host, state), processes=processes, links=links
            )
        process = self._process(want, state) if want.pid or want.container else None
        ref, source = self._source(want, process, host, state)
        loopback_up, sysctls = self._inside(want, source or inode, state)
        shared = self._sharing(want, inode, host, state) if inode else ()
        moves = inode not in (0, host) and source not in (0, inode)
        return Have(
            entry,
            inode,
            host,
            ref,
            source,
            self._file(want, process, state),
            self._sharing(want, source, host, state) if source else (),
            process,
            shared,
            loopback_up,
            sysctls,
            tuple(state.processes(inode)) if moves and inode > 0 and not shared else (),
            now=self._inside(want, inode, state) if moves or (inode == host and source not in (0, inode)) else None,
            borrowed=bool(want.own and shared) and self._borrowed(want, shared, inode, host, state),
        )

    @staticmethod
    def _file(want: Want, process: Optional[Container], state: State) -> str:
        """Return the engine's own file of a container's namespace, also where another name is joined that is a link to it."""
        if want.source is not None and want.says.startswith("share"):
            owner = state.entries().get(want.source.name)
            return owner.target if owner is not None and owner.kind == "namespace" else ""
        return process.file if process is not None and want.source is None else ""

    @staticmethod
    def _inside(want: Want, inode: int, state: State) -> Tuple[bool, Dict[str, Optional[str]]]:
        """Return whether the loopback is up in a namespace, and the sysctls that are asked for."""
        loopback = state.link(inode, "lo") if inode else None
        sysctls = {key: state.sysctl(inode, key) for key in want.sysctls} if inode else {}
        return bool(loopback and loopback.get("enabled")), sysctls

    @staticmethod
    def _sharing(want: Want, inode: int, host: int, state: State) -> Tuple[str, ...]:
        names = [name for name, entry in state.entries().items() if entry.inode == inode and name != want.name]
        return (("host",) if inode == host else ()) + tuple(names)

    @staticmethod
    def _borrowed(want: Want, shared: Sequence[str], inode: int, host: int, state: State) -> bool:
        """Return whether the namespace is rather that of another item of this task: a process gives it, its wiring was made
        for that name, or, with nothing to tell them by, that item comes first."""
        rivals = [name for name in shared if name in want.owners]
        wired = [
            (near, far)
            for far in (state.links(inode) if rivals else ())
            for near in [state.link_at(host, far.peer_index) if far.kind == "veth" and far.peer_ns == host else None]
            if near is not None
        ]

        def made(name: str) -> bool:
            return any(made_for(NsRef.parse(name).path, near, far, state.identity()) for near, far in wired)

        if not rivals or made(want.name):
            return False
        order = list(want.owners)
        return any(want.owners[name] or made(name) or order.index(name) < order.index(want.name) for name in rivals)

    def _process(self, want: Want, state: State) -> Optional[Container]:
        """Return the process of a container or with a PID, its namespace open from here on: a PID used again does no harm.

        None: check mode foresees a container that an earlier task would have started.
        """
        if not want.container:
            return self._by_pid(want.pid or 0, state)
        known, silent = state.containers(want.engine, want.asked or (want.container,))
        found = known.get(want.container, ())
        alive = {one.inode: one for one in found if one.pid}
        if not alive and state.predict:
            return None
        whose = "no engine on this host" if want.engine == "auto" else want.engine
        if not found and silent and want.engine != "auto":
            raise Refused("container: '%s' cannot be looked up: %s." % (want.container, "; ".join(silent)))
        if not found:
            text = "container: %s knows a container '%s'" if want.engine == "auto" else "container: %s knows no '%s'"
            raise Refused("; ".join([text % (whose, want.container), *silent]) + ".")
        if not alive:
            one = found[0]
            raise Refused(
                "container: '%s' of %s does not run (%s); start it first."
                % (one.name, one.engine, one.status or "stopped")
            )
        if len(alive) > 1:
            raise Refused(
                "container: '%s' runs in %s; say which with engine."
                % (want.container, " and in ".join(one.engine for one in alive.values()))
            )
        return next(iter(alive.values()))

    @staticmethod
    def _by_pid(pid: int, state: State) -> Container:
        started = state.start_time(pid)
        if started is None:
            raise Refused("pid: there is no process %d on this host; a stopped container has none." % pid)
        try:
            inode = state.find(NsRef("/proc/%d/ns/net" % pid))
        except PermissionError as error:
            raise Refused("pid: %d: the namespace may not be opened: %s." % (pid, error.strerror)) from error
        if inode is None or state.start_time(pid) != started:
            raise Refused(
                "pid: process %d ended while its namespace was being opened; look up the container's process again."
                % pid
            )
        return Container("", "", pid, inode=inode)

    @staticmethod
    def _asks(want: Want) -> Tuple[str, ...]:
        """Return the command that prints the process ID of a container that an earlier task would have started."""
        return (*ENGINES[want.engine if want.engine in ENGINES else "docker"].pid_of, want.container)

    @staticmethod
    def _source(want: Want, process: Optional[Container], host: int, state: State) -> Tuple[NsRef, int]:
        """Return the wanted source and its inode, 0 where the name gets a namespace of its own."""
        if want.own:
            return HOST, 0
        if want.source is None:
            if process is None:
                ref = NsRef("/proc/%s:%s/ns/net" % (want.engine, want.container))  # of no process yet
                return ref, state.foreseen(ref, "container '%s'" % want.container)
            if process.inode == host:
                raise Refused(
                    "%s is in the host's own network namespace; %ssay share: host where that is what you want."
                    % (_who(process), "start it with %s, or " % ENGINES[process.engine].alone if process.engine else "")
                )
            return NsRef("/proc/%d/ns/net" % process.pid), process.inode
        try:
            found = state.find(want.source)
        except PermissionError as error:
            raise Refused("%s: the namespace may not be opened: %s." % (want.says, error.strerror)) from error
        if found is None:
            if not want.says.startswith("share"):
                raise Refused("%s does not exist." % want.says)
            found = state.need(want.source)
        if found == host and want.source != HOST and not want.says.startswith("share"):
            raise Refused(
                "%s is the host's own network namespace; say share: host where that is what you want." % want.says
            )
        if process is not None and process.inode != found and found > 0:
            raise _elsewhere(want, process)
        return want.source, found

    def plan(self, want: Want, have: Have) -> Plan:
        stale = have.entry is not None and have.entry.kind != "namespace"
        before = self._describe(want, have) if have.inode else {}
        if not want.present:
            return self._absent(want, have, before, stale)
        if stale and have.entry is not None and not (have.entry.target and not want.own):
            what = (
                "a symbolic link to nowhere"
                if have.entry.kind == "dangling"
                else "a plain file, left by a reboot or by an 'ip netns add' that failed"
            )
            raise Refused(
                "%s is no namespace: %s is %s; remove it with state: absent."
                % (str(want.ref).capitalize(), want.ref.path, what)
            )
        changes: List[Change] = []
        other_way = have.entry is not None and have.entry.target != have.file
        fresh = rebound = False
        if want.own:
            fresh = not have.inode or have.inode == have.host_inode or have.borrowed
            if fresh:
                changes += ([_drop(want, have)] if have.inode else []) + [AddNetns(want.name)]
        else:
            rebound = have.inode != have.source_inode or other_way
            if rebound:
                asks = self._asks(want) if want.container and have.process is None else ()
                changes.append(BindNetns(want.name, have.source, have.source_inode, have.entry, have.file, asks))
        inside: List[Change] = []
        is_host = want.source == HOST
        if want.loopback and not is_host and (fresh or not have.loopback_up):
            inside.append(SetLink(want.ref, "lo", {"enabled": True}, {"enabled": False}))
        for key, value in want.sysctls.items():
            old = None if fresh else have.sysctls.get(key)
            if old is None and not fresh and have.source_inode >= 0 and have.inode >= 0:
                raise Refused(
                    "sysctls: this kernel has no '%s' in %s; the module or the interface it belongs to is not there."
                    % (key, want.ref)
                )
            if old != value:
                inside.append(SetSysctl(want.ref, key, value, old or ""))
        after = dict(
            self._describe(want, have),
            **({"inode": None, "shared_with": []} if fresh else {}),
            **(
                {
                    "inode": have.source_inode if have.source_inode > 0 else None,
                    "shared_with": list(have.source_shared),
                    **_of(have.process),
                }
                if rebound
                else {}
            ),
            loopback=(want.loopback and not is_host) or (not fresh and have.loopback_up),
            sysctls=dict(want.sysctls),
        )
        after.pop("symlink", None)
        if have.file or (not rebound and not fresh and have.entry is not None and have.entry.target):
            after["symlink"] = True
        warnings = []
        if have.processes:
            warnings.append(
                "%s meant another namespace until now, in which %s still %s; what is to be in the new one has to be started anew."
                % (str(want.ref).capitalize(), _named(have.processes), "runs" if len(have.processes) == 1 else "run")
            )
        facts = {"anew": bool(have.inode) and (fresh or (rebound and have.inode != have.source_inode))}
        return Plan(
            before,
            after,
            (*changes, *inside),
            tuple(warnings),
            facts,
            ("inode",) if fresh or want.source is not None else (),
        )

    @staticmethod
    def _describe(want: Want, have: Have) -> Dict[str, Any]:
        loopback_up, sysctls = have.now or (have.loopback_up, have.sysctls)
        described = {
            "name": want.name,
            "path": want.ref.path,
            "inode": have.inode if have.inode > 0 else None,
            **_of(have.process if have.inode == have.source_inode else None),
            "shared_with": list(have.shared),
            "loopback": loopback_up,
            "sysctls": {key: value for key, value in sysctls.items() if value is not None},
        }
        if have.entry is not None and have.entry.target:
            described["symlink"] = True
        return described

    def _absent(self, want: Want, have: Have, before: Mapping[str, Any], stale: bool) -> Plan:
        if have.entry is None:
            return Plan({}, {})
        if stale and have.entry.size:
            raise Refused(
                "%s is a file of %d bytes, not a namespace; it is left alone, remove it by hand."
                % (want.ref.path, have.entry.size)
            )
        warnings = []
        held = []
        if have.processes:
            held.append(_named(have.processes))
        if have.shared and have.inode != have.host_inode:
            held.append("the name " + ", ".join(have.shared))
        if held:
            text = "%s lives on without its name: %s holds it" % (str(want.ref).capitalize(), " and ".join(held))
            warnings.append(
                text + ("; its interfaces %s stay until then." % ", ".join(have.links) if have.links else ".")
            )
        if not stale:
            before = {
                "name": want.name,
                "path": want.ref.path,
                "inode": have.inode if have.inode > 0 else None,
                **_of(None),
                "shared_with": list(have.shared),
            }
        else:
            before = {"name": want.name, "path": want.ref.path, "stale": True}
        return Plan(before, {}, (_drop(want, have),), tuple(warnings), hidden=("inode",))

    def observe(self, want: Want, after: Dict[str, Any], state: State) -> Dict[str, Any]:
        """The inode of a namespace that was made is known only now."""
        return dict(after, inode=state.find(want.ref)) if after and after.get("inode") is None else after


def _drop(want: Want, have: Have) -> DropNetns:
    return DropNetns(want.name, max(have.inode, 0), have.entry.target if have.entry else "")


def _named(processes: Sequence[Tuple[int, str]]) -> str:
    return (
        "process " + ", ".join("%d (%s)" % one for one in processes[:5]) + (" and more" if len(processes) > 5 else "")
    )


def _of(process: Optional[Container]) -> Dict[str, Any]:
    """Return what the result says of the process that a namespace is bound for."""
    known = process or Container("", "")
    return {"pid": known.pid or None, "container": known.name or None, "engine": known.engine or None}


def _who(process: Container) -> str:
    return "container: '%s' of %s" % (process.name, process.engine) if process.engine else "pid: %d" % process.pid


def _elsewhere(want: Want, process: Container) -> Refused:
    """Return the error for a process that is not in the namespace it has to be in: nobody can move it there from outside."""
    where = "the host's own" if want.source == HOST else "that of '%s'" % (want.source.name if want.source else "")
    text = "%s is in another network namespace than %s" % (_who(process), where)
    if want.source != HOST:
        text += ", perhaps the one that this name meant before it was made anew"
    if not process.engine:
        return Refused(text + "; it has to be started anew there.")
    engine = ENGINES[process.engine]
    how = engine.on_host if want.source == HOST else engine.joined % (want.source.name if want.source else "")
    return Refused("%s; only %s can put it there: start it anew with %s." % (text, process.engine, how))


RESOURCE = NetnsResource()
