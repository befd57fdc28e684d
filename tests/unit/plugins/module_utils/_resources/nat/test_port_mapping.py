# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun nat, type dnat, what is asked for: ports, ranges, and what else the task wants of their owner."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import PortMapping
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.resource import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._run import validation
from ansible_collections.linuxnet.containers.tests.unit.asked import refusal, want

PORT = {"type": "dnat", "host_port": "8080", "to_address": "10.0.0.2", "owner": "web"}


def mappings(**params: Any) -> Any:
    return list(want(RESOURCE, **{**PORT, **params}).mappings)


@pytest.mark.parametrize(
    ("params", "wanted"),
    [
        ({}, [("tcp", "0.0.0.0/0", 8080, 8080, "10.0.0.2", 0)]),
        ({"host_port": 8080}, [("tcp", "0.0.0.0/0", 8080, 8080, "10.0.0.2", 0)]),
        ({"to_port": "80"}, [("tcp", "0.0.0.0/0", 8080, 8080, "10.0.0.2", 80)]),
        ({"to_port": "8080"}, [("tcp", "0.0.0.0/0", 8080, 8080, "10.0.0.2", 0)]),
        ({"host_port": "53/udp"}, [("udp", "0.0.0.0/0", 53, 53, "10.0.0.2", 0)]),
        ({"protocol": "sctp"}, [("sctp", "0.0.0.0/0", 8080, 8080, "10.0.0.2", 0)]),
        ({"host_ip": "192.0.2.1"}, [("tcp", "192.0.2.1", 8080, 8080, "10.0.0.2", 0)]),
        ({"host_ip": "0.0.0.0"}, [("tcp", "0.0.0.0/0", 8080, 8080, "10.0.0.2", 0)]),
        ({"to_address": "FD00:0::2"}, [("tcp", "::/0", 8080, 8080, "fd00::2", 0)]),
        ({"host_port": "80-89"}, [("tcp", "0.0.0.0/0", 80, 89, "10.0.0.2", 0)]),
        ({"host_port": "80-89", "to_port": "80-89"}, [("tcp", "0.0.0.0/0", 80, 89, "10.0.0.2", 0)]),
        (
            {"host_port": "80-81", "to_port": "90-91"},
            [("tcp", "0.0.0.0/0", 80, 80, "10.0.0.2", 90), ("tcp", "0.0.0.0/0", 81, 81, "10.0.0.2", 91)],
        ),
    ],
)
def test_a_port_a_range_and_where_they_go(params: Any, wanted: Any) -> None:
    assert mappings(**params) == [PortMapping(*one, owner="web") for one in wanted]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("items", "given_up"),
    [
        ([], False),
        ([{"owner": "db", "host_port": "8081", "exclusive": True}], True),
        ([{"owner": "db", "host_port": "8081"}], False),
        ([{"owner": "db", "protocol": "udp", "exclusive": True}], True),
        ([{"owner": "db", "state": "absent", "host_port": None, "to_address": None}], True),
        ([{"owner": "db", "state": "absent"}], True),
        ([{"owner": "db", "state": "absent", "host_port": "8081"}], False),
        ([{"owner": "db", "host_port": "8081", "exclusive": True, "netns": "far"}], False),
    ],
)
def test_what_other_owners_give_up_in_the_task_is_known(items: Any, given_up: bool) -> None:
    wants = [want(RESOURCE, **{**PORT, **item}) for item in ({}, *items)]
    held = PortMapping("tcp", "0.0.0.0/0", 8080, 8080, "10.0.0.9", owner="db")
    told: Any = RESOURCE.together(wants)[0]
    assert ("db" in told.leaving and told.leaving["db"].has(held)) is given_up


def test_what_is_to_be_gone_may_leave_out_where_it_goes() -> None:
    assert mappings(state="absent", to_address=None) == [
        PortMapping("tcp", "0.0.0.0/0", 8080, 8080, "0.0.0.0", owner="web"),
        PortMapping("tcp", "::/0", 8080, 8080, "::", owner="web"),
    ]
    assert mappings(state="absent", to_address=None, host_port=None) == []
    assert want(RESOURCE, **{**PORT, "state": "absent", "to_address": None, "host_port": None}).family == 4


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"host_port": None}, "host_port is required with type: dnat."),
        ({"to_address": None}, "to_address is required with type: dnat."),
        ({"host_port": "0"}, "host_port: '0' is neither a port (1 to 65535) nor a range"),
        ({"host_port": "89-80"}, "host_port: '89-80' is neither a port"),
        ({"host_port": "65536"}, "host_port: '65536' is neither a port"),
        ({"host_port": "http"}, "host_port: 'http' is neither a port"),
        ({"host_port": "80/icmp"}, "host_port: '80/icmp': the protocol is one of tcp, udp and sctp"),
        (
            {"host_port": "80/udp", "protocol": "tcp"},
            "host_port: '80/udp': the protocol is one of tcp, udp and sctp, and the same",
        ),
        ({"host_ip": "::1"}, "host_ip: ::1 is not of the same address family as to_address 10.0.0.2."),
        ({"host_ip": "::1", "to_address": "fd00::2"}, "host_ip: nothing can be published on ::1"),
        ({"to_address": "127.0.0.1"}, "to_address: 127.0.0.1 is not the address of a container."),
        (
            {"host_port": "80-89", "to_port": "90-98"},
            "to_port: 90-98 and host_port 80-89 are not of the same length; a range goes to a range, one to one.",
        ),
    ],
)
def test_what_is_refused(params: Any, sentence: Any) -> None:
    given = {name: value for name, value in {**PORT, **params}.items() if value is not None}
    assert refusal(RESOURCE, **given).startswith(sentence)


REACHED = "; name one of the host's, or leave it out for all of them."


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("224.0.0.5", "a multicast address"),
        ("239.255.255.250", "a multicast address"),
        ("255.255.255.255", "not an address a host can have"),
        ("0.0.0.1", "not an address a host can have"),
        ("10.0.0.2", "the container's own address"),
    ],
)
def test_an_address_that_no_packet_for_the_host_goes_to_is_refused(host: str, why: str) -> None:
    assert refusal(RESOURCE, **PORT, host_ip=host) == f"host_ip: {host} is {why}{REACHED}"
    assert not want(RESOURCE, **PORT, host_ip=host, state="absent").present, "what was published so can be taken back"


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("ff02::1", "ff02::1 is a multicast address"),
        ("fd00:0::2", "fd00::2 is the container's own address"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1 is an IPv4 address in an IPv6 one, which no packet goes to"),
        ("::ffff:224.0.0.5", "::ffff:224.0.0.5 is an IPv4 address in an IPv6 one, which no packet goes to"),
    ],
)
def test_so_is_one_of_ipv6(host: str, why: str) -> None:
    assert refusal(RESOURCE, **{**PORT, "to_address": "fd00::2"}, host_ip=host) == f"host_ip: {why}{REACHED}"


@pytest.mark.parametrize("to_port", ["80", "90-91", "90-99", "90"])
def test_a_range_goes_to_a_range_and_to_nothing_else(to_port: str) -> None:
    """To one port, they would be ports that nobody named."""
    assert refusal(RESOURCE, **{**PORT, "host_port": "8000-8005", "to_port": to_port}) == (
        f"to_port: {to_port} and host_port 8000-8005 are not of the same length; a range goes to a range, one to one."
    )


@pytest.mark.parametrize("text", ["80/TCP", "80/Tcp", "80/tcp"])
def test_a_protocol_is_spelled_as_docker_takes_it(text: str) -> None:
    assert want(RESOURCE, **{**PORT, "host_port": text}) == want(RESOURCE, **{**PORT, "host_port": "80"})


def items(*listed: Any) -> Any:
    return validation.items(RESOURCE, {"type": "dnat", "to_address": "10.0.0.2", "aggregate": list(listed)})


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"host_port": "80"}, {"host_port": "80", "owner": "db"}),
        ({"host_port": "80-89"}, {"host_port": "85"}),
        ({"host_port": "80", "host_ip": "192.0.2.1"}, {"host_port": "80"}),
    ],
)
def test_a_port_is_asked_for_once(first: Any, second: Any) -> None:
    with pytest.raises(
        Invalid, match=r"host_port: tcp port \S+ is asked for twice, by 'ansible' and by '(ansible|db)'"
    ):
        items(first, second)


@pytest.mark.parametrize("gone", [{"host_port": "80-89"}, {"host_port": "80-89/tcp"}, {}])
def test_a_port_is_not_asked_for_and_asked_to_be_gone(gone: Any) -> None:
    for listed in (
        [{"host_port": "80-89"}, {**gone, "state": "absent"}],
        [{**gone, "state": "absent"}, {"host_port": "80-89"}],
    ):
        with pytest.raises(Invalid, match="is asked for, and asked to be gone; list it once"):
            items(*listed)


def test_ports_beside_each_other_are_asked_for_together() -> None:
    items(
        {"host_port": "80"},
        {"host_port": "80/udp"},
        {"host_port": "81"},
        {"host_port": "80", "to_address": "fd00::2"},
        {"host_port": "82", "host_ip": "192.0.2.1"},
        {"host_port": "82", "host_ip": "192.0.2.2"},
        {"host_port": "80", "netns": "web"},
    )


def test_what_else_the_owner_has_in_the_task_is_kept() -> None:
    one, other, absent, second = items(
        {"host_port": "80"},
        {"host_port": "90"},
        {"host_port": "95", "state": "absent"},
        {"host_port": "99", "owner": "db"},
    )
    assert one.keep == {(4, "tcp", "0.0.0.0/0", "80", False), (4, "tcp", "0.0.0.0/0", "90", False)}
    assert other.keep is one.keep, "it is one object, by which an index knows it again"
    assert absent.keep == one.keep
    assert second.keep == {(4, "tcp", "0.0.0.0/0", "99", False)}
