# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""README.md: its play is run as it stands, and what it shows is what comes out: by the chain, in one task, and foreseen by check mode."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from lab import ROOT, Lab
from plays import Outcome, Play, Playbook, checked

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
LINES, PICTURE = (block.splitlines() for block in re.findall(r"^```text\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL))
[(MODULE, OPTIONS)] = re.findall(r"^    ansible HOSTS -b -m (\S+) -a '(.*)'$", TEXT, re.MULTILINE)
AD_HOC = {"name": "As on the command line", MODULE: dict(option.split("=") for option in OPTIONS.split())}
SEEN = {"name": "seen", "tasks": [{"name": "Look", "linuxnet.containers.wiring_info": None}, AD_HOC]}


def play(**variables: Any) -> Play:
    """The page's play, on the lab host, where the libraries are."""
    [[found]] = (yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL))
    more = {"install_dependencies": False, **variables}
    return {**found, "hosts": "localhost", "vars": {f"wiring_{name}": value for name, value in more.items()}}


def told(outcome: Outcome) -> list[str]:
    """What the role says at its end."""
    [said] = [task.result["msg"] for task in outcome.tasks if task.name == "Say what each container has now"]
    return list(said)


class Story:
    """The play in both manners: foreseen, run, run again; then all goes."""

    def __init__(self, playbook: Playbook) -> None:
        plays = []
        for manner in (False, True):
            run = play(one_task=manner)
            plays += [checked(run), run, run, SEEN, play(one_task=manner, state="absent")]
        found = playbook.run(*plays, options=())
        self.chain, self.one = found[:5], found[5:]


@pytest.fixture(scope="module")
def story(shared_lab: Lab, playbook: Playbook) -> Story:
    return Story(playbook)


def test_what_it_says_is_what_the_role_says(story: Story) -> None:
    for foreseen, run, again, *_later in (story.chain, story.one):
        assert told(foreseen) == told(run) == LINES
        assert again.changed == []
        first, *_lines, last = told(again)
        assert first == "ok        web  " + LINES[1].split("web      ")[1]
        assert last == "containers: 2 ok; networks: 1 ok"


def test_what_goes_is_told_as_well(story: Story) -> None:
    for *_first, gone in (story.chain, story.one):
        assert told(gone) == [
            "gone      docker0  network",
            "gone      web",
            "gone      db",
            "containers: 2 gone; networks: 1 gone",
        ]


def test_its_picture_is_the_real_one(story: Story) -> None:
    for *_first, seen, _gone in (story.chain, story.one):
        assert seen.tasks[-2].result["picture"].splitlines() == PICTURE


def test_the_module_alone_finds_what_the_role_made(story: Story) -> None:
    for *_first, seen, _gone in (story.chain, story.one):
        assert (seen.tasks[-1].action, seen.changed) == (MODULE, [])
