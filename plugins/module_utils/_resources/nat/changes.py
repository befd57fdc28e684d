# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be done to firewalls, one class a step: changes of what we own in the rule set of one backend. Pure."""

from __future__ import annotations

from dataclasses import field, replace
from typing import List, Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Backend
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    ALLOWANCES,
    CONFINED,
    FENCES,
    ISOLATION,
    PORTS,
    SPOOFING,
    TUNNELS,
    UNREADABLE,
    UPLINKS,
    Allowance,
    Edit,
    Fence,
    Isolation,
    NatRule,
    OwnedRules,
    PortMapping,
    SpoofCheck,
    Tunnel,
    Uplink,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import DEFAULT
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.commands import Command, command
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsRef


class FirewallChange(Change):
    """A change of what we own in one ``backend``. ``owned`` is what there was before; ``last``: there is nothing afterwards."""

    ns: NsRef
    backend: Backend
    owned: OwnedRules
    last = False

    def edited(self) -> Edit:
        """Return what is changed."""
        raise NotImplementedError

    @property
    def edit(self) -> Edit:
        return self.edited()

    def replaced(self) -> OwnedRules:
        """Return what the edit replaces or removes of what we own."""
        return OwnedRules()

    def commands(self) -> List[Command]:
        typed = self.backend.commands(self.edited(), self.owned, self.replaced(), self.last)
        return [command(self.ns.tool(program), words) for program, words in typed]


@dataclass(frozen=True)
class PutRule(FirewallChange):
    """Add a source NAT rule, or replace one (``old``) in its place."""

    ns: NsRef
    rule: NatRule
    old: Optional[NatRule] = None
    backend: Backend = DEFAULT
    owned: OwnedRules = field(default_factory=OwnedRules, compare=False)

    def edited(self) -> Edit:
        return Edit(put=(self.rule,))

    def replaced(self) -> OwnedRules:
        return OwnedRules(nat_rules=(self.old,) if self.old else ())

    def attempt(self) -> str:
        return "%s the %s rule for %s in %s" % (
            "replace" if self.old else "add",
            self.rule.type,
            self.rule.source,
            self.ns,
        )

    def undo(self) -> Tuple[Change, ...]:
        if self.old is None:
            return (DelRule(self.ns, self.rule, backend=self.backend),)
        if self.old.out_interface == UNREADABLE:  # edited by hand: nobody knows what it said
            return ()
        return (PutRule(self.ns, replace(self.old, stopped=True), self.rule, self.backend),)


@dataclass(frozen=True)
class DelRule(FirewallChange):
    """Delete a source NAT rule."""

    ns: NsRef
    rule: NatRule
    last: bool = False
    backend: Backend = DEFAULT
    owned: OwnedRules = field(default_factory=OwnedRules, compare=False)

    def edited(self) -> Edit:
        return Edit(drop=(self.rule.key,))

    def replaced(self) -> OwnedRules:
        return OwnedRules(nat_rules=(self.rule,))

    def attempt(self) -> str:
        return "delete the %s rule for %s in %s" % (self.rule.type, self.rule.source, self.ns)

    def undo(self) -> Tuple[Change, ...]:
        if self.rule.out_interface == UNREADABLE:
            return ()
        return (PutRule(self.ns, replace(self.rule, stopped=True), backend=self.backend),)


@dataclass(frozen=True)
class SetPortMappings(FirewallChange):
    """Publish ports and end publishing others. ``localnet_on`` and ``localnet_off`` are bridges whose route_localnet this collection
    switches on or off beside it, ``hairpins_on`` and ``hairpins_off`` ports, each with its bridge, whose hairpin it does."""

    ns: NsRef
    publish: Tuple[PortMapping, ...] = ()
    unpublish: Tuple[PortMapping, ...] = ()
    owned: OwnedRules = field(default_factory=OwnedRules, compare=False)
    last: bool = False
    localnet_on: Tuple[str, ...] = ()
    localnet_off: Tuple[str, ...] = ()
    backend: Backend = DEFAULT
    hairpins_on: Tuple[Tuple[str, str], ...] = ()
    hairpins_off: Tuple[Tuple[str, str], ...] = ()
    kind: str = PORTS  # what is set right, where nothing else is changed

    def edited(self) -> Edit:
        return Edit(
            publish=self.publish,
            unpublish=self.unpublish,
            localnet_on=self.localnet_on,
            localnet_off=self.localnet_off,
            hairpins_on=self.hairpins_on,
            hairpins_off=self.hairpins_off,
            kinds=self._kinds(),
        )

    def _kinds(self) -> Tuple[str, ...]:
        """Return what it is about: all for one VRF is not about others."""
        notes = self.localnet_on or self.localnet_off or self.hairpins_on or self.hairpins_off
        kinds = {mapping.kind: None for mapping in (*self.publish, *self.unpublish)}
        return (*kinds, *([PORTS] if notes and PORTS not in kinds else [])) or (self.kind,)

    def replaced(self) -> OwnedRules:
        return OwnedRules(port_mappings=self.unpublish)

    def attempt(self) -> str:
        for verb, mappings in (("publish", self.publish), ("unpublish", self.unpublish)):
            if mappings:
                return "%s %s port %s in %s" % (verb, mappings[0].protocol, mappings[0].ports, self.ns)
        return "set right the rules for published ports in %s" % self.ns

    def commands(self) -> List[Command]:
        # A tracked flow goes on to where it went. conntrack(8) takes one port at a time.
        flows = {
            (mapping.family, mapping.ports)
            for mapping in (*self.unpublish, *self.publish)
            if mapping.protocol == "udp" and mapping.first == mapping.last
        }
        conntrack = self.ns.tool("conntrack")
        return super().commands() + [
            Command((*conntrack, "-D", "-f", "ipv%d" % family, "-p", "udp", "--orig-port-dst", port), tolerant=True)
            for family, port in sorted(flows)
        ]

    def undo(self) -> Tuple[Change, ...]:
        back = SetPortMappings(
            self.ns,
            self.unpublish,
            self.publish,
            localnet_on=self.localnet_off,
            localnet_off=self.localnet_on,
            backend=self.backend,
            hairpins_on=self.hairpins_off,
            hairpins_off=self.hairpins_on,
        )
        return (back,)


@dataclass(frozen=True)
class SetIsolation(FirewallChange):
    """Isolate a bridge, or (``new`` None) no longer."""

    ns: NsRef
    new: Optional[Isolation]
    old: Optional[Isolation] = None
    owned: OwnedRules = field(default_factory=OwnedRules, compare=False)
    last: bool = False
    backend: Backend = DEFAULT

    def edited(self) -> Edit:
        kinds = (
            (ISOLATION, CONFINED) if any(one is not None and one.vrf for one in (self.new, self.old)) else (ISOLATION,)
        )
        if self.new is not None:
            return Edit(isolate=(self.new,), kinds=kinds)
        return Edit(unisolate=(self.old.bridge,) if self.old else (), kinds=kinds)

    def replaced(self) -> OwnedRules:
        return OwnedRules(isolations=(self.old,) if self.old else ())

    def attempt(self) -> str:
        isolation = self.new or self.old
        bridge = isolation.bridge if isolation else ""
        return "%s bridge %s in %s" % ("guard" if self.new else "stop guarding", bridge, self.ns)

    def undo(self) -> Tuple[Change, ...]:
        return (SetIsolation(self.ns, self.old, self.new, backend=self.backend),)


@dataclass(frozen=True)
class SetAllowances(FirewallChange):
    """Let traffic through where foreign rules would drop it, or no longer."""

    ns: NsRef
    allow: Tuple[Allowance, ...] = ()
    disallow: Tuple[Allowance, ...] = ()
    backend: Backend = DEFAULT
    owned: OwnedRules = field(default_factory=OwnedRules, compare=False)
    last: bool = False

    def edited(self) -> Edit:
        return Edit(allow=self.allow, disallow=self.disallow, kinds=(ALLOWANCES,))

    def attempt(self) -> str:
        name = (self.allow or self.disallow)[0].name
        return "%s what is for %s in %s" % ("let through" if self.allow else "stop letting through", name, self.ns)

    def undo(self) -> Tuple[Change, ...]:
        return (SetAllowances(self.ns, self.disallow, self.allow, self.backend),)


@dataclass(frozen=True)
class SetFence(FirewallChange):
    """Keep the interfaces of others apart, which forwarding of a family joins, or (``new`` None) no longer."""

    ns: NsRef
    new: Optional[Fence]
    old: Optional[Fence] = None
    backend: Backend = DEFAULT
    owned: OwnedRules = field(default_factory=OwnedRules, compare=False)
    last: bool = False

    def edited(self) -> Edit:
        if self.new is not None:
            return Edit(fence=(self.new,), kinds=(FENCES,))
        return Edit(unfence=(self.old.family,) if self.old else (), kinds=(FENCES,))

    def replaced(self) -> OwnedRules:
        return OwnedRules(fences=(self.old,) if self.old else ())

    def attempt(self) -> str:
        return "%s the interfaces of others in %s" % ("keep apart" if self.new else "no longer keep apart", self.ns)

    def undo(self) -> Tuple[Change, ...]:
        return (SetFence(self.ns, self.old, self.new, self.backend),)


@dataclass(frozen=True)
class SetApart(FirewallChange):
    """Keep ports, each with its bridge, from the others of their bridge by a rule, or (``off``) no longer."""

    ns: NsRef
    on: Tuple[Tuple[str, str], ...] = ()
    off: Tuple[Tuple[str, str], ...] = ()
    owned: OwnedRules = field(default_factory=OwnedRules, compare=False)
    last: bool = False
    backend: Backend = DEFAULT

    def edited(self) -> Edit:
        return Edit(apart_on=self.on, apart_off=self.off, kinds=(SPOOFING,))

    def replaced(self) -> OwnedRules:
        return OwnedRules(apart=self.off)

    def attempt(self) -> str:
        port, bridge = (self.on or self.off)[0]
        return "%s %s from the other ports of %s in %s" % ("keep" if self.on else "stop keeping", port, bridge, self.ns)

    def undo(self) -> Tuple[Change, ...]:
        return (SetApart(self.ns, self.off, self.on, backend=self.backend),)


@dataclass(frozen=True)
class SetSpoofCheck(FirewallChange):
    """Check what comes in by a port of a bridge, or (``new`` None) no longer."""

    ns: NsRef
    new: Optional[SpoofCheck]
    old: Optional[SpoofCheck] = None
    owned: OwnedRules = field(default_factory=OwnedRules, compare=False)
    last: bool = False
    backend: Backend = DEFAULT

    def edited(self) -> Edit:
        if self.new is not None:
            return Edit(check=(self.new,), kinds=(SPOOFING,))
        return Edit(uncheck=(self.old.interface,) if self.old else (), kinds=(SPOOFING,))

    def replaced(self) -> OwnedRules:
        return OwnedRules(spoof_checks=(self.old,) if self.old else ())

    def attempt(self) -> str:
        check = self.new or self.old
        port = check.interface if check else ""
        return "%s what comes in by %s in %s" % ("check" if self.new else "stop checking", port, self.ns)

    def undo(self) -> Tuple[Change, ...]:
        readable = self.old if self.old is not None and self.old.mac != UNREADABLE else None
        return (SetSpoofCheck(self.ns, readable, self.new, backend=self.backend),)


@dataclass(frozen=True)
class SetUplink(FirewallChange):
    """Have answers leave by the uplink that the question came in on, or (``new`` None) no longer."""

    ns: NsRef
    new: Optional[Uplink]
    old: Optional[Uplink] = None
    owned: OwnedRules = field(default_factory=OwnedRules, compare=False)
    last: bool = False
    backend: Backend = DEFAULT

    def edited(self) -> Edit:
        if self.new is not None:
            return Edit(answer=(self.new,), kinds=(UPLINKS,))
        return Edit(unanswer=(self.old.key,) if self.old else (), kinds=(UPLINKS,))

    def replaced(self) -> OwnedRules:
        return OwnedRules(uplinks=(self.old,) if self.old else ())

    def attempt(self) -> str:
        uplink = self.new or self.old
        name = uplink.interface if uplink else ""
        return "%s what comes in by %s in %s" % ("mark" if self.new else "stop marking", name, self.ns)

    def undo(self) -> Tuple[Change, ...]:
        readable = self.old if self.old is not None and self.old.number else None
        return (SetUplink(self.ns, readable, self.new, backend=self.backend),)


@dataclass(frozen=True)
class SetTunnel(FirewallChange):
    """Have only its peers send to a VXLAN, or (``new`` None) anybody."""

    ns: NsRef
    new: Optional[Tunnel]
    old: Optional[Tunnel] = None
    owned: OwnedRules = field(default_factory=OwnedRules, compare=False)
    last: bool = False
    backend: Backend = DEFAULT

    def edited(self) -> Edit:
        if self.new is not None:
            return Edit(admit=(self.new,), kinds=(TUNNELS,))
        return Edit(unadmit=(self.old.key,) if self.old else (), kinds=(TUNNELS,))

    def replaced(self) -> OwnedRules:
        return OwnedRules(tunnels=(self.old,) if self.old else ())

    def attempt(self) -> str:
        tunnel = self.new or self.old
        vni = tunnel.vni if tunnel else 0
        return "%s VXLAN %d in %s" % ("keep all but peers from" if self.new else "open", vni, self.ns)

    def undo(self) -> Tuple[Change, ...]:
        return (SetTunnel(self.ns, self.old, self.new, backend=self.backend),)


@dataclass(frozen=True)
class TakeBack(FirewallChange):
    """Take away what somebody put among our rules. Nobody could put it there again as it was, so nothing undoes it."""

    ns: NsRef
    owned: OwnedRules = field(default_factory=OwnedRules, compare=False)
    last: bool = False
    backend: Backend = DEFAULT

    def edited(self) -> Edit:
        # What is published so is named besides, for whoever sees to the connections.
        return Edit(reclaim=True, unpublish=tuple(one for one in self.owned.port_mappings if not one.owner))

    def replaced(self) -> OwnedRules:
        return OwnedRules(unmarked=self.owned.unmarked, beside=self.owned.beside)

    def attempt(self) -> str:
        return "take away what was put by hand among our rules in %s" % self.ns

    def undo(self) -> Tuple[Change, ...]:
        return ()
