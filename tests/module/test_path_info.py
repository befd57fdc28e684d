# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why it does not answer: something is broken, real traffic fails or gets through as `path_info` says, and the command that it names shows why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from shlex import quote as quoted
from typing import Any

import pytest
from paths import Town, ask
from proofs import comes
from situations import CASES, FROM_OUT, FW, OTHER, OUT, PUBLISHED, Case
from wires import BACKENDS, MOMENT

pytestmark = pytest.mark.needs("bridge", "nft", "nf_nat")


@pytest.fixture(name="town", scope="module", params=BACKENDS)
def town_with_a_backend(request: pytest.FixtureRequest, needs: Callable[..., None]) -> Iterator[Town]:
    needs("lab host", "bridge", "ip", "nft")
    with Town() as town:
        town.use(request.param)
        town.build()
        yield town


def test_with_br_netfilter_the_answer_comes_back_by_where_it_was_sent_on(town: Town) -> None:
    town.run(OTHER % "prerouting priority -110" + "tcp dport 8091 dnat to 172.18.0.3:80")
    try:
        assert ask(town, source="far", destination=OUT, port=8091)["verdict"] == "reaches"
        assert town.answers("far", OUT, 8091, seconds=60)
    finally:
        town.run("nft delete table ip other")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_stops_it_is_named_with_the_command_that_shows_it(town: Town, case: Case) -> None:
    town.run(case.do)
    try:
        found = ask(town, **case.question)
        assert case.what in found["msg"], found["text"]
        assert (found["verdict"], found["listening"]) == (case.verdict, case.listening), found["text"]
        stops = found["blocked_by"] or [*found["maybe_blocked_by"], None][0]
        if stops:
            assert stops["what"] in found["text"].splitlines()[-2]
            assert stops["command"] in found["text"].splitlines()[-1]
            shown = town.run(f"timeout {MOMENT} bash -c {quoted(stops['command'])}", check=False)  # tcpdump would wait
            assert case.shows in shown.stdout + shown.stderr, stops["command"]
        if case.call:
            assert not town.answers(*case.call), "it was said to be blocked, and answers"
    finally:
        town.run(case.undo)


@pytest.mark.parametrize(
    ("question", "call"),
    [
        (FROM_OUT, PUBLISHED),
        ({**FROM_OUT, "family": "ipv6"}, ("out", "2001:db8::1", 8080)),
        ({"source": "eth9", "destination": "8080/tcp"}, PUBLISHED),
        ({"source": "192.0.2.7", "destination": "8080"}, PUBLISHED),
        ({"destination": "8080/tcp"}, ("", "127.0.0.1", 8080)),
        ({"destination": "3000/tcp"}, ("", "127.0.0.1", 3000)),
        ({"source": "db", "destination": "8080/tcp"}, ("db", "172.17.0.1", 8080)),
        ({"source": "far", "destination": "8080/tcp"}, ("far", "172.18.0.1", 8080)),
        ({"source": "web", "destination": "8080/tcp"}, ("web", "172.17.0.1", 8080)),
        ({"source": "web", "destination": "8080/tcp", "family": "ipv6"}, ("web", "fd00:17::1", 8080)),
        ({"source": "db", "destination": "web", "port": 80}, ("db", "172.17.0.2", 80)),
        ({"source": "db", "destination": "fd00:17::2", "port": 80}, ("db", "fd00:17::2", 80)),
        ({"source": "web", "destination": "out", "port": 80}, ("web", "192.0.2.7", 80)),
        ({"source": "far", "destination": "out", "port": 80}, ("far", "192.0.2.7", 80)),
        ({"source": "out", "destination": "host", "port": 9000}, ("out", OUT, 9000)),
        ({"source": "web", "destination": "host", "port": 9000}, ("web", "172.17.0.1", 9000)),
        ({"destination": "web", "port": 80}, ("", "172.17.0.2", 80)),
        ({"source": "web", "destination": "web", "port": 80}, ("web", "172.17.0.2", 80)),
    ],
)
def test_what_reaches_answers(town: Town, question: dict[str, Any], call: tuple[str, str, int]) -> None:
    found = ask(town, **question)
    assert (found["verdict"], found["listening"], found["blocked_by"]) == ("reaches", True, None), found["text"]
    assert town.answers(*call, seconds=60), found["text"]
    assert found["text"].splitlines()[-1] == "Nothing is to be done."


def test_packets_that_are_too_large_are_told_of(town: Town) -> None:
    town.run("ip link set web-eth0 mtu 1400")
    try:
        found = ask(town, source="db", destination="web", protocol="icmp")
        assert (found["verdict"], found["blocked_by"]) == ("reaches", None)
        assert (
            "more than 1400 bytes do not fit through web-eth0 of the host, and up to 1500 are sent: they are dropped, and nobody is told"
            in found["msg"]
        )
        assert "mtu 1400" in town.run(found["too_large"]["command"]).stdout
        assert (
            found["text"]
            .splitlines()[-2]
            .startswith("It gets through, but large ones do not: packets of more than 1400 bytes")
        )
        ping = "ip netns exec db ping -nqc1 -W1 -M do -s %d 172.17.0.2"
        assert town.run(ping % 1372).rc == 0
        assert town.run(ping % 1472, check=False).rc == 1
    finally:
        town.run("ip link set web-eth0 mtu 1500")
    assert ask(town, source="db", destination="web", protocol="icmp")["too_large"] is None


def test_where_it_is_routed_the_sender_is_told_that_packets_are_too_large(town: Town) -> None:
    town.run("ip link set eth9 mtu 1300")
    try:
        found = ask(town, source="web", destination="out", port=80)
        assert "up to 1500 are sent: the sender is told so by ICMP, which no firewall may drop" in found["msg"]
    finally:
        town.run("ip link set eth9 mtu 1500")


def test_a_process_of_the_host_that_has_the_port_is_named(town: Town) -> None:
    found = ask(town, source="out", destination="9000/tcp")
    assert found["verdict"] == "reaches"
    assert found["msg"].startswith("tcp port 9000 answers out: python")
    assert "on the host listens on [::]:9000; nobody publishes that port" in found["msg"]


def test_a_rule_of_somebody_else_that_has_the_port_is_named(town: Town) -> None:
    town.run(OTHER % "prerouting priority -110" + "tcp dport 8080 dnat to 172.18.0.3:80")
    try:
        town.run(
            "nft insert rule inet linuxnet_containers closed_to tcp dport 80 accept"
        ) if town.backend == "nftables" else None
        found = ask(town, source="out", destination="8080/tcp")
        assert found["verdict"] == "reaches"
        assert "in near" in found["msg"], found["text"]
        assert town.answers(*PUBLISHED, seconds=60)
        assert any("ip other p" in hop["by"] for hop in found["hops"])
    finally:
        town.run("nft delete table ip other")


def test_where_only_a_packet_can_tell_one_is_sent_if_asked_to(town: Town) -> None:
    for rule, verdict, listening in (
        ("limit rate over 1000/second drop", "reaches", True),
        ("tcp dport 80 meta cpu 0-4095 drop", "blocked", True),
    ):
        town.run(FW % ("f", "forward", "f") + rule)
        try:
            assert ask(town, source="far", destination="out", port=80)["verdict"] == "unknown"
            found = ask(town, source="far", destination="out", port=80, probe=True)
            assert (found["verdict"], found["listening"]) == (verdict, listening), found["text"]
            assert ("it seems that inet fw f (rule handle 2) drops it" in found["msg"]) is (verdict == "blocked")
            assert town.answers("far", "192.0.2.7", 80) is (verdict == "reaches")
            assert any("one packet was sent to 192.0.2.7:80" in hop["what"] for hop in found["hops"])
        finally:
            town.run("nft delete table inet fw")


def test_it_sends_nothing_and_writes_nothing(town: Town) -> None:
    before = town.snapshot()
    result, writes = town.writes("path_info", source="out", destination="web")
    assert (result["verdict"], writes) == ("blocked", [])
    assert town.snapshot() == before


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ({"destination": "nobody"}, "destination: there is no namespace and no running container called 'nobody'"),
        ({"source": "nobody", "destination": "web"}, "called 'nobody', nor an interface of the host"),
        (
            {"source": "203.0.113.9", "destination": "web"},
            "source: nobody on this host has 203.0.113.9, and the host has no route to it.",
        ),
        ({"destination": "8080/tcp", "port": 1}, "port: '8080/tcp' is a port already"),
        ({"destination": "8080/tcp", "protocol": "udp"}, "protocol: '8080/tcp' says tcp, and protocol udp."),
        ({"destination": "web", "port": 0}, "port: a port is a number from 1 to 65535, not 0."),
        ({"destination": "99999/tcp"}, "port: a port is a number from 1 to 65535, not 99999."),
        ({"destination": "web", "protocol": "tcp"}, "protocol: tcp needs a port."),
        ({"destination": "web", "protocol": "icmp", "port": 1}, "port: icmp has no ports."),
        ({"destination": "172.17.0.2", "family": "ipv6"}, "source and destination are of different address families"),
        ({"destination": " "}, "destination: name a container, host, or an address."),
        ({"destination": "a/b"}, "destination: "),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(town: Town, question: dict[str, Any], said: str) -> None:
    assert said in town.fails("path_info", **question)["msg"]


DOCKER = """#!/bin/sh
case $1 in
ps) echo 0123456789ab ;;
container) echo "0123456789ab $(cat /run/shop.pid) running /shop " ;;
esac
"""


def test_a_container_that_was_started_again_is_told_from_its_handle(town: Town) -> None:
    """The handle `shop` is of the namespace of a process that ended; the engine has another one by now."""
    town.run("mount -t tmpfs tmpfs /usr/local/sbin")
    try:
        town.run("cat >/usr/local/sbin/docker && chmod +x /usr/local/sbin/docker", input=DOCKER)
        pids = [town.spawn(["unshare", "--net", "sleep", "600"]) for _number in range(2)]
        for pid in pids:
            comes(town, f"[ ! /proc/{pid}/ns/net -ef /proc/self/ns/net ]")
        town.run(f"echo {pids[0]} >/run/shop.pid; ip netns attach shop {pids[0]}")
        town.container("shop", "172.17.0.5/16")
        town.kill(pids[0])
        question = {"source": "db", "destination": "shop", "port": 80}
        assert "nobody in shop listens on tcp port 80" in ask(town, **question)["msg"]
        town.run(f"echo {pids[1]} >/run/shop.pid")
        found = ask(town, **question)
        assert (
            "the container shop of docker was started again: it runs in another namespace by now"
            in found["blocked_by"]["what"]
        )
        one, other = town.run(found["blocked_by"]["command"]).stdout.splitlines()
        assert one.split()[0] != other.split()[0]
        assert not town.answers("db", "172.17.0.5", 80)
    finally:
        town.run("umount /usr/local/sbin; ip netns del shop")
        town.kill(pids[1])
