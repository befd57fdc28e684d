# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel layer knows of addresses beside one namespace's: who is behind the ports of a bridge."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import addresses
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import addresses as netlink_addresses
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import links
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Address, Holder


@pytest.fixture
def kernel() -> Iterator[addresses.Kernel]:
    with addresses.Kernel() as found:
        yield found


def test_members_are_those_behind_the_ports(kernel: addresses.Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "read_ports", lambda _sock, _master: [(7, 2, 3), (8, 9, None)])
    inside = [(1, Address("127.0.0.1", 8, 4, scope="host")), (2, Address("10.0.0.2", 24, 4)), (5, Address("x", 8, 4))]
    monkeypatch.setattr(netlink_addresses, "read_all", lambda _sock, nsid: inside if nsid == 3 else [])
    kernel._open[kernel.own].nsids[3] = 100
    assert kernel.members(kernel.own, 6, {}) == [
        Holder(inside[1][1], 100, 2, "", 3, 7),
        Holder(inside[2][1], 100, 5, "", 3, 0),
    ]
    read = Address("10.0.0.9", 24, 4)
    assert kernel.members(kernel.own, 6, {100: {2: [read]}}) == [
        Holder(read, 100, 2, "", 3, 7)
    ]  # that is not read again
