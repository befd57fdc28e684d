#!/usr/bin/python
# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
---
module: wiring
short_description: Wire containers' networks as Docker does, all of it in one task
version_added: 0.1.0
author:
  - linuxnet.containers contributors (@linuxnet)
description:
  - Takes the variables of the role P(linuxnet.containers.wiring#role), without their prefix, and does all that the role does, in one process
    on the host. For fleets and large hosts.
  - It is no other way of doing it. The same plan is compiled, and its items go through the same code as those of the modules
    M(linuxnet.containers.netns), M(linuxnet.containers.bridge), M(linuxnet.containers.ns_link), M(linuxnet.containers.veth),
    M(linuxnet.containers.bridge_port), M(linuxnet.containers.ns_address), M(linuxnet.containers.ns_route) and M(linuxnet.containers.nat), in the same order.
  - What is to be gone is taken down first, from the outside in, then what is to be there is made, in the order a person would do it by hand.
  - What closes a network (isolation, source NAT) stands before its first pair, and goes after its last one.
  - Everything is validated before the first change. An item that fails is rolled back and stops nothing but what stands on it, which is left out.
    All else is done, then the module fails, and names who failed at which step, why, and what was left out.
extends_documentation_fragment:
  - linuxnet.containers.attributes
  - linuxnet.containers.attributes.actiongroup
attributes:
  check_mode:
    details:
      - All steps are foreseen from one another. A bridge that is C(unmanaged) and does not exist yet counts as made by an earlier task, with one
        warning.
requirements:
  - netaddr >= 0.7.19 (for addresses from a network's subnets)
  - nft >= 1.0.6 (package nftables) or iptables >= 1.8.9
options:
  networks:
    description: The networks, a list of dicts. Each is a bridge.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The bridge.
        type: str
        required: true
      subnets:
        description:
          - Its subnets, CIDRs, IPv4 and IPv6.
          - A container gets one address of each.
        type: list
        elements: str
        default: []
      gateways:
        description: Addresses of the bridge, or of a router, at most one a subnet. Where a subnet has none it is its first usable address.
        type: list
        elements: str
        default: []
      ranges:
        description: Where container addresses come from, C(FIRST-LAST) or a CIDR, at most one a subnet. Where a subnet has none it is all of it.
        type: list
        elements: str
        default: []
      exclude:
        description: Addresses, ranges and CIDRs that are never given to a container.
        type: list
        elements: str
        default: []
      mtu:
        description: MTU in bytes of the bridge and of both ends of each pair. V(auto) takes that of the interface with the default route.
        type: str
        default: auto
      unmanaged:
        description:
          - The bridge is somebody else's. It must exist, and is never created, changed or removed.
          - Without it a bridge that was here before is used as it is, with a warning, and gets gateway addresses and a guard, which
            C(state=absent) takes back.
        type: bool
        default: false
      masquerade:
        description: What leaves the network takes the host's address.
        type: bool
        default: true
      outbound_ipv4:
        description: What leaves takes this IPv4 address (source NAT) instead of the one of the interface it leaves by.
        type: str
      outbound_ipv6:
        description: The same for IPv6.
        type: str
      internal:
        description:
          - Nothing is forwarded in or out, and its containers get no default route. As with Docker, the host has its address in it, and reaches
            its containers and is reached by them.
        type: bool
        default: false
      host_access:
        description:
          - With V(false) the host has no address in it, and forwards and translates nothing for it. Its containers have a default route only
            where C(gateways) names a router that is on the network.
        type: bool
        default: true
      addressing:
        description:
          - Where containers' addresses come from, from the V(pool) of each subnet; or with V(none) from nowhere, so that a container has those that
            are listed for it. That is for a network with somebody's own DHCP, for routers, and for plain layer 2.
          - With V(none) C(subnets) may be left out. Then the bridge has no address, and a listed one is written with its prefix length.
        type: str
        choices: [pool, none]
        default: pool
      vlan_filtering:
        description:
          - Whether the bridge keeps VLANs apart. Which VLANs a container's port carries is said in its C(port), by C(vlans).
          - Left as it is where it is left out.
        type: bool
      ports:
        description:
          - Interfaces of the host that are ports of the bridge, such as an uplink. C(interface) names one, and the others are options of
            M(linuxnet.containers.bridge_port); with C(vlans) the port is in those and in no others, unless C(exclusive) is V(false).
          - The network's own name as C(interface) means the bridge itself, and says by C(vlans) in which of them the host is.
          - Whoever is behind such a port is on the network, as if he were one of its containers.
          - A port that is left out stays, since nobody can tell who put it there; C(state) V(absent) releases it. With the network all that are listed are
            released.
        type: list
        elements: dict
        default: []
      vrf:
        description:
          - The VRF that the bridge is in, with the network's routes in its table. It is made where it is not there, with C(vrf_table); the uplink by
            which it is reached is the host's own. Empty for none; as it is where it is left out.
          - To the firewall what comes from the network comes from the VRF. So it cannot have C(isolate) V(false), its containers' published ports name
            the one address of the host in the VRF on which they are reached, and the host has to forward by its own configuration already.
        type: str
      vrf_table:
        description: The routing table of C(vrf), a number; what makes the VRF where it is not there. The one that the role made goes with its last network.
        type: str
      driver:
        description:
          - How the network spans hosts. With V(bridge) it is this host's alone.
          - With V(routed) the hosts of O(fleet) share its subnets, and each has a slice of them behind its bridge.
            Containers reach those of other hosts by their own addresses, and nobody else gets in.
          - With V(vxlan) the bridges of those hosts are one segment, which has the subnets, and each host gives its containers addresses from its slice.
          - With V(macvlan) or V(ipvlan) its containers are on the segment of C(parent), as the machines there are. There is no bridge, no NAT, and no
            published port, and the subnets' gateways are the segment's.
        type: str
        choices: [bridge, routed, vxlan, macvlan, ipvlan]
        default: bridge
      parent:
        description:
          - With C(driver=macvlan) or V(ipvlan), the interface of the host whose segment it is. V(eth0.10) is the VLAN 10 of C(eth0), which is made where it is
            missing, unless C(unmanaged).
        type: str
      mode:
        description:
          - Of the links on it. With C(driver=macvlan) V(bridge), which is the default, V(private), V(vepa) or V(passthru), with V(ipvlan) V(l2), which is the
            default, V(l3) or V(l3s).
        type: str
      host_interface:
        description:
          - The name of an interface of the host's own on the segment of C(parent), by which it reaches the containers of C(ranges). The kernel does
            not let the host and its containers talk over the parent.
        type: str
      host_addresses:
        description: The host's addresses on C(host_interface), one of each subnet. No container gets them.
        type: list
        elements: str
        default: []
      host_prefix:
        description: The prefix length of a host's slice, one for each subnet, in order. 24 for IPv4 and 64 for IPv6 where it is left out.
        type: list
        elements: int
        default: []
      underlay:
        description:
          - By which way a routed network's other slices are reached. V(direct) is straight to the other host, which has to be a neighbour, V(vxlan) by a
            tunnel, which is not encrypted. V(auto) is straight where the other host is a neighbour, else by the tunnel. V(routed) is left to a routing
            daemon, which tells others of the host's slice, and gets theirs; the host has no route and no rule for each of them.
          - Whoever is on the hosts' own segment can send to a network under the name of a neighbour's container, unless it is V(vxlan); with V(routed)
            that is whoever can send to one of C(uplinks).
        type: str
        choices: [auto, direct, vxlan, routed]
        default: auto
      uplinks:
        description: With C(underlay) V(routed), the interfaces by which the other slices of the network come.
        type: list
        elements: str
        default: []
      vni:
        description: The number of the tunnel. Derived from the network's name where it is left out.
        type: int
      fleet:
        description: The hosts that share this network, where others do than those of O(fleet).
        type: list
        elements: dict
        suboptions:
          name:
            description: The host, as messages call it.
            type: str
            required: true
          underlay_address:
            description: Its address among the hosts.
            type: str
            required: true
          slice:
            description: The number of its slice. The low bits of its address where it is left out.
            type: int
      underlay_address:
        description: Which of them this host is, with C(fleet). O(underlay_address) without.
        type: str
      isolate:
        description:
          - Let nothing through from the other networks. Two networks reach each other only where both say V(false).
          - Published ports are reached from everywhere in any case, and nothing else from outside.
        type: bool
      icc:
        description:
          - Whether its containers may talk to each other; they may where it is left out. With V(false) they reach each other's published
            ports only.
          - To take V(false) back, say V(true); leaving the option out leaves the bridge's ports as they are.
        type: bool
      spoof_check:
        description:
          - Whether what comes in by its containers' ports is checked, so that none sends under a name that is not its own; see
            M(linuxnet.containers.nat), C(type=spoof_check). It is where it is left out, but with C(addressing=none), for a router, and
            for a port with C(vlans). A router is a container with forwarding among its C(sysctls), or with the address of a gateway.
          - With V(true) and C(addressing=none) the fixed addresses pass, and no others.
          - It needs nftables. Nothing is checked with O(firewall_backend=iptables), and where nft or the kernel cannot, which a warning says.
        type: bool
      metric:
        description: Metric of the containers' default route.
        type: int
      routes:
        description:
          - Routes that every container of the network gets. Items take the options of M(linuxnet.containers.ns_route), C(interface) is the one on the
            network where it is left out.
          - A C(table) with the subnet as C(rule_source) lets a container on several networks answer by this one what came in by this one.
        type: list
        elements: dict
        default: []
      state:
        description: Whether the network is to be there.
        type: str
        choices: [present, absent]
        default: present
  containers:
    description: The containers, a list of dicts.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the container. Its network namespace is C(/run/netns/NAME).
        type: str
        required: true
      engine:
        description:
          - What runs the container.
          - V(netns) makes a namespace of that name, for anything to be started in. V(pid) takes that of the process in C(pid).
          - With the others it is the namespace of the running container, machine or unit of that name, which was started without a network
            of its engine's, for example with C(docker run --network none).
        type: str
        choices: [netns, docker, podman, nspawn, lxc, systemd, pid]
        default: netns
      pid:
        description: A process of the container, with C(engine=pid).
        type: int
      network_mode:
        description:
          - V(bridge) wires the container to its networks.
          - V(host) lets its name mean the host's own namespace. Nothing is wired.
          - V(none) leaves it with only C(lo).
          - C(container:NAME) lets its name mean the namespace of another container of the list; both have the same addresses and ports.
          - Earlier wiring is removed with all but V(bridge). A process that an engine put elsewhere is reported, since only the engine can
            move it.
        type: str
        default: bridge
      networks:
        description: The networks it is attached to with C(network_mode=bridge), in order. The first one of C(networks) where it is left out.
        type: list
        elements: dict
        suboptions:
          name:
            description: The network.
            type: str
            required: true
          ipv4_address:
            description: A fixed IPv4 address. A free one where it is left out.
            type: str
          ipv6_address:
            description: A fixed IPv6 address. A free one where it is left out.
            type: str
          mac_address:
            description:
              - MAC address of the container's interface. Derived from host, container and interface where it is left out.
              - After a change of the host's name an interface keeps what it has; one that is made again gets another one.
            type: str
          interface:
            description: Name of the interface in the container. C(eth0) for the first network, C(eth1) for the second, and so on.
            type: str
          host_interface:
            description: Name of the host end. Derived from container and interface where it is left out.
            type: str
          default_route:
            description: Whether the default route goes this way. The first network that can where none says so.
            type: bool
          spoof_check:
            description:
              - Whether what comes in by this port is checked, whatever the network says. V(false) is for who sends for others, such as a DHCP
                relay, a virtual router or a bridge of its own.
            type: bool
          rate:
            description:
              - Rate to which what the container sends on this network, and what it gets, are held, each way by itself, such as V(10mbit) or V(512kbit),
                in the spellings of C(tc).
              - What is asked for neither way is not held up, and what the role held up before goes. A queueing discipline of somebody else's is refused
                where something is asked for, and else left alone.
              - Who is root in the container and may change its interfaces (C(CAP_NET_ADMIN)) can take away what is done to what it sends.
            type: str
          egress_rate:
            description: The rate of what the container sends, whatever C(rate) says. An empty text is none.
            type: str
          ingress_rate:
            description: The rate of what the container gets, whatever C(rate) says. An empty text is none.
            type: str
          delay:
            description: Time that packets wait for, each way, such as V(10ms). The kernel has to have C(netem) for it, for C(jitter) and for C(loss).
            type: str
          jitter:
            description: By how much C(delay) varies, at most that. Packets overtake each other by it.
            type: str
          loss:
            description: How many packets are lost, each way, in percent, such as V(0.5).
            type: str
          port:
            description: Options of the bridge port, those of M(linuxnet.containers.bridge_port).
            type: dict
            default: {}
      published_ports:
        description:
          - Ports to publish, as C(docker run -p) and Compose spell them, C([HOST_IP:]HOST_PORT:CONTAINER_PORT[/PROTOCOL]), or in Compose's
            long form.
          - Both ports can be ranges. Without an address the port is published on all of the host, over IPv4 and IPv6 where the container has
            both.
          - What was published for the container and is no longer listed is not published any more.
        type: list
        elements: raw
        default: []
      sysctls:
        description: Keys C(net.*) to set in the namespace. Those of an interface of its networks are set as soon as that is there.
        type: dict
        default: {}
      routes:
        description: Further routes. Items take the options of M(linuxnet.containers.ns_route). One for the default route takes the place of the role's own.
        type: list
        elements: dict
        default: []
      loopback_addresses:
        description:
          - Addresses of C(lo), which routers announce, such as 10.255.0.1/32. Without a prefix length it is that of a single address.
          - One that the role gave and that is no longer listed goes.
        type: list
        elements: str
        default: []
      forwarding:
        description:
          - V(true) makes it a router, of both families, whose interfaces are not checked for spoofing.
          - V(false) leaves the namespace as it is, also where it was V(true) before; nothing tells who set it.
        type: bool
        default: false
      state:
        description: Whether the container's wiring is to be there.
        type: str
        choices: [present, absent]
        default: present
  links:
    description:
      - Links between two containers, cables without a bridge, a list of dicts.
      - A container that has links, and whose C(networks) are left out, is on no network.
      - A link that is not listed any more stays, as a container does; C(state=absent) or O(purge) takes it away. An interface that is listed in another
        link is plugged elsewhere, in place.
    type: list
    elements: dict
    default: []
    suboptions:
      endpoints:
        description:
          - Its two ends, each C(NAME:INTERFACE), or a dict with C(name) and C(interface), and, where they are wanted, C(ipv4_address), C(ipv6_address) and
            C(mac_address).
          - A fixed address is in one of C(subnets), or has its prefix length. Then the other end has none, unless it says so itself.
          - Their order has no meaning, but that the first end gets the first usable address of a subnet where neither end has one of it. Each keeps what it
            has.
          - Both containers are listed, and have C(network_mode) V(bridge) or V(none).
        type: list
        elements: raw
        required: true
      subnets:
        description:
          - Subnets of which each end gets one address, IPv4 and IPv6. In a /31 and a /127 both addresses are usable.
          - Without any, and without fixed addresses, the link is unnumbered. Routers know each other by their IPv6 link-local addresses.
        type: list
        elements: str
        default: []
      mtu:
        description: MTU in bytes of both ends.
        type: int
        default: 1500
      rate:
        description: Rate to which each end is held, such as V(10mbit), as M(linuxnet.containers.veth) has it.
        type: str
      delay:
        description: Time that what leaves by each end waits for, such as V(10ms). With it, C(jitter) or C(loss) the kernel needs C(netem).
        type: str
      jitter:
        description: By how much C(delay) varies, up and down.
        type: str
      loss:
        description: How much of what leaves by each end is lost, in percent.
        type: str
      state:
        description: Whether the link is to be there.
        type: str
        choices: [present, absent]
        default: present
  state:
    description: V(absent) tears down everything that is listed.
    type: str
    choices: [present, absent]
    default: present
  purge:
    description:
      - V(true) also takes down what the role made on this host and what is no longer listed, pairs, names, published ports, networks. With empty
        lists that is everything.
      - Nothing is written down; the kernel tells. A pair is ours by the derived name or MAC address of its host end. With it go the name in
        C(/run/netns) that it was made for and the ports that are published under that name. A bridge is ours by its derived MAC address; with it
        go its addresses, its guard, and the source NAT whose owner is the bridge. A link to a namespace of docker's that ended goes as well. What
        M(linuxnet.containers.ns_link) made is ours by its group 76; where somebody else has made something on it, it stays.
      - What people put among our rules by hand goes as well. Otherwise it stays, and a warning says what it is and what removes it.
      - Ports that lead to a network of the role, and whose owner has no namespace any more, go as those of a container that is gone, unless somebody
        who was not wired for a name is on that network.
      - What was made with the modules alone looks the same, and goes. So does what another play wired; a host has one list.
      - A name stays, with a warning, where a process or an interface of others is in its namespace; so does a bridge, with its rules, while
        ports of others, or of containers that stay, are on it. An engine's container loses its wiring, and goes on running.
      - What cannot be told stays. That is a name without a pair (C(network_mode) V(host), V(none) or C(container:NAME)), a pair whose
        namespace lost its name, a rule of another owner, and addresses and routes of what is listed. Give it C(state=absent), or remove it by hand.
    type: bool
    default: false
  firewall_backend:
    description: What the NAT rules are written with. With V(auto) nftables where nft is installed, else iptables.
    type: str
    choices: [auto, nftables, iptables]
    default: auto
  persist:
    description:
      - V(true) has the host bring this wiring back by itself when it starts. What it needs for that stays on it, in
        C(/var/lib/linuxnet-containers), which only root reads, with the units C(wired.service) and C(wired@.service) of systemd.
      - Addresses from a subnet, MTUs that are V(auto) and MAC addresses are the same then. A unit that needs a container requires
        C(wired@NAME.service), and starts after it.
      - What is listed is kept beside what earlier runs had kept; with O(purge) nothing else is. What is listed with V(false), or is
        absent, is kept no longer, and where nothing is left the files go.
      - What an engine runs is wired whenever it starts it, and what is left of it goes when it ends. podman and LXC run a hook for that, docker's events are
        followed by the unit C(wired-docker.service), the units of systemd and of systemd-nspawn get a drop-in.
      - A host needs systemd for it. C(engine) V(pid) cannot be kept, and no network that is C(unmanaged).
    type: bool
    default: false
  drift:
    description:
      - With O(persist), whether the host looks every quarter of an hour if all is as kept, by C(wired-drift.timer).
      - V(tell) has C(wired-drift.service) fail where it is not, with what C(wired diff) prints in the journal. V(repair) repairs it.
    type: str
    choices: [ignore, tell, repair]
    default: ignore
  fleet:
    description:
      - The hosts that share the networks with C(driver=routed) or V(vxlan), a group of the inventory, or groups and hosts.
      - It is never the hosts of the play, so C(--limit) changes no routes. A host that leaves the group is out when the others have run.
      - For the module each is a dictionary with C(name), C(underlay_address) and maybe C(slice); the role finds them in the inventory.
    type: list
    elements: raw
    default: []
  underlay_address:
    description:
      - This host's address among those of O(fleet), by which they send to each other. The role has C(ansible_host) by default.
      - It has to be in the inventory, where all hosts can read it.
    type: str
  slice:
    description:
      - The number of this host's slice of shared networks, from 0. The low bits of its underlay address where it is left out; two hosts with the
        same are refused.
      - It has to be in the inventory, where all hosts can read it.
    type: int
seealso:
  - module: linuxnet.containers.wiring_info
notes:
  - Other runs that give out addresses, bind namespaces or publish ports on the host wait until this one is done.
"""

EXAMPLES = r"""
---
- name: Wire two containers, as the role does with wiring_one_task
  linuxnet.containers.wiring:
    networks:
      - name: docker0
        subnets: [172.17.0.0/16, "fd00:17::/64"]
    containers:
      - name: web
        published_ports: ["8080:80"]
      - name: db
        engine: docker
  register: wired

- name: Draw it
  ansible.builtin.debug:
    msg: "{{ wired.wiring_result | linuxnet.containers.topology }}"

- name: Take down a network and a container
  linuxnet.containers.wiring:
    networks:
      - name: docker0
        subnets: [172.17.0.0/16]
    containers:
      - name: web
    state: absent

- name: Have these and no others
  linuxnet.containers.wiring:
    networks:
      - name: docker0
        subnets: [172.17.0.0/16]
    containers:
      - name: web
    purge: true
"""

RETURN = r"""
---
wiring_result:
  description: By container its namespace, interfaces, addresses, gateways, those of its C(lo), routes and published ports, as the role has it; of
    what was done, where something failed.
  returned: always, unless the input was refused
  type: dict
  sample:
    web:
      netns: web
      path: /run/netns/web
      network_mode: bridge
      interfaces:
        - {name: eth0, host_interface: vethzvxkcem3eqk, bridge: docker0, mac: "06:1c:2b:7a:99:01", mtu: 1500, addresses: [172.17.230.194/16],
          gateways: [172.17.0.1]}
      loopback_addresses: []
      routes:
        - {destination: default, gateway: 172.17.0.1, interface: eth0, metric: 0}
      published_ports:
        - {host_ip: null, host_port: "8080", to_address: 172.17.230.194, to_port: "80", protocol: tcp}
wiring_recap:
  description:
    - By C(networks), C(links) and C(containers), as far as there are any, and name, what became of it.
    - It is V(failed), V(left out) for what stands on something that failed, V(changed), V(gone), or, where nothing was to be done, V(ok) or V(absent).
  returned: always, unless the input was refused
  type: dict
  sample: {networks: {docker0: ok}, containers: {web: changed}}
commands:
  description: The equivalent command lines of all steps, in order, ready to paste. In check mode those that would be run.
  returned: always, unless the input was refused
  type: list
  elements: str
  sample: ["ip netns add web", "ip link add docker0 type bridge"]
results:
  description:
    - One entry a step, in order. A step without items is left out.
    - Items that were left out, because what they stand on failed, have no entry.
  returned: always, unless the input was refused
  type: list
  elements: dict
  contains:
    half:
      description: V(teardown) for what is to be gone, V(wire) for what is to be there.
      type: str
    step:
      description:
        - In V(teardown) it is V(keep), V(publish), V(route), V(address), V(veth), V(link), V(netns), V(bridge), V(vrf) or V(nat); in V(wire)
          V(netns), V(vrf), V(bridge), V(nat), V(link), V(gateway), V(veth), V(bridge_port), V(address), V(route), V(publish), V(join) or V(keep).
        - V(nat) has isolation and source NAT of the networks, and in V(wire) the end of ports of containers that are to publish none; V(link) the
          tunnels to other hosts; V(gateway) the host's addresses; V(publish) the published ports; V(join) the names that mean another's namespace; V(keep) what
          the host keeps over a reboot.
        - V(publish) is left out of V(wire) where no port is to be published and nobody else has published one.
      type: str
    changed:
      description: Whether the step changed something.
      type: bool
    results:
      description: What the module of the step returns as C(results), one entry an item.
      type: list
      elements: dict
"""

from ansible_collections.linuxnet.containers.plugins.module_utils._run import python

python.require()

from importlib import import_module

from ansible_collections.linuxnet.containers.plugins.module_utils._run import called, runner, step_runner

_UTILS = "ansible_collections.linuxnet.containers.plugins.module_utils"
# What the module of a noun hands the runner: the files of its resource and of its kernel.
NOUNS = {
    "bridge": ("bridge", "addresses"),
    "bridge_port": ("bridge_port", "writer"),
    "nat": ("nat.resource", "firewall"),
    "netns": ("netns", "containers"),
    "ns_address": ("ns_address", "arp_nd"),
    "ns_link": ("ns_link", "addresses"),
    "ns_route": ("ns_route", "addresses"),
    "veth": ("veth", "writer"),
}


def main():  # type: () -> None
    """Be the module, or another: all tasks of the role run this package, which is packed once a play (`plugin_utils/packing.py`)."""
    name = called.called()
    if name in NOUNS:
        resource, kernel = NOUNS[name]
        opened = import_module("%s._kernel.%s" % (_UTILS, kernel)).Kernel
        runner.run(import_module("%s._resources.%s" % (_UTILS, resource)).RESOURCE, opened, _foreseen, _kept)
    elif name == "wiring_info":
        _report()
    elif called.as_step():
        _persist()
    else:
        _wire()


def _foreseen(params, details):  # type: (runner.Params, bool) -> runner.Foreseen
    """Return what check mode foresees of a step of the role (results, warnings)."""
    from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import complete
    from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import one_task

    with complete.Kernel() as kernel:
        return step_runner.foresee(one_task.foreseeing(params["plan"], params["step"]), kernel, details)


def _report():  # type: () -> None
    from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import complete
    from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import survey

    runner.run_info(survey.OPTIONS, survey.report, complete.Kernel, _kept)


def _kept():  # type: () -> runner.Params
    """Return what a step of the role, and a look at the host, say besides: whether the host keeps a plan, which there is something to be taken out of."""
    from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import files

    return files.kept()


def _persist():  # type: () -> None
    """Be the step of the role that sees to what the host keeps."""
    from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import complete
    from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import lasting

    runner.run(lasting.RESOURCE, complete.Kernel, _foreseen, _kept)


def _wire():  # type: () -> None
    from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import complete
    from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import one_task, variables

    def prepared(params):  # type: (runner.Params) -> one_task.Steps
        return one_task.Steps(params, keeps=bool(_kept()))

    step_runner.run_steps(variables.OPTIONS, prepared, complete.Kernel, variables.converted)


def wired():  # type: () -> None
    """Be the command that a host keeps. Its archive begins at the same place; Ansible packs it with this module since it is named here."""
    from ansible_collections.linuxnet.containers.plugins.module_utils._wired import entry

    entry.main()


if __name__ == "__main__":
    main()
