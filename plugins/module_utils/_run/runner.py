# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a module runs: arguments in, one result out. Knows no noun and no kernel call.

params -> wants -> `execution` -> result. All items are validated before anything is read or changed.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
from typing import Any, Callable, Dict, Iterator, List, Mapping, Protocol, Sequence, Tuple, TypeVar

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Lacking, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.kernel_api import Kernel, Opener, Source
from ansible_collections.linuxnet.containers.plugins.module_utils._run import execution
from ansible_collections.linuxnet.containers.plugins.module_utils._run.execution import execute
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Resource
from ansible_collections.linuxnet.containers.plugins.module_utils._run.results import failures, summary
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.plugins.module_utils._run.validation import items

Outcome = TypeVar("Outcome")


def argument_spec(resource: Resource[Any, Any]) -> Dict[str, Any]:
    """Return the module's argument spec: the item's options, none of them required, ``aggregate``, and what earlier tasks of a role
    would have done."""
    spec = {
        name: {key: value for key, value in option.items() if key != "required"}
        for name, option in resource.options.items()
    }
    spec["aggregate"] = {"type": "list", "elements": "dict"}
    spec["netns_anew"] = spec["links_gone"] = {"type": "list", "elements": "str"}
    return spec


@contextlib.contextmanager
def without_collecting() -> Iterator[None]:
    """A block in which Python does not look for reference cycles: it would look through thousands of objects again and again."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def attempt(
    work: Callable[[AnsibleModule], Tuple[Outcome, List[str]]], **arguments: Any
) -> Tuple[AnsibleModule, Outcome]:
    """Return the module with these ``arguments``, and what ``work`` returns for it, its warnings given; a refusal ends the module."""
    module = AnsibleModule(supports_check_mode=True, **arguments)
    try:
        outcome, warnings = work(module)
    except Lacking as error:
        text = missing_required_lib(error.missing) if error.missing in ("pyroute2", "netaddr") else str(error)
        module.fail_json(msg=text, missing=error.missing)
    except Refused as error:
        module.fail_json(msg=str(error))
    for warning in warnings:
        module.warn(warning)
    return module, outcome


@without_collecting()
def run(resource: Resource[Any, Any], opened: Opener) -> None:
    """Be the module of a resource: read the arguments, do the work on a kernel that is ``opened``, exit."""

    def work(module: AnsibleModule) -> Tuple[List[Dict[str, Any]], List[str]]:
        wants = items(resource, module.params)
        opened.require()
        with opened() as kernel:
            resource.require(wants, kernel)
            foreseen = [module.params[name] or () for name in ("netns_anew", "links_gone")]
            return execute(resource, wants, kernel, module.check_mode, *foreseen)

    required = [[*resource.identity, "aggregate"]]
    _finish(*attempt(work, argument_spec=argument_spec(resource), required_one_of=required))


def look(
    options: Mapping[str, Any],
    report: Callable[[Source, Mapping[str, Any]], Tuple[Dict[str, Any], List[str]]],
    opened: Opener,
) -> None:
    """Be a module that only reads: ``report`` has what it returns, and warnings."""

    def work(module: AnsibleModule) -> Tuple[Dict[str, Any], List[str]]:
        opened.require()
        with opened() as kernel:
            return report(kernel, module.params)

    module, found = attempt(work, argument_spec=dict(options))
    module.exit_json(changed=False, **found)


def _finish(module: AnsibleModule, results: Sequence[Dict[str, Any]]) -> None:
    failed = [result for result in results if result.get("failed")]
    if module.params["aggregate"] is None:
        if failed:
            module.fail_json(**failed[0])
        module.exit_json(**results[0])
    outcome = {**summary(results), "results": results}
    if failed:
        module.fail_json(msg=failures(results), **outcome)
    module.exit_json(**outcome)


Results = Dict[str, Dict[str, List[Dict[str, Any]]]]  # by half and step


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


def follow(chain: Chain, kernel: Kernel, check: bool) -> Tuple[Results, List[str], str]:
    """Take the steps of a chain in order, as `execution.execute` takes one, up to the first that fails.

    Return (results by half and step, warnings, why it ended early, ``""`` where it did not). What is known of the host moves on with the steps, as
    with the items of one; so what is free is decided under one lock. A half that takes away is planned as a whole, as check mode
    does, so that all its links go together; of such a half all steps are taken. Where namespaces ended, the next half waits for it: they
    take with them what nobody planned.
    """
    found: Results = {half: {} for half, dummy in chain.steps}
    warnings: List[str] = []
    ended = ""
    state = State(kernel, predict=check)
    with execution.lock(kernel, not check and any(chain.resource(step).locks for dummy, step in chain.steps)):
        for half in found:
            steps = [step for one, step in chain.steps if one == half]
            whole = not check and not chain.makes(half)
            foreseen = _foreseen(chain, half, steps, State(kernel, predict=True)) if whole else {}
            beside = execution.changes(itertools.chain(*foreseen.values()))
            if not whole and not check:
                kernel.close_unnamed()
                state = State(kernel)  # what was known before may be old
            for step in steps:
                resource = chain.resource(step)
                try:
                    wants = chain.wants(half, step, found)
                except Refused as error:
                    return found, warnings, str(error)
                plans = foreseen[step] if whole else [execution.plan(resource, want, state) for want in wants]
                found[half][step], said = execution.carry_out(resource, wants, plans, kernel, state, check, beside)
                warnings.extend(warning for warning in said if warning not in warnings)
                failed = failures(found[half][step])
                if failed and not ended:
                    ended = "Step %s of %s: %s" % (step, half, failed)
                if ended and not whole:
                    break
            if ended:
                break
    return found, warnings, ended


def _foreseen(chain: Chain, half: str, steps: Sequence[str], state: State) -> Dict[str, List[execution.Planned]]:
    """Return the plans of the steps of a half, each made as if those before were carried out."""
    return {
        step: [execution.plan(chain.resource(step), want, state) for want in chain.begun(half, step)] for step in steps
    }


@without_collecting()
def run_chain(options: Mapping[str, Any], begin: Callable[[Mapping[str, Any]], Chain], opened: Opener) -> None:
    """Be a module that takes the steps of a chain: ``begin`` has it, checked, for the options."""

    def work(module: AnsibleModule) -> Tuple[Tuple[Chain, Results, str], List[str]]:
        chain = begin(module.params)
        opened.require()
        said: Sequence[str] = ()
        if chain.looks:
            with opened() as kernel:  # it keeps open what it looked at, also what is to end
                said = chain.look(kernel)
        with opened() as kernel:
            for half, step in chain.steps:
                chain.resource(step).require(chain.begun(half, step), kernel)
            found, warnings, ended = follow(chain, kernel, module.check_mode)
        return (chain, found, ended), [*said, *warnings]

    module, taken = attempt(work, argument_spec=dict(options))
    chain, found, ended = taken
    by_step: List[Dict[str, Any]] = [
        {"half": half, "step": step, "changed": any(item["changed"] for item in listed), "results": listed}
        for half, steps in found.items()
        for step, listed in steps.items()
    ]
    outcome = {**summary([item for step in by_step for item in step["results"]]), "results": by_step}
    if ended:
        module.fail_json(msg=ended, **outcome)
    module.exit_json(**outcome, **chain.summary(found))
