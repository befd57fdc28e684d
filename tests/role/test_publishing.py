# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""published_ports: real exchanges from outside and from the host, changes in place, and an end without a trace.

The tests are the chapters of one story, in order.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import pytest
from lab import Lab
from plays import Playbook, checked, internet, wiring

NETWORK = {"name": "docker0", "subnets": ["172.17.0.0/16", "fd00:17::/64"]}
WEB = {
    "name": "web",
    "published_ports": ["8080:80", "127.0.0.1:8081:80", "[2001:db8::1]:8443:443", "30000-30099:30000-30099/udp"],
}
DB = {"name": "db", "published_ports": [{"target": 5432, "published": "5432", "host_ip": "192.0.2.1"}]}
SERVER = (
    "import socketserver, socket\n"
    "class Names(socketserver.BaseRequestHandler):\n"
    "    def handle(self): self.request.sendall(b'{name}')\n"
    "class Server(socketserver.ThreadingTCPServer):\n"
    "    address_family, allow_reuse_address = socket.AF_INET6, True\n"
    "Server(('::', {port}), Names).serve_forever()\n"
)


def containers(**changes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**one, **changes.get(str(one["name"]), {})} for one in (WEB, DB)]


class Story:
    """The host with an internet, before anything, and after the first run."""

    def __init__(self, lab: Lab, playbook: Playbook) -> None:
        self.lab, self.playbook = lab, playbook
        internet(lab)
        self.pristine = lab.snapshot()
        play = wiring(networks=[NETWORK], containers=containers())
        self.foreseen, self.first, self.again = playbook.run(checked(play), play, play)
        for name, port in (("web", 80), ("web", 443), ("db", 5432)):
            lab.spawn(["ip", "netns", "exec", name, sys.executable, "-c", SERVER.format(name=name, port=port)])

    def ask(self, netns: str, address: str, port: int) -> str:
        """Who answers on a port; the server may still be starting."""
        where = ["ip", "netns", "exec", netns] if netns else []
        ask = f"import socket; s = socket.create_connection(({address!r}, {port}), 1); print(s.recv(9).decode())"
        once = [*where, sys.executable, "-c", ask]
        end = time.monotonic() + 60
        while (done := self.lab.run(once, check=False)).rc != 0 and time.monotonic() < end:
            time.sleep(0.05)
        return done.stdout.strip()

    def refused(self, netns: str, address: str, port: int) -> bool:
        """Whether nobody answers."""
        where = ["ip", "netns", "exec", netns] if netns else []
        ask = f"import socket; socket.create_connection(({address!r}, {port}), 1)"
        return self.lab.run([*where, sys.executable, "-c", ask], check=False).rc != 0


@pytest.fixture(scope="module")
def story(shared_lab: Lab, playbook: Playbook) -> Story:
    return Story(shared_lab, playbook)


def test_a_second_run_changes_nothing_and_check_mode_foresaw_the_first(story: Story) -> None:
    assert story.again.changed == []
    assert story.foreseen.drift() == story.first.drift()


@pytest.mark.parametrize(
    ("netns", "address", "port", "who"),
    [
        ("internet", "192.0.2.1", 8080, "web"),
        ("internet", "2001:db8::1", 8080, "web"),
        ("internet", "2001:db8::1", 8443, "web"),
        ("internet", "192.0.2.1", 5432, "db"),
        ("", "127.0.0.1", 8080, "web"),
        ("", "127.0.0.1", 8081, "web"),
        ("", "192.0.2.1", 5432, "db"),
        ("db", "192.0.2.1", 8080, "web"),
        ("web", "192.0.2.1", 8080, "web"),
        ("web", "2001:db8::1", 8080, "web"),
    ],
)
def test_published_ports_are_reached(story: Story, netns: str, address: str, port: int, who: str) -> None:
    assert story.ask(netns, address, port) == who


def test_what_is_published_elsewhere_is_not_reached(story: Story) -> None:
    for netns, address, port in (
        ("internet", "192.0.2.1", 8081),
        ("internet", "192.0.2.1", 8443),
        ("", "127.0.0.1", 5432),
    ):
        assert story.refused(netns, address, port)


def test_wiring_result_lists_them(story: Story) -> None:
    web = story.first.wiring_result["web"]
    four, six = (one.split("/")[0] for one in web["interfaces"][0]["addresses"])
    assert [
        (one["host_ip"], one["host_port"], one["to_address"], one["to_port"], one["protocol"])
        for one in web["published_ports"]
    ] == [
        (None, "8080", four, "80", "tcp"),
        (None, "8080", six, "80", "tcp"),
        ("127.0.0.1", "8081", four, "80", "tcp"),
        ("2001:db8::1", "8443", six, "443", "tcp"),
        (None, "30000-30099", four, "30000-30099", "udp"),
        (None, "30000-30099", six, "30000-30099", "udp"),
    ]


def test_wiring_info_shows_them_behind_their_interface(story: Story) -> None:
    info = story.lab.module("wiring_info")["wiring"]
    [web] = [one for one in info["veths"] if one["owner"] == "web"]
    assert sorted(f"{one['host_port']}/{one['protocol']}" for one in web["published_ports"]) == [
        "30000-30099/udp", "30000-30099/udp", "8080/tcp", "8080/tcp", "8081/tcp", "8443/tcp",
    ]  # fmt: skip
    assert len([one for one in info["nat"] if one["type"] == "dnat"]) == 7


def test_g5_ports_follow_a_container_that_was_made_anew_and_ports_that_are_no_longer_listed_go(story: Story) -> None:
    story.lab.run("ip netns pids web | xargs -r kill; ip netns del web")
    play = wiring(networks=[NETWORK], containers=containers(web={"published_ports": ["8082:80"]}))
    foreseen, changed, again = story.playbook.run(checked(play), play, play)
    assert foreseen.drift() == changed.drift()
    assert again.changed == []
    story.lab.spawn(["ip", "netns", "exec", "web", sys.executable, "-c", SERVER.format(name="web", port=80)])
    assert story.ask("internet", "192.0.2.1", 8082) == "web"
    assert story.refused("internet", "192.0.2.1", 8080)
    assert story.ask("internet", "192.0.2.1", 5432) == "db"


def test_g4_a_container_that_is_gone_takes_its_ports_along(story: Story) -> None:
    play = wiring(networks=[NETWORK], containers=containers(web={"state": "absent"}))
    _gone, again = story.playbook.run(play, play)
    assert again.changed == []
    assert story.refused("internet", "192.0.2.1", 8082)
    assert story.ask("internet", "192.0.2.1", 5432) == "db"


def test_g3_all_of_it_goes_and_nothing_is_left(story: Story) -> None:
    story.lab.run("ip netns pids db | xargs -r kill")
    down = wiring(networks=[NETWORK], containers=containers(), state="absent")
    _gone, again = story.playbook.run(down, down)
    assert again.changed == []
    assert story.lab.snapshot() == story.pristine
