# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of a host: read once and on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import (
    AddLink,
    DelLink,
    SetLink,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import PutRoute
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    Container,
    Link,
    Nexthop,
    NsFile,
    NsRef,
    Route,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._run.prediction import advance
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.tests.unit.asked import existing
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel
from ansible_collections.linuxnet.containers.tests.unit.wired_host import WEB, host


class Counting:
    """A source that notes each question on its way to the kernel."""

    def __init__(self, kernel: MemoryKernel) -> None:
        self._kernel = kernel
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def ask(*args: NsRef | int, **kwargs: str) -> Any:
            self.asked.append(name)
            return getattr(self._kernel, name)(*args, **kwargs)

        return ask


def test_a_fact_is_read_once() -> None:
    source = Counting(host())
    state = State(source)
    for dummy in range(3):
        ns = existing(state.find(WEB))
        assert existing(state.link(ns, "eth0")).get("mtu") == 1400
        assert state.link(ns, "eth9") is None
        assert [one.cidr for one in state.addresses_of(ns, existing(state.link(ns, "eth0")))] == ["10.0.0.2/24"]
        assert len(state.routes(ns, 4, 254)) == 2
    assert source.asked == ["find", "link", "link", "addresses", "routes"]


def test_a_listing_answers_for_every_name() -> None:
    source = Counting(host())
    state = State(source)
    ns = existing(state.find(WEB))
    assert sorted(one.name for one in state.links(ns)) == ["eth0", "lo"]
    assert state.link(ns, "eth9") is None
    assert existing(state.link_at(ns, existing(state.link(ns, "eth0")).index)).name == "eth0"
    assert source.asked == ["find", "links"]


def test_a_parent_that_is_missing_is_an_error_or_foreseen_once() -> None:
    with pytest.raises(Refused) as caught:
        State(MemoryKernel()).need(WEB)
    assert str(caught.value) == (
        "Netns 'web' does not exist (no /run/netns/web); linuxnet.containers.netns with name: web makes it."
    )
    state = State(MemoryKernel(), predict=True)
    ns = state.need(WEB)
    assert ns < 0
    assert state.need(WEB) == ns
    assert state.need_link(ns, WEB, "br0", "bridge", "bridge").kind == "bridge"
    assert state.need_link(ns, WEB, "br0", "bridge", "bridge").index < 0
    assert state.warnings == [
        "Check mode: netns 'web', bridge 'br0' in netns 'web' do not exist yet; taken as made by an earlier task."
    ]
    state.foresee("this")
    state.foresee("that")
    assert state.warnings == [
        "Check mode: netns 'web', bridge 'br0' in netns 'web', this and 1 more do not exist yet; "
        "taken as made by an earlier task."
    ]


@pytest.mark.parametrize(
    ("routes", "mtu"),
    [
        ([], 1500),
        ([Route(4, "0.0.0.0/0", interface="v0", scope="link")], 1400),
        ([Route(4, "0.0.0.0/0", metric=9, interface="v0"), Route(4, "0.0.0.0/0", metric=5, interface="v1")], 1300),
        ([Route(6, "::/0", metric=1024, interface="v1")], 1300),
        ([Route(4, "0.0.0.0/0", nexthops=(Nexthop("", "v1"), Nexthop("", "v0")))], 1300),
        ([Route(4, "0.0.0.0/0", type="blackhole")], 1500),
        ([Route(4, "10.9.0.0/16", interface="v1")], 1500),
    ],
)
def test_c8_the_uplink_s_mtu(routes: list[Route], mtu: int) -> None:
    kernel = host()
    kernel.apply(AddLink(HOST, "v1", "veth", {"mtu": 1300, "enabled": True}, WEB, "eth1", {}))
    for route in routes:
        kernel.apply(PutRoute(HOST, route))
    state = State(kernel)
    assert state.uplink_mtu(existing(state.find(HOST))) == mtu


def test_an_engine_is_asked_again_for_other_containers_and_once_for_the_same() -> None:
    kernel = host()
    kernel.started = [Container("docker", name, 0, "exited") for name in ("cache", "exporter")]
    source = Counting(kernel)
    state = State(source)
    for name in ("cache", "exporter", "cache"):
        found, _silent = state.containers("docker", (name,))
        assert [container.name for container in found[name]] == [name]
    assert source.asked == ["containers", "containers"]


def test_those_of_a_kind_are_read_once_and_need_not_be_read_after_all_were() -> None:
    source = Counting(host())
    state = State(source)
    ns = existing(state.find(WEB))
    assert [one.name for one in state.links(ns, "veth")] == [one.name for one in state.links(ns, "veth")] == ["eth0"]
    assert sorted(one.name for one in state.links(ns)) == ["eth0", "lo"]
    assert state.links(ns, "bridge") == []
    assert source.asked.count("links") == 2
    advance(AddLink(WEB, "more", "bridge", {}), state)
    assert [one.name for one in state.links(ns, "bridge")] == ["more"]


def test_an_alternative_name_means_the_interface_whatever_it_is_called_by_then() -> None:
    kernel = host()
    inside = existing(kernel.find(WEB))
    kernel._put(inside, replace(existing(kernel.link(inside, "eth0")), altnames=("inner", "other")))
    for asks_first in (True, False):  # by name, or all at once
        state = State(kernel)
        ns = existing(state.find(WEB))
        if not asks_first:
            state.links(ns)
        assert existing(state.link(ns, "inner")).name == "eth0"
        assert (state.own_name(WEB, "other"), state.own_name(WEB, "nothing")) == ("eth0", "nothing")
        advance(SetLink(WEB, "eth0", {"name": "eth7"}, {}), state)
        assert state.own_name(WEB, "inner") == "eth7"
        assert state.link(ns, "eth0") is None
        advance(DelLink(WEB, "eth7"), state)
        assert state.link(ns, "inner") is None
    state = State(kernel)
    advance(SetLink(WEB, "eth0", {"name": "eth7"}, {}), state)
    assert state.own_name(WEB, "inner") == "eth7"
    assert state.own_name(NsRef("/run/netns/none"), "inner") == "inner"


class UnknownUntilOpen:
    """A kernel that knows the other end's namespace of a veth only once that namespace was asked for, as the running one does."""

    def __init__(self, kernel: MemoryKernel) -> None:
        self._kernel, self._open = kernel, {kernel.find(HOST)}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kernel, name)

    def find(self, ref: NsRef) -> int | None:
        found = self._kernel.find(ref)
        self._open.add(found)
        return found

    def _seen(self, link: Link | None) -> Link | None:
        known = link is None or link.peer_ns in self._open
        return link if known or link is None else replace(link, peer_ns=None)

    def link(self, ns: int, name: str = "", index: int = 0) -> Link | None:
        return self._seen(self._kernel.link(ns, name=name, index=index))

    def links(self, ns: int, kind: str = "") -> list[Link | None]:
        return [self._seen(link) for link in self._kernel.links(ns, kind)]


def test_check_mode_learns_of_the_other_end_of_a_veth_that_it_read_before() -> None:
    state = State(UnknownUntilOpen(host()), predict=True)  # type: ignore[arg-type]
    ns = existing(state.find(HOST))
    assert [link.peer_ns for link in state.links(ns) if link.kind == "veth"] == [None]
    assert existing(state.link(ns, "v0")).peer_ns is None
    there = existing(state.find(WEB))
    assert existing(state.link(ns, "v0")).peer_ns == there


@pytest.mark.parametrize("predict", [True, False])
@pytest.mark.parametrize("read", ["all", "one"])
def test_with_all_namespaces_open_all_other_ends_are_known(predict: bool, read: str) -> None:
    source = UnknownUntilOpen(host())
    state = State(source, predict=predict)  # type: ignore[arg-type]
    ns = existing(state.find(HOST))
    (before,) = [link for link in state.links(ns) if link.kind == "veth"] if read == "all" else [state.link(ns, "v0")]
    assert existing(before).peer_ns is None
    state.entries()[" x"] = NsFile(" x", "namespace", 7)  # a name that no option can have
    state.open_all()
    there = existing(source.find(WEB))
    assert existing(state.link(ns, "v0")).peer_ns == there
    assert [link.peer_ns for link in state.links(ns) if link.kind == "veth"] == [there]
    with mock.patch.object(state, "find", side_effect=AssertionError):
        state.open_all()  # nothing is left to open
