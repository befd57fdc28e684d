#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
---
module: path_info
short_description: Find out why it does not answer
version_added: 0.4.0
author:
  - linuxnet.containers contributors (@linuxnet)
description:
  - Follows one packet from anywhere to anywhere through the running kernel, and the answer back, and names the first thing that stops it, with the command that
    shows it. Changes nothing, ever.
  - On the way are the routes and policy rules of each namespace, as the kernel itself answers; the rules of all tables and hooks in their order, whoever
    wrote them;
    what they translate; C(rp_filter) and forwarding; who has an address on a wire or bridge; ports that are down, isolated, or in other VLANs; and at the
    end who listens.
  - A rule that is not understood never makes a verdict. Where it decides, RV(verdict) is V(unknown), and RV(maybe_blocked_by) names it.
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
  source:
    description:
      - "Who asks: a container or a namespace by its name, V(host), an address, or an interface of the host by which somebody from elsewhere comes in."
      - A path such as C(/proc/4242/ns/net) is that namespace. An address that nobody here has comes in by the interface that leads there.
    type: str
    default: host
  destination:
    description:
      - "Who is asked: a container or a namespace, V(host), an address, or a port of the host that is published, as V(8080/tcp)."
    type: str
    required: true
  protocol:
    description:
      - What it is asked by.
      - The default is V(tcp) with a port, and V(icmp), a ping, without.
    type: str
    choices: [tcp, udp, sctp, icmp]
  port:
    description: The port that is asked.
    type: int
  family:
    description: The address family. The default is that of the addresses named, else V(ipv4) where the destination has it.
    type: str
    choices: [ipv4, ipv6]
  probe:
    description:
      - Where it cannot be told otherwise, send one packet from the source and wait up to a second for what comes back. Over UDP it is an empty one.
      - Nothing is sent where the verdict is clear without, nor for a source that is not on this host.
    type: bool
    default: false
seealso:
  - module: linuxnet.containers.wiring_info
  - module: linuxnet.containers.nat
notes:
  - Not seen are what programs do that read packets (BPF, C(tc) and XDP), C(ebtables), IPsec, a queue that loses all packets, and what is behind an
    interface that leads out of the host.
  - A connection that is tracked already goes on as it began, whatever is said here of a new one.
  - Who listens is told for a socket of any process, also where that is busy and does not answer.
"""

EXAMPLES = r"""
---
- name: Why does the published port not answer from outside?
  linuxnet.containers.path_info:
    source: eth0
    destination: 8080/tcp
  register: path

- name: Read it
  ansible.builtin.debug:
    msg: "{{ path.text.splitlines() }}"

- name: Can one container reach another?
  linuxnet.containers.path_info:
    source: web
    destination: db
    port: 5432
  register: path
  failed_when: path.verdict == 'blocked'

- name: Can a container reach the internet? Send one packet where that alone can tell
  linuxnet.containers.path_info:
    source: web
    destination: 192.0.2.53
    protocol: udp
    port: 53
    probe: true
"""

RETURN = r"""
---
msg:
  description: The answer in one sentence.
  returned: success
  type: str
  sample: "8080/tcp does not answer eth0: nobody in web listens on tcp port 80."
verdict:
  description:
    - V(reaches) says that a first packet gets there, that somebody takes it, and that an answer gets back. V(blocked) says that RV(blocked_by) stops one
      of them for sure.
    - Of V(unknown) RV(maybe_blocked_by) says why.
  returned: success
  type: str
  sample: blocked
blocked_by:
  description: "The first thing that stops it, null where nothing does: C(what), C(where), the C(command) that shows it, and the C(remedy)."
  returned: success
  type: dict
  sample:
    what: nobody in web listens on tcp port 80
    where: web
    command: ip netns exec web ss -ltnp 'sport = :80'
    remedy: start what is to answer there, or publish another port
maybe_blocked_by:
  description: What leaves it open whether it gets through, in the same form.
  returned: success
  type: list
  elements: dict
  sample: []
listening:
  description: Whether somebody listens at the end; null where the packet does not get there, or has no port.
  returned: success
  type: bool
  sample: false
too_large:
  description:
    - Where packets of full size that must not be taken apart (DF) do not get through, in the form of RV(blocked_by); null where they do.
    - Small packets do, so RV(verdict) may be V(reaches).
  returned: success
  type: dict
  sample: null
hops:
  description: "What happens on the way and back: C(where), C(what), and C(by) which rule or route, empty for none."
  returned: success
  type: list
  elements: dict
  sample:
    - {where: the host, what: "192.0.2.7 > 192.0.2.1:8080 comes in by eth0", by: ""}
    - {where: the host, what: "sends what is for 192.0.2.1:8080 on to 172.17.210.48:80", by: "inet linuxnet_containers publish (rule handle 64)"}
    - {where: the host, what: "192.0.2.7 > 172.17.210.48:80 leaves by docker0", by: 172.17.0.0/16 dev docker0 src 172.17.0.1 scope link}
    - {where: web, what: "192.0.2.7 > 172.17.210.48:80 is for web itself", by: ""}
text:
  description: All of it for people, several lines. The last two say what stops it and what to do.
  returned: success
  type: str
  sample: |-
    eth0 > 8080/tcp: tcp port 8080, 192.0.2.7 > 192.0.2.1:8080
      the host  192.0.2.7 > 192.0.2.1:8080 comes in by eth0
      the host  sends what is for 192.0.2.1:8080 on to 172.17.210.48:80  [inet linuxnet_containers publish (rule handle 64)]
      the host  192.0.2.7 > 172.17.210.48:80 leaves by docker0  [172.17.0.0/16 dev docker0 src 172.17.0.1 scope link]
      web       192.0.2.7 > 172.17.210.48:80 is for web itself
    Stopped: nobody in web listens on tcp port 80.
    Start what is to answer there, or publish another port. To see it: ip netns exec web ss -ltnp 'sport = :80'
"""

from ansible_collections.linuxnet.containers.plugins.module_utils._run import python

python.require()

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import path
from ansible_collections.linuxnet.containers.plugins.module_utils._path import report
from ansible_collections.linuxnet.containers.plugins.module_utils._run import runner


def main():  # type: () -> None
    """Be the module."""
    runner.run_info(report.OPTIONS, report.report, path.Kernel, dict)


if __name__ == "__main__":
    main()
