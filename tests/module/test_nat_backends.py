# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nat and its backends: the same rules in iptables, the switch from one to the other, and both kinds of iptables told apart."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
from proofs import comes
from wires import BACKENDS, LEGACY, LIMIT, MOMENT, Host, called, warnings

V4: dict[str, Any] = {"source": "172.17.0.0/16", "out_interface": "!br0"}
V6: dict[str, Any] = {"source": "fd00:17::/64", "out_interface": "!br0"}
WEB, HOST, WORLD = "172.17.0.2", "192.0.2.2", "192.0.2.1"
# One of each type, and both families.
ALL: list[dict[str, Any]] = [
    {**V4, "exclude": ["10.8.0.0/16"], "comment": "two words"},
    {**V6, "type": "snat", "to_address": "2001:db8::2"},
    {"type": "dnat", "host_port": "8080", "to_port": "80", "to_address": WEB},
    {"type": "dnat", "host_port": "8080", "to_port": "80", "to_address": "fd00:17::2"},
    {"type": "dnat", "host_port": "30000-30099/udp", "to_address": WEB, "host_ip": "192.0.2.2"},
    {"type": "filter", "bridge": "br0"},
]
# Answers with the source of who asks.
SERVER = (
    "import socket\n"
    "server = socket.create_server(('::', 80), family=socket.AF_INET6, dualstack_ipv6=True)\n"
    "while True:\n"
    "    peer, address = server.accept()\n"
    "    with peer: peer.sendall(address[0].removeprefix('::ffff:').encode())\n"
)


@pytest.fixture(autouse=True)
def street(host: Host, needs: Callable[..., None]) -> None:
    """Two containers on a bridge with a server each, and behind the uplink the "internet" with another."""
    needs("nft", "nf_tables", "nf_nat")
    host.bridge("br0", "172.17.0.1/16", "fd00:17::1/64")
    host.container("web", f"{WEB}/16", "fd00:17::2/64")
    host.container("db", "172.17.0.3/16", "fd00:17::3/64")
    host.run(
        "ip netns add internet && ip link add up0 type veth peer name eth0 netns internet && ip link set up0 up && "
        "ip addr add 192.0.2.2/24 dev up0 && ip addr add 2001:db8::2/64 dev up0 nodad && "
        "for name in web db; do ip -n $name route add default via 172.17.0.1; "
        "ip -n $name -6 route add default via fd00:17::1; done && ip -n internet -batch -",
        input="link set lo up\nlink set eth0 up\naddr add 192.0.2.1/24 dev eth0\naddr add 2001:db8::1/64 dev eth0 nodad\n",
    )
    for name in ("web", "internet"):
        host.spawn(["ip", "netns", "exec", name, sys.executable, "-c", SERVER])
        host.listens(name, 80)


def ask(host: Host, netns: str, address: str, port: int = 80, seconds: float = LIMIT) -> str:
    """Which source the server at an address sees, ``""`` where nobody answers."""
    return called(host, netns, address, port, seconds)


def works(host: Host) -> None:
    """What all items together are for."""
    assert ask(host, "web", WORLD) == HOST, "what leaves is masqueraded"
    assert ask(host, "web", "2001:db8::1") == "2001:db8::2"
    for netns, address in (("internet", HOST), ("internet", "2001:db8::2"), ("db", HOST), ("", "127.0.0.1")):
        assert ask(host, netns, address, 8080) != "", f"{netns} to {address}"


def tables(host: Host) -> str:
    """All that is in any firewall, without counts."""
    listed = host.run(
        "nft list ruleset; for ip in iptables ip6tables; do "
        "[ -s /proc/net/${ip%tables}_tables_names ] && $ip-legacy-save || true; done"
    ).stdout
    lines = [line for line in listed.splitlines() if not line.startswith(("#", "*", ":", "COMMIT"))]
    return re.sub(r"(packets|bytes) \d+", "", "\n".join(lines))


@pytest.mark.parametrize("backend", [*BACKENDS, LEGACY], indirect=True)
def test_all_types_work_together_in_each_backend_and_leave_nothing(host: Host, backend: str) -> None:
    before, rules = host.snapshot(), tables(host)
    done = host.settles("nat", backend=backend, aggregate=ALL)
    assert [one["after"]["backend"] for one in done["results"]] == [host.place] * len(ALL)
    works(host)
    gone = [
        {name: value for name, value in one.items() if name != "to_address" or ":" in value or "dnat" in one.values()}
        for one in ALL
    ]
    gone[1].update(to_address="2001:db8::2")
    host.settles("nat", backend=backend, state="absent", aggregate=gone)
    assert tables(host) == rules
    assert host.snapshot() == before


@pytest.mark.parametrize("kind", ["iptables", LEGACY])
@pytest.mark.needs("strace")
def test_a1_a_second_run_with_iptables_writes_nothing(host: Host, kind: str) -> None:
    host.use(kind)
    host.module("nat", backend="iptables", aggregate=ALL)
    before = host.held()
    result, writes = host.writes("nat", backend="iptables", aggregate=ALL)
    assert (result["changed"], writes) == (False, [])
    assert host.held() == before


@pytest.mark.parametrize(("first", "second"), [("nftables", "iptables"), ("iptables", "nftables")])
def test_f16_the_switch_leaves_nothing_of_the_old_backend(host: Host, first: str, second: str) -> None:
    """Nor is there a moment with neither: somebody outside connects again and again meanwhile."""
    host.use(second)
    host.module("nat", backend=second, aggregate=ALL)
    wanted = tables(host)
    host.module("nat", backend=second, aggregate=[{**one, "state": "absent"} for one in ALL])
    assert tables(host) == ""
    host.module("nat", backend=first, aggregate=ALL)
    caller = (
        "import os, socket\n"
        "failed = number = 0\n"
        "while number < 21 or not os.path.exists('/run/enough'):\n"
        "    number += 1\n"
        "    try: assert socket.create_connection(('192.0.2.2', 8080), 60).recv(9)\n"
        "    except (OSError, AssertionError): failed += 1\n"
        "    open('/run/called', 'w').close()\n"
        "print('done', number, failed)\n"
    )
    host.run("rm -f /run/enough /run/called /run/calls")
    host.spawn(["bash", "-c", f'exec ip netns exec internet {sys.executable} -c "{caller}" >/run/calls'])
    comes(host, "test -e /run/called")
    done = host.settles("nat", backend=second, aggregate=ALL)
    places = {"nftables": "nftables", "iptables": "iptables-nft"}
    for one in done["results"]:
        assert (one["diff"]["before"], one["diff"]["after"]) == (
            f"backend {places[first]}\n",
            f"backend {places[second]}\n",
        )
    assert tables(host) == wanted
    works(host)
    host.run("touch /run/enough")
    comes(host, "grep -q done /run/calls")
    number, failed = map(int, host.run("cat /run/calls").stdout.split()[1:])
    assert number > 20
    assert failed == 0


def test_f16_what_is_in_another_backend_goes_with_absent_too(host: Host) -> None:
    host.module("nat", backend="iptables", aggregate=ALL)
    gone = host.settles("nat", state="absent", aggregate=ALL)
    assert [one["before"]["backend"] for one in gone["results"]] == ["iptables-nft"] * len(ALL)
    assert tables(host) == ""


@pytest.mark.parametrize("number", range(len(ALL)))
def test_the_commands_do_the_same(host: Host, number: int) -> None:
    """Pasted, they make what the module makes; one item at a time, beside all others."""
    rest = [one for place, one in enumerate(ALL) if place != number]
    host.use("iptables")
    for others in ([], rest):
        if others:
            host.module("nat", backend="iptables", aggregate=others)
        told = host.module("nat", check=True, backend="iptables", **ALL[number])
        assert told["changed"] is True
        for command in told["commands"]:
            host.run(command)
        assert host.module("nat", backend="iptables", **ALL[number])["changed"] is False
        host.module("nat", backend="iptables", state="absent", aggregate=[*ALL])


@pytest.mark.parametrize(
    ("edit", "items"),
    [
        ("iptables -t nat -D POSTROUTING 1", {0, 2}),
        ("iptables -t nat -D OUTPUT 1", {2}),
        ("iptables -t nat -F LINUXNET-POSTROUTING", {0}),
        ("ip6tables -t nat -F LINUXNET-PUBLISH", {3}),
        ("iptables -D FORWARD 1", {0, 5}),
        ("iptables -t nat -A LINUXNET-PUBLISH -p tcp --dport 99 -m comment --comment linuxnet -j ACCEPT", {2}),
    ],
)
def test_f13_what_somebody_edited_or_took_out_is_set_right(host: Host, edit: str, items: set[int]) -> None:
    host.use("iptables")
    host.module("nat", backend="iptables", aggregate=ALL)
    before = host.held()
    host.run(edit)
    assert host.held() != before
    done = host.settles("nat", backend="iptables", aggregate=ALL)
    changed = {place for place, one in enumerate(done["results"]) if one["changed"]}
    assert changed
    assert changed <= items
    assert sorted(host.held().splitlines()) == sorted(before.splitlines())
    works(host)


def test_f13_a_rule_of_somebody_else_among_ours_is_reported_and_kept(host: Host) -> None:
    host.use("iptables")
    host.module("nat", backend="iptables", **V4)
    host.run("iptables -t nat -A LINUXNET-POSTROUTING -s 198.51.100.0/24 -j ACCEPT")
    reported = host.module("nat", backend="iptables", **V4)
    assert reported["changed"] is False
    assert warnings(reported) == [
        "Among our rules are some without the mark of this collection; they are left alone. In chain LINUXNET-POSTROUTING of nat: "
        "-s 198.51.100.0/24 -j ACCEPT, which 'iptables-nft -t nat -D LINUXNET-POSTROUTING -s 198.51.100.0/24 -j ACCEPT' removes. "
        "An exclusive item of nat takes them away, and wiring_purge does."
    ]
    host.settles("nat", backend="iptables", state="absent", **V4)
    assert "-A LINUXNET-POSTROUTING -s 198.51.100.0/24 -j ACCEPT" in host.held()


def test_f11_auto_is_nftables_and_rules_of_both_kinds_of_iptables_are_warned_of(host: Host) -> None:
    assert host.settles("nat", **V4)["after"]["backend"] == "nftables"
    host.run("iptables-nft -A FORWARD -s 203.0.113.0/24 -j ACCEPT")
    assert warnings(host.module("nat", **V4)) == []
    host.use(LEGACY)
    host.run("iptables-legacy -A FORWARD -s 203.0.113.0/24 -j ACCEPT")
    result = host.module("nat", **V4)
    assert result["after"]["backend"] == "nftables"
    assert warnings(result) == [
        "iptables-legacy and iptables-nft both have rules here, and a packet passes both; what one accepts the other may drop."
    ]


def test_f11_iptables_is_the_kind_that_the_host_has_chosen(host: Host) -> None:
    assert host.settles("nat", backend="iptables", **V4)["after"]["backend"] == "iptables-nft"
    host.use(LEGACY)
    moved = host.settles("nat", backend="iptables", **V4)
    assert moved["diff"]["before"] == "backend iptables-nft\n"
    assert moved["diff"]["after"] == "backend iptables-legacy\n"
    assert "LINUXNET" not in host.run("iptables-nft-save").stdout
    assert ask(host, "web", WORLD) == HOST


def test_f3_a_masquerade_of_iptables_legacy_counts(host: Host) -> None:
    host.use(LEGACY)
    host.run("iptables-legacy -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o br0 -j MASQUERADE")
    done = host.settles("nat", **V4)
    assert done["satisfied_by"] == "iptables-legacy nat POSTROUTING rule 1"
    assert "masquerade" not in host.run("nft list ruleset").stdout


@pytest.mark.parametrize("kind", ["iptables", LEGACY])
def test_a_forward_policy_that_drops_is_passed_with_iptables_and_never_changed(host: Host, kind: str) -> None:
    """With nftables it is named: an accept there does not override it."""
    host.use(kind)
    host.run("iptables -P FORWARD DROP")
    named = host.module("nat", check=True, backend="nftables", **V4)
    table = "ip filter" if kind == "iptables" else "iptables-legacy filter"
    assert named["blocked_by"] == [f"{table} FORWARD (policy drop)"]
    done = host.settles("nat", backend="iptables", aggregate=ALL)
    assert [one["blocked_by"] for one in done["results"]] == [[]] * len(ALL)
    works(host)
    assert ask(host, "internet", WEB, seconds=MOMENT) == "", "nothing else is let through"
    assert "-P FORWARD DROP" in host.run("iptables -S FORWARD").stdout
    host.settles("nat", backend="iptables", state="absent", aggregate=ALL)
    assert host.run("iptables -S").stdout.splitlines() == ["-P INPUT ACCEPT", "-P FORWARD DROP", "-P OUTPUT ACCEPT"]


@pytest.mark.needs("br_netfilter")
def test_f17_neighbours_talk_though_what_is_forwarded_is_dropped(host: Host) -> None:
    """With br_netfilter bridged packets pass FORWARD as well."""
    host.use("iptables")
    host.run("sysctl -qw net.bridge.bridge-nf-call-iptables=1 && iptables -P FORWARD DROP")
    assert ask(host, "db", WEB, seconds=MOMENT) == ""
    named = host.module("nat", type="filter", bridge="br0", backend="nftables")
    assert named["blocked_by"] == ["ip filter FORWARD (policy drop)"]
    host.settles("nat", type="filter", bridge="br0", backend="iptables")
    assert ask(host, "db", WEB) == "172.17.0.3"
    host.settles("nat", type="filter", bridge="br0", backend="iptables", icc=False)
    assert ask(host, "db", WEB, seconds=MOMENT) == ""


def test_wiring_info_lists_what_is_in_iptables(host: Host) -> None:
    host.module("nat", backend="iptables", aggregate=ALL)
    listed = host.module("wiring_info", gather=["nat"])["wiring"]["nat"]
    assert sorted((one["type"], one["backend"]) for one in listed) == [
        ("dnat", "iptables-nft"),
        ("dnat", "iptables-nft"),
        ("dnat", "iptables-nft"),
        ("filter", "iptables-nft"),
        ("masquerade", "iptables-nft"),
        ("snat", "iptables-nft"),
    ]


# What docker leaves on a host, with its chains in their order.
DOCKERS = (
    "iptables -P FORWARD DROP && iptables -N DOCKER-USER && iptables -N DOCKER-FORWARD && "
    "iptables -A DOCKER-USER -j RETURN && iptables -A FORWARD -j DOCKER-USER && iptables -A FORWARD -j DOCKER-FORWARD && "
    "iptables -A DOCKER-FORWARD -i docker0 -j ACCEPT"
)


@pytest.mark.parametrize("backend", BACKENDS, indirect=True)
@pytest.mark.parametrize("kind", ["iptables-nft", LEGACY])
def test_f1_where_docker_drops_what_is_forwarded_it_is_let_through_in_docker_user(
    host: Host, backend: str, kind: str
) -> None:
    if kind == LEGACY:
        host.use(LEGACY)
    host.run(DOCKERS)
    docker_user = "iptables -S DOCKER-USER | tail -n +2"
    before = tables(host)
    done = host.settles("nat", backend=backend, aggregate=ALL)
    assert [one["blocked_by"] for one in done["results"]] == [[]] * len(ALL)
    works(host)
    assert ask(host, "internet", WEB, seconds=MOMENT) == "", "nothing else is let through"
    drops = ["GUARD", "FENCE"] if backend == "iptables" else []
    guard = [f"-A DOCKER-USER -m comment --comment linuxnet -j LINUXNET-{name}" for name in drops]
    assert host.run(docker_user).stdout.splitlines() == [
        *guard,
        "-A DOCKER-USER -m comment --comment linuxnet -j LINUXNET-FORWARD",
        "-A DOCKER-USER -j RETURN",
    ]
    # As a restart of docker does: its calls come first again, its users' chain stays.
    host.run(
        "iptables -D FORWARD -j DOCKER-USER && iptables -I FORWARD -j DOCKER-FORWARD && iptables -I FORWARD -j DOCKER-USER"
    )
    assert host.module("nat", backend=backend, aggregate=ALL)["changed"] is False
    works(host)
    host.run("iptables -F DOCKER-USER && iptables -A DOCKER-USER -j RETURN")
    assert ask(host, "web", WORLD, seconds=MOMENT) == ""
    again = host.settles("nat", backend=backend, aggregate=ALL)
    assert again["changed"] is True
    works(host)
    host.run("iptables -D FORWARD -j DOCKER-FORWARD")
    host.settles("nat", backend=backend, state="absent", aggregate=ALL)
    assert tables(host) == before


def test_f1_what_docker_lets_through_by_itself_needs_nothing(host: Host) -> None:
    answers = " && iptables -A DOCKER-FORWARD -o br0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
    host.run(DOCKERS.replace("docker0", "br0") + answers)
    done = host.settles("nat", **V4)
    assert done["blocked_by"] == []
    assert "LINUXNET" not in host.run("iptables-save").stdout


# The rules of docker's nftables backend for a bridge on which it published nothing, and what its option bridge-accept-fwmark adds.
MOBY = """
add table ip docker-bridges
add map ip docker-bridges in-jumps { type ifname : verdict; }
add map ip docker-bridges out-jumps { type ifname : verdict; }
add chain ip docker-bridges in__br0
add chain ip docker-bridges out__br0
add chain ip docker-bridges filter-FORWARD { type filter hook forward priority filter; policy accept; }
add rule ip docker-bridges filter-FORWARD oifname vmap @in-jumps
add rule ip docker-bridges filter-FORWARD iifname vmap @out-jumps
add rule ip docker-bridges in__br0 ct state established,related accept
add rule ip docker-bridges in__br0 iifname "br0" accept
%s
add rule ip docker-bridges in__br0 counter drop comment "UNPUBLISHED PORT DROP"
add rule ip docker-bridges out__br0 ct state established,related accept
add rule ip docker-bridges out__br0 accept
add element ip docker-bridges in-jumps { "br0" : jump in__br0 }
add element ip docker-bridges out-jumps { "br0" : jump out__br0 }
"""
PORT: dict[str, Any] = {"type": "dnat", "host_port": "8080", "to_port": "80", "to_address": WEB}


def moby(host: Host, accept: str = "") -> str:
    """Put docker's rules there; return them as nft lists them, to see that they stay."""
    host.run(["nft", "-f", "-"], input=MOBY % accept)
    return host.run("nft -s list table ip docker-bridges").stdout


def test_f2_docker_s_nftables_backend_is_named_to_the_rule(host: Host) -> None:
    before = moby(host)
    done = host.settles("nat", **PORT)
    handle = re.search(r'UNPUBLISHED PORT DROP" # handle (\d+)', host.run("nft -a list ruleset").stdout)
    assert handle is not None
    assert done["blocked_by"] == [f"ip docker-bridges in__br0 (rule handle {handle[1]})"]
    assert ask(host, "internet", HOST, 8080, MOMENT) == ""
    assert host.module("nat", **V4)["blocked_by"] == [], "what leaves is not dropped"
    assert host.run("nft -s list table ip docker-bridges").stdout == before


@pytest.mark.parametrize("mark", ["meta mark 0x12", "meta mark & 0x0000ffff == 0x12"])
def test_f2_the_mark_that_docker_s_bridge_accepts_is_set(host: Host, mark: str) -> None:
    before = moby(host, f"add rule ip docker-bridges in__br0 {mark} accept")
    pristine = host.snapshot()
    done = host.settles("nat", **PORT)
    assert done["blocked_by"] == []
    assert ask(host, "internet", HOST, 8080) == WORLD
    assert ask(host, "internet", WEB, seconds=MOMENT) == "", "not for what was not published"
    host.settles("nat", **PORT, state="absent")
    assert host.run("nft -s list table ip docker-bridges").stdout == before
    assert host.snapshot() == pristine


FOREIGN = "-t nat -A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.3:80"


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        (f"iptables-nft {FOREIGN}", "ip nat PREROUTING handle 2, to 172.17.0.3:80"),
        (f"iptables-legacy {FOREIGN}", "iptables-legacy nat PREROUTING rule 1, to 172.17.0.3:80"),
        (
            "nft 'add table ip my; add chain ip my in { type nat hook prerouting priority dstnat; }; "
            "add rule ip my in ip daddr 192.0.2.2 tcp dport 8000-8100 dnat to 172.17.0.3:80'",
            "ip my in handle 2, to 172.17.0.3:80",
        ),
    ],
)
def test_f5_f6_a_port_that_a_rule_of_somebody_else_sends_on_is_refused_naming_it(
    host: Host, rule: str, named: str
) -> None:
    if "legacy" in rule:
        host.use(LEGACY)
    host.run(rule)
    port = "8000" if rule.startswith("nft ") else "8080"
    message = f"host_port: tcp port {port} is published already by a rule of somebody else ({named}); "
    host.refuses("nat", message, **PORT)
    assert host.module("nat", **{**PORT, "host_port": "8080/udp"})["changed"]
    assert host.module("nat", **PORT, shadow=True)["changed"]
    assert host.module("nat", **PORT)["changed"] is False, "what is ours by now is not asked about again"


def test_a_port_of_an_address_that_is_behind_no_bridge_passes_a_forward_chain_that_drops(host: Host) -> None:
    """It is behind a router, or on an interface of its own."""
    host.use("iptables")
    host.run(
        "iptables -P FORWARD DROP && ip netns add far && ip link add far0 type veth peer name eth0 netns far && "
        "ip link set far0 up && ip addr add 10.7.0.1/24 dev far0 && ip -n far link set eth0 up && "
        "ip -n far addr add 10.7.0.2/24 dev eth0 && ip -n far route add default via 10.7.0.1"
    )
    host.spawn(["ip", "netns", "exec", "far", sys.executable, "-c", SERVER])
    host.listens("far", 80)
    before = tables(host)
    far = {**PORT, "to_address": "10.7.0.2", "backend": "iptables"}
    assert host.settles("nat", **far)["blocked_by"] == []
    assert ask(host, "internet", HOST, 8080) == WORLD
    assert ask(host, "internet", "10.7.0.2", seconds=MOMENT) == ""
    host.settles("nat", **far, state="absent")
    assert tables(host) == before


def test_a_table_of_that_name_that_iptables_does_not_understand_is_read_as_nft_has_it(host: Host) -> None:
    """Many hosts have a table ip filter of their own: iptables-nft-save leaves sets and maps out."""
    host.run(
        ["nft", "-f", "-"],
        input="table ip filter {\n set block { type ipv4_addr; flags interval; elements = { 10.9.0.0/16 }; }\n"
        ' map ways { type ifname : verdict; elements = { "br0" : accept }; }\n'
        " chain FORWARD { type filter hook forward priority 0; policy drop; ip saddr @block drop; "
        "ct state established accept; iifname vmap @ways; }\n}\n",
    )
    before = host.run("nft list table ip filter").stdout
    for backend in BACKENDS:
        done = host.settles("nat", backend=backend, **V4)
        assert done["blocked_by"] == []
        assert ask(host, "web", WORLD) == HOST
        named = host.module("nat", check=True, source="10.7.0.0/24", out_interface="!br7", backend="nftables")
        assert named["blocked_by"] == ["ip filter FORWARD (policy drop)"]
    assert host.run("nft list table ip filter").stdout == before


PEER = "192.0.2.66"
DROPS = [f"-i up0 -s {PEER} -m conntrack --ctstate NEW -j DROP", f"-o up0 -d {PEER} -j DROP"]


def with_a_peer(host: Host) -> None:
    """Somebody outside whom the administrator keeps out."""
    host.run(f"ip -n internet addr add {PEER}/24 dev eth0")


def closed_to_the_peer(host: Host) -> None:
    """What the administrator drops stays dropped, and the rest works."""
    works(host)
    assert ask(host, "web", PEER, seconds=MOMENT) == ""
    told = host.run(
        ["ip", "netns", "exec", "internet", sys.executable, "-c",
         "import socket\n"
         f"one = socket.socket(); one.bind(('{PEER}', 0)); one.settimeout({MOMENT})\n"
         f"print(one.connect_ex(('{HOST}', 8080)) == 0)"]
    )  # fmt: skip
    assert told.stdout == "False\n"


@pytest.mark.parametrize("backend", BACKENDS, indirect=True)
@pytest.mark.parametrize("kind", ["iptables-nft", LEGACY])
def test_f1_what_the_administrator_drops_in_docker_user_stays_dropped(host: Host, backend: str, kind: str) -> None:
    if kind == LEGACY:
        host.use(LEGACY)
    host.run(DOCKERS)
    with_a_peer(host)
    host.run(" && ".join(f"iptables -I DOCKER-USER {rule}" for rule in DROPS))
    done = host.settles("nat", backend=backend, aggregate=ALL)
    assert [one["blocked_by"] for one in done["results"]] == [[]] * len(ALL)
    closed_to_the_peer(host)
    # What comes later, and what an older release called first, is put in order in one run.
    host.run(
        "iptables -D DOCKER-USER -j RETURN; iptables -D DOCKER-USER -m comment --comment linuxnet -j LINUXNET-FORWARD"
    )
    host.run("iptables -I DOCKER-USER -m comment --comment linuxnet -j LINUXNET-FORWARD")
    assert host.settles("nat", backend=backend, aggregate=ALL)["changed"]
    closed_to_the_peer(host)
    host.settles("nat", backend=backend, state="absent", aggregate=ALL)
    assert "LINUXNET" not in host.run("iptables-save").stdout


@pytest.mark.parametrize("backend", ["iptables", "auto"])
def test_f1_what_the_administrator_drops_in_forward_stays_dropped(host: Host, backend: str) -> None:
    """And the policy of FORWARD, which stands, is passed, by auto as well as by iptables."""
    with_a_peer(host)
    host.use("iptables")
    host.run(
        "iptables -P FORWARD DROP && ip6tables -P FORWARD DROP && "
        + " && ".join(f"iptables -A FORWARD {rule}" for rule in DROPS)
    )
    done = host.settles("nat", backend=backend, aggregate=ALL)
    assert [one["blocked_by"] for one in done["results"]] == [[]] * len(ALL)
    closed_to_the_peer(host)
    host.settles("nat", backend=backend, state="absent", aggregate=ALL)
    assert "LINUXNET" not in host.run("iptables-save").stdout


@pytest.mark.parametrize(
    "rules",
    [
        "iptables -N DOCKER-USER && iptables -A DOCKER-USER -j RETURN",
        "iptables -N DOCKER-USER && iptables -A FORWARD -i eth9 -j DOCKER-USER",
        "iptables -N DOCKER-USER && iptables -A FORWARD -j REJECT && iptables -A FORWARD -j DOCKER-USER",
    ],
)
def test_f12_a_users_chain_that_is_not_reached_lets_nothing_through(host: Host, rules: str) -> None:
    host.run(f"iptables -P FORWARD DROP && {rules}")
    done = host.module("nat", backend="nftables", **V4)
    assert done["blocked_by"] != []
    assert ask(host, "web", WORLD, seconds=MOMENT) == ""
