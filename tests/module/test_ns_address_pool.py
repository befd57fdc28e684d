# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ns_address with a pool: which address is taken, kept, free again. Nothing is written down anywhere."""

from __future__ import annotations

import json
import shlex
import sys
from typing import Any

import pytest
from lab import HERE, collections_root
from wires import Host, warnings

WEB: dict[str, Any] = {"netns": "web", "interface": "eth0", "bridge": "br0"}
DB: dict[str, Any] = {**WEB, "netns": "db"}
# Where the search begins for the owner "web/eth0": the same on every host and in every version.
USUAL, NEXT = "172.17.230.194/16", "172.17.230.195/16"

# As a socket that was open in it does: its namespace lives on a little, without a name.
SLOW_END = "sleep 0.05 9</run/netns/web >/dev/null 2>&1 & ip netns delete web"


@pytest.fixture(autouse=True)
def containers(host: Host) -> None:
    """A bridge with Docker's address and two containers on it without any."""
    host.bridge("br0", "172.17.0.1/16")
    host.container("web")
    host.container("db")


def taken(host: Host, **options: Any) -> str:
    """The address that an item gets, as CIDR, after all that is proven of every change."""
    return str(host.settles("ns_address", **options)["after"]["address"])


def test_an_address_is_taken_kept_and_given_back(host: Host) -> None:
    done = host.settles("ns_address", **WEB, pool="172.17.0.0/16")
    assert done["after"]["address"] == USUAL
    assert (done["after"]["gateway"], done["after"]["owner"]) == ("172.17.0.1", "web/eth0")
    assert done["commands"][0] == f"ip -n web address add {USUAL} dev eth0"
    assert host.addresses("web") == [USUAL]
    assert host.module("ns_address", **WEB, pool="172.17.0.0/16", owner="other")["changed"] is False, "it is kept"
    gone = host.settles("ns_address", **WEB, pool="172.17.0.0/16", state="absent")
    assert (gone["before"]["address"], gone["after"]) == (USUAL, {})
    assert host.addresses("web") == []


@pytest.mark.parametrize(
    ("options", "address"),
    [
        ({"strategy": "lowest"}, "172.17.0.2/16"),
        ({"strategy": "lowest", "gateway": "172.17.0.2"}, "172.17.0.3/16"),
        ({"strategy": "lowest", "range": "172.17.8.0/24"}, "172.17.8.0/16"),
        ({"strategy": "lowest", "range": "172.17.0.9-172.17.0.20"}, "172.17.0.9/16"),
        ({"strategy": "lowest", "exclude": ["172.17.0.2", "172.17.0.3-172.17.0.7", "172.17.0.8/30"]}, "172.17.0.12/16"),
        ({"range": "172.17.0.9"}, "172.17.0.9/16"),
        ({"owner": "web/eth0"}, USUAL),
        ({"owner": "other"}, "172.17.167.254/16"),
    ],
)
def test_options_of_the_pool(host: Host, options: dict[str, Any], address: str) -> None:
    assert taken(host, **WEB, pool="172.17.0.0/16", **options) == address
    assert host.addresses("web") == [address]


@pytest.mark.parametrize(
    ("pool", "gateway", "address"),
    [
        ("10.0.0.0/30", "10.0.0.1", "10.0.0.2/30"),
        ("10.0.0.0/31", None, "10.0.0.0/31"),
        ("10.0.0.7/32", None, "10.0.0.7/32"),
        ("fd00:17::/64", "fd00:17::1", "fd00:17::2/64"),
        ("fd00:17::/112", "fd00:17::1", "fd00:17::2/112"),
        ("fd00:17::/127", None, "fd00:17::/127"),
    ],
)
def test_d7_the_first_usable_address(host: Host, pool: str, gateway: str | None, address: str) -> None:
    """D7: the network and broadcast address of IPv4 and the anycast address of IPv6 are left out, /31 and /127 are not."""
    done = host.settles("ns_address", **WEB, pool=pool, strategy="lowest")
    assert (done["after"]["gateway"], done["after"]["address"]) == (gateway, address)
    assert host.addresses("web") == [address]


def test_d7_a_sticky_address_in_a_64(host: Host) -> None:
    assert taken(host, **WEB, pool="fd00:17::/64") == "fd00:17::c0ec:e9fd:46dd:3fcf/64"


def test_d4_a_container_that_is_made_again_gets_its_old_address(host: Host) -> None:
    host.module("ns_address", **WEB, pool="172.17.0.0/16")
    host.run("ip netns delete web; ip link delete web-eth0 2>/dev/null; true")
    host.container("web")
    done = host.settles("ns_address", **WEB, pool="172.17.0.0/16")
    assert (done["after"]["address"], warnings(done)) == (USUAL, [])


def test_d4_taken_meanwhile_it_gets_another_one_and_says_by_whom(host: Host) -> None:
    host.run(f"ip -n db addr add {USUAL} dev eth0")
    done = host.module("ns_address", **WEB, pool="172.17.0.0/16")
    assert done["after"]["address"] == NEXT
    assert warnings(done) == [
        "web/eth0: its usual address 172.17.230.194 is taken by netns 'db'; it gets 172.17.230.195."
    ]
    again = host.module("ns_address", **WEB, pool="172.17.0.0/16")
    assert (again["changed"], warnings(again)) == (False, [])


def test_d3_the_address_of_a_container_that_is_gone_is_free_at_once(host: Host) -> None:
    """D3: the kernel takes a namespace down in the background; one in ruins neither holds an address nor hurts."""
    for dummy in range(6):
        assert host.module("ns_address", **WEB, pool="10.0.0.0/30")["after"]["address"] == "10.0.0.2/30"
        refused = host.fails("ns_address", **DB, pool="10.0.0.0/30")
        assert "no free address in 10.0.0.0/30" in refused["msg"]
        host.run("ip netns delete web" if dummy % 2 else SLOW_END)
        assert host.module("ns_address", **DB, pool="10.0.0.0/30")["after"]["address"] == "10.0.0.2/30"
        host.run("ip -n db addr flush dev eth0; ip link delete web-eth0 2>/dev/null; true")
        host.container("web")


def test_d5_nothing_that_allocation_needs_is_in_a_file(host: Host) -> None:
    """D5: with /var/lib and /etc bare, as on a host just installed, what is taken is known and kept."""
    bare = "for d in /var/lib /etc; do mount -t tmpfs tmpfs $d; done"
    first = taken(host, **WEB, pool="172.17.0.0/16", strategy="lowest")
    host.run(bare)
    try:
        assert host.module("ns_address", **WEB, pool="172.17.0.0/16", strategy="lowest")["changed"] is False
        assert (first, taken(host, **DB, pool="172.17.0.0/16", strategy="lowest")) == ("172.17.0.2/16", "172.17.0.3/16")
    finally:
        host.run("umount /var/lib /etc")
    host.run("ip -n web addr flush dev eth0 scope global")
    assert taken(host, **WEB, pool="172.17.0.0/16") == USUAL, "the same on every host: it is derived from the owner"


def test_d8_an_exhausted_pool_is_counted(host: Host) -> None:
    for number in (2, 3, 4):
        host.container(f"c{number}", f"10.0.0.{number}/29")
    message = (
        "pool: no free address in 10.0.0.0/29: 6 usable, 3 in use, 2 excluded, 1 reserved for the gateway. "
        "In use: 1 by netns 'c2', 1 by netns 'c3', 1 by netns 'c4'."
    )
    host.refuses("ns_address", message, **WEB, pool="10.0.0.0/29", exclude=["10.0.0.5-10.0.0.6"])


BAD: list[tuple[dict[str, Any], str]] = [
    (
        {"pool": "10.0.0.0/29", "exclude": ["10.0.0.0/29"]},
        "pool: 10.0.0.0/29 has nothing to give: 6 usable, 6 excluded, 0 reserved for the gateway.",
    ),
    (
        {"pool": "10.0.0.0/30", "exclude": ["10.0.0.2"]},
        "pool: 10.0.0.0/30 has nothing to give: 2 usable, 1 excluded, 1 reserved for the gateway.",
    ),
    ({"pool": "10.0.0.0/24", "range": "10.0.1.0/24"}, "range: '10.0.1.0/24' has no usable address of the pool"),
    ({"pool": "10.0.0.0/24", "range": "10.0.0.9-10.0.0.5"}, "range: '10.0.0.9-10.0.0.5' ends before it begins."),
    ({"pool": "10.0.0.0/24", "gateway": "10.0.1.1"}, "gateway: 10.0.1.1 is not in the pool 10.0.0.0/24."),
    ({"pool": "10.0.0.0/24", "exclude": ["fd00::1"]}, "exclude: 'fd00::1' is not of the same address family"),
    ({"pool": "10.0.0.5/24"}, "pool: '10.0.0.5/24' is not a network"),
    ({"pool": "10.0.0.0/24", "address": "10.0.0.9/24"}, "mutually exclusive: address|pool"),
    ({"pool": "10.0.0.0/24", "bridge": "web-eth0"}, "bridge: 'web-eth0' in the host is a veth, not a bridge."),
]


def test_a_bad_pool_changes_nothing(host: Host) -> None:
    host.all_refused("ns_address", WEB, BAD)


def test_a_bridge_that_is_missing_is_named(host: Host) -> None:
    options = {**WEB, "pool": "10.0.0.0/24", "bridge": "br9"}
    host.misses("ns_address", "bridge: there is no bridge 'br9' in the host; ", "bridge 'br9' in the host", **options)


def test_d9_a_bridge_with_several_addresses(host: Host) -> None:
    """D9: the pool says which subnet is meant; all addresses of the bridge count as taken."""
    host.run("ip addr add 10.0.0.1/24 dev br0 && ip addr add 10.0.0.2/24 dev br0")
    done = host.settles("ns_address", **WEB, pool="10.0.0.0/24", strategy="lowest")
    assert (done["after"]["address"], done["after"]["gateway"]) == ("10.0.0.3/24", "10.0.0.1")


def test_d9_a_bridge_without_an_address(host: Host) -> None:
    """D9: the gateway is the first usable address also before the bridge has it."""
    host.run("ip addr flush dev br0")
    done = host.settles("ns_address", **WEB, pool="10.0.0.0/24", strategy="lowest")
    assert (done["after"]["address"], done["after"]["gateway"]) == ("10.0.0.2/24", "10.0.0.1")


def test_without_a_bridge_all_named_namespaces_count(host: Host) -> None:
    host.run("ip -n db addr add 172.17.0.2/16 dev eth0")
    assert taken(host, netns="web", interface="eth0", pool="172.17.0.0/16", strategy="lowest") == "172.17.0.3/16"


def test_a_namespace_without_a_name_counts_too(host: Host) -> None:
    pid = host.spawn("exec unshare --net sleep 100000")
    host.run(
        f"until [ $(readlink /proc/{pid}/ns/net) != $(readlink /proc/self/ns/net) ]; do sleep 0.01; done; "
        f"ip link add nameless type veth peer name eth0 netns {pid} && ip link set nameless master br0 up && "
        f"nsenter -t {pid} -n ip link set eth0 up && nsenter -t {pid} -n ip addr add {USUAL} dev eth0"
    )
    done = host.module("ns_address", **WEB, pool="172.17.0.0/16")
    host.kill(pid)
    assert done["after"]["address"] == NEXT
    assert "172.17.230.194 is taken by a namespace without a name (id " in warnings(done)[0]


def test_two_items_of_one_task_get_two_addresses(host: Host) -> None:
    done = host.settles(
        "ns_address",
        interface="eth0",
        bridge="br0",
        pool="10.0.0.0/29",
        strategy="lowest",
        aggregate=[{"netns": "web"}, {"netns": "db"}],
    )
    assert [one["after"]["address"] for one in done["results"]] == ["10.0.0.2/29", "10.0.0.3/29"]
    assert (host.addresses("web"), host.addresses("db")) == (["10.0.0.2/29"], ["10.0.0.3/29"])


def test_a_pool_never_gives_a_fixed_address_of_the_same_task(host: Host) -> None:
    done = host.settles(
        "ns_address",
        interface="eth0",
        bridge="br0",
        strategy="lowest",
        aggregate=[{"netns": "web", "pool": "10.0.0.0/29"}, {"netns": "db", "address": "10.0.0.2/29"}],
    )
    assert [one["after"]["address"] for one in done["results"]] == ["10.0.0.3/29", "10.0.0.2/29"]


def test_one_address_from_each_of_two_pools(host: Host) -> None:
    pools = [{"pool": "10.0.0.0/29"}, {"pool": "10.1.0.0/29"}, {"pool": "fd00:17::/64"}]
    host.settles("ns_address", **WEB, strategy="lowest", exclusive=True, aggregate=pools)
    assert host.addresses("web") == ["10.0.0.2/29", "10.1.0.2/29", "fd00:17::2/64"]


def test_an_exhausted_pool_fails_its_item_and_not_the_others(host: Host) -> None:
    items = [
        {"netns": "web", "pool": "10.0.0.0/30"},
        {"netns": "db", "pool": "10.0.0.0/30"},
        {"netns": "db", "pool": "fd00:17::/64"},
    ]
    failed = host.fails("ns_address", interface="eth0", bridge="br0", strategy="lowest", aggregate=items)
    assert failed["msg"] == (
        "1 of 3 items failed. address from 10.0.0.0/30 on eth0 in netns 'db': pool: no free address in 10.0.0.0/30: "
        "2 usable, 1 in use, 0 excluded, 1 reserved for the gateway. In use: 1 by netns 'web'."
    )
    assert [one.get("failed", False) for one in failed["results"]] == [False, True, False]
    assert failed["changed"] is True
    assert (host.addresses("web"), host.addresses("db")) == (["10.0.0.2/30"], ["fd00:17::2/64"])


def test_d2_parallel_runs_take_different_addresses(host: Host) -> None:
    """D2: ten module processes at once share one pool without a gap and without a clash."""
    names = [f"c{number}" for number in range(10)]
    for name in names:
        host.container(name)
        request = {"args": {**WEB, "netns": name, "pool": "10.0.0.0/28", "strategy": "lowest"}}
        host.run(["tee", f"/run/{name}.json"], input=json.dumps(request))
    agent = shlex.join([sys.executable, f"{HERE}/agent.py", str(collections_root()), "--module", "ns_address"])
    host.run("for name in c{0..9}; do " + agent + " </run/$name.json >/run/$name.log 2>&1 & done; wait")
    found = [host.addresses(name) for name in names]
    assert sorted(found) == sorted([f"10.0.0.{number}/28"] for number in range(2, 12)), host.run(
        "cat /run/c*.log"
    ).stdout


# --- ours by mark, not by chance ---

FOREIGN = [
    ("172.17.0.0/16", "ip -n web addr add 172.17.0.77/16 dev eth0"),
    ("172.17.0.0/16", "ip -n web addr add 172.17.0.77/16 dev eth0 && ip -n web addr add 172.17.0.78/16 dev eth0"),
    ("172.17.0.0/16", "ip -n web addr add 172.17.0.77/16 dev eth0 valid_lft 600 preferred_lft 600"),
    ("172.17.0.0/16", "ip -n web addr add 172.17.0.77/16 dev eth0 preferred_lft 0"),
    ("fd00:17::/64", "ip -n web addr add fd00:17::77/64 dev eth0 nodad"),
    (
        "fd00:17::/64",
        "ip -n web addr add fd00:17::77/64 dev eth0 nodad && ip -n web addr add fd00:17::78/64 dev eth0 nodad",
    ),
    ("fd00:17::/64", "ip -n web addr add fd00:17::77/64 dev eth0 nodad valid_lft 600 preferred_lft 600"),
    ("fd00:17::/64", "ip -n web addr add fd00:17::77/64 dev eth0 nodad preferred_lft 0"),
]


@pytest.mark.parametrize("strategy", ["sticky", "lowest"])
@pytest.mark.parametrize("removing", ["none", "supersede", "exclusive"])
@pytest.mark.parametrize(("pool", "foreign"), FOREIGN)
def test_ours_by_mark_whenever_somebody_puts_another_address_of_the_pool_there(
    host: Host, pool: str, foreign: str, removing: str, strategy: str
) -> None:
    """It stays beside ours, unless all others are to go; and where ours is gone it will do, if it is there for good."""
    options = {**WEB, "pool": pool, "strategy": strategy, **({} if removing == "none" else {removing: True})}
    mine = taken(host, **options)
    host.run(foreign)
    beside = [one for one in host.addresses("web") if one != mine]
    assert len(beside) == foreign.count(" addr add ")
    if removing == "exclusive":
        assert host.settles("ns_address", **options)["after"]["address"] == mine
        assert host.addresses("web") == [mine]
        return
    again = host.module("ns_address", **options)
    assert (again["changed"], again["after"]["address"]) == (False, mine)
    assert sorted(host.addresses("web")) == sorted([mine, *beside])
    host.settles("ns_address", **WEB, pool=pool, state="absent")
    assert sorted(host.addresses("web")) == sorted(beside), "what somebody else set stays"
    again, for_good = host.module("ns_address", **options), "_lft" not in foreign
    assert (again["changed"], again["after"]["address"] in beside) == (not for_good, for_good)
    assert sorted(host.addresses("web")) == sorted({again["after"]["address"], *beside})


@pytest.mark.parametrize(
    ("address", "end"),
    [
        ("172.17.0.9/16", "valid_lft 60 preferred_lft 60"),
        ("172.17.0.9/16", "preferred_lft 0"),
        ("fd00:17::9/64", "nodad valid_lft 60 preferred_lft 60"),
        ("fd00:17::9/64", "nodad preferred_lft 0"),
    ],
)
def test_ours_by_mark_a_lease_of_the_address_that_is_asked_for_is_made_permanent(
    host: Host, address: str, end: str
) -> None:
    host.run(f"ip -n web addr add {address} dev eth0 {end}")
    done = host.settles("ns_address", **WEB, address=address)
    assert (done["after"]["valid_lft"], done["after"]["preferred_lft"]) == ("forever", "forever")
    host.settles("ns_address", **WEB, address=address.replace("9/", "8/"), supersede=True)
    assert host.addresses("web") == [address.replace("9/", "8/")], "it was ours from then on"


def test_ours_by_mark_a_fixed_address_that_is_there_for_good_is_used(host: Host) -> None:
    """It is what was asked for, whoever set it; it is not made ours, so it stays when another is asked for."""
    host.run("ip -n web addr add 172.17.0.9/16 dev eth0")
    assert host.module("ns_address", **WEB, address="172.17.0.9/16", supersede=True)["changed"] is False
    host.settles("ns_address", **WEB, address="172.17.0.8/16", supersede=True)
    assert host.addresses("web") == ["172.17.0.9/16", "172.17.0.8/16"]


def test_ours_by_mark_a_fixed_address_follows_one_from_the_pool_and_the_other_way(host: Host) -> None:
    first = taken(host, **WEB, pool="172.17.0.0/16", supersede=True)
    host.run("ip -n web addr add 172.17.0.77/16 dev eth0")
    host.settles("ns_address", **WEB, address="172.17.0.9/16", supersede=True)
    assert sorted(host.addresses("web")) == ["172.17.0.77/16", "172.17.0.9/16"]
    kept = host.module("ns_address", **WEB, pool="172.17.0.0/16", supersede=True)
    assert (first, kept["after"]["address"], kept["changed"]) == (USUAL, "172.17.0.9/16", False)


def test_a_bridge_in_the_namespace_of_the_interface_is_found_there(host: Host) -> None:
    """A router with a bridge of its own: who is behind that counts."""
    host.run(
        "ip netns add inner && ip -n web link add lan type bridge && ip -n web link set lan up && "
        "ip -n web link add port type veth peer name eth0 netns inner && ip -n web link set port master lan up && "
        "ip -n inner link set eth0 up && ip -n inner addr add 10.5.0.2/24 dev eth0"
    )
    options = {"netns": "web", "interface": "lan", "bridge": "lan", "pool": "10.5.0.0/24", "strategy": "lowest"}
    assert taken(host, **options) == "10.5.0.3/24"
    host.refuses(
        "ns_address",
        "10.5.0.2 is taken by netns 'inner'",
        netns="web",
        interface="lan",
        bridge="lan",
        address="10.5.0.2/24",
    )
