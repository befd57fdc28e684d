# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a rule that stops a packet means, in words: ours by what they are for, those of others by their names. Pure."""

from __future__ import annotations

from typing import Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import Chain
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    FENCES,
    PORTS,
    SPOOFING,
    TUNNELS,
    Isolation,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Link
from ansible_collections.linuxnet.containers.plugins.module_utils._path.packet import Packet
from ansible_collections.linuxnet.containers.plugins.module_utils._path.rules import End
from ansible_collections.linuxnet.containers.plugins.module_utils._path.sight import Sight


def is_skipped(sight: Sight, chain: Chain, packet: Packet) -> bool:
    """Return whether a chain is ours and looks at what is no rule's to ask here: at frames (`crossing` has what it does), or inside of a tunnel's packets."""
    purpose = sight.purpose(chain)
    return purpose == SPOOFING or (purpose == TUNNELS and packet.protocol != "udp")


def explained(
    sight: Sight, ns: int, end: End, packet: Packet, into: Optional[Link], out: Optional[Link]
) -> Tuple[str, str, str, str]:
    """Return the parts of an `Obstacle` for a rule that stops a packet."""
    chain, rule = end.place.chain, end.place.rule
    command = sight.listing(ns, chain, rule is not None and rule.shown.startswith("rule "))
    where = sight.label(ns)
    if sight.purpose(chain) is not None:
        what, remedy = _of_ours(sight, ns, chain, into, out)
        return "%s: %s" % (what, end.place), where, command, remedy
    does = "refuses" if end.verdict == "reject" else "drops"
    way = _way(into, out)
    whose = "the answer" if packet.answer else "what comes behind the first packet" if packet.further else "it"
    if packet.discovers:
        whose = "the question who has an address (%s)" % packet.message
    what = "another firewall on %s %s %s%s: %s" % (where, does, whose, way, end.place)
    if ns != sight.host:
        what = "the firewall inside %s %s %s%s: %s" % (where, does, whose, way, end.place)
    return what, where, command, _remedy(chain, into, out)


def _way(into: Optional[Link], out: Optional[Link]) -> str:
    if into is not None and out is not None:
        return " on its way from %s to %s" % (into.name, out.name)
    return (
        " as it comes in by %s" % into.name
        if into is not None
        else " as it leaves by %s" % out.name
        if out is not None
        else ""
    )


def _remedy(chain: Chain, into: Optional[Link], out: Optional[Link]) -> str:
    """Return how whoever made a chain is told to let something through."""
    bridge = next((link.name for link in (out, into) if link is not None and link.kind == "bridge"), "")
    if chain.table == "inet firewalld" and bridge:
        return (
            "let it through with firewalld: firewall-cmd --zone=trusted --change-interface=%s, and again with --permanent"
            % bridge
        )
    if chain.name.startswith(("ufw", "ufw6")) and bridge:
        return "let it through with ufw: ufw route allow %s on %s" % (
            "out" if out is not None and out.name == bridge else "in",
            bridge,
        )
    if chain.hook == "forward" and chain.name == "FORWARD":
        return "let it through there, or write the rules of linuxnet.containers.nat with backend: iptables, which does"
    return "let it through there, by a rule in front of that one"


def _isolation(sight: Sight, ns: int, link: Optional[Link]) -> Optional[Isolation]:
    found = [one for owned in sight.owned(ns) for one in owned.isolations]
    return next((one for one in found if link is not None and one.bridge == link.name), None)


def _of_ours(sight: Sight, ns: int, chain: Chain, into: Optional[Link], out: Optional[Link]) -> Tuple[str, str]:
    """Return what a rule of ours is for, and what to do."""
    names = (into.name if into else "?", out.name if out else "?")
    here, there = _isolation(sight, ns, into), _isolation(sight, ns, out)
    if sight.purpose(chain) == PORTS:
        return "nobody but the host itself sends to 127.0.0.0/8", "ask for another address of the host"
    if sight.purpose(chain) == FENCES:
        return (
            "forwarding was switched on for containers only, and %s and %s were there before, so they stay apart"
            % names,
            "have a rule of linuxnet.containers.nat be about one of them, or switch forwarding on yourself before there are any",
        )
    inner = next((one for one in (there, here) if one is not None and one.internal), None)
    if inner is not None:
        return "the network %s is internal: nothing is forwarded in or out" % inner.bridge, "set internal: false for it"
    if there is not None and names[0] == names[1]:
        return "the containers of the network %s do not talk to each other (icc: false)" % names[
            1
        ], "set icc: true for it"
    if there is not None:
        return (
            "the network %s is isolated: from %s it lets in published ports only" % (names[1], names[0]),
            "publish the port, put both containers into one network, or set isolate: false for both networks",
        )
    return (
        "a rule of linuxnet.containers drops it from %s to %s" % names,
        "run the role again, and see docs/firewalls.md",
    )
