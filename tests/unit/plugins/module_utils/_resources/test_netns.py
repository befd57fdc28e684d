# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun netns."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import (
    AddNetns,
    BindNetns,
    DropNetns,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, NsFile, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.netns import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._run.execution import execute
from ansible_collections.linuxnet.containers.tests.unit.asked import existing, failed, made, plan, want
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

WEB = NsRef("/run/netns/web")


def test_a_fresh_namespace_has_lo_up() -> None:
    kernel = MemoryKernel()
    result = made(kernel, RESOURCE, name="web", sysctls={"net.ipv4.ip_forward": True})
    assert result["commands"] == [
        "ip netns add web",
        "ip -n web link set lo up",
        "ip netns exec web sysctl -w net.ipv4.ip_forward=1",
    ]
    assert result["after"]["inode"] == kernel.find(WEB)
    assert made(kernel, RESOURCE, name="web")["changed"] is False
    assert made(kernel, RESOURCE, name="db", loopback=False)["commands"] == ["ip netns add db"]


def test_a6_only_the_sysctl_that_differs_is_set() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, name="web", sysctls={"net.ipv4.ip_forward": 1, "net.core.somaxconn": 9})
    found = plan(kernel, RESOURCE, name="web", sysctls={"net.ipv4.ip_forward": 1, "net.core.somaxconn": 10})
    assert found.changes == (SetSysctl(WEB, "net.core.somaxconn", "10", "9"),)


def test_b4_names_are_whole_names() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, name="web1")
    assert made(kernel, RESOURCE, name="web")["changed"] is True
    assert made(kernel, RESOURCE, name="web", state="absent")["changed"] is True
    assert sorted(kernel.listing()) == ["web1"]


def test_g5_a_container_that_was_restarted_is_bound_anew() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, name="first")
    made(kernel, RESOURCE, name="second")
    kernel.pids = {
        42: existing(kernel.find(NsRef("/run/netns/first"))),
        43: existing(kernel.find(NsRef("/run/netns/second"))),
    }
    assert made(kernel, RESOURCE, name="web", pid=42)["commands"] == ["ip netns attach web 42"]
    assert made(kernel, RESOURCE, name="web", pid=42)["changed"] is False
    result = made(kernel, RESOURCE, name="web", pid=43)
    assert result["commands"] == ["ip netns del web", "ip netns attach web 43"]
    assert (result["after"]["pid"], result["after"]["shared_with"]) == (43, ["second"])


def test_b1_a_process_that_is_gone_or_another_by_now_is_refused() -> None:
    kernel: Any = MemoryKernel()
    assert failed(kernel, RESOURCE, name="web", pid=42) == (
        "pid: there is no process 42 on this host; a stopped container has none."
    )
    made(kernel, RESOURCE, name="first")
    kernel.pids = {42: existing(kernel.find(NsRef("/run/netns/first")))}
    starts = iter(["100", "200"])
    kernel.start_time = lambda pid: next(starts)
    assert failed(kernel, RESOURCE, name="web", pid=42) == (
        "pid: process 42 ended while its namespace was being opened; look up the container's process again."
    )
    assert sorted(kernel.listing()) == ["first"]


def test_b2_the_host_s_own_namespace_is_refused_unless_it_is_asked_for() -> None:
    kernel = MemoryKernel()
    kernel.pids = {1: existing(kernel.find(HOST))}
    message = "pid: 1 is in the host's own network namespace; say share: host where that is what you want."
    assert failed(kernel, RESOURCE, name="web", pid=1) == message
    assert made(kernel, RESOURCE, name="web", share="host")["after"]["shared_with"] == ["host"]
    assert [type(step) for step in kernel.applied] == [BindNetns]


def test_b5_a_file_to_mount_on_is_used_and_anything_else_is_somebody_s() -> None:
    kernel: Any = MemoryKernel()
    kernel.listing = lambda: {"web": NsFile("web", "empty")}
    assert plan(kernel, RESOURCE, name="web").changes[:2] == (DropNetns("web", 0), AddNetns("web"))
    assert plan(kernel, RESOURCE, name="web", state="absent").changes == (DropNetns("web", 0),)
    kernel.listing = lambda: {"web": NsFile("web", "file")}
    assert failed(kernel, RESOURCE, name="web").endswith(" is a file of 0 bytes; it is left alone, remove it by hand.")
    kernel.listing = lambda: {"web": NsFile("web", "file", size=7)}
    assert failed(kernel, RESOURCE, name="web", state="absent") == (
        "/run/netns/web is a file of 7 bytes, not a namespace; it is left alone, remove it by hand."
    )


def test_b9_what_holds_a_namespace_is_said_when_its_name_goes() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, name="web")
    kernel.pids = {42: existing(kernel.find(WEB))}
    assert plan(kernel, RESOURCE, name="web", state="absent").warnings == (
        "Netns 'web' lives on without its name: process 42 (sleep) holds it.",
    )


def test_a_sysctl_is_written_once_whatever_its_spelling() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, name="web")
    spellings = [
        {"net.ipv4.ip_local_reserved_ports": "8080,8081", "net.ipv4.conf.all.rp_filter": "0x1"},
        {"net/ipv4/ip_local_reserved_ports": "8081 8080", "net.ipv4.conf.all.rp_filter": True},
        {"net.ipv4.ip_local_reserved_ports": "8080-8081", "net.ipv4.conf.all.rp_filter": 1},
    ]
    changed = [made(kernel, RESOURCE, name="web", sysctls=sysctls)["changed"] for sysctls in spellings]
    assert changed == [True, False, False]


def test_a_sysctl_of_several_numbers_may_be_given_in_part() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, name="web")
    found = plan(kernel, RESOURCE, name="web", sysctls={"net.ipv4.ip_local_port_range": "20000"})
    assert found.changes == (SetSysctl(WEB, "net.ipv4.ip_local_port_range", "20000", "32768 60999"),)
    assert found.after["sysctls"] == {"net.ipv4.ip_local_port_range": "20000 60999"}
    same = plan(kernel, RESOURCE, name="web", sysctls={"net.ipv4.ip_local_port_range": "32768"})
    assert (same.changes, same.after) == ((), same.before)


def test_a_sysctl_that_has_no_value_yet_is_written() -> None:
    kernel: Any = MemoryKernel()
    made(kernel, RESOURCE, name="web")
    key = "net.ipv6.conf.default.stable_secret"
    kernel.sysctl = lambda ns, key: ""  # as the kernel layer says it for EIO
    found = plan(kernel, RESOURCE, name="web", sysctls={key: "2001:db8::1"})
    assert found.changes == (SetSysctl(WEB, key, "2001:0db8:0000:0000:0000:0000:0000:0001", ""),)


def test_a_sysctl_that_the_kernel_has_not_is_refused() -> None:
    kernel = MemoryKernel()
    made(kernel, RESOURCE, name="web")
    assert failed(kernel, RESOURCE, name="web", sysctls={"net.ipv4.no_such_key": 1}) == (
        "sysctls: this kernel has no 'net.ipv4.no_such_key' in netns 'web'; "
        "the module it belongs to is not loaded, or the key is misspelt."
    )


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("key", ["net.ipv4.conf.eth7.arp_notify", "net/ipv4/conf/eth0.7/arp_notify"])
def test_a_sysctl_of_an_interface_that_is_not_there_is_refused_in_a_sentence(there: bool, key: str) -> None:
    kernel = MemoryKernel()
    if there:
        made(kernel, RESOURCE, name="web")
    name = "eth7" if "eth7" in key else "eth0.7"
    said = f"sysctls: '{key}': there is no interface '{name}' in netns 'web'."
    assert failed(kernel, RESOURCE, name="web", sysctls={key: 1}) == said
    wanted = [want(RESOURCE, name="web", sysctls={key: 1})]
    (foreseen,), warnings = execute(RESOURCE, wanted, kernel, check=True)
    if there:
        assert warnings == [
            f"Check mode: interface '{name}' in netns 'web' does not exist yet; taken as made by an earlier task."
        ]
        assert foreseen["changed"] is True
    else:
        assert foreseen["msg"] == said, "nobody was there to make it"
