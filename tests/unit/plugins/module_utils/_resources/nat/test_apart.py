# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Isolated ports and what is published behind one where br_netfilter is on. What it does to packets is shown in tests/module."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import APART, BRIDGE_NF_CALLS
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import bridge_port
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.resource import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.tests.unit.asked import made, plan

from .test_port_mapping_look import PORT, host

QUIET = {**PORT, "ip_forward": False}
ISOLATED = {"bridge": "br0", "interface": "web0", "isolated": True}


@pytest.fixture
def kernel() -> Any:
    """A container behind an isolated port, on a host with br_netfilter."""
    kernel = host()
    kernel.apply(SetLink(HOST, "web0", {"isolated": True}, {"isolated": False}))
    bridged(kernel, "1")
    return kernel


def bridged(kernel: Any, value: str) -> None:
    for key in BRIDGE_NF_CALLS.values():
        kernel._state.known.sysctls[kernel.find(HOST), key] = value


def port(kernel: Any) -> tuple[dict[str, str], bool, str]:
    """The ports that a rule keeps apart, and of one whether it is isolated, and its alias."""
    state = State(kernel)
    link = state.need_link(kernel.find(HOST), HOST, "web0", "", "")
    apart = firewalls(state).index(kernel.find(HOST), NFTABLES).apart
    return dict(apart), bool(link.get("isolated")), link.get("alias") or ""


def test_a_rule_stands_in_for_the_flag_as_long_as_something_is_published(kernel: Any) -> None:
    made(kernel, RESOURCE, **QUIET)
    assert port(kernel) == ({"web0": "br0"}, False, APART)
    assert made(kernel, RESOURCE, **QUIET)["changed"] is False
    same = made(kernel, bridge_port.RESOURCE, **ISOLATED)
    assert (same["changed"], same["after"]["isolated"]) == (False, True)
    made(kernel, RESOURCE, state="absent", **QUIET)
    assert port(kernel) == ({}, True, "")


def test_without_br_netfilter_the_flag_stays_or_comes_back(kernel: Any) -> None:
    bridged(kernel, "0")
    made(kernel, RESOURCE, **QUIET)
    assert port(kernel) == ({}, True, "")
    bridged(kernel, "1")
    made(kernel, RESOURCE, **QUIET)
    bridged(kernel, "0")
    made(kernel, RESOURCE, **QUIET)
    assert port(kernel) == ({}, True, "")


def test_a_port_that_is_not_isolated_is_left_alone(kernel: Any) -> None:
    kernel.apply(SetLink(HOST, "web0", {"isolated": False}, {"isolated": True}))
    made(kernel, RESOURCE, **QUIET)
    assert port(kernel) == ({}, False, "")


def test_a_port_that_is_to_be_reached_again_loses_its_rule(kernel: Any) -> None:
    made(kernel, RESOURCE, **QUIET)
    made(kernel, bridge_port.RESOURCE, **{**ISOLATED, "isolated": False})
    made(kernel, RESOURCE, **QUIET)
    assert port(kernel) == ({}, False, "")


def test_after_a_flush_the_port_is_closed_first(kernel: Any) -> None:
    kernel.apply(SetLink(HOST, "web0", {"isolated": False, "alias": APART}, {"isolated": True, "alias": ""}))
    made(kernel, RESOURCE, type="filter", bridge="br0", icc=False, ip_forward=False)
    assert port(kernel) == ({}, True, "")


@pytest.mark.parametrize("why", ["iptables has no rules", "the kernel has no nf_tables", "wan is not", "its alias"])
def test_where_there_can_be_no_rule_the_flag_stays_and_a_warning_says_so(kernel: Any, why: str) -> None:
    item = {**QUIET, "backend": "iptables"} if why.startswith("iptables") else QUIET
    kernel.bridges_filtered = not why.startswith("the kernel")
    if why.startswith("wan"):
        kernel.apply(AddLink(HOST, "wan", "bridge", {}))
        state = kernel._state
        bridge = state.need_link(kernel.find(HOST), HOST, "br0", "", "")
        state.known.links[kernel.find(HOST)].put(replace(state.link(kernel.find(HOST), "wan"), master=bridge.index))
    if why.startswith("its alias"):
        kernel.apply(SetLink(HOST, "web0", {"alias": "mine"}, {"alias": ""}))
    planned = plan(kernel, RESOURCE, **item)
    assert [text for text in planned.warnings if why in text]
    assert not [step for step in planned.changes if isinstance(step, SetLink) and "isolated" in step.new]
