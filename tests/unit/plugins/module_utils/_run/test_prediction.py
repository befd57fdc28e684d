# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of a host moves on by changes, as the host itself does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import DelAddress, PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import PutFile, SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import (
    AddLink,
    DelLink,
    MoveLink,
    SetFlooded,
    SetLink,
    SetVlans,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import (
    BindNetns,
    DropNetns,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import (
    AddPolicy,
    DelPolicy,
    DelRoute,
    PutRoute,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    Address,
    Flooded,
    Link,
    NsFile,
    NsRef,
    PolicyRule,
    Route,
    Vlan,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._run.leases import leases
from ansible_collections.linuxnet.containers.plugins.module_utils._run.prediction import advance_all, begin
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.tests.unit.asked import existing
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel
from ansible_collections.linuxnet.containers.tests.unit.wired_host import ONE, STEPS, WEB, host


def told(state: State, ns_ref: NsRef) -> tuple[dict[str, Any], list[str], list[str]]:
    """What a state says of a namespace, without the numbers that are only foreseen."""
    ns = existing(state.find(ns_ref))
    links = {one.name: one for one in state.links(ns)}
    return (
        {
            name: (one.kind, state.master_name(ns, one), {key: one.get(key) for key in ("mtu", "enabled", "hairpin")})
            for name, one in links.items()
        },
        sorted(one.cidr for dummy, one in state.addresses(ns)),
        [str(one) for one in state.routes(ns, 4, 254) if one.gateway],
    )


def test_what_is_planned_is_what_is_there_afterwards() -> None:
    foreseen = State(MemoryKernel(), predict=True)
    advance_all(foreseen, STEPS)
    advance_all(foreseen, [SetLink(HOST, "br0", {"mtu": 1400}, {})])  # a bridge follows its ports in the kernel alone
    happened = State(host())
    for ref in (HOST, WEB):
        assert told(foreseen, ref) == told(happened, ref)
    near = existing(foreseen.link(existing(foreseen.find(HOST)), "v0"))
    assert near.index < 0
    assert existing(foreseen.link_at(existing(near.peer_ns), near.peer_index)).name == "eth0"


@pytest.mark.parametrize(
    ("step", "left"),
    [
        (DelLink(HOST, "v0"), (["br0", "lo"], ["lo"])),
        (DelLink(WEB, "eth0"), (["br0", "lo"], ["lo"])),
        (DelLink(HOST, "br0"), (["lo", "v0"], ["eth0", "lo"])),
        (SetLink(WEB, "eth0", {"name": "net1"}, {}), (["br0", "lo", "v0"], ["lo", "net1"])),
        (MoveLink(WEB, "eth0", HOST, "far"), (["br0", "far", "lo", "v0"], ["lo"])),
    ],
)
def test_links_that_go_and_move(step: Any, left: tuple[list[str], list[str]]) -> None:
    state = State(host())
    advance_all(state, [step])
    found = tuple(sorted(one.name for one in state.links(existing(state.find(ref)))) for ref in (HOST, WEB))
    assert found == left


@pytest.mark.parametrize(
    "step",
    [
        DelLink(HOST, "v0"),
        DelAddress(WEB, "eth0", ONE),
        SetLink(WEB, "eth0", {"ipv6": False}, {"ipv6": True}),
        DelRoute(WEB, Route(4, "0.0.0.0/0", gateway="10.0.0.1", interface="eth0")),
        PutRoute(WEB, Route(4, "10.7.0.0/16", interface="eth0", scope="link")),
    ],
    ids=str,
)
def test_a_table_that_was_asked_for_some_routes_moves_on_as_one_that_was_listed(step: Any) -> None:
    kernel, found = host(), []
    kernel.apply(PutRoute(WEB, Route(6, "fd07::/64", interface="eth0", metric=1024)))
    for ask in (State.routes, State.table):
        state = State(kernel)
        ns = existing(state.find(WEB))
        assert len([ask(state, ns, 4, 254), ask(state, ns, 6, 254), state.table(ns, 4, 254, 76)]) == 3
        before = list(state.table(ns, 4, 254)), list(state.table(ns, 6, 254))
        advance_all(state, [step])
        found.append((list(state.table(ns, 4, 254)), list(state.table(ns, 6, 254))))
        assert found[-1] != before
        assert (state.routes(ns, 4, 254), state.routes(ns, 6, 254)) == found[-1]
    assert found[0] == found[1]


def test_a_link_takes_its_addresses_and_routes_along() -> None:
    state = State(host())
    ns = existing(state.find(WEB))
    assert (len(state.addresses(ns)), len(state.routes(ns, 4, 254))) == (1, 2)
    advance_all(state, [DelLink(HOST, "v0")])
    assert (state.addresses(ns), state.routes(ns, 4, 254)) == ([], [])


def test_a_handle_of_the_host_that_goes_leaves_the_host_s_links() -> None:
    kernel = host()
    kernel.apply(BindNetns("all", HOST, existing(kernel.find(HOST))))
    state = State(kernel)
    before = sorted(one.name for one in state.links(existing(state.find(HOST))))
    advance_all(state, [DropNetns("all", existing(state.find(HOST)))])
    assert sorted(one.name for one in state.links(existing(state.find(HOST)))) == before == ["br0", "lo", "v0"]


def test_an_interface_that_an_earlier_task_would_remove_is_gone_with_all_that_hangs_on_it() -> None:
    kernel = host()
    kernel.apply(PutAddress(HOST, "br0", Address("10.0.0.1", 24, 4, label="br0")))
    ns, web = existing(kernel.find(HOST)), existing(kernel.find(WEB))
    state = begin(kernel, True, gone=["br0", "nowhere"])
    assert (state.link(ns, "br0"), state.addresses(ns), state.routes(ns, 4, 254)) == (None, [], [])
    assert state.master_name(ns, existing(state.link(ns, "v0"))) == ""
    state = begin(kernel, True, gone=["v0"])
    assert [link.name for link in state.links(web)] == ["lo"]
    assert ONE.parsed not in leases(state).taken(ns, "br0", state.link(ns, "br0"))
    assert leases(state).silent(ns, existing(state.link(ns, "br0")), ONE.ip)
    assert begin(kernel, False, gone=["v0"]).link(ns, "v0") is not None, "in check mode only"


def test_the_peer_of_a_removed_interface_is_gone_though_nobody_knew_where_it_is() -> None:
    """The kernel numbers namespaces; which one a number means is not known before somebody looked into that one."""
    kernel = host()
    web = existing(kernel.find(WEB))
    assert State(kernel).routes(web, 4, 254)
    assert State(kernel).addresses(web)
    at_first, hidden = kernel.link, {"v0"}

    def link(ns: int, name: str = "", index: int = 0) -> Link | None:
        found = at_first(ns, name=name, index=index)
        return replace(found, peer_ns=None) if found is not None and found.name in hidden else found

    kernel.link = link  # type: ignore[method-assign]
    state = begin(kernel, True, gone=["v0"])
    assert state.routes(web, 4, 254) == []
    state = begin(kernel, True, gone=["v0"])
    assert state.addresses(web) == []


def test_a_sysctl_is_one_by_any_spelling_of_its_key() -> None:
    """What one module writes with dots another reads with slashes, in the same task."""
    state = State(host())
    advance_all(state, [SetSysctl(WEB, "net.ipv6.conf.eth0.disable_ipv6", "1", "0")])
    assert state.sysctl(existing(state.find(WEB)), "net/ipv6/conf/eth0/disable_ipv6") == "1"


@pytest.mark.parametrize("held", ["process", "name", "engine", "file", ""])
@pytest.mark.parametrize("predict", [False, True])
def test_a_namespace_that_something_else_holds_lives_on_without_its_name(held: str, predict: bool) -> None:
    kernel = host()
    ns = existing(kernel.find(WEB))
    if held == "process":
        kernel.pids = {42: ns}
    state = State(kernel, predict)
    assert {link.name for link in state.links(ns)} == {"lo", "eth0"}
    if held == "name":
        state.entries()["other"] = NsFile("other", "namespace", ns)
    if held == "engine":
        state.entries()["web"] = NsFile("web", "namespace", ns, "/var/run/docker/netns/web")
    if held == "file":
        state.known.elsewhere.add(ns)
    advance_all(state, [DropNetns("web", ns)])
    left = {link.name for link in state.links(ns)}
    assert left == ({"lo", "eth0"} if held else set())
    advance_all(state, [BindNetns("new", NsRef("/proc/42/ns/net"), ns)] if held else [])
    assert (ns in state.known.ended) == (not held and predict)


def test_an_address_takes_its_route_along() -> None:
    state = State(host())
    ns = existing(state.find(WEB))
    assert [one.destination for one in state.routes(ns, 4, 254)] == ["0.0.0.0/0", "10.0.0.0/24"]
    advance_all(state, [DelAddress(WEB, "eth0", ONE)])
    assert state.routes(ns, 4, 254) == [], "with the last address of IPv4 all of the interface go"
    assert ONE.parsed not in leases(state).taken(ns, None, None)


def test_files_and_policy_rules_move_on() -> None:
    state, rule = State(host()), PolicyRule(4, "10.0.0.0/24", 100, 5, 76)
    advance_all(state, [PutFile("/etc/x", "a\n"), AddPolicy(WEB, rule)])
    assert (state.text("/etc/x"), state.policies(existing(state.find(WEB)), 4)) == ("a\n", [rule])
    advance_all(state, [PutFile("/etc/x", "", "a\n"), DelPolicy(WEB, rule)])
    assert (state.text("/etc/x"), state.policies(existing(state.find(WEB)), 4)) == ("", [])


def test_vlans_move_on() -> None:
    state = State(host())
    link = existing(state.link(existing(state.find(HOST)), "v0"))
    advance_all(state, [SetVlans(HOST, "v0", (Vlan(1, True, True), Vlan(10)))])
    advance_all(state, [SetVlans(HOST, "v0", (Vlan(20, True),), (Vlan(10),))])
    assert state.vlans(existing(state.find(HOST)), link) == (Vlan(1, False, True), Vlan(20, True))


def tunnel(ref: NsRef = WEB) -> AddLink:
    """A vxlan on the host's v0."""
    return AddLink(ref, "vx0", "vxlan", {"vni": 1, "local": "10.0.0.1", "port": 4789}, parent="v0", parent_ns=HOST)


def test_a_tunnel_moves_on_and_goes_with_its_parent() -> None:
    kernel = host()
    state = State(kernel)
    web, here = existing(state.find(WEB)), existing(state.find(HOST))
    two, three = Flooded("10.0.0.2"), Flooded("10.0.0.3")
    advance_all(state, [tunnel(), SetFlooded(WEB, "vx0", (three, two)), SetFlooded(WEB, "vx0", (), (three,))])
    made = existing(state.link(web, "vx0"))
    assert (made.parent_index, made.parent_ns) == (existing(state.link(here, "v0")).index, here)
    assert state.flooded(web, made) == (two,)
    advance_all(state, [DelLink(HOST, "v0")])
    assert (state.link(web, "vx0"), state.links(web, "vxlan")) == (None, [])
    kernel.apply(tunnel())
    state = State(kernel)
    assert existing(state.link(web, "vx0")).parent_ns == here
    advance_all(state, [DelLink(HOST, "v0")])
    assert state.link(web, "vx0") is None
    kernel.apply(DelLink(HOST, "v0"))
    state.outdate([DelLink(HOST, "v0")])
    assert state.link(web, "vx0") is None, "the namespace that it was in is read again"


def test_a_tunnel_goes_with_the_namespace_that_its_packets_go_by() -> None:
    kernel = host()
    kernel.apply(AddLink(HOST, "vx0", "vxlan", {"vni": 1}, parent_ns=WEB))
    state = State(kernel, predict=True)
    assert state.link(existing(state.find(HOST)), "vx0") is not None
    advance_all(state, [DropNetns("web", existing(kernel.find(WEB)))])
    assert state.link(existing(state.find(HOST)), "vx0") is None
    kernel.apply(DropNetns("web", existing(kernel.find(WEB))))
    assert kernel.link(existing(kernel.find(HOST)), name="vx0") is None


def test_a_namespace_that_an_earlier_task_would_make_anew_is_gone() -> None:
    kernel = host()
    state = begin(kernel, True, anew=["web"])
    assert state.find(WEB) is None
    assert state.link(existing(kernel.find(HOST)), "v0") is None, "its pair went with it"
    assert begin(kernel, False, anew=["web"]).find(WEB) == kernel.find(WEB)


def test_what_nobody_registered_is_an_error() -> None:
    with pytest.raises(TypeError, match="nothing is known of what Change does"):
        advance_all(State(host()), [Change()])


def test_a_change_of_what_is_not_there_is_refused() -> None:
    state = State(MemoryKernel())
    with pytest.raises(Refused, match="Netns 'web' does not exist"):
        advance_all(state, [DelLink(WEB, "eth0")])
    with pytest.raises(Refused, match="The host has no interface 'v0'"):
        advance_all(state, [DelLink(HOST, "v0")])
