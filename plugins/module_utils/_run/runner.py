# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a module runs: arguments in, one result out. Knows no noun and no kernel call.

params -> wants -> `execution` -> result. All items are validated before anything is read or changed.
"""

from __future__ import annotations

import contextlib
import gc
import json
import sys
import traceback
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, TypeVar

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible_collections.linuxnet.containers.plugins.module_utils._model.commands import visible
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import (
    Lacking,
    Refused,
    fault,
    of_host,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.kernel_api import Opener, Source
from ansible_collections.linuxnet.containers.plugins.module_utils._run.execution import execute
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Resource
from ansible_collections.linuxnet.containers.plugins.module_utils._run.results import failures, readable, summary
from ansible_collections.linuxnet.containers.plugins.module_utils._run.validation import countable, items

Outcome = TypeVar("Outcome")
Params = Mapping[str, Any]
Foreseen = Tuple[List[Dict[str, Any]], List[str]]  # results, warnings
Foresight = Callable[[Params, bool], Foreseen]  # of the options, and whether in detail


def argument_spec(resource: Resource[Any, Any]) -> Dict[str, Any]:
    """Return the module's argument spec: the item's options, none of them required, ``aggregate``, and what check mode is told of earlier tasks: of a
    chain what they would make anew and remove, of the role the plan of which this is a step."""
    spec = {
        name: {key: value for key, value in option.items() if key != "required"}
        for name, option in resource.options.items()
    }
    spec["aggregate"] = {"type": "list", "elements": "dict"}
    spec["netns_anew"] = spec["links_gone"] = spec["step"] = {"type": "list", "elements": "str"}
    spec["plan"] = {"type": "dict"}
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


@contextlib.contextmanager
def answering() -> Iterator[None]:
    """A block that ends the module with a result, whatever is raised in it: the last line of defence. What is no refusal is a fault of ours, and says so.

    It says so by itself: whatever is broken, Ansible's own code may be part of it.
    """
    try:
        yield
    except Exception as error:
        result = {"failed": True, "msg": readable(fault(error)), "exception": readable(traceback.format_exc())}
        sys.stdout.write("\n%s\n" % json.dumps(result))
        raise SystemExit(1) from None


class _Module(AnsibleModule):  # type: ignore[misc]
    """A module whose arguments ``convert`` turns to those that Ansible validates. What it refuses ends the module in its words, as does what Ansible
    itself cannot read or convert."""

    params: Mapping[str, Any]

    def __init__(self, convert: Callable[[Mapping[str, Any]], Mapping[str, Any]], **arguments: Any) -> None:
        self._convert = convert
        self._options = arguments["argument_spec"]
        super().__init__(supports_check_mode=True, **arguments)

    def _load_params(self) -> None:
        self.params = {}
        try:
            super()._load_params()
        except Exception as error:  # Ansible's own: texts that are no Unicode, for one
            why = readable(str(error.__cause__ or error)).rstrip(".")
            self.fail_json(msg="Ansible could not read the arguments of the task: %s." % why)
        with answering():
            try:
                self.params = self._convert(self.params)
                countable(self.params, self._options)
            except Refused as error:
                self.fail_json(msg=readable(str(error)))

    def _log_invocation(self) -> None:
        with contextlib.suppress(
            UnicodeError
        ):  # what is no Unicode cannot be logged; before ansible-core 2.19 it comes up to here
            super()._log_invocation()


def attempt(
    work: Callable[[AnsibleModule], Tuple[Outcome, List[str]]],
    opened: Opener,
    convert: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict,
    **arguments: Any,
) -> Tuple[AnsibleModule, Outcome]:
    """Return the module with these ``arguments``, and what ``work`` returns for it, its warnings given; a refusal ends the module.

    ``work`` finds out what is lacking before it reads or changes anything. ``convert`` is asked before Ansible validates what a task says.
    """
    module = _Module(convert, **arguments)  # what Ansible itself raises is Ansible's
    with answering():
        try:
            outcome, warnings = work(module)
        except Lacking as error:
            opened.run_again(error.missing)
            text = missing_required_lib(error.missing) if str(error) == error.missing else str(error)
            module.fail_json(msg=readable(text), missing=error.missing)
        except Refused as error:
            module.fail_json(msg=readable(str(error)))
        except (OSError, MemoryError) as error:
            module.fail_json(msg=readable(str(of_host(error, "read the state of this host"))))
        for warning in warnings:
            module.warn(visible(warning))
    return module, outcome


@without_collecting()
def run(
    resource: Resource[Any, Any],
    opened: Opener,
    foresight: Optional[Foresight] = None,
    beside: Callable[[], Mapping[str, Any]] = dict,
) -> None:
    """Be the module of a resource: read the arguments, do the work on a kernel that is ``opened``, exit. Where check mode is told
    the plan that the task is a step of, ``foresight`` says what it does, as if the steps before it were carried out. ``beside`` has what else a step
    of the role returns."""

    def work(module: AnsibleModule) -> Foreseen:
        wants = items(resource, module.params)
        opened.require()
        with opened() as kernel:
            resource.require(wants, kernel)
            if foresight is not None and module.check_mode and module.params["plan"]:
                with kernel.locked(check=True):
                    return foresight(module.params, in_detail(module))
            anew, gone = (module.params[name] or () for name in ("netns_anew", "links_gone"))
            return execute(resource, wants, kernel, module.check_mode, anew, gone, details=in_detail(module))

    required = [[*resource.identity, "aggregate"]]
    module, results = attempt(work, opened, argument_spec=argument_spec(resource), required_one_of=required)
    told = beside() if module.params["step"] else {}
    leave(module, lambda: {**_result(module, results), **told})


def in_detail(module: AnsibleModule) -> bool:
    """Return whether the diff is to have every attribute that changes: with ``-v``, as Ansible then shows results as well."""
    return bool(module._verbosity)


def run_info(
    options: Mapping[str, Any],
    report: Callable[[Source, Mapping[str, Any]], Tuple[Dict[str, Any], List[str]]],
    opened: Opener,
    besides: Callable[[], Params],
) -> None:
    """Be a module that only reads: ``report`` has what it returns, and warnings; ``besides`` what it returns, too."""

    def work(module: AnsibleModule) -> Tuple[Dict[str, Any], List[str]]:
        opened.require()
        with opened() as kernel:
            found, warnings = report(kernel, module.params)
            return {**besides(), **found}, warnings

    module, found = attempt(work, opened, argument_spec=dict(options))
    leave(module, lambda: {"changed": False, **readable(found)}, fails=False)


def leave(module: AnsibleModule, result: Callable[[], Dict[str, Any]], fails: bool = True) -> None:
    """End the module with its result, which ``fails`` where it has a ``msg``; with a sentence where there is no memory for it."""
    with answering():
        try:
            found = result()
            if fails and "msg" in found:
                module.fail_json(**found)
            module.exit_json(**found)
        except MemoryError as error:
            module.fail_json(msg=str(of_host(error, "say what was done; the next run does")))


def _result(module: AnsibleModule, results: Sequence[Dict[str, Any]]) -> Dict[str, Any]:
    """Return what the module returns: with ``aggregate`` the results of all items."""
    results = readable(results)
    if module.params["aggregate"] is None:
        return results[0]
    outcome = {**summary(results), "results": results}
    if any(result.get("failed") for result in results):
        outcome["msg"] = failures(results)
    return outcome
