# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The backends iptables-nft and iptables-legacy: two objects of one class. Pure.

What is owned is rendered to chains (`iptables_rules`), and what there is compared with that (`iptables_difference`): so a rule that somebody
edited or took out is set right by the same lines that make it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, AbstractSet, Dict, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends import (
    iptables_foreign,
    iptables_rules,
    iptables_save,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import (
    Backend,
    Chains,
    Texts,
    format_of,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables_difference import (
    difference,
    restorable,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables_rules import (
    SHARED,
    USERS,
    IptablesRules,
    render,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables_save import (
    OURS,
    TABLES,
    Tables,
    closed,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_json import (
    Objects,
    table_of,
    tables,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables_json import (
    kind as kind_of,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import Chain, ForeignRules
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    ALLOWANCES,
    CONFINED,
    FAMILIES,
    FENCES,
    ISOLATION,
    NAT,
    PORTS,
    TUNNELS,
    VRFS,
    Allowance,
    Edit,
    NatRule,
    OwnedRules,
    PortMapping,
    edited,
    family_of,
)

if TYPE_CHECKING:
    from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.fate import Block
    from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.packets import Flow

Saved = Mapping[int, Tables]  # by address family
_NEEDED = {
    "": TABLES,
    NAT: ("nat", "mangle"),
    PORTS: ("raw", "mangle", "nat"),
    VRFS: ("nat",),
    CONFINED: ("mangle", "filter"),
    **dict.fromkeys((ISOLATION, ALLOWANCES, FENCES), ("filter",)),
    TUNNELS: ("mangle",),
}


# What chains of ours are for that tell so by how their names go on.
_PURPOSES = (("RAW", PORTS), ("FENCE", FENCES), ("TUNNEL", TUNNELS), ("VRF", VRFS), ("CONFINE", CONFINED))


def _sample(owned: IptablesRules, family: int, last: bool) -> IptablesRules:
    """Return something small of each kind whose static rules are whole, so that these show on both sides of a comparison; not of
    what goes as a whole (``last``)."""
    some, net = {4: ("192.0.2.1", "192.0.2.0/24"), 6: ("2001:db8::1", "2001:db8::/64")}[family]  # RFC 5737, RFC 3849
    ports = [
        PortMapping("tcp", some, number, number, some, bridge=bridge)
        for number, bridge in enumerate(owned.bridges or ("",), 1)
    ]
    return replace(
        owned,
        hairpins=(),
        nat_rules=(NatRule(net),) if owned.whole(NAT, family) and not last else (),
        port_mappings=tuple(
            mapping
            for mapping in (*ports, replace(ports[0], vrf=True))
            if owned.whole(mapping.kind, family) and not last
        ),
        isolations=tuple(
            one if owned.whole(CONFINED, family) else replace(one, vrf=False)
            for one in (owned.isolations if owned.whole(ISOLATION, family) else ())
        ),
        allowances=owned.allowances if owned.whole(ALLOWANCES, family) else (),
        fences=owned.fences if owned.whole(FENCES, family) and not last else (),
        tunnels=owned.tunnels if owned.whole(TUNNELS, family) else (),
    )


class Iptables(Backend):
    """One kind of iptables, through iptables-save and iptables-restore: a transaction a table and address family."""

    option = program = package = "iptables"
    oldest = (1, 8, 9)
    wildcard = "+"

    def __init__(self, kind: str, tables: Mapping[int, str], within: Optional[Backend] = None) -> None:
        """``tables``: by address family, what is in front of a table's name where it is named fully."""
        self.kind = kind
        self.name = "iptables-%s" % kind
        self.listing = "the rules of %s" % self.name
        self.within = within
        self._tables = tables
        self.programs: Dict[int, str] = {4: "iptables-%s" % kind, 6: "ip6tables-%s" % kind}

    # --- reading ---

    def parse(self, output: Texts) -> Saved:
        return {
            family: iptables_save.parse(output[program])
            for family, program in self.programs.items()
            if program in output
        }

    def nothing(self) -> Saved:
        return {family: {} for family in FAMILIES}

    def _own_tables(self) -> Set[str]:
        return {"%s %s" % (name, table) for name in self._tables.values() for table in TABLES}

    def unused(self, within: Objects) -> bool:
        return self._own_tables().isdisjoint(tables(within))

    def unseen(self, ruleset: Saved, within: Objects) -> Sequence[str]:
        listed = set(tables(within))
        return [
            "%s %s" % (name, table)
            for family, name in self._tables.items()
            for table in TABLES
            if "%s %s" % (name, table) in listed and not ruleset.get(family) and not closed(ruleset.get(family, {}))
        ]

    def format(self, ruleset: Saved) -> int:
        names = (name for tables in ruleset.values() for chains in tables.values() for name in chains)
        return format_of(names, OURS + "FORMAT-")

    def owned(self, ruleset: Saved) -> IptablesRules:
        return iptables_rules.owned(ruleset, self.programs)

    def closed(self, owned: OwnedRules, kind: str = "", family: int = 0) -> Sequence[str]:
        found = owned.closed if isinstance(owned, IptablesRules) else ()
        return [
            "%s %s" % (self._tables[where], table)
            for where, table in found
            if table in _NEEDED[kind] and family in (0, where) and (table, where) != ("raw", 6)
        ]

    def hidden(self, owned: OwnedRules, within: Objects) -> Sequence[str]:
        ours = {table_of(chain) for chain in kind_of(within, "chain") if str(chain.get("name")).startswith(OURS)}
        return [name for name in self.closed(owned) if name in ours]

    def foreign(self, ruleset: Saved, seen: Chains) -> Chains:
        return iptables_foreign.chains_of(self._tables, ruleset, seen if self.within else {})

    def chains(self, ruleset: Saved, seen: Chains) -> Chains:
        return iptables_foreign.chains_of(self._tables, ruleset, seen if self.within else {}, ours=True)

    def purpose(self, chain: Chain) -> Optional[str]:
        if chain.table not in self._own_tables() or not chain.name.startswith(OURS):
            return None
        return next((kind for word, kind in _PURPOSES if chain.name.startswith(OURS + word)), "")

    def listing_of(self, chain: Chain) -> Sequence[str]:
        name, dummy, table = chain.table.rpartition(" ")
        families = [family for family, own in self._tables.items() if own == name and table in TABLES]
        return [self.programs[families[0]], "-t", table, "-S", chain.name] if families else []

    # --- changing ---

    def transaction(self, ruleset: Saved, edits: Sequence[Edit]) -> Texts:
        after = edited(self.owned(ruleset), edits)
        shared: AbstractSet[str] = frozenset() if any(edit.reclaim for edit in edits) else SHARED
        return {
            self.programs[family]: restorable(
                difference(tables, render(family, after), shared, bare=self.within is not None)
            )
            for family, tables in ruleset.items()
        }

    def leaves(self, texts: Texts) -> bool:
        """iptables-nft makes tables on demand, and leaves them."""
        return any("-X " in text for text in texts.values())

    def leftovers(self, within: Objects) -> Texts:
        full = {table_of(value) for item in within for value in item.values() if isinstance(value, dict)}
        bare = [name for name in tables(within) if name in self._own_tables() and name not in full]
        return {NFTABLES.program: "".join("delete table %s\n" % name for name in bare)}

    def commands(
        self, edit: Edit, owned: OwnedRules, replaced: OwnedRules, last: bool
    ) -> List[Tuple[str, Sequence[str]]]:
        if edit.reclaim:
            return [(one.program, one.words) for one in replaced.unmarked]
        there = owned if isinstance(owned, IptablesRules) else IptablesRules(**vars(owned))
        lines: List[Tuple[str, Sequence[str]]] = []
        for family in there.callers:
            sample = _sample(there, family, last)
            before = replace(
                sample,
                nat_rules=(*sample.nat_rules, *replaced.nat_rules),
                port_mappings=(*sample.port_mappings, *replaced.port_mappings),
                hairpins=edit.hairpins_off if there.whole(PORTS, family) else (),
                fences=replaced.fences or sample.fences,
            )
            # The notes that there are come with the chain that has them.
            known = before.hairpins if there.whole(PORTS, family) else there.hairpins
            after = IptablesRules() if last else edited(replace(before, hairpins=known), [edit])
            steps = difference(render(family, before).tables(), render(family, after), SHARED)
            lines += [(self.programs[family], ("-t", step.table, *step.words)) for step in steps]
        return lines

    def moved_on(self, owned: OwnedRules, edit: Edit, kept: Mapping[str, Set[int]]) -> OwnedRules:
        families = set(owned.families)
        isolated = families if kept[ISOLATION] else set()
        there = {**kept, ISOLATION: isolated}
        sources = {family_of(source) for dummy, source in (*(rule.key for rule in edit.put), *edit.drop)}
        changed = {(kind, family) for kind in edit.kinds for family in families} | {(NAT, family) for family in sources}
        static = {*owned.static} - changed
        static |= {(kind, family) for kind, family in changed if family in there[kind] & families}
        return replace(owned, static=frozenset(static))

    # --- foreign rules ---

    def ways(
        self, wanted: Allowance, blocks: Sequence[Block], foreign: ForeignRules, flows: Sequence[Flow], chosen: bool
    ) -> Sequence[Tuple[Allowance, List[Block]]]:
        # Here and not above: of use only where others have rules that drop.
        from ansible_collections.linuxnet.containers.plugins.module_utils._firewall import fate

        # Ours comes behind what others have there: docker has a chain for that, FORWARD itself is touched by who chose it only.
        forward = next((block.chain for block in fate.in_the_way(blocks) if self.drops_in_filter(block.chain)), None)
        if forward is None:
            return ()
        called = any(
            (rule.verdict, rule.target, rule.matches) == ("jump", USERS, ()) and rule.lookup is None
            for rule in forward.rules
        )
        chain = foreign.chains.get((forward.table, USERS)) if called else forward if chosen else None
        if chain is None:
            return ()
        left = fate.left_with(foreign.opened(chain, chain.place), flows, blocks)
        return [(wanted, left)] if fate.doubts(left) < fate.doubts(blocks) else ()

    def drops_in_filter(self, chain: Chain) -> bool:
        return chain.name == "FORWARD" and self.owns_table(chain)

    def owns_table(self, chain: Chain) -> bool:
        return chain.table in ["%s filter" % name for name in self._tables.values()]


IPTABLES_NFT = Iptables("nft", {4: "ip", 6: "ip6"}, within=NFTABLES)
IPTABLES_LEGACY = Iptables("legacy", {4: "iptables-legacy", 6: "ip6tables-legacy"})
