# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nat, types masquerade and snat: packets that conntrack calls invalid do not leave with a private source, since no rule would translate them."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from proofs import unchanged
from wires import BACKENDS, LEGACY, Host

EACH = [*BACKENDS, LEGACY]
FAMILIES = [4, 6]
NET = {4: "172.17.0.0/16", 6: "fd00:17::/64"}
WEB, DB = {4: "172.17.0.2", 6: "fd00:17::2"}, {4: "172.17.0.3", 6: "fd00:17::3"}
HOST, WORLD = {4: "192.0.2.2", 6: "2001:db8::2"}, {4: "192.0.2.1", 6: "2001:db8::1"}
# Sends segments that belong to no connection: RST, RST and ACK, FIN and ACK, an ACK. Arguments: the source, the target.
SEGMENTS = """
import socket, struct, sys
source, target = sys.argv[1:]
family = socket.AF_INET6 if ":" in target else socket.AF_INET
sock = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_TCP)
sock.bind((source, 0))
ends = socket.inet_pton(family, source) + socket.inet_pton(family, target)
for number, flags in enumerate((0x04, 0x14, 0x11, 0x10)):
    segment = struct.pack("!HHIIBBHHH", 40000 + number, 80, 7, 7, 5 << 4, flags, 1024, 0, 0)
    words = struct.unpack("!%dH" % ((len(ends) + 24) // 2), ends + struct.pack("!HH", 6, len(segment)) + segment)
    total = sum(words)
    total = (total & 0xffff) + (total >> 16)
    total = (total & 0xffff) + (total >> 16)
    sock.sendto(segment[:16] + struct.pack("!H", ~total & 0xffff) + segment[18:], (target, 0))
"""


@pytest.fixture(autouse=True)
def street(host: Host, needs: Callable[..., None]) -> None:
    """Two containers on a bridge, and behind the uplink the "internet". An ACK that no connection has begun with is no new one."""
    needs("nft", "nf_tables", "nf_nat")
    host.bridge("br0", "172.17.0.1/16", "fd00:17::1/64")
    for number, name in ((2, "web"), (3, "db")):
        host.container(name, f"172.17.0.{number}/16", f"fd00:17::{number}/64")
        host.run(f"ip -n {name} route add default via 172.17.0.1; ip -n {name} -6 route add default via fd00:17::1")
    host.run(
        "ip netns add internet && ip link add up0 type veth peer name eth0 netns internet && ip link set up0 up && "
        "ip addr add 192.0.2.2/24 dev up0 && ip addr add 2001:db8::2/64 dev up0 nodad && ip -n internet link set eth0 up && "
        "ip -n internet addr add 192.0.2.1/24 dev eth0 && ip -n internet addr add 2001:db8::1/64 dev eth0 nodad && "
        # A way back, so that nothing but the source of a packet tells what was done to it.
        "ip -n internet route add 172.17.0.0/16 via 192.0.2.2 && ip -n internet -6 route add fd00:17::/64 via 2001:db8::2"
    )


def items(backend: str, **more: Any) -> dict[str, Any]:
    """A task with a rule for each family."""
    rules = [{"source": NET[family], "out_interface": "!br0", **more} for family in FAMILIES]
    return {"backend": backend.partition("-")[0], "aggregate": rules}


def sources(host: Host, to: Mapping[int, str] | None = None, where: str = "internet") -> set[str]:
    """The sources of what arrives when segments out of nowhere are sent, and then a ping."""
    goal = to or WORLD

    def act() -> None:
        for family in FAMILIES:
            host.run(["ip", "netns", "exec", "web", sys.executable, "-c", SEGMENTS, WEB[family], goal[family]])
            assert host.ping("web", goal[family]), "ordinary traffic goes"

    condition = "(tcp and port 80) or icmp[icmptype] == icmp-echo or (icmp6 and ip6[40] == 128)"
    return set(re.findall(r"(\S+) > ", host.captured(where, "eth0", condition, act)))


def private(seen: set[str]) -> set[str]:
    """The private sources of those seen, without their ports."""
    return {mine for mine in WEB.values() if any(one == mine or one.startswith(f"{mine}.") for one in seen)}


def flushed(host: Host) -> str:
    """The command that takes out the stops of all rules."""
    if host.backend == "nftables":
        return "nft flush chain inet linuxnet_containers untranslated"
    kind = host.place.partition("-")[2]
    return "; ".join(f"{ip}-{kind} -t mangle -F LINUXNET-UNTRANSLATED" for ip in ("iptables", "ip6tables"))


@pytest.mark.needs("tcpdump")
@pytest.mark.parametrize("backend", EACH)
@pytest.mark.parametrize("kind", ["masquerade", "snat"])
def test_what_conntrack_calls_invalid_does_not_leave_with_its_private_source(
    host: Host, backend: str, kind: str
) -> None:
    host.use(backend)
    task = items(backend)
    if kind == "snat":
        for one, family in zip(task["aggregate"], FAMILIES, strict=True):
            one.update(type="snat", to_address=HOST[family])
    host.settles("nat", **task)
    host.run("sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0")
    seen = sources(host)
    assert private(seen) == set()
    assert {address for address in HOST.values() if address in seen} == set(HOST.values()), seen
    host.run(flushed(host))
    assert private(sources(host)) == set(WEB.values()), "without the stops they leave as they are"
    before = host.held()
    done = host.settles("nat", **task)
    assert [one["changed"] for one in done["results"]] == [True, True]
    assert host.held() != before
    assert private(sources(host)) == set()


@pytest.mark.needs("tcpdump")
@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_not_translated_is_not_stopped(host: Host, backend: str, needs: Callable[..., None]) -> None:
    """Neighbours on the bridge, also where br_netfilter shows bridged packets; and what is excluded."""
    needs("br_netfilter")
    host.use(backend)
    host.run("sysctl -qw net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1")
    excluded = {4: "192.0.2.0/24", 6: "2001:db8::/64"}
    task = items(backend)
    host.settles("nat", **task)
    host.run("sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0")
    assert private(sources(host, DB, "db")) == set(WEB.values())
    for one, family in zip(task["aggregate"], FAMILIES, strict=True):
        one["exclude"] = [excluded[family]]
    host.settles("nat", **task)
    assert private(sources(host)) == set(WEB.values())


@pytest.mark.parametrize("backend", EACH)
def test_stops_come_and_go_with_their_rules(host: Host, backend: str) -> None:
    pristine = host.snapshot()
    host.use(backend)
    task = items(backend)
    published = {"type": "dnat", "host_port": "8080", "to_port": "80", "to_address": WEB[4], "backend": task["backend"]}
    done = host.settles("nat", **task)
    with Host() as other:
        other.use(backend)
        for one in done["results"]:
            for command in one["commands"]:
                other.run(command)
        unchanged(other, "nat", **task)
        unchanged(host, "nat", **task)
    host.settles("nat", **items(backend, comment="another"))
    host.settles("nat", **published)
    gone = items(backend, state="absent")
    host.settles("nat", **gone)
    assert "untranslated" not in host.held().lower(), "no empty chain is left"
    host.settles("nat", **published, state="absent")
    host.run("ip link set web-eth0 type bridge_slave hairpin off")
    if backend != LEGACY:  # empty tables of iptables-legacy are the kernel's
        assert host.snapshot() == pristine
