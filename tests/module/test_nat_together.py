# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nat: many runs at once on one host, while somebody else changes the rule set all the time."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
from wires import Host, eventually, together

RUNS = 20
# Changes a table of its own in all ways, as fast as it can, and says how often; its last transaction leaves one element and one rule.
FOREIGN = """
import pathlib, subprocess, sys
def nft(*lines):
    subprocess.run(["nft", "-f", "-"], input="\\n".join(lines), text=True, check=True)
nft("add table inet theirs", "add chain inet theirs c", "add set inet theirs s { type inet_service; }")
turns = 0
while not pathlib.Path("/run/enough").exists() and turns < 100000:
    nft("add rule inet theirs c tcp dport %d counter" % (turns % 999 + 1), "add element inet theirs s { %d }" % (turns % 999 + 1))
    nft("flush chain inet theirs c", "flush set inet theirs s")
    nft("delete table inet theirs", "add table inet theirs", "add chain inet theirs c", "add set inet theirs s { type inet_service; }")
    turns += 1
    pathlib.Path("/run/turns.new").write_text(str(turns))
    pathlib.Path("/run/turns.new").rename("/run/turns")
nft('add rule inet theirs c tcp dport 7 counter comment "theirs"', "add element inet theirs s { 7 }")
pathlib.Path("/run/ended").touch()
"""


@pytest.fixture(autouse=True)
def bridges(host: Host, needs: Callable[..., None]) -> None:
    needs("nft", "nf_tables", "nf_nat")
    host.bridge("br0", "172.17.0.1/16")
    host.run("rm -f /run/enough /run/ended /run/turns")


def wanted(number: int) -> list[dict[str, Any]]:
    """What the run of that number asks for, in three runs of one type each."""
    net = f"10.{number}.0.0/16"
    return [
        {
            "type": "dnat",
            "owner": f"c{number}",
            "to_address": f"172.17.0.{number + 2}",
            "bridge": "br0",
            "aggregate": [
                {"host_port": str(8000 + number), "to_port": "80"},
                {"host_port": f"{20000 + 100 * number}-{20099 + 100 * number}/udp"},
            ],
        },
        {"source": net, "out_interface": f"!br{number}", "owner": f"c{number}"},
        {"type": "filter", "bridge": f"br{number}", "owner": f"c{number}", "icc": bool(number % 2)},
    ]


def ours(host: Host) -> list[str]:
    """Our table without what the order of the runs decides: handles, the order of elements and of rules in different chains."""

    def plain(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: plain(one, key) for key, one in value.items() if key != "handle"}
        if isinstance(value, list):
            listed = [plain(one) for one in value]
            return sorted(listed, key=json.dumps) if name == "elem" else listed
        return value

    objects = json.loads(host.run("nft -j list table inet linuxnet_containers").stdout)["nftables"]
    return sorted(json.dumps(plain(one)) for one in objects)


def test_f15_twenty_runs_at_once_lose_nothing_of_each_other_s_and_of_others(host: Host) -> None:
    everything = [one for number in range(RUNS) for one in wanted(number)]
    for one in everything:
        host.module("nat", **one)
    expected, sysctls = ours(host), host.run("cat /etc/sysctl.d/*linuxnet*").stdout
    host.run(
        "nft delete table inet linuxnet_containers; rm /etc/sysctl.d/*linuxnet*; sysctl -qw net.ipv4.ip_forward=0 net.ipv4.conf.br0.route_localnet=0"
    )

    host.spawn(["bash", "-c", f'exec {sys.executable} -c "$0" >/run/foreign 2>&1', FOREIGN])
    assert eventually(lambda: host.run("test -s /run/turns", check=False).rc == 0)
    for kind in range(3):  # all of one type, then all of the next
        before = int(host.run("cat /run/turns").stdout)
        results = together(host, "nat", [wanted(number)[kind] for number in range(RUNS)])
        assert [one.get("msg") for one in results if one.get("failed")] == []
        assert all(one["changed"] for one in results)
        assert int(host.run("cat /run/turns").stdout) > before, "somebody else changed the rule set meanwhile"
    assert ours(host) == expected
    assert host.run("cat /etc/sysctl.d/*linuxnet*").stdout == sysctls
    again = together(host, "nat", [one for number in range(0, RUNS, 3) for one in wanted(number)])
    assert [(one.get("failed", False), one["changed"]) for one in again] == [(False, False)] * len(again)

    # Half of them goes while the other half is pointed elsewhere, types mixed.
    mixed = [
        dict(one, state="absent") if number % 2 else dict(one, comment="again")
        for number in range(0, 8)
        for one in wanted(number)
    ][: RUNS + 4]
    results = together(host, "nat", mixed)
    assert [one.get("msg") for one in results if one.get("failed")] == []
    left = "\n".join(ours(host))
    assert [bool(re.search(rf"linuxnet:c{number}\b", left)) for number in range(10)] == [
        number % 2 == 0 or number >= 8 for number in range(10)
    ]
    assert len(re.findall(r"\|again", left)) == 4 * 5  # of each number: two ports, source NAT with its stop, isolation

    host.run("touch /run/enough")
    assert eventually(lambda: host.run("test -e /run/ended", check=False).rc == 0), host.run("cat /run/foreign")
    assert host.run("cat /run/foreign").stdout == "", "nor did the others fail"
    theirs = host.run("nft list table inet theirs").stdout
    assert "elements = { 7 }" in theirs
    assert theirs.count('comment "theirs"') == 1


def test_f15_of_two_owners_that_want_one_port_at_once_one_has_it(host: Host) -> None:
    for number in (2, 3):
        host.container(f"c{number}", f"172.17.0.{number}/16")
    for turn in range(3):
        runs = [
            {"type": "dnat", "owner": f"c{number}", "host_port": str(8080 + turn), "to_address": f"172.17.0.{number}"}
            for number in (2, 3, 2, 3, 2, 3)
        ]
        results = together(host, "nat", runs)
        won = {run["owner"] for run, one in zip(runs, results, strict=True) if not one.get("failed")}
        assert len(won) == 1, results
        owner = won.pop()
        assert sum(one["changed"] for one in results) == 1
        said = {one["msg"] for one in results if one.get("failed")}
        assert said == {
            f"host_port: tcp port {8080 + turn} is published already by '{owner}', to 172.17.0.{owner[1:]}; "
            "remove that first, or take another port."
        }
        listed = host.run("nft list map inet linuxnet_containers publish_ip").stdout
        assert len(re.findall(rf"{8080 + turn} comment", listed)) == 1
        assert f'{8080 + turn} comment "linuxnet:{owner}|' in listed


def test_f15_a_rule_set_that_somebody_flushes_between_is_made_whole(host: Host) -> None:
    """nft flush ruleset, again and again, while runs go on: none fails, and a run after that restores all."""
    flusher = "until [ -e /run/enough ]; do nft flush ruleset; sleep 0.005; done; touch /run/ended"
    host.spawn(["bash", "-c", flusher])
    results = together(host, "nat", [one for number in range(8) for one in wanted(number)[:2]])
    host.run("touch /run/enough")
    assert eventually(lambda: host.run("test -e /run/ended", check=False).rc == 0)
    assert [one.get("msg") for one in results if one.get("failed")] == []
    for number in range(8):
        for one in wanted(number):
            host.module("nat", **one)
    assert [host.module("nat", **one)["changed"] for number in range(8) for one in wanted(number)] == [False] * 24
