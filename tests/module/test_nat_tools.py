# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nat where its tools refuse, do not work, or cannot read what somebody made: an item is done whole or not at all, and another backend serves."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from wires import BACKENDS, LEGACY, Host, warnings

V4: dict[str, Any] = {"source": "10.9.0.0/24", "out_interface": "!br0"}
V6: dict[str, Any] = {"source": "fd09::/64", "out_interface": "!br0"}
GUARD: dict[str, Any] = {"type": "filter", "bridge": "br0"}
PORT: dict[str, Any] = {"type": "dnat", "host_port": "8080", "to_port": "80", "to_address": "10.9.0.2"}
PORT6: dict[str, Any] = {**PORT, "to_address": "fd09::2"}
WIRING: dict[str, Any] = {
    "networks": [{"name": "br1", "subnets": ["10.8.0.0/24", "fd08::/64"]}],
    "containers": [{"name": "c1", "published_ports": ["8081:80"]}],
}


@pytest.fixture(scope="module")
def one_host(needs: Callable[..., None]) -> Iterator[Host]:
    """A host on which programs in /run/fake come before those of the machine."""
    needs("lab host", "bridge", "ip", "nft")
    with Host(env={"PATH": "/run/fake:" + os.environ["PATH"]}) as host:
        yield host


@pytest.fixture(autouse=True)
def street(host: Host, needs: Callable[..., None]) -> Iterator[None]:
    needs("nft", "nf_tables", "nf_nat")
    host.bridge("br0", "10.9.0.1/24", "fd09::1/64")
    host.container("web", "10.9.0.2/24", "fd09::2/64")
    host.run("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")  # so no item brings a fence
    yield
    works(host)


def fake(host: Host, name: str, script: str) -> None:
    """Have a program be a script from now on."""
    host.run(f"mkdir -p /run/fake; cat > /run/fake/{name}; chmod +x /run/fake/{name}", input="#!/bin/bash\n" + script)


def works(host: Host) -> None:
    """Have the programs of the machine again."""
    host.run("rm -rf /run/fake")


def rules(host: Host) -> str:
    """All rules and tables, without counts; of iptables-legacy our own."""
    listed = host.run("nft list ruleset; iptables-legacy-save; ip6tables-legacy-save").stdout
    lines = [re.sub(r"(packets|bytes) \d+", "", line) for line in listed.splitlines()]
    return "\n".join(line for line in lines if "LINUXNET" in line or not line.startswith(("#", "*", ":", "COMMIT")))


def refusing(name: str, table: str, half: bool) -> str:
    """A restore that refuses the lines of one table. ``half``: the tables before that are written."""
    real = f'/usr/sbin/{name} "$@"'
    some = f"sed '/^.{table}/,$d' <<<\"$text\" | {real}; " if half else ""
    return (
        f"case $* in *version*) exec {real};; esac\ntext=$(cat)\n"
        f"if grep -q '^.{table}' <<<\"$text\"; then {some}echo 'no {table}' >&2; exit 1; fi\nexec {real} <<<\"$text\"\n"
    )


# The program that refuses, how, and the items that fail by it.
REFUSALS = {
    "IPv6 ends with 4": ("ip6tables-%s-restore", "exit 4", [GUARD, V6, PORT6]),
    "IPv6 is killed": ("ip6tables-%s-restore", "kill -9 $$", [GUARD, V6, PORT6]),
    "IPv4 ends with 4": ("iptables-%s-restore", "exit 4", [GUARD, V4, PORT]),
    "mangle": ("iptables-%s-restore", "mangle", [V4, PORT]),
    "filter after nat": ("iptables-%s-restore", "filter", [GUARD]),
    "filter in IPv6": ("ip6tables-%s-restore", "filter", [GUARD]),
}


@pytest.mark.parametrize(
    ("what", "half"), [(what, half) for what in REFUSALS for half in (False, True) if not half or "IPv" not in what]
)
@pytest.mark.parametrize("kind", ["nft", "legacy"])
def test_an_item_that_one_family_or_table_refuses_is_taken_back_in_all(
    host: Host, kind: str, what: str, half: bool
) -> None:
    """When it is made, changed and taken away, alone and among others, which stand."""
    if kind == "legacy":
        host.use(LEGACY)
    name, how, failing = REFUSALS[what]
    name %= kind
    version = f'case $* in *version*) exec /usr/sbin/{name} "$@";; esac\n'
    script = refusing(name, how, half) if " " not in how else version + how
    everything = [GUARD, V4, V6, PORT6, PORT]
    changed = [{**GUARD, "icc": False}, {**V4, "exclude": ["10.8.0.0/16"]}, {**V6, "exclude": ["fd08::/64"]}]
    for present, tried in (
        ([], everything),
        (everything, changed),
        (everything, [{**one, "state": "absent"} for one in everything]),
    ):
        host.module("nat", backend="iptables", aggregate=[{**one, "state": "absent"} for one in everything])
        if present:
            host.module("nat", backend="iptables", aggregate=present)
        for item in tried:
            if _same(item, failing):
                before, snapshot = rules(host), host.snapshot()
                fake(host, name, script)
                failed = host.fails("nat", backend="iptables", **item)
                works(host)
                assert failed.get("changed", False) is False
                assert "Not taken back" not in failed["msg"]
                assert rules(host) == before, failed["msg"]
                assert host.snapshot() == snapshot
        fake(host, name, script)
        done = host.result("nat", backend="iptables", aggregate=tried)
        works(host)
        for item, one in zip(tried, done["results"], strict=True):
            shares = "state" in item and PORT6 in failing and item.get("to_address") == PORT["to_address"]
            if not shares:  # the note that both families have of the port goes with the last item
                assert bool(one.get("failed")) == _same(item, failing), one.get("msg")
            assert host.module("nat", backend="iptables", **item)["changed"] == bool(one.get("failed")), item


def _same(item: dict[str, Any], listed: list[dict[str, Any]]) -> bool:
    """Whether an item is about what one of others is about."""
    names = ("type", "source", "bridge", "host_port", "to_address")
    return any(all(item.get(name) == one.get(name) for name in names) for one in listed)


def test_what_cannot_be_taken_back_either_is_said(host: Host) -> None:
    script = 'case $* in *version*) exec /usr/sbin/%s "$@";; esac\n'
    fake(host, "ip6tables-nft-restore", script % "ip6tables-nft-restore" + "touch /run/late; exit 4")
    real = '[ -e /run/late ] && exit 5; exec /usr/sbin/iptables-nft-restore "$@"'
    fake(host, "iptables-nft-restore", script % "iptables-nft-restore" + real)
    said = host.fails("nat", backend="iptables", **GUARD)["msg"]
    host.run("rm /run/late")
    assert said == (
        "Could not guard bridge br0 in the host: the request failed (it ended with 4). "
        "Not taken back: the rules of iptables-nft in the host."
    )


# --- tables that iptables-nft cannot read ---

INCOMPATIBLE = (
    "add table {0}; add chain {0} theirs; add set {0} s {{ type ipv4_addr . inet_service; }}; "
    "add rule {0} theirs ct state vmap {{ new : drop }}"
)
NEEDED = {
    "ip filter": [GUARD],
    "ip nat": [V4, PORT],
    "ip mangle": [V4, PORT],
    "ip raw": [PORT],
    "ip6 filter": [GUARD],
    "ip6 nat": [V6, PORT6],
    "ip6 mangle": [V6, PORT6],
    "ip6 raw": [],
}


@pytest.mark.parametrize("table", NEEDED)
def test_a_table_that_iptables_cannot_read_is_named_before_the_first_write(host: Host, table: str) -> None:
    host.run(["nft", INCOMPATIBLE.format(table)])
    before = rules(host)
    everything = [GUARD, V4, V6, PORT, PORT6]
    said = f"backend: iptables-nft cannot read the table {table}, since somebody put into it what only nft knows; "
    for item in everything:
        if item in NEEDED[table]:
            host.refuses("nat", said, backend="iptables", **item)
            host.settles("nat", **item)
        else:
            host.settles("nat", backend="iptables", **item)
    host.module("nat", backend="iptables", state="absent", aggregate=everything)
    host.module("nat", state="absent", aggregate=everything)
    assert rules(host) == before
    fake(host, "nft", "exit 3")  # so that auto is iptables, of the other kind
    for item in NEEDED[table]:
        assert host.module("nat", **item)["after"]["backend"] == LEGACY
        assert host.module("nat", **item)["changed"] is False
        host.module("nat", state="absent", **item)
    works(host)
    assert rules(host) == before


def test_one_that_somebody_made_so_later_stops_nothing_else(host: Host) -> None:
    """What of ours is in it is told, and stays; once it can be read again it goes."""
    everything = [GUARD, V4, V6, PORT, PORT6]
    host.module("nat", backend="iptables", aggregate=everything)
    host.run(["nft", INCOMPATIBLE.format("ip nat")])
    stays = "Rules of ours in the table ip nat stay: iptables-nft can no longer read it, for somebody put into it what only nft knows."
    assert stays in warnings(host.module("wiring_info", gather=["nat"]))
    gone = host.settles("nat", state="absent", aggregate=everything)
    assert [one["changed"] for one in gone["results"]] == [True, True, True, False, True]  # of V4 what is in mangle
    assert warnings(gone) == [stays]
    host.module("wiring", networks=[], containers=[], purge=True)
    assert "LINUXNET-GUARD" not in host.run("nft list ruleset").stdout
    host.run("nft flush chain ip nat theirs; nft delete chain ip nat theirs; nft delete set ip nat s")
    host.settles("nat", state="absent", aggregate=everything)
    assert "LINUXNET" not in host.run("nft list ruleset").stdout


# --- tools that do not work ---

BROKEN = {
    "ends with 3": "exit 3",
    "prints nothing": "exit 0",
    "prints something else": "echo foo bar",
    "prints bytes": "printf '\\377\\0{[['",
}


@pytest.mark.parametrize("how", BROKEN)
def test_where_nft_does_not_work_iptables_serves(host: Host, how: str) -> None:
    host.module("nat", backend="iptables", **V6)
    host.module("wiring", firewall_backend="iptables", **WIRING)
    fake(host, "nft", BROKEN[how])
    for item in (GUARD, V4, PORT):
        said = host.fails("nat", backend="nftables", **item)["msg"]
        assert said == "The program nft does not work on this host: it does not say which version it is."
        done = host.settles("nat", **item)
        assert done["after"]["backend"] == "iptables-nft"
        assert [said.partition(" (")[0] for said in warnings(done)] == [
            "What is in nftables is left out. Could not list the nftables rule set: the request failed"
        ]
    told = host.module("wiring_info", gather=["nat"])
    assert len(told["wiring"]["nat"]) == 4 + 5
    assert len(warnings(told)) == 1
    assert host.module("wiring", networks=[], containers=[], purge=True)["changed"] is True
    assert host.module("wiring", networks=[], containers=[], purge=True)["changed"] is False
    host.module("nat", state="absent", aggregate=[GUARD, V4, V6, PORT])
    assert "LINUXNET" not in host.run("iptables-save; ip6tables-save").stdout


@pytest.mark.parametrize("how", BROKEN)
@pytest.mark.parametrize("programs", [["iptables-nft-save", "ip6tables-nft-save"], ["iptables", "ip6tables"]])
def test_where_iptables_does_not_work_nftables_serves(host: Host, programs: list[str], how: str) -> None:
    """The plain program says of which kind it is: where it does not, its own programs may do."""
    host.module("nat", backend="iptables", **V6)
    host.module("wiring", firewall_backend="nftables", **WIRING)
    plain = programs[0] == "iptables"
    for name in programs:
        fake(host, name, BROKEN[how])
    for item in (GUARD, V4, PORT):
        if not plain:
            said = host.fails("nat", backend="iptables", **item)["msg"]
            assert said.startswith("Could not list the rules of iptables-nft: the request failed (it ")
        assert host.settles("nat", **item)["after"]["backend"] == "nftables"
    told = host.module("wiring_info", gather=["nat"])
    assert len(told["wiring"]["nat"]) == 5 + (4 if plain else 3)
    assert len(warnings(told)) == (0 if plain else 1)
    assert host.module("wiring", networks=[], containers=[], purge=True)["changed"] is True
    assert host.module("wiring", networks=[], containers=[], purge=True)["changed"] is False
    host.module("nat", state="absent", aggregate=[GUARD, V4, PORT])
    assert host.run("nft list table inet linuxnet_containers", check=False).rc != 0
    works(host)
    assert host.module("nat", state="absent", **V6)["changed"] is True
    assert rules(host) == ""


# --- what is ours, in another place ---

MOVES = [
    ([{**PORT}], [{**PORT, "host_ip": "192.0.2.1"}]),
    ([{**PORT, "host_ip": "192.0.2.1"}], [{**PORT}]),
    ([{**PORT, "host_port": "8000-8009", "to_port": None}], [{**PORT, "host_port": "8005-8014", "to_port": None}]),
    (
        [{**PORT, "host_port": "8000-8009", "to_port": "80-89"}],
        [{**PORT, "host_port": "8005-8014", "to_port": "80-89"}],
    ),
    ([{**PORT, "host_port": "8000-8009", "to_port": None}], [{**PORT, "host_port": "8003", "to_port": None}]),
    ([{**PORT, "host_port": "8003", "to_port": None}], [{**PORT, "host_port": "8000-8009", "to_port": None}]),
]


@pytest.mark.parametrize("second", BACKENDS)
@pytest.mark.parametrize("first", [*BACKENDS, LEGACY])
def test_own_rules_are_known_as_such_wherever_they_are(host: Host, first: str, second: str) -> None:
    """Ports that overlap those that there are: one run does it, a second has nothing to do."""
    host.use(first)
    for before, after in MOVES:
        host.module("nat", backend=host.backend, owner="web", exclusive=True, aggregate=before)
        done = host.settles("nat", backend=second, owner="web", exclusive=True, aggregate=after)
        assert done["changed"] is True
        place = {"nftables": "nftables", "iptables": LEGACY if first == LEGACY else "iptables-nft"}[second]
        assert done["results"][0]["after"]["backend"] == place
    host.settles("nat", type="dnat", owner="web", state="absent")
    assert rules(host) == ""


# --- what else is said ---

UNHOOKED = {
    "nat POSTROUTING": [V4, PORT],
    "nat PREROUTING": [PORT],
    "filter FORWARD": [GUARD],
    "mangle FORWARD": [V4, PORT],
}


@pytest.mark.parametrize("chain", UNHOOKED)
def test_a_built_in_chain_without_its_hook_is_named(host: Host, chain: str) -> None:
    """iptables-restore would refuse it each time: "Operation not supported"."""
    host.run(f"nft 'add table ip {chain.split()[0]}; add chain ip {chain}'")
    before = rules(host)
    for item in UNHOOKED[chain]:
        said = f"backend: iptables-nft cannot read the table ip {chain.split()[0]}, since somebody put into it what only nft knows; "
        host.refuses("nat", said, backend="iptables", **item)
        host.settles("nat", **item)
        host.settles("nat", **item, state="absent")
    assert rules(host) == before


def test_a_folder_that_is_read_only_is_not_blamed_on_another(host: Host) -> None:
    host.run("sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0")
    before = rules(host)
    host.run(
        "mkdir -p /etc/sysctl.d && mount --bind /etc/sysctl.d /etc/sysctl.d && mount -o remount,bind,ro /etc/sysctl.d"
    )
    said = host.fails("nat", **V4)["msg"]
    host.run("umount /etc/sysctl.d; mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys")
    other = host.fails("nat", **V4)["msg"]
    host.run("umount /proc/sys")
    assert said == "Could not write /etc/sysctl.d/99-zz-linuxnet-containers.conf: Read-only file system."
    assert other == (
        "Could not set sysctl net.ipv4.ip_forward to '1' in the host: Read-only file system (/proc/sys is mounted so here)."
    )
    assert rules(host) == before
