# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be done to firewalls, one class a step: changes of what we hold in one place. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import List, Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends import (
    iptables,
    nftables,
    nftables_snat,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    NFTABLES,
    Contents,
    Edit,
    Element,
    Guard,
    NatRule,
    Passage,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.commands import Command, command
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import walls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.prediction import advance
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State


class FirewallChange(Change):
    """A change of what we hold in one ``place``. ``there`` is what was held there before; ``last``: nothing is afterwards."""

    ns: NsRef
    place: str
    there: Contents
    last = False

    def edited(self) -> Edit:
        """Return what is changed."""
        raise NotImplementedError

    @property
    def edit(self) -> Edit:
        return self.edited()

    def replaced(self) -> Contents:
        """Return what the edit replaces or removes of what is there."""
        return Contents()

    def commands(self) -> List[Command]:
        edit = self.edited()
        if self.place == NFTABLES:
            lines = [
                *nftables_snat.typed(edit, self.replaced().rules, self.last),
                *nftables.typed(edit, self.there, self.last),
            ]
            return [command(self.ns.tool("nft"), line) for line in dict.fromkeys(lines)]
        suffix = self.place[len("iptables") :]  # of the program's name
        typed = iptables.typed(edit, self.there, self.replaced(), self.last)
        return [command(self.ns.tool(program + suffix), words) for program, words in typed]


@advance.register(FirewallChange)
def _advance(step: FirewallChange, state: State) -> None:
    walls(state).table(state.need(step.ns), step.place).advance(step.edit)


@dataclass(frozen=True)
class PutRule(FirewallChange):
    """Add a NAT rule of ours, or replace one (``old``) in its place."""

    ns: NsRef
    rule: NatRule
    old: Optional[NatRule] = None
    place: str = NFTABLES
    there: Contents = field(default_factory=Contents, compare=False)

    def edited(self) -> Edit:
        return Edit(put=(self.rule,))

    def replaced(self) -> Contents:
        return Contents(rules=(self.old,) if self.old else ())

    def attempt(self) -> str:
        return "%s the %s rule for %s in %s" % (
            "replace" if self.old else "add",
            self.rule.type,
            self.rule.source,
            self.ns,
        )

    def undo(self) -> Tuple[Change, ...]:
        if self.old:
            return (PutRule(self.ns, self.old, self.rule, self.place),)
        return (DelRule(self.ns, self.rule, place=self.place),)


@dataclass(frozen=True)
class DelRule(FirewallChange):
    """Delete a NAT rule of ours."""

    ns: NsRef
    rule: NatRule
    last: bool = False
    place: str = NFTABLES
    there: Contents = field(default_factory=Contents, compare=False)

    def edited(self) -> Edit:
        return Edit(drop=(self.rule.key,))

    def replaced(self) -> Contents:
        return Contents(rules=(self.rule,))

    def attempt(self) -> str:
        return "delete the %s rule for %s in %s" % (self.rule.type, self.rule.source, self.ns)

    def undo(self) -> Tuple[Change, ...]:
        return (PutRule(self.ns, self.rule, place=self.place),)


@dataclass(frozen=True)
class SetElements(FirewallChange):
    """Publish ports and end publishing others. ``opened`` and ``closed`` are bridges whose route_localnet this collection switches
    on or off beside it."""

    ns: NsRef
    add: Tuple[Element, ...] = ()
    remove: Tuple[Element, ...] = ()
    there: Contents = field(default_factory=Contents, compare=False)
    last: bool = False
    opened: Tuple[str, ...] = ()
    closed: Tuple[str, ...] = ()
    place: str = NFTABLES

    def edited(self) -> Edit:
        return Edit(add=self.add, remove=self.remove, open=self.opened, close=self.closed, parts=("publish",))

    def replaced(self) -> Contents:
        return Contents(elements=self.remove)

    def attempt(self) -> str:
        one = (self.add or self.remove)[0]
        return "%s %s port %s in %s" % ("publish" if self.add else "unpublish", one.protocol, one.ports, self.ns)

    def commands(self) -> List[Command]:
        # A tracked flow goes on to where it went. conntrack(8) takes one port at a time.
        flows = {
            (one.family, one.ports)
            for one in (*self.remove, *self.add)
            if one.protocol == "udp" and one.first == one.last
        }
        conntrack = self.ns.tool("conntrack")
        return super().commands() + [
            Command((*conntrack, "-D", "-f", "ipv%d" % family, "-p", "udp", "--orig-port-dst", port), tolerant=True)
            for family, port in sorted(flows)
        ]

    def undo(self) -> Tuple[Change, ...]:
        back = SetElements(self.ns, self.remove, self.add, opened=self.closed, closed=self.opened, place=self.place)
        return (back,)


@dataclass(frozen=True)
class SetGuard(FirewallChange):
    """Guard a bridge, or (``new`` None) no longer."""

    ns: NsRef
    new: Optional[Guard]
    old: Optional[Guard] = None
    there: Contents = field(default_factory=Contents, compare=False)
    last: bool = False
    place: str = NFTABLES

    def edited(self) -> Edit:
        if self.new is not None:
            return Edit(guard=(self.new,), parts=("guard",))
        return Edit(unguard=(self.old.bridge,) if self.old else (), parts=("guard",))

    def attempt(self) -> str:
        one = self.new or self.old
        return "%s bridge %s in %s" % ("guard" if self.new else "stop guarding", one.bridge if one else "", self.ns)

    def undo(self) -> Tuple[Change, ...]:
        return (SetGuard(self.ns, self.old, self.new, place=self.place),)


@dataclass(frozen=True)
class SetPassages(FirewallChange):
    """Let traffic through where the rule set of somebody else would drop it, or no longer."""

    ns: NsRef
    let: Tuple[Passage, ...] = ()
    unlet: Tuple[Passage, ...] = ()
    place: str = NFTABLES
    there: Contents = field(default_factory=Contents, compare=False)
    last: bool = False

    def edited(self) -> Edit:
        return Edit(let=self.let, unlet=self.unlet, parts=("mark",))

    def attempt(self) -> str:
        one = (self.let or self.unlet)[0]
        return "%s what is for %s in %s" % ("let through" if self.let else "stop letting through", one.name, self.ns)

    def undo(self) -> Tuple[Change, ...]:
        return (SetPassages(self.ns, self.unlet, self.let, self.place),)
