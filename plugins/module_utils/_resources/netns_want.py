# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task wants of network namespaces: the options of netns, one sanitizer each. Pure."""

from __future__ import annotations

import collections
from dataclasses import field, replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.engines import ENGINES
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import netns_name
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._model.sysctls import key_of, sysctls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import STATE

OPTIONS: Dict[str, Any] = {
    "name": {"type": "str", "required": True},
    **STATE,
    "pid": {"type": "int"},
    "path": {"type": "path"},
    "share": {"type": "str"},
    "container": {"type": "str"},
    "engine": {"type": "str", "choices": ["auto", *ENGINES], "default": "auto"},
    "loopback": {"type": "bool", "default": True},
    "sysctls": {"type": "dict"},
    "new_sysctls": {"type": "dict"},
}
RULES: Dict[str, Any] = {
    "mutually_exclusive": [["path", "share"], ["path", "pid"], ["path", "container"], ["pid", "container"]]
}


@dataclass(frozen=True)
class Want:
    """``source`` is the namespace that the name is to be bound to; ``says`` the option that named it. ``pid`` or ``container``
    is a process: its namespace is the source, or, beside a ``source``, has to be the same namespace. Without any of them the name
    gets a namespace of its own, which starts with ``new_sysctls`` where it is made.

    Of the other items of its task a want knows ``asked``, the containers that the same engine is asked for, and ``owners``:
    the names that are to mean a namespace of their own, and whether a process gives it. One that has none of these sources knows ``given``,
    those that a process gives theirs.
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
    new_sysctls: Mapping[str, str] = field(default_factory=dict, hash=False)
    asked: Tuple[str, ...] = ()
    owners: Mapping[str, bool] = field(default_factory=dict, hash=False)
    given: Tuple[Want, ...] = field(default=(), hash=False)

    @property
    def ref(self) -> NsRef:
        return NsRef.parse(self.name, "name")

    @property
    def own(self) -> bool:
        return self.source is None and self.pid is None and not self.container


def parse(params: Mapping[str, Any]) -> Want:
    """Return the want that validated options mean. Raises `Invalid`."""
    pid, path, share, container = (params.get(option) for option in ("pid", "path", "share", "container"))
    if pid is not None and (isinstance(pid, bool) or pid < 1):
        raise Invalid("pid: %s is not a process ID." % pid)
    if container is not None:
        netns_name(container, "container")
    source, says = None, ""
    if path is not None:
        if not path.startswith("/"):
            raise Invalid("path: '%s' is not an absolute path." % path)
        source, says = NsRef.parse(path, "path"), "path: %s" % path
    elif share is not None:
        source, says = HOST if share == "host" else NsRef.parse(share, "share"), "share: %s" % share
    name = netns_name(params["name"], "name")
    if name == "host" and source != HOST and params["state"] == "present":
        raise Invalid("name: 'host' means the host's own network (share: host); call the namespace something else.")
    if source == NsRef.parse(name) and share is not None:
        raise Invalid("share: netns '%s' cannot share itself." % name)
    given = sysctls(params.get("sysctls") or {})
    if given and source == HOST:
        raise Invalid("sysctls: with share: host they would be the host's own; set those with ansible.posix.sysctl.")
    return Want(
        name,
        params["state"] == "present",
        source,
        says,
        pid,
        container or "",
        params["engine"],
        params["loopback"],
        given,
        _at_birth(params, given),
    )


def _at_birth(params: Mapping[str, Any], given: Mapping[str, str]) -> Dict[str, str]:
    """Return the sysctls that a namespace gets when it is made, by their one key, less those that are ``given`` for good. Raises `Invalid`."""
    if not params.get("new_sysctls"):
        return {}
    others = set(map(key_of, given))
    found = {key_of(key): value for key, value in sysctls(params["new_sysctls"]).items()}
    return {key: value for key, value in found.items() if key not in others}


def together(wants: Sequence[Want]) -> List[Want]:
    """Return the wants of a task, each with which containers its engine is asked for, and which names are to mean a namespace of
    their own."""
    asked: Dict[str, Dict[str, None]] = collections.defaultdict(dict)
    owners: Dict[str, bool] = {}
    for want in wants:
        if want.present and want.container:
            asked[want.engine][want.container] = None
        if want.present and want.source is None:
            owners[want.name] = not want.own
    told = [replace(want, asked=tuple(asked[want.engine]), owners=owners) for want in wants]
    given = tuple(want for want in told if want.present and owners.get(want.name) and not want.own)
    return [replace(want, given=given) if want.own and given else want for want in told]
