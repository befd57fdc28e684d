# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Links: what the kernel's messages say of them, and what it is sent. How the kernel takes it is in the contract of kernels."""

from __future__ import annotations

import errno
import random
import struct
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import codec, links, transport
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink.transport import (
    NetlinkError,
    Socket,
    attribute,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Link, Vlan
from ansible_collections.linuxnet.containers.tests.unit.netlink_wire import MESSAGES, Answering, by_class
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

UP, RUNNING = 0x1, 0x40
NEWLINK, DELLINK, GETLINK, SETLINK = 16, 17, 18, 19


def link(index: int = 2, name: str = "eth0", flags: int = 0, **attrs: Any) -> bytes:
    """A message about an interface; attributes by their name without IFLA."""
    given = [("IFLA_IFNAME", name), *((f"IFLA_{key}", value) for key, value in attrs.items())]
    return by_class(ifinfmsg, {"index": index, "flags": flags}, given)


def info(kind: str, *data: tuple[str, int | str], slave: str = "") -> dict[str, Any]:
    port = [("IFLA_INFO_SLAVE_KIND", slave), ("IFLA_INFO_SLAVE_DATA", {"attrs": [("IFLA_BRPORT_COST", 7)]})]
    more = [("IFLA_INFO_DATA", {"attrs": list(data)})] if data else []
    return {"attrs": [("IFLA_INFO_KIND", kind), *more, *(port if slave else [])]}


def read(*messages: bytes) -> list[tuple[Link, int | None]]:
    return links.read_all(Answering(list(messages)))


# --- reading ---


def test_a_link_has_its_general_attributes() -> None:
    [(one, nsid)] = read(link(flags=UP | RUNNING, MTU=1400, ADDRESS="02:00:00:00:00:01", TXQLEN=9, IFALIAS="mine"))
    assert (one.index, one.name, one.kind, one.master, one.peer_index, nsid) == (2, "eth0", "", 0, 0, None)
    assert {name: one.get(name) for name in ("mtu", "mac", "tx_queue_len", "alias", "enabled", "carrier")} == {
        "mtu": 1400,
        "mac": "02:00:00:00:00:01",
        "tx_queue_len": 9,
        "alias": "mine",
        "enabled": True,
        "carrier": True,
    }


def test_a_pair_s_end_knows_the_other_one() -> None:
    [(one, nsid)] = read(link(LINK=7, LINK_NETNSID=3, LINKINFO=info("veth")))
    assert (one.kind, one.peer_index, nsid) == ("veth", 7, 3)


def test_of_a_kind_the_kernel_is_asked_for_no_others_and_what_it_sends_besides_is_left_out() -> None:
    sock = Answering([link(LINKINFO=info("veth")), link(3, "br0", LINKINFO=info("bridge")), link(4, "lo")])
    assert [one.name for one, _nsid in links.read_all(sock, "veth")] == ["eth0"]
    sent = sock.read(ifinfmsg)
    assert sent.get_attr("IFLA_LINKINFO").get_attr("IFLA_INFO_KIND") == "veth"


def test_links_one_after_the_other_are_read_as_each_alone() -> None:
    """Where the attributes of one are, is taken over for the next one, where they are in the same places."""
    chance = random.Random(1)
    messages = []
    for number in range(200):
        kind = chance.choice(
            (info("veth"), info("bridge", ("IFLA_BR_AGEING_TIME", number)), info("veth", slave="bridge"))
        )
        more = {"IFALIAS": "x" * chance.randrange(6)} if chance.randrange(3) == 0 else {}
        name = "d" * chance.choice((1, 5, 5, 5, 9)) + str(number % 10)
        messages.append(link(number + 1, name, UP * chance.randrange(2), MTU=1000 + number, LINKINFO=kind, **more))
    seen = [(replace(one, attributes=dict(one.attributes)), nsid) for one, nsid in read(*messages)]
    assert seen == [
        (replace(one, attributes=dict(one.attributes)), nsid) for data in messages for one, nsid in read(data)
    ]
    assert [one.get("mtu") for one, _nsid in seen] == list(range(1000, 1200))


def test_one_attribute_is_as_among_all() -> None:
    message = link(MTU=1400, ADDRESS="02:00:00:00:00:01", LINKINFO=info("bridge"))
    [(one, _nsid)], [(other, _none)] = read(message), read(message)
    known = dict(other.attributes)
    assert {name: one.get(name) for name in known} == known
    assert (one.get("mac"), one.get("nothing"), len(one.attributes)) == ("02:00:00:00:00:01", None, len(known))
    assert read(link())[0][0].get("mac") == ""


def test_the_link_below_a_vlan_is_no_peer() -> None:
    [(one, _nsid)] = read(link(LINK=7, LINKINFO=info("vlan")))
    assert (one.kind, one.peer_index) == ("vlan", 0)


VXLAN = ("vni", "local", "port", "tunnel_learning", "group", "external")


def test_a_vxlan_knows_what_it_was_made_on() -> None:
    """Recorded, with the newest pyroute2's classes and the oldest's."""
    (four, _first), (six, _second) = links.read_all(Answering(MESSAGES["links"]), "vxlan")
    assert (four.name, four.kind, four.parent_index, four.get("mtu")) == ("vx0", "vxlan", 3, 1450)
    assert [four.get(name) for name in VXLAN] == [42, "10.0.0.1", 4789, True, "", False]
    assert (six.parent_index, [six.get(name) for name in VXLAN]) == (0, [42, "fd00::1", 4789, False, "", False])
    assert [one.parent_index for one, _nsid in read(*MESSAGES["links"][:3], link(LINKINFO=info("vxlan")))] == [0] * 4


def test_a_vxlan_that_sends_to_a_group_or_as_each_packet_says() -> None:
    for data, told in (
        (("IFLA_VXLAN_GROUP", "239.1.1.1"), ("239.1.1.1", False)),
        (("IFLA_VXLAN_GROUP6", "ff05::1"), ("ff05::1", False)),
        (("IFLA_VXLAN_COLLECT_METADATA", 1), ("", True)),
    ):
        [(one, _nsid)] = read(link(LINKINFO=info("vxlan", data)))
        assert (one.get("group"), one.get("external")) == told


@pytest.mark.parametrize(
    ("local", "name"), [("10.0.0.1", "IFLA_VXLAN_LOCAL"), ("fd00::1", "IFLA_VXLAN_LOCAL6"), ("", "IFLA_VXLAN_LOCAL")]
)
def test_a_vxlan_is_made_on_a_link_and_born_in_another_namespace(local: str, name: str) -> None:
    sock = Answering()
    given = {"mtu": 1400, "vni": 42, "local": local, "port": 4789, "tunnel_learning": False}
    links.add(sock, "vx0", "vxlan", given, master=7, parent=3, netns_fd=9)
    sent = sock.read(ifinfmsg)
    data = sent.get_attr("IFLA_LINKINFO").get_attr("IFLA_INFO_DATA")
    assert [sent.get_attr(f"IFLA_{key}") for key in ("IFNAME", "MTU", "MASTER", "NET_NS_FD")] == ["vx0", 1400, 7, 9]
    assert data.get_attr(name) == (local or "0.0.0.0")
    assert [data.get_attr(f"IFLA_VXLAN_{key}") for key in ("ID", "LINK", "LEARNING", "PORT")] == [42, 3, 0, 4789]
    assert data.raw("IFLA_VXLAN_PORT") == bytes([18, 181]), "in the network's order"


def test_other_kinds_name_their_parent_in_the_message_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(link_kinds.KINDS, "macvlan", link_kinds.Kind("macvlan", parent="IFLA_LINK"))
    sock = Answering()
    links.add(sock, "m0", "macvlan", {}, parent=3)
    assert sock.read(ifinfmsg).get_attr("IFLA_LINK") == 3
    [(one, nsid)] = read(link(LINK=7, LINK_NETNSID=3, LINKINFO=info("macvlan")))
    assert (one.parent_index, one.peer_index, nsid) == (7, 0, 3)
    assert read(link(LINKINFO=info("macvlan")))[0][0].parent_index == 0


def test_a_bridge_and_its_port() -> None:
    data = [("IFLA_BR_AGEING_TIME", 100), ("IFLA_BR_VLAN_DEFAULT_PVID", 5)]
    (bridge, _first), (port, _second) = read(
        link(LINKINFO=info("bridge", *data)), link(3, "web0", MASTER=2, LINKINFO=info("veth", slave="bridge"))
    )
    assert (bridge.get("ageing_time"), bridge.get("default_pvid"), bridge.get("stp")) == (100, 5, False)
    assert (port.master, port.get("cost"), bridge.get("cost")) == (2, 7, None)


def test_only_the_pairs_of_a_master_are_returned_though_an_old_kernel_sends_all() -> None:
    veth: dict[str, Any] = {"LINK": 5, "LINK_NETNSID": 1, "LINKINFO": info("veth")}
    dummy = link(6, "d0", MASTER=2, LINKINFO=info("dummy"))
    sock = Answering([link(2, "br0"), link(3, "web0", MASTER=2, **veth), link(4, "db0", MASTER=9, **veth), dummy])
    assert links.read_ports(sock, 2) == [(3, 5, 1)]
    assert sock.read(ifinfmsg).get_attr("IFLA_MASTER") == 2


def test_a_name_may_have_any_bytes() -> None:
    data = attribute(3, b"\xff\xfe\0")
    [(one, _nsid)] = read(bytes(32) + data)
    assert one.name == "\udcff\udcfe"
    sock = Answering([])
    assert links.read(sock, one.name) == (None, None)
    assert data in sock.asked[0][2]


@pytest.mark.parametrize("code", [errno.ENODEV, errno.ERANGE])
def test_a_link_that_is_not_there_is_none(code: int) -> None:
    """ERANGE is what the kernel says of a name that is too long for one."""
    assert links.read(Answering(code), "web0") == (None, None)


def test_another_refusal_is_an_error() -> None:
    with pytest.raises(NetlinkError):
        links.read(Answering(errno.EPERM), "web0")


def test_names_and_indexes_by_ioctl() -> None:
    with Socket(transport.ROUTE) as sock:
        assert (links.index_of(sock, "lo"), links.name_of(sock, 1)) == (1, "lo")
        assert (links.index_of(sock, "no such"), links.name_of(sock, 0x7FFFFFF0)) == (0, "")
        assert links.index_of(sock, "\udcff") == 0


def test_a_name_that_is_too_long_is_not_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ioctl would find the interface whose name it begins with."""
    monkeypatch.setattr(links, "_ioctl", lambda *_args: (b"", 7))
    assert links.index_of(Answering(), "n" * 15) == 7
    assert links.index_of(Answering(), "n" * 16) == 0


@pytest.mark.parametrize(("known", "found"), [(3, 3), (0, 0), (-1, -1)])
def test_the_id_of_a_namespace(known: int, found: int) -> None:
    sock = Answering([by_class(codec.netnsidmsg, {}, [("NETNSA_NSID", known)])])
    assert links.nsid(sock, 9) == found
    assert sock.read(codec.netnsidmsg).get_attr("NETNSA_FD") == 9


def test_no_answer_is_no_id() -> None:
    assert links.nsid(Answering([]), 9) == -1


# --- writing ---


def attrs(sock: Answering, place: int = -1) -> dict[str, Any]:
    message = sock.read(ifinfmsg, place)
    return {name: message.get_attr(name) for name in message.names()}


def test_a_pair_is_one_message() -> None:
    sock = Answering()
    peer = ("eth0", {"mtu": 1400}, 8)
    links.add(sock, "web0", "veth", {"enabled": True, "mtu": 1500, "mac": "02:00:00:00:00:01"}, 3, peer)
    [(kind, flags, _body)] = sock.asked
    assert (kind, flags) == (NEWLINK, transport.ACK | transport.CREATE | transport.EXCL)
    sent = sock.read(ifinfmsg)
    assert (sent["flags"], sent["change"], sent.get_attr("IFLA_MASTER"), sent.get_attr("IFLA_MTU")) == (UP, UP, 3, 1500)
    far = sent.get_attr("IFLA_LINKINFO").get_attr("IFLA_INFO_DATA").get_attr("VETH_INFO_PEER")
    assert [far.get_attr(f"IFLA_{name}") for name in ("IFNAME", "MTU", "NET_NS_FD")] == ["eth0", 1400, 8]


def test_a_pair_in_one_namespace_names_none() -> None:
    sock = Answering()
    links.add(sock, "a", "veth", {}, peer=("b", {}, None))
    info = sock.read(ifinfmsg).get_attr("IFLA_LINKINFO").get_attr("IFLA_INFO_DATA")
    assert info.get_attr("VETH_INFO_PEER").names() == ["IFLA_IFNAME"]


@pytest.mark.parametrize("kind", ["bridge", "dummy", "ifb"])
def test_a_link_of_a_kind_is_made_without_attributes_of_the_kind(kind: str) -> None:
    sock = Answering()
    links.add(sock, "one", kind, {"mtu": 1400})
    info = sock.read(ifinfmsg).get_attr("IFLA_LINKINFO")
    assert (info.get_attr("IFLA_INFO_KIND"), info.names()) == (kind, ["IFLA_INFO_KIND"])


def test_what_is_changed_goes_in_one_message() -> None:
    sock = Answering()
    links.change(
        sock, 4, {"name": "new", "enabled": False, "mtu": 1400, "hairpin": True, "stp": True}, 0, kind="bridge"
    )
    sent = sock.read(ifinfmsg)
    assert (sent["index"], sent["flags"], sent["change"]) == (4, 0, UP)
    assert attrs(sock).keys() == {"IFLA_IFNAME", "IFLA_MTU", "IFLA_MASTER", "IFLA_LINKINFO"}
    about = sent.get_attr("IFLA_LINKINFO")
    assert about.names() == ["IFLA_INFO_KIND", "IFLA_INFO_DATA", "IFLA_INFO_SLAVE_KIND", "IFLA_INFO_SLAVE_DATA"]
    assert about.get_attr("IFLA_INFO_SLAVE_DATA").get_attr("IFLA_BRPORT_MODE") == 1
    assert about.get_attr("IFLA_INFO_DATA").get_attr("IFLA_BR_STP_STATE") == 1


def test_what_is_not_changed_is_not_named() -> None:
    sock = Answering()
    links.change(sock, 4, {}, netns_fd=9)
    assert attrs(sock) == {"IFLA_NET_NS_FD": 9}
    assert sock.read(ifinfmsg)["change"] == 0


def test_links_are_deleted_together_in_a_group_of_their_own() -> None:
    sock = Answering([link(2, GROUP=5), link(3, GROUP=0), link(4, GROUP=0)])
    links.delete_together(sock, [2, 3, 99])
    _dump, first, second, last = sock.asked
    [group] = {attrs(sock, place)["IFLA_GROUP"] for place in (1, 2, 3)}
    assert group not in (0, 5)
    assert [kind for kind, _flags, _body in (first, second, last)] == [NEWLINK, NEWLINK, DELLINK]
    assert [sock.read(ifinfmsg, place)["index"] for place in (1, 2, 3)] == [2, 3, 0]


def test_where_that_is_refused_each_is_in_its_group_again() -> None:
    sock = Answering([link(2, GROUP=5), link(3)], [], [], errno.EOPNOTSUPP, errno.ENODEV, [])
    with pytest.raises(NetlinkError):
        links.delete_together(sock, [2, 3])
    back = [(sock.read(ifinfmsg, place)["index"], attrs(sock, place)["IFLA_GROUP"]) for place in (-2, -1)]
    assert back == [(2, 5), (3, 0)]


# --- VLANs ---


def vlan_message(index: int, *infos: tuple[int, int]) -> bytes:
    """As the kernel has it: one attribute a VLAN, struct bridge_vlan_info, among others."""
    spec = attribute(1, struct.pack("=H", 0)) + b"".join(
        attribute(2, struct.pack("=HH", flags, vid)) for flags, vid in infos
    )
    return by_class(ifinfmsg, {"family": 7, "index": index}, []) + attribute(26 | 0x8000, spec)


def test_the_vlans_of_a_port_in_order() -> None:
    sock = Answering([vlan_message(3, (0, 9)), vlan_message(4, (4, 20), (6, 10))])
    assert links.read_vlans(sock, 4) == (Vlan(10, True, True), Vlan(20, False, True))
    assert sock.read(ifinfmsg).get_attr("IFLA_EXT_MASK") == 2
    assert links.read_vlans(Answering([vlan_message(4)]), 4) == ()
    assert links.read_vlans(Answering([]), 4) == ()


def test_pyroute2_writes_what_is_read_here() -> None:
    sock = Answering()
    links.change_vlans(sock, 4, [Vlan(10, True, True), Vlan(20, untagged=True)], add=True)
    assert sock.asked[0][0] == SETLINK
    assert links.read_vlans(Answering([bytes(16) + sock.asked[0][2]]), 4) == (
        Vlan(10, True, True),
        Vlan(20, False, True),
    )


def test_neighbouring_vlans_go_as_a_range() -> None:
    sock = Answering()
    links.change_vlans(sock, 4, [Vlan(11), Vlan(12), Vlan(10), Vlan(14)], add=False)
    assert sock.asked[0][0] == DELLINK
    spec = sock.read(ifinfmsg).raw("IFLA_AF_SPEC")
    infos = [struct.unpack("=HH", value) for value in transport.values(spec, 2)]
    assert infos == [(8, 10), (16, 12), (0, 14)]  # BRIDGE_VLAN_INFO_RANGE_BEGIN, _END


@pytest.mark.parametrize(
    ("vlans", "runs"),
    [
        ([], []),
        ([Vlan(3), Vlan(2), Vlan(1)], [(1, 3)]),
        ([Vlan(1, True), Vlan(2, True)], [(1, 1), (2, 2)]),
        ([Vlan(1), Vlan(2, untagged=True), Vlan(3, untagged=True)], [(1, 1), (2, 3)]),
        ([Vlan(1), Vlan(2, True), Vlan(3)], [(1, 1), (2, 2), (3, 3)]),
    ],
)
def test_runs_are_of_one_kind_and_a_pvid_stands_alone(vlans: list[Vlan], runs: list[tuple[int, int]]) -> None:
    assert [(first.vid, last.vid) for first, last in links.vlan_ranges(vlans)] == runs
