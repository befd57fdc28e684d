# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/names.md: containers find each other by name, by files in /etc/netns of the lab host. The page's tasks are run as they stand there."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from lab import ROOT, Lab
from plays import Outcome, Play, Playbook, checked, shell, wiring

TEXT = (ROOT / "docs" / "names.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
LISTS, NAMED, GONE = (yaml.safe_load(text) for language, text in BLOCKS if language == "yaml")
[ASKED] = [text for language, text in BLOCKS if language == "sh"]
[ANSWERED] = [text for language, text in BLOCKS if language == "text"]
OWN = "10.9.9.9 mine"


def play(tasks: list[dict[str, Any]], **variables: Any) -> Play:
    """The page's lists, and tasks behind the role."""
    found = wiring(**{name.removeprefix("wiring_"): value for name, value in LISTS.items()}, **variables)
    return {**found, "post_tasks": tasks}


class Story:
    """A file of somebody's own is there; it is foreseen, done, done again, asked; then all goes."""

    def __init__(self, playbook: Playbook) -> None:
        self.pristine = playbook.lab.snapshot()
        before = f"mkdir -p /etc/netns/db && echo '{OWN}' > /etc/netns/db/hosts"
        asked = f"sh -c '{ASKED}'"
        run = play(NAMED)
        plays = [shell(before), checked(run), run, run, shell(asked), shell("cat /etc/netns/db/hosts")]
        dummy, self.foreseen, self.run, self.again, self.asked, self.file = playbook.run(*plays, options=("--diff",))
        playbook.run(play(GONE, state="absent"), shell("rmdir /etc/netns"))
        self.final = playbook.lab.snapshot()


@pytest.fixture(scope="module")
def story(shared_lab: Lab, playbook: Playbook) -> Story:
    return Story(playbook)


def written(outcome: Outcome) -> Any:
    """The diffs of the last task, an item each."""
    diffs = [item["diff"] for item in outcome.tasks[-1].result["results"]]
    listed = [diff if isinstance(diff, list) else [diff] for diff in diffs]
    return [[one["after"] for one in found if isinstance(one.get("after"), str)] for found in listed]


def test_those_of_a_network_are_found_and_nobody_else(story: Story) -> None:
    assert [line.split() for line in story.asked.stdout.splitlines()] == [
        line.split() for line in ANSWERED.splitlines()
    ]


def test_check_mode_tells_what_is_written_and_a_second_run_writes_nothing(story: Story) -> None:
    assert story.foreseen.tasks[-1].changed
    assert written(story.foreseen) == written(story.run)
    assert story.again.changed == []


def test_what_somebody_else_has_in_the_file_stays(story: Story) -> None:
    assert story.file.stdout.startswith(OWN)
    assert "10.7.0.10 app" in story.file.stdout


def test_nothing_is_left(story: Story) -> None:
    assert story.final == story.pristine
