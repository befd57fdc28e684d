#!/usr/bin/python
# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
---
module: ns_link
short_description: Manage links of further kinds, such as vlan, macvlan, ipvlan, vxlan, dummy and vrf
version_added: 0.3.0
author:
  - linuxnet.containers contributors (@linuxnet)
description:
  - Makes, repairs and removes links that are no bridges and no pairs. V(vlan), V(macvlan) and V(ipvlan) are made on another interface, V(vxlan) is a
    tunnel for Ethernet frames between hosts, V(dummy) leads nowhere, and V(vrf) is a routing table with the interfaces that use it. The collection's
    documentation has L(a page on each,https://github.com/linuxnet/containers/blob/main/docs/links.md).
  - A link is born in the namespace where it is wanted, by one message that is sent from the namespace of its parent. Nothing is moved.
  - Only the options that are given are managed. What differs is set in place where that can be done, and else refused, unless O(recreate) says to
    make the link anew.
  - A link that is made without O(mac) gets one that is derived from host, kind, namespace and name. A V(vlan) has its parent's instead, and so has an
    V(ipvlan), or a V(macvlan) in mode V(passthru), always.
  - Who is on a parent already, in a namespace that has a name, is known before anything is changed. What the kernel would refuse then is refused
    in a sentence that names it, and a link on which others are made is not removed.
  - VXLAN is not encrypted, and the kernel takes frames from any host that sends some to its port, not from O(peers) only. Where others are on the underlay
    as well, a firewall has to let in the peers alone.
extends_documentation_fragment:
  - linuxnet.containers.attributes
  - linuxnet.containers.attributes.actiongroup
  - linuxnet.containers.options
  - linuxnet.containers.options.netns
options:
  name:
    description: Name of the link. Required without O(aggregate).
    type: str
  kind:
    description:
      - Kind of the link. Required without O(aggregate).
      - An interface of that name that is of another kind is refused, and left alone.
    type: str
    choices: [dummy, ipvlan, macvlan, vlan, vrf, vxlan]
  parent:
    description:
      - Name of the interface that the link is made on, in O(parent_netns), of V(vlan), V(macvlan), V(ipvlan) and V(vxlan). Required to make one of the
        first three. Of a vxlan it is that of the underlay, by which the packets leave.
      - Left out, a new vxlan has none, and its packets go by the routes of O(parent_netns).
      - A macvlan on a macvlan is one on the parent of that, and an ipvlan on an ipvlan as well. The result shows it so.
      - A link goes with its parent. The kernel deletes it.
    type: str
  parent_netns:
    description:
      - Network namespace of O(parent), named as O(netns) is. The packets leave by that one, whatever namespace the link is in.
      - Left out, a new link is made from the host's.
    type: str
  master:
    description:
      - Bridge or VRF in O(netns) that the link is a port of, from birth. Empty for none.
      - A bridge whose MTU nobody set has the smallest of its ports. An ipvlan is no port of a bridge, and a VRF of nothing.
      - What goes into a VRF, or out of one, is set down and up by the kernel, and loses its IPv6 addresses.
      - It cannot be what the packets of the link leave by.
    type: str
  mtu:
    description:
      - MTU in bytes, or V(auto), the MTU of O(parent). Without a parent that of the way to the O(peers), the smallest of them, by their routes, or that of
        the interface that has the address O(local); else that of the interface that holds the default route.
      - Of a vxlan it is less by the 50 bytes that each frame is wrapped into, over IPv6 by 70. With a parent no more is possible.
      - A dummy and a VRF have no parent, so V(auto) is refused. A VRF has at least 1280.
      - Left out, it stays as it is, and a new link gets what V(auto) means, a dummy or VRF what the kernel gives it.
    type: str
  mac:
    description:
      - MAC address, in any spelling; a unicast one. None of an ipvlan, nor of a macvlan in mode V(passthru).
      - Two macvlans on a parent cannot have the same, nor the parent's.
    type: str
  enabled:
    description: Whether the link is up. A vlan goes down and up with its parent, and is refused where that is down.
    type: bool
    default: true
  alias:
    description: A text for people, shown by C(ip link).
    type: str
  rate:
    description:
      - Rate to which what leaves by the link is held, of V(ipvlan), V(macvlan), V(vlan) and V(vxlan), as C(tc) writes it, such as V(10mbit),
        V(512kbit), or V(1mbps), which is bytes. From V(8kbit) to V(1tbit), Ethernet headers counted. An empty text takes it away.
      - What comes in is not held up.
      - A token bucket (C(tbf)) does it, which holds one packet more than what passes in 10 ms, and lets packets wait for 100 ms at most.
      - A queueing discipline of somebody else's at the root of the interface is refused, and left alone. Those of this collection are known by their handles,
        C(4c4e:) and C(4c4f:).
    type: str
    version_added: 0.3.0
  delay:
    description:
      - Time that what leaves by the link waits for, such as V(10ms), V(500us) or V(2s). An empty text takes it away.
      - With O(delay), O(jitter) or O(loss) the kernel's C(netem) does it all, O(rate) as well. A kernel without is told in a sentence.
    type: str
    version_added: 0.3.0
  jitter:
    description: By how much O(delay) varies, up and down. At most that, which is given beside it, and at most V(2s).
    type: str
    version_added: 0.3.0
  loss:
    description: How much of what leaves by the link is lost, in percent, such as V(0.5), with up to four decimals. An empty text takes it away.
    type: str
    version_added: 0.3.0
  recreate:
    description:
      - Make the link anew, without its addresses and routes, where it differs in what is not changed in place. These are O(kind),
        O(parent), O(parent_netns), O(vlan_id), O(vlan_protocol), O(table), O(vni), O(port), the address family of O(local), and O(mode) to V(passthru)
        or from that. Also where O(peers) are asked of a vxlan that floods to a multicast group, or whose packets say for themselves where they go
        (C(external)).
      - What is not asked for stays as it was, but for the MTU, and a MAC address that was the parent's. An interface whose kind is none of this
        module's is never removed.
      - With V(false) such a difference is an error that names it.
    type: bool
    default: false
  only_ours:
    description:
      - Change and remove only what this module made, as the role P(linuxnet.containers.wiring#role) does. It is known by the group 76, with which the module
        makes each link, or by its derived MAC address. An interface of somebody else's is refused, and with O(state=absent) left alone, with a warning.
    type: bool
    default: false
    version_added: 0.3.0
  as_is:
    description:
      - Use a link that is there already, and that this module did not make, as it is, as long as nothing differs that would need it to be made anew.
      - With V(false) its other attributes are set like those of any link.
    type: bool
    default: false
    version_added: 0.3.0
  owner:
    description: Whom the link is for, such as a network of the role P(linuxnet.containers.wiring#role). The role's messages call it so.
    type: str
    version_added: 0.3.0
  exclusive:
    description:
      - Remove the other links that a container gets instead of a pair (macvlan, ipvlan), and that this module made in O(netns), and the pairs that
        this collection made for it, where no item of the task asks for them, and O(keep) does not name them.
      - With O(recreate) also what has the name of the link, where that is one of those.
    type: bool
    default: false
    version_added: 0.3.0
  keep:
    description: With O(exclusive), interfaces of O(netns) that another task asks for.
    type: list
    elements: str
    version_added: 0.3.0
  sysctls:
    description: Sysctls of the link itself, such as C(net.ipv4.conf.eth0.arp_notify) of C(eth0). They are set before a new link is up.
    type: dict
    version_added: 0.3.0
  accept_ra:
    description: Whether router advertisements are heard, of a V(macvlan) or an V(ipvlan). Left out, it stays as it is.
    type: bool
    version_added: 0.3.0
  ipv6:
    description: Whether there is IPv6 on the link, of a V(macvlan) or an V(ipvlan). Left out, it stays as it is.
    type: bool
    version_added: 0.3.0
  vlan_id:
    description: Number of a vlan, from 0 to 4094. Required to make one. A parent has a number of a protocol once, in whatever namespace.
    type: int
  vlan_protocol:
    description: Which tag the frames of a vlan bear, V(802.1Q) or V(802.1ad). Left out, a new one has the first.
    type: str
  mode:
    description:
      - Of a macvlan V(bridge), which a new one gets, V(private), V(vepa) or V(passthru), of an ipvlan V(l2), which a new one gets, V(l3) or V(l3s).
      - In mode V(passthru) a macvlan is alone on its parent. All ipvlans of a parent have one mode, so a new one gets that of the others, and
        another is refused where there are others.
    type: str
  table:
    description: Routing table of a vrf, a number from 1 to 4294967295, or V(main), V(default) or V(local). Required to make one.
    type: str
  vni:
    description: Number of the network of a vxlan, from 0 to 16777215. Required to make one.
    type: int
  local:
    description:
      - Address of this host on the underlay, from which a vxlan sends. It says as well whether that is IPv4 or IPv6, so IPv6 O(peers) need it.
    type: str
  port:
    description: UDP port of a vxlan. Left out, it stays as it is, and a new one gets 4789. The kernel's own default is another.
    type: int
  peers:
    description:
      - Addresses on the underlay of the other hosts, all IPv4 or all IPv6. To exactly these a vxlan sends what it knows no other place for, such as
        broadcasts. Each is an entry of its forwarding table without a MAC address.
      - What else it floods to is removed. Entries for a MAC address, learned or set by somebody, are not touched.
      - An empty list means nobody. Left out, the entries stay as they are.
    type: list
    elements: str
  learning:
    description: Whether a vxlan learns from the frames that it gets behind which host a MAC address is. Left out, it stays as it is, and a new one learns.
    type: bool
seealso:
  - module: linuxnet.containers.bridge
  - module: linuxnet.containers.ns_address
  - module: linuxnet.containers.veth
"""

EXAMPLES = r"""
---
- name: Carry a bridge over to two other hosts
  linuxnet.containers.ns_link:
    name: vxlan42
    kind: vxlan
    vni: 42
    parent: eth1
    local: 192.0.2.1
    peers: [192.0.2.2, 192.0.2.3]
    mtu: auto
    master: docker0

- name: The same over IPv6, by the routes of the host, for a container alone
  linuxnet.containers.ns_link:
    name: eth1
    netns: web
    kind: vxlan
    vni: 43
    local: 2001:db8::1
    peers: ["2001:db8::2"]

- name: Use another number, for which the link has to be made anew
  linuxnet.containers.ns_link:
    name: vxlan42
    kind: vxlan
    vni: 44
    recreate: true

- name: Let a container live on the LAN, with a MAC address of its own
  linuxnet.containers.ns_link:
    name: eth0
    netns: web
    kind: macvlan
    parent: eth1

- name: Take VLAN 10 of the uplink for a bridge
  linuxnet.containers.ns_link:
    name: eth1.10
    kind: vlan
    parent: eth1
    vlan_id: 10
    master: br10

- name: Give two containers addresses on the uplink, with the uplink's MAC address
  linuxnet.containers.ns_link:
    name: eth0
    kind: ipvlan
    parent: eth1
    mode: l3
    aggregate:
      - netns: web
      - netns: db

- name: Hold what a container sends to the LAN to 20 megabits a second
  linuxnet.containers.ns_link:
    name: eth0
    netns: web
    kind: macvlan
    parent: eth1
    rate: 20mbit

- name: Keep the routes of a customer apart, with an address that is always up
  linuxnet.containers.ns_link:
    aggregate:
      - {name: blue, kind: vrf, table: 10}
      - {name: lo-blue, kind: dummy, master: blue}

- name: Remove it
  linuxnet.containers.ns_link:
    name: vxlan42
    kind: vxlan
    state: absent
"""

RETURN = r"""
---
before:
  description:
    - The object as it was, every attribute known that its kind has. Empty when it was absent. With O(aggregate) see RV(results).
    - C(made_anew_for) names the options for which it was, or would be, made anew.
  returned: success, without O(aggregate)
  type: dict
  sample: {name: vxlan42, kind: vxlan, netns: null, parent: eth1, parent_netns: null, master: docker0, mtu: 1450, mac: "02:42:ac:11:00:01", vni: 42,
    local: 192.0.2.1, port: 4789, learning: true, enabled: true, alias: "", peers: [192.0.2.2]}
after:
  description: The object as it is now, or in check mode as it would be. Empty when it is absent. With O(aggregate) see RV(results).
  returned: success, without O(aggregate)
  type: dict
  sample: {name: vxlan42, kind: vxlan, netns: null, parent: eth1, parent_netns: null, master: docker0, mtu: 1450, mac: "02:42:ac:11:00:01", vni: 42,
    local: 192.0.2.1, port: 4789, learning: true, enabled: true, alias: "", peers: [192.0.2.2, 192.0.2.3]}
commands:
  description: The equivalent command lines, in order, ready to paste. In check mode those that would be run.
  returned: success
  type: list
  elements: str
  sample: ["bridge fdb append 00:00:00:00:00:00 dev vxlan42 dst 192.0.2.3"]
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
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_link import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._run import runner


def main():  # type: () -> None
    """Be the module."""
    runner.run(RESOURCE, addresses.Kernel)


if __name__ == "__main__":
    main()
