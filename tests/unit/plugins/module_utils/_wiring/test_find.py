# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One question to a host: every kind of it, with the sentence that it gets, and only what concerns it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Address
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import resource as nat
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.survey import SUBSETS, report
from ansible_collections.linuxnet.containers.tests.unit.asked import made
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel
from ansible_collections.linuxnet.containers.tests.unit.surveyed import V_DB, V_WEB, on_lan, wired


@pytest.fixture
def kernel() -> MemoryKernel:
    """Two containers on a bridge, one with a published port, and an uplink."""
    found = wired("web", "db")
    found.apply(AddLink(HOST, "uplink", "dummy", {"enabled": True, "mac": "02:00:00:00:00:0a"}))
    found.apply(PutAddress(HOST, "uplink", Address("192.0.2.1", 24, 4)))
    made(
        found,
        nat.RESOURCE,
        type="dnat",
        owner="web",
        host_port="8085",
        to_address="10.0.0.2",
        to_port="85",
        bridge="br0",
    )
    return found


def answer(kernel: MemoryKernel, find: str, gather: list[str] | None = None) -> tuple[str, dict[str, list[Any]]]:
    """The sentence, and the lists that are not empty."""
    found, warnings = report(kernel, {"gather": gather or SUBSETS, "netns": None, "find": find, "limit": 100})
    assert warnings == []
    return found["msg"], {name: listed for name, listed in found["wiring"].items() if listed}


WEB = f"eth0 of web, behind {V_WEB} on br0"
PUBLISHED = f"8085/tcp is published for web and leads to 10.0.0.2 port 85, {WEB}"
QUESTIONS = [
    ("10.0.0.2", f"10.0.0.2/24 is an address of {WEB}; {PUBLISHED}."),
    ("10.0.0.3/24", f"10.0.0.3/24 is an address of eth0 of db, behind {V_DB} on br0."),
    ("192.0.2.1", "192.0.2.1/24 is an address of uplink of the host."),
    ("10.0.0.77", "Nobody on this host has 10.0.0.77; it is in 10.0.0.0/24, the network of br0."),
    ("2001:DB8:0::1", "Nobody on this host has 2001:db8::1; it is in none of its networks."),
    ("8085/tcp", f"{PUBLISHED}."),
    ("8085", f"{PUBLISHED}."),
    ("8085/UDP", "Nobody publishes 8085/udp with this collection."),
    ("99", "Nobody publishes port 99 with this collection."),
    ("02-00-00-00-00-0A", "02:00:00:00:00:0a is the MAC address of uplink of the host (a dummy)."),
    ("02:00:00:00:00:0b", "No interface that can be seen on this host has the MAC address 02:00:00:00:00:0b."),
    ("web", f"web has eth0 10.0.0.2/24 on br0 ({V_WEB}); default gateway 10.0.0.1; published: 8085/tcp."),
    (
        "br0",
        f"br0 is a bridge (10.0.0.1/24) with 2 ports: eth0 of web 10.0.0.2/24 ({V_WEB}); eth0 of db 10.0.0.3/24 ({V_DB}).",
    ),
    (V_DB, f"There is {V_DB} of the host on br0, whose other end is eth0 of db."),
    ("uplink", "There is uplink of the host (a dummy); it has 192.0.2.1/24."),
    (" nobody ", "Nothing on this host is called 'nobody'."),
]


@pytest.mark.parametrize(("question", "sentence"), QUESTIONS)
def test_each_kind_of_question_gets_its_sentence(kernel: MemoryKernel, question: str, sentence: str) -> None:
    assert answer(kernel, question)[0] == sentence


@pytest.mark.parametrize("question", ["10.0.0.2", "8085/tcp", "web", V_WEB])
def test_only_what_concerns_it_is_returned(kernel: MemoryKernel, question: str) -> None:
    """Nothing of the other container; of the bridge there is one."""
    lists = answer(kernel, question)[1]
    assert [pair["name"] for pair in lists["veths"]] == [V_WEB]
    assert [bridge["name"] for bridge in lists["bridges"]] == ["br0"]
    assert [namespace["name"] for namespace in lists["namespaces"]] == ["web"]
    assert {address["netns"] for address in lists["addresses"]} <= {"web", None}
    assert [route["netns"] for route in lists["routes"]] == ["web"]
    assert {rule["owner"] for rule in lists.get("nat", ()) if rule["type"] == "dnat"} <= {"web"}


def test_a_network_has_all_that_are_on_it(kernel: MemoryKernel) -> None:
    lists = answer(kernel, "br0")[1]
    assert [pair["name"] for pair in lists["veths"]] == [V_WEB, V_DB]
    assert [rule["type"] for rule in lists["nat"]] == ["masquerade", "dnat"]


def test_the_lists_are_those_that_are_gathered(kernel: MemoryKernel) -> None:
    assert set(answer(kernel, "web", ["veths"])[1]) == {"veths"}


def test_many_are_not_all_named() -> None:
    sentence, lists = answer(wired(*(f"c{number}" for number in range(13))), "br0")
    assert sentence.endswith("; and 3 more.")
    assert len(lists["veths"]) == 13


def test_an_empty_question_is_refused(kernel: MemoryKernel) -> None:
    with pytest.raises(Invalid, match="find: it is empty"):
        answer(kernel, " ")


@pytest.mark.parametrize(
    ("asked", "said", "links"),
    [
        (
            "web",
            "web has eth0 10.3.0.2/24, a macvlan on eth1.10 of the host; default gateway 10.3.0.1.",
            ["eth1.10", "eth0"],
        ),
        (
            "10.3.0.2",
            "10.3.0.2/24 is an address of eth0 of web, a macvlan on eth1.10 of the host.",
            ["eth1.10", "eth0"],
        ),
        (
            "eth1.10",
            "There is eth1.10 of the host, a vlan on eth1 of the host; it has 10.3.0.9/24; made on it: eth0 of db 10.3.0.3/24; "
            "eth0 of web 10.3.0.2/24.",
            ["eth1.10", "eth0", "eth0"],
        ),
        ("eth1", "There is eth1 of the host, behind far1; made on it: eth1.10 of the host 10.3.0.9/24.", ["eth1.10"]),
        ("red", "There is red of the host (a vrf); its ports: lo1.", ["red", "lo1"]),
        ("lo1", "There is lo1 of the host (a dummy).", ["red", "lo1"]),
        ("10.3.0.7", "Nobody on this host has 10.3.0.7; it is in 10.3.0.0/24, the network of eth1.10.", []),
    ],
)
def test_links_are_found_with_what_they_are_made_on_and_who_is_on_them(asked: str, said: str, links: list[str]) -> None:
    text, lists = answer(on_lan("macvlan", "web", "db"), asked)
    assert text == said
    assert [one["name"] for one in lists.get("links", ())] == links


def test_the_mac_address_of_a_macvlan_is_the_container_s() -> None:
    kernel = on_lan("macvlan", "web")
    mac = next(one["mac"] for one in answer(kernel, "web")[1]["links"] if one["netns"] == "web")
    assert answer(kernel, mac)[0] == f"{mac} is the MAC address of eth0 of web, a macvlan on eth1.10 of the host."
