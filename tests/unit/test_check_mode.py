# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check mode tells the truth, held by tasks made by chance on hosts made by chance, on the kernel's twin."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.tests.unit import generated
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

pytestmark = pytest.mark.unmeasured  # what only chance reaches counts as not tested

COMPARED = 80  # tasks a noun and a seed
SEEDS = (1, 2)
TRIED = 40  # roll-backs a noun


def shown(result: dict[str, Any]) -> dict[str, Any]:
    """A result without what only the real run can know: the inode of a namespace that the task made."""
    known = "inode" not in result.get("after", {}) or (result["before"].get("inode") and not result["changed"])
    return result if known else {**result, "after": {**result["after"], "inode": None}}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("noun", sorted(generated.MAKERS))
def test_a2_what_check_mode_foresees_is_what_happens(noun: str, seed: int) -> None:
    """A2: changed, before, after, diff and commands are the same, and a following run finds nothing to do."""
    compared = changed = 0
    for number in range(COMPARED * 8):
        chance = Random(f"{noun} {seed} {number}")
        kernel = MemoryKernel()
        generated.wire(kernel, chance)
        items = generated.task(chance, noun)
        if generated.wants(noun, items) is None:
            continue
        start = kernel.snapshot()
        foreseen, warnings = generated.run(kernel, noun, items, check=True)
        assert kernel.snapshot() == start
        if any("not exist yet" in warning for warning in warnings):
            continue  # a parent is missing, which is an error in the real run: see the chain below
        happened, dummy = generated.run(kernel, noun, items)
        where = f"round {number}: {items}"
        assert [shown(one) for one in happened] == [shown(one) for one in foreseen], where
        compared += 1
        if compared == COMPARED:
            break
        changed += any(one["changed"] for one in happened)
        if len(items) == 1 and not happened[0].get("failed"):
            again, dummy = generated.run(kernel, noun, items)
            assert not again[0].get("failed"), (where, again)
            assert again[0]["changed"] is False, where
            assert again[0]["commands"] == [], where
            assert again[0]["diff"]["before"] == again[0]["diff"]["after"] == "", where
            assert again[0]["before"] == again[0]["after"], where
    assert compared == COMPARED
    assert changed > COMPARED / 4


CHAIN: list[tuple[str, list[dict[str, Any]]]] = [
    ("netns", [{"name": "web"}, {"name": "db", "loopback": False}]),
    ("bridge", [{"name": "br0", "mtu": "1400"}]),
    ("ns_address", [{"interface": "br0", "address": "10.0.0.1/24", "bridge": "br0"}]),
    (
        "veth",
        [
            {"name": "v0", "peer_netns": "web", "bridge": "br0"},
            {"peer_netns": "db", "bridge": "br0", "peer_mac": "02:00:00:00:00:07"},
        ],
    ),
    ("bridge_port", [{"bridge": "br0", "interface": "v0", "hairpin": True}]),
    (
        "ns_address",
        [
            {"netns": "web", "interface": "eth0", "pool": "10.0.0.0/24", "bridge": "br0"},
            {"netns": "db", "interface": "eth0", "pool": "10.0.0.0/24", "bridge": "br0", "exclude": ["10.0.0.9"]},
            {"netns": "web", "interface": "eth0", "address": "fd00::2/64"},
        ],
    ),
    (
        "ns_route",
        [
            {"netns": "web", "gateway": "10.0.0.1", "interface": "eth0"},
            {"netns": "web", "gateway": "fd00::1", "interface": "eth0"},
            {"netns": "db", "destination": "10.9.0.0/16", "type": "blackhole"},
        ],
    ),
]


@pytest.mark.parametrize("done", range(len(CHAIN)))
def test_a3_check_mode_of_a_chain_tells_the_truth_wherever_it_begins(done: int) -> None:
    """A3, A4: the tasks whose parents are missing foresee what they will do, down to the address from the pool."""
    foreseeing, working = MemoryKernel(), MemoryKernel()
    for noun, items in CHAIN[:done]:
        generated.run(foreseeing, noun, items)
        generated.run(working, noun, items)
    for number, (noun, items) in enumerate(CHAIN[done:]):
        foreseen, warnings = generated.run(foreseeing, noun, items, check=True)
        happened, dummy = generated.run(working, noun, items)
        assert [one["changed"] for one in foreseen] == [True] * len(items)
        assert [shown(one)["after"] for one in foreseen] == [shown(one)["after"] for one in happened]
        assert len(warnings) == len(set(warnings))
        if done == 0 and noun in ("veth", "bridge_port", "ns_route"):
            assert warnings
        if number == 0:
            assert warnings == []


def test_a4_a_lone_check_takes_the_address_that_the_run_takes() -> None:
    """A4: the run's pool sees what the check's saw, two containers in one task included."""
    kernel = MemoryKernel()
    for noun, items in CHAIN[:4]:
        generated.run(kernel, noun, items)
    items = CHAIN[5][1]
    foreseen, dummy = generated.run(kernel, "ns_address", items, check=True)
    happened, dummy = generated.run(kernel, "ns_address", items)
    addresses = [one["after"]["address"] for one in happened]
    assert addresses == [one["after"]["address"] for one in foreseen]
    assert len(set(addresses)) == 3


@pytest.mark.parametrize("noun", sorted(generated.MAKERS))
def test_g2_an_item_that_fails_halfway_leaves_what_was_there(noun: str) -> None:
    """G2: the kernel refuses the k-th change, for every k of tasks made by chance."""
    tried = 0
    for number in range(400):
        chance = Random(f"roll back {noun} {number}")
        begun = MemoryKernel()
        generated.wire(begun, chance)
        items = generated.task(chance, noun)[:1]
        if generated.wants(noun, items) is None:
            continue
        rehearsal = begun.copy()
        results, dummy = generated.run(rehearsal, noun, items)
        if results[0].get("failed") or tried >= TRIED:
            continue
        for place in range(len(rehearsal.applied)):
            kernel = begun.copy()
            start = kernel.snapshot()
            kernel.fail_at = place
            failed, dummy = generated.run(kernel, noun, items)
            assert failed[0]["failed"] is True
            assert "Input/output error" in failed[0]["msg"]
            tried += 1
            where = f"round {number}, step {place}: {items}"
            if kernel.snapshot() == start:
                assert " Not taken back: " not in failed[0]["msg"], where
            else:
                refused = kernel.refused  # is refused again where it takes back a change before it
                again = refused is not None and any(refused in step.undo() for step in rehearsal.applied)
                assert again or " Not taken back: delete " in failed[0]["msg"], where
