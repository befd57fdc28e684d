#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
---
module: wiring_info
short_description: Show who is behind which veth, and which link is whose
version_added: 0.1.0
author:
  - linuxnet.containers contributors (@linuxnet)
description:
  - Looks at the wiring of containers on a host, whoever did it, and changes nothing, ever.
  - Shows the namespaces with the containers that docker, podman, systemd-nspawn, LXC or systemd run in them, the bridges, who is behind every
    pair of virtual interfaces, who has which link of another kind, the addresses, the routes
    and the NAT rules of this collection; and what was left behind.
  - Namespaces are found by name, by the files they are mounted on, and by the processes that live in them.
  - Every entry is as the module of that object returns it in C(after), with who is behind it added.
  - For the engines a task's C(environment) counts, as for their own tools, for example C(DOCKER_HOST).
extends_documentation_fragment:
  - linuxnet.containers.attributes
  - linuxnet.containers.attributes.actiongroup
attributes:
  check_mode:
    details:
      - Nothing is changed, so there is nothing to predict.
  diff_mode:
    support: none
    details:
      - Nothing is changed, so there is no diff.
  idempotent:
    details:
      - It sends no write to the kernel, runs no firewall transaction and writes no file.
options:
  gather:
    description: The lists to return.
    type: list
    elements: str
    choices: [namespaces, bridges, veths, links, addresses, routes, nat, orphans]
    default: [namespaces, bridges, veths, links, addresses, routes, nat, orphans]
  netns:
    description:
      - Show only what is in these namespaces, and the pairs, bridges and parents of links that lead to them.
      - A plain name means C(/run/netns/NAME), also where it is all digits. An absolute path means that file, such as C(/proc/4242/ns/net).
      - One that does not exist is no error, but a warning.
    type: list
    elements: str
  find:
    description:
      - "One question: an address, a MAC address, a port as C(8080/tcp), or the name of a container, a namespace, an interface or a network."
      - Only what concerns it is returned, and RV(msg) answers in a sentence. Here all of the host's interfaces count.
      - A bare number is a port where nothing has it as a name.
    type: str
    version_added: 0.3.0
  limit:
    description:
      - So many addresses, routes, bridges with their ports, pairs, and links of other kinds, of each namespace besides the host's own are
        listed that are not of this collection's making; a container's root can make any number of them. RV(unlisted) says how many there are besides.
      - The same goes for what an entry tells of such a namespace. These are the names in C(interfaces), and of a pair that leads
        there its C(addresses), with the ports published to them, and its C(gateways); and for RV(picture).
      - Of what a container has on a link of this collection elsewhere, one link is listed in any case.
      - V(0) lists all. With O(find) all are looked at.
    type: int
    default: 25
    version_added: 0.3.0
seealso:
  - module: linuxnet.containers.veth
  - module: linuxnet.containers.ns_link
  - plugin: linuxnet.containers.topology
    plugin_type: filter
notes:
  - Of the host's own addresses and routes, those of bridges, of pairs, and of links that M(linuxnet.containers.ns_link) made are shown.
  - Without nft the NAT rules are left out, with a warning.
  - The engines are asked by their own programs, which may write locks and logs of their own.
"""

EXAMPLES = r"""
---
- name: See who is behind which interface
  linuxnet.containers.wiring_info:
  register: seen

- name: Draw it
  ansible.builtin.debug:
    msg: "{{ seen.picture }}"

- name: See where one container hangs
  linuxnet.containers.wiring_info:
    gather: [veths, addresses]
    netns: web

- name: Who has this address?
  linuxnet.containers.wiring_info:
    find: 172.17.210.48

- name: Who publishes this port?
  linuxnet.containers.wiring_info:
    find: 8080/tcp

- name: See what was left behind
  linuxnet.containers.wiring_info:
    gather: [orphans]
  register: left
  failed_when: left.wiring.orphans | length > 0
"""

RETURN = r"""
---
msg:
  description: The answer to O(find).
  returned: with O(find)
  type: str
  sample: 172.17.210.48/16 is an address of eth0 of web (docker), behind vethd3z6ahyc7zq on docker0.
wiring:
  description: What was found, a list for each entry of O(gather).
  returned: success
  type: dict
  contains:
    namespaces:
      description:
        - The namespaces besides the host's own, an entry a name, as M(linuxnet.containers.netns) returns it. For one without a name C(name) is
          null and C(path) another file of it.
        - C(owner) says in a word whose it is. C(container) and C(engine) are of the first container that was started in it, C(containers) has all
          that share it. C(processes) has up to five of C(process_count). C(interfaces) leaves out C(lo).
        - The host's own is among them where it has a name or where an engine runs a container in it; its processes are not told.
      type: list
      elements: dict
      sample:
        - {name: web, path: /run/netns/web, inode: 4026532345, pid: 4242, container: web, engine: docker, shared_with: [], loopback: true, sysctls: {},
          owner: web, containers: [{name: web, engine: docker, pid: 4242}], processes: [{pid: 4242, command: nginx}], process_count: 1, interfaces: [eth0]}
    bridges:
      description: The bridges, as M(linuxnet.containers.bridge) returns them, with their C(ports). C(ours) says whether the address is the one that this
        collection gives a new bridge.
      type: list
      elements: dict
      sample:
        - {name: docker0, netns: null, mtu: 1500, mac: "02:5c:8e:19:22:0b", stp: false, forward_delay: 1500, ageing_time: 30000, vlan_filtering: false,
          enabled: true, alias: "", ports: [vethd3z6ahyc7zq], ours: true}
    veths:
      description:
        - The pairs, as M(linuxnet.containers.veth) returns them; the near end is the host's.
        - C(owner) is the name of the namespace that the other end is in, else that of its container, else a process of it. C(container), C(engine),
          C(addresses), C(gateways) and C(published_ports) are of what is there.
        - C(ours) says whether this collection made the pair, which its name or address tells. C(made_for) is the namespace that it was made for, null
          where that has another name by now, or none.
      type: list
      elements: dict
      sample:
        - {name: vethd3z6ahyc7zq, netns: null, peer_name: eth0, peer_netns: web, bridge: docker0, mtu: 1500, peer_mtu: 1500, mac: "06:1c:2b:7a:99:01",
          peer_mac: "ba:77:0e:41:5d:c2", enabled: true, peer_enabled: true, tx_queue_len: 1000, peer_tx_queue_len: 1000, alias: "", owner: web,
          container: web, engine: docker, addresses: [172.17.210.48/16], gateways: [172.17.0.1], published_ports: [], ours: true, made_for: web}
    links:
      description:
        - The links of the kinds that M(linuxnet.containers.ns_link) makes, whoever made them, as that returns them. C(parent_netns) is V(unknown) where
          the parent cannot be seen.
        - C(owner), C(container) and C(engine) say whose namespace it is in, C(addresses) and C(gateways) are the link's. A VRF has its C(ports).
        - C(ours) says whether that module made it, as the group 76 tells, or its MAC address.
      type: list
      elements: dict
      sample:
        - {name: eth0, kind: macvlan, netns: web, parent: eth1.10, parent_netns: null, master: "", mtu: 1500, mac: "7e:03:ac:3a:ef:c5", mode: bridge,
          enabled: true, alias: "", owner: web, container: web, engine: docker, addresses: [10.3.0.2/24], gateways: [10.3.0.1], ours: true}
    addresses:
      description: The addresses, as M(linuxnet.containers.ns_address) returns them.
      type: list
      elements: dict
      sample:
        - {address: 172.17.210.48/16, ip: 172.17.210.48, prefix: 16, family: ipv4, interface: eth0, netns: web, owner: web/eth0, gateway: null, scope: global,
          label: eth0, broadcast: null, peer: null, valid_lft: forever, preferred_lft: forever, noprefixroute: false}
    routes:
      description:
        - The routes, as M(linuxnet.containers.ns_route) returns them. Those that came with an address are left out.
        - Those of the main tables, and of each table that a policy rule of this collection leads to, with that rule.
      type: list
      elements: dict
      sample:
        - {destination: default, family: ipv4, netns: web, table: main, metric: 0, type: unicast, gateway: 172.17.0.1, interface: eth0, source: null,
          scope: global, mtu: null, advmss: null, onlink: false, nexthops: [], rule_source: null, rule_priority: null}
    nat:
      description: The host's NAT rules, guarded bridges, checked ports, uplinks, tunnels and published ports, ours only, as in M(linuxnet.containers.nat).
      type: list
      elements: dict
      sample:
        - {type: masquerade, source: 172.17.0.0/16, netns: null, out_interface: "!docker0", exclude: [], to_address: null, owner: docker0, comment: null,
          backend: nftables, ip_forward: true, fenced: false, sysctl_file: null, enforced: true}
    orphans:
      description: What this collection or C(ip netns) made and whose owner is gone; C(why) says how that is told. Of a name, C(target) is where a
        symbolic link points to. A link's kind is that of the link. The kind C(forwarding),
        C(ipv4) or C(ipv6), is what was switched on for rules that somebody took out. The kind C(by_hand) is a rule or an element that somebody put among
        those of this collection, with the command that removes it.
      type: list
      elements: dict
      sample:
        - {kind: veth, name: vethzvxkcem3eqk, netns: null, why: "the namespace of its other end has no name any more: process 4242 (sleep)"}
unlisted:
  description:
    - What O(limit) left out, an entry for each list of each namespace that has more.
    - C(list) is one of RV(wiring), or V(interfaces), V(ports) or V(gateways), of which entries of those lists tell.
  returned: success
  type: list
  elements: dict
  sample: [{netns: web, list: routes, count: 19900}]
kept:
  description: That the host brings its wiring back by itself after a reboot, as the role's C(wiring_persist) has it do.
  returned: when it does
  type: bool
  sample: true
picture:
  description: The same as a drawing in text, several lines.
  returned: success
  type: str
  sample: |
    host
    └─ docker0  172.17.0.1/16
       └─ vethd3z6ahyc7zq ─── eth0 in web (docker)  172.17.210.48/16
"""

from ansible_collections.linuxnet.containers.plugins.module_utils._run import python

python.require()

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import complete, files
from ansible_collections.linuxnet.containers.plugins.module_utils._run import runner
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import survey


def main():  # type: () -> None
    """Be the module."""
    runner.run_info(survey.OPTIONS, survey.report, complete.Kernel, files.kept)


if __name__ == "__main__":
    main()
