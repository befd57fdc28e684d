# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module `path_info` returns: one packet there and one back, and the verdict. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import of_host
from ansible_collections.linuxnet.containers.plugins.module_utils._model.kernel_api import Source
from ansible_collections.linuxnet.containers.plugins.module_utils._path import ending, ends, told
from ansible_collections.linuxnet.containers.plugins.module_utils._path.ends import Goal, Start
from ansible_collections.linuxnet.containers.plugins.module_utils._path.journey import Arrival, Departure, End, Journey
from ansible_collections.linuxnet.containers.plugins.module_utils._path.packet import Packet, end
from ansible_collections.linuxnet.containers.plugins.module_utils._path.question import OPTIONS, Question, parse
from ansible_collections.linuxnet.containers.plugins.module_utils._path.sight import Sight
from ansible_collections.linuxnet.containers.plugins.module_utils._path.sizes import too_large
from ansible_collections.linuxnet.containers.plugins.module_utils._path.stops import Lost, Obstacle, Record, Stopped

__all__ = ["OPTIONS", "report"]


@dataclass()
class Findings:
    """What was found out. ``obstacle``: what surely stops it. ``open``: what may. ``taker``: who listens, in words; ``listening``: None where that is not
    known, or nobody can
    be asked."""

    question: Question
    record: Record
    obstacle: Optional[Obstacle] = None
    open: Tuple[Obstacle, ...] = ()
    listening: Optional[bool] = None
    taker: str = ""
    large: Optional[Obstacle] = None
    sends: str = ""

    @property
    def verdict(self) -> str:
        if self.obstacle is not None:
            return "blocked"
        return "unknown" if self.open else "reaches"


def report(source: Source, params: Mapping[str, Any]) -> Tuple[Dict[str, Any], List[str]]:
    """Return what the module returns for its arguments, and warnings. Raises `Refused`."""
    question = parse(params)
    sight = Sight(source)
    found, start, packet = _looked(sight, question)
    warnings: List[str] = []
    if found.verdict == "unknown" and question.probe and packet is not None and start is not None:
        warnings += _probed(sight, found, start, packet)
    return {
        "verdict": found.verdict,
        "blocked_by": found.obstacle.shown if found.obstacle else None,
        "maybe_blocked_by": [one.shown for one in found.open],
        "listening": found.listening,
        "too_large": found.large.shown if found.large else None,
        "hops": [
            {"where": hop.where, "what": ("answer: " if hop.answer else "") + hop.what, "by": hop.by}
            for hop in found.record.hops
        ],
        "text": told.text(question, found.sends, found.record, *told.ending(found)),
        "msg": told.sentence(found),
    }, warnings


def _looked(sight: Sight, question: Question) -> Tuple[Findings, Optional[Start], Optional[Packet]]:
    """Follow the packet there and the answer back."""
    record = Record()
    found = Findings(question, record)
    start: Optional[Start] = None
    packet: Optional[Packet] = None
    may: List[Obstacle] = []
    try:
        start = ends.start_of(sight, question)
        goal = ends.goal_of(sight, question, start)
        packet = Packet(question.protocol, ends.source_of(sight, start, goal.ip), goal.ip, 0, question.port)
        found.sends = packet.shown if packet.source else end(packet.to, packet.dport) if packet.dport else packet.to
        _there_and_back(sight, found, start, goal, packet)
    except Stopped as stop:
        found.obstacle = stop.obstacle
    except Lost as lost:
        may.append(lost.obstacle)
    for text in sight.unread:
        record.doubt(text.rstrip("."), "the host", "nft list ruleset", "see why that is", True)
    if found.obstacle is not None and any(doubt.diverts for doubt in record.doubts):
        may.append(found.obstacle)
        found.obstacle = None
    if found.obstacle is None:
        found.open = tuple(dict.fromkeys([*(doubt.obstacle for doubt in record.doubts), *may]))
        found.large = too_large(sight, question.protocol, record.gauges)
    return found, start, packet


def _there_and_back(sight: Sight, found: Findings, start: Start, goal: Goal, packet: Packet) -> None:
    """Raises `Stopped` and `Lost`."""
    journey = Journey(sight, found.record, (start.ns, start.link.index) if start.link is not None else None)
    if start.link is not None:
        found.record.hop(sight.label(start.ns), "%s comes in by %s" % (packet.shown, start.link.name))
    there = _begun(journey, start, packet)
    if isinstance(there, Departure):
        raise _beyond(sight, there)
    where = sight.label(there.ns)
    if goal.ns is not None and there.ns != goal.ns:
        what = "what is for %s of %s is taken by %s" % (goal.ip, sight.label(goal.ns), where)
        command = sight.command(there.ns, "ip", "address")
        remedy = (
            "see who else has that address, or sends it on: linuxnet.containers.wiring_info with find: %s" % goal.ip
        )
        raise Stopped(what, where, command, remedy)
    found.record.hop(where, "%s is for %s itself" % (there.packet.shown, where))
    _heard(sight, found, there, packet.to)
    answer = Packet(packet.protocol, there.packet.to, there.packet.source, there.packet.dport, 0, True)
    back = journey.sent(there.ns, answer)
    _returned(sight, start, back, packet)
    if packet.protocol == "tcp":  # which is no connection without a third packet; some rules tell it from the first
        known = len(found.record.hops), len(found.record.gauges)
        further = replace(packet, source=back.packet.to, further=True)
        _begun(journey, start, further)
        del found.record.hops[known[0] :], found.record.gauges[known[1] :]


def _begun(journey: Journey, start: Start, packet: Packet) -> End:
    """Follow a packet from where it starts. Raises `Stopped` and `Lost`."""
    return journey.comes(start.ns, start.link, packet) if start.link is not None else journey.sent(start.ns, packet)


def _beyond(sight: Sight, there: Departure) -> Lost:
    """Return that what is behind an interface that leads out of sight cannot be told."""
    where = sight.label(there.ns)
    what = "it leaves %s by %s, and what is behind that cannot be seen from here" % (where, there.link.name)
    command = sight.command(there.ns, "tcpdump", "-nni", there.link.name, "host", there.packet.to)
    return Lost(what, where, command, "ask with probe: true, which sends one packet, or look on the other side")


def _heard(sight: Sight, found: Findings, there: Arrival, asked: str) -> None:
    """Note who listens. Raises `Stopped` where nobody does."""
    if there.packet.protocol == "icmp":
        key = "net.ipv4.icmp_echo_ignore_all" if there.packet.family == 4 else "net.ipv6.icmp.echo_ignore_all"
        if sight.sysctl(there.ns, key) == "1":
            where = sight.label(there.ns)
            remedy = "set it to 0, or ask for a port"
            raise Stopped(
                "%s answers no ping (%s = 1)" % (where, key), where, sight.command(there.ns, "sysctl", key), remedy
            )
        return
    listener = ending.taker(sight, there)
    found.listening = listener is not None
    if listener is None:
        nobody = ends.ended(sight, there.ns) or ending.nobody(sight, there)
        raise Stopped(nobody.what, nobody.where, nobody.command, nobody.remedy)
    found.taker = ending.name(sight, there.ns, listener)
    if found.question.published and there.packet.to == asked:
        found.taker += "; nobody publishes that port"


def _returned(sight: Sight, start: Start, back: End, packet: Packet) -> None:
    """Raise `Stopped` where the answer is not what who asked waits for, and `Lost` where that cannot be told."""
    if isinstance(back, Departure):
        if start.link is None:
            raise _beyond(sight, back)
        if start.link is not None and (back.ns, back.link.index) != (start.ns, start.link.index):
            _astray(sight, start, back)
    elif start.link is None and back.ns != start.ns:
        where = sight.label(back.ns)
        what = "the answer goes to %s, which has %s as well" % (where, back.packet.to)
        raise Stopped(what, where, sight.command(back.ns, "ip", "address"), "give one of them another address")
    got, wanted = (back.packet.source, back.packet.sport), (packet.to, packet.dport)
    if got != wanted:
        where = sight.label(start.ns)
        what = (
            "the answer comes from %s, and not from %s, which was asked: it does not come back by where it was sent on"
            % tuple(end(*one) if one[1] else one[0] for one in (got, wanted))
        )
        command = sight.command(start.ns, "tcpdump", "-nni", "any", "host", back.packet.source)
        remedy = "ask %s itself, or have what sends it on masquerade it as well" % back.packet.source
        raise Stopped(what, where, command, remedy)


def _astray(sight: Sight, start: Start, back: Departure) -> None:
    """Raise `Lost`: the answer leaves by another interface than the one by which it was asked."""
    where = sight.label(back.ns)
    what = "the answer leaves %s by %s, and it was asked by %s" % (
        where,
        back.link.name,
        start.link.name if start.link else "?",
    )
    command = sight.command(back.ns, "ip", "route", "get", back.packet.to)
    raise Lost(
        what,
        where,
        command,
        "give it a route to %s that way, or see linuxnet.containers.nat with type: uplink" % back.packet.to,
    )


def _probed(sight: Sight, found: Findings, start: Start, packet: Packet) -> List[str]:
    """Send one packet, and note what came of it. Return warnings."""
    if start.link is not None:
        return ["probe: nothing was sent, since who asks is not on this host."]
    try:
        said = sight.ways.probe(start.ns, packet.protocol, packet.source, packet.to, packet.dport)
    except OSError as error:
        return [str(of_host(error, "send a packet to %s" % packet.to))]
    where = sight.label(start.ns)
    found.record.hop(where, "one packet was sent to %s, and %s" % (packet.shown.partition(" > ")[2], told.PROBED[said]))
    if said == "answers":
        found.open, found.listening = (), None if packet.protocol == "icmp" else True
        found.taker = "it answered one packet"
    elif said == "refused" or packet.protocol != "udp":
        known, place = found.open[0], packet.shown.partition(" > ")[2]
        if said == "refused":
            found.listening = False
            command = sight.command(start.ns, "nc", "-vz", packet.to, str(packet.dport))
            known = Obstacle("nobody listens on %s" % place, where, command, "start what is to answer there")
        likely = "it seems that %s" % known.likely if known.likely else known.what
        what = "one packet was sent, and %s; %s" % (told.PROBED[said], likely)
        remedy = "let it through there, or look on the way with tcpdump" if said == "silent" else known.remedy
        found.obstacle = Obstacle(what, known.where, known.command, remedy)
        found.open = ()
    return []
