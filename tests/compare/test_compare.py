# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Docker as the measure, in short: some scenarios, and that every kind of difference is told in the documentation. All of it: make compare."""

from __future__ import annotations

import re

import pytest
from classes import CLASSES, DAEMON, PURPOSE, QUIRK, WRONG, Difference, differences, judged
from lab import ROOT
from scenarios import SCENARIOS, SHORT
from twins import Scenario, compare

PAGE = (ROOT / "docs" / "docker.md").read_text(encoding="utf-8")


@pytest.mark.needs("docker", "nft")
@pytest.mark.parametrize("scenario", [one for one in SCENARIOS if one.name in SHORT], ids=lambda one: one.name)
def test_every_cell_is_dockers_or_differs_for_a_reason(scenario: Scenario) -> None:
    compared = compare(scenario, ["nftables"])
    found = differences(scenario, compared, "nftables")
    assert found, "some differ on purpose, so a comparison that sees none sees nothing"
    faults = [str(one) for one in found if judged(one) is None]
    assert not faults, "\n".join(faults)
    answers = [*compared.theirs.answers.values(), *compared.ours["nftables"].answers.values()]
    assert {"refused", "silent", "answers"} <= set(answers)


def test_the_short_form_is_part_of_the_whole() -> None:
    assert set(SHORT) <= {one.name for one in SCENARIOS}
    assert len({one.name for one in SCENARIOS}) == len(SCENARIOS)


def test_the_documentation_has_every_class_under_its_judgement() -> None:
    told = set()
    for section in PAGE.split("\n## ")[1:]:
        heading, dummy, text = section.partition("\n")
        told |= {(name, heading) for name in re.findall(r"^\| ([^|]+?) \|", text, re.MULTILINE)}
    assert {(one.name, one.judgement.capitalize()) for one in CLASSES} <= told
    assert {one.judgement for one in CLASSES} <= {PURPOSE, DAEMON, QUIRK, WRONG}


def test_what_is_in_no_class_is_seen() -> None:
    """A container that answers a sibling in Docker's host and not in ours."""
    lost = Difference(SCENARIOS[1], "web", "tcp", "172.30.1.3", 80, "db", "db saw 172.30.1.2", "silent")
    assert judged(lost) is None
    opened = Difference(SCENARIOS[1], "internet", "tcp", "172.30.1.3", 80, "db", "silent", "db saw 192.0.2.99")
    assert judged(opened) is None
