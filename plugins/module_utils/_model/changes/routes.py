# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of routes and policy rules. Pure."""

from __future__ import annotations

from typing import List, Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.commands import Command, command
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import MARK_BIT, PROTOCOL
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


def _guard(ns: NsRef, verb: str, name: str) -> Command:
    words = "priority 0 to 127.0.0.0/8 fwmark 0/%#x protocol %d prohibit" % (MARK_BIT, PROTOCOL)
    return command(_ip(ns, 4), "rule", verb, "iif", name, words.split())


@dataclass(frozen=True)
class AddLoopbackGuard(Change):
    """Let nothing for 127.0.0.0/8 in by an interface that has not our bit in its mark, whatever rules of netfilter there are: a policy rule in front
    of that which looks up the table local, behind which nothing else of routing is asked. ``behind``: that one is the first now, so it has to go
    behind ours."""

    ns: NsRef
    interface: str
    behind: bool = True
    opens = True  # what is let in all the same is marked by rules, which have to stand

    def attempt(self) -> str:
        return "keep out what comes in by %s for 127.0.0.0/8 in %s" % (self.interface, self.ns)

    def commands(self) -> List[Command]:
        # Put anew it is behind ours; the copy is there meanwhile.
        moves = [(verb, at) for verb, at in (("add", "1"), ("del", "0"), ("add", "0"), ("del", "1")) if self.behind]
        local = ["lookup", "local", "protocol", "kernel"]
        return [
            _guard(self.ns, "add", self.interface),
            *(command(_ip(self.ns, 4), "rule", verb, "priority", at, local) for verb, at in moves),
        ]

    def undo(self) -> Tuple[Change, ...]:
        return (DelLoopbackGuard(self.ns, self.interface),)


@dataclass(frozen=True)
class DelLoopbackGuard(Change):
    """Take that rule away again."""

    ns: NsRef
    interface: str

    def attempt(self) -> str:
        return "no longer keep out what comes in by %s for 127.0.0.0/8 in %s" % (self.interface, self.ns)

    def commands(self) -> List[Command]:
        return [_guard(self.ns, "del", self.interface)]

    def undo(self) -> Tuple[Change, ...]:
        return (AddLoopbackGuard(self.ns, self.interface),)
