# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kind vlan of the noun ns_link: a number of a parent has one device, which is up no longer than the parent. Pure."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link_of_kind import OfKind
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.parents import Place, beside
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State


class Vlan(OfKind):
    shared = ("enabled",)

    def obstacle(self, asked: Mapping[str, Any], place: Place, state: State) -> str:
        if asked.get("enabled") and place.parent is not None and not place.parent.get("enabled"):
            return "enabled: %s is down, and a vlan cannot be up on it; set that up first." % place
        if not place.anew or asked.get("vlan_id") is None:
            return ""
        number = (asked["vlan_id"], asked.get("vlan_protocol", self.rows["vlan_protocol"].default))
        for ns, one in beside(place, (self.noun,), state):
            if (one.get("vlan_id"), one.get("vlan_protocol")) == number:
                text = "vlan_id: %d is in use on %s by '%s' in %s; take another number, or remove that one."
                return text % (number[0], place, one.name, state.ref_of(ns))
        return ""
