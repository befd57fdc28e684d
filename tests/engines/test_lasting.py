# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""wiring_persist: a host that is wired by the role, loses its power, and is as it was when it has started again.

It is told as a story, once with a task a module and once with one task for all. All the time somebody outside tries to get in, from before the first
process of a boot: see boots.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from boots import Booted, new_disk
from pages import blocks
from plays import Outcome, Playbook, checked, wiring
from proofs import comes

NETWORKS = [
    {"name": "front", "subnets": ["10.7.0.0/24", "fd00:7::/64"], "ranges": ["10.7.0.2-10.7.0.29"]},
    {"name": "back", "subnets": ["10.8.0.0/24"], "internal": True, "ranges": ["10.8.0.2-10.8.0.9"], "mtu": "1400"},
]
WEB = {"name": "web", "published_ports": ["8080:80"]}
DB = {
    "name": "db",
    "networks": [{"name": "back"}, {"name": "front", "interface": "lan0"}],
    "loopback_addresses": ["10.255.0.1/32", "2001:db8:255::1"],
}
SIDE = {"name": "side", "network_mode": "container:web"}
BARE = {"name": "bare", "network_mode": "none"}
ALL = [WEB, DB, SIDE, BARE]
PROBED = [*(f"10.7.0.{n}" for n in range(2, 30)), *(f"10.8.0.{n}" for n in range(2, 10))]
KEEPING = {"networks": NETWORKS, "containers": ALL, "persist": True}
MEMBERS = ["outside", "beyond", "web", "db"]

PLAY, UNIT, LINES = blocks("docs/lasting.md")
SERVER = "import socket; s = socket.create_server(('', 80)); [c.sendall(b'hello') or c.close() for c, _ in iter(s.accept, None)]"
ASK = "import socket; print(socket.create_connection(('192.0.2.1', 8080), 5).recv(9).decode())"
UNITS = {
    # Of a user's: the page's, with a program that is here, which has begun when it is said to have.
    "shop.service": UNIT.text.replace("/usr/local/bin/shop", f'/usr/bin/python3 -c "{SERVER}"\nType=exec'),
    "store.service": "[Unit]\nRequires=wired@db.service\nAfter=wired@db.service\n[Service]\nType=exec\nNetworkNamespacePath=/run/netns/db\n"
    "ExecStart=/bin/sleep infinity\n",
    # As Debian's, but slower: who wrote rules before it has none.
    "nftables.service": "[Unit]\nDefaultDependencies=no\nWants=network-pre.target\nBefore=network-pre.target\n[Service]\nType=oneshot\n"
    "RemainAfterExit=yes\nExecStart=/bin/sh -c 'sleep 0.3; nft flush ruleset'\n",
    # An engine that looks what is there when it starts.
    "docker.service": "[Unit]\nAfter=network.target\n[Service]\nType=oneshot\nRemainAfterExit=yes\n"
    "ExecStart=/bin/sh -c 'ls /run/netns >/run/seen; cat /proc/sys/net/ipv4/ip_forward >>/run/seen'\n",
    "multi-user.target.d/boot.conf": "[Unit]\nWants=shop.service store.service nftables.service docker.service\n",
}


@dataclass
class Told:
    """What was seen in a boot."""

    wired: str = ""
    states: dict[str, str] = field(default_factory=dict)
    sees: list[str] = field(default_factory=list)
    files: str = ""
    noticed: dict[str, int] = field(default_factory=dict)
    probed: int = 0
    answer: str = ""
    engine: list[str] = field(default_factory=list)


def told(host: Booted) -> Told:
    """All that is of interest in a boot. The services listen, and are asked from outside, last of all."""
    units = ["wired.service", "wired@web.service", "wired@db.service", "shop.service", "store.service"]
    states = {unit: host.state(unit) for unit in units}
    sees = host.sees()
    answer = host.lab.run(["ip", "netns", "exec", "outside", "python3", "-c", ASK], check=False).stdout.strip()
    comes(host.lab, '[ "$(cat /run/prober)" -gt 100 ]')
    return Told(
        host.wired(),
        states,
        sees,
        host.files(),
        {name: host.noticed(name) for name in MEMBERS},
        host.probed(),
        answer,
        host.lab.run("cat /run/seen", check=False).stdout.split(),
    )


def kept(outcome: Outcome) -> list[str]:
    """What a play changed of what the host keeps."""
    return outcome.drift().get("what is kept on the host", [])


@dataclass
class Story:
    pristine: str
    runs: dict[str, Outcome]
    seen: dict[str, Told]
    files: dict[str, str]


def wired_by(host: Booted, manner: str) -> Playbook:
    return Playbook(host.lab, Path("/root/play"), one_task=manner == "one_task")


@pytest.fixture(scope="module", params=["chain", "one_task"])
def story(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, needs: Callable[..., None]
) -> Story:
    needs("systemd", "nft")
    manner = request.param
    disk = new_disk(tmp_path_factory.mktemp("disk") / "disk.tar", probed=PROBED, units=UNITS)
    runs: dict[str, Outcome] = {}
    seen: dict[str, Told] = {}
    files: dict[str, str] = {}

    def play(host: Booted, *plays: tuple[str, Any]) -> None:
        outcomes = wired_by(host, manner).run(*(one for dummy, one in plays))
        runs.update((name, outcome) for (name, dummy), outcome in zip(plays, outcomes, strict=True))

    with disk.boots() as host:
        pristine = host.files()
        play(host, ("foreseen", checked(wiring(**KEEPING))))
        files["foreseen"] = host.files()
        play(host, ("first", wiring(**KEEPING)), ("second", wiring(**KEEPING)))
        host.lab.run("systemctl start shop.service store.service")
        seen["wired"] = told(host)
    for name in ("boot", "another boot"):
        with disk.boots() as host:
            seen[name] = told(host)
            if name == "another boot":
                play(host, ("after boots", wiring(**KEEPING)))
                seen["after the role"] = told(host)
                host.lab.run(
                    "echo '# mine' >> /etc/systemd/system/wired.service; chmod 644 /var/lib/linuxnet-containers/plan.json; "
                    "rm /etc/systemd/system/wired@.service /usr/local/sbin/wired; printf x >> /var/lib/linuxnet-containers/wired.pyz; "
                    "rm -r /etc/systemd/system/multi-user.target.wants"
                )
                play(host, ("drift foreseen", checked(wiring(**KEEPING))), ("drift", wiring(**KEEPING)))
                files["repaired"] = host.files()
                more = {**KEEPING, "containers": [{"name": "more"}]}
                play(
                    host,
                    ("more", wiring(**more)),
                    ("more again", wiring(**more)),
                    ("more gone", wiring(**more, state="absent")),
                )
                files["more gone"] = host.files()
                play(host, ("others", wiring(networks=NETWORKS, containers=[{"name": "lone"}], state="absent")))
                files["others"] = host.files()
                play(host, ("not kept foreseen", checked(wiring(**{**KEEPING, "persist": False}))))
                files["not kept foreseen"] = host.files()
                play(
                    host,
                    ("not kept", wiring(**{**KEEPING, "persist": False})),
                    ("not kept again", wiring(**{**KEEPING, "persist": False})),
                )
                files["not kept"] = host.files()
                play(host, ("kept again", wiring(**KEEPING)))
                play(
                    host,
                    ("absent foreseen", checked(wiring(**KEEPING, state="absent"))),
                    ("absent", wiring(**KEEPING, state="absent")),
                )
                files["absent"] = host.files()
                play(host, ("kept to be purged", wiring(**KEEPING)), ("purged", wiring(purge=True)))
                files["purged"] = host.files()
                play(host, ("purged again", wiring(purge=True)))
                if manner == "one_task":
                    [given] = PLAY.loaded()
                    play(host, ("the page", {**given, "hosts": "localhost"}))
                    host.lab.run(f"set -e; {LINES.text}")
                    [role] = given["roles"]
                    gone = {name.removeprefix("wiring_"): value for name, value in role["vars"].items()}
                    play(host, ("the page taken down", wiring(**gone, state="absent")))
                    files["page"] = host.files()
    return Story(pristine, runs, seen, files)


def test_the_role_keeps_the_wiring_as_it_foresaw_and_a_second_run_changes_nothing(story: Story) -> None:
    first = story.runs["first"]
    assert story.files["foreseen"] == story.pristine
    assert story.runs["foreseen"].changed == first.changed
    foreseen, done = kept(story.runs["foreseen"]), kept(first)
    assert [line.split()[0] for line in foreseen] == [line.split()[0] for line in done]
    assert "+networks front, back" in done
    assert "+containers web, db, side, bare" in done
    assert foreseen == done
    assert story.runs["second"].changed == []


def test_nothing_that_is_kept_can_be_read_by_others(story: Story) -> None:
    assert "drwx------ 0 /var/lib/linuxnet-containers \n" in story.seen["wired"].files
    assert "-rw------- 0 /var/lib/linuxnet-containers/plan.json \n" in story.seen["wired"].files


@pytest.mark.parametrize("boot", ["boot", "another boot"])
def test_after_a_boot_all_is_as_it_was(story: Story, boot: str) -> None:
    """Addresses of pools, MAC addresses, names, rules, sysctls: all that a snapshot has, but for the cables, which get new addresses of their own."""
    before, after = (
        [line for line in story.seen[one].sees if ' address "' not in line or not line.startswith(CABLES)]
        for one in ("wired", boot)
    )
    assert after == before
    assert story.seen[boot].files == story.seen["wired"].files


CABLES = ("link lan", "link uplink", "[outside] link eth0", "[beyond] link eth0")


@pytest.mark.parametrize("boot", ["boot", "another boot"])
def test_services_in_containers_start_after_it_and_are_reached_from_outside(story: Story, boot: str) -> None:
    assert set(story.seen[boot].states.values()) == {"active success"}
    assert story.seen[boot].answer == "hello"


@pytest.mark.parametrize("boot", ["wired", "boot", "another boot", "after the role"])
def test_nobody_got_in_at_any_moment(story: Story, boot: str) -> None:
    """Nor through, from one network to another, though both were up before the first process of the host."""
    assert story.seen[boot].probed > 100
    assert story.seen[boot].noticed == dict.fromkeys(MEMBERS, 0)


def test_an_engine_starts_when_all_is_wired(story: Story) -> None:
    assert story.seen["boot"].engine == ["bare", "beyond", "db", "outside", "side", "web", "1"]


def test_the_boot_says_what_it_did(story: Story) -> None:
    """And once more behind docker, which may have taken rules with it."""
    [first, *again] = story.seen["boot"].wired.splitlines()
    assert first.startswith("2 networks, 4 containers: all is wired, ")
    assert all(", 0 things changed, " in line for line in again)


def test_the_role_has_nothing_to_do_then(story: Story) -> None:
    assert story.runs["after boots"].changed == []


def test_what_was_changed_by_hand_is_put_back(story: Story) -> None:
    assert story.runs["drift"].changed == story.runs["drift foreseen"].changed
    assert kept(story.runs["drift"]) == kept(story.runs["drift foreseen"])
    assert story.files["repaired"] == story.seen["another boot"].files


def test_a_run_with_other_containers_leaves_what_others_keep(story: Story) -> None:
    assert "+containers web, db, side, bare, more" in kept(story.runs["more"])
    assert story.runs["more again"].changed == []


def test_what_is_absent_is_not_kept_and_networks_of_others_are(story: Story) -> None:
    assert story.files["others"] == story.files["more gone"] == story.files["repaired"]


def test_without_it_the_wiring_stays_and_the_files_go(story: Story) -> None:
    assert story.files["not kept foreseen"] != story.files["not kept"]
    assert (
        story.runs["not kept"].changed == story.runs["not kept foreseen"].changed == ["Keep the wiring over a reboot"]
    )
    assert story.runs["not kept again"].changed == []


@pytest.mark.parametrize("end", ["absent", "purged"])
def test_nothing_is_left_of_it(story: Story, end: str) -> None:
    assert story.files[end] == story.pristine


def test_the_page_works_as_it_stands(story: Story) -> None:
    """Its unit is that of the story, its commands were typed after its play."""
    assert story.files.get("page", story.pristine) == story.pristine


def test_absent_is_foreseen(story: Story) -> None:
    assert story.runs["absent"].changed == story.runs["absent foreseen"].changed
    assert kept(story.runs["absent"]) == kept(story.runs["absent foreseen"])
    assert story.runs["purged again"].changed == []
