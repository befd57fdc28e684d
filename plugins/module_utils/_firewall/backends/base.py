# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a firewall backend is: one tool's rule set, and how owned rules are read from it and written into it. Pure.

A backend runs nothing. `_kernel/programs` has what reads and writes, in texts by program, and is tied to the backends by one table. What a
backend does not understand of a rule set counts as not understood: no method but `parse` raises for it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import Chain, ForeignRules
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    Allowance,
    Edit,
    OwnedRules,
    making,
)

if TYPE_CHECKING:
    from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.fate import Block
    from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.packets import Flow

Texts = Mapping[str, str]  # by program: what it printed, or what it is to read
Ruleset = Any  # a rule set in the form that its backend has for it
# The format of our rules. Of a later one, an empty chain in one of our tables says the number, in each backend in its own spelling: its name is in every
# listing, while nft 1.0.6 shows a table's comment in none that is read here. This one, and all before it, have none.
FORMAT = 1
Chains = Dict[Tuple[str, str], Chain]  # by table, as it is named fully, and chain


class Unreadable(Exception):
    """What a tool printed is no rule set. The text says so in a few words."""


class Backend(ABC):
    """One tool's rule set.

    ``name`` is what results call it, ``option`` what users do; ``program`` and ``package`` are what has to be installed, in version
    ``oldest`` or newer; ``listing`` is what is read, in words that follow "list". ``within``: the backend whose tool lists the rules of
    this one as well. ``refuses_stale``: the tool refuses lines that were computed from rules that are not there any more. ``by_mark``: what
    it allows gets a mark, which has to pass all chains that others leave; so it is asked last. ``checks_ports``: it has a place for checks
    of what comes in by ports of bridges. ``marks_uplinks``: it has one between where ports are translated and routing. ``wildcard`` at the end of
    an interface's name means any that begins so.
    """

    name = ""
    option = ""
    program = ""
    package = ""
    oldest: Tuple[int, ...] = ()
    listing = ""
    wildcard = ""
    within: Optional[Backend] = None
    refuses_stale = False
    by_mark = False
    checks_ports = False
    marks_uplinks = False

    def __repr__(self) -> str:
        return self.name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Backend) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    # --- reading ---

    @abstractmethod
    def parse(self, output: Texts) -> Ruleset:
        """Return the rule set that the tool printed. Raises `Unreadable`."""

    @abstractmethod
    def nothing(self) -> Ruleset:
        """Return the rule set of a host on which nobody used the tool."""

    def unused(self, within: Ruleset) -> bool:
        """Return whether the rule set of the backend `within` shows that this one has no rules, so that it need not be read."""
        return False

    def unseen(self, ruleset: Ruleset, within: Ruleset) -> Sequence[str]:
        """Return the tables of this backend that the rule set of the backend `within` shows, where the tool has shown none at all: it does not work."""
        return ()

    @abstractmethod
    def format(self, ruleset: Ruleset) -> int:
        """Return the number of the format that our rules in a rule set are of."""

    @abstractmethod
    def owned(self, ruleset: Ruleset) -> OwnedRules:
        """Return what we own in a rule set."""

    def closed(self, owned: OwnedRules, kind: str = "", family: int = 0) -> Sequence[str]:
        """Return the tables that the tool can neither read nor write, since somebody put into them what it does not know: of those that a rule
        of a kind (or any) and of an address family (0: of both) needs."""
        return ()

    def hidden(self, owned: OwnedRules, within: Ruleset) -> Sequence[str]:
        """Return those of all such tables in which rules of ours are, as the rule set of the backend `within` shows."""
        return ()

    @abstractmethod
    def foreign(self, ruleset: Ruleset, seen: Chains) -> Chains:
        """Return the chains of others in a rule set. ``seen`` are those of the backends that were read before."""

    @abstractmethod
    def chains(self, ruleset: Ruleset, seen: Chains) -> Chains:
        """Return all chains in a rule set, ours as well, as `foreign` does those of others."""

    @abstractmethod
    def purpose(self, chain: Chain) -> Optional[str]:
        """Return the kind of owned rules that a chain of ours is for, ``""`` for any other chain of ours, None for what is not ours or not of this tool."""

    @abstractmethod
    def listing_of(self, chain: Chain) -> Sequence[str]:
        """Return the words of the command by which this tool lists a chain, nothing where it lists none such."""

    # --- changing ---

    @abstractmethod
    def transaction(self, ruleset: Ruleset, edits: Sequence[Edit]) -> Texts:
        """Return the texts that carry out ``edits`` on a rule set, by program; empty ones where that is so already."""

    def render(self, owned: OwnedRules) -> Texts:
        """Return the texts that make ``owned`` where there is nothing yet."""
        return self.transaction(self.nothing(), [making(owned)])

    def leaves(self, texts: Texts) -> bool:
        """Return whether the tool may leave something empty behind of what ``texts`` take away, which `leftovers` shows."""
        return False

    def leftovers(self, within: Ruleset) -> Texts:
        """Return the texts for the tool of the backend `within` that take away what this backend's tool left behind."""
        return {}

    @abstractmethod
    def commands(
        self, edit: Edit, owned: OwnedRules, replaced: OwnedRules, last: bool
    ) -> List[Tuple[str, Sequence[str]]]:
        """Return the commands that a person would type for one edit, (program, arguments). ``owned`` is what there was before it,
        ``replaced`` what it replaces or removes of that; ``last``: nothing is owned afterwards."""

    @abstractmethod
    def moved_on(self, owned: OwnedRules, edit: Edit, kept: Mapping[str, Set[int]]) -> OwnedRules:
        """Return ``owned``, in which an edit is taken as done already, with `OwnedRules.static` and what else this backend notes as
        they are after it. ``kept``: of each kind the address families of what is owned now."""

    # --- foreign rules ---

    @abstractmethod
    def ways(
        self, wanted: Allowance, blocks: Sequence[Block], foreign: ForeignRules, flows: Sequence[Flow], chosen: bool
    ) -> Sequence[Tuple[Allowance, List[Block]]]:
        """Return the allowances of which each lets packets through in this rule set, with what is left of ``blocks`` with it; the first is the usual
        one. ``chosen``: ours may be called where all of this tool's traffic passes."""

    def given(self, allowance: Allowance, flows: Sequence[Flow]) -> Sequence[Flow]:
        """Return packets as they are when this rule set has an allowance, which it may mark."""
        return flows

    def held_as(self, wanted: Allowance) -> Allowance:
        """Return an allowance as it is held in this rule set, if it is, but for what it says besides its key."""
        return wanted

    def drops_in_filter(self, chain: Chain) -> bool:
        """Return whether a chain is the one of this tool that every packet passes that is forwarded."""
        return False

    def owns_table(self, chain: Chain) -> bool:
        """Return whether a chain is in a table that filters, and that this tool makes."""
        return False


def format_of(names: Iterable[str], marked: str) -> int:
    """Return the format that the names of chains tell, ``marked`` being what is in front of its number."""
    numbers = [name[len(marked) :] for name in names if name.startswith(marked)]
    return max((int(number) for number in numbers if number.isdecimal()), default=FORMAT)
