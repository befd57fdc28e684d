# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun netns."""

from __future__ import annotations

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import BindNetns, DropNetns
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, NsFile, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.netns import RESOURCE
from ansible_collections.linuxnet.containers.tests.unit.asked import failed, made, plan, refusal, want
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

WEB = NsRef("/run/netns/web")


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"pid": 0}, "pid: 0 is not a process ID."),
        ({"path": "ns/net"}, "path: 'ns/net' is not an absolute path."),
        ({"share": "web"}, "share: netns 'web' cannot share itself."),
        ({"share": "host", "sysctls": {"net.a": 1}}, "sysctls: with share: host they would be the host's own"),
        ({"sysctls": {"kernel.a": 1}}, "sysctls: 'kernel.a' is not a key of a network namespace"),
        ({"sysctls": {"net.../a": 1}}, "sysctls: 'net.../a' is not a key of a network namespace"),
        ({"sysctls": {"net.a": None}}, "sysctls: 'net.a' needs a value, a number or a text."),
        ({"sysctls": {"net.a": [1]}}, "sysctls: 'net.a' needs a value, a number or a text."),
        ({"pid": 1, "container": "db"}, "parameters are mutually exclusive: pid|container."),
    ],
)
def test_what_is_refused(params, sentence):
    assert refusal(RESOURCE, name="web", **params).startswith(sentence)


def test_a5_spellings_of_a_sysctl_s_value():
    values = {"net.a": True, "net.b": "1  2\t3", "net.c": 7}
    assert want(RESOURCE, name="web", sysctls=values).sysctls == {"net.a": "1", "net.b": "1 2 3", "net.c": "7"}


def test_b3_a_number_is_a_name_and_a_pid_is_a_pid():
    assert want(RESOURCE, name="1234").ref == NsRef("/run/netns/1234")
    assert want(RESOURCE, name="web", share="1234").source == NsRef("/run/netns/1234")
    assert (want(RESOURCE, name="web", pid=1234).pid, want(RESOURCE, name="web", pid=1234).source) == (1234, None)
    assert want(RESOURCE, name="web", path="/var/run/netns/x").source == NsRef("/run/netns/x")


def test_a_fresh_namespace_has_lo_up():
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


def test_a6_only_the_sysctl_that_differs_is_set():
    kernel = MemoryKernel()
    made(kernel, RESOURCE, name="web", sysctls={"net.ipv4.ip_forward": 1, "net.core.somaxconn": 9})
    found = plan(kernel, RESOURCE, name="web", sysctls={"net.ipv4.ip_forward": 1, "net.core.somaxconn": 10})
    assert found.changes == (SetSysctl(WEB, "net.core.somaxconn", "10", "9"),)


def test_b4_names_are_whole_names():
    kernel = MemoryKernel()
    made(kernel, RESOURCE, name="web1")
    assert made(kernel, RESOURCE, name="web")["changed"] is True
    assert made(kernel, RESOURCE, name="web", state="absent")["changed"] is True
    assert sorted(kernel.listing()) == ["web1"]


def test_g5_a_container_that_was_restarted_is_bound_anew():
    kernel = MemoryKernel()
    made(kernel, RESOURCE, name="first")
    made(kernel, RESOURCE, name="second")
    kernel.pids = {42: kernel.find(NsRef("/run/netns/first")), 43: kernel.find(NsRef("/run/netns/second"))}
    assert made(kernel, RESOURCE, name="web", pid=42)["commands"] == ["ip netns attach web 42"]
    assert made(kernel, RESOURCE, name="web", pid=42)["changed"] is False
    result = made(kernel, RESOURCE, name="web", pid=43)
    assert result["commands"] == ["ip netns del web", "ip netns attach web 43"]
    assert (result["after"]["pid"], result["after"]["shared_with"]) == (43, ["second"])


def test_b1_a_process_that_is_gone_or_another_by_now_is_refused():
    kernel = MemoryKernel()
    assert failed(kernel, RESOURCE, name="web", pid=42) == (
        "pid: there is no process 42 on this host; a stopped container has none."
    )
    made(kernel, RESOURCE, name="first")
    kernel.pids = {42: kernel.find(NsRef("/run/netns/first"))}
    starts = iter(["100", "200"])
    kernel.start_time = lambda pid: next(starts)
    assert failed(kernel, RESOURCE, name="web", pid=42) == (
        "pid: process 42 ended while its namespace was being opened; look up the container's process again."
    )
    assert sorted(kernel.listing()) == ["first"]


def test_b2_the_host_s_own_namespace_is_refused_unless_it_is_asked_for():
    kernel = MemoryKernel()
    kernel.pids = {1: kernel.find(HOST)}
    message = "pid: 1 is in the host's own network namespace; say share: host where that is what you want."
    assert failed(kernel, RESOURCE, name="web", pid=1) == message
    assert made(kernel, RESOURCE, name="web", share="host")["after"]["shared_with"] == ["host"]
    assert [type(step) for step in kernel.applied] == [BindNetns]


def test_b5_a_stale_file_is_reported_and_absent_takes_it_away():
    kernel = MemoryKernel()
    kernel.listing = lambda: {"web": NsFile("web", "file")}
    assert failed(kernel, RESOURCE, name="web").endswith("; remove it with state: absent.")
    assert plan(kernel, RESOURCE, name="web", state="absent").changes == (DropNetns("web", 0),)
    kernel.listing = lambda: {"web": NsFile("web", "file", size=7)}
    assert failed(kernel, RESOURCE, name="web", state="absent") == (
        "/run/netns/web is a file of 7 bytes, not a namespace; it is left alone, remove it by hand."
    )


def test_b9_what_holds_a_namespace_is_said_when_its_name_goes():
    kernel = MemoryKernel()
    made(kernel, RESOURCE, name="web")
    kernel.pids = {42: kernel.find(WEB)}
    assert plan(kernel, RESOURCE, name="web", state="absent").warnings == (
        "Netns 'web' lives on without its name: process 42 (sleep) holds it.",
    )
