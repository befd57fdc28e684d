# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun ns_route."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import AddNetns
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import DelRoute, PutRoute
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Address, NsRef, Route
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_route import RESOURCE
from ansible_collections.linuxnet.containers.tests.unit.asked import failed, made, plan, want
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

WEB = NsRef("/run/netns/web")
DEFAULT = {"netns": "web", "gateway": "10.0.0.1"}


def host() -> MemoryKernel:
    kernel = MemoryKernel()
    kernel.apply(AddNetns("web"))
    for name, text in (("eth0", "10.0.0.2"), ("eth1", "10.1.0.2")):
        kernel.apply(AddLink(HOST, "v" + name, "veth", {"enabled": True}, WEB, name, {}))
        kernel.apply(SetLink(WEB, name, {"enabled": True}, {}))
        kernel.apply(PutAddress(WEB, name, Address(text, 24, 4, label=name)))
    kernel.apply(PutAddress(WEB, "eth0", Address("fd00::2", 64, 6)))
    return kernel


def test_a5_spellings_mean_the_same() -> None:
    kernel = host()
    made(kernel, RESOURCE, **DEFAULT)
    for params in ({}, {"destination": "0.0.0.0/0"}, {"family": "ipv4"}, {"table": "254"}, {"metric": 0}):
        assert plan(kernel, RESOURCE, **DEFAULT, **params).changes == ()
    made(kernel, RESOURCE, netns="web", gateway="FD00:0::1")
    for params in ({}, {"destination": "::/0"}, {"family": "ipv6"}, {"metric": 0}, {"metric": 1024}):
        assert plan(kernel, RESOURCE, netns="web", gateway="fd00::1", **params).changes == ()


@pytest.mark.parametrize(
    ("option", "value", "word"),
    [
        ("mtu", 1400, "mtu 1400"),
        ("advmss", 1000, "advmss 1000"),
        ("gateway", "10.0.0.9", "via 10.0.0.9"),
        ("gateway", "10.1.0.1", "dev eth1"),
        ("source", "10.0.0.2", "src 10.0.0.2"),
        ("onlink", True, "onlink"),
    ],
)
def test_a6_e3_a_route_is_replaced_in_one_step(option: str, value: int | str, word: str) -> None:
    kernel = host()
    made(kernel, RESOURCE, **DEFAULT)
    (step,) = plan(kernel, RESOURCE, **{**DEFAULT, option: value}).changes
    assert isinstance(step, PutRoute)
    assert str(step.old) == "default via 10.0.0.1 dev eth0"
    assert word in str(step.route)
    assert str(step.commands()[0]).startswith("ip -n web route replace default ")


def test_an_ipv6_route_that_hides_the_gateway_of_another_one_goes_first() -> None:
    kernel = host()
    way = {"netns": "web", "destination": "fd00:9::/64"}
    made(kernel, RESOURCE, **way, gateway="fd00::1")
    kernel.apply(PutAddress(WEB, "eth1", Address("fd00:1::2", 64, 6)))
    first, second = plan(kernel, RESOURCE, **way, gateway="fd00:9::", interface="eth1", onlink=True).changes
    assert isinstance(first, DelRoute)
    assert isinstance(second, PutRoute)
    assert second.old is None
    (step,) = plan(kernel, RESOURCE, **way, gateway="fd00:1::9", interface="eth1", onlink=True).changes
    assert isinstance(step, PutRoute)


def test_e1_another_metric_is_there_before_the_old_one_goes() -> None:
    kernel = host()
    made(kernel, RESOURCE, **DEFAULT)
    first, second = plan(kernel, RESOURCE, metric=50, **DEFAULT).changes
    assert (type(first), first.route.metric, first.old) == (PutRoute, 50, None)
    assert (type(second), second.route.metric) == (DelRoute, 0)


def test_what_is_not_asked_for_stays() -> None:
    kernel = host()
    made(kernel, RESOURCE, mtu=1400, **DEFAULT)
    result = made(kernel, RESOURCE, advmss=1000, **DEFAULT)
    assert (result["after"]["mtu"], result["after"]["advmss"]) == (1400, 1000)


def test_the_networks_in_reach_are_named_once_and_in_order() -> None:
    """However often the kernel tells of them, and in which order."""
    kernel = host()
    for metric, net in enumerate(("10.9.0.0/16", "10.0.9.0/24", "10.9.0.0/16")):
        made(kernel, RESOURCE, netns="web", destination=net, interface="eth0", metric=metric)
    assert "(10.0.0.0/24, 10.0.9.0/24, 10.1.0.0/24, 10.9.0.0/16)" in failed(
        kernel, RESOURCE, netns="web", gateway="10.7.0.1"
    )


def test_e2_a_gateway_that_is_on_no_link_is_refused_or_onlink() -> None:
    kernel = host()
    assert failed(kernel, RESOURCE, netns="web", gateway="10.7.0.1") == (
        "gateway: 10.7.0.1 is in no on-link subnet of netns 'web' (10.0.0.0/24, 10.1.0.0/24); "
        "add an address of its subnet first, or set onlink: true."
    )
    assert "behind eth1 (10.1.0.0/24)" in failed(kernel, RESOURCE, interface="eth1", **DEFAULT)
    assert made(kernel, RESOURCE, netns="web", gateway="10.7.0.1", interface="eth0", onlink=True)["changed"] is True


def test_a_route_needs_a_way() -> None:
    assert failed(host(), RESOURCE, netns="web", destination="10.9.0.0/16").endswith(
        "needs a gateway, an interface or nexthops."
    )


def test_nexthops_are_the_same_in_any_order() -> None:
    kernel = host()
    hops: list[dict[str, Any]] = [{"gateway": "10.0.0.1"}, {"gateway": "10.1.0.1", "weight": 3}]
    made(kernel, RESOURCE, netns="web", nexthops=hops)
    assert plan(kernel, RESOURCE, netns="web", nexthops=hops[::-1]).changes == ()
    hops[0]["weight"] = 2
    assert len(plan(kernel, RESOURCE, netns="web", nexthops=hops).changes) == 1


def test_absent_takes_only_what_matches() -> None:
    kernel = host()
    made(kernel, RESOURCE, **DEFAULT)
    assert plan(kernel, RESOURCE, netns="web", gateway="10.0.0.9", state="absent").changes == ()
    assert plan(kernel, RESOURCE, netns="web", metric=5, state="absent").changes == ()
    (step,) = plan(kernel, RESOURCE, netns="web", destination="default", state="absent").changes
    assert step == DelRoute(WEB, Route(4, "0.0.0.0/0", gateway="10.0.0.1", interface="eth0"))
    assert want(RESOURCE, destination="default").family == 4
