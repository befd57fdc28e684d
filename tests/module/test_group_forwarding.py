# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What else a bridge lets pass: frames that are for the next bridge only, where a lab asks for them."""

from __future__ import annotations

from frames import ALL, arrived, ether
from proofs import says, settles
from wires import Host

LLDP, LACP = "01:80:c2:00:00:0e", "01:80:c2:00:00:02"


def test_labs9_lldp_and_lacp_pass_a_bridge_where_that_is_asked_for(host: Host) -> None:
    """Of a bridge, or of a port by which they come in; the kernel lets LACP pass by a port only."""
    host.bridge("brlab")
    for name in ("a", "b"):
        host.run(
            f"ip netns add {name} && ip link add lab{name} type veth peer name eth0 netns {name} && "
            f"ip link set lab{name} master brlab up && ip -n {name} link set eth0 up"
        )
    last = ether(ALL, "02:00:00:00:00:0a", 0x88B5, bytes(50))
    frames = [ether(group, "02:00:00:00:00:0a", 0x88CC, bytes(50)) for group in (LLDP, LACP)]

    def passed() -> int:
        (heard,) = arrived(host, "a", frames, last, "b/eth0")
        return len([frame for frame in heard if frame in [one.hex() for one in frames]])

    assert passed() == 0
    settles(host, "bridge", name="brlab", group_fwd_mask=16384)
    assert passed() == 1
    settles(host, "bridge", name="brlab", group_fwd_mask=0)
    settles(host, "bridge_port", bridge="brlab", interface="laba", group_fwd_mask=16388)
    assert passed() == 2
    for module, mask in (("bridge", 4), ("bridge_port", 2)):
        named = {"name": "brlab"} if module == "bridge" else {"bridge": "brlab", "interface": "laba"}
        says(host, module, "group_fwd_mask: . has bits that the kernel refuses", **named, group_fwd_mask=mask)
