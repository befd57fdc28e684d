# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts that chance has broken, one way or several, and the rule sets of strangers on them: what path_info says against what really answers.

What is said to reach answers, and what is said to be blocked does not. What cannot be told is counted and printed. ``COUNT`` is how many hosts there are,
``SEED`` another beginning of them.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "module"))

from paths import Town, ask
from rules_by_chance import iptables, nft
from wires import BACKENDS

COUNT = int(os.environ.get("PATHS_COUNT", "12"))
SEED = os.environ.get("PATHS_SEED", "paths")
# What strangers' rules are about (see rules_by_chance.py), as it is called in the town.
HERE = {
    "front": "br0",
    "up0": "eth9",
    "fr*": "br*",
    "fr+": "br+",
    "up*": "eth*",
    "up+": "eth+",
    "10.1.0.": "172.17.0.",
    "192.0.2.99": "192.0.2.7",
    "fd00:1::10": "fd00:17::2",
    "fd00:1::": "fd00:17::",
    "2001:db8::99": "2001:db8::7",
    "172.17.0.10": "172.17.0.2",
}
# What may be wrong, and how it is put right.
BROKEN = [
    ("ip link set web-eth0 down", "ip link set web-eth0 up"),
    ("ip -n web link set eth0 down", ""),
    ("ip -n web route del default", ""),
    ("ip -n web -6 route del default", ""),
    ("ip -n far route replace default via 172.18.0.99", ""),
    ("ip -n web route add blackhole 192.0.2.0/24", "ip -n web route del blackhole 192.0.2.0/24"),
    ("ip -n out route add unreachable 192.0.2.1", "ip -n out route del unreachable 192.0.2.1"),
    ("sysctl -qw net.ipv4.ip_forward=0", "sysctl -qw net.ipv4.ip_forward=1"),
    ("sysctl -qw net.ipv6.conf.all.forwarding=0", "sysctl -qw net.ipv6.conf.all.forwarding=1"),
    ("sysctl -qw net.ipv4.conf.eth9.rp_filter=1", "sysctl -qw net.ipv4.conf.eth9.rp_filter=0"),
    ("ip route add 192.0.2.7 dev br1", "ip route del 192.0.2.7"),
    ("ip rule add from 172.17.0.0/16 prohibit", "ip rule del from 172.17.0.0/16 prohibit"),
    ("ip rule add iif eth9 blackhole", "ip rule del iif eth9 blackhole"),
    ("sysctl -qw net.bridge.bridge-nf-call-iptables=0", "sysctl -qw net.bridge.bridge-nf-call-iptables=1"),
    ("bridge link set dev web-eth0 isolated on", "bridge link set dev web-eth0 isolated off"),
    ("bridge link set dev db-eth0 isolated on", "bridge link set dev db-eth0 isolated off"),
    ("bridge link set dev web-eth0 state 0", "bridge link set dev web-eth0 state 3"),
    ("ip link set web-eth0 nomaster", "ip link set web-eth0 master br0"),
    ("ip netns exec web sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1", "ip netns exec web sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0"),
    ("ip -n web address del 172.17.0.2/16 dev eth0", ""),
    ("ip address del 172.17.0.1/16 dev br0", ""),
    ("ip -n db neighbour replace 172.17.0.2 lladdr 02:00:00:00:00:99 dev eth0 nud permanent", "ip -n db neighbour del 172.17.0.2 dev eth0"),
    ("ip netns exec web sysctl -qw net.ipv4.conf.eth0.arp_ignore=8", "ip netns exec web sysctl -qw net.ipv4.conf.eth0.arp_ignore=0"),
]  # fmt: skip
# All that may be gone afterwards, in any order.
RIGHT = (
    "for ns in web db; do ip -n $ns link set eth0 up; done; ip -n web address replace 172.17.0.2/16 dev eth0; ip address replace 172.17.0.1/16 dev br0; "
    "for place in '0 br0 1' 'web eth0 2'; do set -- $place; n=; [ $1 = 0 ] || n='-n web'; ip $n address replace fd00:17::$3/64 dev $2 nodad; done; "
    "ip -n web route replace default via 172.17.0.1; ip -n web -6 route replace default via fd00:17::1; "
    "ip -n far route replace default via 172.18.0.1; for ns in web db far out; do ip -n $ns neighbour flush all; done; ip neighbour flush all"
)
QUESTIONS: list[tuple[dict[str, Any], tuple[str, str, int]]] = [
    ({"source": "out", "destination": "8080/tcp", "family": "ipv4"}, ("out", "192.0.2.1", 8080)),
    ({"source": "out", "destination": "8080/tcp", "family": "ipv6"}, ("out", "2001:db8::1", 8080)),
    ({"source": "db", "destination": "172.17.0.2", "port": 80}, ("db", "172.17.0.2", 80)),
    ({"source": "db", "destination": "172.17.0.1", "port": 8080}, ("db", "172.17.0.1", 8080)),
    ({"source": "far", "destination": "192.0.2.7", "port": 80}, ("far", "192.0.2.7", 80)),
    ({"source": "web", "destination": "192.0.2.7", "port": 80}, ("web", "192.0.2.7", 80)),
    ({"source": "web", "destination": "2001:db8::7", "port": 80}, ("web", "2001:db8::7", 80)),
    ({"source": "host", "destination": "127.0.0.1", "port": 8080}, ("", "127.0.0.1", 8080)),
    ({"source": "far", "destination": "172.17.0.2", "port": 80}, ("far", "172.17.0.2", 80)),
]


def strangers(town: Town, chance: Random) -> str:
    """Load a rule set made by chance, in the town's words; ``""`` for none, and where a tool refuses it."""
    kind = chance.choice(["", "nft", "nft", "iptables", "ip6tables"])
    if not kind:
        return ""
    text = nft(chance) if kind == "nft" else iptables(chance, kind == "ip6tables")
    for theirs, ours in HERE.items():
        text = text.replace(theirs, ours)
    if kind == "nft" and chance.random() < 0.3:
        text = text.replace("hook forward", "hook input")
    command = "nft -f -" if kind == "nft" else f"{kind}-nft-restore --noflush"
    return text if town.run(command, check=False, input=text).rc == 0 else ""


def taken_away(town: Town) -> None:
    """Take away what strangers made, and leave what is ours: tables of nft, and of iptables what is not called LINUXNET."""
    town.run(
        "nft list tables | grep -v -e linuxnet_containers -e ' ip6\\? ' | while read -r dummy family name; do nft delete table $family $name; done; "
        "nft delete table ip stranger 2>/dev/null; for ip in iptables ip6tables; do $ip -P FORWARD ACCEPT; "
        "for table in raw mangle filter nat; do $ip-save -t $table | grep '^-A' | grep -v LINUXNET | sed 's/^-A/-D/' | while read -r rule; do "
        'eval "$ip -t $table $rule"; done; $ip -t $table -X STRANGER 2>/dev/null; done; done',
        check=False,
    )


@pytest.mark.needs("lab host", "bridge", "ip", "nft", "nf_tables", "nf_nat")
def test_what_path_info_says_is_what_the_kernel_does(record_property: Callable[[str, object], None]) -> None:
    counts: Counter[str] = Counter()
    for backend in BACKENDS:
        chance = Random(f"{SEED} {backend}")
        with Town() as town:
            town.use(backend)
            town.build()
            for number in range(COUNT):
                wrong = chance.sample(BROKEN, chance.choice([0, 0, 1, 1, 2]))
                text = strangers(town, chance)
                town.run("; ".join(["true", *(do for do, undo in wrong)]), check=False)
                asked = chance.sample(QUESTIONS, 4)
                for question, call in asked:
                    found = ask(town, **question)
                    verdict = found["verdict"]
                    there = town.answers(*call, seconds=0.4 if verdict != "reaches" else 30)
                    counts[verdict] += 1
                    counts["unknown, and answers"] += verdict == "unknown" and there
                    told = "\n".join([f"{backend}, host {number}", text, *(do for do, undo in wrong), found["text"]])
                    if (
                        there and verdict == "blocked"
                    ):  # a neighbour may have told in between where it is, by a question of its own
                        verdict = ask(town, **question)["verdict"]
                    assert verdict == "unknown" or there is (verdict == "reaches"), told
                town.run("; ".join([*(undo or "true" for do, undo in wrong), RIGHT]), check=False)
                taken_away(town)
                assert town.answers("out", "192.0.2.1", 8080, 60), "it was not put right"
    told = "paths: " + ", ".join(f"{name} {number}" for name, number in sorted(counts.items()))
    print(told)
    record_property("said", told)
    assert counts["blocked"] > 10
    assert counts["reaches"] > 10
