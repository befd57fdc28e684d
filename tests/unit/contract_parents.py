# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a kernel must do with links that are made on others (vlan, macvlan, ipvlan), and with those that are on none (dummy, vrf)."""

from __future__ import annotations

import errno
from typing import Any

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, DelLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import AddNetns
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, NsRef
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

MAC = "02:00:00:00:00:0%d"


def on(
    kernel: Any, kind: str, name: str, ref: NsRef = HOST, parent: str = "web0", origin: NsRef = HOST, **given: Any
) -> AddLink:
    """Make a link on another one."""
    step = AddLink(ref, name, kind, given, parent=parent, parent_ns=origin)
    kernel.apply(step)
    return step


def has(kernel: Any, name: str, *attributes: str, ref: NsRef = HOST) -> list[Any]:
    return [link(kernel, ref, name).get(one) for one in attributes]


@case
def a_vlan_has_what_it_is_given_and_its_parent_s_mac(kernel: Any) -> None:
    pair(kernel, mac=MAC % 1, mtu=1400)
    on(kernel, "vlan", "v5", vlan_id=5, enabled=True)
    on(kernel, "vlan", "s5", vlan_id=5, vlan_protocol="802.1ad", mac=MAC % 2, mtu=1300)
    kernel.apply(AddNetns("db"))
    on(kernel, "vlan", "v6", DB, vlan_id=6)
    told = ("vlan_id", "vlan_protocol", "mac", "mtu", "enabled")
    assert has(kernel, "v5", *told) == [5, "802.1Q", MAC % 1, 1400, True]
    assert has(kernel, "s5", *told) == [5, "802.1ad", MAC % 2, 1300, False]
    for ref, name in ((HOST, "v5"), (DB, "v6")):
        one = link(kernel, ref, name)
        assert (one.kind, one.parent_index, one.parent_ns) == (
            "vlan",
            link(kernel, HOST, "web0").index,
            kernel.find(HOST),
        )
    for ref, number in ((HOST, 5), (DB, 5), (HOST, 6)):
        refused(kernel, AddLink(ref, "x", "vlan", {"vlan_id": number}, parent="web0", parent_ns=HOST), errno.EEXIST)
    refused(kernel, AddLink(HOST, "x", "vlan", {"vlan_id": 7}, parent="lo", parent_ns=HOST), errno.EOPNOTSUPP)
    refused(
        kernel, AddLink(HOST, "x", "vlan", {"vlan_id": 7, "mtu": 1401}, parent="web0", parent_ns=HOST), errno.EINVAL
    )
    refused(kernel, SetLink(HOST, "v5", {"mtu": 1401}, {}, "vlan"), errno.ERANGE)


@case
def a_vlan_follows_its_parent(kernel: Any) -> None:
    pair(kernel, mac=MAC % 1)
    on(kernel, "vlan", "v5", vlan_id=5, enabled=True)
    on(kernel, "vlan", "v6", vlan_id=6, mac=MAC % 3)
    kernel.apply(SetLink(HOST, "web0", {"enabled": False}, {}))
    assert has(kernel, "v5", "enabled") == [False]
    refused(kernel, SetLink(HOST, "v5", {"enabled": True}, {}, "vlan"), errno.ENETDOWN)
    step = AddLink(HOST, "v7", "vlan", {"vlan_id": 7, "enabled": True}, parent="web0", parent_ns=HOST)
    refused(kernel, step, errno.ENETDOWN)
    assert names(kernel, HOST) == ["v5", "v6", "web0"]
    kernel.apply(SetLink(HOST, "web0", {"enabled": True, "mac": MAC % 2, "mtu": 1400}, {}))
    assert has(kernel, "v5", "enabled", "mac", "mtu") == [True, MAC % 2, 1400]
    assert has(kernel, "v6", "enabled", "mac", "mtu") == [True, MAC % 3, 1400]
    kernel.apply(SetLink(HOST, "web0", {"mtu": 1500}, {}))
    assert has(kernel, "v5", "mtu") == [1400], "only down"


@case
def a_vlan_is_a_port_but_not_of_its_parent(kernel: Any) -> None:
    bridge(kernel, mac=MAC % 1)
    step = AddLink(HOST, "v5", "vlan", {"vlan_id": 5, "master": "br0"}, parent="br0", parent_ns=HOST)
    refused(kernel, step, errno.EBUSY)
    pair(kernel)
    on(kernel, "vlan", "v5", vlan_id=5, master="br0")
    assert link(kernel, HOST, "v5").master == link(kernel, HOST, "br0").index


@case
def what_is_made_on_a_vlan_goes_with_the_vlan_s_parent(kernel: Any) -> None:
    pair(kernel)
    kernel.apply(AddNetns("db"))
    on(kernel, "vlan", "v5", vlan_id=5)
    on(kernel, "vlan", "v6", DB, "v5", vlan_id=6)
    on(kernel, "vlan", "v7", HOST, "v6", DB, vlan_id=7)
    kernel.apply(DelLink(HOST, "web0"))
    after = next_run(kernel)
    assert gone(after, DB, "v6")
    assert names(after, HOST) == []


@case
def a_macvlan_has_what_it_is_given(kernel: Any) -> None:
    pair(kernel, mtu=1400)
    on(kernel, "macvlan", "m1", mac=MAC % 1, enabled=True)
    on(kernel, "macvlan", "m2", WEB, mac=MAC % 2, macvlan_mode="bridge", mtu=1300)
    assert has(kernel, "m1", "macvlan_mode", "mac", "mtu", "enabled") == ["vepa", MAC % 1, 1400, True]
    assert has(kernel, "m2", "macvlan_mode", "mac", "mtu", "enabled", ref=WEB) == ["bridge", MAC % 2, 1300, False]
    one = link(kernel, WEB, "m2")
    assert (one.kind, one.parent_index) == ("macvlan", link(kernel, HOST, "web0").index)
    assert one.parent_ns == kernel.find(HOST)
    for mode in ("private", "bridge", "vepa"):
        kernel.apply(SetLink(HOST, "m1", {"macvlan_mode": mode}, {}, "macvlan"))
        assert has(kernel, "m1", "macvlan_mode") == [mode]
    refused(kernel, SetLink(HOST, "m1", {"macvlan_mode": "passthru"}, {}, "macvlan"), errno.EINVAL)
    refused(kernel, SetLink(HOST, "m1", {"mtu": 1401}, {}, "macvlan"), errno.EINVAL)
    refused(kernel, AddLink(HOST, "x", "macvlan", {"mtu": 1401}, parent="web0", parent_ns=HOST), errno.EINVAL)
    refused(kernel, AddLink(HOST, "x", "macvlan", {}, parent="lo", parent_ns=HOST), errno.EINVAL)
    refused(kernel, AddLink(HOST, "x", "macvlan", {}, parent="nix", parent_ns=HOST), errno.ENODEV)
    kernel.apply(SetLink(HOST, "web0", {"mtu": 1350}, {}))
    assert has(kernel, "m1", "mtu") == [1350]
    assert has(kernel, "m2", "mtu", ref=WEB) == [1300]
    kernel.apply(DelLink(HOST, "web0"))
    assert gone(kernel, WEB, "m2")


@case
def a_macvlan_s_address_is_its_own(kernel: Any) -> None:
    pair(kernel, mac=MAC % 9)
    on(kernel, "macvlan", "m1", mac=MAC % 1, enabled=True)
    for taken in (MAC % 1, MAC % 9):
        step = AddLink(WEB, "x", "macvlan", {"mac": taken, "enabled": True}, parent="web0", parent_ns=HOST)
        refused(kernel, step, errno.EADDRINUSE)
    on(kernel, "macvlan", "m2", mac=MAC % 2, enabled=True)
    refused(kernel, SetLink(HOST, "m2", {"mac": MAC % 1}, {}, "macvlan"), errno.EADDRINUSE)
    kernel.apply(SetLink(HOST, "m2", {"mac": MAC % 3}, {}, "macvlan"))
    assert has(kernel, "m2", "mac") == [MAC % 3]


@case
def a_macvlan_in_passthru_is_alone_and_has_its_parent_s_address(kernel: Any) -> None:
    pair(kernel, mac=MAC % 9)
    on(kernel, "macvlan", "m1", mac=MAC % 1, macvlan_mode="passthru", enabled=True)
    assert has(kernel, "m1", "mac", "macvlan_mode") == [MAC % 9, "passthru"]
    refused(kernel, AddLink(HOST, "m2", "macvlan", {}, parent="web0", parent_ns=HOST), errno.EINVAL)
    refused(kernel, SetLink(HOST, "m1", {"macvlan_mode": "bridge"}, {}, "macvlan"), errno.EINVAL)
    kernel.apply(SetLink(HOST, "m1", {"mac": MAC % 2}, {}, "macvlan"))
    assert has(kernel, "web0", "mac") == [MAC % 2]
    kernel.apply(SetLink(HOST, "web0", {"mac": MAC % 3}, {}))
    assert has(kernel, "m1", "mac") == [MAC % 3]
    kernel.apply(DelLink(HOST, "m1"))
    on(kernel, "macvlan", "m2")
    step = AddLink(HOST, "m3", "macvlan", {"macvlan_mode": "passthru"}, parent="web0", parent_ns=HOST)
    refused(kernel, step, errno.EINVAL)


@case
def a_macvlan_on_a_macvlan_is_one_on_its_parent(kernel: Any) -> None:
    pair(kernel)
    on(kernel, "macvlan", "m1", WEB)
    on(kernel, "macvlan", "m2", WEB, "m1", WEB, macvlan_mode="private")
    one = link(kernel, WEB, "m2")
    assert (one.parent_index, one.parent_ns) == (link(kernel, HOST, "web0").index, kernel.find(HOST))
    kernel.apply(DelLink(WEB, "m1"))
    assert link(kernel, WEB, "m2").get("macvlan_mode") == "private"


@case
def the_group_that_a_link_is_born_with_stays(kernel: Any) -> None:
    pair(kernel)
    on(kernel, "macvlan", "m1", WEB, link_group=76, enabled=True)
    on(kernel, "macvlan", "m2", WEB)
    kernel.apply(SetLink(WEB, "m1", {"name": "m3", "alias": "x", "enabled": False}, {}))
    assert [has(kernel, name, "link_group", ref=WEB) for name in ("m3", "m2")] == [[76], [0]]


@case
def a_parent_gives_its_frames_to_macvlans_or_to_a_bridge(kernel: Any) -> None:
    pair(kernel)
    bridge(kernel, mac=MAC % 8)
    on(kernel, "macvlan", "m1", master="br0")
    refused(kernel, SetLink(HOST, "web0", {"master": "br0"}, {}), errno.EBUSY)
    kernel.apply(DelLink(HOST, "m1"))
    kernel.apply(SetLink(HOST, "web0", {"master": "br0"}, {}))
    refused(kernel, AddLink(HOST, "m1", "macvlan", {}, parent="web0", parent_ns=HOST), errno.EBUSY)
    step = AddLink(HOST, "m2", "macvlan", {"master": "br0"}, parent="br0", parent_ns=HOST)
    refused(kernel, step, errno.EBUSY)
    on(kernel, "macvlan", "m2", parent="br0")


@case
def ipvlans_of_a_parent_have_its_address_and_one_mode(kernel: Any) -> None:
    pair(kernel, mac=MAC % 9, mtu=1400)
    on(kernel, "ipvlan", "i1", mac=MAC % 1, enabled=True)
    assert has(kernel, "i1", "mac", "mtu", "ipvlan_mode", "enabled") == [MAC % 9, 1400, "l3", True]
    on(kernel, "ipvlan", "i2", WEB, ipvlan_mode="l2", mtu=1300)
    assert has(kernel, "i1", "ipvlan_mode") == ["l2"]
    assert has(kernel, "i2", "ipvlan_mode", "mtu", ref=WEB) == ["l2", 1300]
    kernel.apply(SetLink(WEB, "i2", {"ipvlan_mode": "l3s"}, {}, "ipvlan"))
    assert has(kernel, "i1", "ipvlan_mode") == ["l3s"]
    refused(kernel, SetLink(HOST, "i1", {"mac": MAC % 2}, {}, "ipvlan"), errno.EOPNOTSUPP)
    kernel.apply(SetLink(HOST, "web0", {"mac": MAC % 2, "mtu": 1350}, {}))
    assert has(kernel, "i1", "mac", "mtu") == [MAC % 2, 1350]
    assert has(kernel, "i2", "mac", "mtu", ref=WEB) == [MAC % 2, 1350]
    on(kernel, "ipvlan", "i3", parent="i2", origin=WEB, ipvlan_mode="l2")
    one = link(kernel, HOST, "i3")
    assert (one.parent_index, one.parent_ns) == (link(kernel, HOST, "web0").index, kernel.find(HOST))
    refused(kernel, AddLink(HOST, "m1", "macvlan", {}, parent="web0", parent_ns=HOST), errno.EBUSY)
    bridge(kernel)
    refused(kernel, SetLink(HOST, "i1", {"master": "br0"}, {}, "ipvlan"), errno.EINVAL)
    refused(kernel, SetLink(HOST, "web0", {"master": "br0"}, {}), errno.EBUSY)


@case
def an_ipvlan_is_not_made_beside_a_macvlan(kernel: Any) -> None:
    pair(kernel)
    on(kernel, "macvlan", "m1")
    refused(kernel, AddLink(HOST, "i1", "ipvlan", {}, parent="web0", parent_ns=HOST), errno.EBUSY)


@case
def a_dummy_has_what_it_is_given(kernel: Any) -> None:
    kernel.apply(AddLink(HOST, "d1", "dummy", {"mac": MAC % 1, "enabled": True}))
    assert has(kernel, "d1", "mac", "mtu", "enabled") == [MAC % 1, 1500, True]
    kernel.apply(SetLink(HOST, "d1", {"mac": MAC % 2, "mtu": 65535, "alias": "x"}, {}, "dummy"))
    assert has(kernel, "d1", "mac", "mtu", "alias") == [MAC % 2, 65535, "x"]
    one = link(kernel, HOST, "d1")
    assert (one.kind, one.parent_index, one.parent_ns) == ("dummy", 0, None)
    assert [one.name for one in kernel.links(kernel.find(HOST), "dummy")] == ["d1"]


@case
def a_vrf_has_a_table_and_ports(kernel: Any) -> None:
    kernel.apply(AddLink(HOST, "r1", "vrf", {"table": 10, "mac": MAC % 1, "enabled": True}))
    assert has(kernel, "r1", "table", "mac", "mtu", "enabled") == [10, MAC % 1, 65575, True]
    kernel.apply(SetLink(HOST, "r1", {"mtu": 1280, "mac": MAC % 2}, {}, "vrf"))
    assert has(kernel, "r1", "mac", "mtu") == [MAC % 2, 1280]
    refused(kernel, SetLink(HOST, "r1", {"table": 11}, {}, "vrf"), errno.EOPNOTSUPP)
    refused(kernel, SetLink(HOST, "r1", {"mtu": 1279}, {}, "vrf"), errno.EINVAL)
    refused(kernel, AddLink(HOST, "r2", "vrf", {"table": 11, "mtu": 1279}), errno.EINVAL)
    pair(kernel)
    kernel.apply(SetLink(HOST, "web0", {"master": "r1"}, {}))
    one = link(kernel, HOST, "web0")
    assert (one.master, one.get("isolated")) == (link(kernel, HOST, "r1").index, None)
    bridge(kernel)
    refused(kernel, SetLink(HOST, "r1", {"master": "br0"}, {}, "vrf"), errno.EINVAL)
    kernel.apply(SetLink(HOST, "br0", {"master": "r1"}, {}))
    refused(kernel, AddLink(HOST, "v5", "vlan", {"vlan_id": 5}, parent="r1", parent_ns=HOST), errno.EOPNOTSUPP)
    refused(kernel, AddLink(HOST, "m5", "macvlan", {}, parent="r1", parent_ns=HOST), errno.EINVAL)
    on(kernel, "macvlan", "m1", master="r1")
    kernel.apply(DelLink(HOST, "r1"))
    assert [link(kernel, HOST, name).master for name in ("web0", "m1", "br0")] == [0, 0, 0]
