#!/usr/bin/python
# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
---
module: nat
short_description: Manage NAT of containers' networks, and published ports
version_added: 0.1.0
author:
  - linuxnet.containers contributors (@linuxnet)
description:
  - Lets containers reach the world under the host's address (masquerade) or under a given one (source NAT), and publishes their ports on the host
    (destination NAT).
  - All of it lives in an nftables table of its own, C(inet linuxnet_containers), or in chains of its own in iptables' tables, C(LINUXNET-*). O(backend) says
    which. What is changed in a task is one transaction. Rules of others are never changed.
  - A packet that is forwarded passes the rule sets of everybody, and what one drops is dropped. See O(forward) for what is done about that.
  - Source NAT is a rule an item, known by O(owner) and O(source), with the owner in its comment; what differs is replaced in its place. Destinations in
    the source's own network, multicast and broadcast are never translated.
  - A published port, or a range of them, is an element of a map, known by O(owner), O(protocol), O(host_ip) and O(host_port), with the owner in its comment.
    With nftables the number of rules is the same for one port and for thousands.
  - A published port is reached from outside, from the host's own addresses, from 127.0.0.1, from other containers and from the container itself. Those on
    the same bridge, and the host's 127.0.0.1, are seen as the bridge. From C(::1) no port can be reached.
  - The kernel decides with the first packet of a flow, and treats all others alike. So whenever rules of source NAT or published ports are written, repaired or
    removed, the flows without connection (UDP, ICMP) are ended that are decided otherwise by then, of published ports those of UDP. Others are left
    alone, and so are connections of TCP and SCTP. An established one keeps its way to its end, as with Docker and kube-proxy; new ones go by the new rules.
  - When isolation (O(type=filter)) is written or set right, flows and connections end that it stops, whatever their protocol.
  - What comes in by a port of a bridge can be checked (O(type=spoof_check)), in a table C(bridge linuxnet_containers) of fixed rules on sets. What is not the
    container's own is dropped, before anything else sees it. It needs nftables, and a kernel with C(CONFIG_NF_TABLES_BRIDGE).
  - With several uplinks, what comes in by one that is not the way back to the asker is dropped by a strict C(rp_filter), before any rule sees it, and an
    answer leaves by the default route. O(type=uplink) has it answered by the uplink that it came in on. It needs nftables; the ports may be
    published with another backend, and by somebody else.
  - A VXLAN takes what is sent to its UDP port by anybody. O(type=tunnel) drops the frames of a O(vni) that do not come from O(peers), before the device sees
    them, and leaves those of others on the same port alone.
extends_documentation_fragment:
  - linuxnet.containers.attributes
  - linuxnet.containers.attributes.actiongroup
  - linuxnet.containers.options
  - linuxnet.containers.options.netns
requirements:
  - nft >= 1.0.6 (package nftables) or iptables >= 1.8.9
options:
  type:
    description:
      - V(masquerade) takes the address of the interface that a packet leaves by, V(snat) takes O(to_address).
        Of what they translate, packets that conntrack calls invalid are dropped, since these would leave with the private source.
      - V(dnat) publishes O(host_port) of the host as O(to_port) of O(to_address).
      - V(filter) guards O(bridge). What is forwarded to it is dropped, but for published ports, answers, and what O(isolate) and O(icc) let through.
      - V(spoof_check) checks what comes in by O(interface), which is a port of a bridge. ARP, IPv4 and IPv6 pass from O(mac) and O(addresses); what else
        passes, and what does not, is said there.
      - V(tunnel) lets only O(peers) send to the VXLAN O(vni) of the host, or of O(netns).
      - V(uplink) has what comes in by O(interface) for published ports pass a strict C(rp_filter) there, and its answers leave by O(gateways).
    type: str
    choices: [masquerade, snat, dnat, filter, spoof_check, uplink, tunnel]
    default: masquerade
  source:
    description:
      - The containers' network (CIDR). Required with O(type=masquerade) and O(type=snat).
      - Left out with O(type=masquerade) and O(state=absent) it is all of source NAT that O(owner) has and the task does not ask for, whatever networks
        that is of.
    type: str
  out_interface:
    description: Only what leaves by this interface; with a leading C(!) only what leaves by another.
    type: str
  exclude:
    description:
      - Destinations (CIDRs) that are not translated, for example what lies behind a VPN.
      - With O(type=spoof_check), addresses that pass only if they are listed in O(addresses), such as that of a gateway.
    type: list
    elements: str
  to_address:
    description: Address to take, with O(type=snat), or of the container, with O(type=dnat).
    type: str
  protocol:
    description: The protocol of a published port. V(tcp) where neither this nor O(host_port) says another.
    type: str
    choices: [tcp, udp, sctp]
  host_ip:
    description:
      - Publish the port on this address of the host only. Left out, it is all of the address family of O(to_address).
      - Where no interface has the address yet there is a warning. One that no host can have is refused, and so are O(to_address) itself, C(::1) and
        link-local addresses, from where no answer of a container comes back. What is published on all addresses is refused there at once as well, as by a
        host on which nobody listens.
      - What is published on 127.0.0.1 is reached from the host only, also where a neighbour sends packets for 127.0.0.1 here.
    type: str
  host_port:
    description:
      - The port of the host, or a range such as V(30000-30099), which is one element however long. V(5353/udp) says the protocol as well.
      - A port that another owner publishes is refused. Where nobody has the address any more that it is published to, because the container is gone, the
        old one is removed instead, and RV(before) has it in C(of_gone_containers). Told by the namespaces behind the bridge and by asking on it; of an
        address that is not behind a bridge it cannot be told.
      - What another owner gives up in the same task (its items are O(exclusive), or say O(state=absent)) is handed over, in any order, and RV(before) has it
        in C(handed_over).
      - A port that a process listens on in the namespace, or that a rule of somebody else sends on, is refused unless O(shadow). A socket that is bound to
        another address of the host is in nobody's way.
      - Both are looked at for ports that are newly published. So is C(net.ipv4.ip_local_port_range), from which the kernel gives ports to programs that ask
        for any, with a warning. Ports in C(net.ipv4.ip_local_reserved_ports) it does not give; that is the right place for published ones.
      - With O(state=absent) it goes over IPv4 and IPv6 unless O(to_address) or O(host_ip) name one; without it all that the owner has published goes.
    type: str
  to_port:
    description:
      - The port of the container, the same where it is left out.
      - A range goes to a range of the same length, one to one, and to nothing else. Where that is another range it takes an element a port.
    type: str
  bridge:
    description:
      - The bridge to guard, with O(type=filter).
      - With O(type=dnat) the one that the container is behind. Left out, it is the one that the route to O(to_address) leads to.
      - Its port there gets C(hairpin), and it gets C(route_localnet), without which the container itself and 127.0.0.1 could not reach the port.
    type: str
  exclusive:
    description:
      - With O(type=dnat), end whatever else the owner has published and the task does not ask for.
      - With O(type=masquerade) and O(type=snat), remove whatever other rules of source NAT the owner has and the task does not ask for, in every backend. The
        first item of the owner does it, and names their networks in RV(before) as C(no_longer_asked_for).
      - With O(type=spoof_check), check no other ports of the owner that the task does not ask for; named alike.
      - With O(type=tunnel), the same for other tunnels of the owner.
      - What people put among the rules of this collection by hand goes as well, see O(by_hand).
    type: bool
    default: false
  by_hand:
    description:
      - What to do with what people put among the rules of this collection by hand, in any backend of the namespace. That is rules in its chains and
        elements of its sets and maps that do not carry its mark, so nobody can say whose they are.
      - With V(keep) they stay, at whatever place, and a warning says of each where it is, what it says and what removes it.
      - With V(remove) they go. The first item of the task does it, before anything else, and RV(before) has them as C(by_hand).
      - Left out it is V(remove) with O(exclusive), else V(keep). The role keeps them, and removes them with C(wiring_purge).
    type: str
    choices: [keep, remove]
    version_added: 0.3.0
  addresses:
    description:
      - With O(type=spoof_check), the addresses that are the container's, and for a router the networks (CIDRs) behind it. Those of others that were let
        through before are not any more. Left out, without O(pools), those stay that are; at first there are none.
      - Packets, ARP and neighbour advertisements pass from and for these, and for the link-local address that the kernel makes of O(mac); list another one.
        Without an address yet, the container may ask who has it (ARP probes, duplicate address detection), and join groups. A client of DHCP needs
        V(0.0.0.0) and whatever it may be given.
      - Router advertisements, redirects, frames of other protocols, VLAN tags, IEEE 802.2 and spanning tree do not pass. What is cut off or hides
        what it is does not either.
      - With O(type=dnat), addresses that O(owner) has. What other owners published to them is removed where no namespace has the owner's name any more, since
        an address that was given to another container would open that one. RV(before) names it as C(of_gone_containers).
      - What is published under the owner that is the default is spared, since it is nobody's name.
    type: list
    elements: str
  shadow:
    description:
      - With O(type=dnat), publish the port although a process listens on it, or a rule of somebody else sends it on. From then on the container is reached
        in the place of the process, also by the host itself; of two rules the one that the kernel asks first wins.
    type: bool
    default: false
  vrf:
    description:
      - O(bridge) is in a VRF. With O(type=dnat) O(host_ip) is then the address that an interface of the host in the VRF has, and the port is reached from
        beyond that interface. With O(type=filter) what an O(internal) bridge sends is told from what others have in the VRF.
      - RV(after) has it where it is so, and with O(type=filter) where it is O(internal).
    type: bool
    default: false
  isolate:
    description: With O(type=filter), let nothing through from other guarded bridges. Two of them reach each other only where both say V(false).
    type: bool
    default: true
  icc:
    description:
      - With O(type=filter), let the containers of the bridge reach each other by way of the host.
      - What is bridged between them does not pass here; for that see O(linuxnet.containers.bridge_port#module:isolated).
    type: bool
    default: true
  internal:
    description: With O(type=filter), let nothing in and nothing out, not even published ports.
    type: bool
    default: false
  inside:
    description:
      - With O(type=filter), networks that are the same network as the bridge's, elsewhere and here. Left out, those stay that are; at first there are none.
      - What comes from one of them, by its interface, is let in, and what goes there is let out, also with O(internal).
      - With a source that is in one of them nothing else is let in that comes by another interface than that, or than O(bridge), not even to what is published.
      - They may not overlap. That the ways are there is the business of M(linuxnet.containers.ns_link) and M(linuxnet.containers.ns_route). Rules of source NAT
        of the bridge are to O(exclude) them. Forwarding is switched on where anything is elsewhere, unless O(ip_forward=false).
    type: list
    elements: dict
    suboptions:
      source:
        description: The network, as CIDR.
        type: str
        required: true
      interface:
        description: The interface that it is behind. Left out it is O(bridge), for a network of its own.
        type: str
      only:
        description: Let nothing in by O(inside[].interface) that is not from such a source, not even to what is published. It is meant for tunnels.
        type: bool
        default: false
      direct_gateway:
        description:
          - The router that the network is behind. Where that is on a link, the network comes by its interface as well as by O(inside[].interface), or by that
            alone where none is given. Where it is on none, it does not come straight.
        type: str
        version_added: 0.3.0
  interface:
    description:
      - With O(type=spoof_check), the port of a bridge to check, which is the host end of a container's pair. It need not be there yet. Its check goes over to
        who asks for it last.
      - Left out with O(state=absent) it is all that O(owner) has checked.
      - With O(type=uplink), the uplink. It is required there.
    type: str
  mac:
    description:
      - With O(type=spoof_check), the MAC address that is the container's.
      - Left out, it is the one that M(linuxnet.containers.veth) gives O(peer_name) in O(peer_netns), whatever the container makes of it.
    type: str
  peer_netns:
    description:
      - With O(type=spoof_check), the namespace of the container, from which O(interface) and O(mac) are derived where they are left out, as
        M(linuxnet.containers.veth) does. It need not be there yet.
      - What is let through from now on, and the container has already, is announced to its neighbours.
    type: str
  peer_name:
    description: With O(type=spoof_check), the interface in O(peer_netns).
    type: str
    default: eth0
  pools:
    description:
      - With O(type=spoof_check), networks (CIDRs). Besides O(addresses) the one passes that the container has in each of these from this collection, or
        from somebody else for good, unless it is one of O(exclude) or passes another port.
    type: list
    elements: str
  optional:
    description: With O(type=spoof_check), warn where the host cannot check ports, without nft or a kernel that does, instead of failing.
    type: bool
    default: false
  keep_held:
    description: For the role, with O(type=spoof_check). What passes, and O(peer_name) has as an address still, passes until an item without this says
      otherwise; but for what another item of the task asks for or may be given. So who is given another address is not cut off until he has it.
    type: bool
    default: false
    version_added: 0.3.0
  gateways:
    description:
      - With O(type=uplink), the gateway behind the uplink, one of each address family that is to be answered so. It need not be in a network of the
        uplink.
      - New connections by O(interface) that are translated to somewhere else get a number in the five bits C(0x1f000000) of their mark, and of the mark
        of their packets, unless they have a mark of somebody else. Two policy rules at priorities from 32002 to 32063 look up what has that number,
        first in the table main but for its default routes, then in a table of its own, from 7600001 to 7600031, with a route by the gateway.
      - Where C(rp_filter) is strict and C(src_valid_mark) off on the uplink, the latter is switched on, which is noted, and taken back with the uplink.
        Nothing that is not published gets in by that.
    type: list
    elements: str
  vni:
    description:
      - With O(type=tunnel), the number of the VXLAN, from 0 to 16777215. With O(port) it is what a tunnel is known by.
      - Left out with O(state=absent) it is all tunnels of O(owner).
      - The device need not be there. Where it was made in another namespace than it is in, O(netns) is that one.
    type: int
  port:
    description: With O(type=tunnel), the UDP port that the VXLAN listens on.
    type: int
    default: 4789
  peers:
    description:
      - With O(type=tunnel), the addresses of the hosts that may send to the VXLAN, IPv4 and IPv6, as they are in the underlay. Required there; an empty list
        lets nobody in.
      - IPv6 packets in parts that do not show in the first one what they are for are dropped, whoever sends them. With O(backend=iptables) so are those for
        O(port) that have other headers before the one of UDP. No VXLAN sends such.
      - Who can send under the address of a peer gets in. On a network where anybody can, only encryption keeps them out.
    type: list
    elements: str
  goes_with:
    description:
      - With O(state=absent) and a type other than V(dnat), V(spoof_check), V(uplink) and V(tunnel), the bridge for whose containers the rule is. It stays while
        it is needed there, as the bridge's addresses do with O(linuxnet.containers.bridge#module:only_ours).
    type: str
  listed:
    description: For the role, with V(filter), V(masquerade) and V(snat). Names of the namespaces that the caller's lists have on the network. Where what
      is changed is so for others on its bridge as well, a warning names them.
    type: list
    elements: str
  rewired:
    description: With O(goes_with), names of namespaces whose pairs do not count, since they are about to be ports of another bridge.
    type: list
    elements: str
  owner:
    description:
      - Whose rule, port or guard it is. It stands in the comment.
      - Blanks, quotes, V(|) and backslashes, which a comment cannot carry, are shown as V(_), a name of more than 101 bytes is shortened, and a hash
        tells such a name apart.
    type: str
    default: ansible
  comment:
    description: A text for people, in the comment.
    type: str
  forward:
    description:
      - Look whether the rule set of somebody else drops what has to be forwarded, and let it through there where that one has a place for it.
      - With docker's iptables rules that is the chain C(DOCKER-USER), from which a chain of ours is called that accepts this traffic and nothing else. With
        docker's nftables rules it is the mark that its bridge accepts (C(bridge-accept-fwmark)), if docker is told one.
      - With O(backend=iptables) or O(backend=auto) the same chain is called from C(FORWARD) where that drops all the rest. The policy is never changed.
      - That chain is called last, behind all rules that others have there but one that closes, so what an administrator drops stays dropped.
      - What is dropped elsewhere is named in RV(blocked_by), and what may be dropped in RV(maybe_blocked_by), with a warning that says what lets it pass
        there. For firewalld that is to put the bridge into the zone C(trusted), for ufw a C(ufw route allow).
    type: bool
    default: true
  ip_forward:
    description:
      - Switch forwarding of the address family on where it is off, and keep it on with a file of our own in C(/etc/sysctl.d).
      - An uplink that has its default route from router advertisements would ignore them with IPv6 forwarding; its C(accept_ra) is set to 2.
      - Where this switches forwarding on, nothing is forwarded between the interfaces of others that there are then, but for what is published. Left out are
        bridges and pairs of this collection, ports of bridges, and interfaces that come later. What rules of this collection are about, a bridge that they
        name or the interface on whose network O(source) is, passes as long as there are such rules. C(fenced) in the result says so.
      - All of that is taken back with the last rule or port of the family. Where forwarding was on already it is left alone.
      - In a O(netns) there is no file; what keeps the interfaces apart says that forwarding is to be taken back. Where somebody flushed it, it stays on.
    type: bool
    default: true
  backend:
    description:
      - What the rules are written with. V(auto) is V(nftables) where nft is installed, else V(iptables).
      - V(iptables) is the kind that the program C(iptables) of the host is, iptables-nft or iptables-legacy. There a published port is a rule.
      - What another backend holds of an item moves, first made here and then removed there, so that there is no moment without it.
      - O(type=spoof_check) and O(type=uplink) are nftables' own, and refused with V(iptables), which has no rules for what is bridged but for IP, and
        no chain between those that translate and routing.
    type: str
    choices: [auto, nftables, iptables]
    default: auto
seealso:
  - module: linuxnet.containers.ns_route
"""

EXAMPLES = r"""
---
- name: Masquerade what leaves the bridge's network
  linuxnet.containers.nat:
    source: 172.17.0.0/16
    out_interface: "!docker0"
    exclude: [10.8.0.0/16]
    owner: docker0

- name: Publish a port of a container, and a range of them
  linuxnet.containers.nat:
    type: dnat
    owner: web
    to_address: 172.17.0.2
    aggregate:
      - {host_port: "8080", to_port: "80"}
      - {host_port: 30000-30099/udp}

- name: Publish a port for the host itself only
  linuxnet.containers.nat:
    type: dnat
    owner: db
    host_ip: 127.0.0.1
    host_port: "5432"
    to_address: 172.17.0.3

- name: Publish a port although a web server of the host listens on it
  linuxnet.containers.nat:
    type: dnat
    owner: web
    host_port: "80"
    to_address: 172.17.0.2
    shadow: true

- name: Let nothing but published ports through to a bridge
  linuxnet.containers.nat:
    type: filter
    bridge: docker0
    owner: docker0

- name: Let in, too, what comes from the same network on another host, by a tunnel
  linuxnet.containers.nat:
    type: filter
    bridge: front
    owner: front
    inside:
      - source: 10.7.0.0/24
      - {source: 10.7.1.0/24, interface: vx-front, only: true}

- name: Masquerade these networks of a bridge, and no others that it had before
  linuxnet.containers.nat:
    owner: docker0
    out_interface: "!docker0"
    exclusive: true
    aggregate:
      - source: 172.18.0.0/16
      - source: fd00:18::/64

- name: End the source NAT of a bridge, whatever networks it had
  linuxnet.containers.nat:
    owner: docker0
    state: absent

- name: Let a container send under its own addresses only
  linuxnet.containers.nat:
    type: spoof_check
    interface: vethweb
    mac: 02:42:ac:11:00:02
    addresses: [172.17.0.2, "fd00:17::2"]
    owner: web

- name: Answer by the second uplink what comes in by it for published ports
  linuxnet.containers.nat:
    type: uplink
    interface: eth1
    gateways: [198.51.100.1, "2001:db8:1::1"]
    owner: eth1

- name: Let only the other hosts of a VXLAN send to it
  linuxnet.containers.nat:
    type: tunnel
    vni: 42
    peers: [192.0.2.2, 192.0.2.3, "2001:db8::2"]
    owner: front

- name: End all that is published for a container
  linuxnet.containers.nat:
    type: dnat
    owner: web
    state: absent

- name: Leave under one address
  linuxnet.containers.nat:
    type: snat
    source: 172.17.0.0/16
    to_address: 198.51.100.7
"""

RETURN = r"""
---
before:
  description:
    - The object as it was, every attribute known. Empty when it was absent. With O(aggregate) see RV(results).
    - With O(type=dnat) also, where there is any, the ports C(no_longer_published) that O(exclusive) removes, and those
      C(of_gone_containers) of other owners, and what others have C(handed_over).
    - C(by_hand), where there is any, is what people put among the rules that O(by_hand) removes.
    - C(ip_forward) and C(fenced) are there where O(ip_forward) is looked after. C(fenced) is whether the interfaces of others are kept apart, since it was this
      collection that switched forwarding on; RV(commands) name them.
  returned: success, without O(aggregate)
  type: dict
  sample: {}
after:
  description:
    - The object as it is now, or in check mode as it would be. Empty when it is absent. With O(aggregate) see RV(results).
    - C(enforced) says whether it is in force, which takes rules that all objects of its type share; in RV(before) it is false where somebody changed
      or flushed those, or what it needs beside its own rule is not there.
  returned: success, without O(aggregate)
  type: dict
  sample: {type: masquerade, source: 172.17.0.0/16, netns: null, out_interface: "!docker0", exclude: [10.8.0.0/16], to_address: null, owner: docker0,
    comment: null, backend: nftables, ip_forward: true, fenced: false, sysctl_file: null, enforced: true}
commands:
  description: The equivalent command lines, in order, ready to paste. In check mode those that would be run.
  returned: success
  type: list
  elements: str
  sample: ["nft 'add table inet linuxnet_containers'"]
results:
  description:
    - One entry an item, in order, each with C(changed), C(before), C(after), C(diff) and C(commands).
    - An item that failed has C(failed), C(msg) and C(item) instead.
  returned: with O(aggregate)
  type: list
  elements: dict
satisfied_by:
  description:
    - The rule of somebody else that does it already, as C(FAMILY TABLE CHAIN handle N). No second one is added then.
  returned: success, without O(aggregate)
  type: str
  sample: ip nat POSTROUTING handle 7
blocked_by:
  description: The chains of others that drop for sure what has to pass, the first packets and the answers to them.
  returned: success, without O(aggregate)
  type: list
  elements: str
  sample: ["ip filter FORWARD (policy drop)"]
maybe_blocked_by:
  description:
    - The chains of others that may drop some or all of it, where it cannot be told from their rules.
    - What drops the packets of some peers only, or those that are too many, is listed here as well, and not warned of.
  returned: success, without O(aggregate)
  type: list
  elements: str
  sample: ["inet host forward (rule handle 7)"]
held_besides:
  description: The addresses that pass only as long as O(keep_held) has it so.
  returned: with O(type=spoof_check) and O(keep_held), where there are any
  type: list
  elements: str
  sample: [172.17.0.9]
published_besides:
  description: Whether other owners have published ports.
  returned: success, with O(type=dnat), O(state=absent) and without O(host_port), and without O(aggregate)
  type: bool
  sample: false
"""

from ansible_collections.linuxnet.containers.plugins.module_utils._run import python

python.require()

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import firewall as kernel_firewall
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.resource import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._run import runner


def main():  # type: () -> None
    """Be the module."""
    runner.run(RESOURCE, kernel_firewall.Kernel)


if __name__ == "__main__":
    main()
