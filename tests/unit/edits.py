# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Edits of all kinds, for the tests of the firewall backends."""

from __future__ import annotations

from typing import Any

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Backend, Ruleset
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    ALLOWANCES,
    CONFINED,
    FENCES,
    ISOLATION,
    PORTS,
    SPOOFING,
    TUNNELS,
    UPLINKS,
    VRFS,
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
from ansible_collections.linuxnet.containers.tests.unit.tool_twins import written

EDITS = [
    Edit(put=(NatRule("10.0.0.0/24", "!br0", ("10.9.0.0/16",), "", "net", "two words"),)),
    Edit(put=(NatRule("fd00::/64", "eth0", (), "2001:db8::1", "net"),)),
    Edit(put=(NatRule("10.0.0.0/24", "", (), "", "other", "it's a note; of # more"),)),
    Edit(
        publish=(PortMapping("tcp", "0.0.0.0/0", 8080, 8080, "10.0.0.2", 80, "web", "br0", "a note"),), kinds=(PORTS,)
    ),
    Edit(
        publish=(PortMapping("udp", "192.0.2.1", 3000, 3099, "10.0.0.2", 0, "web", "br0"),),
        localnet_on=("br0",),
        hairpins_on=(("web0", "br0"),),
        kinds=(PORTS,),
    ),
    Edit(publish=(PortMapping("sctp", "2001:db8::1", 90, 90, "fd00::2", 91, "web"),), kinds=(PORTS,)),
    Edit(isolate=(Isolation("br0", True, True, False, "net", "x"),), kinds=(ISOLATION,)),
    Edit(
        isolate=(Isolation("br1", False, False, True, "net"), Isolation("br2", False, True, False, "net")),
        kinds=(ISOLATION,),
    ),
]
_FENCE = Edit(fence=(Fence(4, ("lan0", "lo", "up-0"), ("lan1",)), Fence(6, ("lo",))), kinds=(FENCES,))
_INSIDE = Edit(
    isolate=(
        Isolation(
            "br3",
            True,
            False,
            False,
            "fleet",
            inside=(
                ("br3", "10.7.0.0/24"),
                ("br3", "fd00:7::/64"),
                ("up0", "10.7.1.0/24"),
                ("vx0", "10.7.1.0/24"),
                ("vx0", "10.7.2.5/32"),
                ("vx0", "fd00:7:0:1::/64"),
            ),
            only=("vx0",),
        ),
    ),
    kinds=(ISOLATION,),
)
# What only nftables has.
_CHECKS = [
    Edit(
        check=(SpoofCheck("veth1", "02:42:0a:00:00:02", ("10.0.0.2", "fd00::2"), "web", "a note"),), kinds=(SPOOFING,)
    ),
    Edit(
        check=(
            SpoofCheck("veth2", "02:42:0a:00:00:03", ("10.0.0.0/24", "fd00:9::/64"), "router"),
            SpoofCheck("veth3", "02:42:0a:00:00:04", (), "new"),
        ),
        apart_on=(("veth2", "br0"), ("web0", "br1")),
        kinds=(SPOOFING,),
    ),
]
_UPLINKS = Edit(
    answer=(Uplink(4, "up1", 1, True, "up1", "a note"), Uplink(6, "up1", 1, owner="up1"), Uplink(4, "up-2", 31)),
    kinds=(UPLINKS,),
)
_TUNNELS = Edit(
    admit=(
        Tunnel(42, 4789, ("192.0.2.2", "192.0.2.3", "2001:db8::2"), "front", "a note"),
        Tunnel(0xFFFFFF, 8472, ("192.0.2.2",), "back"),
        Tunnel(0, 4789, (), "front"),
    ),
    kinds=(TUNNELS,),
)
_IN_VRFS = [
    Edit(
        publish=(
            PortMapping("tcp", "192.0.2.1", 8080, 8080, "10.8.0.2", 80, "red", "br4", "a note", vrf=True),
            PortMapping("udp", "2001:db8::1", 3000, 3099, "fd08::2", 0, "red", "br4", vrf=True),
        ),
        kinds=(VRFS,),
    ),
    Edit(isolate=(Isolation("br5", internal=True, owner="red", vrf=True),), kinds=(ISOLATION, CONFINED)),
]
_IN_CHAINS = [
    Edit(
        allow=(Allowance("out", "10.0.0.0/24", 4, "!br0", "net"), Allowance("in", "br0", 6, "", "br0")),
        kinds=(ALLOWANCES,),
    ),
    Edit(allow=(Allowance("icc", "br0", 4, "", "net"), Allowance("to", "fd00::7", 6, "", "far")), kinds=(ALLOWANCES,)),
]
_BY_MARK = [
    Edit(allow=(Allowance("mark", "br0", 0, "0x1/0xff", "br0"),), kinds=(ALLOWANCES,)),
    Edit(allow=(Allowance("mark", "br1", 0, "0x12/0xffffffff", "br1"),), kinds=(ALLOWANCES,)),
]


def edits_of(backend: Backend) -> list[Edit]:
    """Edits of all kinds that a backend has: fourteen, with the allowances that are its own, two more where ports are checked or kept apart, and one
    where uplinks are marked."""
    own = _BY_MARK if backend.by_mark else _IN_CHAINS
    return [
        *EDITS,
        *own,
        _FENCE,
        _TUNNELS,
        *(_CHECKS if backend.checks_ports else ()),
        *([_UPLINKS] if backend.marks_uplinks else []),
        _INSIDE,
        *_IN_VRFS,
    ]


def recorded_of(backend: Backend) -> list[Edit]:
    """Those of them that are in the recorded rule sets: not what is in VRFs, which this kernel has not. `tests/module/test_wiring_vrf.py` reads that as the
    tools print it."""
    return [edit for edit in edits_of(backend) if edit not in _IN_VRFS]


def made(backend: Backend, *edits: Edit, start: Ruleset = None) -> Ruleset:
    """The rule set after edits, on a bare host or after others."""
    start = backend.nothing() if start is None else start
    return written(backend, start, backend.transaction(start, edits))


def content(owned: OwnedRules) -> list[Any]:
    """What is owned, without its order."""
    return [
        frozenset(listed)
        for listed in (
            *(owned.nat_rules, owned.port_mappings, owned.isolations, owned.allowances, owned.fences),
            *(owned.localnet, owned.hairpins, owned.spoof_checks, owned.apart, owned.uplinks, owned.tunnels),
        )
    ]


def everything_gone(owned: OwnedRules) -> Edit:
    """The edit that takes away all that is owned."""
    return Edit(
        drop=tuple(rule.key for rule in owned.nat_rules),
        unpublish=owned.port_mappings,
        unisolate=tuple(isolation.bridge for isolation in owned.isolations),
        disallow=owned.allowances,
        localnet_off=owned.localnet,
        hairpins_off=owned.hairpins,
        unfence=tuple(fence.family for fence in owned.fences),
        uncheck=tuple(check.interface for check in owned.spoof_checks),
        apart_off=owned.apart,
        unanswer=tuple(uplink.key for uplink in owned.uplinks),
        unadmit=tuple(tunnel.key for tunnel in owned.tunnels),
        kinds=(PORTS, ISOLATION, ALLOWANCES, FENCES, SPOOFING, UPLINKS, TUNNELS, VRFS, CONFINED),
    )
