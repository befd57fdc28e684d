# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An item that needs no conversion gets what Ansible's validator would make of it; any other is left to that."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import (
    bridge,
    bridge_port,
    netns,
    ns_address,
    ns_route,
    veth,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import resource as nat
from ansible_collections.linuxnet.containers.plugins.module_utils._run import validation

RESOURCES = [module.RESOURCE for module in (bridge, bridge_port, nat, netns, ns_address, ns_route, veth)]
VALUES = {"str": ["a", "", "7", 7, True], "int": [1, 0, "3", True, 2.0], "bool": [True, False, "yes", 1, "x"]}
VALUES |= {"dict": [{}, {"k": "v"}, "k=v"], "list": [[], ["a"], "a,b"], "path": ["/x", "~"]}


def chosen(option: dict[str, Any], chance: Random) -> Any:
    return chance.choice([*option.get("choices", ()), *VALUES.get(option["type"], ["a"])])


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.noun)
def test_it_is_what_the_validator_makes(resource: Any) -> None:
    chance = Random(resource.noun)
    taken = 0
    for _number in range(3000):
        names = chance.sample(sorted(resource.options), chance.randint(1, 4))
        required = [name for name, option in resource.options.items() if option.get("required")]
        params = {name: chosen(resource.options[name], chance) for name in {*names, *required}}
        plain = validation._plain(resource, params)
        if plain is not None:
            taken += 1
            checked = validation.validator(resource).validate(params)
            assert not checked.error_messages
            assert plain == checked.validated_parameters
    assert taken > 20


@pytest.mark.parametrize(
    "params",
    [
        {"interface": "eth0", "address": "10.0.0.1/8", "pool": "10.0.0.0/8"},
        {"interface": "eth0", "address": "10.0.0.1/8", "stat": "present"},
        {"interface": "eth0", "address": "10.0.0.1/8", "state": "up"},
        {"interface": "eth0", "address": "10.0.0.1/8", "probe": "yes"},
        {"address": "10.0.0.1/8"},
    ],
)
def test_what_is_not_plain_is_left_to_the_validator(params: dict[str, str]) -> None:
    assert validation._plain(ns_address.RESOURCE, params) is None


def test_options_at_the_top_are_defaults_of_every_item() -> None:
    items = [{"name": "br0"}, {"name": "br1", "mtu": "9000", "stp": False}]
    wants = validation.items(bridge.RESOURCE, {"aggregate": items, "mtu": "1400", "stp": True, "state": "present"})
    assert [(one.name, one.attributes["mtu"], one.attributes["stp"]) for one in wants] == [
        ("br0", 1400, True),
        ("br1", 9000, False),
    ]


def test_without_aggregate_the_task_is_one_item() -> None:
    wants = validation.items(bridge.RESOURCE, {"name": "br0", "aggregate": None})
    assert [(one.name, one.present) for one in wants] == [("br0", True)]
    assert validation.items(bridge.RESOURCE, {"aggregate": []}) == []
