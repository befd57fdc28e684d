# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of routes and policy rules. Pure."""

from __future__ import annotations

from typing import List, Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.commands import Command, command
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsRef, PolicyRule, Route


def _ip(ns: NsRef, family: int) -> List[str]:
    """Return the words that begin a command of `ip` for an address family."""
    return [*ns.tool("ip"), *(["-6"] if family == 6 else [])]


@dataclass(frozen=True)
class PutRoute(Change):
    """Add a route, or replace the one with the same key (``old``) in one step."""

    ns: NsRef
    route: Route
    old: Optional[Route] = None

    def attempt(self) -> str:
        return "%s route '%s' in %s" % ("replace" if self.old else "add", self.route, self.ns)

    def commands(self) -> List[Command]:
        words, verb = self.route.words(), "replace" if self.old else "add"
        end = words.index("nexthop") if "nexthop" in words else len(words)  # after the ways `ip` reads nothing else
        words[end:end] = ["proto", str(self.route.protocol)]
        return [command(_ip(self.ns, self.route.family), "route", verb, words)]

    def undo(self) -> Tuple[Change, ...]:
        return (PutRoute(self.ns, self.old, self.route) if self.old else DelRoute(self.ns, self.route),)


@dataclass(frozen=True)
class DelRoute(Change):
    """Remove a route."""

    ns: NsRef
    route: Route

    def attempt(self) -> str:
        return "remove route '%s' in %s" % (self.route, self.ns)

    def commands(self) -> List[Command]:
        return [command(_ip(self.ns, self.route.family), "route", "del", self.route.words())]

    def undo(self) -> Tuple[Change, ...]:
        return (PutRoute(self.ns, self.route),)


@dataclass(frozen=True)
class AddPolicy(Change):
    """Add a policy rule."""

    ns: NsRef
    rule: PolicyRule

    def attempt(self) -> str:
        return "add policy rule '%s' in %s" % (self.rule, self.ns)

    def commands(self) -> List[Command]:
        return [command(_ip(self.ns, self.rule.family), "rule", "add", self.rule.words())]

    def undo(self) -> Tuple[Change, ...]:
        return (DelPolicy(self.ns, self.rule),)


@dataclass(frozen=True)
class DelPolicy(Change):
    """Remove exactly this policy rule; one of another protocol stays."""

    ns: NsRef
    rule: PolicyRule

    def attempt(self) -> str:
        return "remove policy rule '%s' in %s" % (self.rule, self.ns)

    def commands(self) -> List[Command]:
        return [command(_ip(self.ns, self.rule.family), "rule", "del", self.rule.words())]

    def undo(self) -> Tuple[Change, ...]:
        return (AddPolicy(self.ns, self.rule),)
