# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping

from ansible.errors import AnsibleError, AnsibleFilterError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused, in_sentences, understood
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.report import text
from jinja2 import TemplateError

DOCUMENTATION = r"""
---
name: topology
short_description: Draw a wiring, as text, SVG, HTML, Mermaid or for Graphviz
version_added: 0.1.0
author:
  - linuxnet.containers contributors
description:
  - Draws the host, its bridges and VRFs, who is behind which virtual interface, and which links are made on which parent.
  - The same wiring gives the same picture.
positional: _input, networks, format
options:
  _input:
    description: The C(wiring_result) of the role P(linuxnet.containers.wiring#role), or what M(linuxnet.containers.wiring_info) returns as C(wiring);
      or a dictionary of these, by the name of the host.
    type: dict
    required: true
  networks:
    description: The networks, as C(wiring_networks) has them, for all hosts or by the name of the host; they add the subnets.
    type: raw
    default: []
  format:
    description:
      - What the picture is made of. V(text) is for people at a terminal.
      - V(svg) and V(html) need the program C(dot) of Graphviz on the controller. V(html) is one file, which needs no network, with a search, filters and
        what is known of what is clicked.
      - V(mermaid) is for pages that draw it themselves, V(dot) for Graphviz.
    type: str
    choices: [text, svg, html, mermaid, dot]
    default: text
    version_added: 0.3.0
  containers:
    description: The containers, as C(wiring_containers) has them. Those that are not listed get another colour, and so do those that are listed and not
      there. For all hosts, or by the name of the host. Not for O(format=text).
    type: raw
    version_added: 0.3.0
"""

EXAMPLES = r"""
---
- name: Draw the wiring
  ansible.builtin.debug:
    msg: "{{ wiring_result | linuxnet.containers.topology(wiring_networks) }}"

- name: Look at the wiring, whoever did it
  linuxnet.containers.wiring_info:
    netns: [web, db]
  register: seen

- name: Draw it, with the subnets
  ansible.builtin.debug:
    msg: "{{ seen.wiring | linuxnet.containers.topology(wiring_networks) }}"

- name: Keep it as a page, with what is not listed in another colour
  ansible.builtin.copy:
    dest: wiring.html
    mode: "0644"
    content: "{{ {inventory_hostname: seen.wiring} | linuxnet.containers.topology(wiring_networks, 'html', containers=wiring_containers) }}"
  delegate_to: localhost
"""

RETURN = r"""
---
_value:
  description: The picture, a text of several lines.
  type: str
"""


FORMATS = ("text", "svg", "html", "mermaid", "dot")


@in_sentences(AnsibleFilterError, (AnsibleError, TemplateError))
def topology(
    wiring: Mapping[str, Any],
    networks: Any = None,
    format: str = "text",
    containers: Any = None,
) -> str:
    """Return the picture; networks that are none become Ansible's error."""
    # Here and not above: to find one filter of a collection, Ansible loads all of them, in each task anew.
    from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.variables import entries

    if format not in FORMATS:
        raise AnsibleFilterError("topology: format is %s, not '%s'." % (", ".join(FORMATS), format))
    what = (
        "what it was given, which is neither wiring_result nor what wiring_info returns as wiring, nor these by host,"
    )
    with understood(Refused, "topology: " + what):
        hosts = wiring if _by_host(wiring) else {"host": wiring}

        def lists(variable: str, given: Any) -> Dict[str, Any]:
            of = given if isinstance(given, Mapping) else dict.fromkeys(hosts, given)
            return {host: None if listed is None else entries(variable, listed) for host, listed in of.items()}

        nets, boxes = lists("networks", networks or []), lists("containers", containers)
        if format == "text":
            texts = [(host, text(one, nets.get(host) or ())) for host, one in hosts.items()]
            return texts[0][1] if hosts is not wiring else "\n".join("%s: %s" % one for one in texts)
        return _drawn({host: (one, nets.get(host) or (), boxes.get(host)) for host, one in hosts.items()}, format)


def _by_host(wiring: Mapping[str, Any]) -> bool:
    """Return whether wirings of several hosts are given: each is by list or by container, whereas a container has a ``network_mode``."""
    return bool(wiring) and all(isinstance(one, Mapping) and "network_mode" not in one for one in wiring.values())


def _drawn(hosts: Mapping[str, Any], format: str) -> str:
    """Return a picture that is not of text."""
    from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.graph import dot, graph, mermaid

    found = graph(hosts)
    if format in ("mermaid", "dot"):
        return mermaid(found) if format == "mermaid" else dot(found)
    from ansible_collections.linuxnet.containers.plugins.plugin_utils import graphviz

    drawing = graphviz.svg(dot(found))
    if format == "svg":
        return drawing
    from ansible_collections.linuxnet.containers.plugins.plugin_utils.page import page

    return page(found, drawing, "Wiring of %s" % (", ".join(hosts) if len(hosts) < 4 else "%d hosts" % len(hosts)))


class FilterModule:
    """The filter, by name."""

    def filters(self) -> Dict[str, Callable[..., Any]]:
        return {"topology": topology}
