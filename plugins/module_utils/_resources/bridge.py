# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun bridge: a link of that kind, with what the kernel does differently for it. Pure."""

from __future__ import annotations

from typing import Any, Dict, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import LinkResource, Want, taken_out


class BridgeResource(LinkResource):
    """A bridge without a MAC address of its own takes its ports' and changes it as they come and go, so it always gets one."""

    def born(self, want: Want, wanted: Dict[str, Any]) -> Tuple[Change, ...]:
        late = {"mtu": wanted["mtu"]} if wanted.get("mtu") else {}
        late.update(taken_out(wanted, "alias"))
        if "mtu" in late:
            # Only a change of the MTU pins it (net/bridge/br_device.c, br_change_mtu); else it follows the ports.
            wanted["mtu"] = late["mtu"] + (1 if late["mtu"] < 1500 else -1)
        if wanted.get("vlan_filtering") is False:
            del wanted["vlan_filtering"]  # the default, and a kernel without the feature refuses to hear of it
        made = AddLink(want.ns, want.name, self.noun, wanted)
        old = {name: wanted.get(name, "") for name in late}
        return (made, SetLink(want.ns, want.name, late, old)) if late else (made,)


RESOURCE = BridgeResource("bridge")
