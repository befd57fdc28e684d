# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What leaves by a link is held up: rates by tbf, delays and losses by netem; every option, drift, and traffic."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import pytest
from lab import Lab
from proofs import lines, pastes, refuses, settles, unchanged, untouched

PAIR: dict[str, Any] = {"name": "v0", "peer_netns": "web"}
OFF = {"rate": "", "delay": "", "jitter": "", "loss": ""}
# Two threads of a process, in two namespaces, send a stream of argv[4] bytes to argv[3]: prints the bits a second on the wire, with the 66 bytes of
# headers around each 1448 (TCP has timestamps). The time begins before the first byte is sent, and so the bucket is full, and ends when the last is read.
STREAM = """
import ctypes, os, socket, sys, threading, time
def inside(name):
    path = "/run/netns/" + name if name else "/proc/1/ns/net"
    assert ctypes.CDLL(None, use_errno=True).setns(os.open(path, os.O_RDONLY), 0x40000000) == 0, path
size = int(sys.argv[4])
inside(sys.argv[2])
server = socket.create_server((sys.argv[3], 0))
inside(sys.argv[1])
client = socket.create_connection(server.getsockname())
far, dummy = server.accept()
begin = time.monotonic()
threading.Thread(target=lambda: (client.sendall(bytes(size)), client.close())).start()
got = 0
while True:
    data = far.recv(1 << 20)
    if not data:
        break
    got += len(data)
assert got == size, (got, size)
print(got / 1448 * 1514 * 8 / (time.monotonic() - begin))
"""


@pytest.fixture(name="host")
def host_with_a_namespace(lab: Lab) -> Lab:
    lab.run("ip netns add web")
    return lab


def qdisc(lab: Lab, name: str = "v0", netns: str = "") -> dict[str, Any]:
    """What is at the root of an interface, as `tc` says."""
    found = json.loads(lab.run(f"tc {netns and f'-n {netns} '}-j qdisc show dev {name} root").stdout or "[]")
    return dict(found[0]) if found else {"kind": "noqueue", "handle": "0:"}


def kinds(lab: Lab) -> tuple[str, str]:
    return str(qdisc(lab)["kind"]), str(qdisc(lab, "eth0", "web")["kind"])


def addressed(lab: Lab) -> None:
    lab.run("ip addr add 10.0.0.1/24 dev v0; ip -n web addr add 10.0.0.2/24 dev eth0")


def passes(lab: Lab, rate: int, there: str = "web", seconds: int = 3) -> None:
    """Hold the rate of a stream to 5 %. Too fast it may never be; on a busy machine it may be slow, but not each time."""
    here, address = ("", "10.0.0.2") if there else ("web", "10.0.0.1")
    best = 0.0
    for _turn in range(5):
        command = [sys.executable, "-c", STREAM, here, there, address, str(rate // 8 * seconds)]
        best = max(best, float(lab.run(command, timeout=300).stdout))
        print(f"{best / rate:.4f} of {rate}")
        assert best < 1.05 * rate
        if best > 0.95 * rate:
            return
    raise AssertionError(f"{best} is not {rate}")


# --- rates ---


@pytest.mark.needs("tbf")
@pytest.mark.both_ends
def test_a_rate_of_either_end_is_given_changed_in_place_and_taken_away(host: Lab) -> None:
    before = host.snapshot()
    made = settles(host, "veth", **PAIR, rate="10mbit", peer_rate="512kbit")
    assert (made["after"]["rate"], made["after"]["peer_rate"]) == ("10mbit", "512kbit")
    assert made["commands"][1:] == [
        "ip link set v0 up",
        "tc qdisc replace dev v0 root handle 4c4e: tbf rate 10mbit burst 14022b limit 139022b",
        "tc -n web qdisc replace dev eth0 root handle 4c4e: tbf rate 512kbit burst 2162b limit 8562b",
        "ip -n web link set eth0 up",
    ]
    assert qdisc(host)["options"]["rate"] == 1250000
    assert (qdisc(host)["handle"], qdisc(host, "eth0", "web")["options"]["rate"]) == ("4c4e:", 64000)
    unchanged(host, "veth", **PAIR)
    unchanged(host, "veth", **PAIR, rate="1.25mbps", peer_rate="512 Kbit")

    for name, hand in (("rate", "tc"), ("peer_rate", "tc -n web")):
        device = {"tc": "v0"}.get(hand, "eth0")
        host.run(f"{hand} qdisc change dev {device} root handle 4c4e: tbf rate 1mbit burst 3000 latency 50ms")
        asked: dict[str, Any] = {"rate": "10mbit", "peer_rate": "512kbit"}
        assert lines(settles(host, "veth", **PAIR, **asked)) == ([f"{name} 1mbit"], [f"{name} {asked[name]}"])
    host.run("tc qdisc del dev v0 root")
    assert lines(settles(host, "veth", **PAIR, rate="10mbit")) == (["rate none"], ["rate 10mbit"])

    off = settles(host, "veth", **PAIR, rate="")
    assert (off["commands"], off["after"]["rate"], kinds(host)) == (
        ["tc qdisc del dev v0 root"],
        "",
        ("noqueue", "tbf"),
    )
    assert "rate" not in unchanged(host, "veth", **PAIR)["after"]
    gone = settles(host, "veth", **PAIR, state="absent")
    assert gone["before"]["peer_rate"] == "512kbit"
    assert host.snapshot() == before


@pytest.mark.needs("tbf", "strace")
def test_one_message_holds_an_end_up_and_none_is_read_without(host: Lab) -> None:
    made, writes = host.writes("veth", **PAIR, rate="10mbit", peer_rate="1mbit")
    assert (made["changed"], writes) == (True, ["RTM_NEWLINK", "RTM_NEWQDISC", "RTM_NEWQDISC", "RTM_NEWLINK"])
    again, writes = host.writes("veth", **PAIR, rate="10mbit", peer_rate="1mbit")
    assert (again["changed"], writes) == (False, [])
    dummy, writes = host.writes("veth", **PAIR, rate="2mbit")
    assert writes == ["RTM_NEWQDISC"]
    dummy, writes = host.writes("veth", **PAIR, rate="", peer_rate="")
    assert writes == ["RTM_DELQDISC", "RTM_DELQDISC"]


@pytest.mark.needs("tbf")
def test_the_commands_can_be_pasted(host: Lab) -> None:
    asked = {**PAIR, "rate": "10mbit", "peer_rate": "512kbit"}
    made = host.module("veth", **asked)
    changed = host.module("veth", **{**asked, "rate": "1gbit", "peer_rate": ""})
    with Lab() as other:
        other.run("ip netns add web")
        pastes(made, other, "veth", **asked)
        pastes(changed, other, "veth", **{**asked, "rate": "1gbit", "peer_rate": ""})


@pytest.mark.needs("tbf")
@pytest.mark.parametrize("theirs", ["htb", "tbf rate 1mbit burst 3000 latency 50ms"])
def test_somebody_else_s_is_left_alone(host: Lab, theirs: str) -> None:
    host.module("veth", **PAIR)
    host.run(f"tc qdisc add dev v0 root handle 1: {theirs}")
    kind = theirs.split()[0]
    text = f"^Interface 'v0' in the host has a queueing discipline of somebody else's, {kind} 1:; it is left alone. Remove it .tc qdisc del dev v0 root."
    refuses(host, "veth", text, **PAIR, rate="10mbit")
    with untouched(host):
        unchanged(host, "veth", **PAIR, exclusive=True)
        unchanged(host, "veth", **PAIR, peer_rate="", loss="")
    if kind == "tbf":
        assert unchanged(host, "veth", **PAIR, rate="1mbit")["after"]["rate"] == "1mbit"
    settles(host, "veth", **PAIR, mtu=9000)
    assert qdisc(host)["handle"] == "1:"
    host.run("tc qdisc del dev v0 root")
    settles(host, "veth", **PAIR, rate="10mbit")


@pytest.mark.needs("tbf")
def test_the_kernel_s_own_is_nobody_s(host: Lab) -> None:
    """One that is given by itself has no handle; a pair gets one where it has several queues, and somebody asked for that."""
    host.module("veth", **PAIR)
    host.run("tc qdisc add dev v0 root pfifo_fast; tc qdisc del dev v0 root")
    settles(host, "veth", **PAIR, rate="10mbit")


@pytest.mark.needs("tbf")
def test_what_an_exclusive_pair_is_not_asked_for_goes(host: Lab) -> None:
    host.module("veth", **PAIR, rate="10mbit", peer_rate="1mbit")
    gone = settles(host, "veth", **PAIR, rate="10mbit", exclusive=True)
    assert lines(gone) == (["peer_rate 1mbit"], [])
    assert kinds(host) == ("tbf", "noqueue")
    settles(host, "veth", **PAIR, exclusive=True)
    assert kinds(host) == ("noqueue", "noqueue")


@pytest.mark.needs("tbf")
def test_wiring_info_tells_what_is_held_up(host: Lab) -> None:
    made = settles(host, "veth", **PAIR, rate="10mbit", peer_rate="1mbit")
    with untouched(host):
        (pair,) = host.module("wiring_info", gather=["veths"])["wiring"]["veths"]
    assert {name: pair[name] for name in made["after"]} == made["after"]
    host.module("veth", **PAIR, rate="", peer_rate="")
    (pair,) = host.module("wiring_info", gather=["veths"])["wiring"]["veths"]
    assert not {"rate", "peer_rate"} & set(pair)


@pytest.mark.needs("tbf", "ping")
def test_the_bucket_holds_the_packets_of_another_mtu(host: Lab) -> None:
    """What it cannot hold is dropped: nothing of that size would ever pass."""
    host.module("veth", **PAIR, rate="1mbit")
    addressed(host)
    host.run("ip link set v0 mtu 9000; ip -n web link set eth0 mtu 9000")
    large = "ping -M do -c 1 -W 2 -s 8000 10.0.0.2"
    assert host.run(large, check=False).rc != 0
    assert lines(settles(host, "veth", **PAIR, rate="1mbit")) == (["rate 1mbit burst 2772b"], ["rate 1mbit"])
    host.run(large)
    host.run("ip link set v0 mtu 1500; ip -n web link set eth0 mtu 1500")
    unchanged(host, "veth", **PAIR, rate="1mbit")
    host.run("tc qdisc change dev v0 root handle 4c4e: tbf rate 1mbit burst 3000 latency 50ms")
    settles(host, "veth", **PAIR, mtu=9000)
    host.run(large)
    host.run("tc qdisc change dev v0 root handle 4c4e: tbf rate 1mbit burst 10mb latency 50ms")
    (old,), new = lines(settles(host, "veth", **PAIR, rate="1mbit"))
    assert (re.fullmatch(r"rate 1mbit burst 10\d+b", old) is not None, new) == (True, ["rate 1mbit"])


@pytest.mark.needs("tbf")
def test_an_interface_that_is_renamed_or_comes_home_keeps_or_gets_it(host: Lab) -> None:
    host.module("veth", **PAIR, rate="10mbit", peer_rate="1mbit")
    host.run("ip -n web link set eth0 down; ip -n web link set eth0 name x0")
    settles(host, "veth", **PAIR, rate="10mbit", peer_rate="2mbit")
    host.run("ip -n web link set eth0 netns 1")
    settles(host, "veth", **PAIR, rate="10mbit", peer_rate="2mbit")
    assert kinds(host) == ("tbf", "tbf")


@pytest.mark.needs("tbf", "strace")
@pytest.mark.parametrize("lost", [False, True])
def test_a_run_that_fails_in_the_middle_takes_back_what_it_did(host: Lab, lost: bool) -> None:
    for at in (2, 3) if lost else (1, 2, 3):  # a pair whose answer is lost is there, and nobody knows
        with untouched(host):
            assert host.cut(at, "veth", lost, **PAIR, rate="10mbit", peer_rate="1mbit")["failed"]
    host.module("veth", **PAIR, rate="10mbit", peer_rate="1mbit")
    for at in (1, 2):
        with untouched(host):
            assert host.cut(at, "veth", lost, **PAIR, rate="", peer_rate="2mbit")["failed"]


@pytest.mark.needs("tbf")
def test_twenty_at_once(host: Lab) -> None:
    host.run("for number in $(seq 20); do ip netns add c$number; done")
    items = [
        {"name": f"v{number}", "peer_netns": f"c{number}", "peer_rate": f"{number}mbit"} for number in range(1, 21)
    ]
    settles(host, "veth", aggregate=items, rate="50mbit")
    assert qdisc(host, "eth0", "c7")["options"]["rate"] == 875000
    changed = settles(host, "veth", aggregate=items, rate="60mbit")
    assert len(changed["commands"]) == 20
    settles(host, "veth", aggregate=[{**item, "peer_rate": ""} for item in items], rate="")
    unchanged(host, "veth", aggregate=[{**item, "peer_rate": ""} for item in items], rate="")


@pytest.mark.needs("tbf", "macvlan")
@pytest.mark.both_ends
def test_a_link_of_another_kind(host: Lab) -> None:
    host.run("ip link add u0 type veth peer name u1; ip link set u0 up; ip link set u1 up")
    asked: dict[str, Any] = {"name": "eth0", "netns": "web", "kind": "macvlan", "parent": "u0"}
    made = settles(host, "ns_link", **asked, rate="10mbit")
    assert (
        made["commands"][-1]
        == "tc -n web qdisc replace dev eth0 root handle 4c4e: tbf rate 10mbit burst 14022b limit 139022b"
    )
    assert made["after"]["rate"] == "10mbit"
    changed = settles(host, "ns_link", **asked, rate="5mbit", mode="private")
    assert lines(changed) == (["mode bridge", "rate 10mbit"], ["mode private", "rate 5mbit"])
    anew = settles(host, "ns_link", **{**asked, "parent": "u1"}, recreate=True)
    assert anew["after"]["rate"] == "5mbit"
    host.run("tc -n web qdisc replace dev eth0 root handle 1: htb")
    refuses(
        host,
        "ns_link",
        "^Interface 'eth0' in netns 'web' has a queueing discipline of somebody",
        **{**asked, "parent": "u1"},
        rate="1mbit",
    )
    host.run("tc -n web qdisc del dev eth0 root")
    settles(host, "ns_link", **{**asked, "parent": "u1"}, rate="1mbit")
    assert "rate" not in settles(host, "ns_link", **{**asked, "parent": "u1"}, rate="", alias="x")["commands"][0]
    for kind in ("dummy", "vrf"):
        refuses(
            host,
            "ns_link",
            f"^rate: it is an option of kind ipvlan, macvlan, vlan, vxlan, not of {kind}.$",
            name="x",
            kind=kind,
            rate="1mbit",
        )
    settles(host, "ns_link", **{**asked, "parent": "u1"}, state="absent")


@pytest.mark.needs("tbf")
@pytest.mark.parametrize(("rate", "bits"), [("1mbit", 10**6), ("20mbit", 20 * 10**6), ("200mbit", 200 * 10**6)])
def test_a_stream_has_the_rate_each_way(host: Lab, rate: str, bits: int) -> None:
    host.module("veth", **PAIR, rate=rate, peer_rate="10mbit")
    addressed(host)
    passes(host, bits)
    if bits == 10**6:
        passes(host, 10**7, there="")


# --- what netem does ---


def test_what_is_no_value_is_refused(host: Lab) -> None:
    for params, text in (
        ({"rate": "10"}, "^rate: '10' is no rate such as 10mbit or 512kbit; '' is none.$"),
        ({"peer_rate": "1bit"}, "^peer_rate: '1bit' is out of bounds; it must be from 8kbit to 1tbit.$"),
        (
            {"jitter": "1ms"},
            "^jitter: it is by how much the delay varies, so it is at most that; give the delay as well, of at least 1ms.$",
        ),
        ({"peer_delay": "1ms", "peer_jitter": "2ms"}, "^peer_jitter: .* give the delay as well, of at least 2ms.$"),
        ({"delay": "", "jitter": "1ms"}, "^jitter: "),
        ({"delay": "2h"}, "^delay: '2h' is no time such as 10ms, 2s or 500us; '' is none.$"),
        ({"loss": "101%"}, "^loss: '101%' is no number of percent from 0 to 100, such as 0.5.$"),
    ):
        refuses(host, "veth", text, **PAIR, **params)


@pytest.mark.with_or_without("netem")
@pytest.mark.needs("tbf")
def test_a_kernel_without_netem_says_so_and_has_nothing_changed(host: Lab) -> None:
    works = host.run("tc qdisc add dev lo root netem delay 1ms && tc qdisc del dev lo root", check=False).rc == 0
    host.module("veth", **PAIR, rate="1mbit")
    if works:
        settles(host, "veth", **PAIR, delay="10ms")
        return
    lacking = (
        r"Operation not supported \(there is no netem, of the module sch_netem\); this kernel lacks the feature\.$"
    )
    refuses(
        host,
        "veth",
        rf"^Could not hold up what leaves by v0 in the host \(netem limit 64 delay 10ms rate 1mbit\): {lacking}",
        **PAIR,
        delay="10ms",
    )
    refuses(host, "veth", lacking, name="v1", peer_netns="web", peer_name="eth1", peer_loss="1%")


@pytest.mark.needs("netem")
@pytest.mark.both_ends
def test_impairments_are_given_changed_in_place_and_taken_away(host: Lab) -> None:
    before = host.snapshot()
    asked: dict[str, Any] = {
        "delay": "10ms",
        "jitter": "1ms",
        "loss": 0.5,
        "peer_delay": "1500us",
        "peer_rate": "1mbit",
    }
    made = settles(host, "veth", **PAIR, **asked)
    assert {name: made["after"][name] for name in asked} == {**asked, "loss": "0.5%"}
    assert (qdisc(host)["handle"], kinds(host)) == ("4c4f:", ("netem", "netem"))
    for name, drift in (("delay", "5ms 1ms loss 0.5%"), ("jitter", "10ms 2ms loss 0.5%"), ("loss", "10ms 1ms loss 2%")):
        host.run(f"tc qdisc change dev v0 root handle 4c4f: netem delay {drift}")
        (old,), (new,) = lines(settles(host, "veth", **PAIR, **asked))
        assert (old.split()[0], new) == (name, f"{name} {made['after'][name]}")
    host.run("tc -n web qdisc change dev eth0 root handle 4c4f: netem delay 1500us rate 2mbit")
    assert lines(settles(host, "veth", **PAIR, **asked)) == (["peer_rate 2mbit"], ["peer_rate 1mbit"])
    unchanged(host, "veth", **PAIR, peer_delay="1.5ms")
    settles(host, "veth", **PAIR, delay="", loss="", rate="1mbit")
    assert kinds(host) == ("tbf", "netem"), "one takes the other's place"
    settles(host, "veth", **PAIR, peer_delay="")
    assert kinds(host) == ("tbf", "tbf")
    settles(host, "veth", **PAIR, loss=1)
    assert (kinds(host), qdisc(host)["options"]["rate"]["rate"]) == (("netem", "tbf"), 125000)
    settles(host, "veth", **PAIR, exclusive=True)
    assert kinds(host) == ("noqueue", "noqueue")
    settles(host, "veth", **PAIR, state="absent")
    assert host.snapshot() == before


@pytest.mark.needs("netem", "ping")
def test_packets_are_late_by_the_delay_and_lost(host: Lab) -> None:
    host.module("veth", **PAIR)
    addressed(host)

    def fastest() -> float:
        """The shortest of many round trips, in milliseconds."""
        printed = host.run("ping -c 40 -i 0.05 -W 5 10.0.0.2", timeout=300).stdout
        found = re.search(r"= ([\d.]+)/", printed)
        assert found, printed
        return float(found[1])

    fastest()
    alone = fastest()
    host.module("veth", **PAIR, delay="20ms")
    once = fastest()
    host.module("veth", **PAIR, peer_delay="30ms")
    twice = fastest()
    print(f"{alone} {once} {twice}")
    assert abs(once - alone - 20) < 1
    assert abs(twice - alone - 50) < 1
    host.module("veth", **PAIR, delay="", peer_delay="", loss=100)
    assert " 100% packet loss" in host.run("ping -c 3 -i 0.05 -W 1 10.0.0.2", check=False, timeout=300).stdout


@pytest.mark.needs("netem")
def test_a_stream_with_a_delay_has_the_rate_too(host: Lab) -> None:
    host.module("veth", **PAIR, rate="4mbit", delay="10ms", peer_delay="10ms")
    addressed(host)
    passes(host, 4 * 10**6)
