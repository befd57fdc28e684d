# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun bridge: a link of that kind, with what the kernel does differently for it. Pure."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import LinkResource, Want, split

# Of the forwarding delay while the spanning tree protocol runs, in hundredths of a second: BR_MIN_FORWARD_DELAY and
# BR_MAX_FORWARD_DELAY of net/bridge/br_private_stp.h. Without it any will do.
_DELAY_LOW, _DELAY_HIGH = 200, 3000


class BridgeResource(LinkResource):
    """A bridge without a MAC address of its own takes its ports' and changes it as they come and go, so it always gets one."""

    def fitting(self, wanted: Dict[str, Any], now: Mapping[str, Any]) -> Dict[str, Any]:
        if not wanted.get("stp", now.get("stp")):
            return wanted
        delay = wanted.get("forward_delay", now.get("forward_delay"))
        if delay is None or _DELAY_LOW <= delay <= _DELAY_HIGH:
            return wanted
        if "forward_delay" in wanted:
            raise Refused(
                "forward_delay: %d is out of bounds; with stp it must be from %d to %d (2 to 30 seconds)."
                % (delay, _DELAY_LOW, _DELAY_HIGH)
            )
        return dict(wanted, forward_delay=min(max(delay, _DELAY_LOW), _DELAY_HIGH))  # as the kernel does it

    def steps(self, want: Want, new: Dict[str, Any], old: Dict[str, Any]) -> Tuple[Change, ...]:
        """The kernel sets the delay first of all, and goes by whether the protocol runs at that moment."""
        delays = [side.get("forward_delay", _DELAY_LOW) for side in (new, old)]
        if "stp" not in new or all(_DELAY_LOW <= delay <= _DELAY_HIGH for delay in delays):
            return super().steps(want, new, old)
        first = "forward_delay" if new["stp"] else "stp"
        steps = []
        for names in ([first], [name for name in new if name != first]):
            sides = [{name: side[name] for name in names if name in side} for side in (new, old)]
            steps.append(SetLink(want.ns, want.name, sides[0], sides[1], self.noun))
        return tuple(step for step in steps if step.new)

    def creation(self, want: Want, wanted: Mapping[str, Any]) -> Tuple[Change, ...]:
        early, late = split(wanted, link_kinds.late(self.rows))
        old: Dict[str, Any] = dict.fromkeys(late, "")
        if "mtu" in early:
            # Only a change of the MTU pins it (net/bridge/br_device.c, br_change_mtu); else it follows the ports.
            size = early["mtu"]
            early["mtu"] = old["mtu"] = size + (1 if size < 1500 else -1)
            late = {"mtu": size, **late}
        if early.get("vlan_filtering") is False:
            del early["vlan_filtering"]  # the default, and a kernel without the feature refuses to hear of it
        made = AddLink(want.ns, want.name, self.noun, early)
        return (made, SetLink(want.ns, want.name, late, old)) if late else (made,)


RESOURCE = BridgeResource("bridge")
