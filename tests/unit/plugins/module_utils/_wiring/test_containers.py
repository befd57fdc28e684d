# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a container of the role's list and its interfaces ask of the modules, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.link_kinds import SHAPES
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.compile import compile_plan
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.containers import BORN_WITH
from ansible_collections.linuxnet.containers.tests.unit.plans import (
    BACK,
    CHECK,
    CHECKED_FIRST,
    DOCKER0,
    NO_ROUTES,
    NOTHING_PUBLISHED,
    wire,
)


def test_c14_a_container_on_two_networks_has_one_default_route() -> None:
    both = {"name": "web", "networks": [{"name": "docker0"}, {"name": "back"}]}
    made = wire([DOCKER0, BACK], [both])
    assert [(one["bridge"], one["peer_name"]) for one in made["veth"]] == [("docker0", "eth0"), ("back", "eth1")]
    assert [one["gateway"] for one in made["route"]] == ["172.17.0.1", "fd00:17::1"]
    chosen = {"name": "web", "networks": [{"name": "docker0"}, {"name": "back", "default_route": True}]}
    assert [(one["gateway"], one["interface"]) for one in wire([DOCKER0, BACK], [chosen])["route"]] == [
        ("10.1.0.1", "eth1"),
        ("fd00:17::1", "eth0"),  # the chosen network has no IPv6
    ]
    refused = {"name": "web", "networks": [{"name": "docker0", "default_route": False}, {"name": "back"}]}
    assert [one["gateway"] for one in wire([DOCKER0, BACK], [refused])["route"]] == ["10.1.0.1"]


@pytest.mark.parametrize("engine", ["netns", "docker"])
def test_a_router_forwards_both_families_and_is_not_checked(engine: str) -> None:
    made = wire([BACK], [{"name": "r1", "engine": engine, "forwarding": True, "sysctls": {"net/ipv4/ip_forward": 1}}])
    assert made["netns"][0]["sysctls"] == {"net.ipv6.conf.all.forwarding": 1, "net/ipv4/ip_forward": 1}
    assert [one["state"] for one in made["nat"] if one.get("type") == "spoof_check"] == ["absent"]
    plain = wire([BACK], [{"name": "r1", "engine": engine, "forwarding": False}])
    assert "sysctls" not in plain["netns"][0]


ON_LO = {"netns": "r1", "interface": "lo", "supersede": True}


def test_loopback_addresses_are_those_of_lo_and_what_is_not_listed_goes_without_an_item_of_its_own() -> None:
    r1 = {"name": "r1", "loopback_addresses": ["10.255.0.1", "2001:DB8::0:1/128"]}
    addresses = wire([BACK], [r1])["address"]
    assert addresses[1:] == [{**ON_LO, "address": own} for own in ("10.255.0.1/32", "2001:db8::1/128")]
    assert "loopback" not in addresses[0]
    (check,) = (one for one in wire([BACK], [r1])["nat"] if one.get("type") == "spoof_check")
    assert check["addresses"] == ["10.255.0.1", "2001:db8::1"]  # what it sends from them passes
    (left,) = wire([BACK], [{"name": "r1"}])["address"]
    assert (left["interface"], left["loopback"]) == ("eth0", True)
    two = {"name": "r1", "networks": [{"name": "docker0"}, {"name": "back"}]}
    assert [one.get("loopback") for one in wire([DOCKER0, BACK], [two])["address"]] == [True, None, None]


@pytest.mark.parametrize("more", [{"network_mode": "none"}, {"networks": []}])
def test_a_container_without_a_network_has_them_too(more: dict[str, Any]) -> None:
    r1 = {"name": "r1", **more, "loopback_addresses": ["10.255.0.1/32"]}
    assert compile_plan([BACK], [r1])["wire"]["address"] == [{**ON_LO, "address": "10.255.0.1/32"}]
    bare = compile_plan([BACK], [{"name": "r1", **more}])["wire"]["address"]
    assert bare == [{**ON_LO, "state": "absent"}]


def test_loopback_addresses_go_from_a_namespace_that_lives_on() -> None:
    gone = {"name": "r1", "state": "absent", "loopback_addresses": ["10.255.0.1/32"]}
    assert compile_plan([], [gone])["teardown"]["address"] == []
    assert compile_plan([], [{**gone, "engine": "docker"}])["teardown"]["address"] == [{**ON_LO, "state": "absent"}]


def test_sysctls_of_an_interface_go_with_its_pair_and_the_others_with_the_namespace() -> None:
    keys = {
        "net.ipv4.ip_forward": 1,
        "net.ipv4.conf.all.arp_notify": 1,
        "net.ipv4.conf.lo.arp_notify": 1,
        "net/ipv6/conf/eth0/accept_ra": 0,
        "net.ipv4.neigh.a.b.gc_stale_time": 9,
    }
    made = wire(
        [DOCKER0, BACK],
        [{"name": "web", "sysctls": keys, "networks": [{"name": "docker0"}, {"name": "back", "interface": "a.b"}]}],
    )
    assert list(made["netns"][0]["sysctls"]) == list(keys)[:3]
    assert [pair["peer_sysctls"] for pair in made["veth"]] == [
        {"net/ipv6/conf/eth0/accept_ra": 0},
        {"net.ipv4.neigh.a.b.gc_stale_time": 9},
    ]
    engine = {"name": "web", "engine": "docker", "sysctls": {"net.ipv4.conf.eth7.arp_notify": 1}}
    assert wire([DOCKER0], [engine])["netns"][0]["sysctls"]["net.ipv4.conf.eth7.arp_notify"] == 1, "the engine's"


@pytest.mark.parametrize(
    ("network", "sysctls", "asked"),
    [
        ({}, {}, {"peer_accept_ra": False}),
        ({"internal": True}, {"net.ipv6.conf.eth0.mtu": 1400}, {"peer_accept_ra": False}),
        ({"unmanaged": True}, {}, {"accept_ra": False, "peer_accept_ra": False}),
        ({}, {"net.ipv6.conf.eth0.accept_ra": 2}, {}),
        ({}, {"net/ipv6/conf/eth0/accept_ra": 0}, {}),
        ({"subnets": [], "addressing": "none"}, {}, {}),
    ],
)
def test_router_advertisements_are_not_heard_unless_somebody_asks_for_that(
    network: dict[str, Any], sysctls: dict[str, Any], asked: dict[str, Any]
) -> None:
    """A container without addresses of ours has to get its own."""
    made = wire([{**DOCKER0, **network}], [{"name": "web", "sysctls": sysctls}])
    [pair] = made["veth"]
    assert {name: value for name, value in pair.items() if name.endswith("accept_ra")} == asked
    assert [bridge["accept_ra"] for bridge in made["bridge"]] == [False] * (not network.get("unmanaged"))


@pytest.mark.parametrize("which", ["all", "default", "eth0", "e/0"])
def test_a_sysctl_that_undoes_an_ipv6_address_is_refused(which: str) -> None:
    """By the namespace, by the interface, in any spelling; where there is no such address it is the user's affair."""
    name = which.replace("/", ".") if which.startswith("e") else "eth0"
    entry: dict[str, Any] = {"name": "docker0", "interface": name}
    web: dict[str, Any] = {"name": "web", "sysctls": {f"net.ipv6.conf.{which}.disable_ipv6": 1}, "networks": [entry]}
    key = next(iter(web["sysctls"]))
    said = f"sysctls: '{key}' switches IPv6 off, and network 'docker0' gives it an IPv6 address; leave out one of them."
    bare = {**DOCKER0, "addressing": "none"}
    fixed = {**web, "networks": [{**entry, "ipv6_address": "fd00:17::9"}]}
    slashed = {**web, "sysctls": {f"net/ipv6/conf/{which.replace('/', '.')}/disable_ipv6": " 0x1"}}
    for network, container in ((DOCKER0, web), (DOCKER0, fixed), (bare, fixed), (DOCKER0, slashed)):
        with pytest.raises(Invalid) as refusal:
            wire([network], [container])
        assert (
            str(refusal.value)
            == f"wiring_containers: container 'web': {said.replace(key, next(iter(container['sysctls'])))}"
        )
    off = {**web, "sysctls": {key: 0}}
    other = {**web, "sysctls": {"net.ipv6.conf.lo.disable_ipv6": 1}}
    four = {**DOCKER0, "subnets": ["172.17.0.0/16"]}
    for network, container in ((bare, web), (four, web), (DOCKER0, off), (DOCKER0, other)):
        assert wire([network], [container])
    compile_plan([DOCKER0], [{**web, "state": "absent"}])


@pytest.mark.parametrize(
    ("network", "container", "ends"),
    [
        ({}, {}, (False, False)),
        ({"internal": True}, {}, (False, False)),
        ({"icc": False, "masquerade": False}, {"sysctls": {"net.core.somaxconn": 5}}, (False, False)),
        ({"host_access": False}, {}, (False, False)),
        ({"unmanaged": True}, {}, (None, False)),
        ({"subnets": ["10.1.0.0/24", "fd00:1::/64"]}, {}, (None, None)),
        ({"subnets": ["fd00:1::/64"]}, {}, (None, None)),
        ({"subnets": ["fd00:1::/64"], "host_access": False}, {}, (False, None)),
        ({"addressing": "none"}, {}, (False, None)),
        ({}, {"sysctls": {"net.ipv6.conf.eth0.disable_ipv6": 0}}, (False, None)),
        ({}, {"sysctls": {"net/ipv6/conf/all/disable_ipv6": 1}}, (False, None)),
        ({}, {"sysctls": {"net.ipv6.conf.lo.disable_ipv6": 1}}, (False, False)),
        ({}, {"routes": [{"destination": "fd09::/64", "gateway": "fe80::1", "interface": "eth0"}]}, (False, None)),
        ({"routes": [{"destination": "fd09::/64", "gateway": "fe80::1"}]}, {}, (False, None)),
        ({}, {"routes": [{"family": "ipv6", "type": "blackhole"}]}, (False, None)),
        ({}, {"routes": [{"destination": "10.9.0.0/16", "nexthops": [{"gateway": "10.1.0.9"}]}]}, (False, False)),
    ],
)
def test_a_family_that_nobody_asked_for_is_off(network: Any, container: Any, ends: Any) -> None:
    made = wire([{"name": "net0", "subnets": ["10.1.0.0/24"], **network}], [{"name": "web", **container}])
    assert (next((one.get("ipv6") for one in made["bridge"]), None), made["veth"][0].get("peer_ipv6")) == ends


@pytest.mark.parametrize(
    ("container", "made"),
    [
        ({}, BORN_WITH),
        ({"network_mode": "none"}, BORN_WITH),
        ({"engine": "pid", "pid": 1}, None),
        ({"engine": "docker"}, None),
        ({"network_mode": "host"}, None),
    ],
)
def test_a_namespace_of_ours_is_born_with_what_docker_gives_its_own(container: Any, made: Any) -> None:
    plan = compile_plan([DOCKER0], [{"name": "web", **container}])["wire"]
    assert [one.get("new_sysctls") for one in (*plan["netns"], *plan["join"])] == [made]


@pytest.mark.parametrize(
    ("subnet", "address", "broadcast"),
    [
        ("10.1.0.0/24", None, "10.1.0.255"),
        ("10.1.0.0/24", "10.1.0.9", "10.1.0.255"),
        ("10.1.0.0/22", "10.1.0.255", "10.1.3.255"),
        ("10.1.0.0/31", None, None),
        ("fd00:1::/64", None, None),
    ],
)
def test_the_broadcast_address_is_set_on_both_sides(subnet: str, address: str | None, broadcast: str | None) -> None:
    entry = {"name": "net0", **({"ipv4_address": address} if address else {})}
    made = wire([{"name": "net0", "subnets": [subnet]}], [{"name": "web", "networks": [entry]}])
    assert [one.get("broadcast") for one in (*made["gateway"], *made["address"])] == [broadcast] * 2


def test_what_a_container_says_is_passed_on() -> None:
    entry = {
        "name": "docker0",
        "ipv4_address": "172.17.0.9",
        "ipv6_address": "fd00:17::9",
        "mac_address": "02:00:00:00:00:09",
        "interface": "net0",
        "host_interface": "web0",
        "port": {"hairpin": True},
    }
    made = wire([DOCKER0], [{"name": "web", "networks": [entry], "sysctls": {"net.core.somaxconn": 5}}])
    assert made["netns"] == [{"name": "web", "sysctls": {"net.core.somaxconn": 5}, "new_sysctls": BORN_WITH}]
    assert made["veth"] == [
        {
            "name": "web0", "peer_netns": "web", "peer_name": "net0", "peer_mac": "02:00:00:00:00:09",
            "exclusive": True, "mtu": "auto",
            "port_of": "docker0", "peer_accept_ra": False,
        }
    ]  # fmt: skip
    # With options of its own the port is made in one place, the step that sets them.
    assert made["bridge_port"] == [
        {"hairpin": True, "bridge": "docker0", "interface": "web0", "peer_netns": "web", "peer_name": "net0"}
    ]
    assert [one["address"] for one in made["address"]] == ["172.17.0.9/16", "fd00:17::9/64"]
    assert not any("pool" in one for one in made["address"])


def test_without_port_options_an_interface_is_a_port_from_birth() -> None:
    made = wire([DOCKER0], [{"name": "web"}])
    assert [one["bridge"] for one in made["veth"]] == ["docker0"]
    assert made["bridge_port"] == []


def test_a_port_s_interface_is_derived_as_veth_derives_it() -> None:
    entry = {"name": "docker0", "port": {"isolated": True}}
    made = wire([DOCKER0], [{"name": "web", "networks": [entry]}])
    behind = {"interface": "vethzvxkcem3eqk", "peer_netns": "web", "peer_name": "eth0"}
    assert made["bridge_port"] == [{"isolated": True, "bridge": "docker0", **behind}]


def test_policy_rules_are_taken_back_since_they_go_with_no_interface() -> None:
    led = {"table": "100", "gateway": "10.1.0.1", "rule_source": "10.1.0.0/24"}
    networks: list[dict[str, Any]] = [
        DOCKER0,
        {**BACK, "routes": [led, {"destination": "10.7.0.0/16", "gateway": "10.1.0.1"}]},
    ]
    own = {"destination": "10.8.0.0/16", "type": "blackhole", "table": "7", "rule_source": "10.1.0.7/32"}
    web = {"name": "web", "networks": [{"name": "docker0"}, {"name": "back"}], "routes": [own]}
    only = {"netns": "web", "exclusive": True}
    both = [{"interface": "eth1", **led, **only}, {**own, **only}]
    assert [one for one in wire(networks, [web])["route"] if "rule_source" in one] == both
    bare = {**web, "routes": [], "networks": []}
    for entry, state in (
        (web, "absent"),
        ({**bare, "engine": "docker"}, "absent"),
        ({**bare, "state": "absent"}, "present"),
    ):
        assert compile_plan(networks, [entry], state)["teardown"]["route"] == [NO_ROUTES]
    assert compile_plan(networks, [bare], "absent")["teardown"]["route"] == [], "they end with the namespace"
    assert compile_plan(networks, [{**bare, "network_mode": "none"}])["wire"]["route"] == [NO_ROUTES]
    joined = compile_plan(networks, [{**bare, "network_mode": "host"}])
    assert [half["route"] for half in joined.values()] == [[], []], "those of the host are nobody's to remove"


def test_what_is_no_longer_asked_for_goes_with_routes_that_stay_or_with_an_item_that_asks_for_none() -> None:
    apart: dict[str, Any] = {"name": "web", "networks": [{"name": "docker0", "default_route": False}]}
    assert wire([DOCKER0], [apart])["route"] == [NO_ROUTES]
    absent = {"destination": "10.8.0.0/16", "state": "absent"}
    assert wire([DOCKER0], [{**apart, "routes": [absent]}])["route"] == [{**absent, "netns": "web"}, NO_ROUTES]
    kept = [one.get("exclusive") for one in wire([DOCKER0], [{"name": "web", "routes": [absent]}])["route"]]
    assert kept == [True, True, None]


def test_a_container_of_an_engine_gets_ipv6_where_its_network_has_it() -> None:
    made = wire([DOCKER0], [{"name": "web", "engine": "docker", "sysctls": {"net.ipv4.ip_forward": 1}}])["netns"]
    off = {"net.ipv6.conf.all.disable_ipv6": 0, "net.ipv6.conf.default.disable_ipv6": 0}
    assert made == [
        {"name": "web", "container": "web", "engine": "docker", "sysctls": {**off, "net.ipv4.ip_forward": 1}}
    ]
    assert "sysctls" not in wire([BACK], [{"name": "web", "engine": "docker"}])["netns"][0]


def ports(*listed: Any, networks: Sequence[Any] = (DOCKER0,), **options: Any) -> list[dict[str, Any]]:
    """The nat items of a container's published ports."""
    made = wire(list(networks), [{"name": "web", "published_ports": list(listed), **options}])["publish"]
    return [
        {key: one[key] for key in sorted(one) if key not in ("type", "owner", "exclusive")}
        for one in made
        if one.get("type") == "dnat"
    ]


@pytest.mark.parametrize(
    ("spelled", "protocol", "host_ip", "host_port", "to_port", "families"),
    [
        ("8080:80", "tcp", None, "8080", "80", (4, 6)),
        ("8080:80/udp", "udp", None, "8080", "80", (4, 6)),
        ("127.0.0.1:5353:53/udp", "udp", "127.0.0.1", "5353", "53", (4,)),
        ("0.0.0.0:8080:80", "tcp", "0.0.0.0", "8080", "80", (4,)),
        ("[::]:8080:80", "tcp", "::", "8080", "80", (6,)),
        ("[fd00::1]:8443:443", "tcp", "fd00::1", "8443", "443", (6,)),
        ("30000-30099:30000-30099/tcp", "tcp", None, "30000-30099", "30000-30099", (4, 6)),
        (
            {"target": 80, "published": "8080", "host_ip": "192.0.2.1", "protocol": "udp", "mode": "host"},
            "udp",
            "192.0.2.1",
            "8080",
            "80",
            (4,),
        ),
        ({"target": 80, "published": 8080}, "tcp", None, "8080", "80", (4, 6)),
    ],
)
def test_ports_are_spelled_as_for_docker_and_compose(
    spelled: Any, protocol: str, host_ip: str | None, host_port: str, to_port: str, families: tuple[int, ...]
) -> None:
    assert ports(spelled) == [
        {
            "bridge": "docker0",
            **({"host_ip": host_ip} if host_ip else {}),
            "host_port": host_port,
            "protocol": protocol,
            "to_address": f"web/eth0/ipv{family}",
            "to_port": to_port,
            **({"addresses": ["web"]} if family == families[0] else {}),
        }
        for family in families
    ]


def test_ports_are_published_the_way_that_the_default_route_goes() -> None:
    assert {one["bridge"] for one in ports("80:80", networks=(DOCKER0, BACK))} == {"docker0"}
    assert ports("80:80", networks=({**BACK, "name": "only"},))[0]["to_address"] == "web/eth0/ipv4"


BOX = "wiring_containers: container 'web': "
WEB: dict[str, Any] = {"name": "web"}
NO_PORTS: list[tuple[dict[str, Any], str]] = [
    ({"network_mode": "host"}, "published_ports: with network_mode: host its ports are the host's already."),
    (
        {"network_mode": "container:x"},
        "published_ports belong to container 'x', whose namespace it joins; list them there.",
    ),
    ({"network_mode": "none"}, "published_ports: with network_mode: none nobody can reach it."),
    (
        {"networks": [{"name": "back"}]},
        "published_ports: '80:80': it has no address on a network that the host forwards for (internal, host_access: false).",
    ),
    (
        {"published_ports": ["80"]},
        "published_ports: '80' names no port of the host: docker would take one that is free, another one each time. Name it: '8080:80', in quotes.",
    ),
    (
        {"published_ports": [{"target": 80}]},
        "published_ports: '80' names no port of the host: docker would take one that is free, another one each time. Name it: '8080:80', in quotes.",
    ),
]
REFUSED: list[tuple[list[dict[str, Any]], list[dict[str, Any]], str]] = [
    ([DOCKER0], [{}], "wiring_containers: item 1 has no name."),
    ([], [{"name": "web"}], BOX + "there is no network to attach it to; wiring_networks is empty."),
    ([DOCKER0], [{"name": "web", "networks": [{"name": "x"}]}], BOX + "network 'x' is not in wiring_networks."),
    (
        [BACK, {**DOCKER0, "state": "absent"}],
        [{"name": "web", "networks": [{"name": "docker0"}]}],
        BOX + "network 'docker0' is to be absent.",
    ),
    (
        [DOCKER0, BACK],
        [{"name": "web", "networks": [{"name": "docker0", "interface": "eth1"}, {"name": "back"}]}],
        BOX + "two of its networks use the interface eth1.",
    ),
    (
        [DOCKER0, BACK],
        [{"name": "web", "networks": [{"name": name, "default_route": True} for name in ("docker0", "back")]}],
        BOX + "more than one of its networks has default_route: true.",
    ),
    *[
        (
            [DOCKER0],
            [{"name": "web", "network_mode": mode}],
            BOX + f"network_mode '{mode}' is none of bridge, host, none, container:NAME.",
        )
        for mode in ("macvlan", "container", "bridge:web", "container:")
    ],
    (
        [DOCKER0],
        [{"name": "web", "engine": "rkt"}],
        BOX + "engine: 'rkt' is none of netns, docker, podman, nspawn, lxc, systemd, pid.",
    ),
    ([DOCKER0], [{"name": "web", "engine": "pid"}], BOX + "pid and engine: pid go together."),
    *[
        (
            [DOCKER0, {**BACK, "internal": True}],
            [{"name": "x"}, {**WEB, "published_ports": ["80:80"], **options}],
            BOX + sentence,
        )
        for options, sentence in NO_PORTS
    ],
    ([DOCKER0], [{"name": "web", "pid": 4}], BOX + "pid and engine: pid go together."),
    *[
        (
            [DOCKER0],
            [{"name": "web", "network_mode": mode, "sysctls": {"net.ipv4.conf.eth1.arp_notify": 1}}],
            BOX
            + "sysctls: 'net.ipv4.conf.eth1.arp_notify': none of its networks and links gives it an interface 'eth1'.",
        )
        for mode in ("bridge", "none")
    ],
    (
        [DOCKER0],
        [{"name": "web", "networks": [{"name": "docker0", "ipv4_address": "10.0.0.1"}]}],
        BOX + "ipv4_address: 10.0.0.1 is in none of the subnets of network 'docker0'.",
    ),
    (
        [DOCKER0],
        [{"name": "web", "networks": [{"name": "docker0", "ipv4_address": "fd00:17::2"}]}],
        BOX + "ipv4_address: fd00:17::2 is not an IPv4 address.",
    ),
    (
        [{"name": "l2", "addressing": "none"}],
        [{"name": "web", "networks": [{"name": "l2", "ipv4_address": "10.0.0.5"}]}],
        BOX + "ipv4_address: 10.0.0.5 needs its prefix length, as 10.0.0.5/24, for network 'l2' has no IPv4 subnet.",
    ),
    (
        [{**BACK, "addressing": "none"}],
        [{"name": "web", "networks": [{"name": "back", "ipv4_address": "10.0.0.5/24"}]}],
        BOX + "ipv4_address: 10.0.0.5/24 is in none of the subnets of network 'back'.",
    ),
    (
        [{**BACK, "host_access": False, "gateways": ["10.1.0.254"]}],
        [{"name": "web", "published_ports": ["80:80"]}],
        BOX + "published_ports: '80:80': it has no address on a network that the host forwards for",
    ),
    (
        [{**BACK, "addressing": "none"}],
        [{"name": "web", "published_ports": ["80:80"]}],
        BOX + "published_ports: '80:80': it has no address on a network that the host forwards for",
    ),
]


@pytest.mark.parametrize(("networks", "containers", "sentence"), REFUSED)
def test_what_is_refused_says_where_and_why(networks: Any, containers: Any, sentence: str) -> None:
    with pytest.raises(Invalid) as caught:
        compile_plan(networks, containers)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("network", "entry", "container", "checked"),
    [
        ({}, {}, {}, True),
        ({"spoof_check": False}, {}, {}, False),
        ({"spoof_check": False}, {"spoof_check": True}, {}, True),
        ({}, {"spoof_check": False}, {}, False),
        ({"addressing": "none"}, {}, {}, False),
        ({"addressing": "none"}, {"spoof_check": True}, {}, True),
        ({"host_access": False, "gateways": ["10.1.0.254"]}, {"ipv4_address": "10.1.0.254"}, {}, False),
        ({}, {}, {"sysctls": {"net.ipv4.ip_forward": 1}}, False),
        ({}, {}, {"sysctls": {"net.ipv6.conf.all.forwarding": "1"}}, False),
        ({}, {}, {"sysctls": {"net.ipv4.ip_forward": 0}}, True),
        ({}, {"port": {"vlans": [{"vid": 5}]}}, {}, False),
        ({}, {"port": {"isolated": True}}, {}, True),
        ({"unmanaged": True}, {}, {}, True),
    ],
)
def test_a_port_is_checked_where_it_is_known_what_is_to_come(
    network: Any, entry: Any, container: Any, checked: bool
) -> None:
    made = wire([{**BACK, **network}], [{"name": "web", "networks": [{"name": "back", **entry}], **container}])
    items = [one for one in made["nat"] if one["type" if "type" in one else "owner"] == "spoof_check"]
    assert [one.get("state", "present") for one in items] == ["present" if checked else "absent"]


def test_fixed_addresses_pass_from_the_beginning_and_those_of_pools_when_they_are_given() -> None:
    entry = {"name": "docker0", "ipv4_address": "172.17.0.9", "mac_address": "02:00:00:00:00:09", "host_interface": "w"}
    made = wire([DOCKER0], [{"name": "web", "networks": [entry]}])
    own = {"mac": "02:00:00:00:00:09", "interface": "w"}
    assert made["nat"][-1] == {
        **CHECKED_FIRST, **own, "addresses": ["172.17.0.9"], "pools": ["fd00:17::/64"], "exclude": ["fd00:17::1"],
    }  # fmt: skip
    assert made["publish"][1:] == [
        {
            **CHECK,
            **own,
            "addresses": ["172.17.0.9", "web/eth0/ipv6"],
            "pools": ["fd00:17::/64"],
            "exclude": ["fd00:17::1"],
        }
    ]
    both = {**entry, "ipv6_address": "fd00:17::9"}
    made = wire([DOCKER0], [{"name": "web", "networks": [both]}])
    assert made["nat"][-1] == {**CHECKED_FIRST, **own, "addresses": ["172.17.0.9", "fd00:17::9"]}
    # All of it was known; what it has besides passes until it has these.
    assert made["publish"] == [NOTHING_PUBLISHED, {**CHECK, **own, "addresses": ["172.17.0.9", "fd00:17::9"]}]


def test_what_a_container_gets_leaves_by_the_host_end_and_what_it_sends_by_its_own() -> None:
    def asked(**more: Any) -> dict[str, Any]:
        """The options of the pair that hold something up."""
        (pair,) = wire([DOCKER0], [{"name": "web", "networks": [{"name": "docker0", **more}]}])["veth"]
        return {name: value for name, value in pair.items() if name.rpartition("peer_")[2] in SHAPES}

    assert asked() == asked(rate="", delay="", loss=0) == {}
    assert asked(rate="10 Mbit") == {"rate": "10mbit", "peer_rate": "10mbit"}
    assert asked(rate="10mbit", egress_rate="1mbit") == {"rate": "10mbit", "peer_rate": "1mbit"}
    assert asked(rate="10mbit", ingress_rate="") == {"peer_rate": "10mbit"}
    assert asked(ingress_rate="8kbit", delay="10ms", jitter="1ms") == {
        **{"rate": "8kbit", "delay": "10ms", "jitter": "1ms"},
        **{"peer_delay": "10ms", "peer_jitter": "1ms"},
    }
    assert asked(loss="0.50") == {"loss": "0.5%", "peer_loss": "0.5%"}
    with pytest.raises(Invalid, match=r"^wiring_containers: container 'web': ingress_rate: '5' is no rate"):
        asked(rate="1mbit", ingress_rate="5")
