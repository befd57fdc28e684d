# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun bridge: a link of that kind, with what the kernel does differently for it. Pure."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import LinkResource, Want, split


class BridgeResource(LinkResource):
    """A bridge without a MAC address of its own takes its ports' and changes it as they come and go, so it always gets one."""

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
