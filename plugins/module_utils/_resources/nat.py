# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun nat: source NAT of what leaves a network. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils import _rules
from ansible_collections.linuxnet.containers.plugins.module_utils._addressing import address, network
from ansible_collections.linuxnet.containers.plugins.module_utils._changes import (
    Change,
    DelRule,
    PutFile,
    PutRule,
    SetSysctl,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._errors import Invalid, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._facts import HOST, MAIN_TABLE, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._naming import interface_name
from ansible_collections.linuxnet.containers.plugins.module_utils._resource import NETNS, STATE, Plan, Resource
from ansible_collections.linuxnet.containers.plugins.module_utils._rules import NatRule
from ansible_collections.linuxnet.containers.plugins.module_utils._state import State

# After 99-sysctl.conf (Debian's link to /etc/sysctl.conf): systemd-sysctl reads in order of name and the last one wins.
SYSCTL_FILE = "/etc/sysctl.d/99-zz-linuxnet-containers.conf"
_HEADING = "# Set by linuxnet.containers: its NAT rules need forwarding. Taken back with the last of them.\n"
_FORWARDING = {4: "net.ipv4.ip_forward", 6: "net.ipv6.conf.all.forwarding"}
_RA = 9  # RTPROT_RA: a route that router advertisements brought


@dataclass(frozen=True)
class Want:
    """``needed``: another item of the task needs forwarding of the family."""

    ns: NsRef
    rule: NatRule
    present: bool = True
    forward: bool = True
    ip_forward: bool = True
    needed: bool = False


@dataclass(frozen=True)
class Have:
    """``rule`` of the same owner and source; ``others``: how many other rules of ours the family has; ``forwarding`` the
    sysctl; ``text`` of our sysctl.d file, None where it does not count (not the host); ``ra_uplinks`` live from router
    advertisements and would lose their default route when IPv6 forwarding goes on."""

    rule: Optional[NatRule] = None
    others: int = 0
    others_at_all: int = 0
    strangers: Tuple[int, ...] = ()
    satisfied_by: str = ""
    blocked_by: Tuple[str, ...] = ()
    forwarding: Optional[str] = None
    text: Optional[str] = None
    ra_uplinks: Tuple[str, ...] = ()


class NatResource(Resource[Want, Have]):
    noun = "nat"
    identity = "source"
    programs = ("nft",)
    locks = True
    options: ClassVar[Dict[str, Any]] = {
        "type": {"type": "str", "choices": ["masquerade", "snat"], "default": "masquerade"},
        "source": {"type": "str", "required": True},
        **STATE,
        **NETNS,
        "out_interface": {"type": "str"},
        "exclude": {"type": "list", "elements": "str"},
        "to_address": {"type": "str"},
        "owner": {"type": "str", "default": "ansible"},
        "comment": {"type": "str"},
        "forward": {"type": "bool", "default": True},
        "ip_forward": {"type": "bool", "default": True},
        "backend": {"type": "str", "choices": ["auto", "nftables"], "default": "auto"},
    }
    rules = {"required_if": [["type", "snat", ["to_address"]]]}

    def parse(self, params: Mapping[str, Any]) -> Want:
        source = network(params["source"], "source")
        exclude = [network(one, "exclude") for one in params.get("exclude") or ()]
        for one in exclude:
            if one.version != source.version:
                raise Invalid("exclude: %s is not of the same address family as the source %s." % (one, source))
        to_address = ""
        if params["type"] == "masquerade" and params.get("to_address") is not None:
            raise Invalid(
                "to_address: it belongs to type: snat; masquerade takes the address of the interface that a packet leaves by."
            )
        if params["type"] == "snat":
            to = address(params["to_address"], "to_address")
            if to.version != source.version:
                raise Invalid("to_address: %s is not of the same address family as the source %s." % (to, source))
            to_address = str(to)
        out = params.get("out_interface") or ""
        if out:
            interface_name(out[1:] if out.startswith("!") else out, "out_interface")
        rule = NatRule(
            str(source),
            out,
            _rules.canonical_exclude(str(source), [str(one) for one in exclude]),
            to_address,
            params["owner"],
            params.get("comment") or "",
        )
        for option, text, pattern in (("owner", rule.owner, r'[^\s"|\\]+'), ("comment", rule.comment, r'[^"\\\n]*')):
            if not re.fullmatch(pattern, text):
                raise Invalid("%s: '%s' has a character that an nftables comment cannot carry here." % (option, text))
        if len(rule.marked.encode()) > _rules.COMMENT_BYTES:
            raise Invalid(
                "comment: owner and comment together are too long; nftables keeps %d bytes."
                % (_rules.COMMENT_BYTES - len(_rules.MARK) - 1)
            )
        return Want(
            NsRef.parse(params.get("netns")),
            rule,
            params["state"] == "present",
            params["forward"],
            params["ip_forward"],
        )

    def together(self, wants: Sequence[Want]) -> List[Want]:
        """Tell those that go whether another item of the task needs forwarding on."""
        need = {(want.ns, want.rule.family) for want in wants if want.present and want.ip_forward}
        return [replace(want, needed=(want.ns, want.rule.family) in need) for want in wants]

    def subject(self, want: Want) -> str:
        return "nat %s%s" % (want.rule.source, " in %s" % want.ns if want.ns.path else "")

    def look(self, want: Want, state: State) -> Have:
        ns = state.need(want.ns) if want.present else state.find(want.ns)
        if ns is None:
            return Have()
        on_host = ns == state.need(HOST)
        rules, objects = state.rules(ns), state.ruleset(ns)
        others = [rule for rule in rules if rule.key != want.rule.key]
        family = want.rule.family
        return Have(
            next((rule for rule in rules if rule.key == want.rule.key), None),
            sum(rule.family == family for rule in others),
            len(others),
            tuple(_rules.strangers(objects)),
            _rules.satisfied_by(objects, want.rule),
            tuple(_rules.blocked_by(objects, want.rule)) if want.forward and want.present else (),
            state.sysctl(ns, _FORWARDING[family]) if want.ip_forward else None,
            state.text(SYSCTL_FILE) if want.ip_forward and on_host else None,
            self._ra_uplinks(ns, state) if family == 6 and want.ip_forward and want.present else (),
        )

    @staticmethod
    def _ra_uplinks(ns: int, state: State) -> Tuple[str, ...]:
        uplinks = {
            route.interface
            for route in state.routes(ns, 6, MAIN_TABLE)
            if route.protocol == _RA and route.shown_destination == "default"
        }
        return tuple(sorted(name for name in uplinks if state.sysctl(ns, "net/ipv6/conf/%s/accept_ra" % name) == "1"))

    def plan(self, want: Want, have: Have) -> Plan:
        warnings = []
        if have.strangers:
            handles = ", ".join(str(handle) for handle in have.strangers)
            warnings.append(
                "Table %s has rules without the mark of this collection (handle %s); they are left alone."
                % (_rules.TABLE, handles)
            )
        if not want.present:
            return self._absent(want, have, tuple(warnings))
        if have.blocked_by:
            warnings.append(
                "Forwarded packets from %s are dropped by %s; they have to be let through there."
                % (want.rule.source, " and ".join(have.blocked_by))
            )
        satisfied = have.satisfied_by if have.rule is None else ""
        changes: List[Change] = []
        if have.rule != want.rule and not satisfied:
            changes.append(PutRule(want.ns, want.rule, have.rule))
        before = self._describe(want, have.rule or want.rule, have) if have.rule is not None or satisfied else {}
        after = self._describe(want, want.rule, have)
        if want.ip_forward:
            steps = self._forwarding_on(want, have)
            changes.extend(steps)
            after["ip_forward"] = True
            if any(isinstance(step, PutFile) for step in steps):
                after["sysctl_file"] = SYSCTL_FILE
        facts = {"satisfied_by": satisfied or None, "blocked_by": list(have.blocked_by)}
        return Plan(before, after, tuple(changes), tuple(warnings), facts)

    @staticmethod
    def _line(want: Want) -> str:
        return "%s = 1\n" % _FORWARDING[want.rule.family]

    def _forwarding_on(self, want: Want, have: Have) -> List[Change]:
        """Return the steps that switch forwarding on and keep it on; none where it is on, since then somebody else sees to it."""
        if have.forwarding == "1":
            return []
        if have.ra_uplinks:
            raise Refused(
                "ip_forward: %s has its default route from router advertisements and would lose it with IPv6 forwarding; "
                "set net.ipv6.conf.%s.accept_ra to 2 first." % (", ".join(have.ra_uplinks), have.ra_uplinks[0])
            )
        steps: List[Change] = [SetSysctl(want.ns, _FORWARDING[want.rule.family], "1", have.forwarding or "0")]
        if have.text is not None and self._line(want) not in have.text:
            steps.append(PutFile(SYSCTL_FILE, (have.text or _HEADING) + self._line(want), have.text))
        return steps

    def _absent(self, want: Want, have: Have, warnings: Tuple[str, ...]) -> Plan:
        changes: List[Change] = []
        before = self._describe(want, have.rule, have) if have.rule else {}
        if have.rule is not None:
            changes.append(DelRule(want.ns, have.rule, last=not have.others_at_all and not have.strangers))
        # The file says that we switched forwarding on: it goes with the last rule of ours that needs it.
        if not have.others and not want.needed and have.text and self._line(want) in have.text:
            if have.forwarding == "1":
                changes.append(SetSysctl(want.ns, _FORWARDING[want.rule.family], "0", "1"))
            rest = have.text.replace(self._line(want), "")
            changes.append(PutFile(SYSCTL_FILE, "" if rest == _HEADING else rest, have.text))
            before = dict(before, ip_forward=have.forwarding == "1", sysctl_file=SYSCTL_FILE)
        return Plan(before, {}, tuple(changes), warnings, {"satisfied_by": None, "blocked_by": []})

    def _describe(self, want: Want, rule: NatRule, have: Have) -> Dict[str, Any]:
        described: Dict[str, Any] = {
            "type": rule.type,
            "source": rule.source,
            "netns": want.ns.option,
            "out_interface": rule.out_interface or None,
            "exclude": list(rule.exclude),
            "to_address": rule.to_address or None,
            "owner": rule.owner,
            "comment": rule.comment or None,
            "backend": "nftables",
        }
        if want.ip_forward:
            described["ip_forward"] = have.forwarding == "1"
            if have.text is not None:
                described["sysctl_file"] = SYSCTL_FILE if self._line(want) in have.text else None
        return described


RESOURCE = NatResource()
