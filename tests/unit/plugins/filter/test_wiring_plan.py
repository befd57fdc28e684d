# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter wiring_plan: a compiled plan, with the errors and warnings in Ansible's manner."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible.utils.display import Display
from ansible_collections.linuxnet.containers.plugins.filter import wiring_plan
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.compile import compile_plan
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.purge import GATHER
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.steps import empty_plan
from jinja2 import Environment

NETWORKS = [{"name": "br0", "subnets": ["10.0.0.0/24"]}]
CONTAINERS = [{"name": "web"}]
NOTHING: dict[str, list[dict[str, Any]]] = {name: [] for name in GATHER}
BRIDGE: dict[str, Any] = {"name": "old0", "netns": None, "ours": True, "ports": []}

OMITTED = object()
CONTEXT = Environment(autoescape=True).from_string("").new_context({"omit": OMITTED})

plan = functools.partial(wiring_plan.FilterModule().filters()["wiring_plan"], CONTEXT)


@pytest.mark.parametrize("state", ["present", "absent"])
def test_it_compiles(state: str) -> None:
    assert plan(NETWORKS, CONTAINERS, state) == compile_plan(NETWORKS, CONTAINERS, state)
    assert plan(NETWORKS, CONTAINERS, state, NOTHING) == compile_plan(NETWORKS, CONTAINERS, state)


@pytest.mark.parametrize(
    ("container", "sentence"),
    [
        ({"name": ""}, "wiring_containers: item 1 has no name."),
        (
            {"name": "web", "sysctls": {"kernel.x": 1}},
            "wiring_containers: container 'web': sysctls: 'kernel.x' is not a key",
        ),
    ],
)
def test_bad_input_is_ansible_s_error(container: dict[str, Any], sentence: str) -> None:
    with pytest.raises(AnsibleFilterError, match=f"^{sentence}") as refused:
        plan(NETWORKS, [container])
    assert refused.value.__cause__ is None


def test_what_nobody_lists_goes_and_what_has_to_stay_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(Display, "warning", lambda dummy, text: warnings.append(text))
    gone = plan(NETWORKS, CONTAINERS, "present", {**NOTHING, "bridges": [BRIDGE]})
    assert gone["teardown"]["bridge"] == [{"name": "old0", "state": "absent", "only_ours": True, "rewired": ["web"]}]
    assert warnings == []
    pair = {"name": "v0", "netns": None, "peer_name": "eth0", "made_for": "old"}
    space = {
        "name": "old",
        "symlink": None,
        "containers": [],
        "processes": [{"pid": 42, "command": "sleep"}],
        "shared_with": [],
        "interfaces": [],
    }
    kept = plan(NETWORKS, CONTAINERS, "present", {**NOTHING, "veths": [pair], "namespaces": [space]})
    assert kept["teardown"]["netns"] == []
    assert [text.startswith("Netns 'old' is not listed any more and loses its wiring") for text in warnings] == [True]


@pytest.mark.parametrize("omitted", [OMITTED, "__omit_place_holder__8ffc"], ids=["core 2.19", "before"])
def test_what_is_omitted_is_left_out_wherever_it_stands(omitted: Any) -> None:
    """Ansible leaves it out of the arguments of the module wiring, and hands it to filters as it is."""
    context = Environment(autoescape=True).from_string("").new_context({"omit": omitted})
    given = FULL_NETWORK, FULL_CONTAINER
    places = [*_places(given)]
    assert len(places) > 40
    for path in places:
        networks, containers = _with(given, path, omitted), _with(given, path, LEFT_OUT)
        told = _outcome(lambda lists: wiring_plan.wiring_plan(context, [lists[0]], [lists[1]]), networks)
        assert told == _outcome(lambda lists: compile_plan([lists[0]], [lists[1]]), containers), path
    assert wiring_plan.wiring_plan(context, omitted, omitted, omitted) == compile_plan([], [])


LEFT_OUT = object()
FULL_NETWORK = {
    "name": "br0",
    "subnets": ["10.0.0.0/24", "fd00::/64"],
    "gateways": ["10.0.0.9"],
    "ranges": ["10.0.0.64/26"],
    "exclude": ["10.0.0.7"],
    "mtu": 1400,
    "unmanaged": False,
    "masquerade": False,
    "outbound_ipv4": "192.0.2.1",
    "outbound_ipv6": "2001:db8::1",
    "internal": False,
    "isolate": False,
    "icc": False,
    "metric": 7,
    "routes": [{"destination": "10.9.0.0/16", "type": "blackhole"}],
    "state": "present",
}
FULL_CONTAINER = {
    "name": "web",
    "engine": "docker",
    "network_mode": "bridge",
    "networks": [
        {
            "name": "br0",
            "ipv4_address": "10.0.0.5",
            "ipv6_address": "fd00::5",
            "mac_address": "02:42:0a:00:00:05",
            "interface": "net0",
            "host_interface": "web0",
            "default_route": False,
            "port": {"hairpin": True, "cost": 9},
        }
    ],
    "published_ports": [],
    "loopback_addresses": [],
    "forwarding": False,
    "sysctls": {"net.core.somaxconn": 5},
    "routes": [{"destination": "10.8.0.0/16", "type": "blackhole", "metric": 4}],
    "state": "present",
}


def _places(value: Any) -> Iterator[tuple[Any, ...]]:
    """The paths to everything in a value."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else ()
    for key, entry in entries:
        if not isinstance(value, tuple):
            yield (key,)
        yield from ((key, *path) for path in _places(entry))


def _with(value: Any, path: tuple[Any, ...], entry: Any) -> Any:
    """A copy of a value with an entry in place of what is at a path."""
    key, *rest = path
    made = list(value) if isinstance(value, (list, tuple)) else dict(value)
    made[key] = _with(made[key], tuple(rest), entry) if rest else entry
    if not rest and entry is LEFT_OUT:
        del made[key]
    return made


def _outcome(compiled: Callable[[Any], Any], lists: Any) -> Any:
    try:
        return compiled(lists)
    except (Refused, AnsibleFilterError) as error:
        return str(error)


def test_a_refusal_can_be_part_of_the_plan() -> None:
    """For a play that looks at it: an error of a filter has Ansible's own words in front."""
    assert plan(NETWORKS, CONTAINERS, refusal=True) == plan(NETWORKS, CONTAINERS)
    sentence = "wiring_containers: item 1 has no name."
    assert plan(NETWORKS, [{}], refusal=True) == {**empty_plan(), "refusal": sentence}
    assert plan(NETWORKS, [{}], "present", NOTHING, True)["refusal"] == sentence


def test_then_the_variables_of_the_play_are_looked_through_too() -> None:
    context = (
        Environment(autoescape=True).from_string("").new_context({"omit": OMITTED, "wiring_container": CONTAINERS})
    )
    found = wiring_plan.wiring_plan(context, NETWORKS, [], refusal=True)
    assert found["refusal"] == "wiring_container: the role has no such variable; did you mean wiring_containers?"
    assert wiring_plan.wiring_plan(context, NETWORKS, [])["wire"]["bridge"], (
        "a play of one's own calls them as it likes"
    )
