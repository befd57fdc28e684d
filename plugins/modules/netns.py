#!/usr/bin/python
# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: netns
short_description: Manage named network namespaces
version_added: 0.1.0
author:
  - linuxnet.containers contributors (@linuxnet)
description:
  - Makes, binds and removes named network namespaces, as C(ip netns add), C(ip netns attach) and C(ip netns del) do.
  - Any program can be started in C(/run/netns/NAME), for example with C(ip netns exec), with systemd's C(NetworkNamespacePath=), or by podman and
    systemd-nspawn.
  - A process is pinned by its namespace before anything is done, so that a process ID which is used again does no harm.
extends_documentation_fragment:
  - linuxnet.containers.attributes
  - linuxnet.containers.attributes.actiongroup
  - linuxnet.containers.options
options:
  name:
    description: Name of the namespace, a file name in C(/run/netns). Required without O(aggregate).
    type: str
  pid:
    description:
      - Bind the name to the namespace of this process instead of making one.
      - If the name is bound to another namespace (a container was restarted) it is bound anew, and that is a change.
      - A process in the host's own namespace is refused.
    type: int
  path:
    description: Bind the name to the namespace at this absolute path instead of making one.
    type: path
  share:
    description: Bind the name to the namespace of this other name, or, with V(host), to the host's own.
    type: str
  loopback:
    description: Whether C(lo) is to be up. V(false) leaves it as it is.
    type: bool
    default: true
  sysctls:
    description:
      - Keys below C(net) to set inside, such as C(net.ipv4.ip_forward). Others are left as they are.
      - A dot inside an interface's name is written as C(/), as for C(sysctl(8\)).
    type: dict
seealso:
  - module: linuxnet.containers.veth
  - module: community.general.ip_netns
notes:
  - With O(state=absent) the name goes. A namespace that a process still holds lives on without it; that is reported as a warning.
"""

EXAMPLES = r"""
---
- name: Make a namespace for a container
  linuxnet.containers.netns:
    name: web
    sysctls:
      net.ipv4.ip_unprivileged_port_start: 0

- name: Give the namespace of a running process a name
  linuxnet.containers.netns:
    name: db
    pid: 4242

- name: Make a hundred of them in one task
  linuxnet.containers.netns:
    aggregate: "{{ range(100) | map('regex_replace', '^', 'box') | map('community.general.dict_kv', 'name') | list }}"

- name: Remove one
  linuxnet.containers.netns:
    name: web
    state: absent
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
  sample: {name: web, path: /run/netns/web, inode: 4026532345, pid: null, shared_with: [], loopback: true, sysctls: {}}
commands:
  description: The equivalent command lines, in order, ready to paste. In check mode those that would be run.
  returned: success
  type: list
  elements: str
  sample: ["ip netns add web", "ip -n web link set lo up"]
results:
  description:
    - One entry an item, in order, each with C(changed), C(before), C(after), C(diff) and C(commands).
    - An item that failed has C(failed), C(msg) and C(item) instead.
  returned: with O(aggregate)
  type: list
  elements: dict
"""

from ansible_collections.linuxnet.containers.plugins.module_utils import _runner
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.netns import RESOURCE


def main() -> None:
    """Be the module."""
    _runner.run(RESOURCE)


if __name__ == "__main__":
    main()
