# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module veth: a pair is made, changed in place and removed; every option."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from lab import Lab
from proofs import comes, lines, pastes, says, settles, unchanged, untouched

WEB = "vethzvxkcem3eqk"  # what is derived from the namespace web and the name eth0, on every host
OWN, PEER = "02:42:0a:00:00:01", "02:42:0a:00:00:02"


@pytest.fixture(name="host")
def host_with_a_namespace_and_a_bridge(lab: Lab) -> Lab:
    lab.run("ip netns add web && ip link add br0 address 02:42:0a:00:00:fe type bridge")
    lab.run("ip link set br0 addrgenmode none up")
    lab.run("ip link add x master br0 type veth peer name y; ip link del x")  # a bridge keeps sizes of its first port
    return lab


def link(lab: Lab, name: str, netns: str = "") -> dict[str, Any]:
    """What iproute2 says of an interface."""
    return lab.ip(f"{netns and f'-n {netns} '}-d link show dev {name}")[0]


def ends(lab: Lab, name: str = "v0") -> tuple[dict[str, Any], dict[str, Any]]:
    return link(lab, name), link(lab, "eth0", "web")


@pytest.mark.both_ends
def test_a_pair_is_made_and_removed(host: Lab) -> None:
    before = host.snapshot()
    made = settles(host, "veth", peer_netns="web", bridge="br0", mac=OWN, peer_mac=PEER)
    assert made["before"] == {}
    assert made["after"] == {
        "name": WEB,
        "netns": None,
        "peer_name": "eth0",
        "peer_netns": "web",
        "bridge": "br0",
        "mtu": 1500,
        "peer_mtu": 1500,
        "mac": OWN,
        "peer_mac": PEER,
        "enabled": True,
        "peer_enabled": True,
        "tx_queue_len": 1000,
        "peer_tx_queue_len": 1000,
        "alias": "",
    }
    assert made["commands"] == [
        f"ip link add {WEB} address {OWN} mtu 1500 master br0 type veth peer name eth0 address {PEER} mtu 1500 netns web",
        f"ip link set {WEB} up",
        "ip -n web link set eth0 up",
    ]
    own, peer = ends(host, WEB)
    assert (own["address"], own["master"], peer["address"]) == (OWN, "br0", PEER)
    assert "LOWER_UP" in own["flags"]
    assert "LOWER_UP" in peer["flags"]

    removed = settles(host, "veth", peer_netns="web", state="absent")
    assert (removed["before"], removed["commands"]) == (made["after"], [f"ip link del {WEB}"])
    assert host.snapshot() == before
    unchanged(host, "veth", peer_netns="nowhere", state="absent")
    unchanged(host, "veth", name="v0", netns="nowhere", peer_netns="web", state="absent")


@pytest.mark.needs("strace")
def test_one_message_makes_both_ends(host: Lab) -> None:
    """C1: the peer is born in its namespace under its final name; only setting it up there is a second message."""
    made, writes = host.writes("veth", peer_netns="web", bridge="br0", mtu=1400, peer_enabled=False, tx_queue_len=500)
    assert (made["changed"], writes) == (True, ["RTM_NEWLINK"])
    own, peer = ends(host, WEB)
    assert (own["mtu"], own["master"], own["txqlen"]) == (1400, "br0", 500)
    assert (peer["mtu"], peer["txqlen"]) == (1400, 500)
    host.module("veth", peer_netns="web", state="absent")
    dummy, writes = host.writes("veth", peer_netns="web", bridge="br0")
    assert writes == ["RTM_NEWLINK", "RTM_NEWLINK"]
    again, writes = host.writes("veth", peer_netns="web", bridge="br0")
    assert (again["changed"], writes) == (False, [])


def test_the_host_never_sees_another_name(host: Lab) -> None:
    """C1: not for a moment is there an eth0 or a temporary name on the host."""
    monitor = host.spawn("exec ip -ts monitor link >/run/seen")
    listens = f"awk '$3 == {monitor} {{found = 1}} END {{exit !found}}' /proc/net/netlink"
    comes(host, listens)
    host.module("veth", peer_netns="web", bridge="br0", mtu=1450, alias="of web", tx_checksum=False)
    host.module("veth", peer_netns="web", bridge="br0", mtu=1400)
    host.module("veth", peer_netns="web", state="absent")
    host.run("ip link set br0 mtu 1234")
    comes(host, "grep -q 'mtu 1234' /run/seen")
    host.kill(monitor)
    seen = host.run("cat /run/seen").stdout
    names = {line.split(": ")[1].split("@")[0] for line in seen.splitlines() if "@" in line and ": " in line}
    assert names == {WEB}
    assert "mtu 1234" in seen
    assert "eth0" not in seen


def test_a_derived_name_is_short_and_the_same_on_every_run(host: Lab) -> None:
    """C2"""
    host.run("ip netns add web1")
    assert host.module("veth", peer_netns="web")["after"]["name"] == WEB
    assert unchanged(host, "veth", peer_netns="/run/netns/web")["after"]["name"] == WEB
    names = {
        host.module("veth", peer_netns=netns, peer_name=name)["after"]["name"]
        for netns in ("web", "web1")
        for name in ("eth0", "eth1")
    }
    assert len(names) == 4
    assert all(name.startswith("veth") and len(name) == 15 for name in names)
    assert len(host.ip("link show type veth")) == 4


@pytest.mark.parametrize(
    ("option", "first", "then", "values", "changes"),
    [
        ("mtu", 1400, "9000", ({"mtu": 1400}, {"mtu": 9000}), ["mtu", "peer_mtu"]),
        ("tx_queue_len", 100, 2000, ({"txqlen": 100}, {"txqlen": 2000}), ["tx_queue_len", "peer_tx_queue_len"]),
    ],
)
@pytest.mark.both_ends
def test_an_option_of_both_ends(
    host: Lab, option: str, first: Any, then: Any, values: tuple[dict[str, Any], dict[str, Any]], changes: list[str]
) -> None:
    settles(host, "veth", name="v0", peer_netns="web", **{option: first})
    born = ends(host)
    for end in born:
        assert values[0].items() <= end.items()
    changed = settles(host, "veth", name="v0", peer_netns="web", **{option: then})
    assert [line.split()[0] for line in lines(changed)[1]] == changes
    for old, new in zip(born, ends(host), strict=True):
        assert values[1].items() <= new.items()
        assert old["ifindex"] == new["ifindex"]
    unchanged(host, "veth", name="v0", peer_netns="web")


@pytest.mark.parametrize(
    ("option", "first", "then", "side", "shown"),
    [
        ("mac", OWN, "02-42-0A-00-00-0F", 0, "address"),
        ("peer_mac", PEER, "02:42:0A:00:00:0F", 1, "address"),
        ("alias", "of web", "two  words 'quoted'", 0, "ifalias"),
    ],
)
@pytest.mark.both_ends
def test_an_option_of_one_end(host: Lab, option: str, first: Any, then: Any, side: int, shown: str) -> None:
    settles(host, "veth", name="v0", peer_netns="web", **{option: first})
    born = ends(host)
    assert born[side][shown] == first
    changed = settles(host, "veth", name="v0", peer_netns="web", **{option: then})
    assert [[line.split()[0] for line in part] for part in lines(changed)] == [[option], [option]]
    assert ends(host)[side][shown] == {"alias": then}.get(option, "02:42:0a:00:00:0f")
    assert ends(host)[1 - side] == born[1 - side]


def test_each_end_is_set_up_and_down(host: Lab) -> None:
    def up() -> tuple[bool, bool]:
        own, peer = ends(host)
        return "UP" in own["flags"], "UP" in peer["flags"]

    wanted: dict[str, Any] = {"name": "v0", "peer_netns": "web"}
    settles(host, "veth", **wanted, enabled=False, peer_enabled=False)
    assert up() == (False, False)
    assert lines(settles(host, "veth", **wanted, enabled=False)) == (["peer_enabled false"], ["peer_enabled true"])
    assert up() == (False, True)
    assert lines(settles(host, "veth", **wanted)) == (["enabled false"], ["enabled true"])
    assert up() == (True, True)
    settles(host, "veth", **wanted, peer_enabled=False)
    assert up() == (True, False)


def test_a_bridge_is_given_changed_and_left(host: Lab) -> None:
    host.run("ip link add br1 type bridge")
    wanted: dict[str, Any] = {"name": "v0", "peer_netns": "web"}
    settles(host, "veth", **wanted)
    assert "master" not in link(host, "v0")
    joined = settles(host, "veth", **wanted, bridge="br0")
    assert lines(joined) == (["bridge none"], ["bridge br0"])
    assert joined["commands"] == ["ip link set v0 master br0"]
    assert lines(settles(host, "veth", **wanted, bridge="br1")) == (["bridge br0"], ["bridge br1"])
    assert link(host, "v0")["master"] == "br1"
    unchanged(host, "veth", **wanted)
    left = settles(host, "veth", **wanted, bridge="")
    assert left["commands"] == ["ip link set v0 nomaster"]
    assert "master" not in link(host, "v0")


@pytest.mark.needs("ethtool")
def test_checksums_can_be_left_to_the_sender(host: Lab) -> None:
    """C13: on both ends, readable by ethtool, and set at birth as well as later."""

    def offload() -> list[str]:
        shown = host.run("ethtool -k v0; ip netns exec web ethtool -k eth0").stdout
        return [line.split()[1] for line in shown.splitlines() if line.startswith("tx-checksumming:")]

    wanted: dict[str, Any] = {"name": "v0", "peer_netns": "web"}
    made = settles(host, "veth", **wanted, tx_checksum=False)
    assert offload() == ["off", "off"]
    assert made["commands"][-3:] == [
        "ethtool -K v0 tx off",
        "ip -n web link set eth0 up",
        "ip netns exec web ethtool -K eth0 tx off",
    ]
    unchanged(host, "veth", **wanted)
    changed = settles(host, "veth", **wanted, tx_checksum=True)
    assert lines(changed) == (
        ["tx_checksum false", "peer_tx_checksum false"],
        ["tx_checksum true", "peer_tx_checksum true"],
    )
    assert offload() == ["on", "on"]
    host.run("ip netns exec web ethtool -K eth0 tx off")
    assert lines(settles(host, "veth", **wanted, tx_checksum=True)) == (
        ["peer_tx_checksum false"],
        ["peer_tx_checksum true"],
    )


def test_the_commands_do_what_the_module_did(host: Lab) -> None:
    args: dict[str, Any] = {
        "name": "v0",
        "peer_name": "net1",
        "peer_netns": "web",
        "bridge": "br0",
        "mtu": 1400,
        "mac": OWN,
        "peer_mac": PEER,
        "tx_queue_len": 500,
        "alias": "all 'of' it",
    }
    made = host.module("veth", **args)
    with Lab() as other:
        other.run("ip netns add web && ip link add br0 type bridge && ip link set br0 up")
        pastes(made, other, "veth", **args)


def test_a_pair_between_two_namespaces(host: Lab) -> None:
    host.run("ip netns add router")
    links = host.run("ip -o link").stdout
    made = settles(host, "veth", netns="router", name="web0", peer_netns="web", mtu=1300)
    assert (made["after"]["netns"], made["after"]["peer_netns"]) == ("router", "web")
    assert link(host, "web0", "router")["mtu"] == link(host, "eth0", "web")["mtu"] == 1300
    assert host.run("ip -o link").stdout == links
    with Lab() as other:
        other.run("ip netns add web; ip netns add router")
        pastes(made, other, "veth", netns="router", name="web0", peer_netns="web", mtu=1300)
    settles(host, "veth", netns="router", name="web0", peer_netns="web", state="absent")
    assert host.ip("-n web link show type veth") == []


def test_a_pair_inside_one_namespace(host: Lab) -> None:
    settles(host, "veth", netns="web", name="a", peer_name="b", mtu=1300)
    assert link(host, "a", "web")["link"] == "b"
    settles(host, "veth", netns="web", name="a", peer_name="b", mtu=1200)
    settles(host, "veth", name="a", peer_name="b")
    settles(host, "veth", name="a", peer_name="b", state="absent")
    assert len(host.ip("-n web link show type veth")) == 2


@pytest.mark.parametrize("mtu", [1450, 9000])
def test_mtu_auto_is_the_uplinks_on_both_ends(host: Lab, mtu: int) -> None:
    """C8: a later change of the uplink is drift."""
    host.run(f"ip link add up0 mtu {mtu} type veth peer name far mtu {mtu} && ip link set up0 up && ip link set far up")
    host.run("ip addr add 198.51.100.2/24 dev up0 && ip route add default via 198.51.100.1")
    settles(host, "veth", name="v0", peer_netns="web", mtu="auto")
    assert [end["mtu"] for end in ends(host)] == [mtu, mtu]
    host.run("ip link set up0 mtu 1400")
    drift = settles(host, "veth", name="v0", peer_netns="web", mtu="auto")
    assert lines(drift) == ([f"mtu {mtu}", f"peer_mtu {mtu}"], ["mtu 1400", "peer_mtu 1400"])
    assert [end["mtu"] for end in ends(host)] == [1400, 1400]


def test_mtu_auto_behind_a_vpn(host: Lab) -> None:
    """C8: the default route that is preferred decides, be it a tunnel's."""
    host.run("ip link add up0 type veth peer name far && ip link set up0 up && ip link set far up")
    host.run("ip addr add 198.51.100.2/24 dev up0 && ip route add default via 198.51.100.1 metric 100")
    host.run("ip tuntap add vpn0 mode tun && ip link set vpn0 mtu 1420 up && ip route add default dev vpn0")
    settles(host, "veth", name="v0", peer_netns="web", mtu="auto")
    assert [end["mtu"] for end in ends(host)] == [1420, 1420]


@pytest.fixture(name="quiet", scope="module")
def host_that_nothing_touches(shared_lab: Lab) -> Iterator[Lab]:
    shared_lab.run("ip netns add web")
    with untouched(shared_lab):
        yield shared_lab


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"name": "sixteen-bytes-xx"}, "name: 'sixteen-bytes-xx' is 16 bytes long; an interface name has at most 15"),
        ({"peer_name": "sixteen-bytes-xx"}, "peer_name: 'sixteen-bytes-xx' is 16 bytes long"),
        ({"name": "../x"}, r"name: '\.\./x' is not an interface name"),
        ({"name": "a/b"}, "name: 'a/b' is not an interface name"),
        ({"name": ""}, "name: '' is not an interface name"),
        ({"name": "v%d"}, "name: 'v%d' is not an interface name"),
        ({"bridge": "a/b"}, "bridge: 'a/b' is not an interface name"),
        ({"netns": ""}, "netns: '' is not a namespace name"),
        ({"netns": "../x"}, r"netns: '\.\./x' is not a namespace name"),
        ({"peer_netns": "a/b"}, "peer_netns: 'a/b' is not a namespace name"),
        ({"peer_netns": ""}, "peer_netns: '' is not a namespace name"),
        (
            {"peer_netns": "nowhere"},
            r"Netns 'nowhere' does not exist \(no /run/netns/nowhere\); .*netns with name: nowhere",
        ),
        ({"peer_netns": "/proc/4194304/ns/net"}, "does not exist"),
        ({"peer_netns": "/etc/passwd"}, "/etc/passwd is not a network namespace"),
        ({"netns": "web"}, "peer_netns: both ends would be in netns 'web'"),
        (
            {"bridge": "nowhere"},
            "bridge: there is no bridge 'nowhere' in the host; linuxnet.containers.bridge makes one",
        ),
        ({"bridge": "lo"}, "bridge: 'lo' in the host is a physical or other interface, not a bridge"),
        ({"name": "lo"}, "name: 'lo' is the loopback interface, which every namespace has"),
        ({"peer_name": "lo"}, "peer_name: 'lo' is the loopback interface, which every namespace has"),
        ({"mtu": "big"}, "mtu: 'big' is neither 'auto' nor a number of bytes"),
        ({"mtu": 65536}, "mtu: 65536 is out of bounds"),
        ({"mac": "ff:ff:ff:ff:ff:ff"}, "mac: .* is a multicast or empty MAC address"),
        ({"peer_mac": "00:00:00:00:00:00"}, "peer_mac: .* is a multicast or empty MAC address"),
        ({"tx_queue_len": -1}, "tx_queue_len: -1 is out of bounds"),
        ({"name": None, "peer_netns": None}, "name: it can be left out only where peer_netns is given"),
        ({"name": "eth0", "peer_netns": None}, "peer_name: both ends cannot be called 'eth0' in one namespace"),
    ],
)
def test_bad_input_is_refused_before_anything_is_touched(quiet: Lab, args: dict[str, Any], message: str) -> None:
    wanted = {"name": "v0", "peer_netns": "web", **args}
    says(quiet, "veth", message, **{key: value for key, value in wanted.items() if value is not None})


# --- a bridge of somebody else's stays as it is ---

LAN = (
    "ip link add lan type bridge && ip netns add wire && ip link add nic type veth peer name far netns wire && "
    "ip link set nic mtu 9000 up && ip link set nic master lan && ip link set lan up && ip netns add one && ip netns add two"
)


def lan(lab: Lab) -> tuple[str, int]:
    """The MAC address and the MTU of the bridge."""
    (found,) = lab.ip("link show dev lan")
    return found["address"], found["mtu"]


@pytest.mark.parametrize("mtu", [None, "auto", "1400", "1500"])
@pytest.mark.parametrize("later", [False, True])
def test_a_bridge_of_somebody_elses_keeps_its_mtu_and_mac(lab: Lab, mtu: str | None, later: bool) -> None:
    """Also where a pair is no port from birth, and where a pair that was there comes to it."""
    lab.run(LAN)
    before = lan(lab)
    where: dict[str, Any] = {"port_of" if later else "bridge": "lan"}
    for name in ("one", "two"):
        done = settles(lab, "veth", peer_netns=name, mtu=mtu, **where)
        if later:
            settles(lab, "bridge_port", bridge="lan", interface=done["after"]["name"], isolated=True)
            unchanged(lab, "veth", peer_netns=name, mtu=mtu, port_of="lan")
        assert lan(lab) == before
        assert (done["after"]["mtu"], done["after"]["peer_mtu"]) == (
            9000,
            int(mtu) if mtu in ("1400", "1500") else 9000,
        )
        assert done["after"]["mac"].startswith("fe:")
    lab.run("ip link set nic nomaster")
    settles(lab, "veth", peer_netns="one", state="absent", **where)


def test_a_pair_that_comes_to_a_bridge_of_somebody_elses_fits_it_first(lab: Lab) -> None:
    lab.run(LAN)
    before = lan(lab)
    for name, module in (("one", "veth"), ("two", "bridge_port")):
        pair = lab.module("veth", peer_netns=name)["after"]
        asked = {"peer_netns": name} if module == "veth" else {"interface": pair["name"]}
        settles(lab, module, bridge="lan", **asked)
        assert lan(lab) == before
        unchanged(lab, "veth", peer_netns=name, bridge="lan")


def test_ports_of_ours_on_a_bridge_without_others_keep_the_address_it_got(lab: Lab) -> None:
    lab.run("ip link add lan type bridge && ip link set lan up && for n in {1..9}; do ip netns add n$n; done")
    seen = set()
    for number in range(1, 10):
        lab.module("veth", peer_netns=f"n{number}", bridge="lan")
        seen.add(lan(lab))
    assert len(seen) == 1


def test_sysctls_of_neighbours_come_with_the_pair(host: Lab) -> None:
    """Of them a namespace has no default, so what a new interface will have is told by those of another one."""
    keys = {"net.ipv4.neigh.eth0.gc_stale_time": 61, "net.ipv6.neigh.eth0.mcast_solicit": 4}
    settles(host, "veth", peer_netns="web", peer_sysctls=keys)
    assert host.run(f"ip netns exec web sysctl -n {' '.join(keys)}").stdout.split() == ["61", "4"]
    with untouched(host):
        unknown = {"net.ipv4.neigh.eth1.nothing": 1}
        says(
            host,
            "veth",
            "this kernel has no 'net.ipv4.neigh.eth1.nothing'",
            peer_netns="web",
            peer_name="eth1",
            peer_sysctls=unknown,
        )
