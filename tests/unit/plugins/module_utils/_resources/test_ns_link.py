# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun ns_link, by its kind vxlan: what is refused, made, repaired and made anew."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds, naming
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import (
    AddLink,
    DelLink,
    SetFlooded,
    SetLink,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import AddNetns, DropNetns
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import PutRoute
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    Address,
    Flooded,
    NsRef,
    Route,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import ns_link
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link_of_kind import OfKind
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_link import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._run.execution import execute
from ansible_collections.linuxnet.containers.tests.unit.asked import existing, failed, made, plan, refusal, want
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

WEB = NsRef("/run/netns/web")
NAMED = {"name": "vx0", "kind": "vxlan"}
NEW: dict[str, Any] = {**NAMED, "vni": 42, "parent": "u", "local": "10.0.0.1", "mac": "02:00:00:00:00:01"}


def host(**attributes: Any) -> MemoryKernel:
    """A host with a link u, and a namespace web."""
    kernel = MemoryKernel()
    kernel.apply(AddNetns("web"))
    kernel.apply(AddLink(HOST, "u", "veth", {"enabled": True, **attributes}, WEB, "eth0", {}))
    return kernel


def flooded(kernel: MemoryKernel, ref: NsRef = HOST, name: str = "vx0") -> list[str]:
    ns = existing(kernel.find(ref))
    return [str(one) for one in kernel.flooded(ns, existing(kernel.link(ns, name=name)).index)]


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"vni": 16777216}, "vni: 16777216 is out of bounds; it must be from 0 to 16777215."),
        ({"vni": -1}, "vni: -1 is out of bounds"),
        ({"port": 0}, "port: 0 is out of bounds; it must be from 1 to 65535."),
        ({"mtu": "67"}, "mtu: 67 is out of bounds"),
        ({"local": "224.0.0.1"}, "local: 224.0.0.1 is a multicast address; an end of a tunnel has one of its own."),
        ({"local": "::"}, "local: :: is not an address a host can have."),
        ({"local": "255.255.255.255"}, "local: 255.255.255.255 is not an address a host can have."),
        ({"local": "fe80::1"}, "local: fe80::1 is link-local, so that it means something on one interface only"),
        ({"local": "fe80::1%eth0"}, "local: 'fe80::1%eth0' is not an IP address"),
        ({"local": "::ffff:10.0.0.1"}, "local: ::ffff:10.0.0.1 is an IPv4 address in IPv6's spelling; write 10.0.0.1."),
        ({"local": "10.0.0.1/24"}, "local: '10.0.0.1/24' is not an IP address"),
        ({"peers": ["ff02::1"]}, "peers: ff02::1 is a multicast address"),
        ({"peers": ["10.0.0.2", " 10.0.0.2"]}, "peers: 10.0.0.2 is given twice."),
        ({"peers": ["fd00::2", "FD00:0::2"]}, "peers: fd00::2 is given twice."),
        ({"peers": ["10.0.0.2", "fd00::2"]}, "peers: fd00::2 is of another address family than 10.0.0.2."),
        ({"peers": ["10.0.0.2"], "local": "fd00::1"}, "peers: 10.0.0.2 is of another address family than fd00::1."),
        ({"peers": ["10.0.0.1"], "local": "10.0.0.1"}, "peers: 10.0.0.1 is this end, as local says."),
        ({"name": "lo"}, "name: 'lo' is the loopback interface"),
        ({"kind": "bond"}, "kind: 'bond' is none of dummy, ipvlan, macvlan, vlan, vrf, vxlan."),
        ({"parent": "a/b"}, "parent: 'a/b' is not an interface name"),
        ({"parent": "vx0"}, "parent: 'vx0' cannot be made on itself."),
        ({"master": "a b"}, "master: 'a b' is not an interface name"),
        ({"parent_netns": "a/b"}, "parent_netns: 'a/b' is not a namespace name"),
        ({"kind": None}, "missing required arguments: kind."),
    ],
)
def test_what_is_refused(params: dict[str, Any], sentence: str) -> None:
    assert refusal(RESOURCE, **{**NAMED, **params}).startswith(sentence), refusal(RESOURCE, **{**NAMED, **params})


def test_a_vxlan_is_made_in_one_message_and_then_told_its_peers() -> None:
    found = plan(host(), RESOURCE, **NEW, peers=["10.0.0.3", "10.0.0.2"], learning=False, alias="x")
    early = {
        "mtu": 1450,
        "mac": "02:00:00:00:00:01",
        "vni": 42,
        "local": "10.0.0.1",
        "port": 4789,
        "tunnel_learning": False,
    }
    entries = Flooded("10.0.0.2"), Flooded("10.0.0.3")
    assert found.changes == (
        AddLink(HOST, "vx0", "vxlan", {**early, "enabled": True, "link_group": 76}, parent="u", parent_ns=HOST),
        SetFlooded(HOST, "vx0", entries),
        SetLink(HOST, "vx0", {"alias": "x"}, {"alias": ""}, "vxlan"),
    )
    assert [str(line) for step in found.changes for line in step.commands()] == [
        "ip link add vx0 mtu 1450 address 02:00:00:00:00:01 group 76 type vxlan id 42 local 10.0.0.1 dstport 4789 nolearning dev u",
        "ip link set vx0 up",
        "bridge fdb append 00:00:00:00:00:00 dev vx0 dst 10.0.0.2",
        "bridge fdb append 00:00:00:00:00:00 dev vx0 dst 10.0.0.3",
        "ip link set vx0 alias x",
    ]
    assert found.after == {
        "name": "vx0",
        "kind": "vxlan",
        "netns": None,
        "parent": "u",
        "parent_netns": None,
        "master": "",
        "mtu": 1450,
        "mac": "02:00:00:00:00:01",
        "vni": 42,
        "local": "10.0.0.1",
        "port": 4789,
        "learning": False,
        "enabled": True,
        "alias": "x",
        "peers": ["10.0.0.2", "10.0.0.3"],
    }


def test_one_in_another_namespace_is_born_there() -> None:
    kernel = host()
    kernel.apply(AddLink(WEB, "br0", "bridge", {"mac": "02:00:00:00:00:0a"}))
    found = made(kernel, RESOURCE, **NEW, netns="web", master="br0", peers=["10.0.0.2"])
    assert found["commands"] == [
        "ip link add vx0 netns web mtu 1450 address 02:00:00:00:00:01 group 76 type vxlan id 42 local 10.0.0.1 dstport 4789 dev u",
        "ip -n web link set vx0 master br0",
        "ip -n web link set vx0 up",
        "bridge -n web fdb append 00:00:00:00:00:00 dev vx0 dst 10.0.0.2",
    ]
    assert (found["after"]["master"], found["after"]["parent_netns"]) == ("br0", None)
    assert kernel.link(existing(kernel.find(HOST)), name="vx0") is None
    assert plan(kernel, RESOURCE, **NEW, netns="web", master="br0").changes == ()
    text = failed(kernel, RESOURCE, **{**NEW, "parent": "eth0"}, parent_netns="web", netns="web")
    assert "has parent_netns none, not web, which" in text
    gone = execute(RESOURCE, [want(RESOURCE, **NAMED, netns="web", state="absent")], kernel, False)[0][0]
    assert gone["commands"] == ["ip -n web link del vx0"]


@pytest.mark.parametrize(
    ("params", "new"),
    [
        ({"mtu": 1400}, {"mtu": 1400}),
        ({"mac": "02-00-00-00-00-0F"}, {"mac": "02:00:00:00:00:0f"}),
        ({"local": "10.0.0.9"}, {"local": "10.0.0.9"}),
        ({"learning": False}, {"tunnel_learning": False}),
        ({"enabled": False}, {"enabled": False}),
        ({"alias": "x"}, {"alias": "x"}),
    ],
    ids=str,
)
def test_one_attribute_is_one_change(params: dict[str, Any], new: dict[str, Any]) -> None:
    kernel = host()
    made(kernel, RESOURCE, **NEW, peers=["10.0.0.2"])
    found = plan(kernel, RESOURCE, **{**NEW, **params})
    (step,) = found.changes
    assert (type(step), step.new, step.kind) == (SetLink, new, "vxlan")
    assert {name for name in found.after if found.after[name] != found.before[name]} == {*params}


def test_spellings_mean_the_same() -> None:
    kernel = host()
    made(kernel, RESOURCE, **{**NEW, "local": "fd00::1"}, peers=["fd00::2"])
    same = {**NEW, "vni": "42", "local": "FD00:0:0::1", "mac": "2-0-0-0-0-1", "mtu": "auto"}
    assert plan(kernel, RESOURCE, **same, peers=["fd00:0::2"], port="4789").changes == ()


def test_the_order_of_peers_means_nothing() -> None:
    one, other = (want(RESOURCE, **NEW, peers=peers) for peers in (["10.0.0.2", "10.0.0.3"], ["10.0.0.3", "10.0.0.2"]))
    assert RESOURCE.same(one, other)
    assert RESOURCE.identities(one) == RESOURCE.identities(want(RESOURCE, **NAMED, state="absent"))


def test_a_bridge_is_given_and_left() -> None:
    kernel = host()
    kernel.apply(AddLink(HOST, "br0", "bridge", {"mac": "02:00:00:00:00:0a"}))
    made(kernel, RESOURCE, **NEW)
    assert made(kernel, RESOURCE, **NEW, master="br0")["commands"] == ["ip link set vx0 master br0"]
    assert plan(kernel, RESOURCE, **NEW).changes == ()
    assert made(kernel, RESOURCE, **NEW, master="", learning=False)["commands"] == [
        "ip link set vx0 type vxlan nolearning",
        "ip link set vx0 nomaster",
    ]
    assert failed(kernel, RESOURCE, **NEW, master="br1").startswith("master: there is no bridge 'br1' in the host;")


# --- peers ---


def test_exactly_the_peers_are_flooded_to() -> None:
    kernel = host()
    made(kernel, RESOURCE, **NEW, peers=["10.0.0.2", "10.0.0.3"])
    kernel.apply(SetFlooded(HOST, "vx0", (Flooded("10.0.0.9", port=99),)))
    found = made(kernel, RESOURCE, **NEW, peers=["10.0.0.3", "10.0.0.4"])
    assert found["commands"] == [
        "bridge fdb append 00:00:00:00:00:00 dev vx0 dst 10.0.0.4",
        "bridge fdb del 00:00:00:00:00:00 dev vx0 dst 10.0.0.2",
        "bridge fdb del 00:00:00:00:00:00 dev vx0 dst 10.0.0.9 port 99",
    ]
    assert found["diff"]["before"] == "peers 10.0.0.2, 10.0.0.3, 10.0.0.9 port 99\n"
    assert flooded(kernel) == ["10.0.0.3", "10.0.0.4"]
    assert plan(kernel, RESOURCE, **NEW).changes == ()
    made(kernel, RESOURCE, **NEW, peers=[])
    assert flooded(kernel) == []


def test_an_entry_that_says_what_is_so_anyway_is_a_peer() -> None:
    """As `ip link add … remote 10.0.0.2 dev u` makes one. To remove it the kernel wants to hear it as it is."""
    kernel = host()
    made(kernel, RESOURCE, **NEW)
    index = existing(kernel.link(existing(kernel.find(HOST)), name="u")).index
    own = Flooded("10.0.0.2", via=index)
    kernel.apply(SetFlooded(HOST, "vx0", (own,)))
    there = plan(kernel, RESOURCE, **NEW, peers=["10.0.0.2"])
    assert (there.changes, there.after["peers"]) == ((), ["10.0.0.2"])
    kernel.apply(SetFlooded(HOST, "vx0", (Flooded("10.0.0.2"),)))
    assert plan(kernel, RESOURCE, **NEW, peers=["10.0.0.2"]).changes == (SetFlooded(HOST, "vx0", (), (own,)),)
    kernel.apply(SetFlooded(HOST, "vx0", (), (Flooded("10.0.0.2"),)))
    gone = plan(kernel, RESOURCE, **NEW, peers=[])
    assert gone.changes == (SetFlooded(HOST, "vx0", (), (own,)),)
    assert str(gone.changes[0].commands()[0]).endswith(f"dst 10.0.0.2 via if{index}")


def test_peers_are_of_the_family_of_the_own_address() -> None:
    kernel = host()
    assert failed(kernel, RESOURCE, **NAMED, vni=42, peers=["fd00::2"]) == (
        "peers: fd00::2 is of another address family than 'vx0' in the host, whose own address (local) is IPv4, which it is without local."
    )
    made(kernel, RESOURCE, **{**NEW, "local": "fd00::1"})
    assert failed(kernel, RESOURCE, **NAMED, peers=["10.0.0.2"]).endswith("whose own address (local) is fd00::1.")
    assert (
        failed(kernel, RESOURCE, **NAMED, peers=["fd00::1"])
        == "peers: fd00::1 is this end, as 'vx0' in the host has it."
    )


def test_one_without_an_address_of_its_own_is_of_the_family_that_it_was_made_for() -> None:
    kernel = host()
    made(kernel, RESOURCE, **{**NEW, "local": "fd00::1"})
    ns = existing(kernel.find(HOST))
    kernel._put(ns, existing(kernel.link(ns, name="vx0")).with_(local="", group="fd00::2", mtu=1400))
    found = plan(kernel, RESOURCE, **NAMED, mtu="auto", peers=["fd00::2"])
    assert (found.after["mtu"], found.after["peers"]) == (1430, ["fd00::2"])
    assert "local none, which is IPv6, not 10.0.0.1" in failed(kernel, RESOURCE, **NEW)


# --- MTU ---


@pytest.mark.parametrize(("local", "mtu"), [("10.0.0.1", 8950), ("fd00::1", 8930)])
def test_an_mtu_of_auto_is_the_parent_s_less_what_a_frame_is_wrapped_into(local: str, mtu: int) -> None:
    kernel = host(mtu=9000)
    assert plan(kernel, RESOURCE, **{**NEW, "local": local}, mtu="auto").after["mtu"] == mtu
    made(kernel, RESOURCE, **{**NEW, "local": local})
    assert failed(kernel, RESOURCE, **NAMED, mtu=mtu + 1) == (
        f"mtu: {mtu + 1} bytes do not go through 'u', at most {mtu} do; 'auto' is that."
    )
    kernel.apply(SetLink(HOST, "u", {"mtu": 1500}, {"mtu": 9000}))
    assert plan(kernel, RESOURCE, **NEW | {"local": local}).changes == ()
    (step,) = plan(kernel, RESOURCE, **NAMED, mtu="auto").changes
    assert step.new == {"mtu": mtu - 7500}


def test_without_a_parent_the_way_to_the_peers_counts() -> None:
    kernel = host(mtu=9000)
    kernel.apply(AddLink(HOST, "x", "veth", {"enabled": True, "mtu": 1300}, WEB, "x", {}))
    kernel.apply(PutRoute(HOST, Route(4, "0.0.0.0/0", interface="u")))
    kernel.apply(PutRoute(HOST, Route(4, "10.1.0.0/16", interface="x")))
    kernel.apply(PutRoute(HOST, Route(4, "10.2.0.0/16", interface="u", mtu=1200)))
    new = {**NAMED, "vni": 1}
    for peers, mtu in (([], 8950), (["10.9.0.1"], 8950), (["10.9.0.1", "10.1.0.1"], 1250), (["10.2.0.1"], 1150)):
        assert plan(kernel, RESOURCE, **new, peers=peers).after["mtu"] == mtu, peers
    kernel.apply(PutRoute(HOST, Route(4, "10.3.0.0/16", interface="u", mtu=100)))
    assert failed(kernel, RESOURCE, **new, peers=["10.3.0.1"]).startswith(
        "mtu: what is below 'vx0' in the host leaves 50 bytes"
    )


def test_packets_do_not_leave_by_what_the_tunnel_is_a_port_of() -> None:
    """The bridge would follow the tunnel's MTU and that the bridge's, in each run."""
    kernel = host()
    kernel.apply(AddLink(HOST, "br0", "bridge", {"mac": "02:00:00:00:00:0a", "enabled": True}))
    kernel.apply(PutAddress(HOST, "br0", Address("10.5.0.1", 24, 4)))
    kernel.apply(PutRoute(HOST, Route(4, "10.6.0.0/16", interface="br0")))
    text = "master: the packets of 'vx0' in the host leave by 'br0', so it cannot be a port of that as well."
    new = {**NAMED, "vni": 1, "master": "br0"}
    for more in (
        {"parent": "br0", "mtu": 1400},
        {"local": "10.5.0.1"},
        {"peers": ["10.6.0.1"]},
        {"local": "10.5.0.1", "mtu": "auto"},
    ):
        assert failed(kernel, RESOURCE, **new, **more) == text, more
    made(kernel, RESOURCE, **new, local="10.5.0.1", mtu=1400)
    assert plan(kernel, RESOURCE, **new, recreate=True).changes == ()
    assert failed(kernel, RESOURCE, **NAMED, mtu="auto") == text
    kernel.apply(PutRoute(HOST, Route(4, "0.0.0.0/0", interface="br0")))
    assert failed(kernel, RESOURCE, **{**new, "name": "vx1", "vni": 2}) == text.replace("vx0", "vx1")
    assert plan(kernel, RESOURCE, **{**new, "name": "vx1", "vni": 2, "netns": "web", "master": ""}).after["mtu"] == 1350


def test_one_that_was_made_from_a_namespace_without_a_name_is_made_anew_from_one_that_is_said() -> None:
    kernel = host()
    kernel.pids[7] = existing(kernel.find(WEB))
    kernel.apply(AddLink(HOST, "vx0", "vxlan", {"vni": 1, "port": 4789, "local": "10.0.0.1"}, parent_ns=WEB))
    kernel.apply(DropNetns("web", existing(kernel.find(WEB))))
    assert plan(kernel, RESOURCE, **NAMED, state="absent").before["parent_netns"] == "unknown"
    text = failed(kernel, RESOURCE, **NAMED, vni=2, recreate=True)
    assert text.startswith("parent_netns: 'vx0' in the host was made from a namespace without a name; say from which")
    assert "has parent_netns unknown, not none, which" in failed(kernel, RESOURCE, **NAMED, parent="u")
    assert made(kernel, RESOURCE, **NAMED, vni=2, recreate=True, parent="u")["after"]["parent"] == "u"


# --- what is not changed in place ---


@pytest.mark.parametrize(
    ("params", "differs"),
    [
        ({"vni": 43}, "vni 42, not 43"),
        ({"port": 4790}, "port 4789, not 4790"),
        ({"parent": "w"}, "parent u, not w"),
        ({"parent": ""}, "parent u, not none"),
        ({"parent": "eth0", "parent_netns": "web"}, "parent_netns none, not web"),
        ({"local": "fd00::1"}, "local 10.0.0.1, not fd00::1"),
        ({"vni": 43, "parent": "w"}, "vni 42, not 43 and parent u, not w"),
    ],
    ids=str,
)
def test_what_is_not_changed_in_place_is_made_anew_only_if_that_is_asked_for(
    params: dict[str, Any], differs: str
) -> None:
    kernel = host()
    kernel.apply(AddLink(HOST, "w", "veth", {"enabled": True}, WEB, "w", {}))
    made(kernel, RESOURCE, **NEW, peers=["10.0.0.2"], learning=False, alias="x")
    start = kernel.snapshot()
    asked = {**NEW, **params}
    assert failed(kernel, RESOURCE, **asked) == (
        f"vxlan 'vx0' in the host has {differs}, which is not changed in place; recreate: true makes it anew, without its addresses "
        "and routes."
    )
    assert kernel.snapshot() == start
    found = made(kernel, RESOURCE, **asked, recreate=True)
    assert found["commands"][0] == "ip link del vx0"
    names = [one.split()[0] for one in differs.split(" and ")]
    assert found["diff"]["before"].splitlines()[-1] == f"made_anew_for {', '.join(names)}"
    peers = [] if "local" in params else ["10.0.0.2"]
    assert [found["after"][name] for name in ("alias", "learning", "peers")] == ["x", False, peers]
    again = plan(kernel, RESOURCE, **asked, recreate=True)
    assert (again.changes, again.before) == ((), found["after"])


def test_other_kinds_are_left_alone_and_this_module_s_made_anew() -> None:
    kernel = host()
    for state, more in (("present", {}), ("present", {"recreate": True}), ("absent", {})):
        text = failed(kernel, RESOURCE, name="u", kind="vxlan", vni=1, state=state, **more)
        assert text == "Interface 'u' in the host is a veth, not a vxlan; it is left alone."
    made(kernel, RESOURCE, name="vx0", kind="macvlan", parent="u", alias="x", mac="02:00:00:00:00:07")
    text = failed(kernel, RESOURCE, **NAMED, vni=1)
    assert text.endswith("is a macvlan, not a vxlan; it is left alone; recreate: true makes it anew.")
    assert failed(kernel, RESOURCE, **NAMED, state="absent").endswith("it is left alone.")
    found = made(kernel, RESOURCE, **NAMED, vni=1, recreate=True)
    assert found["before"]["made_anew_for"] == ["kind"]
    assert [found["after"][name] for name in ("alias", "mac")] == ["x", "02:00:00:00:00:07"]


@pytest.mark.parametrize(
    ("attributes", "differs"),
    [
        ({"external": True, "vni": 0}, "external true, not false, which peers need"),
        ({"group": "239.1.1.1", "vni": 42}, "group 239.1.1.1, not none, which peers need"),
    ],
)
def test_those_that_send_by_a_group_or_by_packet_have_no_peers(attributes: dict[str, Any], differs: str) -> None:
    kernel = host()
    kernel.apply(AddLink(HOST, "vx0", "vxlan", {"port": 4789, **attributes}, parent_ns=HOST))
    kernel.apply(SetFlooded(HOST, "vx0", (Flooded("239.1.1.1"),)))
    assert plan(kernel, RESOURCE, **NAMED).before["peers"] == []
    assert plan(kernel, RESOURCE, **NAMED, enabled=False).changes == ()
    assert f"has {differs}, which is not" in failed(kernel, RESOURCE, **NAMED, peers=["10.0.0.2"])


def test_a_number_that_is_in_use_is_refused_by_the_name_of_who_has_it() -> None:
    kernel = host()
    assert failed(kernel, RESOURCE, **NAMED) == "vni: a vxlan that is made needs one; 'vx0' is not in the host yet."
    made(kernel, RESOURCE, **{**NEW, "name": "old"}, netns="web")
    text = "vni: 42 is in use with port 4789 by 'old' in netns 'web'; take another number or port, or remove that one."
    assert failed(kernel, RESOURCE, **NEW) == text
    for other in ({"vni": 43}, {"port": 4790}, {"local": "fd00::1"}, {"parent_netns": "web", "parent": "eth0"}):
        assert plan(kernel, RESOURCE, **{**NEW, **other}).changes, other


def test_absent() -> None:
    kernel = host()
    assert plan(kernel, RESOURCE, **NAMED, state="absent").changes == ()
    assert plan(kernel, RESOURCE, **NAMED, state="absent", netns="nowhere").changes == ()
    made(kernel, RESOURCE, **NEW)
    assert plan(kernel, RESOURCE, **NAMED, state="absent").changes == (DelLink(HOST, "vx0"),)


def test_what_a_kernel_lacks() -> None:
    kernel = MemoryKernel(["vxlan"])
    assert failed(kernel, RESOURCE, **NAMED, vni=1) == (
        "Could not create vxlan vx0 in the host: Operation not supported (Unknown device type); this kernel lacks the feature."
    )


def test_a_parent_or_a_namespace_that_is_missing() -> None:
    kernel = host()
    text = "parent: there is no interface 'up' in the host; linuxnet.containers.ns_link or linuxnet.containers.veth makes one."
    assert failed(kernel, RESOURCE, **{**NEW, "parent": "up"}) == text
    assert failed(kernel, RESOURCE, **NEW, parent_netns="nowhere").startswith("Netns 'nowhere' does not exist")
    (result,), warnings = execute(RESOURCE, [want(RESOURCE, **{**NEW, "parent": "up"}, netns="db")], kernel, True)
    assert (result["changed"], result["after"]["mtu"]) == (True, 1450)
    assert warnings == [
        "Check mode: netns 'db', interface 'up' in the host do not exist yet; taken as made by an earlier task."
    ]


def test_the_mac_is_the_mark() -> None:
    kernel = host()
    address = made(kernel, RESOURCE, **NAMED, vni=1)["after"]["mac"]
    assert naming.is_own(address, kernel.identity(), "vxlan", "", "vx0")
    kernel.apply(AddLink(HOST, "br0", "bridge", {"mac": "02:00:00:00:00:0a"}))
    kernel.apply(AddLink(HOST, "p", "veth", {"master": "br0", "mac": "fe:10:00:00:00:01"}, WEB, "p", {}))
    address = made(kernel, RESOURCE, name="vx1", kind="vxlan", vni=2, master="br0")["after"]["mac"]
    assert naming.is_own(address, kernel.identity(), "vxlan", "", "vx1")
    assert address > "fe:10:00:00:00:01", "so the bridge keeps the address that it took"


def test_a_kind_has_its_own_options_and_is_an_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What further kinds are: rows, and nothing else where the kernel does nothing in a way of its own."""
    rows = link_kinds.table(
        link_kinds.Field("ring", "", "ring {}", 0, fixed=True, needed=True),
        link_kinds.Field("pace", "", "pace {}", "slow", new="fast"),
    )
    kind = link_kinds.Kind(
        "hsr", rows, parent="IFLA_LINK", parent_words="link {}", described="an hsr", module="ns_link"
    )
    monkeypatch.setitem(link_kinds.KINDS, "hsr", kind)
    resource = ns_link.NsLinkResource()
    assert resource.options["kind"]["choices"] == ["dummy", "ipvlan", "macvlan", "vlan", "vrf", "vxlan", "hsr"]
    assert resource.kinds["hsr"].__class__ is OfKind
    assert refusal(resource, name="v", kind="hsr", vni=7) == "vni: it is an option of kind vxlan, not of hsr."
    assert refusal(resource, name="v", kind="hsr", peers=[]) == "peers: it is an option of kind vxlan, not of hsr."
    assert refusal(resource, name="v", kind="vxlan", ring=7) == "ring: it is an option of kind hsr, not of vxlan."
    kernel = host()
    text = failed(kernel, resource, name="h0", kind="hsr", parent="u")
    assert text == "ring: an hsr that is made needs one; 'h0' is not in the host yet."
    text = failed(kernel, resource, name="h0", kind="hsr", ring=7)
    assert text == "parent: an hsr that is made needs one; 'h0' is not in the host yet."
    found = made(kernel, resource, name="h0", kind="hsr", ring=7, parent="u", mac="02:00:00:00:00:01")
    assert found["commands"] == [
        "ip link add h0 link u mtu 1500 address 02:00:00:00:00:01 group 76 type hsr ring 7 pace fast",
        "ip link set h0 up",
    ]
    assert "peers" not in found["after"]
    assert "has ring 7, not 8, which" in failed(kernel, resource, name="h0", kind="hsr", ring=8)
    assert failed(kernel, resource, name="h0", kind="vxlan", vni=1).endswith("recreate: true makes it anew.")
    assert plan(kernel, resource, name="h0", kind="hsr").changes == ()
