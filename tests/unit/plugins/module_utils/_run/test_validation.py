# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An item that needs no conversion gets what Ansible's validator would make of it; any other is left to that."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
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


def with_parts(option: dict[str, Any], chance: Random) -> Any:
    """As ``chosen``; of an option whose entries have options of their own mostly such entries."""
    parts = option.get("options", {})
    if option["type"] == "list" and parts and chance.random() < 0.8:
        names = {*chance.sample(sorted(parts), 1), *(name for name, part in parts.items() if part.get("required"))}
        return [{name: chosen(parts[name], chance) for name in names} for _number in range(2)]
    return chosen(option, chance)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.noun)
def test_it_is_what_the_validator_makes(resource: Any) -> None:
    chance = Random(resource.noun)
    taken = parts = 0
    for _number in range(3000):
        names = chance.sample(sorted(resource.options), chance.randint(1, 4))
        required = [name for name, option in resource.options.items() if option.get("required")]
        params = {name: with_parts(resource.options[name], chance) for name in {*names, *required}}
        plain = validation._plain(resource, params)
        if plain is not None:
            taken += 1
            checked = validation.validator(resource).validate(params)
            assert not checked.error_messages
            assert plain == checked.validated_parameters
            parts += any(value and isinstance(value, list) and isinstance(value[0], dict) for value in plain.values())
    assert taken > 20
    assert bool(parts) == any(option.get("options") for option in resource.options.values())


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


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"hairpin": 7}, "hairpin: '7' is neither true nor false."),
        ({"hairpin": [True]}, "hairpin: a list is neither true nor false."),
        ({"cost": "low"}, "cost: 'low' is not a whole number."),
        ({"state": "gone"}, "state: 'gone' is none of present, absent."),
        ({"vlans": {"vid": 1}}, "vlans: a list is needed, not a dict."),
        ({"vlans": [None]}, "vlans: item 1 is empty."),
        ({"vlans": [7]}, "vlans: item 1: a dict is needed, not '7'."),
        ({"vlans": [{"vid": 1}, {"pvid": True}]}, "vlans: item 2: it has no vid."),
        ({"vlans": [{"vid": 1, "tagged": True}]}, "vlans: item 1: there is no option tagged; did you mean untagged?"),
        ({"interface": 1.10}, "interface: 1.1 is a number with a point in YAML; write it in quotes."),
        (
            {"interface": False},
            "interface: false is a boolean in YAML, as no, off, yes and on are; write it in quotes.",
        ),
        ({"hairpim": True}, "there is no option hairpim; did you mean hairpin?"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_in_our_words(params: dict[str, Any], sentence: str) -> None:
    """They are those of the role's lists; and Ansible's list of what is true changes its order with each run."""
    given = {"aggregate": [{"bridge": "br0", "interface": "v0", **params}]}
    with pytest.raises(Invalid) as refused:
        validation.items(bridge_port.RESOURCE, given)
    assert str(refused.value) == f"aggregate item 1: {sentence}"


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.noun)
def test_what_is_converted_here_is_what_the_validator_would_make_of_it(resource: Any) -> None:
    """Generated: for values that both take they agree; but for a boolean where a text or a number is meant, which only Ansible takes."""
    chance = Random(f"typed {resource.noun}")
    agreed = 0
    for _number in range(2000):
        name = chance.choice(sorted(resource.options))
        value = chosen(resource.options[name], chance)
        kind = resource.options[name]["type"]
        spec = ArgumentSpecValidator({name: {k: v for k, v in resource.options[name].items() if k != "required"}})
        theirs = spec.validate({name: value})
        try:
            ours = validation.canonical(value, resource.options[name], name)
        except Invalid:
            assert theirs.error_messages or isinstance(value, bool), (name, value)
            continue
        assert not theirs.error_messages, (name, value)
        if kind not in ("path", "list"):
            assert ours == theirs.validated_parameters[name], (name, value)
        agreed += 1
    assert agreed > 500


def told(resource: Any, *items: dict[str, Any]) -> str:
    with pytest.raises(Invalid) as caught:
        validation.items(resource, {"aggregate": list(items)})
    return str(caught.value)


def test_two_items_for_one_thing_are_refused_unless_they_are_alike() -> None:
    message = "aggregate item 1 and aggregate item 3: the bridge br0 is asked for twice, and not alike; list it once."
    assert told(bridge.RESOURCE, {"name": "br0"}, {"name": "br1"}, {"name": "br0", "mtu": 1400}) == message
    assert "is asked for twice" in told(bridge.RESOURCE, {"name": "br0"}, {"name": "br0", "state": "absent"})
    alike = [{"name": "br0", "mac": "02:00:00:00:00:0A"}, {"name": "br0", "mac": "02-0-0-0-0-a"}]
    assert len(validation.items(bridge.RESOURCE, {"aggregate": alike})) == 2
    elsewhere = [{"name": "br0"}, {"name": "br0", "netns": "web", "mtu": 1400}]
    assert len(validation.items(bridge.RESOURCE, {"aggregate": elsewhere})) == 2


def test_every_noun_says_what_it_is_about() -> None:
    """Without an identity twins of a noun would take turns."""
    items: dict[str, dict[str, Any]] = {
        "bridge": {"name": "br0"},
        "bridge_port": {"bridge": "br0", "interface": "p0"},
        "netns": {"name": "web"},
        "veth": {"name": "v0", "peer_netns": "web"},
        "ns_address": {"interface": "eth0", "address": "10.0.0.1/24"},
        "ns_route": {"gateway": "10.0.0.1"},
        "nat": {"source": "10.0.0.0/24"},
    }
    for resource in RESOURCES:
        (want,) = validation.items(resource, items[resource.noun])
        assert resource.identities(want)
        assert resource.same(want, want)


@pytest.mark.parametrize("value", [float("inf"), "-Infinity", " inf"])
def test_a_number_without_an_end_is_refused_in_a_sentence(value: Any) -> None:
    message = f"aggregate item 1: metric: '{value}' is not a whole number."
    assert told(ns_route.RESOURCE, {"interface": "eth0", "metric": value}) == message
    hops = [{"interface": "eth0", "weight": value}, {"interface": "eth1"}]
    assert told(ns_route.RESOURCE, {"nexthops": hops}) == (
        f"aggregate item 1: nexthops: item 1: weight: '{value}' is not a whole number."
    )
