# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose a bridge is and who is on it. What bridge and nat make of it is in their tests; the role's story in tests/role/test_ownership.py."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, DelLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import host_interface
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Address
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import netns, veth
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ownership import (
    Part,
    Standing,
    our_part,
    standing_of,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.plugins.module_utils._run.step_runner import take_steps
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.one_task import Steps
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.survey import gathered
from ansible_collections.linuxnet.containers.tests.unit.asked import existing, made, whatever_its_owner
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

FRONT = {"name": "front", "subnets": ["10.1.0.0/24", "fd00:1::/64"]}
V6 = {"name": "front", "subnets": ["fd00:1::/64"]}
WEB, DB = {"name": "web", "published_ports": ["8080:80"]}, {"name": "db"}
V_WEB, V_DB = (host_interface(f"/run/netns/{name}", "eth0") for name in ("web", "db"))
UPLINK = [
    AddLink(HOST, "front", "bridge", {"mac": "02:00:00:00:00:0a", "enabled": True}),
    AddLink(HOST, "up0", "veth", {"master": "front"}, HOST, "up1", {}),
    PutAddress(HOST, "front", Address("192.0.2.1", 24, 4)),
]


def with_uplink() -> MemoryKernel:
    """A host with a bridge of its own, in which its uplink is."""
    kernel = MemoryKernel()
    for step in UPLINK:
        kernel.apply(step)
    return kernel


def role(
    kernel: MemoryKernel,
    networks: Any,
    containers: Any,
    state: str = "present",
    backend: str = "auto",
    check: bool = False,
) -> Any:
    """Do what the role does in one task. Returns (what changed, by subject; warnings)."""
    params = {
        "networks": networks,
        "containers": containers,
        "state": state,
        "firewall_backend": backend,
        "purge": False,
    }
    results, warnings, ended = take_steps(Steps(params), kernel, check)
    assert not ended, ended
    items = [one for half in results.values() for step in half.values() for one in step]
    return [
        (whatever_its_owner(one["diff"]["before_header"]), one["commands"]) for one in items if one["changed"]
    ], warnings


def as_foreseen(
    kernel: MemoryKernel, networks: Any, containers: Any, state: str = "present", backend: str = "auto"
) -> Any:
    """The same, which check mode foresees, and after which there is nothing to do."""
    before = kernel.snapshot()
    lists = networks, containers, state, backend
    foreseen = role(kernel, *lists, check=True)
    assert kernel.snapshot() == before
    done = role(kernel, *lists)
    assert (done, role(kernel, *lists)[0]) == (foreseen, [])
    return done


def test_nobody_s() -> None:
    state = State(with_uplink())
    for name in ("up0", "nothing"):
        assert standing_of(HOST, name, (), state) == Standing()
    assert not Standing().stays


def test_a_bridge_of_somebody_else_s_has_no_right_by_its_ports_but_by_ours() -> None:
    kernel = with_uplink()
    found = standing_of(HOST, "front", (), State(kernel))
    assert (found, found.stays) == (Standing(False, ("up0",)), False)
    made(kernel, netns.RESOURCE, name="web")
    made(kernel, veth.RESOURCE, peer_netns="web", bridge="front")
    found = standing_of(HOST, "front", (), State(kernel))
    assert (found.stays, found.holders) == (True, f"{V_WEB} of netns 'web'")
    assert not standing_of(HOST, "front", ("web",), State(kernel)).stays


def test_many_ports_are_counted() -> None:
    found = Standing(True, tuple(f"tap{number}" for number in range(9)))
    assert found.holders == "tap0, tap1, tap2, tap3, tap4 and 4 more"
    assert Standing(True, ("a\x1b[2Jb",)).holders == "a\\x1b[2Jb"


def test_our_part_is_what_has_our_number() -> None:
    kernel = with_uplink()
    kernel.apply(PutAddress(HOST, "front", Address("10.1.0.1", 24, 4, protocol=76)))
    ns = existing(kernel.find(HOST))
    state = State(kernel)
    found = our_part(ns, existing(state.link(ns, "front")), state)
    assert ([one.cidr for one in found.go], found.stay) == (["10.1.0.1/24"], ())
    assert [str(line) for step in found.steps(HOST, "front") for line in step.commands()] == [
        "ip address del 10.1.0.1/24 dev front"
    ]
    assert our_part(ns, existing(state.link(ns, "up0")), state) == Part()


@pytest.mark.parametrize("backend", ["nftables", "iptables"])
@pytest.mark.parametrize("network", [FRONT, V6])
def test_the_role_gives_a_bridge_that_was_here_before_back_as_it_was(backend: str, network: Any) -> None:
    kernel = with_uplink()
    before = kernel.snapshot()
    dummy, warnings = as_foreseen(kernel, [network], [WEB, DB], backend=backend)
    assert [line.split(":")[0] for line in warnings] == ["Bridge 'front' in the host was here before"]
    gone, warnings = as_foreseen(kernel, [network], [WEB, DB], "absent", backend)
    assert len([line for line in warnings if "was not made by this collection: it stays" in line]) == 1
    assert "bridge front" in dict(gone)
    assert kernel.snapshot() == before


@pytest.mark.parametrize("backend", ["nftables", "iptables"])
@pytest.mark.parametrize("start", [MemoryKernel, with_uplink])
def test_who_is_not_listed_is_not_cut_off(backend: str, start: Any) -> None:
    """By the teardown of a list that names a part of what is on a bridge, which may be ours or somebody else's."""
    kernel = start()
    role(kernel, [FRONT], [WEB, DB], backend=backend)
    checked = backend == "nftables"
    gone, warnings = as_foreseen(kernel, [FRONT], [WEB], "absent", backend)
    ends = ["spoof_check of web"] if checked else []
    assert [what for what, commands in gone] == ["ports of web", f"veth {V_WEB}", "netns web", *ends]
    assert [line for line in warnings if f"{V_DB} of netns 'db'" in line]
    left = [(one["type"], one["owner"]) for one in gathered(kernel, ["nat"])[0]["nat"]]
    others = [("spoof_check", "db")] if checked else []
    assert left == [("masquerade", "front")] * 2 + [("filter", "front"), *others]
    ns = existing(kernel.find(HOST))
    index = existing(kernel.link(ns, name="front")).index
    assert {"10.1.0.1", "fd00:1::1"} <= {address.ip for at, address in kernel.addresses(ns) if at == index}
    as_foreseen(kernel, [FRONT], [DB], "absent", backend)
    assert kernel.snapshot() == start().snapshot()


def test_a_tap_in_a_bridge_of_ours_keeps_it_and_when_it_is_gone_the_bridge_goes() -> None:
    kernel = MemoryKernel()
    role(kernel, [FRONT], [WEB])
    kernel.apply(AddLink(HOST, "tap0", "veth", {"master": "front"}, HOST, "tap1", {}))
    gone, warnings = as_foreseen(kernel, [FRONT], [WEB], "absent")
    assert [what for what, commands in gone] == ["ports of web", f"veth {V_WEB}", "netns web", "spoof_check of web"]
    assert warnings == [
        "Bridge 'front' in the host stays with its addresses and rules, for there are ports on it that nothing here removes: tap0."
    ]
    kernel.apply(DelLink(HOST, "tap0"))
    as_foreseen(kernel, [FRONT], [WEB], "absent")
    assert kernel.snapshot() == MemoryKernel().snapshot()


def test_a_network_is_replaced_by_one_of_another_name_in_one_run() -> None:
    """The containers that are about to move do not hold the old one."""
    kernel = MemoryKernel()
    front, lan = {**FRONT, "subnets": ["10.1.0.0/24"]}, {"name": "lan", "subnets": ["10.2.0.0/24"]}
    role(kernel, [front], [WEB])
    lists = [{**front, "state": "absent"}, lan], [{**WEB, "networks": [{"name": "lan"}]}]
    foreseen = role(kernel, *lists, check=True)
    done = role(kernel, *lists)
    assert [what for what, commands in done[0]] == [what for what, commands in foreseen[0]]
    assert (done[1], foreseen[1], role(kernel, *lists)) == ([], [], ([], []))
    assert [link.name for link in kernel.links(existing(kernel.find(HOST))) if link.kind == "bridge"] == ["lan"]


@pytest.mark.parametrize("host", ["called otherwise", ""])
def test_after_a_change_of_the_host_s_name_all_is_as_before_it(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    networks, containers = [FRONT], [WEB, {"name": "db", "networks": [{"name": "front", "host_interface": "db0"}]}]
    kernel = MemoryKernel()
    role(kernel, networks, containers)
    monkeypatch.setattr(MemoryKernel, "identity", lambda self: host)
    assert role(kernel, networks, containers)[0] == []
    wiring = gathered(kernel, ["bridges", "veths"])[0]
    assert [one["ours"] for one in wiring["bridges"]] == [True]
    assert [(one["ours"], one["made_for"]) for one in wiring["veths"]] == [(True, "web"), (True, "db")]
    renamed = [WEB, {"name": "db", "networks": [{"name": "front", "host_interface": "db1"}]}]
    done = [what for what, commands in as_foreseen(kernel, networks, renamed)[0]]
    assert done == ["spoof_check db1", "veth db1"]
    assert role(kernel, networks, renamed)[0] == []
    as_foreseen(kernel, networks, renamed, "absent")
    assert kernel.snapshot() == MemoryKernel().snapshot()


def test_a_second_list_that_says_unmanaged_takes_no_rules_of_the_first() -> None:
    kernel = MemoryKernel()
    role(kernel, [FRONT], [WEB])
    theirs = [{**FRONT, "unmanaged": True}]
    role(kernel, theirs, [DB])
    gone, dummy = as_foreseen(kernel, theirs, [DB], "absent")
    assert [what for what, commands in gone] == [f"veth {V_DB}", "netns db", "spoof_check of db"]
    as_foreseen(kernel, [FRONT], [WEB], "absent")
    assert kernel.snapshot() == MemoryKernel().snapshot()
