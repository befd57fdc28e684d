# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An engine starts a container again and again: each time it is wired as it was, and what is left of it goes when it ends. A story for each engine."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import pytest
import restarted
from boots import UNITS
from engines import Engine, engine_host
from proofs import comes
from restarted import AGAIN, KINDS, NAME, OUTSIDE

TIMES = 20
BEFORE = 5  # restarts without it, for the table
FILES = "/etc/systemd/system /etc/sysctl.d /usr/local/sbin /usr/share/containers /usr/share/lxc /var/lib/linuxnet-containers"
FIRST_SEES = ("podman", "lxc", "systemd")  # the others say when a container has started


@dataclass
class Story:
    """What was seen with an engine."""

    engine: Engine
    kind: str
    pristine: str
    given: dict[str, Any]
    wired: list[str] = field(default_factory=list)
    alike: list[list[str]] = field(default_factory=list)
    firsts: list[str] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)


def files(lab: Any) -> str:
    """The files that a host keeps its wiring by, and all others of these folders."""
    shown = f"find {FILES} -printf '%M %p %l\\n' | sort; find {FILES} -type f | sort | xargs -d '\\n' sha256sum"
    return str(lab.run(shown, check=False).stdout)


def answers(story: Story, began: float) -> float:
    """Wait until it answers from outside. Returns how long after a moment."""
    return restarted.asked(story.engine.lab) - began


@pytest.fixture(scope="module", params=list(KINDS))
def story(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, needs: Callable[..., None]
) -> Iterator[Story]:
    kind = request.param
    needs("systemd", "nft", "machined" if kind == "nspawn" else kind)
    disk = tmp_path_factory.mktemp("disk") / "disk.tar"
    disk.write_bytes(b"")
    with engine_host(systemd=True, disk=disk) as lab:
        for name in ("multi-user.target", "timers.target"):
            lab.run(f"cat > /etc/systemd/system/{name}", input=UNITS["multi-user.target"])
        nft = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/nft flush ruleset\nExecReload=/bin/nft flush ruleset\n"
        lab.run("cat > /etc/systemd/system/nftables.service", input=nft.replace("/bin/nft", "/usr/sbin/nft"))
        lab.run(OUTSIDE)
        with KINDS[kind](lab) as engine:
            engine.start(NAME, command=restarted.command(engine))
            restarted.elsewhere(engine)
            restarted.journal(lab)
            networks = [{"name": "front", "subnets": ["10.7.0.0/24", "fd00:7::/64"]}]
            container = {"name": NAME, "engine": kind, "published_ports": [f"{restarted.PORT}:80"]}
            given: dict[str, Any] = {"networks": networks, "containers": [container]}
            found = Story(engine, kind, files(lab), given)
            for _try in range(BEFORE):
                began = time.time()
                engine.restart(NAME)
                found.bare.append(time.time() - began)
            restarted.module(engine, persist=True, **given)
            restarted.asked(lab)
            found.wired = restarted.settled(engine)
            yield found


def test_the_role_has_nothing_to_do_again(story: Story) -> None:
    assert restarted.module(story.engine, persist=True, **story.given)["changed"] is False


def test_each_time_it_is_wired_as_it_was(story: Story) -> None:
    """The same addresses, MAC addresses, names, rules and files, and nothing besides."""
    for _try in range(TIMES):
        began = time.time()
        story.engine.restart(NAME)
        story.took.append(time.time() - began)
        story.gaps.append(answers(story, began))
        story.firsts.append(restarted.first(story.engine))
    assert restarted.settled(story.engine) == story.wired
    assert restarted.status(story.engine) == {"front": "as kept", NAME: "as kept"}
    assert restarted.module(story.engine, persist=True, **story.given)["changed"] is False


def test_its_first_program_sees_its_address(story: Story) -> None:
    """Where the engine waits for us; the table says how long it takes with the others."""
    assert len(story.firsts) == TIMES
    seen = sum("10.7.0." in one for one in story.firsts)
    print(
        f"\nmeasured: {story.engine.version():24} {TIMES} restarts: answers after {median(story.gaps):.2f} s (slowest {max(story.gaps):.2f}), "
        f"restarted in {median(story.took):.2f} s, without wired in {median(story.bare):.2f} s; the first program saw eth0 {seen} times"
    )
    if story.kind in FIRST_SEES:
        assert seen == TIMES


def test_the_journal_says_what_was_done(story: Story) -> None:
    lines = restarted.logged(story.engine.lab)
    done = [line for line in lines if ": all is wired, " in line]
    assert not [line for line in lines if "not all" in line]
    assert len(done) >= TIMES


def test_when_it_ends_nothing_is_left_of_it(story: Story) -> None:
    lab = story.engine.lab
    story.engine.stop(NAME)
    comes(lab, f"! ls /run/netns/{NAME} 2>/dev/null && ! nft list ruleset | grep -q {restarted.PORT}")
    assert restarted.status(story.engine) == {"front": "as kept", NAME: "not running"}
    assert story.engine.run(["wired", "up"]).stdout.startswith(
        "1 network, 1 container (1 not running): all is wired, 0 "
    )
    assert not [link for link in lab.ip("link") if link.get("master") == "front"]
    story.engine.run(["bash", "-c", AGAIN[story.kind]])
    restarted.asked(lab)
    assert restarted.settled(story.engine) == story.wired


def test_runs_that_are_under_way_are_in_nobody_s_way(story: Story) -> None:
    """A run has the host locked and asks the engine, which does not answer before its hook has ended, which waits for the lock."""
    lab = story.engine.lab
    environment = "".join(f"{name}={value} " for name, value in story.engine.environment.items())
    running = lab.spawn(["bash", "-c", f"export {environment or 'A=1'}; while :; do wired up >/dev/null 2>&1; done"])
    for _try in range(BEFORE):
        began = time.time()
        story.engine.restart(NAME)
        restarted.asked(lab)
        assert time.time() - began < 30, "it waited for who waited for it"
    lab.kill(running)
    assert restarted.settled(story.engine) == story.wired


def test_rules_that_somebody_flushes_when_he_starts_come_back(story: Story) -> None:
    """Somebody whose unit is called as firewalls are."""
    lab = story.engine.lab
    for verb in ("start", "restart", "reload"):
        lab.run(["systemctl", verb, "nftables.service"])
        restarted.asked(lab)
    assert restarted.settled(story.engine) == story.wired


def test_drift_is_told_and_repaired(story: Story) -> None:
    lab = story.engine.lab
    restarted.module(story.engine, persist=True, drift="tell", **story.given)
    assert lab.run("systemctl is-active wired-drift.timer").stdout == "active\n"
    assert lab.run("systemctl start wired-drift.service", check=False).rc == 0
    lab.run("nft flush ruleset")
    assert lab.run("systemctl start wired-drift.service", check=False).rc == 1
    assert "filter front:" in lab.run("journalctl --sync; journalctl --no-pager -o cat -u wired-drift.service").stdout
    restarted.module(story.engine, persist=True, drift="repair", **story.given)
    lab.run("nft flush ruleset; systemctl start wired-drift.service")
    restarted.asked(lab)
    restarted.module(story.engine, persist=True, **story.given)
    assert lab.run("systemctl is-active wired-drift.timer", check=False).stdout == "inactive\n"
    assert restarted.settled(story.engine) == story.wired


def test_a_container_of_somebody_starts_as_ever(story: Story) -> None:
    story.engine.start("theirs", command=("sleep", "1000"))
    shown = story.engine.lab.run(f"nsenter --target={story.engine.pid('theirs')} --net ip -j link").stdout
    links = json.loads(shown)
    assert [one["ifname"] for one in links] == ["lo"]
    story.engine.remove("theirs")


@pytest.mark.parametrize("end", [{"persist": False}, {"persist": True, "state": "absent"}])
def test_the_files_go(story: Story, end: dict[str, Any]) -> None:
    lab = story.engine.lab
    foreseen = restarted.module(story.engine, check=True, **end, **story.given)
    done = restarted.module(story.engine, **end, **story.given)
    assert foreseen["diff"] == done["diff"]
    left = files(lab)
    if "state" not in end:  # the wiring stays, so what lets the host forward does
        left = "".join(line for line in left.splitlines(True) if "linuxnet-containers.conf" not in line)
    assert left == story.pristine
    story.engine.restart(NAME)
    restarted.module(story.engine, persist=True, **story.given)
