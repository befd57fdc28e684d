# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Published ports as docker and Compose spell them, and as results show them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import EVERYWHERE, PortMapping
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.published_ports import Port, parse, shown


@pytest.mark.parametrize(
    ("spelled", "port"),
    [
        ("8080:80", Port("8080", "80")),
        ("8080:80/udp", Port("8080", "80", "udp")),
        ("127.0.0.1:5353:53/udp", Port("5353", "53", "udp", "127.0.0.1")),
        ("[::1]:8080:80", Port("8080", "80", "tcp", "::1")),
        ("30000-30099:30000-30099/sctp", Port("30000-30099", "30000-30099", "sctp")),
        ({"target": 80, "published": 8080}, Port("8080", "80")),
        (
            {"target": 53, "published": "5353", "protocol": "udp", "host_ip": "::1", "mode": "host", "name": "dns"},
            Port("5353", "53", "udp", "::1"),
        ),
        ({"target": 80, "published": "8080", "protocol": None, "host_ip": None}, Port("8080", "80")),
    ],
)
def test_both_forms_are_read(spelled: Any, port: Port) -> None:
    assert parse(spelled) == port


@pytest.mark.parametrize("spelled", ["", "8080:80/", "::1:8080:80", "8080:", ":80", "a:b:c:d"])
def test_what_has_not_both_ports_is_refused_with_the_form_that_is_right(spelled: Any) -> None:
    with pytest.raises(Invalid) as refused:
        parse(spelled)
    assert str(refused.value) == (
        f"'{spelled}' is no published port: it is written [HOST_IP:]HOST_PORT:CONTAINER_PORT[/PROTOCOL], in quotes."
    )


@pytest.mark.parametrize(
    "spelled",
    [{}, {"published": 80}, {"published": 80, "x": 1}, {"target": 80, "published": 1, "x": 1}],
)
def test_a_long_form_with_too_little_or_too_much_is_refused(spelled: Any) -> None:
    with pytest.raises(
        Invalid,
        match="the long form of a published port has target and published, and maybe protocol and host_ip; this one has ",
    ):
        parse(spelled)


@pytest.mark.parametrize(
    ("spelled", "text", "named"),
    [
        (80, "80", "8080:80"),
        ("80/udp", "80/udp", "8080:80/udp"),
        ("8080", "8080", "8080:8080"),
        ("0:80", "0:80", "8080:80"),
        ("127.0.0.1::80", "127.0.0.1::80", "8080:80"),
        ("127.0.0.1:0:80", "127.0.0.1:0:80", "8080:80"),
        ("[::1]::443/TCP", "[::1]::443/TCP", "8443:443/TCP"),
        ("80-82", "80-82", "8080-8082:80-82"),
        ({"target": 80}, "80", "8080:80"),
        ({"target": 80, "published": ""}, "80", "8080:80"),
        ({"target": 80, "published": 0, "host_ip": "127.0.0.1"}, "80", "8080:80"),
    ],
)
def test_a_port_of_the_host_that_is_left_to_chance_is_refused(spelled: Any, text: str, named: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse(spelled)
    assert str(refused.value) == (
        f"'{text}' names no port of the host: docker would take one that is free, another one each time. Name it: '{named}', in quotes."
    )


def test_a_protocol_may_be_in_capitals() -> None:
    assert parse("8080:80/TCP") == Port("8080", "80", "tcp")


@pytest.mark.parametrize(("everywhere", "to"), [(EVERYWHERE[4], "10.0.0.2"), (EVERYWHERE[6], "fd00::2")])
def test_a_port_on_all_addresses_is_shown_without_an_address(everywhere: str, to: str) -> None:
    assert shown(PortMapping("tcp", everywhere, 8080, 8080, to, 80)) == {
        "host_ip": None,
        "host_port": "8080",
        "to_address": to,
        "to_port": "80",
        "protocol": "tcp",
    }


def test_a_port_that_stays_the_same_is_shown_twice() -> None:
    mapping = shown(PortMapping("udp", "192.0.2.1", 53, 53, "10.0.0.2"))
    assert [mapping[name] for name in ("host_ip", "host_port", "to_port")] == ["192.0.2.1", "53", "53"]


@pytest.mark.parametrize(("to_port", "last"), [(0, "30000-30009"), (40000, "40000-40009")])
def test_a_range_is_shown_as_it_is_written(to_port: int, last: str) -> None:
    mapping = shown(PortMapping("tcp", "192.0.2.1", 30000, 30009, "10.0.0.2", to_port))
    assert (mapping["host_port"], mapping["to_port"]) == ("30000-30009", last)
