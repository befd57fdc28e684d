# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a kernel must do with tunnels (vxlan): where they are made and born, whom they flood to, and what it does not change."""

from __future__ import annotations

import errno
from typing import Any

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import (
    AddLink,
    DelLink,
    SetFlooded,
    SetLink,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import AddNetns, DropNetns
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Flooded, NsRef
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

FOUR = {"vni": 42, "local": "10.0.0.1", "port": 4789}
SIX = {**FOUR, "local": "fd00::1"}


def tunnel(
    kernel: Any, name: str = "vx0", ref: NsRef = HOST, parent: str = "web0", origin: NsRef = HOST, **more: Any
) -> None:
    kernel.apply(AddLink(ref, name, "vxlan", {**FOUR, **more}, parent=parent, parent_ns=origin))


def flooded(kernel: Any, ref: NsRef = HOST, name: str = "vx0") -> list[str]:
    return [str(one) for one in kernel.flooded(kernel.find(ref), link(kernel, ref, name).index)]


@case
def a_tunnel_has_what_it_is_given_and_these_defaults(kernel: Any) -> None:
    pair(kernel)
    tunnel(kernel, mac="02:00:00:00:00:01")
    tunnel(kernel, "vx1", local="fd00::1", tunnel_learning=False, enabled=True)
    four, six = link(kernel, HOST, "vx0"), link(kernel, HOST, "vx1")
    for one, local, mtu, learning in ((four, "10.0.0.1", 1450, True), (six, "fd00::1", 1430, False)):
        told = [one.get(name) for name in ("vni", "local", "port", "tunnel_learning", "mtu", "enabled")]
        assert (one.kind, told) == ("vxlan", [42, local, 4789, learning, mtu, not learning])
        assert (one.parent_index, one.parent_ns) == (link(kernel, HOST, "web0").index, kernel.find(HOST))
    assert (four.get("mac"), flooded(kernel)) == ("02:00:00:00:00:01", [])
    kernel.apply(AddLink(HOST, "vx2", "vxlan", {"vni": 7}, parent_ns=HOST))
    plain = link(kernel, HOST, "vx2")
    assert [plain.get(name) for name in ("vni", "local", "port", "mtu")] == [7, "", 8472, 1500]
    assert (plain.parent_index, plain.parent_ns) == (0, kernel.find(HOST))
    assert [one.name for one in kernel.links(kernel.find(HOST), "vxlan")] == ["vx0", "vx1", "vx2"]


@case
def a_tunnel_is_born_in_another_namespace_than_its_parent_s(kernel: Any) -> None:
    pair(kernel)
    kernel.apply(AddLink(WEB, "br0", "bridge", {}))
    tunnel(kernel, ref=WEB, master="br0")
    one = link(kernel, WEB, "vx0")
    assert (one.parent_index, one.parent_ns) == (link(kernel, HOST, "web0").index, kernel.find(HOST))
    assert one.master == link(kernel, WEB, "br0").index
    assert names(kernel, HOST) == ["web0"]
    kernel.apply(SetFlooded(WEB, "vx0", (Flooded("10.0.0.2"),)))
    assert flooded(kernel, WEB) == ["10.0.0.2"]
    tunnel(kernel, "vx1", origin=WEB, parent="eth0")
    after = next_run(kernel)
    assert link(after, HOST, "vx1").parent_ns is None or after.find(WEB) == link(after, HOST, "vx1").parent_ns
    after.find(WEB)
    assert link(after, HOST, "vx1").parent_ns == after.find(WEB)


@case
def a_tunnel_goes_with_its_parent_and_with_the_namespace_of_that(kernel: Any) -> None:
    pair(kernel)
    kernel.apply(AddNetns("db"))
    tunnel(kernel, ref=DB)
    tunnel(kernel, "vx1", ref=DB, origin=WEB, parent="")
    tunnel(kernel, "vx2", ref=DB, parent="", vni=7)
    kernel.apply(DelLink(HOST, "web0"))
    assert gone(kernel, DB, "vx0")
    assert names(kernel, DB) == ["vx1", "vx2"]
    kernel.apply(DropNetns("web", kernel.find(WEB)))
    after = next_run(kernel)
    assert gone(after, DB, "vx1")
    assert names(after, DB) == ["vx2"]


@case
def a_tunnel_s_number_is_taken_by_port_and_family_in_the_namespace_of_its_packets(kernel: Any) -> None:
    pair(kernel)
    tunnel(kernel, ref=WEB)
    refused(kernel, AddLink(HOST, "vx1", "vxlan", {**FOUR, "local": "10.0.0.9"}, parent_ns=HOST), errno.EEXIST)
    tunnel(kernel, "vx1", port=4790)
    tunnel(kernel, "vx2", local="fd00::1")
    tunnel(kernel, "vx3", origin=WEB, parent="")
    refused(kernel, AddLink(HOST, "vx4", "vxlan", FOUR, parent="nix", parent_ns=HOST), errno.ENODEV)
    assert names(kernel, HOST) == ["vx1", "vx2", "vx3", "web0"]


@case
def a_tunnel_is_no_port_of_its_own_parent(kernel: Any) -> None:
    bridge(kernel)
    refused(kernel, AddLink(HOST, "vx0", "vxlan", {**FOUR, "master": "br0"}, parent="br0", parent_ns=HOST), errno.EBUSY)
    assert names(kernel, HOST) == ["br0"]
    tunnel(kernel, parent="br0")


@case
def of_a_tunnel_some_is_set_in_place_and_some_is_not(kernel: Any) -> None:
    pair(kernel)
    tunnel(kernel)
    kernel.apply(SetFlooded(HOST, "vx0", (Flooded("10.0.0.2"),)))
    new = {"local": "10.0.0.9", "tunnel_learning": False}
    kernel.apply(SetLink(HOST, "vx0", new, {}, "vxlan"))
    kernel.apply(SetLink(HOST, "vx0", {"mtu": 1400, "alias": "x", "mac": "02:00:00:00:00:02"}, {}, "vxlan"))
    now = link(kernel, HOST, "vx0")
    assert {name: now.get(name) for name in new} == new
    assert (now.get("mtu"), flooded(kernel)) == (1400, ["10.0.0.2"])
    kernel.apply(SetLink(HOST, "vx0", {"local": ""}, {}, "vxlan"))
    assert link(kernel, HOST, "vx0").get("local") == ""
    for wrong in ({"vni": 43}, {"port": 4790}, {"local": "fd00::1"}, {"mtu": 1300, "local": "10.0.0.1"}):
        refused(kernel, SetLink(HOST, "vx0", wrong, {}, "vxlan"), errno.EOPNOTSUPP)


@case
def a_tunnel_leaves_its_parent_room_for_the_headers(kernel: Any) -> None:
    pair(kernel)
    tunnel(kernel, mtu=9000)
    tunnel(kernel, "vx1", local="fd00::1")
    assert [link(kernel, HOST, name).get("mtu") for name in ("vx0", "vx1")] == [1450, 1430]
    kernel.apply(SetLink(HOST, "vx0", {"mtu": 1400}, {}))
    kernel.apply(SetLink(HOST, "vx0", {"mtu": 1450}, {}))
    refused(kernel, SetLink(HOST, "vx0", {"mtu": 1451}, {}), errno.EINVAL)
    refused(kernel, SetLink(HOST, "vx1", {"mtu": 1431}, {}), errno.EINVAL)
    kernel.apply(SetLink(HOST, "web0", {"mtu": 1300}, {}))
    assert link(kernel, HOST, "vx0").get("mtu") == 1450, "it does not follow"


@case
def a_tunnel_floods_where_it_is_told(kernel: Any) -> None:
    pair(kernel)
    tunnel(kernel)
    via = link(kernel, HOST, "web0").index
    two, odd = Flooded("10.0.0.2"), Flooded("10.0.0.2", 99, 7, via)
    kernel.apply(SetFlooded(HOST, "vx0", (two, odd)))
    kernel.apply(SetFlooded(HOST, "vx0", (two,)))  # nothing new
    assert kernel.flooded(kernel.find(HOST), link(kernel, HOST, "vx0").index) == (two, odd)
    kernel.apply(SetFlooded(HOST, "vx0", (), (two, Flooded("10.0.0.7"))))
    assert kernel.flooded(kernel.find(HOST), link(kernel, HOST, "vx0").index) == (odd,)
    refused(kernel, SetFlooded(HOST, "vx0", (Flooded("fd00::2"),)), errno.EAFNOSUPPORT)
    tunnel(kernel, "vx1", local="fd00::1")
    kernel.apply(SetFlooded(HOST, "vx1", (Flooded("fd00::2"),)))
    refused(kernel, SetFlooded(HOST, "vx1", (Flooded("10.0.0.2"),)), errno.EAFNOSUPPORT)
    assert flooded(kernel, name="vx1") == ["fd00::2"]
    bridge(kernel)
    assert flooded(kernel, name="br0") == []
