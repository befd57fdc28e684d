# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every resource is to the runner: options, and the four steps parse, look, plan, observe. Pure."""

from __future__ import annotations

from dataclasses import field
from typing import Any, Dict, Generic, Hashable, List, Mapping, Sequence, Tuple, TypeVar

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

STATE: Dict[str, Any] = {"state": {"type": "str", "choices": ["present", "absent"], "default": "present"}}
NETNS: Dict[str, Any] = {"netns": {"type": "str"}}


@dataclass(frozen=True)
class Plan:
    """What is to be done for one item: the object ``before`` and ``after`` as dicts (``{}`` when absent), and the ``changes``.

    ``hidden`` names attributes that the diff leaves out, because check mode cannot know them; ``extra`` are further results.
    """

    before: Mapping[str, Any]
    after: Mapping[str, Any]
    changes: Tuple[Change, ...] = ()
    warnings: Tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    hidden: Tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        return any(step.writes for step in self.changes)


Sides = Tuple[Mapping[str, Any], Mapping[str, Any]]  # of a diff: before, after


def brief(sides: Sides, usual: Mapping[str, Any], follows: Mapping[str, str]) -> Sides:
    """Return the two sides of a diff without what says nothing new.

    Of an object that is made, or goes, the attributes that are as ``usual`` are left out, and those that one of ``follows`` tells; of one that
    changes, those that follow from another one that changes as well. So what changes by itself is shown, whatever it is.
    """
    before, after = sides
    if set(usual).isdisjoint(set(before) & set(after)):  # one side has no object, or other things that go with it
        made = [{name for name, value in side.items() if name in usual and value == usual[name]} for side in sides]
        left_out = {*follows}.union(*made)
    else:
        left_out = {name for name, of in follows.items() if before.get(of) != after.get(of)}
    before, after = ({name: side[name] for name in side if name not in left_out} for side in sides)
    return before, after


Want = TypeVar("Want")
Have = TypeVar("Have")


class Resource(Generic[Want, Have]):
    """One noun. ``options`` is the argument spec of one item, ``rules`` the further arguments of the validator.

    ``identity`` names the options without any of which a task needs ``aggregate``.
    """

    noun: str
    options: Dict[str, Any]
    rules: Dict[str, Any] = {}
    identity: Tuple[str, ...] = ("name",)

    def parse(self, params: Mapping[str, Any]) -> Want:
        """Return the want that validated ``params`` mean, in canonical form. Raises `Invalid`."""
        raise NotImplementedError

    def identities(self, want: Want) -> Sequence[Hashable]:
        """Return the keys that an item of a task takes: of each there is one thing only, which two items cannot ask for differently."""
        return ()

    def same(self, want: Want, other: Want) -> bool:
        """Return whether two items ask for the same."""
        return want == other

    def together(self, wants: Sequence[Want]) -> List[Want]:
        """Return the wants of one task, each with what it must know of the other ones. Raises `Invalid`."""
        return list(wants)

    def require(self, wants: Sequence[Want], source: Any) -> None:
        """Raise `Lacking` where the host has not the programs that the wants need, before anything is done. ``source`` is the kernel that
        the module handed the runner."""

    def ask(self, wants: Sequence[Want], source: Any) -> None:
        """Have ``source`` ask those who may not answer as long as the host is locked."""

    def resolved(self, want: Want, state: State) -> Want:
        """Return the want with the own names of the interfaces that are named in it: an alternative name (`ip link property`) means what
        it means to `ip`."""
        return want

    def subject(self, want: Want) -> str:
        """Return the object in a few words, for the messages."""
        raise NotImplementedError

    def title(self, want: Want) -> str:
        """Return the object for the headers of the diff: what `subject` says, and whose it is where that does not tell."""
        return self.subject(want)

    def effect(self, want: Want, plan: Plan) -> Sides:
        """Return what a plan does as the diff tells it to who asks for no details: a line an effect, and nothing that follows from another line. The
        values of a tuple have a line each."""
        return plan.before, plan.after

    def look(self, want: Want, state: State) -> Have:
        """Return what the host has of what is wanted, and all else that `plan` needs to know. Raises `Refused` for a parent that is
        missing."""
        raise NotImplementedError

    def plan(self, want: Want, have: Have) -> Plan:
        """Return what is to be done; a pure function of its arguments. Raises `Refused`."""
        raise NotImplementedError

    def observe(self, want: Want, after: Dict[str, Any], state: State) -> Dict[str, Any]:
        """Return ``after`` with what only the finished run can know."""
        return after
