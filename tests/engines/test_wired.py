# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command `wired` on a host that keeps its wiring, as people use it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from boots import Booted, new_disk
from lab import Result

GIVEN: dict[str, Any] = {
    "networks": [{"name": "front", "subnets": ["10.7.0.0/24", "fd00:7::/64"]}],
    "containers": [
        {"name": "web", "published_ports": ["8080:80"]},
        {"name": "db"},
        {"name": "side", "network_mode": "container:web"},
    ],
    "persist": True,
}


@dataclass
class Host:
    booted: Booted
    before: list[str]
    wired: list[str]

    def run(self, arguments: str, code: int = 0) -> Result:
        """Run the command as root types it, which must end with that exit code."""
        done = self.booted.lab.run(f"wired {arguments}", check=False)
        assert done.rc == code, done
        return done


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, needs: Callable[..., None]) -> Iterator[Host]:
    """A host that was wired by the module, and is as it was after a boot."""
    needs("systemd", "nft")
    with new_disk(tmp_path_factory.mktemp("disk") / "disk.tar").boots() as booted:
        before = booted.sees()
        booted.lab.module("wiring", **GIVEN)
        yield Host(booted, before, booted.sees())


def alike(lines: list[str]) -> list[str]:
    """What is seen of a host without the numbers of interfaces and namespaces, which are others when they are made again, and without the order of a set."""
    kept = [line for line in lines if not re.search(r"^port \S+ link | (ifindex|link_index|link_netnsid) ", line)]
    return sorted(re.sub(r"#\d+|^nft \d+\s+(elements = \{ )?|,$| \}$", "", line) for line in kept)


def test_status_says_that_all_is_as_kept(host: Host) -> None:
    lines = [line.split() for line in host.run("status").stdout.splitlines()]
    assert [line[:4] for line in lines] == [
        ["network", "front", "as", "kept"],
        ["container", "web", "as", "kept"],
        ["container", "db", "as", "kept"],
        ["container", "side", "as", "kept"],
    ]
    assert "8080->80/tcp" in lines[1]
    assert host.run("diff").stdout == ""
    assert alike(host.booted.sees()) == alike(host.wired)


def test_help_and_exit_codes(host: Host) -> None:
    text = host.run("--help").stdout
    assert all(word in text for word in ("status", "up", "down", "diff", "Exit codes: 0 "))
    assert "--json" in host.run("down --help").stdout
    assert "Container 'x' is not among those that are kept on this host." in host.run("up x", 1).stderr
    assert "usage: wired" in host.run("sideways", 2).stderr


def test_diff_shows_what_drifted_and_up_repairs_it(host: Host) -> None:
    host.booted.lab.run("ip -n db link set eth0 mtu 1300; ip -n web addr flush dev eth0 scope global")
    assert host.run("status db", 3).stdout.splitlines()[1].split()[:3] == ["container", "db", "differs"]
    shown = host.run("diff", 3).stdout.splitlines()
    assert "-eth0's mtu 1300" in shown
    assert [line for line in shown if line.startswith("+address 10.7.0.")]
    document = json.loads(host.run("status --json", 3).stdout)
    assert [document["containers"][name]["state"] for name in ("web", "db")] == ["differs", "differs"]
    assert document["containers"]["web"]["published_ports"][0]["host_port"] == "8080"
    assert "all is wired" in host.run("up").stdout
    host.run("status")
    assert alike(host.booted.sees()) == alike(host.wired)


def test_down_leaves_the_host_as_it_was_before_and_up_brings_it_back(host: Host) -> None:
    assert "all is down" in host.run("down").stdout
    assert host.booted.sees() == host.before
    assert "container  web    missing" in host.run("status", 3).stdout
    assert json.loads(host.run("up --json").stdout)["failed"] == []
    assert alike(host.booted.sees()) == alike(host.wired)
    assert host.booted.lab.module("wiring", **GIVEN)["changed"] is False


def test_one_container_goes_down_alone(host: Host) -> None:
    host.run("down db")
    states = {name: one["state"] for name, one in json.loads(host.run("status --json", 3).stdout)["containers"].items()}
    assert states == {"web": "as kept", "db": "missing", "side": "as kept"}
    assert "db" not in host.booted.lab.run("nft list ruleset; ip netns").stdout
    host.run("up db")
    assert alike(host.booted.sees()) == alike(host.wired)


@pytest.mark.parametrize("at", [3, 10, 25, 50, 75])
def test_g1_up_that_is_killed_while_it_writes_is_finished_by_the_next_one(host: Host, at: int) -> None:
    """A boot is no more than that."""
    host.run("down")
    calls = "sendto,sendmsg,mount,write"
    trace = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        f"trace={calls}",
        "-e",
        f"inject={calls}:signal=KILL:when={at}",
    ]
    assert host.booted.lab.run([*trace, "wired", "up"], check=False).rc != 0
    host.run("up")
    host.run("status")
    assert alike(host.booted.sees()) == alike(host.wired)


def test_a_person_who_watches_sees_how_it_goes_on(host: Host) -> None:
    shown = host.booted.lab.run("script -qec 'wired up' /dev/null").stdout
    assert "\r\x1b[Kveth: 2" in shown
    assert "all is wired" in shown


def test_nobody_but_root_is_told_anything(host: Host) -> None:
    done = host.booted.lab.run("setpriv --reuid=65534 --regid=65534 --clear-groups wired status", check=False)
    assert done.rc != 0
    assert "10.7.0." not in done.stdout + done.stderr
