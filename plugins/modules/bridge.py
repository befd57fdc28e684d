#!/usr/bin/python
# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
---
module: bridge
short_description: Manage bridges
version_added: 0.1.0
author:
  - linuxnet.containers contributors (@linuxnet)
description:
  - Makes, repairs and removes bridges. Addresses are the business of M(linuxnet.containers.ns_address).
  - Only the options that are given are managed. What differs is set in place; a bridge is never made anew.
  - A bridge that is made without O(mac) gets one that is derived from host and name, because a bridge without an address of its own takes over
    its ports' and changes it as they come and go. That address is also the mark by which the bridge is known as this collection's, whatever
    the host is called by then. One whose address somebody changes, or that is made with O(mac), has no mark and counts as somebody else's.
  - A bridge with the mark of O(name) that somebody renamed is not made a second time; the error says what it is called.
extends_documentation_fragment:
  - linuxnet.containers.attributes
  - linuxnet.containers.attributes.actiongroup
  - linuxnet.containers.options
  - linuxnet.containers.options.netns
  - linuxnet.containers.options.auto_mtu
options:
  name:
    description: Name of the bridge. Required without O(aggregate).
    type: str
  mtu:
    description:
      - MTU in bytes, or V(auto), the MTU of the interface that holds the default route (1500 where there is none).
    type: str
  mac:
    description: MAC address, in any spelling; a unicast one.
    type: str
  stp:
    description: Whether the spanning tree protocol is on.
    type: bool
  forward_delay:
    description:
      - Forward delay in hundredths of a second, as C(ip link) has it. An odd number is rounded down, for not every kernel can hold it.
      - While O(stp) is on it must be from 200 to 3000. Where it is not given, switching that on brings it there, as the kernel does.
    type: int
  ageing_time:
    description: How long an address is remembered, in hundredths of a second, as C(ip link) has it. Rounded as O(forward_delay).
    type: int
  vlan_filtering:
    description: Whether the bridge looks at VLANs.
    type: bool
  group_fwd_mask:
    description:
      - Which frames for 01:80:c2:00:00:00 to 01:80:c2:00:00:0f pass the bridge, as a number with a bit for each of these addresses. So V(16384) lets LLDP pass
        (01:80:c2:00:00:0e, bit 14). By default a bridge forwards none of them.
      - The lowest three, spanning tree, pause and LACP, the kernel refuses here; O(linuxnet.containers.bridge_port#module:group_fwd_mask) lets more pass.
      - Left out, it is not managed, and not in the result.
    type: int
    version_added: 0.3.0
  enabled:
    description: Whether the bridge is up.
    type: bool
    default: true
  alias:
    description: A text for people, shown by C(ip link).
    type: str
  accept_ra:
    description:
      - Whether the bridge hears router advertisements (C(net.ipv6.conf.NAME.accept_ra)). Of a host that does, whoever is behind the bridge can become the
        router, for IPv6 that nobody set up as well.
      - Left out, it stays as it is, and a new bridge has what its namespace gives to new interfaces.
    type: bool
  ipv6:
    description:
      - Whether the bridge has IPv6 (C(net.ipv6.conf.NAME.disable_ipv6)). One that has answers at its link-local address, also on a network of IPv4 only.
      - With V(false) its IPv6 addresses and routes go. Beside O(only_ours) it keeps IPv6, and a warning says so, where somebody else gave it an
        address for good.
      - Left out, it stays as it is, and a new bridge has what its namespace gives to new interfaces.
    type: bool
  master:
    description:
      - The VRF that the bridge is in, empty for none. It has to be there; M(linuxnet.containers.ns_link) makes one.
      - The kernel sets a bridge that goes in or comes out down and up, by which it loses its IPv6 addresses and its routes. A new one is born in it.
      - Left out, it is not managed, and not in the result.
    type: str
  only_ours:
    description:
      - Change and remove only what this collection made, as the role P(linuxnet.containers.wiring#role) does. Left out, the bridge that is named
        is meant, whoever made it.
      - A bridge of somebody else's is used as it is with O(state=present), and a warning says so.
      - With O(state=absent) it stays, with all that others have on it. What goes are the addresses that this collection set, known by protocol
        number 76 (which kernels before 5.18 do not keep; there they stay), unless addresses or routes of others hang on them.
      - A bridge of this collection's stays as well, with its addresses, while it has ports; and one of somebody else's keeps the addresses while pairs that
        this collection made are ports of it. A warning names them.
    type: bool
    default: false
  released:
    description: With O(only_ours) and O(state=absent), ports that hold no bridge, since they are to be free when it goes.
    type: list
    elements: str
  listed:
    description: For the role. Names of the namespaces that the caller's lists have on the bridge. Where its MTU changes for others on it as well, a
      warning names them.
    type: list
    elements: str
  rewired:
    description: With O(only_ours) and O(state=absent), names of namespaces whose pairs hold no bridge, since they are about to be ports of another one.
    type: list
    elements: str
seealso:
  - module: linuxnet.containers.bridge_port
  - module: linuxnet.containers.ns_address
"""

EXAMPLES = r"""
---
- name: Make the bridge that Docker would make
  linuxnet.containers.bridge:
    name: docker0
    mtu: auto

- name: See what would change, without changing it
  linuxnet.containers.bridge:
    name: docker0
    mtu: 1450
  check_mode: true
  diff: true
"""

RETURN = r"""
---
before:
  description: The object as it was, every attribute known. Empty when it was absent. With O(aggregate) see RV(results).
  returned: success, without O(aggregate)
  type: dict
  sample: {name: docker0, netns: null, mtu: 1500, mac: "02:42:ac:11:00:01", stp: false, forward_delay: 1500, ageing_time: 30000, vlan_filtering: false,
    enabled: true, alias: ""}
after:
  description: The object as it is now, or in check mode as it would be. Empty when it is absent. With O(aggregate) see RV(results).
  returned: success, without O(aggregate)
  type: dict
  sample: {name: docker0, netns: null, mtu: 1450, mac: "02:42:ac:11:00:01", stp: false, forward_delay: 1500, ageing_time: 30000, vlan_filtering: false,
    enabled: true, alias: ""}
commands:
  description: The equivalent command lines, in order, ready to paste. In check mode those that would be run.
  returned: success
  type: list
  elements: str
  sample: ["ip link set docker0 mtu 1450"]
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

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import addresses
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.bridge import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._run import runner


def main():  # type: () -> None
    """Be the module."""
    runner.run(RESOURCE, addresses.Kernel)


if __name__ == "__main__":
    main()
