# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the wants of a task come true: have, plan, apply; what fails is rolled back. Knows no noun and no kernel call.

An item that fails does not stop the others. Check mode is the same without apply.
"""

from __future__ import annotations

import contextlib
import errno
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple, Union

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError, Refused, of_host
from ansible_collections.linuxnet.containers.plugins.module_utils._model.kernel_api import Kernel
from ansible_collections.linuxnet.containers.plugins.module_utils._run import results
from ansible_collections.linuxnet.containers.plugins.module_utils._run.prediction import advance_all, begin
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan, Resource
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.plugins.module_utils._run.validation import distinct

_TRIES = 3
Planned = Union[Plan, Refused]  # the error says why there is no plan


def execute(
    resource: Resource[Any, Any],
    wants: Sequence[Any],
    kernel: Kernel,
    check: bool,
    anew: Sequence[str] = (),
    gone: Sequence[str] = (),
    details: bool = True,
) -> Tuple[List[Dict[str, Any]], List[str]]:
    """Plan all wants, then (unless ``check``) carry the plans out. Return (a result an item, warnings).

    ``anew``: names of namespaces that an earlier task would have made anew, ``gone``: of the host's interfaces that one would have
    removed; of use in check mode only. ``details``: the diffs have every attribute that changes, else `Resource.effect`.
    """
    with locked(kernel, check, lambda: resource.ask(wants, kernel)):
        state = begin(kernel, check, anew, gone)
        found = resolved(resource, wants, state)
        plans = [plan(resource, want, state) for want in found]
        done = carry_out(resource, found, plans, kernel, state, check, details=details)
        if not check:
            with contextlib.suppress(OSError, MemoryError):  # it is done, whether that can be waited for or not
                kernel.close_unnamed()  # the next task finds no interface that goes with a namespace
        return done


@contextlib.contextmanager
def locked(kernel: Kernel, check: bool, ask: Callable[[], None]) -> Iterator[None]:
    """Hold this host's lock, once engines were asked what is needed of them: see `kernel_api.Source.ask`. What they said is true at that moment, but where
    containers are started all the time."""
    for left in reversed(range(_TRIES)):
        ask()
        with kernel.locked(check):
            if left and not kernel.answers_hold():
                continue
            yield
            return


def resolved(resource: Resource[Any, Any], wants: Sequence[Any], state: State) -> Sequence[Any]:
    """Return the wants of a task with the own names of the interfaces that they name. Raises `Invalid` where two mean the same then."""
    found = []
    for want in wants:
        try:
            found.append(resource.resolved(want, state))
        except (Refused, OSError, MemoryError):
            found.append(want)  # `plan` meets the same, and says whose it is
    if all(new is old for new, old in zip(found, wants)):
        return wants
    distinct(resource, found, lambda number: "item %d" % (number + 1))
    return resource.together(found)


def plan(resource: Resource[Any, Any], want: Any, state: State) -> Planned:
    """Return the plan for one want, or the error that says why there is none. The state moves on by the plan."""
    try:
        want = resource.resolved(want, state)
        found = resource.plan(want, resource.look(want, state))
        _see_that_it_can_be_written(found.changes, state)
        advance_all(state, found.changes)
        return found
    except Refused as error:
        return error
    except (OSError, MemoryError) as error:
        return of_host(error, "read the state of %s" % resource.subject(want))


def _see_that_it_can_be_written(steps: Sequence[Change], state: State) -> None:
    """Raise `KernelError` where a change would write to a file system that is read-only: that is known before the first change, and in check mode."""
    for step in steps:
        for path in step.places():
            if state.read_only(path):
                raise KernelError(errno.EROFS, step.attempt(), "" if path in step.attempt() else path)


def changes(plans: Iterable[Planned]) -> List[Change]:
    """Return the changes of all plans, in order."""
    return [step for planned in plans if isinstance(planned, Plan) for step in planned.changes]


def carry_out(
    resource: Resource[Any, Any],
    wants: Sequence[Any],
    plans: Sequence[Planned],
    kernel: Kernel,
    state: State,
    check: bool,
    beside: Sequence[Change] = (),
    details: bool = True,
) -> Tuple[List[Dict[str, Any]], List[str]]:
    """Carry the plans of all wants out (unless ``check``). Return (a result an item, warnings).

    ``beside``: the changes of other resources, whose deletions may go together with these, see `Kernel.delete_together`. ``details``: see `execute`.
    """
    errors = [planned if isinstance(planned, Refused) else None for planned in plans]
    if not check:
        errors = _apply_all(kernel, plans, errors, beside)
        state.outdate(changes(plans))
    found, warnings = [], state.warnings
    fresh = State(kernel)
    for want, planned, error in zip(wants, plans, errors):
        outcome = error or planned
        if isinstance(outcome, Refused):
            found.append(results.of_failure(resource.subject(want), outcome))
            continue
        after = dict(outcome.after)
        if not check:
            with contextlib.suppress(Refused, OSError, MemoryError):  # it is done, whether that can be seen or not
                after = resource.observe(want, after, fresh)
        told = None if details else resource.effect(want, outcome)
        found.append(results.of_plan(resource.title(want), outcome, after, told))
        warnings.extend(warning for warning in outcome.warnings if warning not in warnings)
    return found, warnings


def _apply_all(
    kernel: Kernel, plans: Sequence[Any], errors: Sequence[Optional[Refused]], beside: Sequence[Change]
) -> List[Optional[Refused]]:
    """Carry out the plans of all items that have no error yet, and return the errors of all.

    What changes firewalls is one transaction a backend, after the other changes; where that is refused it is tried item by item. What
    opens the host comes last of all, when what closes it stands.
    """
    steps = [step for error, planned in zip(errors, plans) if error is None for step in planned.changes]
    if steps and all(step.final for step in steps):
        kernel.delete_together([step for step in beside if step.final] or steps)
    found = [
        error or _apply(kernel, [step for step in planned.changes if step.edit is None and not step.opens])
        for error, planned in zip(errors, plans)
    ]
    edits = {
        number: [step for step in planned.changes if step.edit is not None]
        for number, (error, planned) in enumerate(zip(found, plans))
        if error is None
    }
    try:
        kernel.apply_together([step for steps in edits.values() for step in steps])
    except Refused:
        for number, steps in edits.items():
            try:
                kernel.apply_together(steps)
            except Refused as error:
                done = [step for step in plans[number].changes if step.edit is None and not step.opens]
                found[number] = _with_remains(error, _roll_back(kernel, done))
    for number, planned in enumerate(plans):
        opening = [] if found[number] else [step for step in planned.changes if step.opens]
        refused = _apply(kernel, opening)
        if refused is not None:
            done = [step for step in planned.changes if not step.opens]
            found[number] = _with_remains(refused, _roll_back(kernel, done))
    return found


def _apply(kernel: Kernel, steps: Sequence[Change]) -> Optional[Refused]:
    """Carry out the changes of one item. Where one fails, take back what was done and return the error."""
    done: List[Change] = []
    try:
        for step in steps:
            done.append(step)
            kernel.apply(step)
    except Refused as error:
        failed = done.pop()  # only part of it or nothing was done
        for step in failed.undo() if failed.partial else ():
            with contextlib.suppress(Refused):
                kernel.apply(step)
        return _with_remains(error, _roll_back(kernel, done))
    return None


def _roll_back(kernel: Kernel, done: Sequence[Change]) -> List[str]:
    """Undo changes, the last one first. Return the attempts that cannot be undone, or failed."""
    left = []
    for step in reversed(done):
        if step.final:
            left.append(step.attempt())
        for inverse in step.undo():
            try:
                kernel.apply(inverse)
            except Refused:
                left.append(inverse.attempt())
    return left


def _with_remains(error: Refused, left: Sequence[str]) -> Refused:
    """Return the error, with what the roll-back could not take back."""
    return Refused("%s Not taken back: %s." % (error, "; ".join(left))) if left else error
