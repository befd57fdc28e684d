# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter topology; what it draws is tested in module_utils/_wiring/test_report.py."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.linuxnet.containers.plugins.filter.topology import FilterModule
from ansible_collections.linuxnet.containers.plugins.plugin_utils import graphviz

topology = FilterModule().filters()["topology"]


def test_it_draws() -> None:
    assert topology({}) == "host\n"
    assert topology({}, [{"name": "br0", "subnets": ["10.0.0.0/24"]}]) == "host\n└─ br0  10.0.0.0/24\n"


def test_the_subnets_are_those_of_the_networks_however_they_are_spelled() -> None:
    networks = [{"name": "br0", "subnets": "10.0.0.0/24, fd00::/64", "state": None}]
    assert topology({}, networks) == "host\n└─ br0  10.0.0.0/24, fd00::/64\n"
    assert topology({}, None) == topology({}, []) == "host\n"


def test_networks_that_are_none_are_ansible_s_error() -> None:
    with pytest.raises(AnsibleFilterError, match=r"^wiring_networks: "):
        topology({}, ["br0"])


PORT = {"name": "eth0", "host_interface": "v0", "bridge": "br0", "addresses": ["10.0.0.2/24"]}
WIRING = {"web": {"network_mode": "bridge", "interfaces": [PORT]}}
NETWORKS = [{"name": "br0", "subnets": ["10.0.0.0/24"]}]


@pytest.mark.parametrize("format", ["svg", "html", "mermaid", "dot"])
def test_one_host_and_several_are_drawn_in_every_format(format: str) -> None:
    one = topology({"one": WIRING}, NETWORKS, format)
    assert "10.0.0.0/24" in one
    assert topology({"one": WIRING}, {"one": NETWORKS}, format, containers=[{"name": "web"}]) == one, (
        "and each time alike"
    )
    both = topology({"one": WIRING, "two": WIRING}, {"one": NETWORKS}, format)
    assert both.count("10.0.0.0/24") == one.count("10.0.0.0/24")
    assert len(both) > len(one)
    assert topology({}, [], format)


def test_several_hosts_as_text() -> None:
    assert (
        topology({"one": WIRING, "two": {}})
        == "one: host\n└─ br0\n   └─ v0 ─── eth0 in web  10.0.0.2/24\n\ntwo: host\n"
    )


def test_a_format_that_is_none() -> None:
    with pytest.raises(AnsibleFilterError, match=r"^topology: format is text, svg, html, mermaid, dot, not 'png'\.$"):
        topology({}, [], "png")


def test_without_graphviz_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(AnsibleFilterError, match="install the package graphviz"):
        topology(WIRING, [], "svg")
    assert topology(WIRING, [], "dot")


def test_a_picture_that_fails_or_never_comes_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "dot"
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(graphviz, "_SECONDS", 0.2)
    for script, said in (
        ("echo No memory. >&2; exit 1", "The program dot of Graphviz failed: No memory."),
        ("exec sleep 60", "s for the picture; draw fewer hosts, or ask for one of the formats text, mermaid or dot."),
    ):
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)
        with pytest.raises(AnsibleFilterError, match=re.escape(said)):
            topology(WIRING, [], "svg")


def test_what_is_in_a_page_is_data() -> None:
    name = "</script><script>alert(1)</script><!--"
    page = topology({name: {name: {"network_mode": "none", "interfaces": []}}}, [], "html")
    assert page.count("<script") == page.count("</script>") == 2
