# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ``wiring`` does in one task: the steps of a plan, in order. Pure."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, understood
from ansible_collections.linuxnet.containers.plugins.module_utils._model.kernel_api import Source
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Resource
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import failing
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.compile import (
    compile_plan,
    publishing,
    resolved,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.purge import GATHER, purged
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.recap import recap
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.report import result
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.steps import KEEP, STEPS, WIRE, Plan
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.validation import resource_of, wants_of

_OF_NAT = {step.name for step in STEPS if step.module == "nat"}
_LEFT = {"by_hand": "keep"}  # what people put among our rules, but where an item says otherwise
_NAMES = 50  # of a container's interfaces; its root can make any number, and a new namespace has some that are nobody's
Results = Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]  # by half and step


class Steps:
    """The steps for the module's options; or of a ``plan`` that was compiled before, up to the ``last`` one (half, step). Raises `Invalid` or
    `Lacking` when it is made.

    ``needs_survey``: with purge there may be more of them, which `survey` finds. ``order`` is (half, step), in order. ``keeps``: the host keeps a
    plan, which what is listed may be in.
    """

    def __init__(
        self,
        params: Mapping[str, Any],
        plan: Optional[Plan] = None,
        last: Optional[Tuple[str, str]] = None,
        keeps: bool = False,
    ) -> None:
        self._params = params
        self._last = last
        self.needs_survey = bool(params.get("purge"))
        if plan is None:
            persist = True if params.get("persist") else False if keeps else None
            plan = compile_plan(
                params["networks"],
                params["containers"],
                params["state"],
                persist,
                bool(params.get("purge")),
                params.get("drift") or "ignore",
                params.get("fleet"),
                params.get("underlay_address"),
                params.get("slice"),
                params.get("links"),
            )
        self._take_up(plan)

    def _take_up(self, plan: Plan) -> None:
        """Make a plan the one whose steps are taken."""
        backend = {"backend": self._params["firewall_backend"]}
        common = {**{step: {**_LEFT, **backend} for step in _OF_NAT}, KEEP: backend}
        self._plan = {
            half: {
                step: [{**common[step], **item} for item in items] if step in common else items
                for step, items in steps.items()
            }
            for half, steps in plan.items()
        }
        self.order: List[Tuple[str, str]] = [
            (half, step) for half, steps in self._plan.items() for step, items in steps.items() if items
        ]
        if self._last:
            del self.order[self.order.index(self._last) + 1 :]
        self._wants = {
            (half, step): wants_of(self._plan, step, resolved(self._plan[half][step], None))
            for half, step in self.order
        }

    @property
    def plan(self) -> Plan:
        """Return the plan whose steps are taken."""
        return self._plan

    def survey(self, source: Source, state: Optional[State] = None) -> List[str]:
        """Add to the teardown what the role made on the host and nobody lists. Return warnings."""
        from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import survey  # of use to few tasks

        wiring, warnings = survey.gathered(source, GATHER, limit=0, names=_NAMES, state=state)
        plan, kept = purged(self._plan, self._params["networks"], self._params["containers"], wiring)
        self._take_up(plan)
        return [*warnings, *kept]

    @staticmethod
    def makes(half: str) -> bool:
        return half == WIRE

    @staticmethod
    def resource(step: str) -> Resource[Any, Any]:
        return resource_of(step)

    def foreseen_wants(self, half: str, step: str) -> List[Any]:
        """Return the wants of a step as far as they are known before the first step, a published port's with any address."""
        return self._wants[half, step]

    def able(self, half: str, step: str, results: Results) -> Optional[List[int]]:
        """Return the numbers of the items of a step that stand on nothing that failed before, None where the step has nothing to do."""
        idle = (half, step) == (WIRE, "publish") and not publishing(
            self._plan[half][step], results[half].get("nat", ()), results[half].get("address", ())
        )
        return None if idle else failing.able(self._plan, half, step, results)

    def wants(self, half: str, step: str, results: Results, able: Sequence[int]) -> List[Any]:
        """Return the wants of the items of a step that are ``able``, given the results of the steps before it. Raises `Invalid`."""
        items = self._plan[half][step]
        chosen = [items[number] for number in able]
        filled = resolved(chosen, results[half].get("address", ())) if step == "publish" else chosen
        return self._wants[half, step] if filled == items else wants_of(self._plan, step, filled)

    def failure(self, results: Results) -> str:
        return failing.message(self._plan, results)

    def summary(self, results: Results) -> Dict[str, Any]:
        return {
            "wiring_result": result(results.get(WIRE, {}), self._plan[WIRE]["join"]),
            "wiring_recap": recap(self._plan, results),
        }


def foreseeing(plan: Mapping[str, Any], step: Sequence[str]) -> Steps:
    """Return the steps of a compiled plan up to one of them (half, step). ``plan`` has the ``backend`` of its rules besides its halves."""
    with understood(Invalid, "plan: what the step was told, which is no plan of the role's,"):
        halves = {half: planned for half, planned in plan.items() if half != "backend"}
        steps = Steps({"firewall_backend": plan["backend"]}, halves, (step[0], step[1]))
        failed = {"failed": True, "item": "", "msg": ""}
        failing.message(
            halves, {half: {name: [failed] * len(items) for name, items in halves[half].items()} for half in halves}
        )
        return steps
