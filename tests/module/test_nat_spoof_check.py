# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nat, type spoof_check: what a container's root sends under a name that is not its own goes nowhere, and all else goes on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
from frames import (
    ALL,
    ARP,
    FRAGMENT,
    HOP_BY_HOP,
    ICMPV6,
    IPV4,
    IPV6,
    OPTIONS,
    REPLY,
    REQUEST,
    UDP,
    arp,
    arrived,
    behind,
    ether,
    fragment,
    icmpv6,
    ipv4,
    ipv6,
    neighbour,
    udp,
)
from proofs import comes, pastes
from wires import LIMIT, MOMENT, Host, called, eventually, warnings

MAC, DB_MAC, BRIDGE_MAC = "02:42:0a:00:00:02", "02:42:0a:00:00:03", "02:42:0a:00:00:01"
OWN = {4: "10.0.0.2", 6: "fd00::2", 0: "fe80::42:aff:fe00:2"}  # 0: its link-local one
DB = {4: "10.0.0.3", 6: "fd00::3", 0: "fe80::42:aff:fe00:3"}
GATEWAY = {4: "10.0.0.1", 6: "fd00::1", 0: "fe80::42:aff:fe00:1"}
NODES, SOLICITED = "ff02::1", "ff02::1:ff00:3"
CHECK: dict[str, Any] = {
    "type": "spoof_check",
    "interface": "web-eth0",
    "mac": MAC,
    "owner": "web",
    "addresses": [OWN[4], OWN[6]],
}
TABLE = "bridge linuxnet_containers"
SERVER = """
import socket
server = socket.create_server(("::", 80), family=socket.AF_INET6, dualstack_ipv6=True)
while True:
    peer, address = server.accept()
    with peer:
        peer.sendall(b"here")
"""


@pytest.fixture(autouse=True)
def street(host: Host, needs: Callable[..., None]) -> None:
    """A bridge with two containers on it; the one called web is the one that is not to be trusted."""
    needs("nf_tables_bridge")
    host.run("sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0", check=False)
    host.bridge("br0", f"{GATEWAY[4]}/24", f"{GATEWAY[6]}/64")
    host.run(f"ip link set br0 address {BRIDGE_MAC}")
    for name, mac, addresses in (("web", MAC, OWN), ("db", DB_MAC, DB)):
        host.container(name)
        host.run(
            f"ip -n {name} link set eth0 down address {mac} && ip -n {name} link set eth0 up && "
            f"ip -n {name} addr add {addresses[4]}/24 dev eth0 && ip -n {name} addr add {addresses[6]}/64 dev eth0 nodad"
        )


def check(host: Host, **options: Any) -> dict[str, Any]:
    """Check what comes from web, as a user does."""
    return host.settles("nat", **{**CHECK, **options})


# --- frames ---


def _arp(operation: int = REPLY, mac: str = MAC, ip: str = OWN[4], target: str = DB[4], **options: int) -> bytes:
    return ether(ALL, MAC, ARP, arp(operation, mac, ip, target, **options))


def _ipv4(source: str = OWN[4], to: str = DB[4], protocol: int = UDP, payload: bytes = udp(), **options: int) -> bytes:
    return ether(ALL, MAC, IPV4, ipv4(source, to, protocol, payload, **options))


def _ipv6(source: str, following: int, payload: bytes, to: str = NODES, **options: int) -> bytes:
    return ether(ALL, MAC, IPV6, ipv6(source, to, following, payload, **options))


def _icmpv6(source: str, kind: int, body: bytes = bytes(4), to: str = NODES) -> bytes:
    return _ipv6(source, ICMPV6, icmpv6(source, to, kind, body), to)


def _neighbour(source: str, kind: int, target: str, mac: str = "", to: str = NODES) -> bytes:
    return _ipv6(source, ICMPV6, neighbour(source, to, kind, target, mac), to)


def _tagged(protocol: int, tag: int, frame: bytes) -> bytes:
    return frame[:12] + protocol.to_bytes(2, "big") + tag.to_bytes(2, "big") + frame[12:]


NA = neighbour(OWN[6], NODES, 136, GATEWAY[6], MAC)
RA = icmpv6(OWN[0], NODES, 134, bytes(12))
REPORT = bytes.fromhex("0000000104000000") + bytes.fromhex("ff0200000000000000000001ff000002")
FAIR = {
    "a question who has an address": _arp(REQUEST),
    "an answer": _arp(),
    "a gratuitous ARP": _arp(REQUEST, target=OWN[4]),
    "an ARP probe": _arp(REQUEST, ip="0.0.0.0", target=OWN[4]),
    "UDP": _ipv4(),
    "a broadcast": _ipv4(to="255.255.255.255"),
    "a first fragment": _ipv4(fragment=0x2000),
    "a later fragment": _ipv4(fragment=1),
    "IGMP": _ipv4(to="224.0.0.22", protocol=2, payload=bytes(8)),
    "UDP over IPv6": _ipv6(OWN[6], UDP, udp()),
    "UDP from the link-local address": _ipv6(OWN[0], UDP, udp()),
    "UDP behind options": _ipv6(OWN[6], OPTIONS, behind(UDP, udp())),
    "a later fragment over IPv6": _ipv6(OWN[6], FRAGMENT, fragment(UDP, 8, False, udp())),
    "a neighbour solicitation": _neighbour(OWN[6], 135, DB[6], MAC, SOLICITED),
    "a solicitation from the link-local address": _neighbour(OWN[0], 135, DB[6], MAC, SOLICITED),
    "a neighbour advertisement": _neighbour(OWN[6], 136, OWN[6], MAC),
    "an advertisement of the link-local address": _neighbour(OWN[0], 136, OWN[0], MAC),
    "duplicate address detection": _neighbour("::", 135, OWN[6], "", "ff02::1:ff00:2"),
    "a router solicitation": _icmpv6(OWN[0], 133),
    "an echo": _icmpv6(OWN[6], 128),
    "a later fragment of an echo": _ipv6(OWN[6], FRAGMENT, fragment(ICMPV6, 8, False, bytes(8))),
    "MLD": _ipv6(OWN[0], HOP_BY_HOP, behind(ICMPV6, icmpv6(OWN[0], "ff02::16", 143, REPORT)), "ff02::16"),
    "MLD before there is an address": _ipv6(
        "::", HOP_BY_HOP, behind(ICMPV6, icmpv6("::", "ff02::16", 143, REPORT)), "ff02::16"
    ),
}
FOUL = {
    "the MAC address of a sibling": ether(ALL, DB_MAC, IPV4, ipv4(OWN[4], DB[4], UDP, udp())),
    "ARP from the MAC address of a sibling": ether(ALL, DB_MAC, ARP, arp(REPLY, DB_MAC, OWN[4], DB[4])),
    "a MAC address of nobody": ether(ALL, "02:00:00:00:00:99", IPV4, ipv4(OWN[4], DB[4], UDP, udp())),
    "an answer for the gateway": _arp(ip=GATEWAY[4]),
    "an answer for a sibling": _arp(ip=DB[4]),
    "a gratuitous ARP for the gateway": _arp(REQUEST, ip=GATEWAY[4], target=GATEWAY[4]),
    "an answer that names another MAC address": _arp(mac=DB_MAC),
    "an answer of nobody": _arp(ip="0.0.0.0"),
    "a probe that names another MAC address": _arp(REQUEST, mac=DB_MAC, ip="0.0.0.0"),
    "ARP of IEEE 802 for the gateway": _arp(ip=GATEWAY[4], hardware=6),
    "ARP of another hardware": _arp(length=8),
    "ARP of another protocol": _arp(protocol=IPV6),
    "ARP that is cut off": _arp()[:24],
    "RARP": ether(ALL, MAC, 0x8035, arp(4, MAC, OWN[4], OWN[4])),
    "a source of somewhere else": _ipv4("8.8.8.8"),
    "the source of a sibling": _ipv4(DB[4]),
    "the source of the gateway": _ipv4(GATEWAY[4]),
    "no source": _ipv4("0.0.0.0", "255.255.255.255"),
    "a later fragment of a sibling": _ipv4(DB[4], fragment=1),
    "IPv4 that is cut off": _ipv4()[:26],
    "a source of IPv6 of somewhere else": _ipv6("2001:db8::8", UDP, udp()),
    "the source of IPv6 of a sibling": _ipv6(DB[6], UDP, udp()),
    "the link-local source of a sibling": _ipv6(DB[0], UDP, udp()),
    "a link-local source of nobody": _neighbour("fe80::99", 135, DB[6], MAC, SOLICITED),
    "a solicitation from the gateway's link-local address": _neighbour(GATEWAY[0], 135, DB[6], MAC, SOLICITED),
    "a solicitation from the gateway": _neighbour(GATEWAY[6], 135, DB[6], MAC, SOLICITED),
    "an advertisement of the gateway": _neighbour(OWN[6], 136, GATEWAY[6], MAC),
    "an advertisement of the gateway's link-local address": _neighbour(OWN[0], 136, GATEWAY[0], MAC),
    "an advertisement of a sibling": _neighbour(OWN[6], 136, DB[6], MAC),
    "an advertisement of nobody": _neighbour("::", 136, GATEWAY[6], MAC),
    "an advertisement behind hop-by-hop options": _ipv6(OWN[6], HOP_BY_HOP, behind(ICMPV6, NA)),
    "an advertisement behind options": _ipv6(OWN[6], OPTIONS, behind(ICMPV6, NA)),
    "an advertisement behind many headers": _ipv6(
        OWN[6], HOP_BY_HOP, behind(OPTIONS, behind(OPTIONS, behind(OPTIONS, behind(ICMPV6, NA))))
    ),
    "an advertisement as a fragment": _ipv6(OWN[6], FRAGMENT, fragment(ICMPV6, 0, False, NA)),
    "the first fragment of an advertisement": _ipv6(OWN[6], FRAGMENT, fragment(ICMPV6, 0, True, NA[:16])),
    "a first fragment without its message": _ipv6(OWN[6], FRAGMENT, fragment(OPTIONS, 0, True, behind(ICMPV6, b""))),
    "a later fragment that says nothing of what it is": _ipv6(OWN[6], FRAGMENT, fragment(OPTIONS, 8, False, NA[8:])),
    "an advertisement that is cut off": _ipv6(OWN[6], ICMPV6, NA[:16]),
    "a message that is cut off": _ipv6(OWN[6], ICMPV6, b""),
    "a router advertisement": _icmpv6(OWN[0], 134, bytes(12)),
    "a router advertisement behind options": _ipv6(OWN[0], HOP_BY_HOP, behind(ICMPV6, RA)),
    "a router advertisement as a fragment": _ipv6(OWN[0], FRAGMENT, fragment(ICMPV6, 0, False, RA)),
    "a redirect": _neighbour(OWN[0], 137, OWN[0], MAC),
    "an echo from no address": _icmpv6("::", 128),
    "UDP from no address": _ipv6("::", UDP, udp()),
    "IPv6 of another version": _ipv6(OWN[6], ICMPV6, NA, version=4),
    "IPv6 that is cut off": _ipv6(OWN[6], UDP, udp())[:30],
    "a VLAN": _tagged(0x8100, 5, _ipv4(payload=udp(5))),
    "an answer for the gateway in a VLAN": _tagged(0x8100, 5, _arp(ip=GATEWAY[4])),
    "a priority without a VLAN": _tagged(0x8100, 0x2000, _ipv4(payload=udp(6))),
    "a VLAN of a provider": _tagged(0x88A8, 5, _ipv4(payload=udp(7))),
    "a VLAN in a VLAN": _tagged(0x8100, 5, _tagged(0x8100, 6, _ipv4(payload=udp(8)))),
    "IEEE 802.2": ether(ALL, MAC, 60, bytes.fromhex("aaaa03000000") + IPV4.to_bytes(2, "big") + bytes(52)),
    "PPPoE": ether(ALL, MAC, 0x8863, bytes(46)),
    "LLDP": ether(ALL, MAC, 0x88CC, bytes(46)),
    "EAPOL": ether(ALL, MAC, 0x888E, bytes(46)),
    "MPLS": ether(ALL, MAC, 0x8847, bytes(46)),
    "a spanning tree": ether("01:80:c2:00:00:00", MAC, 38, bytes.fromhex("424203") + bytes(43)),
}
LAST = ether(ALL, MAC, IPV4, ipv4(OWN[4], "10.0.0.255", UDP, udp(4242)))


def heard(host: Host, frames: dict[str, bytes]) -> list[str]:
    """The names of those frames of web that the sibling gets."""
    [seen] = arrived(host, "web", list(frames.values()), LAST, "db/eth0")
    # A tag that is the outermost one is not part of what a socket is given.
    return [
        name
        for name, frame in frames.items()
        if frame.hex() in seen
        or (frame[12:14] in (b"\x81\x00", b"\x88\xa8") and (frame[:12] + frame[16:]).hex() in seen)
    ]


def test_what_is_not_the_container_s_own_goes_nowhere_and_all_else_goes_on(host: Host) -> None:
    assert heard(host, {**FAIR, **FOUL}) == [*FAIR, *FOUL], "there is nothing to check"
    check(host)
    assert heard(host, {**FAIR, **FOUL}) == [*FAIR]
    check(host, state="absent")
    assert heard(host, {**FAIR, **FOUL}) == [*FAIR, *FOUL]


def test_what_a_container_sends_to_the_bridge_itself_is_checked_as_well(host: Host) -> None:
    check(host)
    frames = {**FAIR, **FOUL}
    [seen] = arrived(host, "web", [bytes.fromhex("02420a000001") + one[6:] for one in frames.values()], LAST, "/br0")
    sent = {("02420a000001" + frame[6:].hex()): name for name, frame in frames.items()}
    assert {sent[frame] for frame in seen if frame in sent} == {*FAIR}


def test_a_sibling_that_is_not_checked_is_left_alone(host: Host) -> None:
    check(host)
    frames = [ether(ALL, DB_MAC, IPV4, ipv4("8.8.8.8", OWN[4], UDP, udp())), ether(ALL, DB_MAC, 0x88CC, bytes(46))]
    [seen] = arrived(host, "db", frames, LAST, "web/eth0")
    assert seen == [frame.hex() for frame in frames]


def test_a_frame_for_the_bridge_s_own_group_does_not_move_a_sibling_s_mac_address(host: Host) -> None:
    """The bridge takes frames for these addresses itself, and would learn who sends them."""
    check(host)
    assert host.ping("db", GATEWAY[4])
    stolen = ether("01:80:c2:00:00:02", DB_MAC, 0x8809, bytes(46))
    arrived(host, "web", [stolen], LAST, "db/eth0")
    assert f"{DB_MAC} dev db-eth0" in host.run(f"bridge fdb show br br0 | grep {DB_MAC}").stdout


# --- ordinary traffic ---


def test_ordinary_traffic_goes_both_ways(host: Host) -> None:
    check(host)
    for netns in ("web", "db"):
        host.spawn(["ip", "netns", "exec", netns, sys.executable, "-c", SERVER])
        host.listens(netns, 80)
    for family in (4, 6):
        for netns, address in (("web", GATEWAY), ("web", DB), ("db", OWN)):
            assert host.ping(netns, address[family]), f"{netns} to {address[family]}"
            if address is not GATEWAY:
                assert called(host, netns, address[family], 80, LIMIT) == "here"
    assert host.ping("web", f"{DB[0]}%eth0"), "by their link-local addresses"
    host.run("ip netns exec web ping -nqc1 -W60 -s 6000 fd00::3")
    host.run("ip netns exec web ping -nqc1 -W60 -s 6000 10.0.0.3")
    for family in (4, 6):
        assert called(host, "", OWN[family], 80, LIMIT) == "here"


def test_an_address_that_was_not_given_is_of_no_use(host: Host) -> None:
    check(host)
    host.run("ip -n web addr del 10.0.0.2/24 dev eth0; ip -n web addr del fd00::2/64 dev eth0")
    host.run("ip -n web addr add 10.0.0.9/24 dev eth0; ip -n web addr add fd00::9/64 dev eth0 nodad")
    for address in (DB[4], DB[6]):
        assert not host.ping("web", address, MOMENT)
    check(host, addresses=["10.0.0.9", "fd00::9"])
    for address in (DB[4], DB[6]):
        assert host.ping("web", address)


def test_detection_of_duplicates_finds_those_of_others(host: Host) -> None:
    check(host)
    host.run(f"ip -n web addr add {DB[6]}/64 dev eth0")
    comes(host, f"ip -n web addr show dadfailed | grep -q {DB[6]}/64")
    host.run("ip -n web addr add fd00::7/64 dev eth0")
    comes(host, "ip -n web addr show -tentative -dadfailed | grep -q fd00::7/64")


def test_the_neighbours_of_others_are_not_poisoned(host: Host) -> None:
    """The same attack, before and after."""
    host.run(
        "ip netns exec db sysctl -qw net.ipv4.neigh.eth0.locktime=0"
    )  # else an entry that is new stays for a second
    claims = [_arp(ip=GATEWAY[4]), _neighbour(OWN[6], 136, GATEWAY[6], MAC)]
    for checked in (False, True):
        host.run("ip -n db neigh flush dev eth0")
        for address in (GATEWAY[4], GATEWAY[6]):
            assert host.ping("db", address)
        if checked:
            check(host)
        arrived(host, "web", claims, LAST, "db/eth0")

        def known(address: str) -> str:
            return host.run(f"ip -n db neigh show {address}").stdout

        for address in (GATEWAY[4], GATEWAY[6]):
            assert (BRIDGE_MAC if checked else MAC) in known(address), known(address)


def test_a_router_sends_for_the_networks_behind_it(host: Host) -> None:
    check(host, addresses=["10.0.0.2", "10.9.0.0/16", "fd00::2", "fd00:9::/64"])
    frames = {
        "behind": _ipv4("10.9.1.1"),
        "beside": _ipv4("10.8.1.1"),
        "behind6": _ipv6("fd00:9::1", UDP, udp()),
        "beside6": _ipv6("fd00:8::1", UDP, udp()),
    }
    assert heard(host, frames) == ["behind", "behind6"]
    check(host, addresses=["0.0.0.0/0", "::/0"])
    assert heard(host, frames) == [*frames]
    assert heard(host, FOUL | frames) != [*FOUL, *frames], "its MAC address is still its own"


# --- the noun ---


def test_g3_it_comes_changes_and_goes_and_leaves_nothing(host: Host) -> None:
    before = host.snapshot()
    made = check(host)
    assert made["after"] == {
        "type": "spoof_check", "netns": None, "interface": "web-eth0", "mac": MAC, "addresses": ["10.0.0.2", "fd00::2"],
        "owner": "web", "comment": None, "backend": "nftables", "enforced": True,
    }  # fmt: skip
    changed = check(host, addresses=["10.0.0.0/28", "fd00::2"], comment="a note")
    assert changed["diff"]["after"] == "addresses 10.0.0.0/28, fd00::2\ncomment a note\n"
    check(host, addresses=["fd00::/64", "10.0.0.2"])
    check(host, mac="02:42:0a:00:00:22", addresses=[])
    host.settles("nat", **{**CHECK, "interface": "db-eth0", "mac": DB_MAC, "owner": "db"})
    check(host, state="absent")
    assert check(host, owner="db", interface="db-eth0", state="absent", mac=None)["commands"] == [
        f"nft 'delete table {TABLE}'"
    ]
    assert host.snapshot() == before


def test_a_second_run_writes_nothing(host: Host) -> None:
    check(host)
    result, writes = host.writes("nat", **CHECK)
    assert not result["changed"]
    assert writes == []


def test_other_ports_of_the_owner_go(host: Host) -> None:
    for port in ("old0", "old1"):
        host.settles("nat", **{**CHECK, "interface": port})
    done = check(host, exclusive=True)
    assert done["before"]["no_longer_asked_for"] == ["old0", "old1"]
    listed = host.run(f"nft list table {TABLE}").stdout
    assert "web-eth0" in listed
    assert "old" not in listed
    host.settles("nat", **{**CHECK, "interface": "db-eth0", "owner": "db"})
    gone = host.settles("nat", type="spoof_check", owner="web", state="absent")
    assert gone["before"]["interface"] == "web-eth0"
    assert "web" not in host.run(f"nft list set {TABLE} checked").stdout


def test_f13_what_somebody_edited_is_set_right(host: Host) -> None:
    check(host)
    whole = host.run(f"nft -s list table {TABLE}").stdout
    for line in (
        f"flush chain {TABLE} from_ipv4",
        f"flush set {TABLE} macs",
        f'add element {TABLE} ipv4 {{ "web-eth0" . 8.8.8.8 }}',
        f'delete element {TABLE} ipv4 {{ "web-eth0" . 10.0.0.2 }}',
        f'add element {TABLE} targets {{ "web-eth0" . 0x1 }}',
        f'delete element {TABLE} checked {{ "web-eth0" }}',
        f"delete table {TABLE}",
        "flush ruleset",
    ):
        host.run(["nft", line])
        assert check(host)["changed"], line
        assert host.run(f"nft -s list table {TABLE}").stdout == whole, line


@pytest.mark.parametrize("left", ["checked", "macs", "ipv4", "ipv6", "targets"])
def test_half_a_check_is_still_its_owner_s(host: Host, left: str) -> None:
    """Whoever took the rest away: somebody, or a run that was told of a part by nft only."""

    def halve() -> None:
        for name in {"checked", "macs", "ipv4", "ipv6", "targets"} - {left}:
            host.run(f"nft flush set {TABLE} {name}")

    check(host)
    whole = host.run(f"nft -s list table {TABLE}").stdout
    halve()
    assert check(host)["changed"]
    assert sorted(host.run(f"nft -s list table {TABLE}").stdout.split()) == sorted(whole.split())
    halve()
    host.settles("nat", state="absent", type="spoof_check", interface="web-eth0", owner="web")
    assert host.run(f"nft -s list table {TABLE}", check=False).rc != 0, "nothing else is in it"


def test_rules_of_somebody_else_in_the_table_stay(host: Host) -> None:
    check(host)
    host.run(["nft", f"add rule {TABLE} port accept"])
    host.module("nat", **{**CHECK, "state": "absent"})
    listed = host.run(f"nft list table {TABLE}").stdout
    assert "accept\n" in listed
    assert "web" not in listed


def test_what_is_typed_does_the_same(host: Host) -> None:
    made = check(host)
    host.run("nft flush ruleset")
    pastes(made, host, "nat", **CHECK)


def test_mistakes_are_refused(host: Host) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"interface": None}, "interface is required with type: spoof_check, or peer_netns."),
        ({"mac": None}, "mac is required with type: spoof_check, or peer_netns."),
        ({"backend": "iptables"}, "backend: iptables cannot check what comes in by a port of a bridge; nftables can."),
        ({"interface": 'a"b'}, "has a character"),
        ({"interface": "web*"}, "would be any interface"),
        ({"mac": "01:00:00:00:00:00"}, "is a multicast or empty MAC address"),
        ({"addresses": ["10.0.0.2/24"]}, "addresses: '10.0.0.2/24' is not a network"),
        ({"addresses": ["nobody"]}, "addresses: 'nobody' is not a network"),
        ({"host_port": "80"}, "host_port: it does not go with type: spoof_check."),
    ]
    host.all_refused("nat", dict(CHECK), cases)


def test_where_it_cannot_be_had_it_is_refused_or_warned_of(host: Host) -> None:
    """A host without nft: a folder in front of the path cannot hide it, so its name is taken away."""
    path = host.run("readlink -f $(command -v nft)").stdout.strip()
    host.run(f"mount --bind /dev/null {path}")
    try:
        said = host.fails("nat", **CHECK)["msg"]
        assert said == "The program nft is not installed on this host: install the package nftables."
        done = host.module("nat", optional=True, **CHECK)
        assert not done["changed"]
        assert warnings(done) == [
            "Nothing that comes in by a port of a bridge is checked for spoofing: the program nft is not installed on this host."
        ]
    finally:
        host.run(f"umount {path}")
    assert eventually(lambda: host.run("nft list ruleset", check=False).rc == 0)
