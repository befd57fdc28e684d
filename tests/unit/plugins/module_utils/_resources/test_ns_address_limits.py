# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel asks before it takes an address."""

from __future__ import annotations

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_address import RESOURCE
from ansible_collections.linuxnet.containers.tests.unit.asked import failed, made, plan
from ansible_collections.linuxnet.containers.tests.unit.wired_host import WEB, two_containers

ETH0 = {"netns": "web", "interface": "eth0"}


def test_ipv6_that_is_off_is_switched_on_where_it_is_asked_for() -> None:
    kernel = two_containers()
    kernel.apply(SetSysctl(WEB, "net/ipv6/conf/eth0/disable_ipv6", "1", "0"))
    first, *dummy = plan(kernel, RESOURCE, address="fd00::2/64", **ETH0).changes
    assert first == SetSysctl(WEB, "net/ipv6/conf/eth0/disable_ipv6", "0", "1")
    made(kernel, RESOURCE, address="fd00::2/64", **ETH0)
    kernel.apply(SetSysctl(HOST, "net/ipv6/conf/lo/disable_ipv6", "1", "0"))
    message = failed(kernel, RESOURCE, address="fd00::2/64", interface="lo")
    assert message.startswith(
        "address: IPv6 is switched off on lo of the host; set the sysctl net/ipv6/conf/lo/disable_ipv6"
    )


def test_ipv6_needs_an_mtu_of_1280() -> None:
    kernel = two_containers()
    kernel.apply(SetLink(WEB, "eth0", {"mtu": 1279}, {}))
    message = failed(kernel, RESOURCE, address="fd00::2/64", **ETH0)
    assert message == "address: eth0 in netns 'web' has an MTU of 1279 bytes, and IPv6 needs 1280; raise its MTU first."
    made(kernel, RESOURCE, address="10.0.0.5/24", **ETH0)


def test_addresses_of_one_network_have_one_scope() -> None:
    kernel = two_containers()
    made(kernel, RESOURCE, address="10.0.0.5/24", **ETH0)
    message = failed(kernel, RESOURCE, address="10.0.0.6/24", scope="link", **ETH0)
    assert message.startswith("scope: 10.0.0.5/24 is there with scope global, and all addresses of 10.0.0.0/24")
    made(kernel, RESOURCE, address="10.0.0.6/25", scope="link", **ETH0)


def test_a_lifetime_of_ipv4_is_not_preferred_for_longer_than_it_lasts() -> None:
    kernel = two_containers()
    assert made(kernel, RESOURCE, address="10.0.0.5/24", valid_lft="100", **ETH0)["after"]["preferred_lft"] == 100
