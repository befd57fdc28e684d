# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun nat, type dnat: what is in the way of a port."""

from __future__ import annotations

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.listeners import Listener
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import EVERYWHERE, PortMapping
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, DelLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import AddNetns
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Address, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import conflicts
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.resource import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._run import execution, validation
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.tests.unit.asked import existing, failed, made, plan, refusal
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

WEB = {"type": "dnat", "host_port": "8080", "to_address": "10.0.0.2", "owner": "web"}
DB = {"type": "dnat", "host_port": "8080", "to_address": "10.0.0.3", "owner": "db"}
RESERVED = "net.ipv4.ip_local_reserved_ports"


@pytest.fixture
def kernel() -> MemoryKernel:
    """Two containers on a bridge."""
    kernel = MemoryKernel()
    kernel.apply(AddLink(HOST, "br0", "bridge", {"enabled": True}))
    kernel.apply(PutAddress(HOST, "br0", Address("10.0.0.1", 24, 4)))
    for number, name in ((2, "web"), (3, "db")):
        ref = NsRef.parse(name)
        kernel.apply(AddNetns(name))
        kernel.apply(
            AddLink(HOST, f"{name}0", "veth", {"enabled": True, "master": "br0"}, ref, "eth0", {"enabled": True})
        )
        kernel.apply(PutAddress(ref, "eth0", Address(f"10.0.0.{number}", 24, 4)))
    return kernel


def unwire(kernel: MemoryKernel, name: str) -> None:
    kernel.apply(DelLink(HOST, f"{name}0"))


def test_f6_who_listens_is_named_where_it_can_be_seen(kernel: MemoryKernel) -> None:
    kernel.listening = [Listener("tcp", "0.0.0.0", 8080, inode=7)]
    said = failed(kernel, RESOURCE, **WEB)
    assert said.startswith(
        "host_port: tcp port 8080 is in use: a process that cannot be seen from here listens on 0.0.0.0:8080;"
    )
    kernel.socket_of = {7: (42, "nginx")}
    assert "nginx (process 42) listens" in failed(kernel, RESOURCE, **WEB)
    assert made(kernel, RESOURCE, shadow=True, **WEB)["changed"] is True
    said = refusal(RESOURCE, shadow=True, type="filter", bridge="br0")
    assert said == "shadow: it does not go with type: filter."


def test_f6_what_is_ours_already_is_not_looked_at_and_a_task_looks_once(kernel: MemoryKernel) -> None:
    items = [{"host_port": str(port)} for port in (80, 81, 82)]
    for expected in (1, 1):
        wants = validation.items(RESOURCE, {**WEB, "host_port": None, "aggregate": items})
        execution.execute(RESOURCE, wants, kernel, False)
        assert kernel.asked_for_sockets == expected
    made(kernel, RESOURCE, **{**WEB, "host_port": "80", "to_address": "10.0.0.3"})
    made(kernel, RESOURCE, **{**WEB, "host_port": "8080", "shadow": True})
    made(kernel, RESOURCE, **{**WEB, "state": "absent"})
    assert kernel.asked_for_sockets == 1


@pytest.mark.parametrize(
    ("ports", "reserved", "warned"),
    [
        ("32767", "", False),
        ("32768", "", True),
        ("61000", "", False),
        ("60999", "", True),
        ("30000-32767", "", False),
        ("30000-40000", "", True),
        ("30000-40000", "32768-40000", False),
        ("30000-40000", "32768-39999", True),
        ("30000-40000", "32769-40000", True),
        ("30000-40000", "32000-35000,35001,35002-50000", False),
        ("30000-40000", "32000-35000,35002-50000", True),
        ("40000", "1,39999,40001", True),
        ("40000", "1,40000,40001\n", False),
    ],
)
def test_f6_a_port_that_the_kernel_gives_away_is_warned_of(
    kernel: MemoryKernel, ports: str, reserved: str, warned: bool
) -> None:
    if reserved:
        kernel._state.known.sysctls[existing(kernel.find(HOST)), RESERVED] = reserved
    given = {**WEB, "host_port": ports}
    said = plan(kernel, RESOURCE, **given).warnings
    assert [RESERVED in one and "32768-60999" in one for one in said] == [True] * warned
    made(kernel, RESOURCE, **given)
    assert plan(kernel, RESOURCE, **given).warnings == ()


def test_f5_the_port_of_an_address_that_nobody_has_is_collected(kernel: MemoryKernel) -> None:
    made(kernel, RESOURCE, **WEB)
    assert "is published already by 'web'" in failed(kernel, RESOURCE, **DB)
    unwire(kernel, "web")
    done = made(kernel, RESOURCE, **DB)
    assert done["before"] == {"of_gone_containers": ["8080/tcp of web to 10.0.0.2"]}
    assert done["diff"]["before"] == "of_gone_containers 8080/tcp of web to 10.0.0.2\n"
    assert "nft 'delete element inet linuxnet_containers publish_ip { tcp . 0.0.0.0/0 . 8080 }'" in done["commands"]
    assert made(kernel, RESOURCE, **DB)["changed"] is False


def element(to: str = "10.0.0.2", bridge: str = "br0") -> PortMapping:
    return PortMapping("tcp", EVERYWHERE[4], 80, 80, to, 0, "web", bridge)


def gone(kernel: MemoryKernel, one: PortMapping) -> bool:
    return bool(conflicts.abandoned([one], existing(kernel.find(HOST)), State(kernel)))


def test_f5_what_cannot_be_told_is_not_gone(kernel: MemoryKernel) -> None:
    assert not gone(kernel, element())
    unwire(kernel, "web")
    assert gone(kernel, element())
    kernel.on_the_wire = {"10.0.0.2": "02:00:00:00:00:09"}
    assert not gone(kernel, element()), "somebody answers for it"
    kernel.on_the_wire = {}
    assert not gone(kernel, element(bridge="")), "it was not behind a bridge"
    assert not gone(kernel, element(to="10.0.0.1")), "the host has it"
    kernel.apply(SetLink(HOST, "br0", {"enabled": False}, {"enabled": True}))
    assert not gone(kernel, element()), "nobody can answer"


def test_f5_a_bridge_that_is_gone_has_nobody_behind_it_unless_another_is_in_its_place(kernel: MemoryKernel) -> None:
    assert not gone(kernel, element(bridge="br9")), "its container is behind br0 by now"
    assert gone(kernel, element(bridge="br9", to="10.9.0.2"))
    kernel.apply(AddLink(HOST, "up0", "veth", {"enabled": True}, NsRef.parse("db"), "up1", {"enabled": True}))
    kernel.apply(PutAddress(HOST, "up0", Address("10.9.0.1", 24, 4)))
    assert not gone(kernel, element(bridge="br9", to="10.9.0.2")), "its network is no bridge by now"
