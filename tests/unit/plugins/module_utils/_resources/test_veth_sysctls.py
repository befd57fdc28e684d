# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sysctls of the other end of a pair."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import AddNetns
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.veth import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._run.execution import execute
from ansible_collections.linuxnet.containers.tests.unit.asked import failed, made, plan, refusal, want
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

WEB = NsRef("/run/netns/web")
KEY = "net.ipv4.conf.eth0.arp_notify"
PAIR: dict[str, Any] = {"peer_netns": "web", "peer_sysctls": {KEY: True}}


def host() -> MemoryKernel:
    kernel = MemoryKernel()
    kernel.apply(AddNetns("web"))
    return kernel


@pytest.mark.parametrize(("name", "key"), [("eth0", KEY), ("eth0.5", "net.ipv4.conf.eth0.5.arp_notify")])
def test_a_sysctl_of_an_interface_is_set_when_that_comes(name: str, key: str) -> None:
    kernel, options = host(), {"peer_netns": "web", "peer_name": name, "peer_sysctls": {key: 1}}
    whole = f"net.ipv4.conf.{name.replace('.', '/')}.arp_notify"
    (foreseen,), dummy = execute(RESOURCE, [want(RESOURCE, **options)], kernel, check=True)
    steps = plan(kernel, RESOURCE, **options).changes
    assert [type(step) for step in steps] == [AddLink, SetSysctl, SetLink], "before it is up"
    done = made(kernel, RESOURCE, **options)
    assert done["after"]["peer_sysctls"] == {whole: "1"}
    assert (foreseen["diff"], foreseen["commands"], foreseen["after"]) == (
        done["diff"],
        done["commands"],
        done["after"],
    )
    assert made(kernel, RESOURCE, **options)["changed"] is False


def test_only_the_one_that_differs_is_set() -> None:
    kernel = host()
    made(kernel, RESOURCE, **PAIR)
    more = {KEY: 1, "net.ipv4.neigh.eth0.gc_stale_time": 5}
    found = plan(kernel, RESOURCE, peer_netns="web", peer_sysctls=more)
    assert found.changes == (SetSysctl(WEB, "net.ipv4.neigh.eth0.gc_stale_time", "5", "60"),)
    assert (found.before["peer_sysctls"], found.after["peer_sysctls"]) == (
        {KEY: "1", "net.ipv4.neigh.eth0.gc_stale_time": "60"},
        {KEY: "1", "net.ipv4.neigh.eth0.gc_stale_time": "5"},
    )
    assert "peer_sysctls" not in plan(kernel, RESOURCE, peer_netns="web").after


@pytest.mark.parametrize("there", [False, True])
def test_a_key_that_the_kernel_has_not_is_known_before(there: bool) -> None:
    kernel = host()
    if there:
        made(kernel, RESOURCE, peer_netns="web")
    said = failed(kernel, RESOURCE, peer_netns="web", peer_sysctls={"net.ipv4.conf.eth0.arp_notifyy": 1})
    assert said == "sysctls: this kernel has no 'net.ipv4.conf.eth0.arp_notifyy'; is it misspelt?"
    assert (kernel.link(kernel.find(HOST) or 0, "v0") is None) or there


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        (
            "net.ipv4.conf.eth1.arp_notify",
            1,
            "sysctls: 'net.ipv4.conf.eth1.arp_notify' is not of the interface 'eth0'.",
        ),
        ("net.ipv4.ip_forward", 1, "sysctls: 'net.ipv4.ip_forward' is not of the interface 'eth0'."),
        (
            "net.ipv6.conf.eth0.mtu",
            1300,
            "sysctls: 'net.ipv6.conf.eth0.mtu' is set by the kernel each time the interface comes up; give the pair, or its network, an mtu.",
        ),
        (KEY, None, f"sysctls: '{KEY}' needs a value, a number or a text."),
    ],
)
def test_what_is_not_of_the_interface_is_refused(key: str, value: Any, sentence: str) -> None:
    assert refusal(RESOURCE, peer_netns="web", peer_sysctls={key: value}) == sentence
