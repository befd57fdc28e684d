# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is told of a host's wiring, on the kernel's twin. The same on the running kernel: tests/module/test_wiring_info.py."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import Any, NoReturn

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import DropNetns
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import AddPolicy, PutRoute
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError, Lacking
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import host_interface
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    Container,
    NsFile,
    NsRef,
    PolicyRule,
    Route,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import (
    bridge,
    netns,
    ns_address,
    ns_route,
    veth,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import resource as nat
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.report import text
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.survey import SUBSETS, gathered
from ansible_collections.linuxnet.containers.tests.unit.asked import made
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

WEB, DB = NsRef("/run/netns/web"), NsRef("/run/netns/db")
V_WEB, V_DB = host_interface(WEB.path, "eth0"), host_interface(DB.path, "eth0")


def wired(*names: str) -> MemoryKernel:
    """A host with a bridge, and containers on it, made by the modules."""
    kernel = MemoryKernel()
    made(kernel, bridge.RESOURCE, name="br0")
    made(kernel, ns_address.RESOURCE, interface="br0", address="10.0.0.1/24")
    for number, name in enumerate(names):
        made(kernel, netns.RESOURCE, name=name)
        made(kernel, veth.RESOURCE, peer_netns=name, bridge="br0")
        made(kernel, ns_address.RESOURCE, netns=name, interface="eth0", address=f"10.0.0.{number + 2}/24")
        made(kernel, ns_route.RESOURCE, netns=name, gateway="10.0.0.1")
    made(kernel, nat.RESOURCE, source="10.0.0.0/24", out_interface="!br0", owner="br0")
    return kernel


def seen(kernel: MemoryKernel, *asked: str, gather: Sequence[str] = tuple(SUBSETS)) -> dict[str, list[dict[str, Any]]]:
    """What is told, without a warning, and without a change or a lock."""
    before = (kernel.snapshot(), len(kernel.applied), kernel.locks)
    lists, warnings = gathered(kernel, gather, [NsRef.parse(one) for one in asked])
    assert (kernel.snapshot(), len(kernel.applied), kernel.locks) == before
    assert warnings == []
    return lists


def only(items: list[dict[str, Any]], **values: Any) -> dict[str, Any]:
    """The one item with these values."""
    (found,) = [one for one in items if values.items() <= one.items()]
    return found


def test_every_object_is_told_as_its_module_tells_it():
    kernel = wired("web")
    lists = seen(kernel)
    objects = {
        "namespaces": (netns.RESOURCE, {"name": "web"}),
        "bridges": (bridge.RESOURCE, {"name": "br0"}),
        "veths": (veth.RESOURCE, {"peer_netns": "web"}),
        "addresses": (ns_address.RESOURCE, {"netns": "web", "interface": "eth0", "address": "10.0.0.2/24"}),
        "routes": (ns_route.RESOURCE, {"netns": "web", "gateway": "10.0.0.1"}),
        "nat": (nat.RESOURCE, {"source": "10.0.0.0/24", "out_interface": "!br0", "owner": "br0"}),
    }
    for name, (resource, params) in objects.items():
        result = made(kernel, resource, **params)
        assert not result["changed"]
        assert any(result["after"].items() <= one.items() for one in lists[name]), name
    assert lists["orphans"] == []


def test_a_route_of_another_table_is_told_with_the_rule_that_leads_there():
    kernel = wired("web")
    there = {"netns": "web", "gateway": "10.0.0.1", "table": "100"}
    made(kernel, ns_route.RESOURCE, **there)
    assert [one["table"] for one in seen(kernel)["routes"]] == ["main"]
    result = made(kernel, ns_route.RESOURCE, rule_source="10.0.0.0/24", **there)
    assert [one for one in seen(kernel)["routes"] if one["table"] == "100"] == [result["after"]]
    kernel.apply(AddPolicy(WEB, PolicyRule(4, "10.7.0.0/16", 7, 5)))
    kernel.apply(PutRoute(WEB, Route(4, "10.8.0.0/16", 7, type="blackhole")))
    assert len(seen(kernel)["routes"]) == 2, "where rules of others lead to is theirs"


def test_who_is_behind_a_pair():
    pair = only(seen(wired("web"))["veths"], name=V_WEB)
    told = ("owner", "container", "engine", "addresses", "gateways", "published_ports", "ours")
    assert [pair[name] for name in told] == ["web", None, None, ["10.0.0.2/24"], ["10.0.0.1"], [], True]
    assert (pair["bridge"], pair["peer_netns"], pair["peer_name"]) == ("br0", "web", "eth0")


def test_nothing_is_told_of_a_bare_host():
    assert seen(MemoryKernel()) == {name: [] for name in SUBSETS}


@pytest.mark.parametrize("name", SUBSETS)
def test_a_subset_is_that_list_and_no_other(name: str):
    kernel = wired("web")
    assert seen(kernel, gather=[name]) == {name: seen(kernel)[name]}


def test_a_foreign_pair_is_told_as_fully():
    kernel = wired("web")
    kernel.apply(AddLink(HOST, "v0", "veth", {"master": "br0"}, WEB, "eth7", {}))
    made(kernel, ns_address.RESOURCE, netns="web", interface="eth7", address="10.9.0.2/24")
    pair = only(seen(kernel)["veths"], name="v0")
    assert (pair["owner"], pair["addresses"], pair["ours"]) == ("web", ["10.9.0.2/24"], False)
    assert set(pair) == set(only(seen(kernel)["veths"], name=V_WEB))


def test_a_pair_of_ours_under_a_name_of_its_own_is_known_by_its_address():
    kernel = wired()
    made(kernel, netns.RESOURCE, name="web")
    made(kernel, veth.RESOURCE, name="v0", peer_netns="web")
    assert only(seen(kernel)["veths"], name="v0")["ours"] is True


def test_a_pair_is_told_once_and_its_near_end_is_the_one_that_made_it_ours():
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


def test_a_namespace_without_a_name_is_told_by_its_process():
    kernel = wired("web")
    inode = kernel.find(WEB)
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


def test_a_container_is_known_by_its_process():
    kernel = wired("web", "db")
    inode = kernel.find(WEB)
    kernel.pids = {1: kernel.find(HOST), 900: inode, 40: inode, 41: kernel.find(DB)}
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


def test_a_container_in_the_hosts_namespace_is_told():
    kernel = MemoryKernel()
    kernel.pids = {1: kernel.find(HOST), 7: kernel.find(HOST)}
    kernel.started = [Container("docker", "agent", 7)]
    (space,) = seen(kernel)["namespaces"]
    assert (space["name"], space["path"], space["shared_with"]) == (None, "/proc/7/ns/net", ["host"])
    assert text(seen(kernel)) == "host\nagent (docker)  (host)\n"


@pytest.mark.parametrize("names", [("aside", "web"), ("web", "zside")])
def test_a_shared_namespace_is_called_by_the_name_that_its_wiring_was_made_for(names: tuple[str, str]):
    kernel = wired("web")
    made(kernel, netns.RESOURCE, name=next(name for name in names if name != "web"), share="web")
    lists = seen(kernel)
    assert {one["name"] for one in lists["namespaces"]} == set(names)
    assert only(lists["veths"], name=V_WEB)["peer_netns"] == "web"
    assert {one["netns"] for one in lists["routes"]} == {"web"}


def test_only_what_is_in_a_namespace_or_leads_to_it():
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


def test_a_namespace_that_is_not_there_is_a_warning():
    lists, warnings = gathered(wired("web"), SUBSETS, [NsRef.parse("nowhere")])
    assert lists == {name: [] for name in SUBSETS}
    assert warnings == ["Netns 'nowhere' does not exist."]


# --- orphans ---


def test_stale_files_of_namespaces():
    kernel = MemoryKernel()
    for entry in (
        NsFile("old", "file"),
        NsFile("gone", "dangling", target="/nowhere"),
        NsFile("notes", "file", size=9),
    ):
        kernel._state.entries()[entry.name] = entry
    told = [(one["kind"], one["name"], one["why"]) for one in seen(kernel)["orphans"]]
    assert told == [
        ("netns", "old", "/run/netns/old is a plain file, left by a reboot or by an 'ip netns add' that failed"),
        ("netns", "gone", "/run/netns/gone is a symbolic link to nowhere"),
    ]
    assert [one["name"] for one in gathered(kernel, SUBSETS, [NsRef.parse("old")])[0]["orphans"]] == ["old"]


def test_a_pair_whose_namespace_has_lost_its_name():
    kernel = wired("web", "db")
    kernel.pids = {42: kernel.find(WEB)}
    kernel.apply(DropNetns("web", kernel.find(WEB)))
    (orphan,) = seen(kernel)["orphans"]
    assert (orphan["kind"], orphan["name"], orphan["netns"]) == ("veth", V_WEB, None)
    assert orphan["why"] == "the namespace of its other end has no name any more: process 42 (sleep)"


def test_a_pair_whose_namespace_cannot_be_seen():
    kernel = wired("web", "db")
    inode = kernel.find(WEB)
    everything = kernel.namespaces()
    kernel.namespaces = lambda: [one for one in everything if one[0] != inode]  # type: ignore[method-assign]
    del kernel._state.entries()["web"]
    lists = seen(kernel)
    assert [(one["name"], one["why"]) for one in lists["orphans"]] == [
        (V_WEB, "its other end is in a namespace that cannot be seen from here")
    ]
    pair = only(lists["veths"], name=V_WEB)
    assert (pair["peer_name"], pair["peer_netns"], pair["owner"], pair["ours"]) == (None, None, None, True)
    assert f"{V_WEB} ─── out of sight\n" in text(lists)


def test_a_pair_made_for_a_process_is_no_orphan_while_that_lives():
    kernel = wired()
    inode = kernel._state.fresh_namespace()
    kernel._state.known.paths["/proc/42/ns/net"] = inode
    kernel.pids = {42: inode}
    made(kernel, veth.RESOURCE, peer_netns="/proc/42/ns/net")
    lists = seen(kernel)
    assert [one["ours"] for one in lists["veths"]] == [True]
    assert lists["orphans"] == []


def test_a_foreign_pair_is_no_orphan():
    kernel = wired("web")
    kernel.pids = {42: kernel.find(WEB)}
    kernel.apply(SetLink(HOST, V_WEB, {"name": "veth12ab34c"}, {"name": V_WEB}))
    kernel.apply(DropNetns("web", kernel.find(WEB)))
    assert seen(kernel)["orphans"] == []


def test_a_rule_whose_bridge_is_gone():
    kernel = wired()
    made(kernel, nat.RESOURCE, source="10.5.0.0/24", out_interface="!br5", owner="br5")
    made(kernel, nat.RESOURCE, source="10.6.0.0/24", out_interface="eth5", owner="by-hand")
    (orphan,) = seen(kernel)["orphans"]
    assert (orphan["kind"], orphan["name"]) == ("nat", "10.5.0.0/24")
    assert orphan["why"] == "the rule of owner 'br5' is for br5, which does not exist"
    assert text({"orphans": [orphan]}).splitlines()[1] == "orphan nat 10.5.0.0/24: " + orphan["why"]


# --- what goes wrong ---


def failing(kernel: MemoryKernel, method: str, ns: int | None) -> None:
    """Have a reader refuse to tell of a namespace, as of one that is just going."""
    real = getattr(kernel, method)

    def read(where: int, *args: Any, **kwargs: Any) -> Any:
        if where == ns:
            raise OSError(errno.EINVAL, "Invalid argument")
        return real(where, *args, **kwargs)

    setattr(kernel, method, read)


@pytest.mark.parametrize("method", ["links", "addresses", "routes"])
def test_a_namespace_that_is_just_going_does_no_harm(method: str):
    kernel = wired("web", "db")
    failing(kernel, method, kernel.find(WEB))
    lists = gathered(kernel, SUBSETS)[0]
    assert only(lists["veths"], name=V_DB)["addresses"] == ["10.0.0.3/24"]
    assert {one["netns"] for one in lists["routes"]} - {"web"} == {"db"}


@pytest.mark.parametrize("method", ["links", "addresses", "routes"])
def test_a_host_that_cannot_be_read_is_an_error(method: str):
    kernel = wired("web")
    failing(kernel, method, kernel.find(HOST))
    with pytest.raises(KernelError, match="Could not read the state of the host"):
        gathered(kernel, SUBSETS)


def lacking(_ns: int, _backend: object) -> NoReturn:
    """What a kernel without the program nft does when it is asked for the rules."""
    raise Lacking("The program nft is not installed.", "nftables")


def test_rules_that_cannot_be_read_are_a_warning():
    kernel = wired("web")
    kernel.ruleset = lacking  # type: ignore[method-assign]
    lists, warnings = gathered(kernel, SUBSETS)
    assert (lists["nat"], lists["orphans"]) == ([], [])
    assert warnings == ["The NAT rules are not listed. The program nft is not installed."]
    assert gathered(kernel, ["veths"])[1] == []


# --- the picture ---


def test_the_picture_of_what_was_found():
    kernel = wired("web", "db")
    made(kernel, netns.RESOURCE, name="side", share="web")
    made(kernel, netns.RESOURCE, name="lone")
    made(kernel, netns.RESOURCE, name="all", share="host")
    made(kernel, bridge.RESOURCE, name="br1", netns="db")
    made(kernel, veth.RESOURCE, netns="db", name="inner", peer_netns="web", peer_name="eth1", bridge="br1")
    kernel.apply(AddLink(HOST, "a", "veth", {"master": "br0"}, HOST, "b", {}))
    assert text(seen(kernel)) == (
        "host\n"
        "└─ br0  10.0.0.1/24\n"
        f"   ├─ {V_WEB} ─── eth0 in web, side  10.0.0.2/24\n"
        f"   ├─ {V_DB} ─── eth0 in db  10.0.0.3/24\n"
        "   └─ a ─── b\n"
        "in db\n"
        "└─ br1\n"
        "   └─ inner ─── eth1 in web, side\n"
        "all  (host)\n"
        "lone  (only lo)\n"
    )
    assert "└─ br0  10.0.0.0/24\n" in text(seen(kernel), [{"name": "br0", "subnets": ["10.0.0.0/24"]}])


def test_the_picture_of_a_part_still_says_who_is_where():
    kernel = wired("web")
    assert text(seen(kernel, gather=["veths"])) == f"host\n└─ br0\n   └─ {V_WEB} ─── eth0 in web  10.0.0.2/24\n"


def test_containers_of_a_wiring_result_that_share_a_namespace_are_on_one_line():
    one = {"name": "eth0", "host_interface": "v0", "bridge": "br0", "addresses": ["10.0.0.2/24"]}
    wiring = {
        "web": {"network_mode": "bridge", "interfaces": [one]},
        "side": {"network_mode": "container:web", "interfaces": [one]},
        "agent": {"network_mode": "host", "interfaces": []},
    }
    assert text(wiring) == "host\n└─ br0\n   └─ v0 ─── eth0 in web, side  10.0.0.2/24\nagent  (host)\n"
