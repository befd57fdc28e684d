# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A link of any kind by its entry in `KINDS`, and what the nouns of links have in common."""

from __future__ import annotations

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds, naming, values
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, DelLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.link_kinds import Field, Kind
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import host_interface
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Link
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import link
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import LinkResource
from ansible_collections.linuxnet.containers.tests.unit.asked import failed, made, plan, refusal
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

# As an entry of KINDS is written; the kernel's twin takes any kind.
VLAN = Kind(
    "vlan",
    link_kinds.table(
        Field("vlan_id", "IFLA_VLAN_ID", "id {}", 1, values.integer(0, 4094)),
        Field("reorder", "IFLA_VLAN_FLAGS", "reorder_hdr {}", True),
    ),
    described="a VLAN",
)


@pytest.fixture
def vlan(monkeypatch: pytest.MonkeyPatch) -> LinkResource:
    """The resource of a kind that is nothing but an entry."""
    monkeypatch.setitem(link_kinds.KINDS, "vlan", VLAN)
    return LinkResource("vlan")


def test_a_kind_s_options_are_its_rows(vlan: LinkResource) -> None:
    general = ["mtu", "mac", "vlan_id", "reorder", "enabled", "alias", *link_kinds.SHAPES]
    assert list(vlan.options) == ["name", "state", "netns", *general]
    assert vlan.options["vlan_id"] == {"type": "int"}
    assert refusal(vlan, name="seven", vlan_id=4095) == "vlan_id: 4095 is out of bounds; it must be from 0 to 4094."


def test_a_kind_is_made_changed_and_removed(vlan: LinkResource) -> None:
    kernel = MemoryKernel()
    result = made(kernel, vlan, name="seven", vlan_id=7, alias="seven")
    mac = result["after"]["mac"]
    assert result["commands"] == [
        f"ip link add seven address {mac} type vlan id 7",
        "ip link set seven up",
        "ip link set seven alias seven",
    ]
    assert result["after"] == {
        "name": "seven", "netns": None, "mtu": 1500, "mac": mac, "vlan_id": 7, "reorder": True, "enabled": True, "alias": "seven",
    }  # fmt: skip
    (step,) = plan(kernel, vlan, name="seven", vlan_id=8, reorder=True).changes
    assert step == SetLink(HOST, "seven", {"vlan_id": 8}, {"vlan_id": 7}, "vlan")
    assert made(kernel, vlan, name="seven", vlan_id=7)["changed"] is False
    assert plan(kernel, vlan, name="seven", state="absent").changes == (DelLink(HOST, "seven"),)


def test_a_link_of_another_kind_is_left_alone(vlan: LinkResource) -> None:
    kernel = MemoryKernel()
    kernel.apply(AddLink(HOST, "seven", "bridge", {}))
    assert (
        failed(kernel, vlan, name="seven") == "Interface 'seven' in the host is a bridge, not a vlan; it is left alone."
    )


def test_what_the_creating_message_does_not_carry_is_set_afterwards() -> None:
    early, late = link.split({"mtu": 1400, "alias": "x", "tx_checksum": True}, ["alias", "tx_checksum"])
    assert (early, late) == ({"mtu": 1400}, {"alias": "x"}), "a new link has the other one by itself"
    assert link.set_late(HOST, "v", late) == (SetLink(HOST, "v", {"alias": "x"}, {"alias": ""}),)
    assert link.set_late(HOST, "v", {}) == ()


def test_only_what_differs_is_set() -> None:
    assert link.differing({"mtu": 1400, "alias": ""}, {"mtu": 1500, "alias": ""}) == ({"mtu": 1400}, {"mtu": 1500})
    assert link.differing({"cost": 2}, {}) == ({"cost": 2}, {"cost": None})


def test_auto_is_a_number_of_bytes() -> None:
    assert link.with_mtu({"mtu": "auto", "alias": "auto"}, 1400) == {"mtu": 1400, "alias": "auto"}
    assert link.with_mtu({"mtu": 1300}, 1400) == {"mtu": 1300}


def test_a_port_loses_its_attributes_with_its_master() -> None:
    port = Link(2, "v0", "veth", {"mtu": 1500, "hairpin": True, "cost": 7}, master=1)
    assert link.port_of(port, "br0") == {"master": "br0", "hairpin": True, "cost": 7}
    assert link.port_of(port, "") == {"master": ""}


def test_a_pair_of_ours_is_known_by_its_name_or_by_its_address() -> None:
    path, far = "/run/netns/web", Link(5, "eth0", "veth")
    named = Link(2, host_interface(path, "eth0"), "veth")
    marked = Link(2, "mine", "veth", {"mac": link.pair_mac("host", path, "eth0")})
    assert link.made_for(path, named, far, "host")
    assert link.made_for(path, marked, far, "host")
    assert link.made_for(path, marked, far, "the host by another name")
    assert not link.made_for("/run/netns/db", named, far, "host")
    assert link.own_mac("host", "bridge", "", "br0") != link.own_mac("host", "bridge", path, "br0")


def test_a_pair_that_release_0_2_0_made_is_ours_at_both_ends() -> None:
    """As long as the host is called as it was then; a wiring of that release is taken over as it is."""
    path = "/run/netns/web"
    near = Link(2, "mine", "veth", {"mac": naming._unchecked("host", "veth", path, "eth0", "own")})
    far = Link(5, "eth0", "veth", {"mac": naming._unchecked("host", "veth", path, "eth0", "peer")})
    assert (link.made_for(path, near, far, "host"), link.made_for(path, near, far, "other")) == (True, False)
    assert (link.is_own_peer(path, far, "host"), link.is_own_peer(path, far, "other")) == (True, False)
    assert link.is_own_peer(path, Link(5, "eth0", "veth", {"mac": link.peer_mac("host", path, "eth0")}), "other")
    assert not link.is_own_peer(path, near, "host")
