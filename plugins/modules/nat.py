#!/usr/bin/python
# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: nat
short_description: Manage source NAT of containers' networks
version_added: 0.1.0
author:
  - linuxnet.containers contributors (@linuxnet)
description:
  - Lets containers reach the world under the host's address (masquerade) or under a given one (source NAT).
  - Rules live in an nftables table of their own, C(inet linuxnet_containers), one rule an item. Each carries its owner in its comment. Rules of
    others are never changed.
  - Destinations in the source's own network, multicast and broadcast are never translated.
  - A rule is known by O(owner) and O(source). What differs is replaced in its place.
extends_documentation_fragment:
  - linuxnet.containers.attributes
  - linuxnet.containers.attributes.actiongroup
  - linuxnet.containers.options
  - linuxnet.containers.options.netns
requirements:
  - nft (package nftables)
options:
  type:
    description: V(masquerade) takes the address of the interface that a packet leaves by, V(snat) takes O(to_address).
    type: str
    choices: [masquerade, snat]
    default: masquerade
  source:
    description: The containers' network (CIDR). Required without O(aggregate).
    type: str
  out_interface:
    description: Only what leaves by this interface; with a leading C(!) only what leaves by another.
    type: str
  exclude:
    description: Destinations (CIDRs) that are not translated, for example what lies behind a VPN.
    type: list
    elements: str
  to_address:
    description: Address to take, with O(type=snat).
    type: str
  owner:
    description: Whose rule it is. It stands in the rule's comment.
    type: str
    default: ansible
  comment:
    description: A text for people, in the rule's comment.
    type: str
  forward:
    description:
      - Look whether another rule set drops what has to be forwarded, and say so in RV(blocked_by) and a warning.
      - Rules of others are never changed; this table itself drops nothing.
    type: bool
    default: true
  ip_forward:
    description:
      - Switch forwarding of the source's address family on where it is off, and keep it on with a file of our own in C(/etc/sysctl.d).
      - Both are taken back with the last rule of the family. Where forwarding was on already it is left alone.
      - In a O(netns) there is no file, and nothing is taken back.
    type: bool
    default: true
  backend:
    description: What the rules are written with.
    type: str
    choices: [auto, nftables]
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

- name: Leave under one address
  linuxnet.containers.nat:
    type: snat
    source: 172.17.0.0/16
    to_address: 198.51.100.7
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
  sample: {type: masquerade, source: 172.17.0.0/16, netns: null, out_interface: "!docker0", exclude: [10.8.0.0/16], to_address: null, owner: docker0,
    comment: null, backend: nftables, ip_forward: true, sysctl_file: null}
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
  description: The chains of others that drop what has to be forwarded.
  returned: success, without O(aggregate)
  type: list
  elements: str
  sample: ["ip filter FORWARD (policy drop)"]
"""

from ansible_collections.linuxnet.containers.plugins.module_utils import _runner
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import RESOURCE


def main() -> None:
    """Be the module."""
    _runner.run(RESOURCE)


if __name__ == "__main__":
    main()
