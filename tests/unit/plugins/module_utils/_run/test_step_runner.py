# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Steps are taken in order, all of them; what stands on an item that failed is left out. On the kernel's twin."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._run.step_runner import carry_out, foresee, take_steps
from ansible_collections.linuxnet.containers.plugins.module_utils._run.validation import items
from ansible_collections.linuxnet.containers.tests.unit.generated import RESOURCES
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

MAKE = [
    ("netns", [{"name": "web"}, {"name": "db"}]),
    ("bridge", [{"name": "br0"}]),
    ("veth", [{"name": f"v{name}", "peer_netns": name, "bridge": "br0"} for name in ("web", "db")]),
    ("ns_address", [{"netns": "web", "interface": "eth0", "pool": "10.0.0.0/24", "bridge": "br0"}]),
]
TAKE_AWAY = [
    ("veth", [{"name": f"v{name}", "peer_netns": name, "state": "absent"} for name in ("web", "db")]),
    ("netns", [{"name": "web", "state": "absent"}, {"name": "db", "state": "absent"}]),
    ("bridge", [{"name": "br0", "state": "absent"}]),
]


class Steps:
    """Steps, named by their nouns, in two halves; ``refuses`` is a step whose wants cannot be known."""

    needs_survey = False

    def __init__(self, refuses: str = "", **halves: list[tuple[str, list[dict[str, Any]]]]) -> None:
        self.refuses, self.halves = refuses, halves
        self.order = [(half, step) for half, steps in halves.items() for step, _items in steps]

    def survey(self, source: Any, state: Any = None) -> list[str]:
        return []

    def makes(self, half: str) -> bool:
        return half == "make"

    def resource(self, step: str) -> Any:
        return RESOURCES[step]

    def foreseen_wants(self, half: str, step: str) -> list[Any]:
        return items(RESOURCES[step], {"aggregate": dict(self.halves[half])[step]})

    def able(self, half: str, step: str, results: Any) -> list[int]:
        """Here an item stands on those before it of the same number."""
        count = len(dict(self.halves[half])[step])
        failed = [number for listed in results[half].values() for number, one in enumerate(listed) if one.get("failed")]
        return [number for number in range(count) if number not in failed]

    def wants(self, half: str, step: str, results: Any, able: Any) -> list[Any]:
        if step == self.refuses:
            raise Refused(f"No {step}.")
        found = self.foreseen_wants(half, step)
        return [found[number] for number in able]

    def failure(self, results: Any) -> str:
        failed = [
            one["item"] for steps in results.values() for listed in steps.values() for one in listed if "msg" in one
        ]
        return " and ".join(failed)

    def summary(self, results: Any) -> dict[str, Any]:
        return {}


@pytest.fixture
def made() -> MemoryKernel:
    """A host on which the steps of a half were taken."""
    kernel = MemoryKernel()
    assert take_steps(Steps(make=MAKE), kernel, False)[2] == ""
    return kernel


class Surveying(Steps):
    """Steps that look at the host first."""

    needs_survey = True

    def survey(self, source: Any, state: Any = None) -> list[str]:
        source.running()
        return []


@pytest.mark.parametrize("check", [True, False])
def test_engines_are_asked_what_runs_before_the_host_is_locked(check: bool) -> None:
    """podman does not answer while it runs a hook of ours, and the hook waits for the lock."""
    log: list[str] = []

    class Kernel(MemoryKernel):
        def ask_running(self) -> None:
            log.append("asked")

        def as_told(self, other: Any) -> None:
            log.append("told")

        def running(self) -> list[Any]:
            log.append("seen")
            return []

        @contextmanager
        def locked(self, check: bool = False) -> Iterator[None]:
            log.append("locked")
            with super().locked(check):
                yield

    kernel = Kernel()
    carry_out(Surveying(make=MAKE), lambda: nullcontext(kernel), check)
    assert log == ["asked", "locked", "told", "seen"]


def test_a_step_sees_what_the_steps_before_it_did_under_one_lock() -> None:
    kernel = MemoryKernel()

    def opened() -> AbstractContextManager[MemoryKernel]:
        return nullcontext(kernel)

    foreseen, _warnings, _ended = carry_out(Steps(make=MAKE), opened, True)
    assert (kernel.applied, kernel.locks) == ([], 0)
    results, warnings, ended = carry_out(Steps(make=MAKE), opened, False)
    assert (kernel.locks, warnings, ended) == (1, [], "")
    assert list(results["make"]) == ["netns", "bridge", "veth", "ns_address"]
    assert results["make"]["ns_address"][0]["after"] == foreseen["make"]["ns_address"][0]["after"]
    again, _warnings, _ended = take_steps(Steps(make=MAKE), kernel, False)
    assert not any(item["changed"] for listed in again["make"].values() for item in listed)


def test_the_steps_go_on_without_what_stands_on_an_item_that_failed() -> None:
    kernel = MemoryKernel()
    kernel.fail_at = 4  # the bridge, after two namespaces and their loopbacks
    results, _warnings, failed = take_steps(Steps(make=MAKE), kernel, False)
    assert list(results["make"]) == ["netns", "bridge", "veth", "ns_address"]
    assert [one["item"] for one in results["make"]["veth"]] == ["veth vdb"]  # the other one stands on the bridge
    assert results["make"]["ns_address"] == []
    assert failed == "bridge br0 and veth vdb"  # a bridge, too, but nobody said so


def test_wants_that_cannot_be_known_end_the_steps() -> None:
    results, _warnings, ended = take_steps(Steps("veth", make=MAKE), MemoryKernel(), False)
    assert (list(results["make"]), ended) == (["netns", "bridge"], "No veth.")


def test_a_half_that_takes_away_is_planned_whole_and_its_links_go_together(
    made: MemoryKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    together: list[list[str]] = []
    monkeypatch.setattr(made, "delete_together", lambda steps: together.append([step.name for step in steps]))
    foreseen, _warnings, _ended = take_steps(Steps(take_away=TAKE_AWAY), made, True)
    assert together == []
    results, _warnings, ended = take_steps(Steps(take_away=TAKE_AWAY), made, False)
    assert (results, ended) == (foreseen, "")
    assert together[0] == ["vweb", "vdb", "br0"]
    assert made.snapshot() == MemoryKernel().snapshot()


def test_of_a_half_that_takes_away_the_same_is_left_out_and_the_next_half_is_begun(
    made: MemoryKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = made._DropNetns

    def broken(step: Any) -> None:
        if step.name == "web":
            raise KernelError(errno.EIO, step.attempt())
        drop(step)

    monkeypatch.setattr(made, "_DropNetns", broken)
    results, _warnings, failed = take_steps(Steps(take_away=TAKE_AWAY, make=MAKE), made, False)
    assert {step: len(listed) for step, listed in results["take_away"].items()} == {"veth": 2, "netns": 2, "bridge": 0}
    assert {step: len(listed) for step, listed in results["make"].items()} == {
        "netns": 2,
        "bridge": 1,
        "veth": 2,
        "ns_address": 1,
    }
    assert (failed, sorted(made.listing())) == ("netns web", ["db", "web"])


def test_what_comes_after_an_item_that_failed_is_planned_on_what_is_there(
    made: MemoryKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the chain does, a task a step."""
    delete = made._DelLink

    def broken(step: Any) -> None:
        if step.name == "vdb":
            raise KernelError(errno.EIO, step.attempt())
        delete(step)

    monkeypatch.setattr(made, "_DelLink", broken)
    only_ours = {"name": "br0", "state": "absent", "only_ours": True}
    steps = [(step, [only_ours] if step == "bridge" else listed) for step, listed in TAKE_AWAY]
    results, _warnings, failed = take_steps(Steps(take_away=steps), made, False)
    assert failed == "veth vdb"
    assert [one["changed"] for one in results["take_away"]["bridge"]] == [False]  # a port is left on it
    monkeypatch.setattr(made, "_DelLink", delete)
    assert take_steps(Steps(take_away=steps), made, False)[2] == ""
    assert made.snapshot() == MemoryKernel().snapshot()


def test_what_was_taken_away_is_closed_before_the_next_half(
    made: MemoryKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[int] = []
    monkeypatch.setattr(made, "close_unnamed", lambda: closed.append(len(made.applied)))
    done = len(made.applied)
    results, _warnings, ended = take_steps(Steps(take_away=TAKE_AWAY, make=MAKE), made, False)
    assert ended == ""
    assert len(closed) == 1
    assert closed[0] > done
    assert all(item["changed"] for listed in results["make"].values() for item in listed)


def test_a_step_alone_is_foreseen_as_if_those_before_it_were_carried_out(made: MemoryKernel) -> None:
    """As the role's chain asks in check mode, a task a step: each says what the run of all says."""
    stories: list[tuple[MemoryKernel, dict[str, Any]]] = [
        (MemoryKernel(), {"make": MAKE}),
        (made, {"take_away": TAKE_AWAY, "make": MAKE}),
    ]
    for kernel, steps in stories:
        done = len(kernel.applied)
        whole, _warnings, _ended = take_steps(Steps(**steps), kernel, True)
        for half, listed in steps.items():
            for number, (step, _items) in enumerate(listed):
                until: dict[str, Any] = (
                    {**steps, half: listed[: number + 1]} if half == list(steps)[-1] else {half: listed[: number + 1]}
                )
                assert foresee(Steps(**until), kernel) == (whole[half][step], [])
        assert len(kernel.applied) == done


def test_of_what_is_foreseen_each_step_warns_of_its_own() -> None:
    elsewhere = [("veth", [{"peer_netns": "elsewhere"}]), ("ns_route", [{"netns": "elsewhere", "gateway": "10.0.0.1"}])]
    warnings = [foresee(Steps(make=elsewhere[:number]), MemoryKernel())[1] for number in (1, 2)]
    assert [len(said) for said in warnings] == [1, 0]
