# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's variables, compiled to each module's list of items, in order."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.compile import compile_plan, resolved
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.containers import BORN_WITH
from ansible_collections.linuxnet.containers.tests.unit.plans import (
    BACK,
    CHECK,
    CHECKED_FIRST,
    DOCKER0,
    NO_CHECKS,
    NO_LOOPBACK,
    NO_PORTS,
    NO_ROUTES,
    NOTHING_PUBLISHED,
    listed,
)


def test_one_network_and_one_container() -> None:
    plan = compile_plan([DOCKER0], [{"name": "web"}])
    pools = {"pools": ["172.17.0.0/16", "fd00:17::/64"], "exclude": ["172.17.0.1", "fd00:17::1"]}
    assert list(plan["wire"]) == [
        "netns",
        "vrf",
        "bridge",
        "nat",
        "link",
        "gateway",
        "veth",
        "bridge_port",
        "address",
        "route",
        "publish",
        "join",
        "keep",
    ]
    where = {"netns": "web", "interface": "eth0", "bridge": "docker0", "supersede": True}
    assert listed(plan) == {"docker0": ["web"]}
    assert plan["wire"] == {
        "keep": [],
        "vrf": [],
        "link": [],
        "netns": [{"name": "web", "new_sysctls": BORN_WITH}],
        "bridge": [{"name": "docker0", "only_ours": True, "mtu": "auto", "accept_ra": False}],
        "gateway": [
            {"interface": "docker0", "address": "172.17.0.1/16", "bridge": "docker0", "nodad": True, "supersede": True}
            | {"broadcast": "172.17.255.255"},
            {"interface": "docker0", "address": "fd00:17::1/64", "bridge": "docker0", "nodad": True, "supersede": True},
        ],
        "veth": [
            {
                "peer_netns": "web",
                "peer_name": "eth0",
                "exclusive": True,
                "bridge": "docker0",
                "mtu": "auto",
                "peer_accept_ra": False,
            }
        ],
        "bridge_port": [],
        "address": [
            {
                **where,
                "gateway": "172.17.0.1",
                "pool": "172.17.0.0/16",
                "broadcast": "172.17.255.255",
                "loopback": True,
            },
            {**where, "gateway": "fd00:17::1", "pool": "fd00:17::/64"},
        ],
        "route": [
            {"netns": "web", "family": "ipv4", "gateway": "172.17.0.1", "interface": "eth0", "exclusive": True},
            {"netns": "web", "family": "ipv6", "gateway": "fd00:17::1", "interface": "eth0", "exclusive": True},
        ],
        "nat": [
            {
                "type": "filter",
                "bridge": "docker0",
                "owner": "docker0",
                "isolate": True,
                "icc": True,
                "internal": False,
            },
            {"source": "172.17.0.0/16", "owner": "docker0", "out_interface": "!docker0", "exclusive": True},
            {"source": "fd00:17::/64", "owner": "docker0", "out_interface": "!docker0", "exclusive": True},
            NO_PORTS,
            {**CHECKED_FIRST, **pools},
        ],
        "publish": [NOTHING_PUBLISHED, {**CHECK, **pools, "addresses": ["web/eth0/ipv4", "web/eth0/ipv6"]}],
        "join": [],
    }
    assert list(plan["teardown"]) == [
        "keep",
        "publish",
        "route",
        "address",
        "veth",
        "link",
        "netns",
        "bridge",
        "vrf",
        "nat",
    ]
    assert not any(plan["teardown"].values())


def test_g8_mode_none_takes_earlier_wiring_away_and_keeps_the_namespace() -> None:
    plan = compile_plan([DOCKER0], [{"name": "web", "network_mode": "none"}])
    assert plan["wire"]["netns"] == [{"name": "web", "new_sysctls": BORN_WITH}]
    assert [plan["wire"][step] for step in ("veth", "address", "route")] == [[], [NO_LOOPBACK], [NO_ROUTES]]
    assert plan["teardown"]["veth"] == [
        {"peer_netns": "web", "peer_name": "eth0", "exclusive": True, "state": "absent"}
    ]


@pytest.mark.parametrize(
    ("networks", "containers", "state"),
    [
        ([DOCKER0], [{"name": "web"}], "absent"),
        (
            [{**DOCKER0, "state": "absent"}],
            [{"name": "web", "state": "absent", "networks": [{"name": "docker0"}]}],
            "present",
        ),
    ],
)
def test_absent_takes_it_down_from_the_outside_in(networks: Any, containers: Any, state: str) -> None:
    plan = compile_plan(networks, containers, state)
    rule = {"owner": "docker0", "state": "absent", "goes_with": "docker0"}
    assert plan["teardown"] == {
        "keep": [],
        "vrf": [],
        "link": [],
        "address": [],
        "publish": [NO_PORTS],
        "nat": [
            {"type": "filter", "bridge": "docker0", **rule},
            rule,
            NO_CHECKS,
        ],
        # All of a list may say what has its namespace; of one container that is absent nothing may be left to say it.
        "route": [] if state == "absent" else [NO_ROUTES],
        "veth": [{"peer_netns": "web", "peer_name": "eth0", "exclusive": True, "state": "absent"}],
        "netns": [{"name": "web", "state": "absent"}],
        "bridge": [{"name": "docker0", "only_ours": True, "state": "absent"}],
    }
    assert not any(plan["wire"].values())


def test_a_bridge_that_goes_is_told_which_pairs_are_about_to_leave_it() -> None:
    """So a network can be replaced by one of another name in one run."""
    plan = compile_plan([{**DOCKER0, "state": "absent"}, BACK], [{"name": "web", "networks": [{"name": "back"}]}])
    assert [one["rewired"] for one in plan["teardown"]["bridge"]] == [["web"]]
    assert [one.get("rewired") for one in plan["teardown"]["nat"]] == [["web"]] * 2


def test_those_who_join_come_last_each_after_the_one_it_joins() -> None:
    boxes = [
        {"name": "c", "network_mode": "container:b"},
        {"name": "b", "network_mode": "container:a", "engine": "docker"},
        {"name": "proxy", "network_mode": "host"},
        {"name": "a"},
    ]
    made = compile_plan([DOCKER0], boxes)
    assert [one["name"] for one in made["wire"]["netns"]] == ["a"]
    assert made["wire"]["join"] == [
        {"name": "b", "share": "a", "container": "b", "engine": "docker"},
        {"name": "c", "share": "b"},
        {"name": "proxy", "share": "host"},
    ]
    assert [one["peer_netns"] for one in made["teardown"]["veth"]] == ["b", "c", "proxy"]
    assert [one["name"] for one in compile_plan([DOCKER0], boxes, "absent")["teardown"]["netns"]] == [
        "proxy",
        "c",
        "b",
        "a",
    ]


def test_a_circle_of_containers_can_be_taken_down() -> None:
    boxes = [{"name": "a", "network_mode": "container:b"}, {"name": "b", "network_mode": "container:a"}]
    down = compile_plan([DOCKER0], boxes, "absent")["teardown"]
    assert [one["name"] for one in down["netns"]] == ["a", "b"]
    absent = [{**one, "state": "absent"} for one in boxes]
    assert compile_plan([DOCKER0], absent)["teardown"]["netns"] == down["netns"]


def test_addresses_are_filled_in_from_the_step_that_gave_them() -> None:
    items = [{"to_address": "web/eth0/ipv4"}, {"source": "10.0.0.0/8"}]
    given: list[dict[str, Any]] = [
        {"after": {"netns": "web", "interface": "eth0", "family": "ipv4", "ip": "10.0.0.9"}},
        {"failed": True},
    ]
    assert resolved(items, given) == [{"to_address": "10.0.0.9"}, {"source": "10.0.0.0/8"}]
    assert resolved(items, None)[0] == {"to_address": "192.0.0.8"}, (
        "no host has it, so that nothing can be published on it"
    )
    with pytest.raises(Invalid, match=r"container 'web' got no ipv4 address on eth0\."):
        resolved(items, [])


REFUSED: list[tuple[list[dict[str, Any]], list[dict[str, Any]], str]] = [
    ([DOCKER0, DOCKER0], [], "wiring_networks: 'docker0' is listed twice."),
    ([{"name": "docker0", "state": "absent"}] * 2, [], "wiring_networks: 'docker0' is listed twice."),
    (
        [BACK, {"name": "docker0", "subnets": ["10.0.0.0/8"]}],
        [],
        "wiring_networks: 10.0.0.0/8 of network 'docker0' overlaps 10.1.0.0/24 of network 'back'.",
    ),
    ([DOCKER0], [{"name": "web"}, {"name": "web"}], "wiring_containers: 'web' is listed twice."),
]


@pytest.mark.parametrize(("networks", "containers", "sentence"), REFUSED)
def test_what_is_refused_says_where_and_why(networks: Any, containers: Any, sentence: str) -> None:
    with pytest.raises(Invalid) as caught:
        compile_plan(networks, containers)
    assert str(caught.value).startswith(sentence)
