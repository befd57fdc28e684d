# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun ns_route: the shorter way to another host, and the routes of a network that hosts share."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Address
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_route import RESOURCE
from ansible_collections.linuxnet.containers.tests.unit.asked import failed, made, refusal
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

NEAR, FAR = "198.18.1.3", "198.18.2.4"
BY_TUNNEL = {"gateway": "10.7.3.0", "interface": "vx-front", "onlink": True}


def host() -> MemoryKernel:
    """An uplink, a bridge with a slice of a network, and the tunnel to the others."""
    kernel = MemoryKernel()
    for name, address in (("eth0", "198.18.1.1/24"), ("front", "10.7.1.1/24"), ("vx-front", "10.7.1.0/32")):
        kernel.apply(AddLink(HOST, name, "bridge" if name == "front" else "dummy", {"enabled": True}))
        ip, dummy, prefix = address.partition("/")
        kernel.apply(PutAddress(HOST, name, Address(ip, int(prefix), 4)))
    return kernel


def to(kernel: MemoryKernel, destination: str, direct: str, **more: Any) -> dict[str, Any]:
    return made(kernel, RESOURCE, destination=destination, direct_gateway=direct, source="10.7.1.1", **more)


def test_a_neighbour_is_sent_to_straight_and_another_host_by_the_way_that_is_given() -> None:
    kernel = host()
    near = to(kernel, "10.7.3.0/24", NEAR, **BY_TUNNEL)["after"]
    assert (near["gateway"], near["interface"], near["onlink"]) == (NEAR, "eth0", False)
    far = to(kernel, "10.7.4.0/24", FAR, **BY_TUNNEL)["after"]
    assert (far["gateway"], far["interface"], far["onlink"]) == ("10.7.3.0", "vx-front", True)
    assert not to(kernel, "10.7.3.0/24", NEAR, **BY_TUNNEL)["changed"]


def test_who_is_a_neighbour_no_more_is_sent_to_by_the_other_way_in_one_step() -> None:
    kernel = host()
    to(kernel, "10.7.3.0/24", NEAR, **BY_TUNNEL)
    done = to(kernel, "10.7.3.0/24", FAR, **BY_TUNNEL)
    assert [line.split()[:3] for line in done["commands"]] == [["ip", "route", "replace"]]


def test_without_any_way_it_is_an_error_or_left_out() -> None:
    kernel = host()
    said = failed(kernel, RESOURCE, destination="10.7.4.0/24", direct_gateway=FAR)
    assert said.startswith(
        "direct_gateway: 198.18.2.4 is on no link of the host, and there is no other way to 10.7.4.0/24"
    )
    left = to(kernel, "10.7.4.0/24", FAR, optional=True)
    assert (left["changed"], left["after"]) == (False, {})
    assert to(kernel, "10.7.3.0/24", NEAR, optional=True)["after"]["gateway"] == NEAR


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"direct_gateway": "fd00::1"}, "direct_gateway: fd00::1 is not of the same address family as the destination."),
        ({"destination": "fd07::/64", "direct_gateway": "fe80::1"}, "direct_gateway: fe80::1 is link-local, which is on every link."),
        ({"direct_gateway": NEAR, "type": "blackhole"}, "direct_gateway: it does not go with type."),
        ({"optional": True}, "optional: it goes with direct_gateway."),
        ({"keep": []}, "keep: it goes with network."),
        ({"network": "front"}, "network: it says which routes are to be gone, so it needs state: absent."),
        ({"network": "front", "state": "absent"}, "destination: it does not go with network."),
        ({"network": "front", "state": "absent", "destination": "default", "gateway": NEAR}, "gateway: it does not go with network."),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(options: dict[str, Any], said: str) -> None:
    assert refusal(RESOURCE, **{"destination": "10.7.3.0/24", **options}) == said


def test_the_routes_of_a_network_go_but_for_those_that_are_asked_for_and_those_of_others() -> None:
    kernel = host()
    to(kernel, "10.7.3.0/24", NEAR, **BY_TUNNEL)
    to(kernel, "10.7.4.0/24", FAR, **BY_TUNNEL)
    to(kernel, "10.7.5.0/24", FAR, **BY_TUNNEL)
    made(kernel, RESOURCE, destination="10.99.0.0/16", gateway="198.18.1.254")
    network = {"network": "front", "interface": "vx-front", "state": "absent"}
    done = made(kernel, RESOURCE, keep=["10.7.4.0/24"], **network)
    assert done["before"]["no_longer_asked_for"] == [
        "10.7.3.0/24 via 198.18.1.3 dev eth0 src 10.7.1.1",
        "10.7.5.0/24 via 10.7.3.0 dev vx-front src 10.7.1.1 onlink",
    ]
    assert not made(kernel, RESOURCE, keep=["10.7.4.0/24"], **network)["changed"]
    made(kernel, RESOURCE, **network)
    assert made(kernel, RESOURCE, destination="10.99.0.0/16", gateway="198.18.1.254")["changed"] is False
    assert to(kernel, "10.7.4.0/24", FAR, **BY_TUNNEL)["before"] == {}
