# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""wiring_persist where it cannot be: refused in one sentence before the first change. tests/engines/test_lasting tells what it does where it can."""

from __future__ import annotations

from typing import Any

import pytest
from lab import Lab
from plays import Playbook, checked, refused, shell, wiring

FRONT = {"name": "front", "subnets": ["10.1.0.0/24"]}
GIVEN: dict[str, Any] = {"networks": [FRONT], "containers": [{"name": "web"}], "persist": True}
REFUSALS = {
    "no systemd": (
        GIVEN,
        "wiring_persist: this host was not started by systemd, which is needed to bring the wiring back; leave wiring_persist out.",
    ),
    "an unmanaged bridge": (
        {**GIVEN, "networks": [{**FRONT, "unmanaged": True}]},
        "wiring_persist: network 'front': an unmanaged bridge is not there yet when the wiring is brought back at boot; that is not built yet.",
    ),
}


@pytest.mark.parametrize("why", REFUSALS)
def test_what_cannot_be_kept_is_refused_before_the_first_change(shared_lab: Lab, playbook: Playbook, why: str) -> None:
    variables, sentence = REFUSALS[why]
    before = shared_lab.snapshot()
    foreseen, done = playbook.run(checked(refused(**variables)), refused(**variables))
    assert [one.failures for one in (foreseen, done)] == [[sentence], [sentence]]
    assert foreseen.changed == done.changed == []
    assert shared_lab.snapshot() == before


def test_nobody_who_does_without_it_notices(playbook: Playbook) -> None:
    """No task more, and no step."""
    plain = {**GIVEN, "persist": False}
    made, seen, again, gone, purged = playbook.run(
        wiring(**plain),
        shell("cat /etc/sysctl.d/99-zz-linuxnet-containers.conf"),
        wiring(**plain),
        wiring(**plain, state="absent"),
        wiring(purge=True),
    )
    for outcome in (made, again, gone):
        assert not [task for task in outcome.tasks if "Keep" in task.name and task.status != "skipped"]
    assert purged.changed == []
    assert seen.stdout.splitlines()[1:] == ["net.ipv4.ip_forward = 1"]
