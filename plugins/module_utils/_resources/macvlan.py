# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds macvlan and ipvlan of the noun ns_link, which get all frames of their parent, so that they depend on who else does. Pure."""

from __future__ import annotations

from typing import Any, List, Mapping, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.link_kinds import SHARING
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Link
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link_of_kind import OfKind
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_link_want import Difference, Have, Want
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.parents import Place, apart, beside
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

_ALONE = "passthru"


def _others_have_the_frames(place: Place, kind: str, state: State) -> str:
    """Return the sentence for a parent whose frames go to a bridge, or to links of the other kind than ``kind``: one gets them all."""
    parent = place.parent
    master = state.link_at(place.origin, parent.master) if parent is not None and parent.master else None
    if parent is not None and parent.master and (master is None or master.kind != "vrf"):
        name = master.name if master is not None else "if%d" % parent.master
        return "parent: %s is a port of '%s', which gets all its frames; make the link on that." % (place, name)
    ns, one = next(apart(place, SHARING, state), (0, None))  # all of them are of one kind
    if one is None or one.kind == kind:
        return ""
    text = "parent: '%s' in %s, %s, is on %s, which has the one kind or the other; take that kind, or remove it."
    return text % (one.name, state.ref_of(ns), one.describe(), place)


class _Sharing(OfKind):
    """A kind of which all on a parent are, with those that a task makes together."""

    def yielding(self, place: Place, state: State) -> List[Tuple[int, Link]]:
        others = [kind for kind in SHARING if kind != self.noun]
        return list(beside(place, others, state)) if place.together else []


class Macvlan(_Sharing):
    shared = ("mac",)

    def borrows(self, attributes: Mapping[str, Any]) -> bool:
        return bool(attributes.get("macvlan_mode") == _ALONE)

    def differences(self, want: Want, have: Have, link: Link) -> List[Difference]:
        """The kernel changes each mode in place but to the one that is alone, and from that."""
        now, asked = link.get("macvlan_mode"), want.attributes.get("macvlan_mode", link.get("macvlan_mode"))
        return [("mode", now, asked)] if now != asked and _ALONE in (now, asked) else []

    def obstacle(self, asked: Mapping[str, Any], place: Place, state: State) -> str:
        found = _others_have_the_frames(place, self.noun, state) if place.anew else ""
        if found or place.parent is None or place.parent.index < 0:
            return found
        alone = self.borrows(asked)
        # One that is alone has none beside it, so it is the first.
        first = next(beside(place, (self.noun,), state), None) if place.anew else None
        if first is not None and (alone or self.borrows(first[1].attributes)):
            which = "this one" if alone else "that"
            text = "mode: '%s' in %s is on %s already, where %s would be alone, in mode passthru."
            return text % (first[1].name, state.ref_of(first[0]), place, which)
        address = "" if alone else asked.get("mac")
        if address and address == place.parent.get("mac"):
            return "mac: %s is that of %s; a macvlan has one of its own." % (address, place)
        for ns, one in beside(place, (self.noun,), state) if address else ():
            if address == one.get("mac"):
                text = "mac: %s is that of '%s' in %s, which is on %s as well."
                return text % (address, one.name, state.ref_of(ns), place)
        return ""


class Ipvlan(_Sharing):
    shared = ("ipvlan_mode",)

    def joined(self, place: Place, state: State) -> Mapping[str, Any]:
        """The mode is one for all on a parent."""
        return next(({"ipvlan_mode": one.get("ipvlan_mode")} for dummy, one in beside(place, (self.noun,), state)), {})

    def obstacle(self, asked: Mapping[str, Any], place: Place, state: State) -> str:
        found = _others_have_the_frames(place, self.noun, state) if place.anew else ""
        first = None if found else next(apart(place, (self.noun,), state), None)
        if first is not None and first[1].get("ipvlan_mode") != asked.get("ipvlan_mode"):
            text = "mode: %s has '%s' in %s on it as well, in mode %s, and the kernel has one mode for all of a parent."
            return text % (place, first[1].name, state.ref_of(first[0]), first[1].get("ipvlan_mode"))
        return found
