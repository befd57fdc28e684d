# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nat: whatever somebody does by hand to rules of ours, the next run sees it, says so in check mode, and puts them back in that one run."""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from proofs import unchanged
from wires import BACKENDS, LEGACY, Host, warnings

TABLE, BRIDGE = "inet linuxnet_containers", "bridge linuxnet_containers"
ROUNDS = 10
# Two networks of both families, one of each type, all that a task may have.
ITEMS: list[dict[str, Any]] = [
    {
        "source": "172.17.0.0/16",
        "out_interface": "!br0",
        "owner": "br0",
        "exclude": ["10.8.0.0/16"],
        "comment": "two words",
    },
    {"source": "fd00:17::/64", "out_interface": "!br0", "owner": "br0", "type": "snat", "to_address": "2001:db8::2"},
    {"source": "172.18.0.0/16", "out_interface": "!br1", "owner": "br1"},
    {"source": "fd00:18::/64", "out_interface": "!br1", "owner": "br1"},
    {"type": "dnat", "host_port": "8080", "to_port": "80", "to_address": "172.17.0.2", "owner": "web"},
    {"type": "dnat", "host_port": "8080", "to_port": "80", "to_address": "fd00:17::2", "owner": "web"},
    {"type": "dnat", "host_port": "3000-3099/udp", "to_address": "172.17.0.2", "owner": "web", "host_ip": "172.17.0.1"},
    {"type": "filter", "bridge": "br0", "owner": "br0"},
    {"type": "filter", "bridge": "br1", "owner": "br1", "icc": False, "isolate": False},
    {"type": "filter", "bridge": "br2", "owner": "br2", "internal": True},
]
# What nftables only has.
CHECKS: list[dict[str, Any]] = [
    {
        "type": "spoof_check",
        "interface": "vethweb",
        "mac": "02:42:ac:11:00:02",
        "owner": "web",
        "addresses": ["172.17.0.2", "fd00:17::2"],
    },
    {
        "type": "spoof_check",
        "interface": "vethrouter",
        "mac": "02:42:ac:11:00:03",
        "owner": "router",
        "addresses": ["172.17.0.3", "10.9.0.0/16", "fd00:9::/64"],
        "comment": "two words",
    },
]


@pytest.fixture(autouse=True)
def street(host: Host, needs: Callable[..., None]) -> None:
    needs("nft", "nf_tables", "nf_nat", "nf_tables_bridge")
    host.bridge("br0", "172.17.0.1/16", "fd00:17::1/64")
    host.bridge("br1", "172.18.0.1/16", "fd00:18::1/64")
    host.container("web", "172.17.0.2/16", "fd00:17::2/64")


def task(host: Host) -> dict[str, Any]:
    return {"backend": host.backend, "aggregate": [*ITEMS, *(CHECKS if host.backend == "nftables" else [])]}


def notes(host: Host) -> list[str]:
    """The rules without a verdict that note what was off before, with iptables."""
    saved = host.run("iptables-save; ip6tables-save").stdout if host.backend == "iptables" else ""
    return [line for line in saved.splitlines() if "linuxnet-hairpin" in line or "linuxnet-localnet" in line]


def listing(host: Host) -> list[Any]:
    """All of ours, without handles and counts: rules in order, but for those of source NAT, which hang on nothing but themselves."""
    if host.backend == "iptables":
        return _iptables(host)
    printed = [host.run(f"nft -j list table {table}", check=False).stdout for table in (TABLE, BRIDGE)]
    chains: dict[str, list[str]] = {}
    others: list[str] = []
    for item in [item for text in printed if text for item in json.loads(text)["nftables"]]:
        ((kind, one),) = item.items()
        if kind == "rule":
            chains.setdefault(one["chain"], []).append(json.dumps(_plain(one)))
        elif kind != "metainfo":
            if one.get("name") == "localnet":  # a note of what was off before, which goes with it
                one.pop("elem", None)
            others.append(f"{kind} {json.dumps(_plain(one))}")
    for name in ("postrouting", "untranslated"):
        chains[name] = sorted(chains.get(name, []))
    return [sorted(others), chains]


def _plain(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _plain(one, key) for key, one in value.items() if key not in ("handle", "packets", "bytes")}
    if isinstance(value, list):
        listed = [_plain(one) for one in value]
        return sorted(listed, key=json.dumps) if name == "elem" else listed
    return value


def _iptables(host: Host) -> list[Any]:
    found: dict[str, list[str]] = {}
    table = ""
    for line in host.held().splitlines():
        table = line if line.startswith("*") else table
        found.setdefault(f"{table} {' '.join(line.split()[:2])}", []).append(re.sub(r"\[\d+:\d+\]", "", line))
    return sorted((name, _in_order(lines) if "LINUXNET" in name else sorted(lines)) for name, lines in found.items())


def _in_order(lines: list[str]) -> list[str]:
    """The rules of a chain in the order that matters: those of bridges, networks and ports that follow each other do the same in any."""
    groups = itertools.groupby(lines, lambda line: re.findall(r" -[jg] (?:(?!LINUXNET)\S+)?", line))
    return [line for _what, group in groups for line in sorted(group)]


NFT: dict[str, list[str]] = {
    "the last drop accepts": ["replace rule {T} closed_to handle {unpublished} counter accept comment \"linuxnet-guard-unpublished\""],
    "a rule without its counter": ["replace rule {T} closed_to handle {unpublished} drop comment \"linuxnet-guard-unpublished\""],
    "a rule that is limited": ["replace rule {T} forward handle {closed} oifname @closed limit rate 1/second jump closed_to comment \"linuxnet-guard-closed\""],
    "policy drop": ["chain {T} forward {{ policy drop; }}"],
    "policy drop of source NAT": ["chain {T} postrouting {{ policy drop; }}"],
    "policy drop of the stops": ["chain {T} untranslated {{ policy drop; }}"],
    "dormant": ["add table {T} {{ flags dormant; }}"],
    "dormant, and a chain that is gone": ["add table {T} {{ flags dormant; }}", "flush chain {T} raw", "delete chain {T} raw"],
    "dormant, and a chain of another priority": [
        "add table {T} {{ flags dormant; }}", "flush chain {T} raw", "delete chain {T} raw",
        "add chain {T} raw {{ type filter hook prerouting priority 5; }}",
    ],
    "no hook": ["flush chain {T} forward", "delete chain {T} forward", "add chain {T} forward"],
    "another priority": [
        "flush chain {T} forward", "delete chain {T} forward", "add chain {T} forward {{ type filter hook forward priority 7; }}",
    ],
    "another hook for source NAT": [
        "flush chain {T} postrouting", "delete chain {T} postrouting",
        "add chain {T} postrouting {{ type nat hook input priority 100; }}",
    ],
    "stops without a hook": ["flush chain {T} untranslated", "delete chain {T} untranslated", "add chain {T} untranslated"],
    "another type of set": ["flush chain {T} forward", "delete set {T} closed", "add set {T} closed {{ type ifname; flags interval; }}"],
    "a set for a map": [
        "flush chain {T} publish", "delete map {T} publish_ip",
        "add set {T} publish_ip {{ type inet_proto . ipv4_addr . inet_service; flags interval; }}",
    ],
    "a set that nobody looks into is gone": ["delete set {T} localnet"],
    "neighbours of nobody": ['add element {T} icc {{ "br8" . "br8", "br0" . "br1" }}'],
    "an open bridge of nobody": ['add element {T} open {{ "br8" }}'],
    "an internal bridge of nobody": ['add element {T} internal {{ "br8" }}'],
    "loops of nobody": ['add element {T} loops {{ "br8" . "br8" }}'],
    "an isolation without its owner": ['delete element {T} closed {{ "br0" }}', 'add element {T} closed {{ "br0" }}'],
    "a rule in front": ['insert rule {T} forward accept comment "linuxnet-x"'],
    "a rule of source NAT in front": ['insert rule {T} postrouting accept comment "linuxnet-x"'],
    "a rule twice": ['add rule {T} forward oifname @closed jump closed_to comment "linuxnet-guard-closed"'],
    "a rule elsewhere": ["delete rule {T} forward handle {closed}", "add chain {T} mine", 'add rule {T} mine drop comment "linuxnet-guard-closed"'],
    "a stop that accepts": ['add rule {T} untranslated accept comment "linuxnet!br0"'],
    "no source NAT": ["flush chain {T} postrouting"],
    "no stops": ["flush chain {T} untranslated"],
    "no chain of source NAT": ["flush chain {T} postrouting", "delete chain {T} postrouting"],
    "no chain of stops": ["flush chain {T} untranslated", "delete chain {T} untranslated"],
    "no rules at all": ["flush table {T}"],
    "no table": ["delete table {T}"],
    "checks: the last drop accepts": ['replace rule {B} port handle {other_protocol} counter accept comment "linuxnet-spoof-other-protocol"'],
    "checks: a rule without its counter": ['replace rule {B} from_ipv4 handle {other_source} drop comment "linuxnet-spoof-other-source"'],
    "checks: another order": [
        "delete rule {B} from_ipv6 handle {router}",
        'add rule {B} from_ipv6 icmpv6 type {{ nd-router-advert, nd-redirect }} counter drop comment "linuxnet-spoof-router"',
    ],
    "checks: what is not in a set": ['replace rule {B} from_ipv4 handle {source} iifname . ip saddr != @ipv4 accept comment "linuxnet-spoof-source"'],
    "checks: another set": ['replace rule {B} from_arp_mac handle {arp_source} iifname . arp saddr ether @macs accept comment "linuxnet-spoof-arp-source"'],
    "checks: one protocol less": [
        'replace rule {B} port handle {protocol} ether type vmap {{ ip : goto from_ipv4, ip6 : goto from_ipv6 }} comment "linuxnet-spoof-protocol"',
    ],
    "checks: one protocol more": [
        'replace rule {B} port handle {protocol} ether type vmap {{ ip : goto from_ipv4, arp : goto from_arp, ip6 : goto from_ipv6, 0x88cc : accept }} '
        'comment "linuxnet-spoof-protocol"',
    ],
    "checks: another mask": [
        'replace rule {B} port handle {group} ether daddr & ff:ff:ff:ff:ff:ff == 01:80:c2:00:00:00 counter drop comment "linuxnet-spoof-group"',
    ],
    "checks: another place in the packet": [
        'replace rule {B} advertised handle {other_target} @th,64,32 1 accept comment "linuxnet-spoof-other-target"',
    ],
    "checks: another message": ['replace rule {B} from_ipv6_own handle {icmpv6} icmpv6 type != 135 accept comment "linuxnet-spoof-icmpv6"'],
    "checks: another protocol of messages": ['replace rule {B} from_ipv6_own handle {payload} meta l4proto != 17 accept comment "linuxnet-spoof-payload"'],
    "checks: policy drop": ["chain {B} incoming {{ policy drop; }}"],
    "checks: dormant": ["add table {B} {{ flags dormant; }}"],
    "checks: dormant, and a chain that is gone": ["add table {B} {{ flags dormant; }}", "flush chain {B} taken", "delete chain {B} taken"],
    "checks: both tables dormant": ["add table {B} {{ flags dormant; }}", "add table {T} {{ flags dormant; }}", "flush set {B} macs"],
    "checks: no hook": ["flush chain {B} incoming", "delete chain {B} incoming", "add chain {B} incoming"],
    "checks: another hook": [
        "flush chain {B} incoming", "delete chain {B} incoming", "add chain {B} incoming {{ type filter hook forward priority -300; }}",
    ],
    "checks: another priority": [
        "flush chain {B} taken", "delete chain {B} taken", "add chain {B} taken {{ type filter hook input priority 7; }}",
    ],
    "checks: another type of set": [
        "flush chain {B} from_ipv4", "flush chain {B} from_arp_mac", "delete set {B} ipv4", "add set {B} ipv4 {{ type ifname . ipv4_addr; }}",
    ],
    "checks: a set with something in it that is no address of ours": [
        "flush chain {B} from_ipv6", "delete set {B} ipv6", "add set {B} ipv6 {{ type ifname . ipv4_addr; }}",
        'add element {B} ipv6 {{ "vethweb" . 10.0.0.9 }}',
    ],
    "checks: addresses for numbers": [
        "flush chain {B} advertised", "delete set {B} targets", "add set {B} targets {{ type ifname . ipv6_addr; flags interval; }}",
    ],
    "checks: a range": ['add element {B} ipv4 {{ "vethweb" . 172.17.0.5-172.17.0.9 }}'],
    "checks: a network more": ['add element {B} ipv6 {{ "vethweb" . fd00:18::/64 }}'],
    "checks: an element without its owner": ['delete element {B} checked {{ "vethweb" }}', 'add element {B} checked {{ "vethweb" }}'],
    "checks: nothing is checked": ["flush set {B} checked"],
    "checks: a set that is empty": ["flush set {B} targets"],
    "checks: a rule in front": ['insert rule {B} port accept comment "linuxnet-x"'],
    "checks: a rule twice": ['add rule {B} incoming iifname @checked jump port comment "linuxnet-spoof-checked"'],
    "checks: no rules at all": ["flush table {B}"],
    "checks: no table": ["delete table {B}"],
}  # fmt: skip
CALL = "-m comment --comment linuxnet"
IPTABLES = {
    "no source NAT": "{ip} -t nat -F LINUXNET-POSTROUTING",
    "no stops": "{ip} -t mangle -F LINUXNET-UNTRANSLATED",
    "no chain of stops": "{ip} -t mangle -F LINUXNET-UNTRANSLATED; {ip} -t mangle -F POSTROUTING; {ip} -t mangle -X LINUXNET-UNTRANSLATED",
    "a stop that returns": "{ip} -t mangle -I LINUXNET-UNTRANSLATED 1 -m comment --comment linuxnet:br0 -j RETURN",
    "what a stop leaves alone": "{ip} -t mangle -I {hash} -j RETURN",
    "stops are not called": f"{{ip}} -t mangle -D POSTROUTING {CALL} -j LINUXNET-UNTRANSLATED",
    "stops are called twice": f"{{ip}} -t mangle -A POSTROUTING {CALL} -j LINUXNET-UNTRANSLATED",
    "stops are called elsewhere": f"{{ip}} -t mangle -A INPUT {CALL} -j LINUXNET-UNTRANSLATED",
    "the guard is called elsewhere": f"{{ip}} -D FORWARD {CALL} -j LINUXNET-GUARD; {{ip}} -A INPUT {CALL} -j LINUXNET-GUARD",
    "the guard is called twice": f"{{ip}} -A FORWARD {CALL} -j LINUXNET-GUARD",
    "the last drop accepts": f"{{ip}} -R LINUXNET-CLOSED 2 {CALL} -j ACCEPT",
    "another order": f"{{ip}} -D LINUXNET-CLOSED {CALL} -j DROP; {{ip}} -I LINUXNET-CLOSED {CALL} -j DROP",
    "a rule in front": f"{{ip}} -I LINUXNET-GUARD {CALL} -j ACCEPT",
    "no guard": "{ip} -F LINUXNET-GUARD",
    "all flushed": "for table in raw mangle nat filter; do {ip} -t $table -F; done",
    "all gone": "for table in raw mangle nat filter; do {ip} -t $table -F; {ip} -t $table -X; done",
}


def put_back(host: Host, before: list[Any]) -> dict[str, Any]:
    """One run: it was foreseen, all is as it was, and a second run finds nothing."""
    assert listing(host) != before
    done = host.settles("nat", **task(host))
    assert any(one["changed"] for one in done["results"])
    now = listing(host)
    assert now == before
    return done


def handles(host: Host) -> dict[str, int]:
    """The handles of the rules of isolation and of checks, by name."""
    objects = json.loads(host.run("nft -j -a list ruleset").stdout)["nftables"]
    rules = [item["rule"] for item in objects if "rule" in item]
    found = [(re.match("linuxnet-(guard|spoof)-(.+)", rule["comment"]), rule["handle"]) for rule in rules]
    return {match[2].replace("-", "_"): handle for match, handle in found if match}


@pytest.mark.parametrize("edit", NFT)
def test_f13_what_somebody_did_to_our_table_is_put_back_in_one_run(host: Host, edit: str) -> None:
    host.module("nat", **task(host))
    before, known = listing(host), handles(host)
    for line in NFT[edit]:
        host.run(["nft", line.format(T=TABLE, B=BRIDGE, **known)])
    done = host.settles("nat", **task(host))
    assert any(one["changed"] for one in done["results"])
    if edit == "a rule elsewhere":  # a chain of somebody's stays
        host.run(f"nft delete chain {TABLE} mine")
    assert listing(host) == before


@pytest.mark.parametrize("kind", ["iptables", LEGACY])
@pytest.mark.parametrize("edit", IPTABLES)
def test_f13_what_somebody_did_to_our_chains_is_put_back_in_one_run(host: Host, edit: str, kind: str) -> None:
    host.use(kind)
    host.module("nat", **task(host))
    before = listing(host)
    name = re.search(r"LINUXNET-[0-9A-F]{12}", host.run("iptables -t mangle -S LINUXNET-UNTRANSLATED").stdout)
    assert name
    for program in ("iptables", "ip6tables") if "{hash}" not in IPTABLES[edit] else ("iptables",):
        host.run(IPTABLES[edit].replace("{ip}", program).replace("{hash}", name[0]))
        put_back(host, before)


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_a_release_without_stops_wrote_gets_them_in_one_run(host: Host, backend: str) -> None:
    """Its tables are these without the chains of the stops."""
    host.use(backend)
    host.module("nat", **task(host))
    before = listing(host)
    if backend == "nftables":
        host.run(f"nft flush chain {TABLE} untranslated; nft delete chain {TABLE} untranslated")
    else:
        for ip in ("iptables", "ip6tables"):
            host.run(
                f"{ip} -t mangle -F POSTROUTING; for chain in $({ip} -t mangle -S | sed -n 's/-N \\(LINUXNET-[0-9AU].*\\)/\\1/p'); "
                f"do {ip} -t mangle -F $chain; done; "
                f"for chain in $({ip} -t mangle -S | sed -n 's/-N \\(LINUXNET-[0-9AU].*\\)/\\1/p'); do {ip} -t mangle -X $chain; done",
                check=False,
            )
    done = put_back(host, before)
    assert [one["changed"] for one in done["results"][:4]] == [True] * 4
    assert not any(one["changed"] for one in done["results"][4:])


def test_somebody_s_rules_stay_at_whatever_place_and_are_told(host: Host) -> None:
    host.module("nat", **task(host))
    host.run(
        [
            "nft",
            f'insert rule {TABLE} forward ip saddr 198.51.100.7 counter accept comment "mine"; add rule {TABLE} closed_to accept',
        ]
    )
    said = unchanged(host, "nat", **task(host))
    assert "are some without the mark of this collection" in warnings(said)[0]
    host.run(["nft", f"chain {TABLE} forward {{ policy drop; }}"])
    host.settles("nat", **task(host))
    assert host.run(f"nft list chain {TABLE} forward").stdout.count('comment "mine"') == 1
    # Where the chain has to be made anew they come again, behind ours.
    host.run(
        [
            "nft",
            f'flush chain {TABLE} forward; delete chain {TABLE} forward; add chain {TABLE} forward; add rule {TABLE} forward iifname "x" drop comment "mine"',
        ]
    )
    host.settles("nat", **task(host))
    lines = [line.strip() for line in host.run(f"nft list chain {TABLE} forward").stdout.splitlines()]
    assert lines[-3] == 'iifname "x" drop comment "mine"', lines
    assert "type filter hook forward priority filter; policy accept;" in lines[2:3][0]


class Hand:
    """Somebody who does things to our rules by chance."""

    def __init__(self, host: Host, seed: int) -> None:
        self.host, self.chance = host, random.Random(seed)

    def nft(self) -> str:
        chains = self._objects("chains", "chain")
        rules = [
            rule for one in chains for rule in self._objects("chain {family} {table} {name}".format(**one), "rule")
        ]
        sets = [(kind, one) for kind in ("set", "map") for one in self._objects(f"{kind}s", kind)]
        if not rules:
            return "true"
        rule, chain, (what, held) = self.chance.choice(rules), self.chance.choice(chains), self.chance.choice(sets)
        note = held["name"] == "localnet" or held["name"].startswith("spared")
        place = f"{rule['family']} {rule['table']} {rule['chain']}"
        home, store, table = (f"{one['family']} {one['table']}" for one in (chain, held, self.chance.choice(chains)))
        ports = {check["interface"]: check["addresses"][0] for check in CHECKS}
        port = self.chance.choice(list(ports))
        verdict = self.chance.choice(["accept", "drop", "counter", "return"])
        policy = self.chance.choice(["accept", "drop"])
        return self.chance.choice(
            [
                f"nft delete rule {place} handle {rule['handle']}",
                f"nft 'replace rule {place} handle {rule['handle']} {verdict} comment \"{rule.get('comment', '')}\"'",
                f"nft 'add rule {place} {verdict} comment \"{rule.get('comment', '')}\"; delete rule {place} handle {rule['handle']}'",
                f"nft 'insert rule {place} {verdict} comment \"linuxnet-{verdict}\"'",
                f"nft flush chain {home} {chain['name']}",
                f"nft 'chain {home} {chain['name']} {{ policy {policy}; }}'" if "hook" in chain else "true",
                f"nft flush {what} {store} {held['name']}" if not note else "true",
                f"nft 'add element {TABLE} open {{ \"b{self.chance.randrange(9)}\" }}'",
                f"nft 'add element {TABLE} internal {{ \"br{self.chance.randrange(3)}\" }}'",
                f'nft \'add element {TABLE} icc {{ "br{self.chance.randrange(3)}" . "br{self.chance.randrange(3)}" }}\'',
                f"nft 'add element {BRIDGE} ipv4 {{ \"{port}\" . 192.0.2.{self.chance.randrange(9)} }}'",
                f"nft 'delete element {BRIDGE} ipv4 {{ \"{port}\" . {ports[port]} }}'",
                f"nft 'add table {table} {{ flags dormant; }}'",
                f"nft 'flush chain {home} {chain['name']}; delete chain {home} {chain['name']}'",
            ]
        )

    def _objects(self, words: str, kind: str) -> list[dict[str, Any]]:
        """What nft lists, without tables: nft 1.0.6 ends in the midst of one that is dormant."""
        listed = json.loads(self.host.run(f"nft -j -a list {words}").stdout)["nftables"]
        return [item[kind] for item in listed if kind in item]

    def iptables(self) -> str:
        ip, table = (
            self.chance.choice(["iptables", "ip6tables"]),
            self.chance.choice(["raw", "mangle", "nat", "filter"]),
        )
        saved = self.host.run(f"{ip}-save -t {table}").stdout.splitlines()
        rules = [line.split(" ", 2) for line in saved if line.startswith("-A ") and "linuxnet" in line]
        chains = [line.split()[0][1:] for line in saved if line.startswith(":LINUXNET")]
        if not rules:
            return "true"
        _word, chain, words = self.chance.choice(rules)
        where = f"{ip} -t {table}"
        verdict = self.chance.choice(["RETURN", "ACCEPT", "DROP" if table != "nat" else "ACCEPT"])
        return self.chance.choice(
            [
                f"{where} -D {chain} {words}",
                f"{where} -A {chain} {words}",
                f"{where} -D {chain} {words}; {where} -A {chain} {words}",
                f"{where} -I {self.chance.choice(chains)} -m comment --comment linuxnet -j {verdict}",
                f"{where} -F {self.chance.choice(chains)}",
            ]
        )


@pytest.mark.parametrize("seed", range(ROUNDS))
@pytest.mark.parametrize("backend", BACKENDS)
def test_whatever_somebody_does_is_put_back_in_one_run(host: Host, backend: str, seed: int) -> None:
    host.use(backend)
    # Without a fence: who is in it, or is spared, is known from its rules only.
    host.run("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
    host.module("nat", **task(host))
    before = listing(host)
    hand = Hand(host, seed)
    for turn in range(4):
        done, noted = [], notes(host)
        for _some in range(1 + hand.chance.randrange(3)):
            done.append(hand.nft() if backend == "nftables" else hand.iptables())
            host.run(done[-1], check=False)
        same, told = listing(host) == before, notes(host) == noted
        run = host.settles("nat", **task(host))
        if told or not same:  # a note that one family lacks is put back, one that both lack is not
            assert any(one["changed"] for one in run["results"]) is not same, (turn, done)
        assert listing(host) == before, (turn, done)


# What somebody puts among our rules in each backend, and what of it is looked for.
AMONG: dict[str, list[str]] = {
    "nftables": [
        f"nft 'insert rule {TABLE} forward ip saddr 198.51.100.7 counter accept comment \"mine\"'",
        f"nft 'add rule {TABLE} closed_to tcp dport 22 limit rate 1/second accept'",
        f"nft 'add chain {TABLE} mine; add rule {TABLE} mine drop; insert rule {TABLE} raw jump mine'",
        f"nft 'add element {TABLE} publish_ip_port {{ tcp . 0.0.0.0/0 . 2222 : 172.17.0.9 . 22 }}'",
        f"nft 'add element {TABLE} closed {{ \"br9\" }}'",
        f"nft 'insert rule {BRIDGE} incoming ether type 0x88cc accept'",
        f"nft 'add element {BRIDGE} checked {{ \"vethx\" }}'",
        f"nft 'add element {BRIDGE} apart {{ \"vethy\" }}'",
    ],
    "iptables": [
        "iptables -A LINUXNET-GUARD -s 198.51.100.7 -j ACCEPT",
        "iptables -t nat -A LINUXNET-POSTROUTING -s 10.9.9.0/24 -j MASQUERADE",
        "ip6tables -A LINUXNET-CLOSED -p tcp --dport 22 -j ACCEPT",
    ],
}
AMONG[LEGACY] = AMONG["iptables"]
SAID = {
    "nftables": [
        "chain forward: ip saddr 198.51.100.7 counter accept comment \"mine\", which 'nft delete rule inet linuxnet_containers forward handle ",
        "chain closed_to: something that we never write, which 'nft delete rule inet linuxnet_containers closed_to handle ",
        "chain mine: drop, which 'nft delete rule inet linuxnet_containers mine handle ",
        "chain mine: it is none of ours, which 'nft delete chain inet linuxnet_containers mine' removes",
        "chain raw: jump mine, which 'nft delete rule inet linuxnet_containers raw handle ",
        "map publish_ip_port: tcp . 0.0.0.0/0 . 2222 : 172.17.0.9 . 22, which 'nft delete element inet linuxnet_containers publish_ip_port ",
        "set closed: \"br9\", which 'nft delete element inet linuxnet_containers closed { \"br9\" }' removes",
        "chain incoming: ",
        "set checked: \"vethx\", which 'nft delete element bridge linuxnet_containers checked { \"vethx\" }' removes",
        "set apart: \"vethy\", which 'nft delete element bridge linuxnet_containers apart { \"vethy\" }' removes",
    ],
    "iptables": [
        "chain LINUXNET-GUARD of filter: -s 198.51.100.7/32 -j ACCEPT, which 'iptables-",
        "chain LINUXNET-POSTROUTING of nat: -s 10.9.9.0/24 -j MASQUERADE, which 'iptables-",
        "chain LINUXNET-CLOSED of filter: -p tcp -m tcp --dport 22 -j ACCEPT, which 'ip6tables-",
    ],
}  # fmt: skip
SAID[LEGACY] = SAID["iptables"]


def put_among(host: Host, backend: str) -> list[Any]:
    """Have ours there, and put something among it. Returns the listing without that."""
    host.use(backend)
    host.module("nat", **task(host))
    before = listing(host)
    for command in AMONG[backend]:
        host.run(command)
    return before


@pytest.mark.parametrize("backend", [*BACKENDS, LEGACY])
def test_what_people_put_among_ours_stays_and_is_told_until_a_run_takes_it_back(host: Host, backend: str) -> None:
    before = put_among(host, backend)
    theirs = listing(host)
    (said,) = [one for one in warnings(unchanged(host, "nat", **task(host))) if "without the mark" in one]
    assert [one for one in SAID[backend] if one not in said] == [], said
    assert listing(host) == theirs

    exclusive = {"type": "dnat", "owner": "nobody-s", "state": "absent", "by_hand": "remove", "backend": host.backend}
    done = host.settles("nat", **exclusive)
    assert listing(host) == before
    told = done["before"]["by_hand"]
    assert [one for one in SAID[backend] if not any(one in text for text in told)] == []
    assert not [one for one in warnings(done) if "without the mark" in one]


@pytest.mark.parametrize("backend", [*BACKENDS, LEGACY])
def test_the_commands_take_the_same_back_and_exclusive_says_so_as_well(host: Host, backend: str) -> None:
    before = put_among(host, backend)
    items = [dict(item, exclusive=True) if item.get("source") else item for item in task(host)["aggregate"]]
    whole = {**task(host), "aggregate": items}
    foreseen = host.module("nat", check=True, **whole)
    assert [one["changed"] for one in foreseen["results"]] == [True, *([False] * (len(items) - 1))]
    for line in foreseen["results"][0]["commands"]:
        host.run(line)
    assert listing(host) == before
    for command in AMONG[backend]:
        host.run(command)
    done = host.settles("nat", **whole)
    assert "by_hand" in done["results"][0]["before"]
    assert listing(host) == before


@pytest.mark.parametrize("backend", [*BACKENDS, LEGACY])
def test_where_nothing_of_ours_is_left_but_what_people_put_there_all_goes_with_it(host: Host, backend: str) -> None:
    host.use(backend)
    start = listing(host)
    host.module("nat", **task(host))
    for command in AMONG[backend]:
        host.run(command)
    known = {"type", "source", "host_port", "to_address", "host_ip", "bridge", "interface", "owner"}
    items = [{name: item[name] for name in item if name in known} for item in task(host)["aggregate"]]
    for item in items:
        if "source" in item:
            item.update(type="masquerade", to_address=None)
    host.settles("nat", aggregate=items, state="absent", backend=host.backend)
    assert listing(host) != start
    host.settles("nat", state="absent", owner="br0", exclusive=True, backend=host.backend)
    left = listing(host)
    assert left == start or (backend == LEGACY and "LINUXNET" not in str(left))  # whose tables are the kernel's
