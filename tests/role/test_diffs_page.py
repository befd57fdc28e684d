# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/diffs.md: a month of changes, made one after the other, which have the diffs that it shows.

Each is foreseen, made, and then there is nothing to do; at last all is as before.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from lab import ROOT, Lab
from plays import Outcome, Play, Playbook, checked, shell, wiring

PAGE = ROOT / "docs" / "diffs.md"
_FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
Lists = dict[str, dict[str, Any]]  # by variable of the role, by name


def sections(text: str) -> dict[str, dict[str, str]]:
    """The fenced blocks of each section by language; the first section has no title."""
    parts = re.split(r"^## (.*)\n", text, flags=re.MULTILINE)
    return {title: dict(_FENCED.findall(body)) for title, body in zip(["", *parts[1::2]], parts[0::2], strict=True)}


def asked(lists: Lists, block: str) -> Lists:
    """The role's lists with the entries of a block in the place of those of the same names."""
    given = yaml.safe_load(block) if block else {}
    return {
        variable: {**lists.get(variable, {}), **{entry["name"]: entry for entry in given.get(variable, [])}}
        for variable in ("wiring_networks", "wiring_containers")
    }


def play(lists: Lists) -> Play:
    return wiring(**{variable.removeprefix("wiring_"): [*named.values()] for variable, named in lists.items()})


def told(outcome: Outcome) -> str:
    """The diffs of a play, as the page has them."""
    lines = []
    for diff in (one for task in outcome.tasks for one in task.diff):
        assert diff["before_header"] == diff["after_header"]
        lines.append(diff["before_header"])
        lines += [sign + line for sign, side in (("-", "before"), ("+", "after")) for line in diff[side].splitlines()]
    return "".join(f"{line}\n" for line in lines)


def rendered(playbook: Playbook, text: str) -> dict[str, str]:
    """The diffs of the page's changes by section, as runs have them, and check mode as well."""
    lists, (_nothing, first), *changes = asked({}, ""), *sections(text).items()
    changes = [(title, blocks) for title, blocks in changes if "diff" in blocks]
    lists = asked(lists, first["yaml"])
    plays = [play(lists)]
    for _title, blocks in changes:
        lists = asked(lists, blocks.get("yaml", ""))
        plays += [shell(blocks.get("sh", "true")), checked(play(lists)), play(lists), play(lists)]
    pristine = playbook.lab.snapshot()
    gone = {of: {name: {**one, "state": "absent"} for name, one in named.items()} for of, named in lists.items()}
    plays.append(play(gone))
    _first, *outcomes, _gone = playbook.run(*plays, options=("--diff",))
    assert playbook.lab.snapshot() == pristine
    found = {}
    each = zip(changes, outcomes[1::4], outcomes[2::4], outcomes[3::4], strict=True)
    for (title, _blocks), foreseen, run, again in each:
        assert told(foreseen) == told(run)
        assert again.changed == [], title
        found[title] = told(run)
    return found


@pytest.mark.needs("nft")
def test_the_page_has_the_diffs_of_real_runs(shared_lab: Lab, playbook: Playbook) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert rendered(playbook, text) == {
        title: blocks["diff"] for title, blocks in sections(text).items() if "diff" in blocks
    }


@pytest.mark.needs("nft")
def test_the_chain_has_the_same(lab: Lab, tmp_path: Path) -> None:
    """Of a move: test_one_task holds that every item is the same, with all attributes."""
    start, *parts = re.split("^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    [moves] = [part for part in parts if part.startswith("A container moves")]
    found = rendered(Playbook(lab, tmp_path), f"{start}## {moves}")
    title = "A container moves to another network"
    assert found == {title: sections(f"## {moves}")[title]["diff"]}
