# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun bridge. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Dict, List, Mapping, Optional

from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes import (
    AddLink,
    Change,
    DelLink,
    SetLink,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import interface_name, mac
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Link, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import (
    NETNS,
    STATE,
    Plan,
    Resource,
    differing,
    given,
    mtu_option,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

_ATTRIBUTES = ("mtu", "mac", "stp", "forward_delay", "ageing_time", "vlan_filtering", "enabled", "alias")


@dataclass(frozen=True)
class Want:
    ns: NsRef
    name: str
    present: bool = True
    mtu: Any = None
    attributes: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Have:
    """``mtu`` is what ``auto`` means now, ``identity`` the host's."""

    link: Optional[Link] = None
    mtu: int = 0
    identity: str = ""


def own_mac(identity: str, path: str, name: str) -> str:
    """Return the address that a new bridge gets where none is given; it says that this collection made it."""
    return mac(identity, "bridge", path, name)


class BridgeResource(Resource[Want, Have]):
    noun = "bridge"
    options: ClassVar[Dict[str, Any]] = {
        "name": {"type": "str", "required": True},
        **STATE,
        **NETNS,
        "mtu": {"type": "str"},
        "mac": {"type": "str"},
        "stp": {"type": "bool"},
        "forward_delay": {"type": "int"},
        "ageing_time": {"type": "int"},
        "vlan_filtering": {"type": "bool"},
        "enabled": {"type": "bool", "default": True},
        "alias": {"type": "str"},
    }

    def parse(self, params: Mapping[str, Any]) -> Want:
        rows = dict(link_kinds.BRIDGE, mac=link_kinds.LINK["mac"], alias=link_kinds.LINK["alias"])
        return Want(
            NsRef.parse(params.get("netns")),
            interface_name(params["name"], "name"),
            params["state"] == "present",
            mtu_option(params.get("mtu")),
            dict(given(params, rows), enabled=params["enabled"]),
        )

    def subject(self, want: Want) -> str:
        return "bridge %s" % want.name

    def look(self, want: Want, state: State) -> Have:
        ns = state.need(want.ns) if want.present else state.find(want.ns)
        if ns is None:
            return Have()
        return Have(
            state.link(ns, want.name),
            state.uplink_mtu(ns) if want.mtu == "auto" else 0,
            state.identity() if want.present else "",
        )

    def plan(self, want: Want, have: Have) -> Plan:
        if have.link is not None and have.link.kind != "bridge":
            raise Refused(
                "Interface '%s' in %s is %s, not a bridge; it is left alone."
                % (want.name, want.ns, have.link.describe())
            )
        before = self._describe(want, have.link.attributes) if have.link else {}
        if not want.present:
            return Plan(before, {}, (DelLink(want.ns, want.name),) if have.link else ())
        wanted = dict(want.attributes)
        if want.mtu is not None:
            wanted["mtu"] = have.mtu if want.mtu == "auto" else want.mtu
        changes: List[Change] = []
        if have.link is None:
            # A bridge without an address of its own takes its ports' and changes it as they come and go.
            wanted.setdefault("mac", own_mac(have.identity, want.ns.path, want.name))
            defaults = {name: row.default for name, row in dict(link_kinds.LINK, **link_kinds.BRIDGE).items()}
            after = self._describe(want, dict(defaults, **wanted))
            late = {name: wanted.pop(name) for name in ("mtu", "alias") if wanted.get(name)}
            if "mtu" in late:
                # Only a change of the MTU pins it (net/bridge/br_device.c, br_change_mtu); else it follows the ports.
                wanted["mtu"] = late["mtu"] + (1 if late["mtu"] < 1500 else -1)
            if wanted.get("vlan_filtering") is False:
                del wanted["vlan_filtering"]  # the default, and a kernel without the feature refuses to hear of it
            changes.append(AddLink(want.ns, want.name, "bridge", wanted))
            if late:
                changes.append(SetLink(want.ns, want.name, late, {name: wanted.get(name, "") for name in late}))
        else:
            new, old = differing(wanted, have.link.attributes)
            after = self._describe(want, dict(have.link.attributes, **new))
            if new:
                changes.append(SetLink(want.ns, want.name, new, old))
        return Plan(before, after, tuple(changes))

    @staticmethod
    def _describe(want: Want, attributes: Mapping[str, Any]) -> Dict[str, Any]:
        return {"name": want.name, "netns": want.ns.option, **{name: attributes.get(name) for name in _ATTRIBUTES}}


RESOURCE = BridgeResource()
