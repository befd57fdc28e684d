# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nat, type dnat: what route_localnet opens stays closed to containers when somebody flushes all rules, with real packets."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from wires import BACKENDS, LEGACY, LIMIT, MOMENT, Host, eventually

WEB: dict[str, Any] = {"type": "dnat", "host_port": "8080", "to_port": "80", "to_address": "172.17.0.2", "owner": "web"}
FLUSH = "nft flush ruleset; for tool in iptables-legacy ip6tables-legacy; do for table in nat filter mangle raw; do $tool -t $table -F; done; done 2>&1"
SERVER = "import socket, sys; s = socket.create_server((sys.argv[1], int(sys.argv[2])))\nwhile True: s.accept()[0].sendall(sys.argv[3].encode())"
CLIENT = (
    "import socket, sys\n"
    "try: print(socket.create_connection((sys.argv[1], int(sys.argv[2])), float(sys.argv[3])).recv(99).decode())\n"
    "except OSError: pass"
)


@pytest.fixture(autouse=True)
def street(host: Host, needs: Callable[..., None]) -> None:
    """A container whose root sends what is for 127.0.0.1 to the host, on which a program listens there and nowhere else."""
    needs("nft", "nf_tables", "nf_nat")
    host.bridge("br0", "172.17.0.1/16")
    for name, address in (("web", "172.17.0.2/16"), ("bad", "172.17.0.3/16")):
        host.container(name, address)
        host.run(f"ip -n {name} route add default via 172.17.0.1")
    host.run(
        "ip netns exec bad sysctl -qw net.ipv4.conf.all.route_localnet=1 && ip -n bad link set lo up && "
        "ip -n bad addr del 127.0.0.1/8 dev lo && ip -n bad route add 127.0.0.0/8 via 172.17.0.1 src 172.17.0.3"
    )
    listen(host, ["ip", "netns", "exec", "web"], "0.0.0.0", 80, "web")
    listen(host, [], "127.0.0.1", 9000, "secret")


def listen(host: Host, where: list[str], address: str, port: int, name: str) -> None:
    """Answer with a name."""
    host.spawn([*where, sys.executable, "-c", SERVER, address, str(port), name])
    assert eventually(lambda: f":{port}" in host.run([*where, "ss", "-Htnl"]).stdout)


def ask(host: Host, netns: str, address: str, port: int, seconds: float = LIMIT) -> str:
    """What is answered; empty where nothing is within so many seconds."""
    where = ["ip", "netns", "exec", netns] if netns else []
    return host.run(
        [*where, sys.executable, "-c", CLIENT, address, str(port), str(seconds)], timeout=2 * LIMIT
    ).stdout.strip()


def rules(host: Host) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(host.run("ip -d -j rule").stdout)
    return found


def localnet(host: Host) -> str:
    return host.run("cat /proc/sys/net/ipv4/conf/br0/route_localnet").stdout.strip()


@pytest.mark.parametrize("backend", [*BACKENDS, LEGACY], indirect=True)
def test_services_of_the_host_on_loopback_are_closed_to_containers_after_a_flush(host: Host, backend: str) -> None:
    before = rules(host)
    assert ask(host, "bad", "127.0.0.1", 9000, MOMENT) == "", "the kernel lets none of that in"
    host.settles("nat", backend=host.backend, **WEB)
    assert localnet(host) == "1"
    for address in ("127.0.0.1", "127.0.0.7", "172.17.0.1"):
        assert ask(host, "", address, 8080) == "web"
    assert ask(host, "web", "172.17.0.1", 8080) == "web"
    assert ask(host, "", "127.0.0.1", 9000) == "secret"
    assert ask(host, "bad", "127.0.0.1", 9000, MOMENT) == ""

    host.run(FLUSH)
    assert localnet(host) == "1", "the switch is no rule"
    assert ask(host, "bad", "127.0.0.1", 9000, MOMENT) == ""
    assert ask(host, "bad", "127.0.0.1", 8080, MOMENT) == ""
    guard = [rule for rule in rules(host) if rule not in before]
    assert [(rule["iif"], rule["dst"], rule["action"], rule["protocol"]) for rule in guard] == [
        ("br0", "127.0.0.0", "prohibit", "76")
    ]
    assert [rule for rule in rules(host) if rule not in guard] == before, "what was there is as it was"

    host.settles("nat", backend=host.backend, **WEB)
    assert ask(host, "bad", "127.0.0.1", 9000, MOMENT) == ""
    assert ask(host, "", "127.0.0.1", 8080) == "web"
    host.settles("nat", backend=host.backend, state="absent", **WEB)
    assert (localnet(host), rules(host)) == ("0", before)
    # Nothing else was in the way, so the above saw what it is about.
    host.run("sysctl -qw net.ipv4.conf.br0.route_localnet=1")
    assert ask(host, "bad", "127.0.0.1", 9000) == "secret"


def test_what_is_noted_nowhere_but_in_the_policy_rule_is_taken_back(host: Host, backend: str) -> None:
    """After a flush it is that which tells that route_localnet was off before us; whether the next run is one of `present` or `absent`."""
    before = rules(host)
    for state in ("present", "absent"):
        host.settles("nat", backend=backend, **WEB)
        host.run(FLUSH)
        host.settles("nat", backend=backend, state=state, **WEB)
        host.module("nat", backend=backend, state="absent", **WEB)
        assert (localnet(host), rules(host)) == ("0", before)


def test_a_rule_behind_the_table_local_is_none_and_what_ended_half_way_is_gone_on_with(
    host: Host, backend: str
) -> None:
    before = rules(host)
    host.settles("nat", backend=backend, **WEB)
    whole = rules(host)
    spoilt = (
        "ip rule add pref 1 lookup local protocol kernel; ip rule del pref 0 lookup local; ",
        "ip rule del pref 0 iif br0 to 127.0.0.0/8 protocol 76 prohibit",
    )
    order = "ip rule add pref 0 iif br0 to 127.0.0.0/8 fwmark 0/0x20000000 protocol 76 prohibit; "
    host.run(spoilt[1])
    host.run(order)
    assert rules(host) != whole, "it is behind"
    assert host.settles("nat", backend=backend, **WEB)["changed"] is True
    assert rules(host) == whole
    host.run(spoilt[0])  # the kernel's rule is at another place: everybody's is before it
    kept = rules(host)
    assert host.settles("nat", backend=backend, **WEB)["changed"] is False
    assert rules(host) == kept
    host.run("ip rule add pref 0 lookup local protocol kernel; ip rule del pref 1 lookup local")
    host.module("nat", backend=backend, state="absent", **WEB)
    assert rules(host) == before


def test_one_that_ended_half_way_is_taken_back(host: Host, backend: str) -> None:
    """Ours is behind the table local, as it is added."""
    before = rules(host)
    host.settles("nat", backend=backend, **WEB)
    host.run("ip rule del pref 0 iif br0 to 127.0.0.0/8 protocol 76 prohibit")
    host.run("ip rule add pref 0 iif br0 to 127.0.0.0/8 fwmark 0/0x20000000 protocol 76 prohibit")
    host.settles("nat", backend=backend, state="absent", **WEB)
    assert (localnet(host), rules(host)) == ("0", before)


def test_the_commands_do_what_the_module_does(host: Host) -> None:
    before = rules(host)
    commands = [line for line in host.module("nat", check=True, **WEB)["commands"] if "rule" in line.split()]
    host.run(" && ".join(line for line in commands if " rule " in line and line.startswith("ip ")))
    typed = rules(host)
    host.module("nat", **WEB)
    assert rules(host) == typed != before


def test_somebody_else_s_route_localnet_is_not_ours(host: Host, backend: str) -> None:
    host.run("sysctl -qw net.ipv4.conf.br0.route_localnet=1")
    before = rules(host)
    host.settles("nat", backend=backend, **WEB)
    assert rules(host) == before
    host.settles("nat", backend=backend, state="absent", **WEB)
    assert localnet(host) == "1"
