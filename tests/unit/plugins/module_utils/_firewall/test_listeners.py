# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ports that processes listen on, found by port."""

from __future__ import annotations

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.listeners import Listener, Listeners
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import EVERYWHERE, PortMapping


def port(first: int, last: int = 0, host_ip: str = EVERYWHERE[4], protocol: str = "tcp") -> PortMapping:
    return PortMapping(protocol, host_ip, first, last or first, "fd00::2" if ":" in host_ip else "10.0.0.2")


@pytest.mark.parametrize(
    ("ip", "both", "host_ip", "meets"),
    [
        ("0.0.0.0", False, EVERYWHERE[4], True),
        ("0.0.0.0", False, "192.0.2.1", True),
        ("192.0.2.1", False, EVERYWHERE[4], True),
        ("192.0.2.1", False, "192.0.2.1", True),
        ("192.0.2.1", False, "192.0.2.2", False),
        ("0.0.0.0", False, EVERYWHERE[6], False),
        ("::", True, EVERYWHERE[4], True),
        ("::", True, "192.0.2.1", True),
        ("::", False, EVERYWHERE[4], False),
        ("::", False, EVERYWHERE[6], True),
        ("::", False, "2001:db8::1", True),
        ("2001:db8::1", False, "2001:db8::2", False),
        ("2001:db8::1", False, EVERYWHERE[6], True),
    ],
)
def test_f6_what_is_bound_to_any_address_meets_all_of_its_families(
    ip: str, both: bool, host_ip: str, meets: bool
) -> None:
    found = Listeners([Listener("tcp", ip, 80, both)])
    assert bool(list(found.meeting(port(80, host_ip=host_ip)))) is meets


def test_those_of_a_range_are_found_by_port() -> None:
    found = Listeners(
        Listener(protocol, "0.0.0.0", number) for number in (90, 10, 20, 21, 30) for protocol in ("udp", "tcp")
    )
    assert [(one.protocol, one.port) for one in found.meeting(port(20, 30))] == [("tcp", 20), ("tcp", 21), ("tcp", 30)]
    assert list(found.meeting(port(22, 29))) == list(found.meeting(port(91, 65535))) == []
    assert list(found.meeting(port(20, protocol="sctp"))) == []


def test_where_is_written_as_a_socket_s_name_is() -> None:
    assert [Listener("tcp", ip, 80).where for ip in ("0.0.0.0", "::1")] == ["0.0.0.0:80", "[::1]:80"]


def test_f6_many_ports_and_many_sockets_are_not_compared_each_with_each(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[PortMapping] = []
    takes = Listener.takes

    def counted(self: Listener, one: PortMapping) -> bool:
        compared.append(one)
        return takes(self, one)

    monkeypatch.setattr(Listener, "takes", counted)
    found = Listeners(Listener("udp", "127.0.0.1", number) for number in range(20000, 30000))
    wanted = [port(number, protocol="udp") for number in (*range(10000, 20000), *range(30000, 40000), 25000)]
    assert [one.port for element in wanted for one in found.meeting(element)] == [25000]
    assert len(compared) == 1
    assert next(found.meeting(port(1, 65535, protocol="udp"))).port == 20000
    assert len(compared) == 2
