# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel says of a route in more than one place, or in another form than was asked for: flags of each way, gateways of the other
address family, next-hop objects, routes for a type of service, on-link networks of a table of its own."""

from __future__ import annotations

from typing import Any

import pytest
from wires import Host

HOPS = [{"gateway": "172.31.0.1", "interface": "e0"}, {"gateway": "172.31.1.1", "interface": "e1"}]
HOPS6 = [{"gateway": "fd99::1", "interface": "e0", "weight": 3}, {"gateway": "fd01::1", "interface": "e1"}]


@pytest.fixture
def two(host: Host) -> Host:
    """A host with two links."""
    host.run(
        "for i in 0 1; do ip link add e$i type veth peer name f$i; ip link set e$i up; ip link set f$i up; "
        "ip addr add 172.31.$i.2/24 dev e$i; ip addr add fd0$i::2/64 dev e$i nodad; done"
    )
    return host


def at_rest(host: Host, **options: Any) -> dict[str, Any]:
    """Set a route and take it away again: each is done once, and foreseen."""
    done = host.settles("ns_route", **options)
    words = done["commands"][0].split(" add ")[1].split(" proto ")[0]
    gone = host.settles("ns_route", **options, state="absent")
    assert gone["before"] == done["after"]
    assert words.split()[0] in gone["commands"][0]
    return done


@pytest.mark.parametrize("gateway", ["fe80::1", "fd00::1"])
def test_an_ipv4_route_by_an_ipv6_gateway(two: Host, gateway: str) -> None:
    """RFC 8950: links of routers need no IPv4 addresses."""
    done = at_rest(two, destination="10.6.0.0/16", gateway=gateway, interface="e0")
    assert done["after"]["gateway"] == gateway
    two.run(done["commands"][0])  # it means the same to ip
    assert not two.module("ns_route", destination="10.6.0.0/16", gateway=gateway, interface="e0")["changed"]
    default = two.settles("ns_route", family="ipv4", gateway=gateway, interface="e0", metric=7)
    assert default["after"]["destination"] == "default"
    assert f"default via inet6 {gateway} dev e0" in two.run("ip -4 route").stdout
    assert two.settles("ns_route", destination="10.6.0.0/16", gateway="172.31.0.1")["changed"]


@pytest.mark.parametrize(("destination", "hops"), [("10.11.0.0/16", HOPS), ("fd11::/64", HOPS6)], ids=["ipv4", "ipv6"])
def test_onlink_of_a_multipath_route_is_in_each_way(two: Host, destination: str, hops: list[dict[str, Any]]) -> None:
    done = at_rest(two, destination=destination, onlink=True, nexthops=hops)
    assert done["after"]["onlink"] is True
    two.run(done["commands"][0])  # it means the same to ip
    for order in (hops, hops[::-1]):
        assert not two.module("ns_route", destination=destination, onlink=True, nexthops=order)["changed"]
    off = two.settles("ns_route", destination=destination, onlink=False, nexthops=HOPS if "." in destination else [
        {**hops[0], "gateway": "fd00::1"}, hops[1]])  # fmt: skip
    assert off["after"]["onlink"] is False


def test_a_route_of_which_one_way_is_onlink(two: Host) -> None:
    two.run("ip route add 10.1.0.0/16 nexthop via 10.7.0.1 dev e0 onlink nexthop via 172.31.1.1 dev e1")
    assert two.settles("ns_route", destination="10.1.0.0/16", mtu=1400)["changed"]
    shown = two.run("ip route show 10.1.0.0/16").stdout
    assert "via 10.7.0.1 dev e0 weight 1 onlink" in shown, "the flag of that way stays"
    assert "via 172.31.1.1 dev e1 weight 1 \n" in shown
    nexthops = [{"gateway": "10.7.0.1", "interface": "e0"}, HOPS[1]]
    assert two.settles("ns_route", destination="10.1.0.0/16", onlink=True, nexthops=nexthops)["changed"]
    assert two.run("ip route show 10.1.0.0/16").stdout.count("onlink") == 2


def test_a_gateway_of_the_other_address_family(two: Host) -> None:
    """A route over IPv4 by a router of IPv6 (RFC 5549) is not a route to what is on the link."""
    two.run("ip route add 10.3.0.0/16 via inet6 fe80::1 dev e0")
    (found,) = [
        one
        for one in two.module("wiring_info", gather=["routes"])["wiring"]["routes"]
        if one["destination"] == "10.3.0.0/16"
    ]
    assert (found["gateway"], found["interface"]) == ("fe80::1", "e0")
    gone = two.settles("ns_route", destination="10.3.0.0/16", state="absent")
    assert gone["commands"] == ["ip route del 10.3.0.0/16 via inet6 fe80::1 dev e0"]
    two.run("ip route add 10.4.0.0/16 nexthop via inet6 fe80::1 dev e0 nexthop via 172.31.1.1 dev e1")
    two.settles("ns_route", destination="10.4.0.0/16", state="absent")
    two.run("ip route add 10.5.0.0/16 via inet6 fe80::1 dev e0")
    two.settles("ns_route", destination="10.5.0.0/16", gateway="172.31.0.1")
    assert two.ip("route show 10.5.0.0/16")[0]["gateway"] == "172.31.0.1"


OBJECTS = """ip nexthop add id 1 via 172.31.0.1 dev e0; ip nexthop add id 2 via 172.31.1.1 dev e1; ip nexthop add id 10 group 1/2
ip nexthop add id 3 blackhole; ip nexthop add id 4 via fd00::1 dev e0"""
BY_OBJECT = [
    ("10.51.0.0/16", 1, {"gateway": "172.31.0.1"}, {"gateway": "172.31.0.9"}),
    ("10.52.0.0/16", 10, {"nexthops": HOPS}, {"gateway": "172.31.0.1"}),
    ("10.53.0.0/16", 3, {"type": "blackhole"}, {"gateway": "172.31.0.1"}),
    ("fd51::/64", 4, {"gateway": "fd00::1"}, {"gateway": "fd00::9"}),
]


@pytest.mark.parametrize(
    ("destination", "number", "same", "other"), BY_OBJECT, ids=["one", "group", "blackhole", "ipv6"]
)
def test_a_route_by_a_next_hop_object(
    two: Host, destination: str, number: int, same: dict[str, Any], other: dict[str, Any]
) -> None:
    if two.run("ip nexthop", check=False).rc != 0:
        pytest.skip("this kernel has no next-hop objects")
    two.run(OBJECTS)
    family = "-6 " if ":" in destination else ""
    add = f"ip {family}route add {destination} nhid {number}"
    two.run(add)
    if number != 3:  # of those that lead nowhere the host's are not shown
        routes = two.module("wiring_info", gather=["routes"])["wiring"]["routes"]
        (found,) = [one for one in routes if one["destination"] == destination]
        assert found["nexthop_id"] == number
    assert not two.module("ns_route", destination=destination, **same)["changed"], "it leads there already"
    if number != 3:
        changed = two.settles("ns_route", destination=destination, mtu=1400)
        assert f"nhid {number}" in two.run(f"ip {family}route show {destination}").stdout, (
            "who has the ways is left alone"
        )
        assert f" nhid {number} " in changed["commands"][0]
    two.settles("ns_route", destination=destination, state="absent")
    two.run(add)
    assert "nexthop_id" not in two.settles("ns_route", destination=destination, **other)["after"]
    assert "nhid" not in two.run(f"ip {family}route show {destination}").stdout
    assert two.run("ip nexthop").stdout.count("id ") >= 5, "the objects are nobody's here"


def test_a_route_for_a_type_of_service_is_another_one(two: Host) -> None:
    two.run("ip route add 10.4.0.0/16 tos 0x10 via 172.31.0.9")
    two.settles("ns_route", destination="10.4.0.0/16", gateway="172.31.0.1", mtu=1400)
    two.settles("ns_route", destination="10.4.0.0/16", gateway="172.31.0.1", mtu=1300)
    two.settles("ns_route", destination="10.4.0.0/16", state="absent")
    assert "tos" in two.run("ip route show 10.4.0.0/16").stdout


@pytest.mark.parametrize(("net", "gateway"), [("10.60.0.0/24", "10.60.0.1"), ("fd60::/64", "fd60::1")])
def test_a_gateway_that_is_on_link_in_the_routes_own_table(two: Host, net: str, gateway: str) -> None:
    """As `ip route add` does it: the table itself is asked first."""
    two.run(f"ip route add {net} dev e1 table 100")
    assert f"gateway: {gateway} is in no on-link subnet of the host" in two.fails("ns_route", gateway=gateway)["msg"]
    done = two.settles("ns_route", gateway=gateway, table=100)
    assert done["after"]["interface"] == "e1"
    hops = [{"gateway": gateway}, {"gateway": "172.31.0.1" if "." in net else "fd00::1"}]
    two.settles("ns_route", destination="10.61.0.0/16" if "." in net else "fd61::/64", nexthops=hops, table=100)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"gateway": "fe80::1"}, "gateway: fe80::1 is link-local, which is on every link; name its interface."),
    ({"family": "ipv6", "nexthops": [{"gateway": "fe80::1"}, {"gateway": "fd00::1"}]}, "nexthops: fe80::1 is link-local"),
    ({"family": "ipv6", "nexthops": [{"interface": "e0"}, {"interface": "e1"}]}, "nexthops: over IPv6 each needs a gateway."),
    ({"nexthops": [HOPS[0], {**HOPS[0], "weight": 5}]}, "nexthops: 172.31.0.1 dev e0 is asked for twice; give it once"),
    ({"gateway": "172.31.0.255"}, "gateway: 172.31.0.255 is the broadcast address of its network, which no router has."),
    ({"gateway": "fd00::2"}, "gateway: fd00::2 is an address of the host itself."),
    *(({"gateway": one, "interface": "e0"}, f"gateway: {one} is not an address a router can have.")
      for one in ("0.0.0.0", "::", "224.0.0.1", "ff02::1", "127.0.0.1", "::1", "255.255.255.255")),
    ({"gateway": "172.31.0.1", "source": "9.9.9.9"}, "source: 9.9.9.9 is no address of the host; add it"),
    ({"gateway": "fd00::1", "source": "fd99::9"}, "source: fd99::9 is no address of the host; add it"),
    ({"gateway": "9.9.9.9", "onlink": True}, "onlink: it does not say on which link 9.9.9.9 is; name its interface"),
    ({"interface": "e0", "onlink": True}, "onlink: it says that a gateway is on the link; without a gateway it means"),
    ({"gateway": "172.31.0.1", "scope": "link"}, "scope: a route by a gateway reaches further than the scope link."),
    ({"interface": "e0", "scope": "nowhere"}, "scope: nothing is reached by a route of scope nowhere."),
    *(({"type": "blackhole", name: value}, f"{name}: it does not go with type: blackhole.")
      for name, value in (("interface", "e0"), ("onlink", True), ("scope", "link"))),
    ({"gateway": "172.31.0.1", "mtu": 65521}, "mtu: 65521 is out of bounds; it must be from 0 to 65520."),
    ({"gateway": "172.31.0.1", "advmss": 65496}, "advmss: 65496 is out of bounds; it must be from 0 to 65495."),
]  # fmt: skip


def test_what_the_kernel_would_refuse_is_refused_before(two: Host) -> None:
    two.all_refused("ns_route", {}, REFUSED)
    foreseen = "the subnet of gateway 169.254.7.7 in the host"
    two.misses("ns_route", "gateway: 169.254.7.7 is in no on-link subnet of the host", foreseen, gateway="169.254.7.7")
