#!/usr/bin/python
# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
---
module: veth
short_description: Manage pairs of virtual interfaces
version_added: 0.1.0
author:
  - linuxnet.containers contributors (@linuxnet)
description:
  - Makes, repairs and removes veth pairs, one end here and the other in a container's namespace.
  - A pair is made by one netlink message, with the peer born inside its namespace under its final name. At no moment is there a temporary name on
    the host.
  - A pair is recognised by what the kernel says it is linked to, not by name alone. A peer that was renamed inside the container is found and
    named back.
  - Only the options that are given are managed. What differs is set in place.
extends_documentation_fragment:
  - linuxnet.containers.attributes
  - linuxnet.containers.attributes.actiongroup
  - linuxnet.containers.options
  - linuxnet.containers.options.netns
  - linuxnet.containers.options.auto_mtu
options:
  name:
    description:
      - Name of the end in O(netns).
      - Left out, it is derived from O(peer_netns) and O(peer_name), the same on every run. It is C(veth) and eleven characters.
    type: str
  peer_name:
    description: Name of the other end.
    type: str
    default: eth0
  peer_netns:
    description:
      - Namespace of the other end, as O(netns).
      - Left out, both ends are in O(netns).
    type: str
  mtu:
    description:
      - MTU in bytes of both ends, or V(auto), the MTU of the interface that holds the default route (1500 where there is none). With O(bridge), or
        O(port_of), of somebody else's it is that bridge's.
      - The end in O(netns) has at least the MTU of such a bridge where others have ports on it, for it would lower the bridge's.
    type: str
  mac:
    description: MAC address. A new pair gets one that is derived from host and names where it is left out.
    type: str
  peer_mac:
    description: MAC address of the other end. A new pair gets one that is derived from host and names where it is left out.
    type: str
  bridge:
    description:
      - The end in O(netns) is a port of this bridge, from birth. Another bridge is left for it.
      - An empty text releases it.
      - A bridge that this collection did not make stays as it is, also where nobody set its MTU and MAC address and it has the smallest MTU and the
        lowest address of its ports. A new pair then has at least its MTU, and an address above those of all other ports.
    type: str
  port_of:
    description:
      - A bridge that M(linuxnet.containers.bridge_port) makes the end in O(netns) a port of later. MTU and MAC address go by it as by O(bridge).
    type: str
  enabled:
    description: Whether the end in O(netns) is up.
    type: bool
    default: true
  peer_enabled:
    description: Whether the other end is up.
    type: bool
    default: true
  tx_queue_len:
    description: Length of the transmit queue of both ends, in packets.
    type: int
  tx_checksum:
    description:
      - Whether both ends leave checksums to their device. Programs with raw sockets (DHCP among them) see packets without one where it is on.
    type: bool
  alias:
    description: A text for people, shown by C(ip link), on the end in O(netns).
    type: str
  accept_ra:
    description:
      - Whether the end in O(netns) hears router advertisements (C(net.ipv6.conf.NAME.accept_ra)). Left out, it stays as it is, and a new pair has what
        the namespace gives to new interfaces.
    type: bool
  peer_accept_ra:
    description: Whether the other end hears router advertisements. It is set before that is up.
    type: bool
  ipv6:
    description:
      - Whether the end in O(netns) has IPv6 (C(net.ipv6.conf.NAME.disable_ipv6)). With V(false) its IPv6 addresses and routes go. Left out, it stays as it
        is, and a new pair has what the namespace gives to new interfaces.
    type: bool
  peer_ipv6:
    description:
      - Whether the other end has IPv6. It is set before that is up.
      - Beside O(exclusive) it keeps IPv6, and a warning says so, where somebody else gave it an address for good.
    type: bool
  rate:
    description:
      - Rate to which what leaves by the end in O(netns) is held, as C(tc) writes it, such as V(10mbit), V(512kbit), or V(1mbps), which is
        bytes. From V(8kbit) to V(1tbit), Ethernet headers counted. An empty text takes it away.
      - A token bucket (C(tbf)) does it, which holds one packet more than what passes in 10 ms, and lets packets wait for 100 ms at most.
      - A queueing discipline of somebody else's at the root of the interface is refused, and left alone. Those of this collection are known by their handles,
        C(4c4e:) and C(4c4f:).
    type: str
    version_added: 0.3.0
  delay:
    description:
      - Time that what leaves by the end in O(netns) waits for, such as V(10ms), V(500us) or V(2s). An empty text takes it away.
      - With O(delay), O(jitter) or O(loss) the kernel's C(netem) does it all, O(rate) as well. A kernel without is told in a sentence.
    type: str
    version_added: 0.3.0
  jitter:
    description: By how much O(delay) varies, up and down. At most that, which is given beside it, and at most V(2s).
    type: str
    version_added: 0.3.0
  loss:
    description: How much of what leaves by the end in O(netns) is lost, in percent, such as V(0.5), with up to four decimals. An empty text takes it away.
    type: str
    version_added: 0.3.0
  peer_rate:
    description: As O(rate), of what leaves by the other end.
    type: str
    version_added: 0.3.0
  peer_delay:
    description: As O(delay), of what leaves by the other end.
    type: str
    version_added: 0.3.0
  peer_jitter:
    description: As O(jitter), of what leaves by the other end.
    type: str
    version_added: 0.3.0
  peer_loss:
    description: As O(loss), of what leaves by the other end.
    type: str
    version_added: 0.3.0
  sysctls:
    description: As O(peer_sysctls), of the end in O(netns). They are set before that is up.
    type: dict
    version_added: 0.3.0
  peer_sysctls:
    description:
      - Sysctls of the other end by key, such as C(net.ipv4.conf.eth0.arp_notify) with C(1). They are set as soon as it is there, before it is up.
      - Keys as C(sysctl) has them, with dots or with slashes, also for an interface whose name has a dot.
    type: dict
  cable:
    description:
      - The pair is a cable between two containers, O(netns) and O(peer_netns), and has what the options say and nothing else. What an earlier task gave
        it, a MAC address or a rate, goes.
      - Both ends are born with the group 76 (C(ip -d link)), by which a cable of this collection's is known.
      - A cable of this collection's that has the name of either end, and leads elsewhere, makes room. So cables are plugged elsewhere by saying where they lead
        now, also several that change places in one task. Whatever else has the name is refused, and left alone.
      - With O(state=absent) a cable whose other end is in a namespace that lost its name goes as well.
    type: bool
    default: false
    version_added: 0.3.0
  exclusive:
    description:
      - Remove the other pairs that this collection made for O(peer_netns) and that no item of the task asks for.
      - They are known by their derived name or MAC address, whatever the host is called by then. Pairs that others made stay.
      - The same goes for the macvlans and ipvlans there that M(linuxnet.containers.ns_link) made, which a container gets instead of a pair, but for
        those that O(keep) names.
      - What this collection holds up at either end, and no option asks for (O(rate), O(delay), O(jitter), O(loss)), is held up no longer.
      - Where no O(peer_mac) is asked for and the pair is known by its MAC address, the container's end has the address again that is derived for it.
    type: bool
    default: false
  keep:
    description: With O(exclusive), interfaces of O(peer_netns) that M(linuxnet.containers.ns_link) is asked for.
    type: list
    elements: str
    version_added: 0.3.0
seealso:
  - module: linuxnet.containers.netns
  - module: linuxnet.containers.bridge_port
"""

EXAMPLES = r"""
---
- name: Wire a container to a bridge
  linuxnet.containers.veth:
    peer_netns: web
    peer_name: eth0
    bridge: docker0
    mtu: auto

- name: Lower the MTU of both ends, in place
  linuxnet.containers.veth:
    peer_netns: web
    mtu: 1450

- name: Give a container a slow line, and a slower one out of it, with a way of 40 ms there and back
  linuxnet.containers.veth:
    peer_netns: web
    rate: 10mbit
    delay: 20ms
    peer_rate: 2mbit
    peer_delay: 20ms

- name: Make a cable between two namespaces
  linuxnet.containers.veth:
    name: east
    netns: router
    peer_name: uplink
    peer_netns: leaf1
    cable: true

- name: Plug the cable into another one
  linuxnet.containers.veth:
    name: east
    netns: router
    peer_name: uplink
    peer_netns: leaf2
    cable: true
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
  sample: {name: vethzvxkcem3eqk, netns: null, peer_name: eth0, peer_netns: web, bridge: docker0, mtu: 1500, peer_mtu: 1500, mac: "72:11:64:13:0a:88",
    peer_mac: "52:94:ec:ad:f2:e7", enabled: true, peer_enabled: true, tx_queue_len: 1000, peer_tx_queue_len: 1000, alias: ""}
commands:
  description: The equivalent command lines, in order, ready to paste. In check mode those that would be run.
  returned: success
  type: list
  elements: str
  sample: ["ip link add vethzvxkcem3eqk mtu 1500 address 72:11:64:13:0a:88 master docker0 type veth peer name eth0 mtu 1500 address
      52:94:ec:ad:f2:e7 netns web", "ip link set vethzvxkcem3eqk up", "ip -n web link set eth0 up"]
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
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.veth import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._run import runner


def main():  # type: () -> None
    """Be the module."""
    runner.run(RESOURCE, writer.Kernel)


if __name__ == "__main__":
    main()
