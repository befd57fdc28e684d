# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How changes become requests, and refusals sentences. That the kernel takes them is in the contract of kernels."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import addresses as with_addresses
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import files, namespaces
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import (
    addresses,
    fdb,
    links,
    qdiscs,
    routes,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink.transport import NetlinkError
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.reader import Namespace
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes import addresses as address_changes
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes import base
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes import files as file_changes
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes import lasting as lasting_changes
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes import links as link_changes
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes import namespaces as netns_changes
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes import routes as route_changes
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    Address,
    Flooded,
    Link,
    Nexthop,
    NsFile,
    NsRef,
    PolicyRule,
    Route,
    Vlan,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.shaping import NONE, Shape
from ansible_collections.linuxnet.containers.tests.unit.netlink_wire import Answering

WEB = NsRef("/run/netns/web")
INDEXES = {"web0": 7, "eth0": 2, "br0": 3, "gone": 0}
Calls = list[tuple[Any, ...]]


class Kernel(with_addresses.Kernel):
    """One with a namespace that is not there. ``calls`` are what netlink and the files were asked to do, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.calls: Calls = []
        self._open[100] = Namespace(os.open("/dev/null", os.O_RDONLY))
        self._paths[WEB.path] = 100
        self.refuse: dict[str, list[int]] = {}
        self.where: dict[object, str] = {}
        for ns, name in ((self.own, "host"), (100, "web")):
            sock = self._open[ns]._socket = Answering()
            self.where[sock] = name
        for module, names in VERBS.items():
            for verb in names.split():
                monkeypatch.setattr(module, verb, self.recorder(verb))

    def recorder(self, name: str) -> Callable[..., None]:
        def record(*arguments: Any, **options: Any) -> None:
            self.calls.append((name, *map(self.shown, arguments), *options.values()))
            codes = self.refuse.get(name, [])
            code = codes.pop(0) if codes else 0
            if code:
                raise NetlinkError(code)

        return record

    def shown(self, argument: Any) -> Any:
        """An argument of a call: a socket by the name of its namespace, and what may change afterwards as it was."""
        if isinstance(argument, dict):
            return dict(argument)
        if callable(argument):  # what is done inside
            argument()
            return "inside"
        return self.where[argument] if isinstance(argument, Answering) else argument


VERBS = {
    links: "add change delete delete_together change_vlans",
    addresses: "put delete",
    fdb: "change_entries",
    qdiscs: "put delete",
    routes: "put delete add_policy delete_policy add_guard delete_guard",
    files: "write_sysctl write_text write_tx_checksum",
    namespaces: "create bind link remove",
}


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    monkeypatch.setattr(namespaces, "entered", lambda _fd: contextlib.nullcontext())
    monkeypatch.setattr(links, "index_of", lambda _sock, name: INDEXES.get(name, 0))
    with Kernel(monkeypatch) as found:
        yield found


def refused(kernel: Kernel, step: base.Change) -> KernelError:
    with pytest.raises(KernelError) as caught:
        kernel.apply(step)
    return caught.value


# --- each change is one or two requests ---

ADDRESS = Address("10.0.0.2", 24, 4)
ROUTE = Route(4, "0.0.0.0/0", gateway="10.0.0.1", interface="eth0")
MANY = Route(4, "0.0.0.0/0", nexthops=(Nexthop("10.0.0.1", "eth0"), Nexthop("10.0.1.1")))
RULE = PolicyRule(4, "10.0.0.2/32", 100)
TBF = Shape("tbf", 0x4C4E0000, 10**7, burst=14022, limit=139022)
STEPS: dict[str, tuple[base.Change, Calls]] = {
    "a namespace": (netns_changes.AddNetns("web"), [("create", "web", "inside", False)]),
    "a namespace with sysctls": (
        netns_changes.AddNetns("web", (("net.a", "1"),)),
        [("write_sysctl", "net.a", "1"), ("create", "web", "inside", False)],
    ),
    "its end": (netns_changes.DropNetns("web"), [("remove", "web", True)]),
    "the end of what is none": (netns_changes.DropNetns("web", empty=True), [("remove", "web", False)]),
    "a link to an engine's": (
        netns_changes.BindNetns("new", WEB, 100, link="/run/docker/netns/a"),
        [("link", "new", "/run/docker/netns/a")],
    ),
    "a bridge": (
        link_changes.AddLink(HOST, "br1", "bridge", {"stp": True}),
        [("add", "host", "br1", "bridge", {"stp": True}, 0, None)],
    ),
    "a pair inside": (
        link_changes.AddLink(WEB, "a", "veth", {"master": "br0"}, WEB, "b", {"mtu": 1400}),
        [("add", "web", "a", "veth", {}, 3, ("b", {"mtu": 1400}, None))],
    ),
    "no master": (
        link_changes.SetLink(HOST, "web0", {"master": "", "mtu": 1400}),
        [("change", "host", 7, {"mtu": 1400}, 0, "")],
    ),
    "a master": (
        link_changes.SetLink(HOST, "web0", {"master": "br0"}, {}, "veth"),
        [("change", "host", 7, {}, 3, "veth")],
    ),
    "a name and offload": (
        link_changes.SetLink(WEB, "eth0", {"name": "eth1", "tx_checksum": False}),
        [("change", "web", 2, {"name": "eth1"}, None, ""), ("write_tx_checksum", "eth1", False)],
    ),
    "the end of a link": (link_changes.DelLink(WEB, "eth0"), [("delete", "web", 2)]),
    "the end of one that is gone": (link_changes.DelLink(WEB, "gone"), []),
    "VLANs": (
        link_changes.SetVlans(HOST, "web0", (Vlan(2),), (Vlan(1),)),
        [("change_vlans", "host", 7, (Vlan(1),), False, False), ("change_vlans", "host", 7, (Vlan(2),), True, False)],
    ),
    "VLANs of a bridge itself": (
        link_changes.SetVlans(HOST, "br0", (Vlan(2),), (), True),
        [("change_vlans", "host", 3, (Vlan(2),), True, True)],
    ),
    "a tunnel": (
        link_changes.AddLink(HOST, "vx0", "vxlan", {"vni": 1, "master": "br0"}, parent="web0", parent_ns=HOST),
        [("add", "host", "vx0", "vxlan", {"vni": 1}, 3, None, 7)],
    ),
    "a tunnel inside, of no parent": (
        link_changes.AddLink(WEB, "vx0", "vxlan", {"vni": 1}, parent_ns=WEB),
        [("add", "web", "vx0", "vxlan", {"vni": 1}, 0, None, 0)],
    ),
    "peers": (
        link_changes.SetFlooded(HOST, "web0", (Flooded("10.0.0.2"),), (Flooded("10.0.0.3"),)),
        [
            ("change_entries", "host", 7, (Flooded("10.0.0.2"),), True),
            ("change_entries", "host", 7, (Flooded("10.0.0.3"),), False),
        ],
    ),
    "a rate": (link_changes.SetShape(WEB, "eth0", TBF, NONE), [("put", "web", 2, TBF)]),
    "a rate's end": (link_changes.SetShape(HOST, "web0", NONE, TBF), [("delete", "host", 7, TBF.handle)]),
    "an address": (address_changes.PutAddress(WEB, "eth0", ADDRESS), [("put", "web", 2, ADDRESS, False)]),
    "an address with other attributes": (
        address_changes.PutAddress(WEB, "eth0", ADDRESS, ADDRESS),
        [("put", "web", 2, ADDRESS, True)],
    ),
    "an address's end": (address_changes.DelAddress(WEB, "eth0", ADDRESS), [("delete", "web", 2, ADDRESS)]),
    "a route": (route_changes.PutRoute(WEB, ROUTE), [("put", "web", ROUTE, 2, [], False)]),
    "a route in place of one": (route_changes.PutRoute(WEB, MANY, ROUTE), [("put", "web", MANY, 0, [2, 0], True)]),
    "a route's end": (route_changes.DelRoute(WEB, ROUTE), [("delete", "web", ROUTE, 2, [])]),
    "a rule": (route_changes.AddPolicy(WEB, RULE), [("add_policy", "web", RULE)]),
    "a rule's end": (route_changes.DelPolicy(WEB, RULE), [("delete_policy", "web", RULE)]),
    "a guard": (route_changes.AddLoopbackGuard(WEB, "br0"), [("add_guard", "web", "br0")]),
    "a guard's end": (route_changes.DelLoopbackGuard(WEB, "br0"), [("delete_guard", "web", "br0")]),
    "a sysctl": (file_changes.SetSysctl(WEB, "net.a", "1"), [("write_sysctl", "net.a", "1")]),
    "a file": (file_changes.PutFile("/etc/a", "text"), [("write_text", "/etc/a", "text")]),
}


@pytest.mark.parametrize("what", STEPS)
def test_a_change_is_asked_for(kernel: Kernel, what: str) -> None:
    step, calls = STEPS[what]
    kernel.apply(step)
    assert kernel.calls == calls


def test_every_change_of_the_model_is_one_that_some_kernel_takes() -> None:
    folder = base.__name__.rpartition(".")[0]
    changes = {one for one in base.Change.__subclasses__() if one.__module__.rpartition(".")[0] == folder}
    assert {type(step) for step, _calls in STEPS.values()} | {netns_changes.BindNetns, link_changes.MoveLink} == set(
        with_addresses.Kernel._changes
    )
    assert changes - set(with_addresses.Kernel._changes) == {
        address_changes.Announce,
        lasting_changes.PutKept,
        lasting_changes.ReloadUnits,
        lasting_changes.RunUnit,
    }


def test_a_firewall_is_not_for_every_kernel(kernel: Kernel) -> None:
    kernel.apply_together([])
    with pytest.raises(TypeError, match="no firewalls"):
        kernel.apply_together([netns_changes.AddNetns("web")])


# --- refusals ---


def test_a_refusal_is_a_sentence_with_the_kernel_s_own(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise NetlinkError(errno.EINVAL, "Device is up.")

    monkeypatch.setattr(links, "delete", refuse)
    error = refused(kernel, link_changes.DelLink(WEB, "eth0"))
    assert (error.code, error.detail) == (errno.EINVAL, "Device is up.")
    assert str(error) == "Could not delete eth0 in netns 'web': Invalid argument (Device is up)."


@pytest.mark.parametrize(
    "step",
    [
        link_changes.SetLink(WEB, "gone", {"mtu": 1400}),
        link_changes.AddLink(WEB, "a", "veth", {"master": "gone"}),
        address_changes.PutAddress(WEB, "gone", ADDRESS),
        route_changes.PutRoute(WEB, Route(4, "10.0.0.0/8", interface="gone")),
    ],
)
def test_an_interface_that_is_gone_is_said(kernel: Kernel, step: base.Change) -> None:
    error = refused(kernel, step)
    assert error.code == errno.ENODEV
    assert "the interface is gone" in str(error)
    assert kernel.calls == []


def test_so_is_a_namespace(kernel: Kernel) -> None:
    assert refused(kernel, link_changes.DelLink(NsRef("/run/netns/never"), "eth0")).code == errno.ENOENT


def test_a_file_that_cannot_be_written_is_one_as_well(kernel: Kernel) -> None:
    """What is read-only is the file system of what was to be written."""
    kernel.refuse["write_text"] = [errno.EROFS]
    assert str(refused(kernel, file_changes.PutFile("/etc/a", "b"))) == "Could not write /etc/a: Read-only file system."
    kernel.refuse["write_sysctl"] = [errno.EROFS]
    assert str(refused(kernel, file_changes.SetSysctl(HOST, "net.ipv4.ip_forward", "1"))) == (
        "Could not set sysctl net.ipv4.ip_forward to '1' in the host: Read-only file system (/proc/sys is mounted so here)."
    )


@pytest.mark.parametrize(
    ("known", "detail"),
    [
        ({"web0": 7}, "the name 'web0' is taken in the host"),
        ({"web0": 7, "eth0": 2}, "the name 'web0' is taken in the host, the name 'eth0' is taken in netns 'web'"),
        ({}, ""),
    ],
)
def test_of_a_pair_it_is_said_whose_name_is_taken(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch, known: dict[str, int], detail: str
) -> None:
    monkeypatch.setattr(links, "index_of", lambda _sock, name: known.get(name, 0))
    kernel.refuse["add"] = [errno.EEXIST]
    assert refused(kernel, link_changes.AddLink(HOST, "web0", "veth", {}, WEB, "eth0", {})).detail == detail


def test_not_being_able_to_find_out_hides_nothing(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> int:
        raise OSError(errno.EPERM, "no")

    monkeypatch.setattr(links, "index_of", refuse)
    kernel.refuse["add"] = [errno.EEXIST]
    error = refused(kernel, link_changes.AddLink(HOST, "web0", "veth", {}, WEB, "eth0", {}))
    assert (error.code, error.detail) == (errno.EEXIST, "")


# --- what is done twice, or not at all ---


def test_an_old_kernel_renames_only_what_is_down(kernel: Kernel) -> None:
    kernel.refuse["change"] = [errno.EBUSY]
    kernel.apply(link_changes.SetLink(WEB, "eth0", {"name": "eth1", "mtu": 1400}))
    assert [call[3] for call in kernel.calls] == [
        {"name": "eth1", "mtu": 1400},
        {"enabled": False},
        {"name": "eth1", "enabled": True},
        {"mtu": 1400},
    ]


def test_busy_without_a_new_name_is_busy(kernel: Kernel) -> None:
    kernel.refuse["change"] = [errno.EBUSY]
    assert refused(kernel, link_changes.SetLink(HOST, "web0", {"master": "br0"})).code == errno.EBUSY


def test_an_address_that_went_with_another_is_gone(kernel: Kernel) -> None:
    kernel.refuse["delete"] = [errno.EADDRNOTAVAIL, errno.EPERM]
    step = address_changes.DelAddress(WEB, "eth0", ADDRESS)
    kernel.apply(step)
    assert refused(kernel, step).code == errno.EPERM


def test_a_link_that_went_with_its_namespace_is_gone(kernel: Kernel) -> None:
    kernel.refuse["delete"] = [errno.ENODEV, errno.EPERM]
    kernel.apply(link_changes.DelLink(WEB, "eth0"))
    assert refused(kernel, link_changes.DelLink(WEB, "eth0")).code == errno.EPERM


def test_links_are_deleted_together_a_namespace_at_a_time(kernel: Kernel) -> None:
    steps = [link_changes.DelLink(*one) for one in ((HOST, "web0"), (WEB, "eth0"), (HOST, "br0"), (HOST, "gone"))]
    kernel.refuse["delete_together"] = [errno.EPERM]
    kernel.delete_together(steps)
    assert kernel.calls == [("delete_together", "host", [7, 3])]


def test_what_cannot_be_deleted_together_shows_when_it_is_deleted(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: str) -> tuple[int, int]:
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(namespaces, "open_namespace", refuse)
    steps = [link_changes.DelLink(NsRef("/run/netns/locked"), name) for name in ("a", "b")]
    kernel.delete_together(steps)
    assert refused(kernel, steps[0]).code == errno.EACCES


def test_the_folder_of_names_is_prepared_once(kernel: Kernel) -> None:
    kernel.apply(netns_changes.AddNetns("a"))
    kernel.apply(netns_changes.BindNetns("b", WEB, 100))
    assert kernel.calls == [("create", "a", "inside", False), ("bind", "b", kernel._open[100].fd, True)]


def test_a_name_that_is_bound_anew_loses_its_namespace(kernel: Kernel) -> None:
    old = NsFile("web", "namespace", 100)
    kernel.apply(netns_changes.BindNetns("web", HOST, kernel.own, old))
    assert [call[0] for call in kernel.calls] == ["remove", "bind"]
    assert kernel._unnamed == {100}
    assert WEB.path not in kernel._paths


# --- what is remembered of interfaces ---


def remembered(kernel: Kernel) -> dict[str, dict[str, int]]:
    return {name: kernel._open[ns].indexes for name, ns in (("host", kernel.own), ("web", 100))}


def known(kernel: Kernel) -> Kernel:
    kernel._remember(kernel._open[kernel.own], "web0", 70)
    kernel._remember(kernel._open[100], "eth0", 20)
    kernel._open[100].names[20] = "eth0"
    return kernel


def test_the_one_that_was_looked_at_is_changed(kernel: Kernel) -> None:
    """One of the same name that came meanwhile is another."""
    known(kernel).apply(link_changes.SetLink(WEB, "eth0", {"mtu": 1400}))
    assert kernel.calls[0][2] == 20
    assert remembered(kernel) == {"host": {"web0": 70}, "web": {"eth0": 20}}


@pytest.mark.parametrize(
    "step",
    [
        link_changes.DelLink(HOST, "web0"),
        link_changes.SetLink(WEB, "eth0", {"name": "eth1"}),
        link_changes.MoveLink(WEB, "eth0", HOST, "eth9"),
    ],
)
def test_none_is_once_one_of_them_goes_or_changes_its_name_or_place(kernel: Kernel, step: base.Change) -> None:
    known(kernel).apply(step)
    assert remembered(kernel) == {"host": {}, "web": {}}
    assert kernel._open[100].names == ({20: "eth0"} if isinstance(step, link_changes.DelLink) else {})
    assert known(kernel) is kernel
    kernel.apply(step)
    assert remembered(kernel) == {"host": {}, "web": {}}


def test_a_moved_link_gives_each_namespace_an_id_in_the_other(kernel: Kernel) -> None:
    host, web = kernel._open[kernel.own], kernel._open[100]
    host.asked, web.asked = {100, 5}, {kernel.own}
    kernel.apply(link_changes.MoveLink(WEB, "eth0", HOST, "eth9"))
    assert (host.asked, web.asked) == ({5}, set())
    assert kernel.calls == [("change", "web", 2, {"name": "eth9"}, host.fd)]


def test_a_link_that_is_born_elsewhere_gives_each_namespace_an_id_in_the_other(kernel: Kernel) -> None:
    host, web = kernel._open[kernel.own], kernel._open[100]
    host.asked, web.asked = {100, 5}, {kernel.own}
    kernel.apply(link_changes.AddLink(WEB, "vx0", "vxlan", {"master": "br0"}, parent="web0", parent_ns=HOST))
    assert (host.asked, web.asked) == ({5}, set())
    assert kernel.calls == [("add", "host", "vx0", "vxlan", {}, 3, None, 7, web.fd)]


def test_whose_a_port_is_is_told_where_a_tunnel_cannot_have_it(kernel: Kernel) -> None:
    kernel.refuse = {"add": [errno.EADDRINUSE], "change": [errno.EADDRINUSE]}
    for step in (link_changes.AddLink(HOST, "vx0", "vxlan"), link_changes.SetLink(HOST, "web0", {"enabled": True})):
        assert refused(kernel, step).detail == "its port is that of another program, or of a tunnel of another sort"


def test_who_has_the_number_of_a_tunnel_may_be_where_nobody_looks(kernel: Kernel) -> None:
    kernel.refuse = {"add": [errno.EEXIST, errno.EEXIST]}
    text = "its vni is in use with that port by a tunnel in another namespace"
    assert refused(kernel, link_changes.AddLink(HOST, "vx0", "vxlan")).detail == text
    assert refused(kernel, link_changes.AddLink(HOST, "web0", "vxlan")).detail == "the name 'web0' is taken in the host"


# --- duplicate address detection ---

SIX = Address("fd00::2", 64, 6)


def detecting(monkeypatch: pytest.MonkeyPatch, *states: dict[str, bool], carrier: bool = True) -> None:
    """Have the kernel say of the address what it says while it looks for others that have it."""
    told = iter(states)
    monkeypatch.setattr(addresses, "read_all", lambda _sock: [(2, Address("fd00::2", 64, 6, **next(told)))])  # type: ignore[arg-type]
    link = Link(2, "eth0", "veth", {"carrier": carrier})
    monkeypatch.setattr(links, "read", lambda _sock, index: (link if index == 2 else None, None))
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)


def test_it_waits_until_an_address_can_be_used(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    detecting(monkeypatch, {"tentative": True}, {"tentative": True}, {})
    kernel.apply(address_changes.PutAddress(WEB, "eth0", SIX))
    assert kernel.calls == [("put", "web", 2, SIX, False)]


def test_it_takes_back_one_that_another_node_has(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    detecting(monkeypatch, {"tentative": True}, {"tentative": True, "dadfailed": True})
    error = refused(kernel, address_changes.PutAddress(WEB, "eth0", SIX))
    assert (error.code, error.detail) == (
        errno.EADDRINUSE,
        "another node on the link has fd00::2: duplicate address detection failed",
    )
    assert [call[0] for call in kernel.calls] == ["put", "delete"]


def test_it_does_not_wait_for_a_link_without_a_carrier_nor_without_detection(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    detecting(monkeypatch, {"tentative": True}, carrier=False)
    kernel.apply(address_changes.PutAddress(WEB, "eth0", SIX))
    monkeypatch.setattr(addresses, "read_all", lambda _sock: pytest.fail("it looked"))
    kernel.apply(address_changes.PutAddress(WEB, "eth0", Address("fd00::2", 64, 6, nodad=True)))
    kernel.apply(address_changes.PutAddress(WEB, "eth0", ADDRESS))
