#!/usr/bin/python
# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
---
module: ns_route
short_description: Manage routes of a namespace
version_added: 0.1.0
author:
  - linuxnet.containers contributors (@linuxnet)
description:
  - Sets, replaces and removes IPv4 and IPv6 routes, in a namespace or on the host.
  - A route is replaced in one step, never deleted and added again, so that there is no moment without it.
  - A route is known by destination and O(table), and by O(metric) where that is given. The same way (gateway, interface) under another metric than
    the one asked for is moved; another way under another metric stays beside it.
  - A route that uses a next-hop object (C(ip nexthop)) is one by the ways of that object, which itself is never changed. Routes for a type of service
    (C(tos)) are left alone.
  - With O(rule_source) a route and the policy rule that leads to its table are one item.
  - Only the options that are given are managed.
extends_documentation_fragment:
  - linuxnet.containers.attributes
  - linuxnet.containers.attributes.actiongroup
  - linuxnet.containers.options
  - linuxnet.containers.options.netns
options:
  destination:
    description: A network (CIDR), or V(default).
    type: str
    default: default
  family:
    description: Address family, where O(destination=default) and no gateway tells. IPv4 where nothing tells.
    type: str
    choices: [ipv4, ipv6]
  gateway:
    description: >-
      Address of the gateway. It must be in a subnet that the namespace is on, by the routes of O(table) or the main one, or O(onlink=true).
      One that is link-local (C(fe80::/10)) needs its O(interface). With O(interface) an IPv4 route can have an IPv6 gateway (RFC 8950), a default route with
      O(family=ipv4).
    type: str
  interface:
    description: Interface that packets leave by. The one that the gateway is behind where it is left out.
    type: str
  metric:
    description: Priority of the route; the lowest wins.
    type: int
  table:
    description: Routing table, V(main), V(default), V(local) or a number.
    type: str
    default: main
  rule_source:
    description:
      - Let packets from this network (CIDR) look for their route in O(table), which must be one of its own. That is the policy rule
        C(ip rule add from RULE_SOURCE lookup TABLE), marked as ours by protocol number 76. It is there once, whatever the number of items that name it.
      - A rule of others for the same source and table serves as well. It is never changed nor removed.
      - With O(state=absent) the rule goes if it is ours, together with the last route of ours in its table. While another rule of ours leads to that
        table, the rule goes alone, and the route stays with the other one. An item without O(rule_source) leaves every rule as it is.
      - Packets to neighbours look there as well. Give the table a route to their subnet, else they go by the table's default route.
    type: str
  rule_priority:
    description:
      - Priority of that rule, from 1 to 32765; the lowest wins. A rule of ours of another priority is moved, and the new one is there before the old one goes.
        Beside one of others of another priority ours is added. One task cannot ask for two. Of no account with O(state=absent).
      - A new rule gets 20000 plus the last four digits of the table's number, where it is left out.
    type: int
  source:
    description: Source address that the host itself takes for this route, one of the namespace's own.
    type: str
  scope:
    description: Scope of an IPv4 route. V(link) without a gateway and V(global) with one, where it is left out. Nothing is reached by V(nowhere).
    type: str
    choices: [global, site, link, host, nowhere]
  type:
    description: Kind of the route.
    type: str
    choices: [unicast, blackhole, unreachable, prohibit, throw]
  mtu:
    description: MTU of the path, in bytes, at most 65520.
    type: int
  advmss:
    description: Segment size that TCP tells the other side, in bytes, at most 65495.
    type: int
  onlink:
    description: Take the gateway, or those of all O(nexthops), as reachable on the interface that is named with it, whatever the addresses say.
    type: bool
  direct_gateway:
    description:
      - Take this gateway, and the interface on whose link it is, in place of O(gateway), O(interface) and O(onlink), where it is on a link of O(netns). That
        is looked up anew in each run. Where it is behind a router it is of no account.
    type: str
    version_added: 0.3.0
  optional:
    description: With O(direct_gateway), leave the route out, with a warning, where that is on no link and there is no other way. It is an error otherwise.
    type: bool
    default: false
    version_added: 0.3.0
  exclusive:
    description:
      - Remove the routes and the policy rules of ours in O(netns) that the task does not ask for, in all tables and of both address families. Ours are those
        with protocol number 76, which this module sets; those of others stay. The last such item of a namespace does it, when what is asked for is there, and
        names them in RV(before) as C(no_longer_asked_for).
      - Options of a route of ours that are left out become what they are in a new route.
      - With O(state=absent) the item names no route and asks for none.
    type: bool
    default: false
  network:
    description:
      - With O(state=absent), not one route is meant but those to the other parts of a network, of which this bridge has one, as the role
        P(linuxnet.containers.wiring#role) sets them for a network that hosts share. These are routes of ours in the main table that leave by O(interface), or
        with an address of the bridge as their O(source).
    type: str
    version_added: 0.3.0
  keep:
    description: With O(network), destinations (CIDR) whose routes stay.
    type: list
    elements: str
    version_added: 0.3.0
  nexthops:
    description: Several ways at once (multipath), two or more, instead of O(gateway) and O(interface).
    type: list
    elements: dict
    suboptions:
      gateway:
        description: Address of the gateway.
        type: str
      interface:
        description: Interface that packets leave by.
        type: str
      weight:
        description: Share of this way, from 1 to 256.
        type: int
        default: 1
notes:
  - Policy rules do not go with an interface, as routes do. Remove them with O(state=absent), or with their namespace.
seealso:
  - module: linuxnet.containers.ns_address
"""

EXAMPLES = r"""
---
- name: Route by default via the bridge
  linuxnet.containers.ns_route:
    netns: web
    gateway: 172.17.0.1

- name: Have these routes in a namespace, and no others that were asked for earlier
  linuxnet.containers.ns_route:
    netns: web
    exclusive: true
    aggregate:
      - gateway: 172.17.0.1
      - {destination: 10.9.0.0/16, gateway: 172.17.0.7}

- name: Remove all routes and policy rules that this collection set in a namespace
  linuxnet.containers.ns_route:
    netns: web
    state: absent
    exclusive: true

- name: Drop what goes to a private network
  linuxnet.containers.ns_route:
    netns: web
    destination: 10.0.0.0/8
    type: blackhole

- name: Reach a gateway outside the own subnet
  linuxnet.containers.ns_route:
    netns: web
    gateway: 192.0.2.1
    interface: eth0
    onlink: true

- name: Answer by the second bridge what came in by the second bridge
  linuxnet.containers.ns_route:
    netns: web
    table: "100"
    rule_source: 10.9.0.0/24
    interface: eth1
    aggregate:
      - gateway: 10.9.0.1
      - destination: 10.9.0.0/24
"""

RETURN = r"""
---
before:
  description: The object as it was, every attribute known. Empty when it was absent. With O(aggregate) see RV(results).
  returned: success, without O(aggregate)
  type: dict
  sample: {}
after:
  description: >-
    The object as it is now, or in check mode as it would be. Empty when it is absent. With O(aggregate) see RV(results).
    A route that uses a next-hop object has its number as C(nexthop_id).
  returned: success, without O(aggregate)
  type: dict
  sample: {destination: default, family: ipv4, netns: web, table: main, metric: 0, type: unicast, gateway: 172.17.0.1, interface: eth0, source: null,
    scope: global, mtu: null, advmss: null, onlink: false, nexthops: [], rule_source: null, rule_priority: null}
commands:
  description: The equivalent command lines, in order, ready to paste. In check mode those that would be run.
  returned: success
  type: list
  elements: str
  sample: ["ip -n web route add default via 172.17.0.1 dev eth0 proto 76"]
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
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_route import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._run import runner


def main():  # type: () -> None
    """Be the module."""
    runner.run(RESOURCE, addresses.Kernel)


if __name__ == "__main__":
    main()
