# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which allowances the packets of an item need where rules of others drop them, and which stay for what shares them. Pure.

An allowance serves all that is published behind a bridge, over each protocol, and a mark both families. So what one item does not need another may:
it ends when nothing needs it, and a mark is not given where it would make something be dropped that passes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall import fate
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Backend
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.fate import Block
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import ForeignRules
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import ALLOWANCES, Allowance
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import AUTO, BACKENDS
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import questions
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

if TYPE_CHECKING:
    from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.packets import Flow
    from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.coexistence import Needing

Beside = Callable[[Allowance, Optional["Needing"]], Iterable["Needing"]]


class Passing:
    """What lets packets pass the rules of others. ``option`` is what the user said of the backend; ``beside`` returns what else an allowance
    serves, beginning with the one that it is told, if that is still there."""

    def __init__(self, option: str, ns: int, state: State, beside: Optional[Beside]) -> None:
        self._option = option
        self._known = firewalls(state)
        self._rules: ForeignRules = self._known.foreign(ns)
        self._ns, self._state = ns, state
        self._beside = beside
        self.needed: Dict[Tuple[Backend, Allowance], None] = {}
        self._settled: Dict[
            Tuple[Backend, Allowance], None
        ] = {}  # those held that what was looked at has an opinion of

    def look(self, item: Needing) -> Tuple[List[Block], Sequence[Flow]]:
        """Return what drops an item's packets with what can be allowed, which is added to ``needed``, and the packets."""
        flows = self._flows(item)
        left = fate.blocks(self._rules, flows)
        for backend in self._serving(item.allowance):
            held = self._held(backend, item.allowance)
            ways = self._ways(backend, item, left, flows)
            allowed = next((way for way in ways if held is not None and way[0].by == held.by), None)
            if allowed is None and held is not None and self.stays(backend, held):
                with_it = fate.blocks(self._rules, backend.given(held, flows))
                allowed = (held, with_it) if _harmless(left, with_it) else None
            elif allowed is None:
                allowed = next((way for way in ways if not self._harms(backend, way[0])), None)
            if held is not None:
                self._settled[backend, held] = None
            if allowed is not None:
                self.needed[backend, allowed[0]] = None
                left = allowed[1]
        return left, flows

    def ends(self, backend: Backend, held: Allowance) -> bool:
        """Return whether an allowance that is held, and that is not ``needed``, has to go."""
        return (backend, held) in self._settled or not self.stays(backend, held)

    def stays(self, backend: Backend, held: Allowance) -> bool:
        """Return whether something beside the item needs an allowance that is held."""
        return self._found("needs", backend, held, lambda other: self._needs(other, backend, held))

    def _harms(self, backend: Backend, allowance: Allowance) -> bool:
        """Return whether something passes without an allowance, and not with it."""
        return backend.by_mark and self._found(
            "harmed", backend, allowance, lambda other: self._harmed(other, backend, allowance)
        )

    def _found(self, what: str, backend: Backend, allowance: Allowance, test: Callable[[Needing], bool]) -> bool:
        """Return whether something beside passes a test. The one that did is asked first the next time."""
        if self._beside is None or not self._rules.base:
            return False
        key = self._ns, what, backend.name, allowance.key
        first = self._known.asked_first.get(key)
        found = next((other for other in self._beside(backend.held_as(allowance), first) if test(other)), None)
        if found is not None:
            self._known.asked_first[key] = found
        return found is not None

    def _needs(self, other: Needing, backend: Backend, held: Allowance) -> bool:
        flows = self._flows(other)
        left = fate.blocks(self._rules, flows)
        for one in self._serving(other.allowance):
            ways = self._ways(one, other, left, flows)
            if one is backend:
                return any(way.by == held.by for way, dummy in ways)
            left = ways[0][1] if ways else left
        return False

    def _harmed(self, other: Needing, backend: Backend, allowance: Allowance) -> bool:
        flows = self._flows(other)
        return not _harmless(fate.blocks(self._rules, flows), fate.blocks(self._rules, backend.given(allowance, flows)))

    def _flows(self, item: Needing) -> Sequence[Flow]:
        flows: Sequence[Flow] = getattr(questions, item.question)(*item.told, self._ns, self._state)
        return flows

    def _serving(self, allowance: Allowance) -> List[Backend]:
        """Return the backends that can be given it; those that mark packets come last."""
        serving = self._known.serving(self._ns)
        return [
            backend
            for backend in sorted(BACKENDS, key=lambda backend: backend.by_mark)
            if backend in serving
            and not backend.closed(self._known.index(self._ns, backend).owned, ALLOWANCES, allowance.family)
        ]

    def _held(self, backend: Backend, allowance: Allowance) -> Optional[Allowance]:
        return self._known.index(self._ns, backend).allowances.get(backend.held_as(allowance).key)

    def _ways(
        self, backend: Backend, item: Needing, left: Sequence[Block], flows: Sequence[Flow]
    ) -> Sequence[Tuple[Allowance, List[Block]]]:
        """Return the allowances of a backend that let packets pass, each with what is left in their way."""
        if not fate.in_the_way(left):
            return ()
        told = self._option == AUTO and not any(self._rules.has_tool(block.chain) for block in left)
        return backend.ways(item.allowance, left, self._rules, flows, backend is item.here or told)


def _harmless(without: Sequence[Block], with_it: Sequence[Block]) -> bool:
    """Return whether what passes without an allowance passes with it."""
    return bool(fate.in_the_way(without)) or not fate.in_the_way(with_it)
