# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each module is handed the kernel that it needs, and no more: what it packs, each host compiles for each task."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import (
    addresses,
    arp_nd,
    complete,
    containers,
    firewall,
    path,
    reader,
    writer,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model import kernel_api
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import Announce

MODULES = "ansible_collections.linuxnet.containers.plugins.modules."
KERNELS = {
    "bridge": addresses.Kernel,
    "bridge_port": writer.Kernel,
    "nat": firewall.Kernel,
    "netns": containers.Kernel,
    "ns_address": arp_nd.Kernel,
    "ns_link": addresses.Kernel,
    "ns_route": addresses.Kernel,
    "path_info": path.Kernel,
    "veth": writer.Kernel,
    "wiring": complete.Kernel,
    "wiring_info": complete.Kernel,
}


class Runner:
    """What a module calls with its kernel, among others, whichever way it takes."""

    def __init__(self) -> None:
        self.handed: list[object] = []

    def __getattr__(self, way: str) -> Callable[..., None]:
        return lambda *arguments: self.handed.extend(one for one in arguments if one in KERNELS.values())


@pytest.mark.parametrize("name", KERNELS)
def test_a_module_is_handed_its_kernel(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module(MODULES + name)
    runner = Runner()
    monkeypatch.setattr(module, "step_runner" if name == "wiring" else "runner", runner)
    module.main()
    assert runner.handed == [KERNELS[name]]


def verbs(protocol: type) -> set[str]:
    return {name for one in protocol.__mro__ for name in vars(one) if not name.startswith("_")}


@pytest.mark.parametrize(
    "kernel", sorted(set(KERNELS.values()), key=repr), ids=lambda kernel: kernel.__module__.rpartition(".")[2]
)
def test_every_kernel_has_the_verbs_of_the_contract(kernel: type) -> None:
    assert verbs(kernel_api.Kernel) <= verbs(kernel)


def test_the_complete_one_has_what_each_of_the_others_has() -> None:
    own = complete.Kernel
    assert own.containers is containers.Kernel.containers
    assert own.running is containers.Kernel.running
    assert own.who_has is arp_nd.Kernel.who_has
    assert own.apply_together is firewall.Kernel.apply_together
    assert Announce in own._changes
    assert set(own._changes) > set(writer.Kernel._changes)


def test_it_is_opened_and_closed_as_a_whole() -> None:
    with complete.Kernel() as kernel:
        assert (kernel._closing, kernel._prepared, kernel._known) == (None, False, {})
    assert kernel._open == {}


def test_one_base_reads() -> None:
    assert all(issubclass(kernel, reader.Reader) for kernel in KERNELS.values())
