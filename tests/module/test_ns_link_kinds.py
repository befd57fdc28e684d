# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module ns_link, its kinds dummy, ipvlan, macvlan, vlan and vrf: each is made by one message, repaired in place, made anew and removed, and
carries what it has to. Who is on a parent is in test_ns_link_parents.py."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from lab import Lab
from proofs import comes, lines, pastes, refuses, settles, unchanged, untouched, warnings

MAC, OTHER = "02:42:0a:00:00:01", "02:42:0a:00:00:0f"
# Of each kind one, with what has to be said.
NEW: dict[str, dict[str, Any]] = {
    "dummy": {},
    "ipvlan": {"parent": "u0"},
    "macvlan": {"parent": "u0"},
    "vlan": {"parent": "u0", "vlan_id": 5},
    "vrf": {"table": 10},
}
KINDS = [pytest.param(kind, marks=pytest.mark.needs(kind)) for kind in NEW]
TUNNEL: dict[str, Any] = {"vni": 42, "parent": "u0", "local": "10.0.0.1", "peers": ["10.0.0.2", "10.0.0.3"]}
EACH = [
    *KINDS,
    pytest.param("vxlan", marks=pytest.mark.needs("vxlan")),
]  # that which has a file of its own (test_ns_link) as well


def asked(kind: str, **more: Any) -> dict[str, Any]:
    return {"name": "x0", "kind": kind, **{**NEW, "vxlan": TUNNEL}[kind], **more}


def of(kinds: str, *values: Any) -> list[Any]:
    """A case of a test for each of these kinds."""
    return [pytest.param(kind, *values, marks=pytest.mark.needs(kind)) for kind in kinds.split()]


@pytest.fixture(name="host")
def host_with_uplinks_and_a_namespace(lab: Lab) -> Lab:
    uplinks(lab)
    return lab


def uplinks(lab: Lab) -> None:
    """Two interfaces that are up, and a namespace with a bridge. The rule by which VRFs are looked up, which the kernel never takes away, is there."""
    lab.run("ip netns add web && ip -n web link add br0 address 02:42:0a:00:00:fe type bridge")
    for number in (0, 1):
        lab.run(f"ip link add u{number} type veth peer name far{number} && ip link set far{number} up")
        lab.run(f"ip link set u{number} addrgenmode none address 02:42:0a:00:01:0{number} up")
    for where in ("", "-n web"):
        lab.run(f"ip {where} link add probe type vrf table 99 && ip {where} link del probe", check=False)


def link(lab: Lab, name: str = "x0", netns: str = "") -> dict[str, Any]:
    """What iproute2 says of an interface."""
    found: dict[str, Any] = lab.ip(f"{netns and f'-n {netns} '}-d link show dev {name}")[0]
    return {**found["linkinfo"].get("info_data", {}), **found}


# --- made, changed, removed ---


@pytest.mark.both_ends
@pytest.mark.parametrize(
    ("kind", "given", "own", "words", "shown"),
    [
        *of("dummy", {"mtu": 9000}, {"mtu": 9000}, "mtu 9000 address {} type dummy", {"mtu": 9000}),
        *of("ipvlan", {}, {"mode": "l2", "mtu": 1500}, "link u0 mtu 1500 type ipvlan mode l2", {"mode": "l2"}),
        *of(
            "ipvlan",
            {"mode": "L3S", "mtu": "1400"},
            {"mode": "l3s", "mtu": 1400},
            "link u0 mtu 1400 type ipvlan mode l3s",
            {"mode": "l3s", "mtu": 1400},
        ),
        *of(
            "macvlan",
            {},
            {"mode": "bridge", "mtu": 1500},
            "link u0 mtu 1500 address {} type macvlan mode bridge",
            {"mode": "bridge"},
        ),
        *of(
            "macvlan",
            {"mode": "private", "mtu": "auto"},
            {"mode": "private", "mtu": 1500},
            "link u0 mtu 1500 address {} type macvlan mode private",
            {"mode": "private"},
        ),
        *of(
            "vlan",
            {},
            {"vlan_id": 5, "vlan_protocol": "802.1Q", "mtu": 1500},
            "link u0 mtu 1500 address {} type vlan id 5",
            {"id": 5, "protocol": "802.1Q"},
        ),
        *of(
            "vlan",
            {"vlan_id": "4094", "vlan_protocol": "802.1AD", "mtu": 1300},
            {"vlan_id": 4094, "vlan_protocol": "802.1ad", "mtu": 1300},
            "link u0 mtu 1300 address {} type vlan protocol 802.1ad id 4094",
            {"id": 4094, "protocol": "802.1ad"},
        ),
        *of("vrf", {"table": " 010"}, {"table": 10, "mtu": 65575}, "address {} type vrf table 10", {"table": 10}),
        *of("vrf", {"table": 4294967295, "mtu": 1280}, {"mtu": 1280}, "", {"table": 4294967295, "mtu": 1280}),
    ],
)
def test_it_is_made_and_removed(
    host: Lab, kind: str, given: dict[str, Any], own: dict[str, Any], words: str, shown: dict[str, Any]
) -> None:
    before = host.snapshot()
    mac = {} if kind == "ipvlan" else {"mac": MAC}
    made = settles(host, "ns_link", **asked(kind, alias="of mine", **mac, **given))
    general = {"name": "x0", "kind": kind, "netns": None, "enabled": True, "alias": "of mine", **mac}
    place = {"parent": "u0", "parent_netns": None} if "parent" in NEW[kind] else {}
    master = {} if kind == "vrf" else {"master": ""}
    assert made["before"] == {}
    assert (
        made["after"] == {"table": 4294967295, **general, **place, **master, **own}
        if kind == "vrf"
        else {
            **general,
            **place,
            **master,
            **own,
        }
    )
    if words:
        assert made["commands"] == [
            f"ip link add x0 {words.format(MAC).replace(' type', ' group 76 type')}",
            "ip link set x0 up",
            "ip link set x0 alias 'of mine'",
        ]
    seen = link(host)
    assert {name: seen[name] for name in shown} == shown
    assert (seen["linkinfo"]["info_kind"], "UP" in seen["flags"], seen.get("link")) == (kind, True, place.get("parent"))
    assert seen["address"] == ("02:42:0a:00:01:00" if kind == "ipvlan" else MAC)
    gone = settles(host, "ns_link", name="x0", kind=kind, state="absent")
    assert (gone["before"], gone["after"], gone["commands"]) == (made["after"], {}, ["ip link del x0"])
    assert host.snapshot() == before
    unchanged(host, "ns_link", name="x0", kind=kind, state="absent", netns="nowhere")


@pytest.mark.needs("strace")
@pytest.mark.parametrize("kind", KINDS)
def test_one_message_makes_it_where_it_is_wanted(host: Lab, kind: str) -> None:
    made, writes = host.writes("ns_link", **asked(kind, netns="web"))
    assert (made["changed"], writes) == (True, ["RTM_NEWLINK"])
    again, writes = host.writes("ns_link", **asked(kind, netns="web"))
    assert (again["changed"], writes) == (False, [])
    assert "x0" not in [one["ifname"] for one in host.ip("link")]


# What somebody does by hand, what was asked for and is again, and how the diff calls what was there meanwhile.
BY_HAND: list[tuple[str, str, dict[str, Any], Any]] = [
    ("dummy ipvlan macvlan vlan vrf vxlan", "mtu 1400", {"mtu": 1450}, 1400),
    ("dummy macvlan vlan vrf vxlan", f"address {OTHER}", {"mac": MAC}, OTHER),
    ("dummy ipvlan macvlan vlan vrf vxlan", "alias 'two  words'", {"alias": "mine"}, "two  words"),
    ("dummy ipvlan macvlan vlan vrf vxlan", "down", {"enabled": True}, "false"),
    ("vxlan", "type vxlan nolearning", {"learning": True}, "false"),
    ("macvlan", "type macvlan mode vepa", {"mode": "private"}, "vepa"),
    ("ipvlan", "type ipvlan mode l3", {"mode": "l3s"}, "l3"),
    ("dummy macvlan vlan vxlan", "master br9", {"master": "br0"}, "br9"),
    ("dummy macvlan vlan vxlan", "nomaster", {"master": "br0"}, "none"),
]


@pytest.mark.both_ends
@pytest.mark.parametrize("kind", EACH)
def test_each_attribute_changed_by_hand_is_set_back_in_place(host: Lab, kind: str) -> None:
    host.run("for name in br0 br9; do ip link add $name address 02:42:0a:00:00:fd type bridge; done")
    cases = [case for case in BY_HAND if kind in case[0].split()]
    there = asked(kind, **{name: value for dummy, dummy, option, dummy in cases for name, value in option.items()})
    host.module("ns_link", **there)
    born = link(host)
    for dummy, by_hand, option, now in cases:
        host.run(f"ip link set x0 {by_hand}")
        ((name, value),) = option.items()
        unchanged(host, "ns_link", **asked(kind, enabled=by_hand != "down"))
        foreseen, back = (host.module("ns_link", check=check, **there) for check in (True, False))
        assert foreseen["commands"] == back["commands"]
        assert foreseen["diff"] == back["diff"]
        assert lines(back) == ([f"{name} {now}"], [f"{name} {'true' if value is True else value}"])
        assert unchanged(host, "ns_link", **there)["after"] == foreseen["after"]
    assert link(host)["ifindex"] == born["ifindex"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_commands_can_be_pasted(host: Lab, kind: str) -> None:
    there = asked(kind, netns="web", alias="a b", mtu=1400)
    made = host.module("ns_link", **there)
    changes: dict[str, Any] = {"mtu": 1300, "enabled": False}
    changes |= {"macvlan": {"mode": "vepa"}, "ipvlan": {"mode": "l3"}}.get(kind, {})
    changed = host.module("ns_link", **{**there, **changes})
    with Lab() as other:
        uplinks(other)
        pastes(made, other, "ns_link", **there)
        pastes(changed, other, "ns_link", **{**there, **changes})


@pytest.mark.parametrize("kind", EACH)
def test_twenty_in_a_task_and_one_that_fails_stops_no_other(host: Lab, kind: str) -> None:
    items: list[dict[str, Any]] = [asked(kind, name=f"x{number}") for number in range(20)]
    for number, item in enumerate(items):
        item |= {"vlan": {"vlan_id": 100 + number}, "vrf": {"table": 100 + number}, "vxlan": {"vni": 100 + number}}.get(
            kind, {}
        )
    before = host.snapshot()
    with untouched(host):
        foreseen = host.module("ns_link", check=True, aggregate=items)
    done = host.module("ns_link", aggregate=items)
    assert (foreseen["diff"], foreseen["commands"]) == (done["diff"], done["commands"])
    assert not host.module("ns_link", aggregate=items)["changed"]
    wrong = [{**items[0], "alias": "x"}, {"name": "y0", "kind": "macvlan", "parent": "nix"}]
    result = host.fails("ns_link", aggregate=wrong)
    assert [one.get("failed", False) for one in result["results"]] == [False, True]
    assert host.module("ns_link", aggregate=items, state="absent")["changed"]
    assert host.snapshot() == before


@pytest.mark.needs("macvlan")
def test_what_is_cut_off_is_taken_back(host: Lab) -> None:
    host.module("ns_link", **asked("macvlan"))
    before = host.snapshot()
    cut = host.cut(1, "ns_link", **asked("macvlan", alias="x", mode="private"))
    assert cut.get("failed")
    assert host.snapshot() == before


def seen(host: Lab) -> str:
    """All there is, but for the number that the kernel gave the link, and what iproute2 makes of its parent's."""
    return re.sub(r" (ifindex|link_index) [0-9]+| link \"[^\"]*\"", "", host.snapshot())


@pytest.mark.needs("strace")
@pytest.mark.parametrize("kind", EACH)
def test_killed_before_each_of_its_messages_the_next_run_comes_to_the_same(host: Lab, kind: str) -> None:
    there = asked(kind, netns="web", alias="x")
    gone: dict[str, Any] = {"name": "x0", "kind": kind, "netns": "web", "state": "absent"}
    before = host.snapshot()
    writes = host.changing("ns_link", **there)
    undisturbed = seen(host)
    (last,) = host.changing("ns_link", **gone)
    for at in writes:
        host.killed(at, "ns_link", **there)
        host.module("ns_link", **there)
        assert seen(host) == undisturbed
        host.killed(last, "ns_link", **gone)
        assert seen(host) == undisturbed, "one message takes it away"
        host.module("ns_link", **gone)
        host.killed(at, "ns_link", **there)
        host.module("ns_link", **gone, only_ours=True)
        assert host.snapshot() == before


# --- ours ---

BY_HAND_TOO = {
    **dict.fromkeys(NEW, "type {kind}"),
    "vlan": "type vlan id 5",
    "vrf": "type vrf table 10",
    "ipvlan": "type ipvlan mode l2",
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_made_is_known_again_by_its_mark_and_nothing_else_is(host: Lab, kind: str) -> None:
    before = host.snapshot()
    ours: dict[str, Any] = {"only_ours": True, "state": "absent"}
    on = "link u0" if "parent" in NEW[kind] else ""
    host.run(f"ip link add x0 {on} {BY_HAND_TOO[kind].format(kind=kind)} && ip link set x0 up")
    host.module("ns_link", **asked(kind, alias="x"))
    assert link(host)["group"] == "default"
    left = unchanged(host, "ns_link", name="x0", kind=kind, **ours)
    assert warnings(left) == ["Interface 'x0' in the host was not made by this collection: it is left alone."]
    text = "^Interface 'x0' in the host was not made by this collection; call it otherwise, or remove it.$"
    refuses(host, "ns_link", text, **asked(kind, alias="y", only_ours=True))
    host.module("ns_link", name="x0", kind=kind, state="absent")
    host.module("ns_link", **asked(kind))
    born = link(host)
    assert born["group"] == "76"
    if kind != "ipvlan":
        host.run(f"ip link set x0 address {OTHER}")
    host.run("ip link set x0 down; ip link set x0 name x1")
    settles(host, "ns_link", name="x1", kind=kind, **ours)
    assert host.snapshot() == before


@pytest.mark.parametrize("kind", KINDS)
def test_wiring_info_tells_who_has_it_and_on_what_it_is(host: Lab, kind: str) -> None:
    on = "parent" in NEW[kind]
    made = host.module("ns_link", **asked(kind, netns="web"))
    host.run("ip -n web addr add 10.7.0.5/32 dev x0; ip link add y0 link u1 type macvlan; ip link set y0 netns web")
    told = host.module("wiring_info", netns=["web"])
    ours, theirs = (next(one for one in told["wiring"]["links"] if one["name"] == name) for name in ("x0", "y0"))
    assert ours.items() >= made["after"].items()
    assert (ours["owner"], ours["addresses"], ours["ours"]) == ("web", ["10.7.0.5/32"], True)
    assert (theirs["kind"], theirs["parent"], theirs["ours"]) == ("macvlan", "u1", False)
    assert "   └─ macvlan ─── y0 in web" in told["picture"]
    drawn = (
        f"└─ {kind} ─── x0 in web  10.7.0.5/32"
        if on
        else "─ x0  (vrf 10)  10.7.0.5/32"
        if kind == "vrf"
        else "─ x0 (dummy)"
    )
    assert drawn in told["picture"]
    found = host.module("wiring_info", find="10.7.0.5")
    place = f"x0 of web, an? {kind} on u0 of the host" if on else "x0 of web"
    assert re.fullmatch(rf"10.7.0.5/32 is an address of {place}\.", found["msg"]), found["msg"]
    assert [one["name"] for one in found["wiring"]["links"]] == ["x0"]


# --- anew ---


@pytest.mark.both_ends
@pytest.mark.parametrize(
    ("kind", "params", "differs"),
    [
        *of("vlan", {"vlan_id": 6}, "vlan_id 5, not 6"),
        *of("vlan", {"vlan_protocol": "802.1ad"}, "vlan_protocol 802.1Q, not 802.1ad"),
        *of("ipvlan macvlan vlan", {"parent": "u1"}, "parent u0, not u1"),
        *of("macvlan", {"mode": "passthru"}, "mode bridge, not passthru"),
        *of("vrf", {"table": 11}, "table 10, not 11"),
    ],
)
def test_what_the_kernel_does_not_change_is_made_anew_if_that_is_asked_for(
    host: Lab, kind: str, params: dict[str, Any], differs: str
) -> None:
    host.module("ns_link", **asked(kind, alias="x"))
    born = link(host)
    wrong = asked(kind, **params)
    refuses(
        host, "ns_link", f"^{kind} 'x0' in the host has {differs}, which is not changed in place; recreate:", **wrong
    )
    done = settles(host, "ns_link", **wrong, recreate=True)
    assert lines(done)[0][-1] == f"made_anew_for {differs.split()[0]}"
    now = link(host)
    assert (now["ifindex"] != born["ifindex"], now["ifalias"]) == (True, "x")
    if kind in ("ipvlan", "vlan") or params.get("mode") == "passthru":
        assert now["address"] == f"02:42:0a:00:01:0{params.get('parent', 'u0')[1]}"
    else:
        assert now["address"] == born["address"]
    unchanged(host, "ns_link", **wrong)


@pytest.mark.needs("macvlan")
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.with_or_without(kind)) for kind in NEW if kind != "macvlan"]
)
def test_a_kind_makes_place_for_another_and_stays_where_the_kernel_has_not_that(host: Lab, kind: str) -> None:
    host.module("ns_link", **asked("macvlan"))
    words = {"vlan": "id 9", "vrf": "table 9"}.get(kind, "")
    works = host.run(f"ip link add probe link u1 type {kind} {words} && ip link del probe", check=False).rc == 0
    refuses(host, "ns_link", f"is a macvlan, not an? {kind}; it is left alone; recreate: true makes", **asked(kind))
    refuses(host, "ns_link", f"not an? {kind}; it is left alone.$", name="x0", kind=kind, state="absent")
    if works:
        assert settles(host, "ns_link", **asked(kind), recreate=True)["before"]["made_anew_for"] == ["kind"]
        return
    lacking = r"Operation not supported \(Unknown device type\); this kernel lacks the feature\.$"
    text = f"^Could not delete x0 in the host for a new {kind}: {lacking}"
    refuses(host, "ns_link", text, **asked(kind), recreate=True)
    another = {"name": "x1", **({"parent": "u1"} if "parent" in NEW[kind] else {})}
    refuses(host, "ns_link", f"^Could not create {kind} x1 in the host: {lacking}", **asked(kind, **another))


# --- masters ---


@pytest.mark.parametrize(
    ("kind", "master"), [*of("dummy macvlan vlan", "bridge"), *of("dummy ipvlan macvlan vlan", "vrf")]
)
def test_a_master_is_given_from_birth_changed_and_left(
    host: Lab, kind: str, master: str, needs: Callable[..., None]
) -> None:
    needs(master)
    more = {"vrf": "table 7", "bridge": "address 02:42:0a:00:00:fd"}[master].split()
    words = f"{' '.join(more)} type bridge" if master == "bridge" else f"type vrf {' '.join(more)}"
    host.run(
        f"for name in one two; do ip link add $name {words}; ip link property add dev $name altname the-$name; done"
    )
    made = settles(host, "ns_link", **asked(kind, master="the-one"))
    assert (made["after"]["master"], link(host)["master"]) == ("one", "one")
    changed = settles(host, "ns_link", **asked(kind, master="two"))
    assert (lines(changed), changed["commands"]) == ((["master one"], ["master two"]), ["ip link set x0 master two"])
    unchanged(host, "ns_link", **asked(kind))
    assert settles(host, "ns_link", **asked(kind, master=""))["commands"] == ["ip link set x0 nomaster"]
    refuses(host, "ns_link", "^master: 'u1' in the host is a veth, not a bridge", **asked(kind, master="u1"))
    refuses(host, "ns_link", "^master: there is no bridge 'nix' in the host", **asked(kind, master="nix"))


@pytest.mark.needs("ipvlan")
def test_an_ipvlan_is_no_port_of_a_bridge(host: Lab) -> None:
    host.run("ip link add br0 type bridge")
    text = "^master: an ipvlan cannot be a port of a bridge, as 'br0' in the host is one.$"
    refuses(host, "ns_link", text, **asked("ipvlan", master="br0"))
    host.module("ns_link", **asked("ipvlan"))
    refuses(host, "ns_link", text, **asked("ipvlan", master="br0"))


# --- traffic ---


def addressed(lab: Lab, netns: str, name: str, number: int, prefix: int = 24) -> None:
    lab.run(f"ip -n {netns} addr add 10.7.0.{number}/{prefix} dev {name} && ip -n {netns} link set lo up")


@pytest.mark.needs("ping")
@pytest.mark.parametrize(
    ("kind", "mode", "reach"),
    [
        *of("macvlan", "bridge", True),
        *of("macvlan", "private", False),
        *of("macvlan", "vepa", False),
        *of("ipvlan", "l2", True),
        *of("ipvlan", "l3", True),
        *of("ipvlan", "l3s", True),
    ],
)
def test_two_on_a_parent_reach_the_wire_and_each_other_as_the_mode_has_it(
    host: Lab, kind: str, mode: str, reach: bool
) -> None:
    """Full packets to whoever is on the wire in each mode; between the two where the parent passes them."""
    host.run("ip netns add db && ip netns add wire && ip link set far0 netns wire && ip -n wire link set far0 up")
    items = [asked(kind, netns=name, mode=mode) for name in ("web", "db")]
    host.module("ns_link", aggregate=items)
    for number, (netns, name) in enumerate((("wire", "far0"), ("web", "x0"), ("db", "x0")), 1):
        addressed(host, netns, name, number)
    wire = "ip netns exec web ping -M do -s 1472 -c 2 -i 0.05 -W 5 10.7.0.1"
    if mode in ("l3", "l3s"):  # it answers nobody's question who has an address, so that the wire routes to the parent
        host.run("ip addr add 10.8.0.1/24 dev u0; ip -n wire addr add 10.8.0.2/24 dev far0")
        host.run("ip -n wire route del 10.7.0.0/24; ip -n wire route add 10.7.0.0/24 via 10.8.0.1")
        wire = wire.replace("10.7.0.1", "10.8.0.2")
        host.run("ip -n web route add default dev x0; ip -n db route add default dev x0")
    host.run(wire, timeout=120)
    between = host.run("ip netns exec web ping -M do -s 1472 -c 1 -W 2 10.7.0.3", check=False, timeout=120)
    assert (between.rc == 0) == reach, between.stdout


@pytest.mark.needs("ping", "tcpdump", "vlan")
@pytest.mark.parametrize(("protocol", "ethertype"), [("802.1Q", "0x8100"), ("802.1ad", "0x88a8")])
def test_frames_of_a_vlan_bear_its_tag(host: Lab, protocol: str, ethertype: str) -> None:
    host.run("ip netns add wire && ip link set far0 netns wire && ip -n wire link set far0 up")
    settles(host, "ns_link", **asked("vlan", netns="web", vlan_protocol=protocol))
    settles(host, "ns_link", **asked("vlan", netns="wire", parent="far0", parent_netns="wire", vlan_protocol=protocol))
    settles(host, "ns_link", **asked("vlan", name="x6", netns="wire", parent="far0", parent_netns="wire", vlan_id=6))
    addressed(host, "web", "x0", 1)
    addressed(host, "wire", "x0", 2)
    host.run("ip -n wire addr add 10.6.0.2/24 dev x6; ip -n web addr add 10.6.0.1/24 dev x0")
    host.spawn("exec ip netns exec wire tcpdump -l -e -n -c 1 -i far0 vlan 5 >/run/seen 2>/run/said")
    comes(host, "grep -q listening /run/said")
    host.run("ip netns exec web ping -M do -s 1472 -c 2 -i 0.05 -W 5 10.7.0.2", timeout=120)
    comes(host, "[ -s /run/seen ]")
    assert f"({ethertype}), length" in host.run("cat /run/seen").stdout
    other = host.run("ip netns exec web ping -c 1 -W 1 10.6.0.2", check=False, timeout=120)
    assert other.rc != 0, "that is in another VLAN"


@pytest.mark.needs("ping", "vrf")
def test_the_same_addresses_in_two_vrfs(host: Lab) -> None:
    """Two customers have the same network, each behind an interface of its own."""
    tables = {"blue": 10, "red": 20}
    host.module("ns_link", kind="vrf", aggregate=[{"name": name, "table": table} for name, table in tables.items()])
    for number, name in enumerate(tables):
        host.run(f"ip netns add {name} && ip link set far{number} netns {name} && ip -n {name} link set far{number} up")
        host.run(f"ip -n {name} addr add 10.9.0.2/24 dev far{number} && ip -n {name} link set lo up")
        host.run(f"ip link set u{number} master {name} && ip addr add 10.9.0.1/24 dev u{number}")
    host.module("ns_link", name="lo-blue", kind="dummy", master="blue")
    host.run("ip addr add 10.99.0.1/32 dev lo-blue; ip -n blue route add default via 10.9.0.1")
    for name in tables:
        host.run(f"ip vrf exec {name} true && ping -I {name} -c 1 -W 5 10.9.0.2", timeout=120)
        assert any("10.9.0.0/24" in str(route) for route in host.ip(f"route show table {tables[name]}"))
    host.run("ip netns exec blue ping -c 1 -W 5 10.99.0.1", timeout=120)
    assert host.run("ping -c 1 -W 1 10.9.0.2", check=False, timeout=120).rc != 0, "the main table knows neither"
