# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What happens to a frame between two namespaces: pairs that are down, ports that are kept apart, VLANs, checks of who sends. Pure."""

from __future__ import annotations

from typing import Iterator, Sequence, Set

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import SpoofCheck
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Link, Vlan
from ansible_collections.linuxnet.containers.plugins.module_utils._path.packet import Packet
from ansible_collections.linuxnet.containers.plugins.module_utils._path.segment import Step
from ansible_collections.linuxnet.containers.plugins.module_utils._path.sight import Sight
from ansible_collections.linuxnet.containers.plugins.module_utils._path.stops import Gauge, Record, Stopped

_UP = "linuxnet.containers.veth sets both ends up"


def cross(sight: Sight, record: Record, step: Step, packet: Packet, sender: Link) -> None:
    """Take a packet over one step, of which an interface ``sender`` sent the frame. Raises `Stopped`."""
    if step.bridge is None:
        _over_pair(sight, record, step, packet)
        return
    bridge, where = step.bridge, sight.label(step.ns)
    need_up(sight, step.ns, bridge)
    for port in filter(None, (step.near, step.far)):
        need_up(sight, step.ns, port)
        if port.get("forwards") is False:
            peer = sight.link_at(port.peer_ns, port.peer_index) if port.peer_ns is not None else None
            if peer is not None and port.peer_ns is not None:
                need_up(sight, port.peer_ns, peer)
            what = "the port %s of %s forwards nothing (its state is not forwarding)" % (port.name, bridge.name)
            command = sight.command(step.ns, "bridge", "-d", "link", "show", "dev", port.name)
            raise Stopped(what, where, command, "set the interface behind it up, or wait for spanning tree")
    if step.near is not None:
        for check in _checks(sight, step.ns, step.near):
            _need_own(sight, step, check, packet, sender)
    if bridge.get("vlan_filtering"):
        _need_vlan(sight, step, bridge)
    if step.near is not None and step.far is not None:
        _need_together(sight, step, bridge)
        record.hop(
            where, "is bridged by %s from %s to %s" % (bridge.name, step.near.name, step.far.name), answer=packet.answer
        )
    if step.far is not None:
        record.gauges.append(Gauge(step.ns, step.far, int(step.far.get("mtu") or 0), False, packet.answer))


def _over_pair(sight: Sight, record: Record, step: Step, packet: Packet) -> None:
    if step.far is not None:
        need_up(sight, step.ns, step.far)
        record.gauges.append(Gauge(step.ns, step.far, int(step.far.get("mtu") or 0), False, packet.answer))


def need_up(sight: Sight, ns: int, link: Link) -> None:
    """Raise `Stopped` where an interface is down."""
    if not link.get("enabled"):
        what = "%s of %s is down" % (link.name, sight.label(ns))
        command = sight.command(ns, "ip", "link", "show", "dev", link.name)
        remedy = "set it up: %s" % sight.command(ns, "ip", "link", "set", "dev", link.name, "up")
        raise Stopped(what, sight.label(ns), command, remedy + (" (%s)" % _UP if link.kind == "veth" else ""))


def _checks(sight: Sight, ns: int, port: Link) -> Iterator[SpoofCheck]:
    for owned in sight.owned(ns):
        yield from (check for check in owned.spoof_checks if check.interface == port.name)


def _need_own(sight: Sight, step: Step, check: SpoofCheck, packet: Packet, sender: Link) -> None:
    """Raise `Stopped` where a check of a port does not let the sender's frame pass."""
    mac = sender.get("mac") != check.mac
    if not mac and packet.source in check.addresses:
        return
    said = "from the MAC address %s" % sender.get("mac") if mac else "from %s" % packet.source
    what = "%s lets nothing in %s: spoof_check says who is behind it (%s, %s)" % (
        check.interface,
        said,
        check.mac,
        ", ".join(check.addresses),
    )
    command = sight.command(step.ns, "nft", "list", "table", "bridge", "linuxnet_containers")
    remedy = (
        "run the role again, or linuxnet.containers.nat with type: spoof_check, interface: %s and these addresses"
        % check.interface
    )
    raise Stopped(what, sight.label(step.ns), command, remedy)


def _need_together(sight: Sight, step: Step, bridge: Link) -> None:
    """Raise `Stopped` where two ports are kept apart."""
    near, far = step.near, step.far
    if near is None or far is None:
        return
    apart = {port for owned in sight.owned(step.ns) for port, dummy in owned.apart}
    isolated = near.get("isolated") and far.get("isolated")
    if isolated or apart & {near.name, far.name}:
        what = "%s and %s are isolated ports of %s: its containers do not talk to each other" % (
            near.name,
            far.name,
            bridge.name,
        )
        command = sight.command(step.ns, "bridge", "-d", "link", "show", "dev", near.name)
        if not isolated:
            command = sight.command(step.ns, "nft", "list", "table", "bridge", "linuxnet_containers")
        remedy = "set icc: true for that network, or isolated: false for one of the ports, or publish the port"
        raise Stopped(what, sight.label(step.ns), command, remedy)


def _need_vlan(sight: Sight, step: Step, bridge: Link) -> None:
    """Raise `Stopped` where an untagged frame does not get from one port to the other over the VLANs of a bridge."""
    ends = [bridge if port is None else port for port in (step.near, step.far)]
    into, out = (sight.state.vlans(step.ns, end) for end in ends)
    number = next((vlan.vid for vlan in into if vlan.pvid), None)
    leaving: Set[int] = {vlan.vid for vlan in out if vlan.untagged}
    if number is None or number not in leaving:
        what = "%s and %s are in different VLANs of %s (%s; %s)" % (
            ends[0].name,
            ends[1].name,
            bridge.name,
            _vlans(into),
            _vlans(out),
        )
        command = sight.command(step.ns, "bridge", "vlan", "show")
        remedy = "put both into one VLAN: linuxnet.containers.bridge_port with vlans"
        raise Stopped(what, sight.label(step.ns), command, remedy)


def _vlans(vlans: Sequence[Vlan]) -> str:
    return ", ".join(map(str, vlans)) or "none"
