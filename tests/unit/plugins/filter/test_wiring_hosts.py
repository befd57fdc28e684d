# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter wiring_hosts: whom a container finds by name, and whom not."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.linuxnet.containers.plugins.filter.wiring_hosts import FilterModule

hosts = FilterModule().filters()["wiring_hosts"]
LOOPBACK = ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback"]


def on(*interfaces: dict[str, Any], netns: str = "x", mode: str = "bridge") -> dict[str, Any]:
    return {"netns": netns, "network_mode": mode, "interfaces": [*interfaces]}


def port(bridge: str, *addresses: str) -> dict[str, Any]:
    return {"name": "eth0", "bridge": bridge, "addresses": [*addresses]}


def end(name: str, link: str, address: str) -> dict[str, Any]:
    return {"name": name, "bridge": None, "link": link, "addresses": [address]}


WIRED = {
    "web": on(port("front", "10.1.0.2/24", "fd00::2/64"), end("eth1", "r1:eth1", "10.0.0.0/31"), netns="web"),
    "side": on(port("front", "10.1.0.2/24"), mode="container:web"),
    "db": on(port("front", "10.1.0.3/24"), {**port("back", "10.2.0.3/24"), "name": "eth1"}),
    "far": on(port("back", "10.2.0.4/24")),
    "r1": on(end("eth1", "web:eth1", "10.0.0.1/31"), netns="r1"),
    "lan1": on({"name": "eth0", "bridge": None, "kind": "macvlan", "parent": "eno1", "addresses": ["192.0.2.7/24"]}),
    "lan2": on({"name": "eth0", "bridge": None, "kind": "macvlan", "parent": "eno1", "addresses": ["192.0.2.8/24"]}),
    "proxy": {"network_mode": "host"},
    "alone": on(mode="none"),
}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (
            "web",
            ["10.1.0.2 web", "fd00::2 web", "10.0.0.0 web", "10.1.0.2 side", "10.1.0.3 db", "10.0.0.1 r1"],
        ),
        ("far", ["10.2.0.3 db", "10.2.0.4 far"]),
        ("r1", ["10.0.0.0 web", "10.0.0.1 r1"]),
        ("lan1", ["192.0.2.7 lan1", "192.0.2.8 lan2"]),
        ("alone", []),
    ],
)
def test_those_on_a_network_or_link_with_it_are_found_at_their_addresses_there(name: str, found: list[str]) -> None:
    assert hosts(WIRED, name).splitlines() == LOOPBACK + found


def test_the_names_of_who_is_in_the_host_s_network_are_the_host_s() -> None:
    assert hosts(WIRED, "proxy") == ""


@pytest.mark.parametrize(
    "name",
    ["localhost", "LocalHost", "a b", "x\n10.0.0.1 db", "10.0.0.1", "fd00::1", "-x", "x-", "ü", "", "x" * 64, "#x"],
)
def test_a_name_that_is_no_host_name_has_no_line(name: str) -> None:
    """Nor can one stand for another host's."""
    wired = {"web": WIRED["web"], name: on(port("front", "10.1.0.9/24"))}
    assert "10.1.0.9" not in hosts(wired, "web")
    assert hosts(wired, name).splitlines() == [*LOOPBACK, "10.1.0.2 web", "fd00::2 web"]


@pytest.mark.parametrize(
    ("given", "name", "said"),
    [
        (WIRED, "nobody", "there is no container 'nobody' in what it was given"),
        ({"web": {}}, "web", "which is no result of the role's, was not understood"),
        ([], "web", "which is no result of the role's, was not understood"),
    ],
)
def test_what_is_wrong_is_said(given: Any, name: str, said: str) -> None:
    with pytest.raises(AnsibleFilterError, match=said):
        hosts(given, name)
