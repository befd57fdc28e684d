# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a network of the role's list asks of the modules, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.compile import compile_plan
from ansible_collections.linuxnet.containers.tests.unit.plans import BACK, DOCKER0, NOTHING_PUBLISHED, wire


def test_what_a_network_says_is_passed_on() -> None:
    net = {
        "name": "br0",
        "subnets": ["10.0.0.0/24", "10.1.0.0/24"],
        "gateways": ["10.1.0.254"],
        "ranges": ["10.0.0.128/25"],
        "exclude": ["10.0.0.200"],
        "mtu": 1400,
        "metric": 50,
        "outbound_ipv4": "192.0.2.1",
        "routes": [{"destination": "10.9.0.0/16", "gateway": "10.0.0.9"}],
    }
    made = wire([net], [{"name": "web", "routes": [{"destination": "10.8.0.0/16", "type": "blackhole"}]}])
    assert made["bridge"] == [{"name": "br0", "only_ours": True, "mtu": "1400"}]
    assert [one["address"] for one in made["gateway"]] == ["10.0.0.1/24", "10.1.0.254/24"]
    assert [(one["pool"], one.get("range"), one["gateway"]) for one in made["address"]] == [
        ("10.0.0.0/24", "10.0.0.128/25", "10.0.0.1"),
        ("10.1.0.0/24", None, "10.1.0.254"),
    ]
    assert made["address"][0]["exclude"] == ["10.0.0.200"]
    assert made["route"] == [
        {"netns": "web", "family": "ipv4", "gateway": "10.0.0.1", "interface": "eth0", "metric": 50},
        {"interface": "eth0", "destination": "10.9.0.0/16", "gateway": "10.0.0.9", "netns": "web"},
        {"destination": "10.8.0.0/16", "type": "blackhole", "netns": "web"},
    ]
    assert [(one["type"], one["to_address"]) for one in made["nat"][1:3]] == [("snat", "192.0.2.1")] * 2
    assert made["nat"][3:] == [NOTHING_PUBLISHED]


def test_an_internal_network_has_no_gateway_no_route_and_no_nat() -> None:
    made = wire([{**BACK, "internal": True}], [{"name": "web"}])
    assert made["gateway"] == [{"interface": "back", "address": "10.1.0.1/24", "state": "absent"}]
    assert made["route"] == []
    assert made["nat"] == [
        {"type": "filter", "bridge": "back", "owner": "back", "isolate": True, "icc": True, "internal": True},
        {"source": "10.1.0.0/24", "owner": "back", "state": "absent"},
        NOTHING_PUBLISHED,
    ]
    assert [one["pool"] for one in made["address"]] == ["10.1.0.0/24"]


def test_an_unmanaged_bridge_is_neither_made_nor_given_an_address() -> None:
    made = wire([{**BACK, "unmanaged": True}], [{"name": "web"}])
    assert (made["bridge"], made["gateway"]) == ([], [])
    assert made["veth"][0]["bridge"] == "back"
    down = compile_plan([{**BACK, "unmanaged": True}], [], "absent")["teardown"]
    assert (down["bridge"], len(down["nat"])) == ([], 2)


NET = "wiring_networks: network 'docker0': "
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "wiring_networks: item 1 has no name."),
    ({"name": "docker0"}, NET + "it needs at least one subnet in subnets."),
    (
        {"name": "docker0", "subnets": ["172.17.0.0/16", "172.17.1.0/24"]},
        NET + "its subnets 172.17.0.0/16 and 172.17.1.0/24 overlap.",
    ),
    ({**DOCKER0, "subnets": ["172.17.0.1/16"]}, NET + "subnets: '172.17.0.1/16' is not a network"),
    ({**DOCKER0, "gateways": ["10.9.9.9"]}, NET + "gateways: 10.9.9.9 is in none of its subnets."),
    (
        {**DOCKER0, "gateways": ["172.17.0.1", "172.17.0.2"]},
        NET + "more than one gateway or range for the subnet 172.17.0.0/16.",
    ),
    (
        {**DOCKER0, "gateways": ["172.17.255.255"]},
        NET + "the gateway 172.17.255.255 is not an address a host can have in 172.17.0.0/16.",
    ),
]


@pytest.mark.parametrize(("network", "sentence"), REFUSED)
def test_what_is_refused_says_where_and_why(network: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Invalid) as caught:
        compile_plan([network], [])
    assert str(caught.value).startswith(sentence)
