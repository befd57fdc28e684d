# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules that are read for a survey, on the kernel's twin."""

from __future__ import annotations

from typing import Any

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import Tunnel
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import BACKENDS
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Lacking
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import resource as nat
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.changes import SetTunnel
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.host_view import HostView
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.owned_rules import OwnedRules
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.survey import SUBSETS, gathered
from ansible_collections.linuxnet.containers.tests.unit.asked import made
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel
from ansible_collections.linuxnet.containers.tests.unit.surveyed import wired


def read(kernel: MemoryKernel) -> tuple[OwnedRules, HostView]:
    view = HostView(kernel, [])
    return OwnedRules(view), view


def test_rules_of_each_kind_are_read() -> None:
    kernel = wired("web")
    made(kernel, nat.RESOURCE, type="filter", bridge="br0", owner="br0")
    made(kernel, nat.RESOURCE, type="dnat", owner="web", host_port="8080", to_address="10.0.0.2", bridge="br0")
    rules, view = read(kernel)
    assert [(rule.source, rule.owner) for rule in rules.source_nat()] == [("10.0.0.0/24", "br0")]
    assert [(policy.bridge, policy.owner) for policy in rules.isolation()] == [("br0", "br0")]
    assert [(port.ports, port.to, port.owner) for port in rules.port_mappings()] == [("8080", "10.0.0.2", "web")]
    assert not view.warnings


def test_tunnels_are_listed_once_and_only_of_the_host_as_a_whole() -> None:
    kernel = wired("web")
    tunnel = {"type": "tunnel", "vni": 42, "port": 8472, "peers": ["192.0.2.2"], "owner": "front"}
    made(kernel, nat.RESOURCE, **tunnel, backend="iptables")
    kernel.apply(SetTunnel(HOST, Tunnel(42, 8472, ("192.0.2.2",), "front")))  # a run was killed while it moved
    listed = [one for one in gathered(kernel, ["nat"])[0]["nat"] if one["type"] == "tunnel"]
    assert [{name: one[name] for name in tunnel} for one in listed] == [tunnel]
    assert not [one for one in gathered(kernel, ["nat"], [NsRef.parse("web")])[0]["nat"] if one["type"] == "tunnel"]


def test_a_host_without_any_firewall_has_none_and_says_what_is_missing() -> None:
    kernel = wired("web")
    kernel.programs = ()
    rules, view = read(kernel)
    assert [rules.source_nat(), rules.isolation(), rules.port_mappings()] == [[], [], []]
    assert list(view.warnings) == ["Rules of nftables are not listed: the program nft is not installed on this host."]


def lacking(_ns: int, _backend: object) -> Any:
    """What a kernel without the program nft does when it is asked for the rules."""
    raise Lacking("The program nft is not installed.", "nftables")


def test_rules_of_those_tools_that_work_are_listed() -> None:
    kernel = wired("web")
    ruleset = kernel.ruleset
    kernel.ruleset = lambda ns, backend: lacking(ns, backend) if backend is BACKENDS[1] else ruleset(ns, backend)  # type: ignore[method-assign]
    kernel.foreign_saved[BACKENDS[1]] = "*nat\nCOMMIT\n"
    lists, warnings = gathered(kernel, SUBSETS)
    assert [one["source"] for one in lists["nat"]] == ["10.0.0.0/24"]
    assert warnings == ["What is in iptables-nft is left out. The program nft is not installed."]


def test_rules_that_cannot_be_read_are_a_warning() -> None:
    kernel = wired("web")
    kernel.ruleset = lacking  # type: ignore[method-assign, assignment]
    lists, warnings = gathered(kernel, SUBSETS)
    assert (lists["nat"], lists["orphans"]) == ([], [])
    assert warnings == [
        f"What is in {name} is left out. The program nft is not installed."
        for name in ("nftables", "iptables-nft", "iptables-legacy")
    ]
    assert gathered(kernel, ["veths"])[1] == []
