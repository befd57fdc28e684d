# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rule sets of strangers, made by chance and loaded: the kernel's verdict of real packets against what nat says of them.

What nat says nothing of passes, and what it names in `blocked_by` does not. What it names in `maybe_blocked_by` is counted and printed.
``COUNT`` is how many rule sets there are, ``SEED`` another beginning of them.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from lab import Lab
from proofs import comes

sys.path.insert(0, str(Path(__file__).resolve().parent))

from rules_by_chance import iptables, nft

COUNT = int(os.environ.get("FOREIGN_COUNT", "24"))
SEED = os.environ.get("FOREIGN_SEED", "strangers")
SERVER = """
import socket, threading
def tcp():
    server = socket.create_server(("::", 80), family=socket.AF_INET6, dualstack_ipv6=True)
    while True:
        peer, dummy = server.accept()
        peer.sendall(b"x"); peer.close()
def udp():
    server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    server.bind(("::", 80))
    while True:
        data, peer = server.recvfrom(9)
        server.sendto(b"x", peer)
threading.Thread(target=tcp, daemon=True).start()
udp()
"""
# Asks an address over TCP and UDP at the same time, and prints who answered.
ASK = """
import json, socket, sys, threading
answers = {}
def ask(kind, address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    one = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    one.settimeout(float(sys.argv[1]))
    try:
        one.connect((address, port))
        if kind == "udp": one.send(b"y")
        answers["%s %s" % (kind, address)] = one.recv(9) == b"x"
    except OSError:
        answers["%s %s" % (kind, address)] = False
threads = [threading.Thread(target=ask, args=(kind, address, int(sys.argv[2]))) for address in sys.argv[3:] for kind in ("tcp", "udp")]
[one.start() for one in threads]; [one.join() for one in threads]
print(json.dumps(answers))
"""
WEB = {4: "10.1.0.10", 6: "fd00:1::10"}
NETS = {4: "10.1.0.0/24", 6: "fd00:1::/64"}
HOST = {4: "192.0.2.1", 6: "2001:db8::1"}
WORLD = {4: "192.0.2.99", 6: "2001:db8::99"}
ITEMS: list[dict[str, Any]] = [
    {"source": NETS[family], "out_interface": "!front", "owner": "front"} for family in (4, 6)
]
ITEMS += [
    {"type": "dnat", "host_port": f"8080/{kind}", "to_port": "80", "to_address": WEB[family], "owner": "web"}
    for family in (4, 6)
    for kind in ("tcp", "udp")
]


def street(lab: Lab) -> None:
    """A bridge with a container, the internet behind the uplink, and ours between them."""
    lab.run(
        "ip link add front type bridge && ip link set front up && ip addr add 10.1.0.1/24 dev front && ip addr add fd00:1::1/64 dev front nodad && "
        "for name in web internet; do ip netns add $name; ip -n $name link set lo up; done && "
        "ip link add web0 master front type veth peer name eth0 netns web && ip link add up0 type veth peer name eth0 netns internet && "
        "ip link set web0 up && ip link set up0 up && ip addr add 192.0.2.1/24 dev up0 && ip addr add 2001:db8::1/64 dev up0 nodad && "
        "for name in web internet; do ip -n $name link set eth0 up; done && "
        "ip -n web addr add 10.1.0.10/24 dev eth0 && ip -n web addr add fd00:1::10/64 dev eth0 nodad && "
        "ip -n internet addr add 192.0.2.99/24 dev eth0 && ip -n internet addr add 2001:db8::99/64 dev eth0 nodad && "
        "ip -n web route add default via 10.1.0.1 && ip -n web -6 route add default via fd00:1::1 && "
        "ip route add default via 192.0.2.99 && ip -6 route add default via 2001:db8::99"
    )
    for name in ("web", "internet"):
        lab.spawn(["ip", "netns", "exec", name, sys.executable, "-c", SERVER])
        comes(
            lab,
            f"ip netns exec {name} ss -Hltn sport = 80 | grep -q . && ip netns exec {name} ss -Hlun sport = 80 | grep -q .",
        )
    lab.module("nat", backend="nftables", aggregate=ITEMS)


def answered(lab: Lab, seconds: float) -> list[list[bool]]:
    """Who answers, for each item: what leaves over TCP and UDP, and each published port."""
    out, into = (
        json.loads(
            lab.run(["ip", "netns", "exec", name, sys.executable, "-c", ASK, str(seconds), port, *to.values()]).stdout
        )
        for name, port, to in (("web", "80", WORLD), ("internet", "8080", HOST))
    )
    leaving = [[out[f"{kind} {WORLD[family]}"] for kind in ("tcp", "udp")] for family in (4, 6)]
    return leaving + [[into[f"{kind} {HOST[family]}"]] for family in (4, 6) for kind in ("tcp", "udp")]


def loaded(lab: Lab, chance: Random) -> str:
    """Load a rule set made by chance; ``""`` where a tool refuses it."""
    kind = chance.choice(["nft", "nft", "iptables", "ip6tables"])
    text = nft(chance) if kind == "nft" else iptables(chance, kind == "ip6tables")
    command = "nft -f -" if kind == "nft" else f"{kind}-nft-restore --noflush"
    return text if lab.run(command, check=False, input=text).rc == 0 else ""


def taken_away(lab: Lab) -> None:
    lab.run(
        "nft list tables | grep -v linuxnet_containers | while read -r dummy family name; do nft delete table $family $name; done"
    )


def judged(said: list[dict[str, Any]], there: list[list[bool]]) -> list[str]:
    """What nat says wrongly, item by item."""
    wrong = []
    for item, one, answers in zip(ITEMS, said, there, strict=True):
        if one["blocked_by"] and any(answers):
            wrong.append(f"{item}: {one['blocked_by']} drop it, and {answers} passes")
        if not (one["blocked_by"] or one["maybe_blocked_by"]) and not all(answers):
            wrong.append(f"{item}: nothing is in the way, and {answers} passes")
    return wrong


@pytest.mark.needs("lab host", "bridge", "ip", "nft", "nf_tables", "nf_nat")
def test_what_nat_says_of_rules_of_others_is_what_the_kernel_does(
    record_property: Callable[[str, object], None],
) -> None:
    chance = Random(SEED)
    counts = dict.fromkeys(("rule sets", "refused", "answers", "dropped", "doubts", "doubts that pass"), 0)
    with Lab() as lab:
        street(lab)
        assert all(map(all, answered(lab, 60)))
        while counts["rule sets"] < COUNT:
            text = loaded(lab, chance)
            counts["rule sets" if text else "refused"] += 1
            assert counts["refused"] <= 20 + counts["rule sets"], "the tools refuse most of them"
            if text:
                foreseen = lab.module("nat", check=True, backend="nftables", aggregate=ITEMS)
                said = foreseen["results"]
                if foreseen["changed"]:  # a mark that their rules accept: what is said holds with it
                    done = lab.module("nat", backend="nftables", aggregate=ITEMS)["results"]
                    assert [one["blocked_by"] for one in done] == [one["blocked_by"] for one in said], text
                    again = lab.module("nat", check=True, backend="nftables", aggregate=ITEMS)
                    assert not again["changed"], text
                    said = again["results"]  # of all at once: a later item may have needed it to be otherwise
                there = answered(lab, 0.4)
                wrong = judged(said, there)
                if wrong:  # or was the machine too busy?
                    there = answered(lab, 8)
                    wrong = judged(said, there)
                assert not wrong, "\n".join([text, *wrong, *foreseen["commands"]])
                for one, answers in zip(said, there, strict=True):
                    doubt = bool(one["maybe_blocked_by"]) and not one["blocked_by"]
                    counts["answers"] += 1
                    counts["dropped"] += bool(one["blocked_by"])
                    counts["doubts"] += doubt
                    counts["doubts that pass"] += doubt and all(answers)
            taken_away(lab)
            if text and foreseen["changed"]:
                lab.module("nat", backend="nftables", aggregate=ITEMS)
    told = "rules of strangers: " + ", ".join(f"{name} {number}" for name, number in counts.items())
    print(told)
    record_property("said", told)
    assert counts["dropped"] * 20 > counts["answers"], "they drop too little to say anything"
