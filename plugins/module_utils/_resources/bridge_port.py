# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun bridge_port: an interface as a port of a bridge, or the bridge itself, by which the host is on it. Pure."""

from __future__ import annotations

from dataclasses import field, replace
from typing import Any, Dict, Hashable, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import SetLink, SetVlans
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import (
    APART,
    host_interface,
    interface_name,
    known_name,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import FOREVER, Link, NsRef, Vlan
from ansible_collections.linuxnet.containers.plugins.module_utils._model.values import natural
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import (
    check_port_mtu,
    differing,
    is_foreign_bridge,
    port_of,
    shown,
    usual,
    whose,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import (
    NETNS,
    STATE,
    Plan,
    Resource,
    Sides,
    brief,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State


@dataclass(frozen=True)
class Want:
    """``attributes`` are those that are asked for, by row; ``vlans`` None where they are not managed. ``only_ours``: neither the bridge nor the
    interface is taken from anybody else. ``optional``: an interface that is not there is left out. ``peer``: the namespace and the name of the other end
    of the pair that it is of."""

    ns: NsRef
    bridge: str
    interface: str
    present: bool = True
    attributes: Mapping[str, Any] = field(default_factory=dict, hash=False)
    vlans: Optional[Tuple[Vlan, ...]] = None
    exclusive: bool = False
    only_ours: bool = False
    optional: bool = False
    peer: Optional[Tuple[NsRef, str]] = None

    @property
    def own(self) -> bool:
        """Return whether the interface is the bridge itself."""
        return self.interface == self.bridge


@dataclass(frozen=True)
class Have:
    """``master`` is the name of the bridge that has the port now; ``vlans`` None where they were not asked for;
    ``default_pvid`` is the VLAN that the bridge gives a new port, 0 for none. ``joining``: further attributes that the interface needs as a port of
    a bridge of somebody else's, so that the bridge stays as it is. ``apart``: a rule of ours keeps the port from the others in place of its flag, since
    something is published behind it, see `nat/apart`. ``foreign``: with `Want.only_ours`, the bridge is somebody else's.
    ``missing``: with `Want.optional`, there is no such interface. ``warnings`` are about an interface that is to join."""

    link: Optional[Link] = None
    master: str = ""
    vlans: Optional[Tuple[Vlan, ...]] = None
    default_pvid: int = 0
    joining: Mapping[str, Any] = field(default_factory=dict, hash=False)
    apart: bool = False
    foreign: bool = False
    missing: bool = False
    warnings: Tuple[str, ...] = ()


def _vlans(items: Sequence[Mapping[str, Any]], option: str) -> Tuple[Vlan, ...]:
    """Return the VLANs of the option, ranges taken apart, sorted. Raises `Invalid`."""
    found: Dict[int, Vlan] = {}
    for item in items:
        low, dash, high = str(item["vid"]).partition("-")
        first, last = natural(low), natural(high if dash else low)
        if first is None or last is None:
            raise Invalid("%s: vid '%s' is neither a number nor a range such as 10-20." % (option, item["vid"]))
        if not 1 <= first <= last <= 4094:
            raise Invalid("%s: vid '%s' is out of bounds; VLAN IDs go from 1 to 4094." % (option, item["vid"]))
        if item["pvid"] and first != last:
            raise Invalid("%s: vid '%s' cannot be the PVID; that is one VLAN." % (option, item["vid"]))
        for vid in range(first, last + 1):
            if vid in found:
                raise Invalid("%s: VLAN %d is given twice." % (option, vid))
            found[vid] = Vlan(vid, item["pvid"], item["untagged"])
    if sum(vlan.pvid for vlan in found.values()) > 1:
        raise Invalid("%s: more than one VLAN is the PVID." % option)
    return tuple(sorted(found.values()))


def _default_pvid(bridge: Link) -> int:
    """Return the VLAN that a bridge gives a new port, 0 for none. One that is only foreseen has 1, if the kernel has the feature."""
    return bridge.get("default_pvid") or int(bridge.index < 0 and bool(bridge.get("vlan_filtering")))


def _joining(want: Want, ns: int, bridge: Link, state: State) -> Mapping[str, Any]:
    """Return what the end of a pair needs besides before it becomes a port of a bridge of somebody else's."""
    if not is_foreign_bridge(want.ns, bridge, state):
        return {}
    # Here and not above: of use to few tasks.
    from ansible_collections.linuxnet.containers.plugins.module_utils._resources import foreign_bridge

    state.open_all()
    port = state.link(ns, want.interface)
    if port is None or port.kind != "veth" or port.master == bridge.index or port.get("mac") is None:
        return {}
    return foreign_bridge.joining(ns, bridge, port, state)


def _check_port(want: Want, ns: int, port: Link, state: State) -> None:
    """Raise `Refused` for an interface that the kernel makes no port (net/bridge/br_if.c, br_add_if), or would take out of a bond for it."""
    if port.kind == "bridge":
        raise Refused(
            "interface: '%s' in %s is a bridge, and a bridge cannot be a port of another bridge." % (port.name, want.ns)
        )
    if port.name == "lo":
        raise Refused("interface: 'lo' in %s is the loopback interface, which cannot be a port." % want.ns)
    master = state.link_at(ns, port.master) if port.master else None
    if master is not None and master.kind not in ("bridge", "vrf"):
        text = "interface: '%s' in %s is part of '%s', %s; make that the port."
        raise Refused(text % (port.name, want.ns, master.name, master.describe()))


def _check_ours(want: Want, ns: int, bridge: Link, port: Link, state: State) -> None:
    """Raise `Refused` for a port of a bridge of somebody else's, which is not to be a port of another one."""
    if is_foreign_bridge(want.ns, bridge, state):
        text = "bridge: '%s' in %s was here before; who made it gives it ports such as '%s'."
        raise Refused(text % (bridge.name, want.ns, port.name))
    master = state.link_at(ns, port.master) if port.master else None
    if master is not None and master.kind == "bridge" and is_foreign_bridge(want.ns, master, state):
        text = "interface: '%s' in %s is a port of '%s', which is somebody else's; take it out of that first: %s"
        (release,) = SetLink(want.ns, port.name, {"master": ""}).commands()
        raise Refused(text % (port.name, want.ns, master.name, release))


def _lost(ns: int, bridge: Link, port: Link, state: State) -> str:
    """Return an address that the host has on an interface alone, and is not reached by once that is a port; ``""`` for none. Of IPv6 only those that
    stay by themselves: a router's prefix comes to the bridge as well."""
    if port.index < 0:
        return ""
    held = {one.ip for one in state.addresses_of(ns, bridge)} if bridge.index > 0 else set()
    mine = (one for one in state.addresses_of(ns, port) if one.scope == "global" and one.ip not in held)
    return next((one.cidr for one in mine if one.family == 4 or one.valid_lft == FOREVER), "")


def _said(want: Want, ns: int, bridge: Link, port: Link, state: State) -> Tuple[str, ...]:
    """Return what is to be said of an interface that joins a bridge. With `Want.only_ours` raises `Refused` where the host would be cut off."""
    found = []
    lost = _lost(ns, bridge, port, state)
    where = (port.name, want.ns)
    if lost and want.only_ours:
        text = "interface: '%s' in %s has the address %s, by which the host is not reached once it is a port; give that to '%s', or take it away, first."
        raise Refused(text % (*where, lost, bridge.name))
    if lost:
        text = "'%s' in %s has the address %s, by which the host is not reached while it is a port; give that to '%s'."
        found.append(text % (*where, lost, bridge.name))
    if want.only_ours and port.index > 0 and not port.get("enabled"):
        (up,) = SetLink(want.ns, port.name, {"enabled": True}).commands()
        found.append("'%s' in %s is down, so nothing passes: %s" % (*where, up))
    size = (port.get("mtu") or 0, bridge.get("mtu") or 0)
    if want.only_ours and 0 < size[0] < size[1]:
        text = "'%s' in %s passes packets of %d bytes, and '%s' of %d: the larger ones are lost; say so by the MTU of the network."
        found.append(text % (*where, size[0], bridge.name, size[1]))
    return tuple(found)


class BridgePortResource(Resource[Want, Have]):
    noun = "bridge_port"
    identity = ("interface", "peer_netns")
    options: Dict[str, Any] = {
        "bridge": {"type": "str", "required": True},
        "interface": {"type": "str"},
        "peer_netns": {"type": "str"},
        "peer_name": {"type": "str", "default": "eth0"},
        **STATE,
        **NETNS,
        **link_kinds.specs(link_kinds.PORT),
        "vlans": {
            "type": "list",
            "elements": "dict",
            "options": {
                "vid": {"type": "str", "required": True},
                "pvid": {"type": "bool", "default": False},
                "untagged": {"type": "bool", "default": False},
            },
        },
        "exclusive": {"type": "bool", "default": False},
        "only_ours": {"type": "bool", "default": False},
        "optional": {"type": "bool", "default": False},
    }

    def parse(self, params: Mapping[str, Any]) -> Want:
        vlans = params.get("vlans")
        if params["exclusive"] and vlans is None:
            raise Invalid("exclusive: it needs vlans, the only ones that are to be there.")
        peer = None
        if params.get("peer_netns") is not None:
            peer = NsRef.parse(params["peer_netns"], "peer_netns"), interface_name(params["peer_name"], "peer_name")
        interface = params.get("interface")
        if interface is None:
            if peer is None:
                raise Invalid("interface is required, or peer_netns, from which it is derived.")
            interface = host_interface(peer[0].path, peer[1])
        want = Want(
            NsRef.parse(params.get("netns")),
            known_name(params["bridge"], "bridge"),
            known_name(interface, "interface"),
            params["state"] == "present",
            link_kinds.given(params, link_kinds.PORT),
            None if vlans is None else _vlans(vlans, "vlans"),
            params["exclusive"],
            params["only_ours"],
            params["optional"],
            peer,
        )
        return self._of_itself(want)

    @staticmethod
    def _of_itself(want: Want) -> Want:
        """Return a want. Raises `Invalid` for one that no bridge can have of itself."""
        if want.own and (want.attributes or want.vlans is None or not want.present):
            named = next((link_kinds.PORT[name].shown for name in want.attributes), "")
            text = "%s: '%s' is the bridge itself, of which nothing but vlans is set, and which is not released."
            raise Invalid(text % (named or "interface", want.interface))
        return want

    def identities(self, want: Want) -> Sequence[Hashable]:
        """A port that is to leave one bridge may be one of another."""
        here = want.ns, want.interface, want.bridge
        return (here, here[:2]) if want.present else (here,)

    def resolved(self, want: Want, state: State) -> Want:
        bridge, interface = (state.own_name(want.ns, name) for name in (want.bridge, want.interface))
        if (bridge, interface) == (want.bridge, want.interface):
            return want
        return self._of_itself(replace(want, bridge=bridge, interface=interface))

    def subject(self, want: Want) -> str:
        return ("bridge %s itself" if want.own else "bridge port %s") % want.interface

    def title(self, want: Want) -> str:
        return whose(self.subject(want), *want.peer) if want.peer else self.subject(want)

    def effect(self, want: Want, plan: Plan) -> Sides:
        return brief((plan.before, plan.after), usual(link_kinds.PORT), {"cost": "bridge", "interface": "bridge"})

    def look(self, want: Want, state: State) -> Have:
        ns = state.need(want.ns) if want.present else state.find(want.ns)
        if ns is None:
            return Have()
        default_pvid = 0
        joining: Mapping[str, Any] = {}
        warnings: Tuple[str, ...] = ()
        if want.own:
            bridge = state.need_link(ns, want.ns, want.bridge, "bridge", "bridge")
            if want.only_ours:
                _check_ours(want, ns, bridge, bridge, state)
            born = (Vlan(_default_pvid(bridge), True, True),) if bridge.index < 0 else ()
            return Have(bridge, bridge.name, state.vlans(ns, bridge) or born)
        if want.present:
            bridge = state.need_link(ns, want.ns, want.bridge, "bridge", "bridge")
            default_pvid = _default_pvid(bridge)
            if want.optional and state.link(ns, want.interface) is None:
                text = "'%s' is not in %s yet, so it is no port of '%s'."
                return Have(missing=True, warnings=(text % (want.interface, want.ns, want.bridge),))
            joining = _joining(want, ns, bridge, state)
            port = state.need_link(ns, want.ns, want.interface, "interface")
            _check_port(want, ns, port, state)
            if want.only_ours:
                _check_ours(want, ns, bridge, port, state)
            if port.master != bridge.index:
                warnings = _said(want, ns, bridge, port, state)
                # Here and not above: a port is made once.
                from ansible_collections.linuxnet.containers.plugins.module_utils._resources import parents

                parents.check_port("interface", want.ns, ns, port, state)
                check_port_mtu("interface", port.name, joining.get("mtu", port.get("mtu") or 0), ns, bridge, state)
        link = state.link(ns, want.interface)
        there = state.link(ns, want.bridge) if want.only_ours else None
        return Have(
            link,
            state.master_name(ns, link) if link else "",
            state.vlans(ns, link) if link and want.vlans is not None else None,
            default_pvid,
            joining,
            link is not None and link.get("alias") == APART and state.filters_bridged(ns),
            foreign=there is not None and is_foreign_bridge(want.ns, there, state),
            warnings=warnings,
        )

    def plan(self, want: Want, have: Have) -> Plan:
        is_port = have.link is not None and have.master == want.bridge
        now, vlans = (have.link.attributes if have.link else {}), have.vlans or ()
        if is_port and have.apart:
            now = dict(now, isolated=True)
        before = self._describe(want, now, vlans) if is_port else {}
        old_port = port_of(have.link, have.master) if have.link else {"master": ""}
        if not want.present:
            if have.foreign:  # it was not us who put it there
                return Plan(before, before)
            release = SetLink(want.ns, want.interface, {"master": ""}, old_port)
            return Plan(before, {}, (release,) if is_port else ())
        if have.missing:
            return Plan({}, {}, warnings=have.warnings)
        changes: List[Change] = []
        unknown: Tuple[str, ...] = ()
        if not is_port:
            fits = {name: have.link.get(name) for name in have.joining} if have.link else {}
            joined = SetLink(want.ns, want.interface, {**have.joining, "master": want.bridge}, {**fits, **old_port})
            changes.append(joined)
            now = link_kinds.defaults(link_kinds.PORT)
            vlans = (Vlan(have.default_pvid, True, True),) if have.default_pvid else ()
            # One that is only foreseen is the end of a pair, unless its kind is known.
            if have.link is not None and have.link.kind != "veth" and (have.link.index > 0 or have.link.kind):
                now = dict(now, cost=None)  # the kernel derives it from the interface's speed
                unknown = () if "cost" in want.attributes else ("cost",)
        new, old = differing(want.attributes, now)
        if is_port and have.apart and want.attributes.get("isolated") is False:
            new, old = dict(new, alias=""), dict(old, alias=APART)
        if new:
            known = {name: value for name, value in old.items() if value is not None}
            changes.append(SetLink(want.ns, want.interface, new, known))
        if want.vlans is not None:
            steps, vlans = self._vlan_steps(want, vlans)
            changes.extend(steps)
        return Plan(
            before, self._describe(want, dict(now, **new), vlans), tuple(changes), have.warnings, hidden=unknown
        )

    @staticmethod
    def _vlan_steps(want: Want, now: Tuple[Vlan, ...]) -> Tuple[List[Change], Tuple[Vlan, ...]]:
        """Return the changes that lead to the wanted VLANs, and the VLANs then."""
        wanted = {vlan.vid: vlan for vlan in want.vlans or ()}
        add = tuple(vlan for vlan in wanted.values() if vlan not in now)
        remove = tuple(vlan for vlan in now if want.exclusive and vlan.vid not in wanted)
        takes_pvid = any(vlan.pvid for vlan in wanted.values())
        kept = [
            Vlan(vlan.vid, vlan.pvid and not takes_pvid, vlan.untagged)
            for vlan in now
            if vlan.vid not in wanted and vlan not in remove
        ]
        after = tuple(sorted([*kept, *wanted.values()]))
        return ([SetVlans(want.ns, want.interface, add, remove, want.own)] if add or remove else []), after

    @staticmethod
    def _describe(want: Want, attributes: Mapping[str, Any], vlans: Tuple[Vlan, ...]) -> Dict[str, Any]:
        described: Dict[str, Any] = {"bridge": want.bridge, "interface": want.interface, "netns": want.ns.option}
        described.update({} if want.own else shown(link_kinds.PORT, attributes))
        if want.vlans is not None:
            described["vlans"] = [{"vid": vlan.vid, "pvid": vlan.pvid, "untagged": vlan.untagged} for vlan in vlans]
        return described

    def observe(self, want: Want, after: Dict[str, Any], state: State) -> Dict[str, Any]:
        """The cost that the kernel gave a new port is known only now."""
        if not after or want.own or after.get("cost") is not None:
            return after
        ns = state.find(want.ns)
        link = state.link(ns, want.interface) if ns is not None else None
        return dict(after, cost=link.get("cost") if link else None)


RESOURCE = BridgePortResource()
