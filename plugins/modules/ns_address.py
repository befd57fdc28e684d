#!/usr/bin/python
# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
---
module: ns_address
short_description: Manage addresses of interfaces, fixed or from a pool
version_added: 0.1.0
author:
  - linuxnet.containers contributors (@linuxnet)
description:
  - Sets and removes IPv4 and IPv6 addresses of an interface, in a namespace or on the host.
  - With O(pool) it takes a free address. Nothing is written down for that. What is taken is read from the kernel, and the search starts at a place
    derived from O(owner), so that a container that is made again gets its old address while it is free.
  - Only the options that are given are managed, and only the address that is asked for.
  - What is new stands before anything goes, and what the kernel would take along with an address is kept, so that no route is lost while an address changes.
    Secondary addresses are promoted; a route whose source goes gets the new address for its source. What cannot be kept, as the routes through an
    interface that loses its last IPv4 address, is shown in the diff as C(routes).
  - IPv6 needs an MTU of 1280 bytes. Where it is switched off (C(disable_ipv6)) on an interface in a namespace, or on a bridge or a veth of the host, an
    address of it switches it on there.
extends_documentation_fragment:
  - linuxnet.containers.attributes
  - linuxnet.containers.attributes.actiongroup
  - linuxnet.containers.options
  - linuxnet.containers.options.netns
requirements:
  - netaddr >= 0.7.19 (for O(pool))
options:
  interface:
    description: The interface. Required without O(aggregate).
    type: str
  address:
    description:
      - The address with its prefix length, C(ADDRESS/PREFIX).
      - Where it is there for good already, it is used, whoever set it. Where it is there with a lifetime that is not asked for, deprecated or temporary, it
        is made permanent.
    type: str
  pool:
    description:
      - Take a free address from this network (CIDR). One of it that this collection gave the interface already is kept.
      - That is told by the protocol number 76, which addresses carry on Linux 5.18 and newer. What others set, or routers and leases, is no answer to
        this option and stays beside it. Where the kernel does not say who set an address, any permanent one of the pool counts.
      - With O(state=absent) the addresses of it that this collection set are removed.
    type: str
  bridge:
    description:
      - A bridge of the host or, where that has none of the name, of O(netns). Addresses in there and of everything behind the bridge's ports count as
        taken.
      - Without it, O(parent) and O(cable), for O(pool), those of the host and of all namespaces in C(/run/netns).
    type: str
  parent:
    description:
      - In place of O(bridge), the interface that the macvlans or ipvlans of a segment are made on. The addresses of those count as taken, as far as they are in
        namespaces that have names.
      - With O(probe) the question is asked on that one, so that others on the segment are known.
    type: str
    version_added: 0.3.0
  cable:
    description:
      - The interface is an end of a pair, of which this is the other end, written C(NETNS/INTERFACE), and O(pool) is for the two. Only what the other end has
        counts as taken. An end keeps the address that it has, and one that has none gets another one than the other end's.
    type: str
    version_added: 0.3.0
  range:
    description: Narrows the pool, C(FIRST-LAST) or a CIDR.
    type: str
  exclude:
    description: Addresses, ranges C(FIRST-LAST) and CIDRs of the pool that are never taken.
    type: list
    elements: str
  gateway:
    description: Address that is never taken, since it is the gateway's. The first usable one of the pool where it is left out; V(none) keeps none back.
    type: str
  owner:
    description: Whom the address belongs to. C(NETNS/INTERFACE) where it is left out.
    type: str
  strategy:
    description: V(sticky) starts the search at a place derived from O(owner), V(lowest) at the beginning.
    type: str
    choices: [sticky, lowest]
    default: sticky
  scope:
    description: Scope of an IPv4 address.
    type: str
    choices: [global, site, link, host]
  label:
    description: Label of an IPv4 address. It begins with the interface's name.
    type: str
  broadcast:
    description: Broadcast address, IPv4 only.
    type: str
  peer:
    description: Address of the other side of a point-to-point link, with or without a prefix length.
    type: str
  valid_lft:
    description:
      - Valid lifetime in seconds, or V(forever).
      - It runs down; it is set again when it differs in having an end, or is longer than asked for. O(preferred_lft) is never longer.
    type: str
  preferred_lft:
    description: Preferred lifetime in seconds, or V(forever). As O(valid_lft). Over IPv4 the kernel has one only beside a O(valid_lft) with an end.
    type: str
  noprefixroute:
    description: Do not make the route to the address's subnet.
    type: bool
  nodad:
    description:
      - Use an IPv6 address at once, without duplicate address detection. The default is V(true) inside a O(netns) and V(false) on the host.
      - With V(false) the module waits until the address can be used, three seconds at most.
      - It counts when an address is set, and is not compared.
    type: bool
  announce:
    description: After a change tell the neighbours (gratuitous ARP, unsolicited neighbour advertisement).
    type: bool
    default: true
  probe:
    description: Before an address is taken ask the wire whether somebody has it (ARP, neighbour discovery), for 0.4 seconds.
    type: bool
    default: false
  exclusive:
    description: Remove the other global addresses that the interface has of this family, whoever set them, except those that the task asks for.
    type: bool
    default: false
  supersede:
    description:
      - Remove the other global addresses that this collection set on the interface, of both families, except those that the task asks for.
      - They carry the protocol number 76, on Linux 5.18 and newer.
      - Where that leaves the interface without a family, this collection's routes of that family through it go as well.
      - With O(state=absent), and neither O(address) nor O(pool), all that this collection set go.
    type: bool
    default: false
  loopback:
    description: Remove also all addresses that this collection set on C(lo) in the namespace, unless the task has an item for C(lo) there.
    type: bool
    default: false
seealso:
  - module: linuxnet.containers.ns_route
  - module: linuxnet.containers.veth
"""

EXAMPLES = r"""
---
- name: Give the bridge its gateway address
  linuxnet.containers.ns_address:
    interface: docker0
    address: 172.17.0.1/16

- name: Take a free address of the bridge's subnet
  linuxnet.containers.ns_address:
    netns: web
    interface: eth0
    pool: 172.17.0.0/16
    bridge: docker0
  register: web_address

- name: Take addresses of both families for many containers in one task
  linuxnet.containers.ns_address:
    interface: eth0
    bridge: docker0
    aggregate:
      - {netns: web, pool: 172.17.0.0/16}
      - {netns: web, pool: "fd00:17::/64"}
      - {netns: db, address: 172.17.0.9/16}
"""

RETURN = r"""
---
before:
  description: The object as it was, every attribute known. Empty when it was absent. With O(aggregate) see RV(results).
  returned: success, without O(aggregate)
  type: dict
  sample: {}
after:
  description: The object as it is now, or in check mode as it would be. Empty when it is absent. With O(aggregate) see RV(results).
  returned: success, without O(aggregate)
  type: dict
  sample: {address: 172.17.210.48/16, ip: 172.17.210.48, prefix: 16, family: ipv4, interface: eth0, netns: web, owner: web/eth0, gateway: 172.17.0.1,
    scope: global, label: eth0, broadcast: null, peer: null, valid_lft: forever, preferred_lft: forever, noprefixroute: false}
commands:
  description: The equivalent command lines, in order, ready to paste. In check mode those that would be run.
  returned: success
  type: list
  elements: str
  sample: ["ip -n web address add 172.17.210.48/16 dev eth0", "ip netns exec web arping -U -c 1 -I eth0 172.17.210.48"]
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

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import arp_nd
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_address import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._run import runner


def main():  # type: () -> None
    """Be the module."""
    runner.run(RESOURCE, arp_nd.Kernel)


if __name__ == "__main__":
    main()
