# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rule sets of somebody else, made by chance, in nft's words and in those of iptables."""

from __future__ import annotations

from random import Random

# What there is on the host: see test_foreign_rules.py.
_INTERFACES = ["front", "up0", "lo", "eth9", "fr*", "up*"]
_NETWORKS = [
    "10.1.0.0/24",
    "10.1.0.10",
    "192.0.2.0/24",
    "192.0.2.99",
    "192.0.2.66",
    "192.0.2.1",
    "10.0.0.0/8",
    "203.0.113.0/24",
]
_NETWORKS6 = ["fd00:1::/64", "fd00:1::10", "2001:db8::/64", "2001:db8::99", "2001:db8::66", "fe80::/10", "fd00::/8"]
_PORTS = ["80", "8080", "22", "1-100", "8000-9000", "1024-65535", "53"]
_STATES = ["new", "established", "related", "invalid", "untracked"]


def _some(chance: Random, of: list[str], joined: str = ", ") -> str:
    return joined.join(chance.sample(of, chance.randint(1, min(3, len(of)))))


def _nft_match(chance: Random) -> str:
    no = chance.choice(["", "", "!= "])
    ip, networks = chance.choice([("ip", _NETWORKS), ("ip", _NETWORKS), ("ip6", _NETWORKS6)])
    way, end = chance.choice(["iifname", "oifname"]), chance.choice(["saddr", "daddr"])
    protocol, port = chance.choice(["tcp", "udp"]), chance.choice(["dport", "dport", "sport"])
    one = chance.choice(networks)
    return chance.choice(
        [
            f'{way} {no}"{chance.choice(_INTERFACES)}"',
            f"{way} {no}{{ {_some(chance, [name for name in _INTERFACES if '*' not in name])} }}",
            f"{chance.choice(['iif', 'oif'])} {no}{chance.choice(['front', 'up0', 'lo'])}",
            f'iifname . oifname {{ "{chance.choice(_INTERFACES[:4])}" . "{chance.choice(_INTERFACES[:4])}", "front" . "up0" }}',
            f"{ip} {end} {no}{one}",
            f"{ip} {end} {no}@{'four' if ip == 'ip' else 'six'}",
            f"ip {end} {no}{{ {_some(chance, ['10.1.0.0/24', '192.0.2.99', '198.51.100.0/24'])} }}",
            f"ip {end} {no}10.1.0.1-10.1.0.{chance.randint(2, 99)}",
            f"{protocol} {port} {no}{chance.choice(_PORTS)}",
            f"{protocol} {port} {no}{{ {_some(chance, ['22', '80', '443', '8080-8090'])} }}",
            f"ip daddr . tcp dport {{ 10.1.0.{chance.choice([10, 11])} . {chance.choice([80, 81])}, 192.0.2.99 . 80-90 }}",
            f"meta l4proto {no}{{ {_some(chance, ['tcp', 'udp', 'icmp', 'sctp'])} }}",
            f"meta l4proto {{ tcp, udp }} th dport {no}{chance.choice(_PORTS)}",
            f"meta nfproto {chance.choice(['ipv4', 'ipv6'])}",
            f"ct state {no}{chance.choice(_STATES)}",
            f"ct state {{ {_some(chance, _STATES)} }}",
            f"ct state {_some(chance, _STATES, ',')}",
            f"ct status {chance.choice(['dnat', 'snat', 'assured'])}",
            f"ct direction {chance.choice(['original', 'reply'])}",
            f"ct mark {no}{chance.choice([0, 5])}",
            f"meta mark {no}{chance.choice([0, 5, '{ 1, 5 }'])}",
            f"meta mark and 0xff {chance.choice(['==', '!='])} {chance.choice([0, 5])}",
            f"tcp flags & (fin|syn|rst|ack) == {chance.choice(['syn', 'fin', 'syn|ack'])}",
            "limit rate 1000/second burst 1000 packets",
            "limit rate over 1000/second burst 1000 packets",
            "meta iiftype ether",
            f'meta iifkind "{chance.choice(["bridge", "veth"])}"',
            f"fib daddr type {chance.choice(['local', 'unicast'])}",
            "counter",
        ]
    )


def _nft_verdict(chance: Random, hook: str) -> str:
    verdicts = [
        "accept",
        "accept",
        "drop",
        "drop",
        "return",
        "jump other",
        "goto other",
        "meta mark set 5",
        "counter",
        "ct mark set 5",
    ]
    if hook == "forward":
        verdicts += ["reject", "reject with icmpx admin-prohibited"]
    return chance.choice(verdicts)


def _nft_rule(chance: Random, hook: str, inner: bool = False) -> str:
    if chance.random() < 0.1 and not inner:
        key, values = chance.choice(
            [
                ("ct state", "{ established : accept, new : %s, related : accept }"),
                ("iifname", '{ "front" : %s, "up0" : jump other, "lo" : accept }'),
                ("iifname . oifname", '{ "front" . "up0" : %s, "up0" . "front" : accept }'),
                ("tcp dport", "{ 80 : %s, 8080-8090 : accept }"),
                ("meta l4proto", "{ tcp : %s, udp : accept }"),
            ]
        )
        if not (hook in ("prerouting", "input") and "oifname" in key):
            return f"{key} vmap {values % chance.choice(['accept', 'drop', 'jump other', 'return'])}"
    parts = [_nft_match(chance) for _number in range(chance.choice([0, 1, 1, 2, 2, 3]))]
    if hook == "prerouting":
        parts = [part for part in parts if "oif" not in part]
    verdict = _nft_verdict(chance, hook)
    if inner and "other" in verdict:
        verdict = "return"
    return " ".join([*parts, verdict])


def nft(chance: Random) -> str:
    """A table in nft's words: one or two base chains, and a chain that they call."""
    family = chance.choice(["inet", "inet", "ip"])
    hooks = chance.sample(
        [("forward", -10), ("forward", 0), ("forward", 20), ("prerouting", -300), ("prerouting", -150), ("postrouting", 0), ("postrouting", 150)],
        chance.choice([1, 1, 2]),
    )  # fmt: skip
    lines = [
        f"table {family} stranger {{",
        "set four { type ipv4_addr; flags interval; elements = { 203.0.113.0/24, 10.1.0.10, 192.0.2.60-192.0.2.70 } }",
        "set six { type ipv6_addr; flags interval; elements = { 2001:db8:5::/48, fd00:1::10 } }",
        "chain other {",
        *(_nft_rule(chance, hooks[0][0], inner=True) for _number in range(chance.randint(0, 2))),
        "}",
    ]
    for number, (hook, priority) in enumerate(hooks):
        policy = chance.choice(["accept", "accept", "drop"]) if hook == "forward" else "accept"
        lines += [f"chain base{number} {{", f"type filter hook {hook} priority {priority}; policy {policy};"]
        if policy == "drop" and chance.random() < 0.7:
            lines.append("ct state established,related accept")
        lines += [*(_nft_rule(chance, hook) for _number in range(chance.randint(0, 4))), "}"]
    if family == "ip":
        lines = [line for line in lines if "ip6 " not in line]
    return "\n".join([*lines, "}"]) + "\n"


def _iptables_match(chance: Random, six: bool, chain: str) -> str:
    no = chance.choice(["", "", "! "])
    networks = _NETWORKS6 if six else _NETWORKS
    protocol = chance.choice(["tcp", "udp"])
    interfaces = [name.replace("*", "+") for name in _INTERFACES]
    found = [
        f"{no}{chance.choice(['-s', '-d'])} {chance.choice(networks)}",
        f"-p {protocol} {no}--dport {chance.choice(_PORTS).replace('-', ':')}",
        f"-p {protocol} {no}--sport {chance.choice(_PORTS).replace('-', ':')}",
        f"-p {protocol} -m multiport {no}--dports {chance.choice(['80,443', '22,8080:8090', '1:1000'])}",
        f"{no}-p {chance.choice(['tcp', 'udp', 'sctp'])}",
        f"-p tcp -m tcp {no}--tcp-flags FIN,SYN,RST,ACK {chance.choice(['SYN', 'FIN', 'SYN,ACK'])}",
        f"-m conntrack {no}--ctstate {_some(chance, ['NEW', 'ESTABLISHED', 'RELATED', 'INVALID', 'DNAT', 'SNAT'], ',')}",
        f"-m mark {no}--mark {chance.choice(['0x0', '0x5', '0x5/0xff'])}",
        f"-m connmark {no}--mark {chance.choice(['0x0', '0x5'])}",
        f"-m addrtype {no}--dst-type {chance.choice(['LOCAL', 'UNICAST'])}",
        "-m limit --limit 1000/sec --limit-burst 1000",
        '-m comment --comment "-j DROP"',
        f"-m pkttype --pkt-type {chance.choice(['unicast', 'broadcast'])}",
    ]
    if not six:
        found.append(
            f"-m iprange {no}{chance.choice(['--src-range', '--dst-range'])} 10.1.0.1-10.1.0.{chance.randint(2, 99)}"
        )
    if chain != "POSTROUTING":
        found += [f"{no}-i {chance.choice(interfaces)}"] * 2
    if chain != "PREROUTING":
        found += [f"{no}-o {chance.choice(interfaces)}"] * 2
    return chance.choice(found)


def _iptables_rule(chance: Random, six: bool, table: str, chain: str, calls: str) -> str:
    targets = ["ACCEPT", "ACCEPT", "DROP", "DROP", "RETURN", "LOG --log-prefix x", f"{calls}"]
    if table == "filter":
        targets += ["REJECT", "REJECT --reject-with " + ("adm-prohibited" if six else "icmp-host-prohibited")]
    if table == "mangle":
        targets += ["MARK --set-mark 5", "CONNMARK --set-mark 5"]
    parts = dict.fromkeys(_iptables_match(chance, six, chain) for _number in range(chance.choice([0, 1, 1, 2, 2])))
    options: set[str] = set()
    words: list[str] = []
    for part in parts:  # an option may be given once only
        named = {word for word in part.split() if word in ("-s", "-d", "-i", "-o", "-p")}
        if not named & options:
            options |= named
            words.append(part)
    target = chance.choice(targets)
    jump = target if target.startswith("-") else "-j " + target
    return " ".join(["-A", chain, *words, jump])


def iptables(chance: Random, six: bool) -> str:
    """A text for iptables-restore, or ip6tables-restore: one or two chains of one table, and a chain that they call."""
    table, chain = chance.choice(
        [("filter", "FORWARD")] * 3
        + [("mangle", "FORWARD"), ("mangle", "PREROUTING"), ("mangle", "POSTROUTING"), ("raw", "PREROUTING")]
    )
    policy = chance.choice(["ACCEPT", "DROP"]) if table == "filter" else "ACCEPT"
    rules = (
        ["-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"]
        if policy == "DROP" and chance.random() < 0.7
        else []
    )
    rules += [
        _iptables_rule(chance, six, table, chain, chance.choice(["-j STRANGER", "-g STRANGER"]))
        for _number in range(chance.randint(1, 4))
    ]
    rules += [
        _iptables_rule(chance, six, table, chain, "-j RETURN").replace("-A " + chain, "-A STRANGER", 1)
        for _number in range(2)
    ]
    return "\n".join([f"*{table}", f":{chain} {policy} [0:0]", ":STRANGER - [0:0]", *rules, "COMMIT", ""])
