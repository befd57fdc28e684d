# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hall: every request of every module takes the same way through here. Knows no noun and no kernel call.

params -> want -> have -> plan -> apply -> result. All items are validated before the first change; an item that fails is
rolled back and does not stop the others; check mode is the same way without apply.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
from typing import (
    Any,
    Callable,
    ContextManager,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    Optional,
    Protocol,
    Sequence,
    Tuple,
    TypeVar,
)

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError, Lacking, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.kernel_api import Kernel, Opener, Source
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import show
from ansible_collections.linuxnet.containers.plugins.module_utils._run.prediction import advance_all, begin
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan, Resource
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.plugins.module_utils._run.validation import items

Outcome = TypeVar("Outcome")


class Chain(Protocol):
    """Steps that one module takes in order, each the items of a resource. They come in halves."""

    @property
    def steps(self) -> Sequence[Tuple[str, str]]:
        """Return (half, step), in order."""

    @property
    def looks(self) -> bool:
        """Return whether there are more steps, which `look` has to find first."""

    def look(self, source: Source) -> Sequence[str]:
        """Find those steps in what is there, which no step has changed yet. Return warnings."""

    def makes(self, half: str) -> bool:
        """Return whether a half makes things; else it takes them away."""

    def resource(self, step: str) -> Resource[Any, Any]:
        """Return the resource that takes a step."""

    def begun(self, half: str, step: str) -> Sequence[Any]:
        """Return the wants of a step as far as they are known before the first one."""

    def wants(self, half: str, step: str, results: Mapping[str, Mapping[str, Any]]) -> Sequence[Any]:
        """Return the wants of a step, given the results of those before it. Raises `Refused`."""

    def summary(self, results: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
        """Return what the module returns besides the results."""


def argument_spec(resource: Resource[Any, Any]) -> Dict[str, Any]:
    """Return the module's argument spec: the item's options, none of them required, ``aggregate``, and what the chain tells."""
    spec = {
        name: {key: value for key, value in option.items() if key != "required"}
        for name, option in resource.options.items()
    }
    spec["aggregate"] = {"type": "list", "elements": "dict"}
    spec["netns_anew"] = spec["links_gone"] = {"type": "list", "elements": "str"}
    return spec


def execute(
    resource: Resource[Any, Any],
    wants: Sequence[Any],
    kernel: Kernel,
    check: bool,
    anew: Sequence[str] = (),
    gone: Sequence[str] = (),
) -> Tuple[List[Dict[str, Any]], List[str]]:
    """Plan all wants, then (unless ``check``) carry the plans out. Return (a result an item, warnings).

    ``anew``: names of namespaces that an earlier task would have made anew, ``gone``: of the host's interfaces that one would have
    removed; of use in check mode only.
    """
    with _lock(kernel, resource.locks and not check):
        state = begin(kernel, check, anew, gone)
        return _taken(resource, wants, [_planned(resource, want, state) for want in wants], kernel, state, check)


def follow(
    chain: Chain, kernel: Kernel, check: bool
) -> Tuple[Dict[str, Dict[str, List[Dict[str, Any]]]], List[str], str]:
    """Take the steps of a chain in order, as `execute` takes one, up to the first that fails.

    Return (results by half and step, warnings, why it ended early, ``""`` where it did not). What is known of the host moves on with the steps, as
    with the items of one; so what is free is decided under one lock. A half that takes away is planned as a whole, as check mode
    does, so that all its links go together; of such a half all steps are taken. Where namespaces ended, the next half waits for it: they
    take with them what nobody planned.
    """
    results: Dict[str, Dict[str, List[Dict[str, Any]]]] = {half: {} for half, dummy in chain.steps}
    warnings: List[str] = []
    ended = ""
    state = State(kernel, predict=check)
    with _lock(kernel, not check and any(chain.resource(step).locks for dummy, step in chain.steps)):
        for half in results:
            steps = [step for one, step in chain.steps if one == half]
            whole = not check and not chain.makes(half)
            foreseen = _foreseen(chain, half, steps, State(kernel, predict=True)) if whole else {}
            beside = _changes(itertools.chain(*foreseen.values()))
            if not whole and not check:
                kernel.close_unnamed()
                state = State(kernel)  # what was known before may be old
            for step in steps:
                resource = chain.resource(step)
                try:
                    wants = chain.wants(half, step, results)
                except Refused as error:
                    return results, warnings, str(error)
                plans = foreseen[step] if whole else [_planned(resource, want, state) for want in wants]
                results[half][step], said = _taken(resource, wants, plans, kernel, state, check, beside)
                warnings.extend(warning for warning in said if warning not in warnings)
                failed = _failures(results[half][step])
                if failed and not ended:
                    ended = "Step %s of %s: %s" % (step, half, failed)
                if ended and not whole:
                    break
            if ended:
                break
    return results, warnings, ended


def _foreseen(chain: Chain, half: str, steps: Sequence[str], state: State) -> Dict[str, List[Any]]:
    """Return the plans of the steps of a half, each made as if those before were carried out."""
    return {step: [_planned(chain.resource(step), want, state) for want in chain.begun(half, step)] for step in steps}


def _lock(kernel: Kernel, needed: bool) -> ContextManager[None]:
    return kernel.locked() if needed else contextlib.nullcontext()


def _taken(
    resource: Resource[Any, Any],
    wants: Sequence[Any],
    plans: Sequence[Any],
    kernel: Kernel,
    state: State,
    check: bool,
    beside: Sequence[Change] = (),
) -> Tuple[List[Dict[str, Any]], List[str]]:
    """Carry the plans of all wants out (unless ``check``). Return (a result an item, warnings). ``beside``: see `_carried_out`."""
    errors = [plan if isinstance(plan, Refused) else None for plan in plans]
    if not check:
        errors = _carried_out(kernel, plans, errors, beside)
        state.outdate(_changes(plans))
    results, warnings = [], state.warnings
    fresh = State(kernel)
    for want, plan, error in zip(wants, plans, errors):
        subject = resource.subject(want)
        if error is not None:
            results.append(
                {
                    "changed": False,
                    "failed": True,
                    "msg": str(error),
                    "item": subject,
                    **({"missing": error.missing} if isinstance(error, Lacking) else {}),
                }
            )
            continue
        after = dict(plan.after) if check else resource.observe(want, dict(plan.after), fresh)
        commands = [str(line) for step in plan.changes for line in step.commands()]
        results.append(
            {
                "changed": plan.changed,
                "before": dict(plan.before),
                "after": after,
                "diff": _diff(subject, plan),
                "commands": commands,
                **plan.facts,
            }
        )
        warnings.extend(warning for warning in plan.warnings if warning not in warnings)
    return results, warnings


def _planned(resource: Resource[Any, Any], want: Any, state: State) -> Any:
    """Return the plan for one want, or the `Refused` that says why there is none. The state moves on by the plan."""
    try:
        plan = resource.plan(want, resource.look(want, state))
        advance_all(state, plan.changes)
        return plan
    except Refused as error:
        return error
    except OSError as error:
        return KernelError(
            error.errno or 0, "read the state of %s" % resource.subject(want), getattr(error, "detail", "")
        )


def _changes(plans: Iterable[Any]) -> List[Change]:
    return [step for plan in plans if isinstance(plan, Plan) for step in plan.changes]


def _carried_out(
    kernel: Kernel, plans: Sequence[Any], errors: Sequence[Optional[Refused]], beside: Sequence[Change]
) -> List[Optional[Refused]]:
    """Carry out the plans of all items that have no error yet, and return the errors of all.

    Where they only delete, what there is to delete ``beside`` them goes along with it: see `Kernel.delete_together`. What changes firewalls is
    one transaction a place, at the end; where that is refused it is tried item by item.
    """
    steps = [step for error, plan in zip(errors, plans) if error is None for step in plan.changes]
    if steps and all(step.final for step in steps):
        kernel.delete_together([step for step in beside if step.final] or steps)
    found = [
        error or _committed(kernel, [step for step in plan.changes if step.edit is None])
        for error, plan in zip(errors, plans)
    ]
    edits = {
        place: [step for step in plan.changes if step.edit is not None]
        for place, (error, plan) in enumerate(zip(found, plans))
        if error is None
    }
    try:
        kernel.apply_together([step for steps in edits.values() for step in steps])
    except Refused:
        for place, steps in edits.items():
            try:
                kernel.apply_together(steps)
            except Refused as error:
                done = [step for step in plans[place].changes if step.edit is None]
                found[place] = _taken_back(error, _rolled_back(kernel, done))
    return found


def _committed(kernel: Kernel, changes: Sequence[Change]) -> Optional[Refused]:
    """Carry out the changes of one item. Where one fails, take back what was done and return the error."""
    done: List[Change] = []
    try:
        for step in changes:
            done.append(step)
            kernel.apply(step)
    except Refused as error:
        failed = done.pop()  # only part of it or nothing may be there
        for step in failed.undo() if failed.partial else ():
            with contextlib.suppress(Refused):
                kernel.apply(step)
        return _taken_back(error, _rolled_back(kernel, done))
    return None


def _taken_back(error: Refused, left: Sequence[str]) -> Refused:
    return Refused("%s Not taken back: %s." % (error, "; ".join(left))) if left else error


def _rolled_back(kernel: Kernel, done: Sequence[Change]) -> List[str]:
    """Undo ``done``, last first. Return what is left."""
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


def _diff(subject: str, plan: Plan) -> Dict[str, str]:
    """Return Ansible's diff: one line an attribute that changes."""
    names = list(dict.fromkeys([*plan.before, *plan.after]))
    changing = (
        [name for name in names if name not in plan.hidden and plan.before.get(name) != plan.after.get(name)]
        if plan.changed
        else []
    )
    sides = {}
    for side, values in (("before", plan.before), ("after", plan.after)):
        shown = [
            name
            for name in changing
            if name in values and (bool(plan.before) == bool(plan.after) or values[name] not in (None, "", [], {}))
        ]
        sides[side] = "".join("%s %s\n" % (name, show(values[name])) for name in shown)
    return {"before_header": subject, "after_header": subject, **sides}


@contextlib.contextmanager
def _without_collecting() -> Iterator[None]:
    """A block in which Python does not look for circles of garbage: it would look through thousands of facts again and again."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


@_without_collecting()
def run(resource: Resource[Any, Any], opened: Opener) -> None:
    """Be the module of a resource: read the arguments, do the work on a kernel that is ``opened``, exit."""

    def work() -> Tuple[List[Dict[str, Any]], List[str]]:
        wants = items(resource, module.params)
        opened.require()
        with opened() as kernel:
            resource.require(wants, kernel)
            told = [module.params[name] or () for name in ("netns_anew", "links_gone")]
            return execute(resource, wants, kernel, module.check_mode, *told)

    module = AnsibleModule(
        argument_spec=argument_spec(resource),
        required_one_of=[[*resource.identity, "aggregate"]],
        supports_check_mode=True,
    )
    _finish(module, _attempted(module, work))


@_without_collecting()
def run_chain(options: Mapping[str, Any], begin: Callable[[Mapping[str, Any]], Chain], opened: Opener) -> None:
    """Be a module that takes the steps of a chain: ``begin`` has it, checked, for the options."""

    def work() -> Tuple[Tuple[Chain, Any, str], List[str]]:
        chain = begin(module.params)
        opened.require()
        said: Sequence[str] = ()
        if chain.looks:
            with opened() as kernel:  # it keeps open what it looked at, also what is to end
                said = chain.look(kernel)
        with opened() as kernel:
            for half, step in chain.steps:
                chain.resource(step).require(chain.begun(half, step), kernel)
            results, warnings, ended = follow(chain, kernel, module.check_mode)
        return (chain, results, ended), [*said, *warnings]

    module = AnsibleModule(argument_spec=dict(options), supports_check_mode=True)
    chain, results, ended = _attempted(module, work)
    by_step = [
        {"half": half, "step": step, "changed": any(one["changed"] for one in listed), "results": listed}
        for half, steps in results.items()
        for step, listed in steps.items()
    ]
    outcome = {**_summed([one for step in by_step for one in step["results"]]), "results": by_step}
    if ended:
        module.fail_json(msg=ended, **outcome)
    module.exit_json(**outcome, **chain.summary(results))


def look(
    options: Mapping[str, Any],
    report: Callable[[Source, Mapping[str, Any]], Tuple[Dict[str, Any], List[str]]],
    opened: Opener,
) -> None:
    """Be a module that only reads: ``report`` has what it returns, and warnings."""

    def work() -> Tuple[Dict[str, Any], List[str]]:
        opened.require()
        with opened() as kernel:
            return report(kernel, module.params)

    module = AnsibleModule(argument_spec=dict(options), supports_check_mode=True)
    module.exit_json(changed=False, **_attempted(module, work))


def _attempted(module: AnsibleModule, work: Callable[[], Tuple[Outcome, List[str]]]) -> Outcome:
    """Return what ``work`` returns, its warnings given; a refusal ends the module."""
    try:
        outcome, warnings = work()
    except Lacking as error:
        text = missing_required_lib(error.missing) if error.missing in ("pyroute2", "netaddr") else str(error)
        module.fail_json(msg=text, missing=error.missing)
    except Refused as error:
        module.fail_json(msg=str(error))
    for warning in warnings:
        module.warn(warning)
    return outcome


def _finish(module: AnsibleModule, results: List[Dict[str, Any]]) -> None:
    failed = [result for result in results if result.get("failed")]
    if module.params["aggregate"] is None:
        if failed:
            module.fail_json(**failed[0])
        module.exit_json(**results[0])
    outcome = {**_summed(results), "results": results}
    if failed:
        module.fail_json(msg=_failures(results), **outcome)
    module.exit_json(**outcome)


def _summed(results: Sequence[Mapping[str, Any]]) -> Dict[str, Any]:
    """Return what the results of many items come to."""
    return {
        "changed": any(result["changed"] for result in results),
        "diff": [result["diff"] for result in results if result["changed"]],
        "commands": [line for result in results for line in result.get("commands", [])],
    }


def _failures(results: Sequence[Mapping[str, Any]]) -> str:
    """Return which items failed and why, ``""`` where none did."""
    failed = ["%s: %s" % (result["item"], result["msg"]) for result in results if result.get("failed")]
    return "%d of %d items failed. %s" % (len(failed), len(results), "; ".join(failed)) if failed else ""
