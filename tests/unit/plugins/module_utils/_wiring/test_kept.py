# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan that a host keeps: as text, moved on by runs, and carried out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import kept
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.compile import compile_plan, resolved
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.kept import Asked, Kept
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.validation import wants_of
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.variables import entries

FRONT, BACK = entries(
    "networks",
    [
        {"name": "front", "subnets": ["10.1.0.0/24", "fd00:1::/64"]},
        {"name": "back", "subnets": ["10.2.0.0/24"], "mtu": "1400"},
    ],
)
WEB, DB, SIDE = entries(
    "containers",
    [
        {"name": "web", "networks": [{"name": "front"}]},
        {"name": "db", "networks": [{"name": "back", "ipv4_address": "10.2.0.9"}, {"name": "front"}]},
        {"name": "side", "network_mode": "container:web"},
    ],
)
GIVEN = {"web": {"eth0": ["10.1.0.5/24", "fd00:1::5/64"]}, "db": {"eth1": ["10.1.0.6/24"]}}
WHOLE = Kept([FRONT, BACK], [WEB, DB, SIDE], GIVEN, {"front": 1450}, "me", "nftables")


def named(what: Kept) -> tuple[list[str], list[str]]:
    return [one["name"] for one in what.networks], [one["name"] for one in what.containers]


def test_text_is_read_back_and_the_same_plan_has_the_same_text() -> None:
    text = kept.text_of(WHOLE)
    again = kept.read(text)
    assert (again.networks, again.containers, again.addresses, again.mtus, again.identity, again.backend) == (
        [FRONT, BACK],
        [WEB, DB, SIDE],
        GIVEN,
        {"front": 1450},
        "me",
        "nftables",
    )
    assert kept.text_of(again) == text


def test_nothing_kept_is_no_text() -> None:
    assert kept.text_of(Kept()) == ""
    assert not kept.read("")


def spoiled(**changes: Any) -> str:
    return json.dumps({**json.loads(kept.text_of(WHOLE)), **changes})


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "[]",
        "{}",
        kept.text_of(WHOLE)[:-5],
        spoiled(addresses=[]),
        spoiled(addresses={"web": {"eth0": ["x"]}}),
        spoiled(mtus={"front": "x"}),
        spoiled(networks=[{"name": "front", "subnets": 7}]),
        spoiled(containers=[{"name": "web", "networks": [{"name": "nowhere"}]}]),
        spoiled(version=2),
    ],
)
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        kept.read(text)


def test_a_run_adds_and_replaces_and_leaves_what_it_does_not_list() -> None:
    other = {**WEB, "published_ports": ["80:80"]}
    found, warnings = kept.merged(WHOLE, Asked([FRONT], [other]))
    assert (named(found), warnings) == ((["front", "back"], ["web", "db", "side"]), [])
    assert found.containers[0] == other
    assert found.addresses == GIVEN


def test_what_is_given_up_goes_with_its_addresses() -> None:
    found, warnings = kept.merged(WHOLE, Asked(forget_networks=["back"], forget_containers=["db"]))
    assert (named(found), warnings) == ((["front"], ["web", "side"]), [])
    assert found.addresses == {"web": GIVEN["web"]}
    empty, warnings = kept.merged(found, Asked(forget_networks=["front"], forget_containers=["web", "side"]))
    assert (named(empty), warnings, kept.text_of(empty)) == (([], []), [], "")


def test_a_network_stays_while_containers_of_earlier_runs_are_on_it() -> None:
    found, warnings = kept.merged(WHOLE, Asked(forget_networks=["front", "back"], forget_containers=["db"]))
    assert named(found) == (["front"], ["web", "side"])
    assert warnings == [
        "Network 'front' stays among those that are kept on this host, for container 'web', of an earlier run, is on it."
    ]


def test_who_shares_the_namespace_of_one_that_goes_goes_with_it() -> None:
    found, warnings = kept.merged(WHOLE, Asked(forget_containers=["web"]))
    assert named(found) == (["front", "back"], ["db"])
    assert warnings == [
        "Container 'side', of an earlier run, is not kept on this host any more, for container 'web' is not."
    ]


def test_purge_keeps_nothing_else() -> None:
    found, warnings = kept.merged(WHOLE, Asked(only=True, stay_networks=["front"], stay_containers=["web"]))
    assert (named(found), warnings) == ((["front"], ["web"]), [])
    assert not kept.merged(WHOLE, Asked(only=True))[0]


def test_what_cannot_be_together_is_refused() -> None:
    [same] = entries("networks", [{"name": "other", "subnets": ["10.1.0.0/25"]}])
    with pytest.raises(Invalid, match=r"wiring_persist: what this run and earlier ones list together.*overlaps"):
        kept.merged(WHOLE, Asked([same]))


def test_addresses_and_mtus_are_those_that_there_were() -> None:
    wire = kept.compiled(WHOLE)["wire"]
    addresses: dict[tuple[str, str], list[str]] = {(item["netns"], item["interface"]): [] for item in wire["address"]}
    for item in wire["address"]:
        addresses[item["netns"], item["interface"]].append(item.get("address") or item["pool"])
    assert addresses == {
        ("web", "eth0"): ["10.1.0.5/24", "fd00:1::5/64"],
        ("db", "eth0"): ["10.2.0.9/24"],
        ("db", "eth1"): ["10.1.0.6/24", "fd00:1::/64"],
    }
    assert not any("address" in item and ({"pool", "range", "exclude"} & item.keys()) for item in wire["address"])
    assert [item["mtu"] for item in wire["bridge"]] == ["1450", "1400"]
    assert sorted(item["mtu"] for item in wire["veth"]) == ["1400", "1450", "1450"]


def test_an_address_that_is_in_the_pool_no_more_is_not_given_again() -> None:
    [small] = entries("networks", [{"name": "front", "subnets": ["10.3.0.0/24"]}])
    plan = kept.compiled(Kept([small], [WEB], GIVEN))
    assert [item.get("pool") for item in plan["wire"]["address"]] == ["10.3.0.0/24"]


def test_a_part_is_a_container_with_its_networks_and_whose_namespace_it_shares() -> None:
    assert named(kept.part(WHOLE, ["db"])) == (["front", "back"], ["db"])
    assert named(kept.part(WHOLE, ["side"])) == (["front"], ["web", "side"])
    with pytest.raises(Refused, match="'gone' is not among those that are kept"):
        kept.part(WHOLE, ["gone"])


def test_all_is_undone_or_some_containers_alone() -> None:
    down = kept.undone(WHOLE)
    assert not any(down["wire"].values())
    assert [item["name"] for item in down["teardown"]["bridge"]] == ["front", "back"]
    some = kept.undone(WHOLE, ["db"])
    assert not any(some["wire"].values())
    assert not some["teardown"]["bridge"]
    assert [item["name"] for item in some["teardown"]["netns"]] == ["db"]
    assert [item["owner"] for item in some["teardown"]["nat"]] == ["db"], "its ports are checked no longer"


PODS = entries(
    "containers",
    [
        {"name": "side", "network_mode": "container:pod", "engine": "podman"},
        {"name": "pod", "engine": "podman", "networks": [{"name": "front"}]},
        {"name": "box", "engine": "docker", "networks": [{"name": "front"}]},
    ],
)
RUN = Kept([FRONT, BACK], [WEB, *PODS], GIVEN)


def test_who_does_not_run_has_those_beside_him_who_share_his_namespace() -> None:
    assert kept.with_joined(RUN, ["pod", "box"]) == ["pod", "box", "side"]
    assert kept.with_joined(RUN, ["side"]) == ["side"]
    assert kept.with_joined(RUN, []) == []
    assert named(kept.without(RUN, ["side", "pod"])) == (["front", "back"], ["web", "box"])


def test_what_is_left_of_who_rests_is_taken_away_and_the_others_are_wired() -> None:
    plan = kept.compiled(RUN, ["pod", "side"])
    assert sorted(item["name"] for item in plan["teardown"]["netns"]) == ["pod", "side"]
    assert [item["name"] for item in plan["wire"]["netns"]] == ["web", "box"]
    assert not plan["wire"]["join"]


@pytest.mark.parametrize("name", ["pod", "side"])
def test_where_an_engine_starts_a_container_no_other_is_looked_up(name: str) -> None:
    """Whose namespace it shares has its name already."""
    plan = kept.compiled(kept.part(RUN, [name]), starting=name)
    items = [*plan["wire"]["netns"], *plan["wire"]["join"]]
    assert [(item["name"], item["container"], item["engine"]) for item in items] == [(name, name, "podman")]


def test_drift_stays_as_the_last_run_that_kept_something_had_it() -> None:
    found, _warnings = kept.merged(WHOLE, Asked(containers=[WEB], drift="tell"))
    assert found.drift == "tell"
    found, _warnings = kept.merged(found, Asked(forget_containers=["side"]))
    assert (found.drift, kept.read(kept.text_of(found)).drift) == ("tell", "tell")
    text = kept.text_of(WHOLE).replace(' "drift": "ignore",\n', "")
    assert '"drift"' not in text
    assert kept.read(text).drift == "ignore"


MEMBERS = [{"name": f"h{number}", "underlay_address": f"198.18.1.{number}"} for number in (1, 2, 3)]
SHARED: list[dict[str, Any]] = [
    {"name": "front", "driver": "routed", "subnets": ["10.7.0.0/16", "fd00:7::/48"]},
    {"name": "wide", "driver": "vxlan", "subnets": ["10.8.0.0/16"], "vni": 8},
]
ON_SHARED: list[dict[str, Any]] = [
    {"name": "web", "networks": [{"name": "front"}, {"name": "wide"}], "published_ports": ["8080:80"]}
]


def test_an_uplink_that_is_not_there_yet_is_waited_for() -> None:
    """The step that follows when the host has its network makes it a port."""
    net = {"name": "plant", "addressing": "none", "ports": [{"interface": "eth1"}]}
    box = {"name": "box", "networks": [{"name": "plant", "port": {"hairpin": True}}]}
    (asked,) = compile_plan([net], [box], persist=True)["wire"]["keep"]
    brought = kept.compiled(kept.read(kept.text_of(Kept(asked["networks"], asked["containers"]))))
    assert [one.get("optional") for one in brought["wire"]["bridge_port"]] == [True, None]
    wants_of(brought, "bridge_port", brought["wire"]["bridge_port"])


def test_networks_that_hosts_share_are_brought_back_as_they_were() -> None:
    """With who else has them, since at boot there is no inventory; the addresses and MTUs are those that there were."""
    plan = compile_plan(SHARED, ON_SHARED, persist=True, fleet=MEMBERS, underlay_address="198.18.1.2")
    (asked,) = plan["wire"].pop("keep")
    given = {"web": {"eth0": ["10.7.2.9/24", "fd00:7:0:2::9/64"], "eth1": ["10.8.2.9/16"]}}
    what = Kept(asked["networks"], asked["containers"], given, {"front": 1450, "wide": 1450})
    brought = kept.compiled(kept.read(kept.text_of(what)))
    assert brought["wire"].pop("keep") == []
    for step in ("nat", "link", "gateway", "bridge_port", "route", "netns", "publish"):
        assert brought["wire"][step] == plan["wire"][step] != []
    assert brought["teardown"]["route"] == plan["teardown"]["route"] != []
    assert [item["address"] for item in brought["wire"]["address"]] == [
        "10.7.2.9/24",
        "fd00:7:0:2::9/64",
        "10.8.2.9/16",
    ]
    assert [item["mtu"] for item in (*brought["wire"]["bridge"], *brought["wire"]["veth"])] == ["1450"] * 4
    for step in brought["wire"]:  # and all of it is what the modules take
        wants_of(brought, step, resolved(brought["wire"][step], None))
