#!/usr/bin/python
# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
---
module: bridge_port
short_description: Manage the ports of a bridge
version_added: 0.1.0
author:
  - linuxnet.containers contributors (@linuxnet)
description:
  - Makes an interface a port of a bridge, sets the port's options, or releases it.
  - Only the options that are given are managed.
extends_documentation_fragment:
  - linuxnet.containers.attributes
  - linuxnet.containers.attributes.actiongroup
  - linuxnet.containers.options
  - linuxnet.containers.options.netns
options:
  bridge:
    description: The bridge. Required, here or in each item of O(aggregate).
    type: str
  interface:
    description:
      - The interface. Left out, it is the host end of the pair that M(linuxnet.containers.veth) gives O(peer_name) in O(peer_netns). One of the two is
        required without O(aggregate).
      - Where the host has an address on it that the bridge has not, a warning says that it is not reached by that any more.
      - The name of the bridge means the bridge itself, by which the host is on it (C(self) of C(bridge vlan)). It has O(vlans), and no other option.
    type: str
  peer_netns:
    description: The namespace of the container behind the port. The diff names it, and O(interface) is derived from it where that is left out.
    type: str
    version_added: 0.3.0
  peer_name:
    description: The interface in O(peer_netns).
    type: str
    default: eth0
    version_added: 0.3.0
  hairpin:
    description: Whether a packet may leave by the port it came in by. A container that talks to its own published port needs it.
    type: bool
  isolated:
    description:
      - Whether the port may only talk to ports that are not isolated.
      - Where br_netfilter is on, and M(linuxnet.containers.nat) publishes something behind the port, a rule of nftables keeps it from
        the others instead, and its alias says so. That counts as isolated.
    type: bool
  learning:
    description: Whether addresses are learnt on the port.
    type: bool
  flood:
    description: Whether unicast packets to an unknown address leave by the port.
    type: bool
  mcast_flood:
    description: Whether multicast packets to an unknown group leave by the port.
    type: bool
  neigh_suppress:
    description: Whether ARP and neighbour discovery are answered for known neighbours instead of flooded.
    type: bool
  guard:
    description: Whether spanning tree messages are dropped on the port (BPDU guard).
    type: bool
  root_block:
    description: Whether the port may not become the root port (root guard).
    type: bool
  fast_leave:
    description: Whether a multicast group is left at once.
    type: bool
  group_fwd_mask:
    description:
      - Which frames that come in by the port for 01:80:c2:00:00:00 to 01:80:c2:00:00:0f pass the bridge, besides those of
        O(linuxnet.containers.bridge#module:group_fwd_mask). V(16388) is LACP and LLDP (bits 2 and 14). Pause frames (bit 1) the kernel refuses.
      - A port that is checked for spoofing lets none of them in, see M(linuxnet.containers.nat).
      - Left out, it is not managed, and not in the result.
    type: int
    version_added: 0.3.0
  cost:
    description: Path cost of the port for the spanning tree protocol, from 1 to 65535.
    type: int
  priority:
    description: Priority of the port for the spanning tree protocol, from 0 to 63.
    type: int
  vlans:
    description: VLANs of the port. Others are left as they are, unless O(exclusive=true).
    type: list
    elements: dict
    suboptions:
      vid:
        description: VLAN ID from 1 to 4094, or a range such as V(10-20).
        type: str
        required: true
      pvid:
        description: Whether packets without a tag belong to it. At most one VLAN of a port.
        type: bool
        default: false
      untagged:
        description: Whether its packets leave without a tag.
        type: bool
        default: false
  exclusive:
    description: Only the O(vlans) that are listed are to be there.
    type: bool
    default: false
  only_ours:
    description:
      - Take nothing from others, as the role P(linuxnet.containers.wiring#role) does with the C(ports) of a network.
      - With O(state=present) it is an error where the bridge was not made by this collection, where the interface is a port of such a bridge, and where
        the host has an address on it that the bridge has not. An interface that is down, or has a smaller MTU than the bridge, is warned of.
      - With O(state=absent) a port of a bridge that this collection did not make stays.
    type: bool
    default: false
  optional:
    description: An interface that is not there is left out, with a warning.
    type: bool
    default: false
seealso:
  - module: linuxnet.containers.bridge
  - module: linuxnet.containers.veth
"""

EXAMPLES = r"""
---
- name: Let a container reach its own published ports
  linuxnet.containers.bridge_port:
    bridge: docker0
    peer_netns: web
    hairpin: true

- name: Trunk two VLANs and a range
  linuxnet.containers.bridge_port:
    bridge: br0
    interface: port1
    vlans:
      - {vid: 10, pvid: true, untagged: true}
      - {vid: 20-29}
    exclusive: true

- name: Let the host itself be in one of them
  linuxnet.containers.bridge_port:
    bridge: br0
    interface: br0
    vlans:
      - {vid: 10, pvid: true, untagged: true}
    exclusive: true

- name: Release an interface
  linuxnet.containers.bridge_port:
    bridge: br0
    interface: port1
    state: absent
"""

RETURN = r"""
---
before:
  description: The object as it was, every attribute known. Empty when it was absent. With O(aggregate) see RV(results).
  returned: success, without O(aggregate)
  type: dict
  sample: {bridge: docker0, interface: vethzvxkcem3eqk, netns: null, hairpin: false, isolated: false}
after:
  description: The object as it is now, or in check mode as it would be. Empty when it is absent. With O(aggregate) see RV(results).
  returned: success, without O(aggregate)
  type: dict
  sample: {bridge: docker0, interface: vethzvxkcem3eqk, netns: null, hairpin: true, isolated: false}
commands:
  description: The equivalent command lines, in order, ready to paste. In check mode those that would be run.
  returned: success
  type: list
  elements: str
  sample: ["bridge link set dev vethzvxkcem3eqk hairpin on"]
results:
  description:
    - One entry an item, in order, each with C(changed), C(before), C(after), C(diff) and C(commands).
    - An item that failed has C(failed), C(msg) and C(item) instead.
  returned: with O(aggregate)
  type: list
  elements: dict
"""

from ansible_collections.linuxnet.containers.plugins.module_utils._run import python

python.require()

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import writer
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.bridge_port import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._run import runner


def main():  # type: () -> None
    """Be the module."""
    runner.run(RESOURCE, writer.Kernel)


if __name__ == "__main__":
    main()
