# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our networks beside the firewalls of others, the real ones: dockerd, firewalld, ufw; and the rules that libvirt writes. Each test is a host of its own."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from engines import Docker, engine_host
from lab import Lab
from plays import Outcome, Play, Playbook, checked, internet, silent, talk, wiring
from proofs import comes, warnings

NETWORKS = [{"name": "front", "subnets": ["10.1.0.0/24"]}]
CONTAINERS = [
    {
        "name": "web",
        "networks": [{"name": "front", "ipv4_address": "10.1.0.10"}],
        "published_ports": ["8080:8080", "8081:8081/udp"],
    },
    {"name": "db", "networks": [{"name": "front", "ipv4_address": "10.1.0.11"}]},
]
COUNTS = re.compile(r"packets \d+ bytes \d+|\[\d+:\d+\]|#.*|\w+_(timer|n_learned|n_groups) +[\d.]+")


def play(backend: str = "auto", **more: Any) -> Play:
    return wiring(networks=NETWORKS, containers=CONTAINERS, firewall_backend=backend, **more)


def blocked(outcome: Outcome) -> set[str]:
    """What the task nat says stands in the way."""
    found = [one.result for one in outcome.tasks if one.action.endswith(".nat") and one.status == "ok"]
    return {name for result in found for item in result["results"] for name in item["blocked_by"]}


def works(lab: Lab) -> None:
    """Out, published, to each other; and nothing of what is not published."""
    assert talk(lab, "web", "internet", "192.0.2.99") == "192.0.2.1"
    assert talk(lab, "internet", "web", "192.0.2.1") == "192.0.2.99"
    assert talk(lab, "db", "web", "10.1.0.10") == "10.1.0.11"
    assert silent(lab, "internet", "db", "10.1.0.11")


@contextlib.contextmanager
def host() -> Iterator[tuple[Lab, Playbook]]:
    with engine_host() as lab:
        internet(lab)
        lab.run("ip -n internet route add 10.0.0.0/8 via 192.0.2.1")
        yield lab, Playbook(lab, Path("/run/playbook"), one_task=True)


@contextlib.contextmanager
def with_docker(*options: str) -> Iterator[tuple[Lab, Playbook, Docker]]:
    """A host with a dockerd that has its network as it is by default."""
    with host() as (lab, playbook):
        docker = Docker(lab, bip="172.30.0.1/28", options=options)
        try:
            yield lab, playbook, docker
        finally:
            docker.close()


def rules(lab: Lab) -> str:
    return COUNTS.sub("", lab.run("nft list ruleset").stdout)


@pytest.mark.parametrize("backend", ["nftables", "iptables"])
def test_f1_docker_drops_what_is_forwarded_and_ours_passes_by_docker_user(
    needs: Callable[..., None], backend: str
) -> None:
    needs("docker")
    with with_docker() as (lab, playbook, docker):
        docker.restart_daemon()  # what it sets up at a second start differs a little
        docker.start("theirs", network="bridge")
        assert "-P FORWARD DROP" in lab.run("iptables -S FORWARD").stdout
        comes(lab, "! ip addr show docker0 | grep -q tentative")
        before = rules(lab)
        foreseen, first, again = playbook.run(checked(play(backend)), play(backend), play(backend))
        assert foreseen.drift() == first.drift()
        assert (again.changed, blocked(first), blocked(again)) == ([], set(), set())
        works(lab)
        assert docker.run_in("theirs", ["ping", "-c", "1", "-W", "20", "192.0.2.99"]).rc == 0
        # A new dockerd sets up its rules anew, and leaves its users' chain alone.
        docker.restart_daemon()
        [again] = playbook.run(play(backend))
        works(lab)
        assert again.changed == []
        # F4: what somebody flushed is restored, and the diff says what it was.
        lab.run("iptables -F DOCKER-USER && iptables -A DOCKER-USER -j RETURN")
        assert silent(lab, "web", "internet", "192.0.2.99")
        restored, again = playbook.run(play(backend), play(backend))
        assert restored.changed == ["Isolate the networks, and translate what leaves"]
        assert again.changed == []
        works(lab)
        playbook.run(play(backend, state="absent"))
        assert rules(lab) == before


@contextlib.contextmanager
def with_firewalld() -> Iterator[tuple[Lab, Playbook]]:
    """A host with firewalld and a system bus of its own, the uplink in its zone public, as it is when installed."""
    with host() as (lab, playbook):
        lab.run("mkdir -p /run/dbus")
        bus = lab.spawn(["dbus-daemon", "--system", "--nofork", "--nopidfile"])
        comes(lab, "[ -S /run/dbus/system_bus_socket ]")
        daemon = lab.spawn(["firewalld", "--nofork", "--nopid"])
        comes(lab, "firewall-cmd --state >/dev/null 2>&1 || ! sleep 0.1")
        try:
            yield lab, playbook
        finally:
            lab.kill(daemon)
            lab.kill(bus)


def test_f4_firewalld_is_named_with_what_it_takes_and_a_reload_takes_nothing_of_ours(
    needs: Callable[..., None],
) -> None:
    needs("firewalld")
    with with_firewalld() as (lab, playbook):
        first, again = playbook.run(play(), play())
        assert again.changed == []
        assert {name.partition(" filter_")[0] for name in blocked(first)} == {"inet firewalld"}
        assert silent(lab, "web", "internet", "192.0.2.99")
        # Published ports firewalld lets pass by itself.
        assert talk(lab, "internet", "web", "192.0.2.1") == "192.0.2.99"
        said = warnings(lab.module("nat", source="10.1.0.0/24", out_interface="!front", owner="front"))
        remedy = "firewall-cmd --zone=trusted --change-interface=front"
        assert [remedy in one for one in said] == [True]
        for permanent in ("", " --permanent"):
            lab.run(remedy + permanent)
        [passed] = playbook.run(play())
        assert (passed.changed, blocked(passed)) == ([], set())
        works(lab)
        lab.run("firewall-cmd --reload")
        [reloaded] = playbook.run(play())
        assert (reloaded.changed, blocked(reloaded)) == ([], set())
        works(lab)


def test_ufw_is_named_with_what_it_takes(needs: Callable[..., None]) -> None:
    needs("ufw")
    with host() as (lab, playbook):
        lab.run("ufw --force enable")
        try:
            first, again = playbook.run(play(), play())
            assert again.changed == []
            assert blocked(first) == {"ip filter FORWARD (policy drop)", "ip6 filter FORWARD (policy drop)"}
            assert silent(lab, "web", "internet", "192.0.2.99")
            said = [*warnings(lab.module("nat", source="10.1.0.0/24", out_interface="!front", owner="front"))]
            said += warnings(lab.module("nat", type="dnat", host_port="8080", to_address="10.1.0.10", owner="web"))
            for way in ("in", "out"):
                assert any(f"ufw route allow {way} on front" in one for one in said)
                lab.run(f"ufw route allow {way} on front")
            [passed] = playbook.run(play())
            assert (passed.changed, blocked(passed)) == ([], set())
            works(lab)
            lab.run("ufw reload")
            [reloaded] = playbook.run(play())
            assert reloaded.changed == []
            works(lab)
        finally:
            lab.run("ufw --force disable")


GUESTS = "192.168.122.0/24"
# What libvirt writes for its network "default" when that is started ("virsh net-start"): with iptables, and since 10.4 with nftables.
LIBVIRT_IPTABLES = f"""
*filter
:LIBVIRT_INP -
:LIBVIRT_OUT -
:LIBVIRT_FWO -
:LIBVIRT_FWI -
:LIBVIRT_FWX -
-A INPUT -j LIBVIRT_INP
-A OUTPUT -j LIBVIRT_OUT
-A FORWARD -j LIBVIRT_FWX
-A FORWARD -j LIBVIRT_FWI
-A FORWARD -j LIBVIRT_FWO
-A LIBVIRT_INP -i virbr0 -p udp -m udp --dport 53 -j ACCEPT
-A LIBVIRT_INP -i virbr0 -p udp -m udp --dport 67 -j ACCEPT
-A LIBVIRT_OUT -o virbr0 -p udp -m udp --dport 68 -j ACCEPT
-A LIBVIRT_FWX -i virbr0 -o virbr0 -j ACCEPT
-A LIBVIRT_FWI -d {GUESTS} -o virbr0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A LIBVIRT_FWI -o virbr0 -j REJECT --reject-with icmp-port-unreachable
-A LIBVIRT_FWO -s {GUESTS} -i virbr0 -j ACCEPT
-A LIBVIRT_FWO -i virbr0 -j REJECT --reject-with icmp-port-unreachable
COMMIT
*nat
:LIBVIRT_PRT -
-A POSTROUTING -j LIBVIRT_PRT
-A LIBVIRT_PRT -s {GUESTS} -d 224.0.0.0/24 -j RETURN
-A LIBVIRT_PRT -s {GUESTS} -d 255.255.255.255/32 -j RETURN
-A LIBVIRT_PRT -s {GUESTS} ! -d {GUESTS} -p tcp -j MASQUERADE --to-ports 1024-65535
-A LIBVIRT_PRT -s {GUESTS} ! -d {GUESTS} -p udp -j MASQUERADE --to-ports 1024-65535
-A LIBVIRT_PRT -s {GUESTS} ! -d {GUESTS} -j MASQUERADE
COMMIT
"""
LIBVIRT_NFTABLES = f"""
table ip libvirt_network {{
    chain guest_cross {{ iif "virbr0" oif "virbr0" counter accept; }}
    chain guest_input {{
        oif "virbr0" ip daddr {GUESTS} ct state established,related counter accept
        oif "virbr0" counter reject
    }}
    chain guest_output {{
        ip saddr {GUESTS} iif "virbr0" counter accept
        iif "virbr0" counter reject
    }}
    chain forward {{
        type filter hook forward priority filter; policy accept;
        counter jump guest_cross
        counter jump guest_input
        counter jump guest_output
    }}
    chain guest_nat {{
        type nat hook postrouting priority srcnat; policy accept;
        ip saddr {GUESTS} ip daddr 224.0.0.0/24 counter return
        ip saddr {GUESTS} ip daddr 255.255.255.255 counter return
        meta l4proto tcp ip saddr {GUESTS} ip daddr != {GUESTS} counter masquerade to :1024-65535
        meta l4proto udp ip saddr {GUESTS} ip daddr != {GUESTS} counter masquerade to :1024-65535
        ip saddr {GUESTS} ip daddr != {GUESTS} counter masquerade
    }}
}}
"""
NET_STARTED = {
    "iptables": f"iptables-restore -n <<'END'{LIBVIRT_IPTABLES}END",
    "nftables": f"nft -f - <<'END'{LIBVIRT_NFTABLES}END",
}
NET_DESTROYED = {
    "iptables": "iptables -D INPUT -j LIBVIRT_INP; iptables -D OUTPUT -j LIBVIRT_OUT; "
    "for name in FWX FWI FWO; do iptables -D FORWARD -j LIBVIRT_$name; done; iptables -t nat -D POSTROUTING -j LIBVIRT_PRT; "
    "for name in INP OUT FWX FWI FWO; do iptables -F LIBVIRT_$name; iptables -X LIBVIRT_$name; done; "
    "iptables -t nat -F LIBVIRT_PRT; iptables -t nat -X LIBVIRT_PRT",
    "nftables": "nft delete table ip libvirt_network",
}


@pytest.mark.parametrize("backend", ["nftables", "iptables"])
@pytest.mark.parametrize("writes", ["iptables", "nftables"])
def test_libvirt_and_ours_leave_each_other_alone(needs: Callable[..., None], writes: str, backend: str) -> None:
    needs("nft", "nf_tables", "nf_nat", "iptables")
    with host() as (lab, playbook):
        lab.run(
            "ip link add virbr0 type bridge && ip addr add 192.168.122.1/24 dev virbr0 && ip link set virbr0 up && "
            "ip netns add guest && ip link add vnet0 master virbr0 up type veth peer name eth0 netns guest && "
            "ip -n guest addr add 192.168.122.10/24 dev eth0 && ip -n guest link set eth0 up && "
            "ip -n guest route add default via 192.168.122.1 && sysctl -qw net.ipv4.ip_forward=1"
        )
        for command in (NET_STARTED, NET_DESTROYED, NET_STARTED):  # chains are listed in another order the second time
            lab.run(command[writes])
        before = rules(lab)
        foreseen, first, again = playbook.run(checked(play(backend)), play(backend), play(backend))
        assert foreseen.drift() == first.drift()
        assert (again.changed, blocked(first), blocked(again)) == ([], set(), set())

        def apart() -> None:
            works(lab)
            assert talk(lab, "guest", "internet", "192.0.2.99") == "192.0.2.1"
            assert talk(lab, "guest", "web", "192.0.2.1") == "10.1.0.1"  # libvirt translates what leaves its network
            assert silent(lab, "guest", "db", "10.1.0.11")
            assert silent(lab, "web", "guest", "192.168.122.10")

        apart()
        lab.run(NET_DESTROYED[writes])
        lab.run(NET_STARTED[writes])
        [again] = playbook.run(play(backend))
        assert (again.changed, blocked(again)) == ([], set())
        apart()
        playbook.run(play(backend, state="absent"))
        assert rules(lab) == before


@pytest.mark.parametrize(("proxy", "holder"), [("true", "docker-proxy"), ("false", "dockerd")])
def test_f6_a_port_that_docker_publishes_is_refused_naming_the_holder(
    needs: Callable[..., None], proxy: str, holder: str
) -> None:
    needs("docker")
    with with_docker(f"--userland-proxy={proxy}") as (lab, _playbook, docker):
        docker.run(["docker", "run", "-d", "--name", "theirs", "-p", "9090:80", "box", "sleep", "100000"])
        options: dict[str, Any] = {"type": "dnat", "to_port": "80", "to_address": "172.30.0.9", "bridge": "docker0"}
        said = lab.fails("nat", host_port="9090", **options)["msg"]
        assert re.search(rf"tcp port 9090 is in use: {holder} \(process \d+\) listens on 0.0.0.0:9090", said)
        assert lab.module("nat", host_port="9091", **options)["changed"]
