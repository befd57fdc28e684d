# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Forwarding, which NAT rules need: switched on, kept on over a reboot, and switched off again when it was ours. Pure.

The file says that we switched it on, and is there only as long as rules of ours need it. It is written first, and goes last, so that a run that is
killed leaves nothing on that nobody knows of. Other interfaces than ours are not joined: see `fence`, which in other namespaces than the host's,
where there is no file, is what says so.
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import AbstractSet, Any, Callable, Dict, Iterable, List, Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import PutFile, SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import KEPT_PLAN
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, MAIN_TABLE, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import fence
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.fence import Fencing
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

# After 99-sysctl.conf (Debian's link to /etc/sysctl.conf): systemd-sysctl reads in order of name and the last one wins.
SYSCTL_FILE = "/etc/sysctl.d/99-zz-linuxnet-containers.conf"
_HEADING = "# Set by linuxnet.containers: its NAT rules need forwarding. Taken back with the last of them.\n"
_ASIDE = "; "  # begins a comment, sysctl.d(5), but none of ours
_ACCEPT_RA = "net/ipv6/conf/%s/accept_ra"
_RA = 9  # RTPROT_RA: a route that router advertisements brought


def _line(family: int) -> str:
    """Return what our file says of a family."""
    return "%s = 1\n" % fence.FORWARDING[family]


def recorded(text: str, family: int) -> bool:
    """Return whether our file says that we switched forwarding of a family on."""
    return _line(family) in at_boot(text)


def at_boot(text: str) -> str:
    """Return the text of our file with which forwarding is on from the first moment after a boot."""
    return "".join(line[len(_ASIDE) :] if line.startswith(_ASIDE) else line for line in text.splitlines(keepends=True))


def set_aside(text: str) -> str:
    """Return the text of our file that only notes that we switched forwarding on: where the host brings the wiring back by itself, that does so, once
    isolation stands."""
    lines = {_line(family) for family in fence.FORWARDING}
    return "".join(_ASIDE + line if line in lines else line for line in text.splitlines(keepends=True))


@dataclass(frozen=True)
class Forwarding:
    """Forwarding of one family. ``value`` of its sysctl, None where it is not to be looked after; ``text`` of our file, None
    where it does not count (not the host). ``uplinks`` live from router advertisements, which they ignore with IPv6
    forwarding unless accept_ra is 2 (Documentation/networking/ip-sysctl.rst); ``told`` are those that we told so. ``aside``: the file only notes it,
    see `set_aside`."""

    ns: NsRef
    family: int
    value: Optional[str] = None
    text: Optional[str] = None
    uplinks: Tuple[str, ...] = ()
    told: Tuple[str, ...] = ()
    aside: bool = False
    fencing: Fencing = field(default_factory=lambda: Fencing(HOST, 4))

    @property
    def ours(self) -> bool:
        """Return whether we switched it on."""
        return bool(self.fencing.held) if self.text is None else recorded(self.text, self.family)

    def on(self) -> List[Change]:
        """Return the steps that switch forwarding on, with a fence, and keep it on; where it is on already those that keep the fence."""
        if self.value in (None, "1"):
            return self.fencing.up()
        lines = [*("%s = 2\n" % (_ACCEPT_RA % name) for name in self.uplinks), _line(self.family)]
        missing = [line for line in lines if self.text is not None and line not in at_boot(self.text)]
        steps: List[Change] = []
        if missing:
            text = (self.text or _HEADING) + "".join(missing)
            steps.append(PutFile(SYSCTL_FILE, set_aside(text) if self.aside else text, self.text or ""))
        steps += [SetSysctl(self.ns, _ACCEPT_RA % name, "2", "1") for name in self.uplinks]
        steps += self.fencing.up()
        return [*steps, SetSysctl(self.ns, fence.FORWARDING[self.family], "1", self.value or "0", opens=True)]

    def off(self) -> List[Change]:
        """Return the steps that take all of that back, if it was ours; for when nothing of ours needs it any more."""
        if self.value is None:
            return self.fencing.up()
        steps: List[Change] = []
        if self.value == "1" and self.ours:
            steps.append(SetSysctl(self.ns, fence.FORWARDING[self.family], "0", "1"))
        steps += self.fencing.down()
        if not self.text or not self.ours:
            return steps
        rest = "".join(line for line in self.text.splitlines(keepends=True) if at_boot(line) != _line(self.family))
        for name in self.told:
            steps.append(SetSysctl(self.ns, _ACCEPT_RA % name, "1", "2"))
        if self.family == 6:
            rest = "".join(line for line in rest.splitlines(keepends=True) if not line.startswith(_ACCEPT_RA[:14]))
        return [*steps, PutFile(SYSCTL_FILE, "" if rest == _HEADING else rest, self.text)]

    def describe(self, switched: bool = False) -> Dict[str, Any]:
        """Return what the result says: as it is, or (``switched``) as it is after `on`."""
        if self.value is None:
            return {}
        now = self.value == "1"
        described: Dict[str, Any] = {"ip_forward": now or switched}
        described["fenced"] = self.fencing.wanted is not None if switched else self.fencing.stands
        if self.text is not None:
            kept = recorded(self.text, self.family) or (switched and not now)
            described["sysctl_file"] = SYSCTL_FILE if kept else None
        return described


def switched_on(forwardings: Iterable[Forwarding]) -> List[Change]:
    """Return the steps that switch forwarding of several families on."""
    return _in_turn(forwardings, Forwarding.on)


def kept_or_taken_back(forwardings: Iterable[Forwarding], needed: AbstractSet[int]) -> List[Change]:
    """Return the steps that take forwarding of the families back that are not ``needed`` any more, if it was ours, and keep the fence of the
    others."""
    return _in_turn(forwardings, lambda one: one.fencing.up() if one.family in needed else one.off())


def _in_turn(forwardings: Iterable[Forwarding], steps_of: Callable[[Forwarding], List[Change]]) -> List[Change]:
    """Return the steps of several families, which share our file: each goes on from what the one before it leaves there."""
    steps: List[Change] = []
    text: Optional[str] = None
    for forwarding in forwardings:
        own = steps_of(forwarding if text is None else replace(forwarding, text=text))
        text = next((step.text for step in own if isinstance(step, PutFile)), text)
        steps.extend(own)
    return steps


def look(ns: int, family: int, wanted: bool, on: bool, item: fence.Item, state: State) -> Forwarding:
    """Return forwarding as it is; ``on``: it is to be on. ``wanted`` False: it is not to be looked after, and a fence that is there only spares
    what it is to."""
    there = family in fence.families(item.indexes)
    if not wanted:
        return Forwarding(item.ref, family, fencing=fence.look(ns, family, item, there, state))
    value = state.sysctl(ns, fence.FORWARDING[family])
    if value is None:
        return Forwarding(item.ref, family)
    text = state.text(SYSCTL_FILE) if ns == state.need(HOST) else None
    uplinks: Tuple[str, ...] = ()
    told: Tuple[str, ...] = ()
    if family == 6:
        names = {
            route.interface
            for route in (state.routes(ns, 6, MAIN_TABLE) if on and value != "1" else ())
            if route.protocol == _RA and route.shown_destination == "default"
        }
        uplinks = tuple(sorted(name for name in names if state.sysctl(ns, _ACCEPT_RA % name) == "1"))
        listed = [line.split("/")[3] for line in (text or "").splitlines() if line.startswith(_ACCEPT_RA[:14])]
        told = tuple(name for name in listed if state.sysctl(ns, _ACCEPT_RA % name) == "2")
    aside = text is not None and on and value != "1" and bool(state.text(KEPT_PLAN))
    found = Forwarding(item.ref, family, value, text, uplinks, told, aside)
    ours = there if text is None else found.ours
    return replace(found, fencing=fence.look(ns, family, item, ours or (on and value != "1"), state))
