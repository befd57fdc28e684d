# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun netns: a named network namespace, /run/netns/NAME. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Dict, List, Mapping, Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._changes import (
    AddNetns,
    BindNetns,
    Change,
    DropNetns,
    SetLink,
    SetSysctl,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._errors import Invalid, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._facts import HOST, NsFile, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._naming import netns_name
from ansible_collections.linuxnet.containers.plugins.module_utils._resource import STATE, Plan, Resource
from ansible_collections.linuxnet.containers.plugins.module_utils._state import State


@dataclass(frozen=True)
class Want:
    """``source`` is where an attached namespace comes from, None for one of its own; ``says`` the option that named it."""

    name: str
    present: bool = True
    source: Optional[NsRef] = None
    says: str = ""
    pid: Optional[int] = None
    loopback: bool = True
    sysctls: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def ref(self) -> NsRef:
        return NsRef.parse(self.name, "name")


@dataclass(frozen=True)
class Have:
    """``inode`` 0: nothing there. ``source_inode`` of the wanted source. ``loopback_up`` and ``sysctls`` as they are inside what
    is wanted, ``now`` the same of what the name means now, where that is another namespace."""

    entry: Optional[NsFile] = None
    inode: int = 0
    host_inode: int = 0
    source_inode: int = 0
    source_shared: Tuple[str, ...] = ()
    shared: Tuple[str, ...] = ()
    loopback_up: bool = False
    sysctls: Mapping[str, Optional[str]] = field(default_factory=dict, hash=False)
    processes: Tuple[Tuple[int, str], ...] = ()
    links: Tuple[str, ...] = ()
    now: Optional[Tuple[bool, Mapping[str, Optional[str]]]] = field(default=None, hash=False)


def _sysctl(key: str, value: Any) -> Tuple[str, str]:
    if not key.startswith(("net.", "net/")) or ".." in key:
        raise Invalid("sysctls: '%s' is not a key of a network namespace; those begin with 'net.'." % key)
    if isinstance(value, bool):
        value = int(value)
    if value is None or isinstance(value, (dict, list)) or not str(value).strip():
        raise Invalid("sysctls: '%s' needs a value, a number or a text." % key)
    return key, " ".join(str(value).split())


class NetnsResource(Resource[Want, Have]):
    noun = "netns"
    locks = True
    options: ClassVar[Dict[str, Any]] = {
        "name": {"type": "str", "required": True},
        **STATE,
        "pid": {"type": "int"},
        "path": {"type": "path"},
        "share": {"type": "str"},
        "loopback": {"type": "bool", "default": True},
        "sysctls": {"type": "dict"},
    }
    rules = {"mutually_exclusive": [["pid", "path", "share"]]}

    def parse(self, params: Mapping[str, Any]) -> Want:
        source, says = None, ""
        if params.get("pid") is not None:
            if params["pid"] < 1:
                raise Invalid("pid: %d is not a process ID." % params["pid"])
            source, says = NsRef("/proc/%d/ns/net" % params["pid"]), "pid: %d" % params["pid"]
        elif params.get("path") is not None:
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
        return Want(name, params["state"] == "present", source, says, params.get("pid"), params["loopback"], sysctls)

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
            processes = tuple(state.source.processes(inode)) if inode > 0 and inode != host else ()
            return Have(
                entry, inode, host, shared=self._sharing(want, inode, host, state), processes=processes, links=links
            )
        source = self._source(want, host, state)
        loopback_up, sysctls = self._inside(want, source or inode, state)
        return Have(
            entry,
            inode,
            host,
            source,
            self._sharing(want, source, host, state) if source else (),
            self._sharing(want, inode, host, state) if inode else (),
            loopback_up,
            sysctls,
            now=self._inside(want, inode, state) if inode and source not in (0, inode) else None,
        )

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
    def _source(want: Want, host: int, state: State) -> int:
        """Return the inode of the wanted source, 0 where there is none. It is open from here on: a PID used again does no harm."""
        if want.source is None:
            return 0
        started = state.source.start_time(want.pid) if want.pid else None
        if want.pid and started is None:
            raise Refused("pid: there is no process %d on this host; a stopped container has none." % want.pid)
        try:
            found = state.find(want.source)
        except PermissionError as error:
            raise Refused("%s: the namespace may not be opened: %s." % (want.says, error.strerror)) from error
        if want.pid and (found is None or state.source.start_time(want.pid) != started):
            raise Refused(
                "pid: process %d ended while its namespace was being opened; look up the container's process again."
                % want.pid
            )
        if found is None:
            if not want.says.startswith("share"):
                raise Refused("%s does not exist." % want.says)
            found = state.need(want.source)
        if found == host and want.source != HOST:
            raise Refused(
                "%s is the host's own network namespace; say share: host where that is what you want." % want.says
            )
        return found

    def plan(self, want: Want, have: Have) -> Plan:
        stale = have.entry is not None and have.entry.kind != "namespace"
        before = self._describe(want, have) if have.inode else {}
        if not want.present:
            return self._absent(want, have, before, stale)
        if stale and have.entry is not None and not (have.entry.link and want.source is not None):
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
        linked = have.entry is not None and have.entry.link
        fresh = rebound = False
        if want.source is None:
            fresh = not have.inode or have.inode == have.host_inode
            if fresh:
                changes += ([DropNetns(want.name, have.inode)] if have.inode else []) + [AddNetns(want.name)]
        else:
            rebound = have.inode != have.source_inode or linked
            if rebound:
                changes.append(BindNetns(want.name, want.source, have.source_inode, have.entry))
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
                    "pid": want.pid,
                }
                if rebound
                else {}
            ),
            loopback=(want.loopback and not is_host) or (not fresh and have.loopback_up),
            sysctls=dict(want.sysctls),
        )
        if rebound or fresh:
            after.pop("symlink", None)
        return Plan(before, after, (*changes, *inside), hidden=("inode",) if fresh else ())

    @staticmethod
    def _describe(want: Want, have: Have) -> Dict[str, Any]:
        loopback_up, sysctls = have.now or (have.loopback_up, have.sysctls)
        described = {
            "name": want.name,
            "path": want.ref.path,
            "inode": have.inode if have.inode > 0 else None,
            "pid": want.pid if have.inode and have.inode == have.source_inode else None,
            "shared_with": list(have.shared),
            "loopback": loopback_up,
            "sysctls": {key: value for key, value in sysctls.items() if value is not None},
        }
        if have.entry is not None and have.entry.link:
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
            held.append(
                "process "
                + ", ".join("%d (%s)" % one for one in have.processes[:5])
                + (" and more" if len(have.processes) > 5 else "")
            )
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
                "pid": None,
                "shared_with": list(have.shared),
            }
        else:
            before = {"name": want.name, "path": want.ref.path, "stale": True}
        return Plan(
            before, {}, (DropNetns(want.name, have.inode if have.inode > 0 else 0),), tuple(warnings), hidden=("inode",)
        )

    def observe(self, want: Want, after: Dict[str, Any], state: State) -> Dict[str, Any]:
        """The inode of a namespace that was made is known only now."""
        return dict(after, inode=state.find(want.ref)) if after and after.get("inode") is None else after


RESOURCE = NetnsResource()
