# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a module runs that takes several steps in order, each the items of a resource. Knows no noun and no kernel call."""

from __future__ import annotations

from typing import Any, Callable, ContextManager, Dict, List, Mapping, Optional, Protocol, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.kernel_api import Kernel, Opener, Source
from ansible_collections.linuxnet.containers.plugins.module_utils._run import execution
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Resource
from ansible_collections.linuxnet.containers.plugins.module_utils._run.results import readable, summary
from ansible_collections.linuxnet.containers.plugins.module_utils._run.runner import (
    attempt,
    in_detail,
    leave,
    without_collecting,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

Results = Dict[str, Dict[str, List[Dict[str, Any]]]]  # by half and step


class Steps(Protocol):
    """The steps that a module takes. They come in halves: one takes things away, one makes them."""

    @property
    def order(self) -> Sequence[Tuple[str, str]]:
        """Return (half, step), in order."""

    @property
    def needs_survey(self) -> bool:
        """Return whether `survey` has to find further steps first."""

    def survey(self, source: Source, state: Optional[State] = None) -> Sequence[str]:
        """Add the steps that the host asks for, which no step has changed yet; ``state`` takes up what was seen. Return warnings."""

    def makes(self, half: str) -> bool:
        """Return whether a half makes things; else it takes them away."""

    def resource(self, step: str) -> Resource[Any, Any]:
        """Return the resource that takes a step."""

    def foreseen_wants(self, half: str, step: str) -> Sequence[Any]:
        """Return the wants of a step as far as they are known before the first one."""

    def able(self, half: str, step: str, results: Mapping[str, Mapping[str, Any]]) -> Optional[Sequence[int]]:
        """Return the numbers of the items of a step that stand on nothing that failed, given the results of the steps before it; None
        where these say that the step has nothing to do."""

    def wants(
        self, half: str, step: str, results: Mapping[str, Mapping[str, Any]], able: Sequence[int]
    ) -> Sequence[Any]:
        """Return the wants of those items of a step that are ``able``, given the results of the steps before it. Raises `Refused`."""

    def failure(self, results: Mapping[str, Mapping[str, Any]]) -> str:
        """Return what failed, and what was left out for that; ``""`` where nothing failed."""

    def summary(self, results: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
        """Return what the module returns besides the results."""


def take_steps(
    steps: Steps, kernel: Kernel, check: bool, known: Optional[State] = None, details: bool = True
) -> Tuple[Results, List[str], str]:
    """Take the steps in order, as `execution.execute` takes one, with its ``details``. What stands on an item that failed is left out, and nothing else is.

    Return (results by half and step, warnings, what failed, ``""`` where nothing did). What is known of the host moves on with
    the steps, as with the items of one; so all is decided under one lock, which the caller holds. A half that takes away is planned as a whole, as
    check mode does, so that all its links go together; once an item failed, a step at a time. Where namespaces ended, the next half waits until they
    are gone: they take objects with them that nobody planned. ``known`` is what was just seen of the host, where nothing is taken away first.
    """
    found: Results = {half: {} for half, dummy in steps.order}
    warnings: List[str] = []
    state = State(kernel, predict=check, whole=True)
    for half in found:
        names = [step for other, step in steps.order if other == half]
        whole = not check and not steps.makes(half)
        foreseen = _foreseen(steps, half, names, State(kernel, predict=True, whole=True)) if whole else {}
        beside: Sequence[Change] = execution.changes(plan for plans in foreseen.values() for plan in plans)
        if known is not None:
            state, known = known, None
        elif not whole and not check:
            kernel.close_unnamed()
            state = State(kernel)  # what was known before may be old
        for step in names:
            resource = steps.resource(step)
            able = steps.able(half, step, found)
            if able is None:
                continue
            try:
                wants = execution.resolved(resource, steps.wants(half, step, found, able), state)
            except Refused as error:
                return found, warnings, " ".join(filter(None, (steps.failure(found), str(error))))
            if whole:
                plans = [foreseen[step][number] for number in able]
            else:
                plans = [execution.plan(resource, want, state) for want in wants]
            found[half][step], said = execution.carry_out(resource, wants, plans, kernel, state, check, beside, details)
            warnings.extend(warning for warning in said if warning not in warnings)
            if whole and any(result.get("failed") for result in found[half][step]):
                # What is left was planned as if that had been done: it is planned anew, a step at a time, as the chain does.
                whole, beside = False, ()
                kernel.close_unnamed()
                state = State(kernel)
    return found, warnings, steps.failure(found)


def foresee(steps: Steps, kernel: Kernel, details: bool = True) -> Tuple[List[Dict[str, Any]], List[str]]:
    """Return what `execution.execute` returns in check mode for the last of the steps, as if those before it were carried out. Raises `Refused`."""
    found: Results = {half: {} for half, dummy in steps.order}
    earlier: List[str] = []
    state = State(kernel, predict=True, whole=True)
    for half, step in steps.order:
        resource = steps.resource(step)
        able = steps.able(half, step, found)
        if able is None:
            continue
        wants = execution.resolved(resource, steps.wants(half, step, found, able), state)
        plans = [execution.plan(resource, want, state) for want in wants]
        found[half][step], said = execution.carry_out(resource, wants, plans, kernel, state, True, details=details)
        if (half, step) == steps.order[-1]:
            return found[half][step], [warning for warning in said if warning not in earlier]
        earlier.extend(said)
    return [], []


def _foreseen(steps: Steps, half: str, names: Sequence[str], state: State) -> Dict[str, List[execution.Planned]]:
    """Return the plans of the steps of a half, each made as if the steps before it were carried out."""
    found = {}
    for step in names:
        resource = steps.resource(step)
        wants = execution.resolved(resource, steps.foreseen_wants(half, step), state)
        found[step] = [execution.plan(resource, want, state) for want in wants]
    return found


def carry_out(
    steps: Steps, opened: Callable[[], ContextManager[Kernel]], check: bool, details: bool = True
) -> Tuple[Results, List[str], str]:
    """Find the steps, see that the host has what they need, and take them, all under one lock. Return what `take_steps` returns. Raises `Refused`."""
    with opened() as host:

        def ask() -> None:
            for half, step in steps.order:
                steps.resource(step).ask(steps.foreseen_wants(half, step), host)
            if steps.needs_survey:
                host.ask_running()

        with execution.locked(host, check, ask):
            said: Sequence[str] = ()
            if steps.needs_survey:
                with opened() as kernel:
                    kernel.as_told(host)
                    known = State(kernel)
                    said = steps.survey(kernel, known)
                    # It keeps open what it looked at, also what is to end.
                    if not check and all(steps.makes(half) for half, dummy in steps.order):
                        return _required_and_taken(steps, kernel, check, details, said, known)
            return _required_and_taken(steps, host, check, details, said)


def _required_and_taken(
    steps: Steps, kernel: Kernel, check: bool, details: bool, said: Sequence[str], known: Optional[State] = None
) -> Tuple[Results, List[str], str]:
    for half, step in steps.order:
        steps.resource(step).require(steps.foreseen_wants(half, step), kernel)
    found, warnings, failed = take_steps(steps, kernel, check, known, details)
    return found, [*said, *warnings], failed


@without_collecting()
def run_steps(
    options: Mapping[str, Any],
    prepare: Callable[[Mapping[str, Any]], Steps],
    opened: Opener,
    convert: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict,
) -> None:
    """Be a module that takes steps: ``prepare`` makes them, checked, of the options, which ``convert`` turned to what Ansible validates."""

    def work(module: Any) -> Tuple[Tuple[Steps, Results, str], List[str]]:
        steps = prepare(module.params)
        opened.require()
        found, warnings, failed = carry_out(steps, opened, module.check_mode, in_detail(module))
        return (steps, found, failed), warnings

    module, taken = attempt(work, opened, convert, argument_spec=dict(options))
    leave(module, lambda: _result(*taken))


def _result(steps: Steps, found: Results, failed: str) -> Dict[str, Any]:
    """Return what the module returns of the steps that were taken."""
    found, failed = readable(found), readable(failed)
    by_step: List[Dict[str, Any]] = [
        {"half": half, "step": step, "changed": any(item["changed"] for item in listed), "results": listed}
        for half, listed_steps in found.items()
        for step, listed in listed_steps.items()
    ]
    outcome = {**summary([item for step in by_step for item in step["results"]]), "results": by_step}
    outcome.update(steps.summary(found))
    return {"msg": failed, **outcome} if failed else outcome
