# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a host stands to a plan, as check mode tells it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._run import step_runner
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import one_task, standing
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.kept import Kept
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

LISTS: dict[str, Any] = {
    "networks": [{"name": "front", "subnets": ["10.1.0.0/24"]}],
    "containers": [
        {"name": "web", "published_ports": ["127.0.0.1:8080:80"]},
        {"name": "db"},
        {"name": "proxy", "network_mode": "host"},
    ],
    "state": "present",
    "firewall_backend": "auto",
}


def stands(kernel: MemoryKernel, check: bool = True) -> tuple[Any, Any]:
    steps = one_task.Steps(LISTS)
    found, _warnings, _failed = step_runner.take_steps(steps, kernel, check)
    what = Kept(LISTS["networks"], LISTS["containers"])
    return standing.standing(what, steps.plan, found, steps.summary(found)["wiring_result"]), found


def states(found: Any) -> dict[str, str]:
    return {name: one["state"] for listed in found.values() for name, one in listed.items()}


def test_what_stands_is_as_kept() -> None:
    kernel = MemoryKernel()
    stands(kernel, check=False)
    found, results = stands(kernel)
    assert states(found) == {"front": "as kept", "web": "as kept", "db": "as kept", "proxy": "as kept"}
    assert standing.stands(found)
    assert standing.diff(results) == []
    [network, web, *dummy] = standing.text(found)
    assert network == "network    front  as kept"
    assert web.startswith("container  web    as kept      10.1.0.")
    assert web.endswith("/24  127.0.0.1:8080->80/tcp")


def test_what_was_never_there_is_missing() -> None:
    found, results = stands(MemoryKernel())
    assert set(states(found).values()) == {"missing"}
    assert not standing.stands(found)
    assert "netns web:" in standing.diff(results)


def test_what_drifted_is_named_and_nothing_else_is() -> None:
    kernel = MemoryKernel()
    stands(kernel, check=False)
    kernel.apply(SetLink(NsRef.parse("db"), "eth0", {"mtu": 1300}, {"mtu": 1500}))
    found, results = stands(kernel)
    assert states(found) == {"front": "as kept", "web": "as kept", "db": "differs", "proxy": "as kept"}
    name = next(
        link.name for link in kernel.links(kernel.find(HOST) or 0) if link.peer_ns == kernel.find(NsRef.parse("db"))
    )
    assert found["containers"]["db"]["objects"] == [f"veth {name} (eth0 of db)"]
    assert standing.text(found)[2] == f"container  db     differs      veth {name} (eth0 of db)"
    assert standing.diff(results) == [f"veth {name} (eth0 of db):", "-peer_mtu 1300", "+peer_mtu 1500"]


def test_what_cannot_be_told_is_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = MemoryKernel()
    stands(kernel, check=False)
    ns = kernel.find(NsRef.parse("db"))
    read = kernel.addresses

    def broken(where: int) -> Any:
        if where == ns:
            raise KernelError(5, "read addresses")
        return read(where)

    monkeypatch.setattr(kernel, "addresses", broken)
    found, _results = stands(kernel)
    assert states(found)["db"] == "failed"
    assert "Could not read addresses" in standing.text(found)[2]
