# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Guards of 127.0.0.0/8 on a list of policy rules that behaves as the kernel's, also where a run ends after any write.

That list is in the order of priorities, what is added at one comes last there, and the first that a request describes is removed
(net/core/fib_rules.c). The kernel's own is asked in tests/module/test_loopback_guard.py and by `make faults`.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import codec, routes, transport
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import LoopbackGuards
from ansible_collections.linuxnet.containers.tests.unit.netlink_wire import HEADER, Answering, by_class
from pyroute2.netlink.rtnl.fibmsg import fibmsg

LOCAL, MAIN = 255, 254
NEW, DELETE, GET = 32, 33, 34
Rule = dict[str, Any]


class KilledError(Exception):
    """The run ended here."""


def as_rule(body: bytes) -> Rule:
    """What a request or an answer says, without what says nothing."""
    message = codec.decode(fibmsg, bytes(HEADER.size) + body)
    known = {name: message.get_attr(name) for name in message.names()}
    known.update({name: message[name] for name in ("family", "src_len", "dst_len", "action", "table", "flags")})
    return {name: value for name, value in known.items() if value not in (0, None, "")}


def plain(table: int, priority: int, protocol: int = 2) -> bytes:
    attrs: list[tuple[str, Any]] = [("FRA_TABLE", table), ("FRA_SUPPRESS_PREFIXLEN", 0xFFFFFFFF)]
    attrs += [("FRA_PRIORITY", priority)] * bool(priority) + [("FRA_PROTOCOL", protocol)]
    return by_class(fibmsg, {"family": 2, "table": table, "action": 1}, attrs)[HEADER.size :]


class RuleList(transport.Socket):
    """A netlink socket before a list of rules. ``writes`` more are done, then the run ends."""

    def __init__(self, *more: bytes, protocol: int = 2, writes: int = 99) -> None:
        self.bodies = sorted(
            [plain(LOCAL, 0, protocol), plain(MAIN, 32766), *more],
            key=lambda body: as_rule(body).get("FRA_PRIORITY", 0),
        )
        self.writes = writes

    def request(self, type_: int, flags: int, body: bytes) -> list[bytes]:
        if type_ == GET:
            return [bytes(HEADER.size) + one for one in self.bodies]
        if not self.writes:
            raise KilledError
        self.writes -= 1
        rule = as_rule(body)
        if type_ == NEW:
            if flags & transport.EXCL and rule in map(as_rule, self.bodies):
                raise transport.NetlinkError(errno.EEXIST)
            priority = rule.get("FRA_PRIORITY", 0)
            place = sum(as_rule(one).get("FRA_PRIORITY", 0) <= priority for one in self.bodies)
            self.bodies.insert(place, body)
        else:
            found = [one for one in self.bodies if rule.items() <= as_rule(one).items()]
            if not found:
                raise transport.NetlinkError(errno.ENOENT)
            self.bodies.remove(found[0])
        assert self.locals(), "nothing is delivered to this host"
        return []

    def locals(self) -> list[Rule]:
        """The rules that look up the table local for every packet."""
        rules = map(as_rule, self.bodies)
        return [rule for rule in rules if rule.get("FRA_TABLE") == LOCAL and not rule.get("FRA_PRIORITY")]

    def shown(self) -> list[Rule]:
        """All rules, without what a rule need not say."""
        return [
            {name: value for name, value in as_rule(body).items() if "SUPPRESS" not in name} for body in self.bodies
        ]


def guarded(sock: RuleList) -> tuple[str, ...]:
    return routes.read_guards(sock).interfaces


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_guards_stand_before_the_table_local_and_are_taken_back(protocol: int) -> None:
    sock = RuleList(protocol=protocol)
    before = sock.shown()
    assert routes.read_guards(sock) == LoopbackGuards((), True, ())
    for names in (("br0",), ("br0", "br1")):
        routes.add_guard(sock, names[-1])
        assert guarded(sock) == names
        assert len(sock.locals()) == 1
    rules = sock.bodies[:]
    routes.add_guard(sock, "br0")
    assert sock.bodies == rules, "written twice"
    for name in ("br0", "br1"):
        routes.delete_guard(sock, name)
    assert sock.shown() == before


def undisturbed(change: Callable[[RuleList], None], start: Callable[[], RuleList]) -> int:
    """How many writes it takes."""
    sock = start()
    there = sock.writes
    change(sock)
    return there - sock.writes


def with_guard(*names: str) -> RuleList:
    sock = RuleList()
    for name in names:
        routes.add_guard(sock, name)
    return sock


def add(sock: RuleList) -> None:
    routes.add_guard(sock, "br0")


def delete(sock: RuleList) -> None:
    """As the module does: one that is not in force, or that is no longer there, is not asked for twice."""
    if "br0" in routes.read_guards(sock).all:
        routes.delete_guard(sock, "br0")


@pytest.mark.parametrize("others", [(), ("br1",)], ids=str)
@pytest.mark.parametrize("again", [add, delete], ids=lambda one: str(one.__name__))
def test_a_run_that_ends_after_any_write_of_adding_is_finished_or_taken_back(
    others: tuple[str, ...], again: Callable[[RuleList], None]
) -> None:
    writes = undisturbed(add, lambda: with_guard(*others))
    assert writes == 3
    for number in range(writes):
        sock = with_guard(*others)
        before = sock.shown()
        sock.writes = number
        with pytest.raises(KilledError):
            add(sock)
        sock.writes = 99
        again(sock)
        assert len(sock.locals()) == 1
        if again is delete:
            assert sock.shown() == before
        else:
            assert set(guarded(sock)) == {"br0", *others}


def test_so_is_one_that_ends_while_it_takes_a_guard_back() -> None:
    start = with_guard("br0")
    assert undisturbed(delete, lambda: with_guard("br0")) == 1
    start.writes = 0
    with pytest.raises(KilledError):
        delete(start)
    start.writes = 99
    delete(start)
    assert start.shown() == RuleList().shown()


def test_a_guard_behind_the_table_local_is_told_and_taken_back() -> None:
    """As a run that ended after its first write leaves it, and as somebody who puts the kernel's rule anew does."""
    sock = RuleList(writes=1)
    with pytest.raises(KilledError):
        add(sock)
    found = routes.read_guards(sock)
    assert (found.interfaces, found.late, found.all) == ((), ("br0",), ("br0",))
    sock.writes = 9
    delete(sock)
    assert sock.shown() == RuleList().shown()


def test_a_second_rule_of_the_table_local_that_somebody_made_is_kept_behind_the_guards() -> None:
    """With another protocol, else the kernel refuses it: `ip rule add pref 0 lookup local`."""
    for writes in range(6):
        sock = RuleList()
        sock.bodies.insert(1, plain(LOCAL, 0, 3))
        before = sock.shown()
        sock.writes = writes
        try:
            add(sock)
        except KilledError:
            sock.writes = 99
            add(sock)
        else:
            assert writes == 5
        assert guarded(sock) == ("br0",)
        assert len(sock.locals()) == 2
        sock.writes = 99
        delete(sock)
        assert sock.shown() == before


@pytest.mark.parametrize(
    "fields",
    [{"action": 1}, {"dst_len": 16}, {"src_len": 8}, {"FRA_PROTOCOL": 4}, {"FRA_FWMASK": 1}, {"FRA_FWMARK": 7}],
    ids=str,
)
def test_a_rule_of_others_that_is_like_a_guard_is_none(fields: dict[str, int]) -> None:
    guard = with_guard("br0").bodies[0]
    assert as_rule(guard)["FRA_IIFNAME"] == "br0"
    message = codec.decode(fibmsg, bytes(HEADER.size) + guard)
    attrs = {name: message.get_attr(name) for name in message.names()}
    attrs.update({name: value for name, value in fields.items() if name.startswith("FRA_")})
    heads = {"family": 2, "dst_len": 8, "action": 8, **{k: v for k, v in fields.items() if not k.startswith("FRA_")}}
    other = by_class(fibmsg, heads, list(attrs.items()))[HEADER.size :]
    sock = RuleList()
    sock.bodies.insert(0, other)
    assert routes.read_guards(sock) == LoopbackGuards((), True, ())


def test_where_somebody_moved_the_table_local_its_rule_is_left_there() -> None:
    """A rule at a priority that is not 0 is behind ours in any case."""
    sock = RuleList()
    sock.bodies[0] = plain(LOCAL, 100)
    moved = sock.shown()
    # The list of a host without a rule at 0: what is asserted of each write is about those that have one.
    sock.locals = lambda: [{}]  # type: ignore[method-assign]
    add(sock)
    assert (guarded(sock), routes.read_guards(sock).behind) == (("br0",), False)
    assert sock.shown()[1:] == moved
    delete(sock)
    assert sock.shown() == moved


@pytest.mark.parametrize("code", [errno.EAFNOSUPPORT, errno.EOPNOTSUPP])
def test_a_kernel_without_policy_routing_has_no_guards(code: int) -> None:
    assert routes.read_guards(Answering(code)).all == ()
    with pytest.raises(transport.NetlinkError):
        routes.read_guards(Answering(errno.EPERM))
