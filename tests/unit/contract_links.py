# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a kernel must do with namespaces, interfaces, bridges and ports."""

from __future__ import annotations

import errno
from typing import Any

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import (
    AddLink,
    DelLink,
    MoveLink,
    SetLink,
    SetVlans,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import (
    AddNetns,
    BindNetns,
    DropNetns,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, NsRef, Vlan
from ansible_collections.linuxnet.containers.tests.unit.kernel_contract import (
    DB,
    WEB,
    bridge,
    case,
    gone,
    link,
    names,
    next_run,
    pair,
    refused,
)

# --- namespaces ---


@case
def a_host_begins_with_nothing_but_lo(kernel: Any) -> None:
    lo = link(kernel, HOST, "lo")
    assert (lo.index, lo.kind, lo.get("mtu"), lo.get("enabled")) == (1, "", 65536, False)
    assert names(kernel, HOST) == []
    assert kernel.listing() == {}
    assert kernel.find(WEB) is None


@case
def a_namespace_is_made_once(kernel: Any) -> None:
    kernel.apply(AddNetns("web"))
    inode = kernel.find(WEB)
    assert inode > 0
    assert inode != kernel.find(HOST)
    assert [(one.name, one.kind, one.inode) for one in kernel.listing().values()] == [("web", "namespace", inode)]
    assert link(kernel, WEB, "lo").get("enabled") is False
    refused(kernel, AddNetns("web"), errno.EEXIST)
    kernel.apply(DropNetns("web", inode))
    assert kernel.find(WEB) is None
    refused(kernel, DropNetns("web", inode), errno.ENOENT)


@case
def nothing_can_be_done_in_a_namespace_that_is_not_there(kernel: Any) -> None:
    refused(kernel, SetLink(WEB, "lo", {"enabled": True}, {}), errno.ENOENT)
    refused(kernel, AddLink(HOST, "web0", "veth", {}, WEB, "eth0", {}), errno.ENOENT)
    assert names(kernel, HOST) == []


@case
def a_second_name_is_the_same_namespace(kernel: Any) -> None:
    pair(kernel)
    kernel.apply(BindNetns("db", WEB, kernel.find(WEB)))
    assert kernel.find(DB) == kernel.find(WEB)
    refused(kernel, BindNetns("db", WEB, kernel.find(WEB)), errno.EEXIST)
    kernel.apply(DropNetns("web", kernel.find(WEB)))
    assert link(kernel, DB, "eth0").peer_index == link(kernel, HOST, "web0").index


@case
def a_name_is_bound_to_another_namespace(kernel: Any) -> None:
    kernel.apply(AddNetns("web"))
    kernel.apply(AddNetns("db"))
    kernel.apply(BindNetns("db", WEB, kernel.find(WEB), kernel.listing()["db"]))
    assert kernel.find(DB) == kernel.find(WEB)
    assert kernel.listing()["db"].inode == kernel.find(WEB)


@case
def a_handle_of_the_host_can_go_and_the_host_stays(kernel: Any) -> None:
    bridge(kernel)
    kernel.apply(BindNetns("all", HOST, kernel.find(HOST)))
    assert kernel.find(NsRef("/run/netns/all")) == kernel.find(HOST)
    kernel.apply(DropNetns("all", kernel.find(HOST)))
    assert names(kernel, HOST) == ["br0"]


# --- interfaces ---


@case
def both_ends_of_a_pair_know_each_other(kernel: Any) -> None:
    kernel.apply(AddNetns("web"))
    own, peer = {"mac": "02:00:00:00:00:01", "mtu": 1400}, {"mac": "02:00:00:00:00:02", "mtu": 1400}
    kernel.apply(AddLink(HOST, "web0", "veth", {**own, "enabled": True}, WEB, "eth0", peer))
    near, far = link(kernel, HOST, "web0"), link(kernel, WEB, "eth0")
    assert (near.kind, near.peer_index, near.peer_ns) == ("veth", far.index, kernel.find(WEB))
    assert (far.kind, far.peer_index, far.peer_ns) == ("veth", near.index, kernel.find(HOST))
    assert [near.get(name) for name in ("mac", "mtu", "enabled", "alias")] == ["02:00:00:00:00:01", 1400, True, ""]
    assert [far.get(name) for name in ("mac", "mtu", "enabled", "tx_queue_len")] == [
        "02:00:00:00:00:02",
        1400,
        False,
        1000,
    ]
    assert kernel.link(kernel.find(HOST), index=near.index).name == "web0"


@case
def those_of_a_kind_are_told_without_all_others(kernel: Any) -> None:
    pair(kernel)
    kernel.apply(AddLink(HOST, "br0", "bridge", {}))
    kernel.apply(SetLink(HOST, "web0", {"master": "br0"}, {}))
    for kind, listed in (("veth", ["web0"]), ("bridge", ["br0"]), ("", ["br0", "lo", "web0"]), ("vxlan", [])):
        found = kernel.links(kernel.find(HOST), kind)
        assert sorted(one.name for one in found) == listed
        assert [one for one in kernel.links(kernel.find(HOST)) if one in found] == list(found), "and all of each"


@case
def a_taken_name_is_refused_and_its_side_is_named(kernel: Any) -> None:
    """C3."""
    pair(kernel)
    error = refused(kernel, AddLink(HOST, "web0", "veth", {}, WEB, "eth1", {}), errno.EEXIST)
    assert error.detail == "the name 'web0' is taken in the host"
    error = refused(kernel, AddLink(HOST, "web1", "veth", {}, WEB, "eth0", {}), errno.EEXIST)
    assert error.detail == "the name 'eth0' is taken in netns 'web'"
    refused(kernel, SetLink(WEB, "eth0", {"name": "lo"}, {"name": "eth0"}), errno.EEXIST)
    assert (names(kernel, HOST), names(kernel, WEB)) == (["web0"], ["eth0"])


@case
def an_interface_that_is_not_there_cannot_be_changed(kernel: Any) -> None:
    refused(kernel, SetLink(HOST, "web0", {"mtu": 1400}, {}), errno.ENODEV)
    refused(kernel, MoveLink(HOST, "web0", HOST, "web1"), errno.ENODEV)
    kernel.apply(DelLink(HOST, "web0"))  # it is gone already: that is what was wanted


@case
def attributes_are_set_in_place(kernel: Any) -> None:
    """A6."""
    pair(kernel)
    index = link(kernel, WEB, "eth0").index
    new = {"mtu": 1400, "mac": "02:00:00:00:00:07", "alias": "the web", "tx_queue_len": 7, "enabled": False}
    kernel.apply(SetLink(WEB, "eth0", new, {}))
    kernel.apply(SetLink(WEB, "eth0", {"name": "net1"}, {"name": "eth0"}))
    now = link(kernel, WEB, "net1")
    assert {name: now.get(name) for name in new} == new
    assert now.index == index
    assert names(kernel, WEB) == ["net1"]


@case
def an_end_that_moves_stays_an_end(kernel: Any) -> None:
    kernel.apply(AddNetns("db"))
    pair(kernel)
    kernel.apply(MoveLink(WEB, "eth0", DB, "eth7"))
    assert names(kernel, WEB) == []
    moved, near = link(kernel, DB, "eth7"), link(kernel, HOST, "web0")
    assert (near.peer_index, near.peer_ns) == (moved.index, kernel.find(DB))
    assert moved.get("enabled") is False
    pair(kernel, "web1")
    refused(kernel, MoveLink(WEB, "eth0", DB, "eth7"), errno.EEXIST)


@case
def a_pair_goes_as_a_whole(kernel: Any) -> None:
    pair(kernel)
    kernel.apply(DelLink(WEB, "eth0"))
    assert gone(kernel, HOST, "web0")
    assert names(kernel, WEB) == []


@case
def the_last_name_of_a_namespace_takes_its_pairs_along(kernel: Any) -> None:
    pair(kernel)
    pair(kernel, "db0", DB)
    kernel.apply(DropNetns("web"))
    after = next_run(kernel)
    assert gone(after, HOST, "web0")
    assert names(after, HOST) == ["db0"]


@case
def checksums_can_be_switched_off(kernel: Any) -> None:
    """C13."""
    pair(kernel)
    assert kernel.tx_checksum(kernel.find(WEB), "eth0") is True
    assert kernel.tx_checksum(kernel.find(WEB), "eth9") is None
    kernel.apply(SetLink(WEB, "eth0", {"tx_checksum": False}, {"tx_checksum": True}))
    assert kernel.tx_checksum(kernel.find(WEB), "eth0") is False
    assert kernel.tx_checksum(kernel.find(HOST), "web0") is True


@case
def whether_advertisements_are_heard_is_known_of_each_end(kernel: Any) -> None:
    pair(kernel)
    kernel.apply(SetLink(WEB, "eth0", {"accept_ra": False}, {"accept_ra": True}))
    kernel.apply(SetLink(HOST, "web0", {"accept_ra": True}, {"accept_ra": False}))
    after = next_run(kernel)
    assert link(after, WEB, "eth0").get("accept_ra") is False
    assert link(after, HOST, "web0").get("accept_ra") is True


@case
def whether_an_end_has_ipv6_is_known_of_each(kernel: Any) -> None:
    pair(kernel)
    kernel.apply(SetLink(WEB, "eth0", {"ipv6": False}, {"ipv6": True}))
    kernel.apply(SetSysctl(HOST, "net/ipv6/conf/web0/disable_ipv6", "1", "0"))
    after = next_run(kernel)
    assert [link(after, WEB, "eth0").get("ipv6"), link(after, HOST, "web0").get("ipv6")] == [False, False]
    after.apply(SetLink(WEB, "eth0", {"ipv6": True}, {"ipv6": False}))
    after.apply(SetSysctl(HOST, "net/ipv6/conf/web0/disable_ipv6", "0", "1"))
    after = next_run(after)
    assert [link(after, WEB, "eth0").get("ipv6"), link(after, HOST, "web0").get("ipv6")] == [True, True]


# --- bridges and ports ---


@case
def a_bridge_has_these_defaults(kernel: Any) -> None:
    bridge(kernel)
    made = link(kernel, HOST, "br0")
    there = {"mtu": 1500, "stp": False, "forward_delay": 1500, "ageing_time": 30000, "vlan_filtering": False}
    assert made.kind == "bridge"
    assert {name: made.get(name) for name in there} == there
    kernel.apply(SetLink(HOST, "br0", {"stp": True, "ageing_time": 100}, {}, "bridge"))
    assert [link(kernel, HOST, "br0").get(name) for name in ("stp", "ageing_time", "forward_delay")] == [
        True,
        100,
        1500,
    ]


@case
def a_port_has_these_defaults_each_time_it_becomes_one(kernel: Any) -> None:
    bridge(kernel)
    pair(kernel, master="br0")
    defaults = {
        "hairpin": False,
        "isolated": False,
        "learning": True,
        "flood": True,
        "mcast_flood": True,
        "neigh_suppress": False,
        "guard": False,
        "root_block": False,
        "fast_leave": False,
        "cost": 2,
        "priority": 32,
    }
    port = link(kernel, HOST, "web0")
    assert port.master == link(kernel, HOST, "br0").index
    assert {name: port.get(name) for name in defaults} == defaults
    other = {
        **{name: not value for name, value in defaults.items() if isinstance(value, bool)},
        "cost": 7,
        "priority": 1,
    }
    kernel.apply(SetLink(HOST, "web0", other, defaults))
    kernel.apply(SetLink(HOST, "web0", {"master": "br0"}, {"master": "br0"}))  # nothing new
    port = link(kernel, HOST, "web0")
    assert {name: port.get(name) for name in other} == other
    kernel.apply(SetLink(HOST, "web0", {"master": ""}, {"master": "br0"}))
    port = link(kernel, HOST, "web0")
    assert (port.master, port.get("hairpin"), port.get("cost")) == (0, None, None)
    kernel.apply(SetLink(HOST, "web0", {"master": "br0"}, {"master": ""}))
    port = link(kernel, HOST, "web0")
    assert {name: port.get(name) for name in defaults} == defaults


@case
def only_a_port_has_a_port_s_attributes(kernel: Any) -> None:
    pair(kernel)
    refused(kernel, SetLink(HOST, "web0", {"hairpin": True}, {}), errno.EOPNOTSUPP)


@case
def a_master_must_be_there_and_a_bridge(kernel: Any) -> None:
    pair(kernel)
    refused(kernel, AddLink(HOST, "db0", "veth", {"master": "br0"}, WEB, "eth1", {}), errno.ENODEV)
    refused(kernel, AddLink(HOST, "db0", "veth", {"master": "lo"}, WEB, "eth1", {}), errno.EOPNOTSUPP)
    refused(kernel, SetLink(HOST, "web0", {"master": "lo"}, {}), errno.EOPNOTSUPP)
    assert (names(kernel, HOST), names(kernel, WEB)) == (["web0"], ["eth0"])


@case
def a_bridge_is_no_port_of_a_bridge(kernel: Any) -> None:
    bridge(kernel)
    bridge(kernel, "br1")
    refused(kernel, SetLink(HOST, "br1", {"master": "br0"}, {}), errno.ELOOP)


@case
def a_port_changes_its_bridge_in_one_step(kernel: Any) -> None:
    """C4."""
    bridge(kernel)
    bridge(kernel, "br1")
    pair(kernel, master="br0")
    kernel.apply(SetLink(HOST, "web0", {"master": "br1"}, {"master": "br0"}))
    assert link(kernel, HOST, "web0").master == link(kernel, HOST, "br1").index
    kernel.apply(DelLink(HOST, "br1"))
    assert (link(kernel, HOST, "web0").master, link(kernel, HOST, "web0").get("cost")) == (0, None)


@case
def the_port_after_the_last_one_does_not_fit(kernel: Any) -> None:
    """C7."""
    bridge(kernel, enabled=False)
    kernel.apply(AddNetns("web"))
    for number in range(1023):
        kernel.apply(AddLink(HOST, f"p{number}", "veth", {"master": "br0"}, WEB, f"e{number}", {}))
    error = refused(kernel, AddLink(HOST, "last", "veth", {"master": "br0"}, WEB, "last", {}), errno.EXFULL)
    assert "the bridge is full (1023 ports)" in str(error)
    assert kernel.link(kernel.find(HOST), name="last") is None
    assert kernel.link(kernel.find(WEB), name="last") is None


@case
def a_bridge_follows_its_smallest_port_until_its_mtu_is_set(kernel: Any) -> None:
    bridge(kernel)
    pair(kernel, master="br0", mtu=1400)
    assert link(kernel, HOST, "br0").get("mtu") == 1400
    kernel.apply(SetLink(HOST, "web0", {"master": "br0"}, {"master": "br0"}))  # nothing new
    kernel.apply(SetLink(HOST, "web0", {"master": ""}, {"master": "br0"}))
    assert link(kernel, HOST, "br0").get("mtu") == 1500
    kernel.apply(SetLink(HOST, "web0", {"master": "br0"}, {"master": ""}))
    assert link(kernel, HOST, "br0").get("mtu") == 1400
    kernel.apply(SetLink(HOST, "br0", {"mtu": 1300}, {"mtu": 1400}))
    pair(kernel, "db0", DB, master="br0", mtu=1200)
    assert link(kernel, HOST, "br0").get("mtu") == 1300


@case
def vlans_need_a_kernel_that_filters_them(kernel: Any) -> None:
    """C12: this case is for a kernel without the feature."""
    refused(kernel, AddLink(HOST, "br0", "bridge", {"vlan_filtering": True}), errno.EOPNOTSUPP)
    bridge(kernel)
    refused(kernel, SetLink(HOST, "br0", {"vlan_filtering": True}, {}, "bridge"), errno.EOPNOTSUPP)
    pair(kernel, master="br0")
    refused(kernel, SetVlans(HOST, "web0", (Vlan(10),)), errno.EOPNOTSUPP)
    assert kernel.vlans(kernel.find(HOST), link(kernel, HOST, "web0").index) == ()


@case
def vlans_of_a_port(kernel: Any) -> None:
    """This case is for a kernel that filters VLANs."""
    bridge(kernel, vlan_filtering=True)
    pair(kernel, master="br0")
    kernel.apply(SetVlans(HOST, "web0", (Vlan(10, True, True), Vlan(20), Vlan(21))))
    kernel.apply(SetVlans(HOST, "web0", (), (Vlan(1, False, True), Vlan(20))))
    there = kernel.vlans(kernel.find(HOST), link(kernel, HOST, "web0").index)
    assert [one for one in there if one.vid > 1] == [Vlan(10, True, True), Vlan(21)]
