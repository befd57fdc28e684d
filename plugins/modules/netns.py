#!/usr/bin/python
# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

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
  - A process, also a container's, is pinned by its namespace before anything is done, so that a process ID which is used again does no harm.
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
    description:
      - Bind the name to the namespace of this other name, or, with V(host), to the host's own.
      - With O(pid) or O(container) beside it the process has to be in that namespace already. One that is not is refused, since nobody can move it
        there from outside.
    type: str
  container:
    description:
      - Bind the name to the namespace of this running container instead of making one.
      - It is looked up by its engine's own tool, before and after its namespace is opened. If it was restarted, the name is bound anew, and that is a change.
      - A container that does not run, and one in the host's own namespace, are refused.
      - Which daemon or storage is asked is said by the task's C(environment), as for the tools themselves, for example C(DOCKER_HOST) or
        C(CONTAINERS_STORAGE_CONF).
    type: str
  engine:
    description:
      - What runs O(container). V(auto) asks all engines that are on the host, and refuses a name that runs in two of them.
      - V(docker) and V(podman) take names and IDs. V(nspawn) asks systemd-machined, and finds machines that are not registered there by their
        C(systemd-nspawn) process. V(systemd) takes a unit and its main process.
    type: str
    choices: [auto, docker, podman, nspawn, lxc, systemd]
    default: auto
  loopback:
    description: Whether C(lo) is to be up. V(false) leaves it as it is.
    type: bool
    default: true
  sysctls:
    description:
      - Keys below C(net) to set inside, such as C(net.ipv4.ip_forward). Others are left as they are.
      - A dot inside an interface's name is written as C(/), as for C(sysctl(8\)), or as a dot.
      - An interface that a key is of must be there. For one that M(linuxnet.containers.veth) makes there is
        O(linuxnet.containers.veth#module:peer_sysctls).
      - Values are compared in the kernel's own spelling, so that V(8080,8081) is its V(8080-8081), and V(0x1) is V(1). A boolean is V(1) or V(0).
      - Of a key with several numbers the first ones may be given alone.
    type: dict
  new_sysctls:
    description:
      - Keys below C(net) that a namespace gets when this module makes it, where O(sysctls) does not name them. In one that is there they are
        not looked at.
      - The role gives the namespaces of its containers what Docker gives those of its own, C(net.ipv4.ip_unprivileged_port_start=0) and
        C(net.ipv4.ping_group_range=0 2147483647). The latter is left out, as Docker does it, in a user namespace that has not all these groups.
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

- name: Give the namespace of a container a name, started with "docker run --network none --name cache ..."
  linuxnet.containers.netns:
    name: cache
    container: cache
    engine: docker
  environment:
    DOCKER_HOST: unix:///run/docker.sock

- name: See that the container "sidecar" is in the namespace of "cache", and let both names mean it
  linuxnet.containers.netns:
    name: sidecar
    share: cache
    container: sidecar

- name: Make many of them in one task
  linuxnet.containers.netns:
    aggregate:
      - name: box1
      - name: box2
      - {name: box3, sysctls: {net.ipv4.ip_forward: 1}}

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
  sample: {name: web, path: /run/netns/web, inode: 4026532345, pid: null, container: null, engine: null, shared_with: [], loopback: true, sysctls: {}}
anew:
  description:
    - Whether the name means another namespace than before.
    - In check mode later tasks of a chain are told so by their C(netns_anew).
  returned: success, with O(state=present)
  type: bool
  sample: false
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

from ansible_collections.linuxnet.containers.plugins.module_utils._run import python

python.require()

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import containers
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.netns import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._run import runner


def main():  # type: () -> None
    """Be the module."""
    runner.run(RESOURCE, containers.Kernel)


if __name__ == "__main__":
    main()
