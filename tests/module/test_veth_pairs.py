# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module veth and what is there already: pairs made by hand, drifted, foreign, in the way."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest
from lab import Lab
from proofs import comes, lines, python, refuses, settles, unchanged, untouched, warnings

WEB = "vethzvxkcem3eqk"  # what is derived from the namespace web and the name eth0, on every host
OWN, PEER = "02:42:0a:00:00:01", "02:42:0a:00:00:02"


@pytest.fixture(name="host")
def host_with_a_namespace_and_a_bridge(lab: Lab) -> Lab:
    lab.run("ip netns add web && ip link add br0 address 02:42:0a:00:00:fe type bridge")
    lab.run("ip link set br0 addrgenmode none up")
    return lab


def link(lab: Lab, name: str, netns: str = "") -> dict[str, Any]:
    """What iproute2 says of an interface."""
    return lab.ip(f"{netns and f'-n {netns} '}-d link show dev {name}")[0]


def by_hand(lab: Lab) -> None:
    """What people type: a pair, one end moved and renamed, the other on a bridge, both up."""
    lab.run("ip link add A type veth peer name B && ip link set B netns web && ip -n web link set B name eth0 up")
    lab.run("brctl addif br0 A && ip link set A up")


def test_a_pair_made_by_hand_is_what_was_asked_for(host: Lab) -> None:
    """C4a: recognised by what the kernel links it to; nothing is made anew, nothing is changed."""
    by_hand(host)
    before = host.snapshot()
    found = unchanged(host, "veth", name="A", peer_name="eth0", peer_netns="web", bridge="br0", mtu=1500)
    assert found["before"]["peer_mac"] == link(host, "eth0", "web")["address"]
    assert (found["before"]["bridge"], found["before"]["peer_netns"]) == ("br0", "web")
    unchanged(host, "veth", name="A", peer_netns="/run/netns/web", tx_queue_len=1000, alias="", tx_checksum=True)
    assert host.snapshot() == before
    settles(host, "veth", name="A", peer_netns="web", state="absent")


@pytest.mark.with_or_without("renaming what is up")
def test_a_pair_of_ours_gets_the_name_that_is_given_later(host: Lab) -> None:
    """C4a: it was made under the derived name; the host end is renamed where it is."""
    name = host.module("veth", peer_netns="web", bridge="br0")["after"]["name"]
    index = link(host, name)["ifindex"]
    named = settles(host, "veth", name="web0", peer_netns="web", bridge="br0", exclusive=True)
    assert lines(named) == ([f"name {name}"], ["name web0"])
    assert (link(host, "web0")["ifindex"], link(host, "web0")["master"]) == (index, "br0")


def test_a_pair_with_both_ends_on_the_host_is_moved(host: Lab) -> None:
    host.run("ip link add A type veth peer name B")
    moved = settles(host, "veth", name="A", peer_netns="web", bridge="br0", unforeseen=())
    assert "ip link set B netns web name eth0" in moved["commands"]
    assert [one["ifname"] for one in host.ip("link show type veth")] == ["A"]
    assert "LOWER_UP" in link(host, "eth0", "web")["flags"]
    assert link(host, "A")["master"] == "br0"


def test_a_pair_on_the_wrong_bridge_is_moved_to_the_right_one(host: Lab) -> None:
    """C4b"""
    by_hand(host)
    host.run("ip link add br1 type bridge")
    index = link(host, "A")["ifindex"]
    moved = settles(host, "veth", name="A", peer_netns="web", bridge="br1")
    assert lines(moved) == (["bridge br0"], ["bridge br1"])
    assert (link(host, "A")["master"], link(host, "A")["ifindex"]) == ("br1", index)


@pytest.mark.with_or_without("renaming what is up")
def test_a_peer_that_was_renamed_in_the_container_is_found(host: Lab) -> None:
    """C5: by what the kernel links, not by name; it gets its name back where it is."""
    by_hand(host)
    index = link(host, "eth0", "web")["ifindex"]
    host.run("ip -n web link set eth0 down && ip -n web link set eth0 name net1 && ip -n web link set net1 up")
    named = settles(host, "veth", name="A", peer_netns="web")
    assert lines(named) == (["peer_name net1"], ["peer_name eth0"])
    assert named["commands"] == ["ip -n web link set net1 name eth0"]
    assert link(host, "eth0", "web")["ifindex"] == index
    host.run("ip -n web link set eth0 down && ip -n web link set eth0 name net1")
    unchanged(host, "veth", name="A", peer_name="net1", peer_netns="web", peer_enabled=False)
    settles(host, "veth", name="A", peer_name="net1", peer_netns="web", state="absent")


@pytest.mark.parametrize(
    ("drift", "diff"),
    [
        ("ip link set v0 nomaster", (["bridge none"], ["bridge br0"])),
        ("ip link set v0 down", (["enabled false"], ["enabled true"])),
        ("ip link set v0 mtu 1300", (["mtu 1300"], ["mtu 1400"])),
        ("ip link set v0 address 02:42:0a:00:00:0e", (["mac 02:42:0a:00:00:0e"], [f"mac {OWN}"])),
        ("ip link set v0 txqueuelen 7", (["tx_queue_len 7"], ["tx_queue_len 500"])),
        ("ip link set v0 alias gone", (["alias gone"], ["alias of web"])),
        ("ip -n web link set eth0 down", (["peer_enabled false"], ["peer_enabled true"])),
        ("ip -n web link set eth0 mtu 1300", (["peer_mtu 1300"], ["peer_mtu 1400"])),
        (
            "ip -n web link set eth0 address 02:42:0a:00:00:0e",
            (["peer_mac 02:42:0a:00:00:0e"], [f"peer_mac {PEER}"]),
        ),
        ("ip -n web link set eth0 txqueuelen 7", (["peer_tx_queue_len 7"], ["peer_tx_queue_len 500"])),
    ],
)
def test_each_drift_is_repaired_alone_and_in_place(host: Lab, drift: str, diff: tuple[list[str], list[str]]) -> None:
    """C6"""
    wanted: dict[str, Any] = {
        "name": "v0",
        "peer_netns": "web",
        "bridge": "br0",
        "mtu": 1400,
        "mac": OWN,
        "peer_mac": PEER,
    }
    wanted |= {"tx_queue_len": 500, "alias": "of web"}
    host.module("veth", **wanted)
    indexes = link(host, "v0")["ifindex"], link(host, "eth0", "web")["ifindex"]
    host.run(drift)
    repaired = settles(host, "veth", **wanted)
    assert lines(repaired) == diff
    assert len(repaired["commands"]) == 1
    assert (link(host, "v0")["ifindex"], link(host, "eth0", "web")["ifindex"]) == indexes


STREAM = """
import os, socket, sys, time
server = sys.argv[1] == "server"
if server:
    one, _peer = socket.create_server(("192.0.2.2", 5000)).accept()
else:
    one = socket.create_connection(("192.0.2.2", 5000), timeout=60)
one.settimeout(60)
for number in range(5):
    end = time.monotonic() + 60
    while number == 1 and not os.path.exists("/run/go") and time.monotonic() < end:
        time.sleep(0.01)
    data = b"" if server else b"x" * 3000
    one.sendall(data)
    while len(data) < (3000 if server else 6000):
        data += one.recv(4096)
    one.sendall(data[:3000] if server else b"")
    print("exchanged", number, flush=True)
"""


@pytest.mark.needs("strace")
def test_a6_a_change_of_the_mtu_sets_only_that_and_a_tcp_stream_survives(host: Lab) -> None:
    """A6: one message for each end, the same interfaces, and the connection through them goes on."""
    host.module("veth", name="v0", peer_netns="web", mtu=1500, alias="of web", tx_queue_len=500)
    host.run("ip addr add 192.0.2.1/24 dev v0 && ip -n web addr add 192.0.2.2/24 dev eth0")
    indexes = link(host, "v0")["ifindex"], link(host, "eth0", "web")["ifindex"]
    stream = [sys.executable, "-c", STREAM]
    server = host.spawn(["ip", "netns", "exec", "web", *stream, "server"])
    comes(host, "ip netns exec web grep -q ' 020200C0:1388 ' /proc/net/tcp")
    client = host.spawn(["bash", "-c", 'exec "$@" >/run/said', "_", *stream, "client"])
    comes(host, "grep -qs 'exchanged 0' /run/said")
    connection = "ip netns exec web awk '$4 == \"01\" {print $2, $3}' /proc/net/tcp"
    before = host.run(connection).stdout

    args: dict[str, Any] = {"name": "v0", "peer_netns": "web", "mtu": 1450, "alias": "of web", "tx_queue_len": 500}
    changed, writes = host.writes("veth", **args)
    assert writes == ["RTM_NEWLINK", "RTM_NEWLINK"]
    assert lines(changed) == (["mtu 1500", "peer_mtu 1500"], ["mtu 1450", "peer_mtu 1450"])
    assert changed["commands"] == ["ip link set v0 mtu 1450", "ip -n web link set eth0 mtu 1450"]
    assert (link(host, "v0")["ifindex"], link(host, "eth0", "web")["ifindex"]) == indexes

    assert host.run(connection).stdout == before != ""
    host.run("touch /run/go")
    comes(host, "grep -q 'exchanged 4' /run/said")
    assert host.run("cat /run/said").stdout == "".join(f"exchanged {number}\n" for number in range(5))
    host.kill(client)
    host.kill(server)


@pytest.mark.parametrize(
    ("make", "what"),
    [
        ("ip link add x type veth peer name eth0 netns web", "a veth whose other end is 'x' in the host"),
        ("ip -n web link add eth0 type veth peer name y", "a veth whose other end is"),
        ("ip -n web tuntap add eth0 mode tap", "an interface of type tun"),
        ("ip -n web link add eth0 type bridge", "a bridge"),
    ],
)
@pytest.mark.parametrize("ours", [False, True])
def test_a_foreign_eth0_in_the_container_is_left_alone(host: Lab, make: str, what: str, ours: bool) -> None:
    """C4c, C4d: the message says what it is and where its other end is, whether or not there is a pair of ours."""
    if ours:
        host.module("veth", name="v0", peer_name="eth1", peer_netns="web")
    host.run(make)
    message = f"peer_name: 'eth0' in netns 'web' is there already and foreign: it is {what}"
    refused = refuses(host, "veth", message, name="v0", peer_netns="web")
    assert ("give name: x" in refused["msg"]) == ("peer name eth0" in make and not ours)


def test_the_hint_of_the_message_leads_to_the_pair(host: Lab) -> None:
    host.run("ip link add x type veth peer name eth0 netns web")
    refuses(host, "veth", "to take that pair over, give name: x", peer_netns="web")
    settles(host, "veth", name="x", peer_netns="web", bridge="br0")


def test_a_derived_name_that_something_else_has(host: Lab) -> None:
    """C2: refused and named."""
    host.run(f"ip tuntap add {WEB} mode tap")
    message = f"Interface '{WEB}' in the host is an interface of type tun, not a veth; it is left alone"
    refuses(host, "veth", message, peer_netns="web")
    refuses(host, "veth", message, peer_netns="web", state="absent")


def test_a_veth_of_somebody_elses_is_left_alone(host: Lab) -> None:
    """Its other end is in a namespace that was not asked for."""
    host.run("ip netns add db && ip link add v0 type veth peer name eth0 netns db")
    message = "Interface 'v0' in the host is a veth, but its other end is not in netns 'web'"
    refuses(host, "veth", message, name="v0", peer_netns="web")
    with untouched(host):
        gone = host.module("veth", name="v0", peer_netns="web", state="absent")
    assert not gone["changed"]
    assert message in warnings(gone)[0]


def test_a_pair_whose_container_was_replaced_is_made_anew(host: Lab) -> None:
    """G5: the old namespace lives on in a process; the derived name is ours, so the new one gets its pair."""
    host.module("veth", peer_netns="web", bridge="br0")
    host.run("ip netns add old && umount /run/netns/old && mount --bind /run/netns/web /run/netns/old")
    host.run("ip netns del web && ip netns add web")
    again = settles(host, "veth", peer_netns="web", bridge="br0")
    assert again["commands"][0] == f"ip link del {WEB}"
    assert host.ip("-n old link show type veth") == []
    assert link(host, WEB)["master"] == "br0"


IN_THE_WAY = """
import subprocess, sys
from ansible_collections.linuxnet.containers.plugins.module_utils._run import execution, validation
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import writer
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.veth import RESOURCE


class Kernel(writer.Kernel):
    def apply(self, step):
        if type(step).__name__ == "AddLink":
            subprocess.run(sys.argv[1], shell=True, check=True)
        super().apply(step)


with Kernel() as kernel:
    wants = validation.items(RESOURCE, {"name": "v0", "peer_netns": "web"})
    print(execution.execute(RESOURCE, wants, kernel, False)[0][0]["msg"])
"""


@pytest.mark.parametrize(
    ("somebody", "taken"),
    [
        ("ip tuntap add v0 mode tap", "the name 'v0' is taken in the host"),
        ("ip -n web tuntap add eth0 mode tap", "the name 'eth0' is taken in netns 'web'"),
    ],
)
def test_the_message_tells_which_side_is_taken(host: Lab, somebody: str, taken: str) -> None:
    """C3: somebody takes a name just before the pair is made, and the kernel does not say which."""
    said = python(host, IN_THE_WAY, somebody)
    assert said == f"Could not create the veth pair v0 in the host and eth0 in netns 'web': File exists ({taken}).\n"
    assert host.ip("link show type veth") == host.ip("-n web link show type veth") == []


def test_exclusive_removes_the_other_pairs_of_ours(host: Lab) -> None:
    """Known by derived name or address; what others made stays."""
    host.run("ip netns add db && ip link add theirs type veth peer name eth9 netns web")
    host.module("veth", peer_netns="web", peer_name="eth1")
    host.module("veth", peer_netns="web", peer_name="eth2", name="named")
    host.module("veth", peer_netns="db", peer_name="eth1")
    others = {one["ifname"] for one in host.ip("link show type veth")}
    only = settles(host, "veth", peer_netns="web", exclusive=True)
    assert sorted(one["ifname"] for one in host.ip("-n web link show type veth")) == ["eth0", "eth9"]
    assert [one["ifname"] for one in host.ip("-n db link show type veth")] == ["eth1"]
    gone = others - {one["ifname"] for one in host.ip("link show type veth")}
    assert "named" in gone
    assert set(only["before"]["other_pairs"]) == gone
    assert len(gone) == 2
    pairs = [{"peer_name": "eth0"}, {"peer_name": "eth1"}]
    settles(host, "veth", peer_netns="web", exclusive=True, aggregate=pairs)
    assert sorted(one["ifname"] for one in host.ip("-n web link show type veth")) == ["eth0", "eth1", "eth9"]


@pytest.mark.needs("strace")
def test_many_in_one_task_and_one_that_fails(host: Lab) -> None:
    """The item that fails is taken back and named; the others are done."""
    host.run("ip netns add db")
    pairs = [
        {"name": "v0", "peer_netns": "web"},
        {"name": "v1", "peer_netns": "web", "peer_name": "eth1", "alias": "second"},
        {"name": "v2", "peer_netns": "db", "mtu": 1300},
        {"name": "v3", "peer_netns": "nowhere"},
    ]
    # Each is made by one message, and its other end is switched on by another; the alias of v1 comes between.
    result = host.cut(4, "veth", mtu=1400, bridge="br0", aggregate=pairs)
    assert result["msg"].startswith(
        "2 of 4 items failed. veth v1: Could not set alias second on v1 in the host: Cannot allocate memory.; veth v3: "
        "Netns 'nowhere' does not exist"
    )
    assert [item.get("failed", False) for item in result["results"]] == [False, True, False, True]
    made = [(one["ifname"], one["mtu"]) for one in host.ip("link show type veth")]
    assert made == [("v0", 1400), ("v2", 1300)]
    assert [one["ifname"] for one in host.ip("-n web link show type veth")] == ["eth0"]
    del pairs[3], pairs[1]
    unchanged(host, "veth", mtu=1400, bridge="br0", aggregate=pairs)
    gone = settles(host, "veth", state="absent", aggregate=pairs)
    assert gone["commands"] == ["ip link del v0", "ip link del v2"]


def test_a_name_for_two_in_one_task(host: Lab) -> None:
    """It is seen before the first is made; in a task of its own the second meets what the first has made."""
    host.run("ip netns add db")
    pairs: list[dict[str, Any]] = [{"peer_netns": "web"}, {"peer_netns": "db"}]
    twice = "^aggregate item 1 and aggregate item 2: the veth v0 is asked for twice, and not alike; list it once\\.$"
    refuses(host, "veth", twice, name="v0", aggregate=pairs)
    host.module("veth", name="v0", **pairs[0])
    refuses(host, "veth", "its other end is not in netns 'db'", name="v0", **pairs[1])
    assert link(host, "eth0", "web")["ifname"] == "eth0"
    assert host.ip("-n db link show type veth") == []


@pytest.mark.needs("strace")
@pytest.mark.parametrize("lost", [False, True], ids=["refused", "carried out"])
def test_a_change_is_taken_back_when_a_later_step_fails(host: Lab, lost: bool) -> None:
    """G2: the first end was changed already when the second one's turn came, which may have been changed as well."""
    host.module("veth", name="v0", peer_netns="web", mtu=1500, alias="first")
    with untouched(host):
        changed = {"name": "v0", "peer_netns": "web", "mtu": 1400, "alias": "second"}
        for at, end in ((1, "v0 in the host"), (2, "eth0 in netns 'web'")):
            said = host.cut(at, "veth", lost=lost, **changed)["msg"]
            assert re.fullmatch(f"Could not set .*mtu 1400.* on {end}: Cannot allocate memory\\.", said), said


def test_a_full_bridge_is_told_and_nothing_is_left(host: Lab) -> None:
    """C7: a bridge has 1023 ports."""
    host.run("sysctl -qw net.ipv6.conf.default.disable_ipv6=1")
    pairs = [
        f"link add a{number} master br0 type veth peer name b{number}\nlink set b{number} master br0"
        for number in range(511)
    ]
    host.run("ip -batch -", input="\n".join([*pairs, "link add last master br0 type veth peer name spare"]))
    assert host.run("ls /sys/class/net/br0/brif | wc -l").stdout == "1023\n"
    there = host.run("ls /sys/class/net | sort").stdout
    full = "the bridge is full"
    made = host.fails("veth", peer_netns="web", bridge="br0")
    assert f"Could not create the veth pair {WEB} in the host and eth0 in netns 'web'" in made["msg"]
    assert full in made["msg"]
    joined = host.fails("bridge_port", bridge="br0", interface="spare")
    assert full in joined["msg"]
    assert "1023 ports" in joined["msg"]
    assert host.run("ls /sys/class/net | sort").stdout == there
    assert host.ip("-n web link show type veth") == []
    assert warnings(made) == warnings(joined) == []


def many(host: Lab) -> list[str]:
    """Three pairs of ours and a foreign one, each in a group of links that somebody else set."""
    names = ["web", "db", "app"]
    host.run("ip netns add db && ip netns add app && ip link add foreign type veth peer name other")
    host.module("veth", aggregate=[{"name": f"{name}0", "peer_netns": name} for name in names])
    host.run(" && ".join(f"ip link set {end} group 7" for end in ("web0", "app0", "foreign")))
    return names


def test_many_pairs_go_together_and_nobody_elses(host: Lab) -> None:
    names = many(host)
    items = [{"name": f"{name}0", "peer_netns": name, "state": "absent"} for name in names]
    gone, writes = host.writes("veth", aggregate=items)
    assert [one["changed"] for one in gone["results"]] == [True] * 3
    assert gone["commands"] == [f"ip link del {name}0" for name in names]
    assert {one["ifname"] for one in host.ip("link")} == {"lo", "br0", "foreign", "other"}
    assert link(host, "foreign")["group"] == "7"
    # Each is put into a group, that is deleted, and it is seen to that each is gone.
    assert writes.count("RTM_NEWLINK") == 3
    again, writes = host.writes("veth", aggregate=items)
    assert (again["changed"], writes) == (False, [])


def test_an_interface_that_goes_meanwhile_does_not_stop_the_others(host: Lab) -> None:
    """Those that are to be deleted by group are looked up before; a name may mean nothing by then."""
    many(host)
    code = """
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import DelLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.writer import Kernel
with Kernel() as kernel:
    kernel.delete_together([DelLink(HOST, name) for name in ("web0", "never", "app0")])
"""
    python(host, code)
    assert {one["ifname"] for one in host.ip("link")} == {"lo", "br0", "db0", "foreign", "other"}
