# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is reported as left behind, on the kernel's twin."""

from __future__ import annotations

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import DropNetns
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import tunnel_interface
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    NsFile,
    NsRef,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import ns_link, veth
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import resource as nat
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.report import text
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.survey import SUBSETS, gathered
from ansible_collections.linuxnet.containers.tests.unit.asked import made
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel
from ansible_collections.linuxnet.containers.tests.unit.surveyed import V_WEB, WEB, inode_of, on_lan, only, seen, wired


def test_stale_files_of_namespaces() -> None:
    kernel = MemoryKernel()
    for entry in (
        NsFile("old", "empty"),
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


def test_a_pair_whose_namespace_has_lost_its_name() -> None:
    kernel = wired("web", "db")
    kernel.pids = {42: inode_of(kernel, WEB)}
    kernel.apply(DropNetns("web", inode_of(kernel, WEB)))
    (orphan,) = seen(kernel)["orphans"]
    assert (orphan["kind"], orphan["name"], orphan["netns"]) == ("veth", V_WEB, None)
    assert orphan["why"] == "the namespace of its other end has no name any more: process 42 (sleep)"


def test_a_pair_whose_namespace_cannot_be_seen() -> None:
    kernel = wired("web", "db")
    inode = inode_of(kernel, WEB)
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


def test_a_pair_made_for_a_process_is_no_orphan_while_that_lives() -> None:
    kernel = wired()
    inode = kernel._state.fresh_namespace()
    kernel._state.known.paths["/proc/42/ns/net"] = inode
    kernel.pids = {42: inode}
    made(kernel, veth.RESOURCE, peer_netns="/proc/42/ns/net")
    lists = seen(kernel)
    assert [one["ours"] for one in lists["veths"]] == [True]
    assert lists["orphans"] == []


def test_a_foreign_pair_is_no_orphan() -> None:
    kernel = wired("web")
    kernel.pids = {42: inode_of(kernel, WEB)}
    kernel.apply(SetLink(HOST, V_WEB, {"name": "veth12ab34c"}, {"name": V_WEB}))
    kernel.apply(DropNetns("web", inode_of(kernel, WEB)))
    assert seen(kernel)["orphans"] == []


def test_a_rule_whose_bridge_is_gone() -> None:
    kernel = wired()
    made(kernel, nat.RESOURCE, source="10.5.0.0/24", out_interface="!br5", owner="br5")
    made(kernel, nat.RESOURCE, source="10.6.0.0/24", out_interface="eth5", owner="by-hand")
    (orphan,) = seen(kernel)["orphans"]
    assert (orphan["kind"], orphan["name"]) == ("nat", "10.5.0.0/24")
    assert orphan["why"] == "the rule of owner 'br5' is for br5, which does not exist"
    assert text({"orphans": [orphan]}).splitlines()[1] == "orphan nat 10.5.0.0/24: " + orphan["why"]


def test_a_link_of_ours_whose_namespace_has_no_name_any_more_is_left_over() -> None:
    """Whatever the process in there made itself is not, nor a link that was made for just that file."""
    kernel = on_lan("macvlan", "web", "db")
    kernel.apply(AddLink(WEB, "own0", "macvlan", {}, parent="eth1.10", parent_ns=HOST))
    inode = inode_of(kernel, WEB)
    kernel._state.known.paths["/proc/42/ns/net"] = inode
    kernel.pids = {42: inode}
    made(kernel, ns_link.RESOURCE, name="eth7", kind="macvlan", parent="eth1.10", netns="/proc/42/ns/net")
    assert seen(kernel)["orphans"] == []
    kernel.apply(DropNetns("web", inode))
    why = "the namespace that it is in has no name any more: process 42 (sleep)"
    assert seen(kernel)["orphans"] == [{"kind": "macvlan", "name": "eth0", "netns": "/proc/42/ns/net", "why": why}]


def test_a_tunnel_of_ours_for_a_bridge_that_is_gone_is_left_over() -> None:
    kernel = wired()
    tunnel = {"name": tunnel_interface("front"), "kind": "vxlan", "vni": 7, "local": "10.0.0.1"}
    made(kernel, ns_link.RESOURCE, **tunnel)
    made(kernel, ns_link.RESOURCE, **{**tunnel, "name": "mine", "vni": 8})
    assert seen(kernel)["orphans"] == []
    made(kernel, nat.RESOURCE, type="tunnel", vni=7, peers=["10.0.0.2"], owner="front")
    assert [(one["kind"], one["name"], one["why"]) for one in seen(kernel)["orphans"]] == [
        ("vxlan", tunnel["name"], "it is for the bridge 'front', which does not exist")
    ]
