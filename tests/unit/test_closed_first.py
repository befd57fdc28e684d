# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Closed first: at no moment of a run, whatever ends or fails there, is a container on a network that is not closed.

After each write to the kernel's twin, with either backend: where a pair is a port of a bridge, the bridge is isolated and its source NAT
stands, and with nftables the port is checked; where forwarding was switched on, each bridge that is there is isolated; a port is published to
an address that its owner has.
"""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import BACKENDS
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.step_runner import take_steps
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.one_task import Steps
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

NETWORKS: list[dict[str, Any]] = [
    {"name": "front", "subnets": ["10.1.0.0/24", "fd00:1::/64"]},
    {"name": "back", "subnets": ["10.2.0.0/24"], "icc": False},
]
CONTAINERS: list[dict[str, Any]] = [
    {"name": "web", "published_ports": ["8080:80"]},
    {"name": "db", "networks": [{"name": "back"}, {"name": "front"}]},
    {"name": "side", "network_mode": "container:web"},
]


class Watched(MemoryKernel):
    """A host of which it is noted after each write what is open. ``refused``: the number of the write that is refused."""

    def __init__(self, refused: int = -1) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fail_at = refused
        self.checks = False  # the backend can check ports
        self.fresh = refused < 0  # forwarding is off at first, and nothing is refused

    def repair(self) -> None:
        """What was refused is refused no more."""
        self.fail_at, self.refused = -1, None

    def apply(self, step: Change) -> None:
        super().apply(step)
        self.open += [f"after {step.attempt()}: {what}" for what in self.what_is_open()]

    def what_is_open(self) -> list[str]:
        """What a packet could pass that must not."""
        host = self.find(HOST)
        assert host is not None
        indexes = [firewalls(self._state).index(host, backend) for backend in BACKENDS]
        isolated = {name for index in indexes for name in index.isolations}
        translated = {rule.source for index in indexes for rule in index.nat_rules.values()}
        found = []
        for network in NETWORKS:
            bridge = self._state.link(host, network["name"])
            ports = self._state.known.links[host].ports(bridge.index) if bridge is not None else []
            pairs = [port.name for port in ports if port.kind == "veth"]
            checked = {name for index in indexes for name in index.spoof_checks}
            found += [f"{name} is not checked" for name in pairs if self.checks and name not in checked]
            if pairs:
                found += [] if network["name"] in isolated else [f"{network['name']} is not isolated"]
                found += [f"{subnet} is not translated" for subnet in network["subnets"] if subnet not in translated]
        bridges = {network["name"] for network in NETWORKS if self._state.link(host, network["name"])}
        if self.sysctl(host, "net.ipv4.ip_forward") == "1" and not bridges <= isolated and self.fresh:
            found.append("forwarding is on")
        for mapping in [one for index in indexes for one in index.port_mappings]:
            inside = self._state.find(NsRef.parse(mapping.owner))
            held = [address.ip for dummy, address in self._state.addresses(inside)] if inside else []
            found += [] if mapping.to in held else [f"port {mapping.ports} of {mapping.owner} leads to nobody"]
        return found


def follow(kernel: Watched, state: str, backend: str = "nftables") -> str:
    kernel.checks = backend == "nftables"
    params = {
        "networks": NETWORKS,
        "containers": CONTAINERS,
        "state": state,
        "firewall_backend": backend,
        "purge": False,
    }
    return take_steps(Steps(params), kernel, False)[2]


@pytest.mark.parametrize("backend", ["nftables", "iptables"])
def test_at_each_write_of_a_run_and_of_its_teardown(backend: str) -> None:
    kernel = Watched()
    assert follow(kernel, "present", backend) == ""
    assert len(kernel.applied) > 20
    assert kernel.what_is_open() == []
    assert follow(kernel, "absent", backend) == ""
    assert kernel.open == []


def writes(state: str) -> list[tuple[str, int]]:
    """Each write of a run by its backend and number."""
    found = []
    for backend in ("nftables", "iptables"):
        kernel = Watched()
        follow(kernel, "present", backend)
        before = 0
        if state == "absent":
            before = len(kernel.applied)
            follow(kernel, "absent", backend)
        found += [(backend, number) for number in range(len(kernel.applied) - before)]
    return found


@pytest.mark.parametrize(("backend", "number"), writes("present"))
def test_whatever_write_of_a_run_is_refused(backend: str, number: int) -> None:
    """And the next run completes what the failure left."""
    kernel = Watched(number)
    said = follow(kernel, "present", backend)
    assert kernel.refused is not None
    assert said.startswith("Failed: ") or not kernel.refused.writes
    assert kernel.open == []
    kernel.repair()
    assert follow(kernel, "present", backend) == ""
    assert kernel.open == []
    again = len(kernel.applied)
    assert follow(kernel, "present", backend) == ""
    assert len(kernel.applied) == again


@pytest.mark.parametrize(("backend", "number"), writes("absent"))
def test_whatever_write_of_a_teardown_is_refused(backend: str, number: int) -> None:
    kernel = Watched()
    follow(kernel, "present", backend)
    kernel.fresh = False
    kernel.fail_at = len(kernel.applied) + number
    assert follow(kernel, "absent", backend).startswith("Failed: ")
    assert kernel.open == []
    kernel.repair()
    assert follow(kernel, "absent", backend) == ""
    assert kernel.open == []
    assert kernel.snapshot() == MemoryKernel().snapshot()
