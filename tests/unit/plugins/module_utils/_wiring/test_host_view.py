# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which namespaces and pairs are seen, what they are called, and which of them are asked for, on the kernel's twin."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import DropNetns
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    Container,
    NsRef,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import (
    bridge,
    netns,
    veth,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import resource as nat
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.report import text
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.survey import SUBSETS, gathered
from ansible_collections.linuxnet.containers.tests.unit.asked import made
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel
from ansible_collections.linuxnet.containers.tests.unit.surveyed import (
    DB,
    V_DB,
    V_WEB,
    WEB,
    inode_of,
    only,
    seen,
    wired,
)


def test_a_pair_of_ours_under_a_name_of_its_own_is_known_by_its_address() -> None:
    kernel = wired()
    made(kernel, netns.RESOURCE, name="web")
    made(kernel, veth.RESOURCE, name="v0", peer_netns="web")
    assert only(seen(kernel)["veths"], name="v0")["ours"] is True


def test_a_pair_is_reported_once_and_its_near_end_is_the_one_that_made_it_ours() -> None:
    kernel = wired("web", "db")
    made(kernel, veth.RESOURCE, netns="db", name="inner", peer_netns="web", peer_name="eth1")
    made(kernel, veth.RESOURCE, name="a", peer_name="b")
    told = [(one["netns"], one["name"], one["peer_netns"], one["owner"]) for one in seen(kernel)["veths"]]
    assert sorted(told, key=str) == [
        ("db", "inner", "web", "web"),
        (None, "a", None, None),
        (None, V_DB, "db", "db"),
        (None, V_WEB, "web", "web"),
    ]


def test_a_namespace_without_a_name_is_reported_with_its_process() -> None:
    kernel = wired("web")
    inode = inode_of(kernel, WEB)
    kernel.pids = {42: inode, 43: inode}
    kernel.apply(DropNetns("web", inode))
    lists = seen(kernel)
    space = only(lists["namespaces"], name=None)
    assert set(space) == set(only(seen(wired("db"))["namespaces"], name="db"))
    assert (space["inode"], space["path"], space["pid"], space["loopback"]) == (inode, "/proc/42/ns/net", 42, True)
    assert space["processes"] == [{"pid": 42, "command": "sleep"}, {"pid": 43, "command": "sleep"}]
    pair = only(lists["veths"], name=V_WEB)
    assert (pair["peer_netns"], pair["owner"], pair["ours"]) == ("/proc/42/ns/net", "process 42 (sleep)", True)
    assert only(lists["addresses"], ip="10.0.0.2")["netns"] == "/proc/42/ns/net"


def test_a_container_is_known_by_its_process() -> None:
    kernel = wired("web", "db")
    inode = inode_of(kernel, WEB)
    kernel.pids = {1: inode_of(kernel, HOST), 900: inode, 40: inode, 41: inode_of(kernel, DB)}
    kernel.started = [
        Container("podman", "sidecar", 900),
        Container("docker", "shop", 40),
        Container("docker", "gone", 99),
        Container("systemd", "cron.service", 1),
    ]
    lists = seen(kernel)
    space = only(lists["namespaces"], name="web")
    assert (space["container"], space["engine"], space["pid"]) == ("shop", "docker", 40)
    assert [(one["name"], one["engine"], one["pid"]) for one in space["containers"]] == [
        ("shop", "docker", 40),
        ("sidecar", "podman", 900),
    ]
    assert only(lists["veths"], name=V_WEB)["container"] == "shop"
    assert [one["name"] for one in lists["namespaces"]] == ["db", "web"]
    assert f"{V_WEB} ─── eth0 in web (docker shop, podman sidecar)  10.0.0.2/24" in text(lists)


def test_a_container_in_the_hosts_namespace_is_reported() -> None:
    kernel = MemoryKernel()
    kernel.pids = {1: inode_of(kernel, HOST), 7: inode_of(kernel, HOST)}
    kernel.started = [Container("docker", "agent", 7)]
    (space,) = seen(kernel)["namespaces"]
    assert (space["name"], space["path"], space["shared_with"]) == (None, "/proc/7/ns/net", ["host"])
    assert text(seen(kernel)) == "host\nagent (docker)  (host)\n"


@pytest.mark.parametrize("names", [("aside", "web"), ("web", "zside")])
def test_a_shared_namespace_is_called_by_the_name_that_its_wiring_was_made_for(names: tuple[str, str]) -> None:
    kernel = wired("web")
    made(kernel, netns.RESOURCE, name=next(name for name in names if name != "web"), share="web")
    lists = seen(kernel)
    assert {one["name"] for one in lists["namespaces"]} == set(names)
    assert only(lists["veths"], name=V_WEB)["peer_netns"] == "web"
    assert {one["netns"] for one in lists["routes"]} == {"web"}


def test_only_what_is_in_a_namespace_or_leads_to_it() -> None:
    kernel = wired("web", "db")
    made(kernel, bridge.RESOURCE, name="br1")
    made(kernel, nat.RESOURCE, source="10.7.0.0/24")
    lists = seen(kernel, "web")
    assert [one["name"] for one in lists["namespaces"]] == ["web"]
    assert [one["name"] for one in lists["veths"]] == [V_WEB]
    assert [(one["name"], one["ports"]) for one in lists["bridges"]] == [("br0", [V_WEB])]
    assert {(one["netns"], one["ip"]) for one in lists["addresses"]} == {(None, "10.0.0.1"), ("web", "10.0.0.2")}
    assert {one["netns"] for one in lists["routes"]} == {"web"}
    assert [one["source"] for one in lists["nat"]] == ["10.0.0.0/24"]
    assert seen(kernel, "web", "/run/netns/db")["veths"] == seen(kernel)["veths"]


def test_a_namespace_that_does_not_exist_is_a_warning() -> None:
    lists, warnings = gathered(wired("web"), SUBSETS, [NsRef.parse("nowhere")])
    assert lists == {name: [] for name in SUBSETS}
    assert warnings == ["Netns 'nowhere' does not exist."]


def failing(kernel: MemoryKernel, method: str, ns: int | None) -> None:
    """Have a reader fail for a namespace, as of a namespace that is just ending."""
    real = getattr(kernel, method)

    def read(where: int, *args: Any, **kwargs: Any) -> Any:
        if where == ns:
            raise OSError(errno.EINVAL, "Invalid argument")
        return real(where, *args, **kwargs)

    setattr(kernel, method, read)


@pytest.mark.parametrize("method", ["links", "addresses", "routes"])
def test_a_namespace_that_is_just_ending_does_no_harm(method: str) -> None:
    kernel = wired("web", "db")
    failing(kernel, method, inode_of(kernel, WEB))
    lists = gathered(kernel, SUBSETS)[0]
    assert only(lists["veths"], name=V_DB)["addresses"] == ["10.0.0.3/24"]
    assert {one["netns"] for one in lists["routes"]} - {"web"} == {"db"}


@pytest.mark.parametrize("method", ["links", "addresses", "routes"])
def test_a_host_that_cannot_be_read_is_an_error(method: str) -> None:
    kernel = wired("web")
    failing(kernel, method, inode_of(kernel, HOST))
    with pytest.raises(KernelError, match="Could not read the state of the host"):
        gathered(kernel, SUBSETS)
