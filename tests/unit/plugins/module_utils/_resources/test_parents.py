# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun ns_link, by the kinds that are made on others, or on none: what is refused, made, repaired and made anew, and who is in the way."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model import naming
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, DelLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import AddNetns, DropNetns
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_link import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._run.execution import execute
from ansible_collections.linuxnet.containers.tests.unit.asked import existing, failed, made, plan, refusal, want
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

WEB = NsRef("/run/netns/web")
MAC = "02:00:00:00:00:01"
# Of each kind one, with what has to be said.
NEW: dict[str, dict[str, Any]] = {
    "dummy": {},
    "ipvlan": {"parent": "u"},
    "macvlan": {"parent": "u"},
    "vlan": {"parent": "u", "vlan_id": 5},
    "vrf": {"table": 10},
}
WITH_MAC = sorted({*NEW} - {"ipvlan"})


def asked(kind: str, **more: Any) -> dict[str, Any]:
    return {"name": "x0", "kind": kind, **NEW[kind], **more}


def host(**attributes: Any) -> MemoryKernel:
    """A host with a link u, and a namespace web."""
    kernel = MemoryKernel()
    kernel.apply(AddNetns("web"))
    kernel.apply(
        AddLink(HOST, "u", "veth", {"enabled": True, "mac": "02:00:00:00:00:aa", **attributes}, WEB, "eth0", {})
    )
    return kernel


def there(kernel: MemoryKernel, name: str = "x0", ref: NsRef = HOST) -> Any:
    return existing(kernel.link(existing(kernel.find(ref)), name=name))


@pytest.mark.parametrize(
    ("kind", "params", "sentence"),
    [
        ("vlan", {"vlan_id": 4095}, "vlan_id: 4095 is out of bounds; it must be from 0 to 4094."),
        ("vlan", {"vlan_protocol": "802.1x"}, "vlan_protocol: '802.1x' is none of 802.1Q, 802.1ad."),
        ("vlan", {"mode": "bridge"}, "mode: it is an option of kind ipvlan, macvlan, not of vlan."),
        ("vlan", {"parent": ""}, "parent: a vlan is made on an interface that leads somewhere."),
        ("macvlan", {"parent": "lo"}, "parent: a macvlan is made on an interface that leads somewhere."),
        ("macvlan", {"mode": "l2"}, "mode: 'l2' is none of bridge, private, vepa, passthru."),
        ("macvlan", {"mode": "source"}, "mode: 'source' is none of bridge, private, vepa, passthru."),
        ("ipvlan", {"mode": "bridge"}, "mode: 'bridge' is none of l2, l3, l3s."),
        ("ipvlan", {"mac": MAC}, "mac: it is an option of kind dummy, macvlan, vlan, vrf, vxlan, not of ipvlan."),
        (
            "dummy",
            {"parent": "u"},
            "parent: it is an option of kind ipvlan, macvlan, vlan, vxlan, not of dummy.",
        ),
        ("dummy", {"parent_netns": "web"}, "parent_netns: it is an option of kind"),
        ("dummy", {"mtu": "auto"}, "mtu: 'auto' is that of the parent, which a dummy has not; write a number of bytes"),
        ("vrf", {"mtu": "auto"}, "mtu: 'auto' is that of the parent, which a vrf has not"),
        ("vrf", {"mtu": 1279}, "mtu: 1279 is out of bounds; a vrf has at least 1280."),
        ("vrf", {"master": "br0"}, "master: it is an option of kind dummy, ipvlan, macvlan, vlan, vxlan, not of vrf."),
        ("vrf", {"table": 0}, "table: '0' is neither main, default, local nor a number from 1 to 4294967295."),
        ("vrf", {"table": "blue"}, "table: 'blue' is neither"),
        ("dummy", {"table": 10}, "table: it is an option of kind vrf, not of dummy."),
        ("dummy", {"vlan_id": 1}, "vlan_id: it is an option of kind vlan, not of dummy."),
    ],
)
def test_what_is_refused(kind: str, params: dict[str, Any], sentence: str) -> None:
    assert refusal(RESOURCE, **asked(kind, **params)).startswith(sentence), refusal(RESOURCE, **asked(kind, **params))


@pytest.mark.parametrize(
    ("kind", "params", "command", "own"),
    [
        ("dummy", {}, f"ip link add x0 address {MAC} group 76 type dummy", {"mtu": 1500}),
        (
            "macvlan",
            {},
            f"ip link add x0 link u mtu 1500 address {MAC} group 76 type macvlan mode bridge",
            {"mode": "bridge", "mtu": 1500},
        ),
        (
            "vlan",
            {"vlan_protocol": "802.1AD"},
            f"ip link add x0 link u mtu 1500 address {MAC} group 76 type vlan protocol 802.1ad id 5",
            {"vlan_id": 5, "vlan_protocol": "802.1ad", "mtu": 1500},
        ),
        (
            "vrf",
            {"table": "main"},
            f"ip link add x0 address {MAC} group 76 type vrf table 254",
            {"table": 254, "mtu": 65575},
        ),
    ],
)
def test_one_message_makes_it(kind: str, params: dict[str, Any], command: str, own: dict[str, Any]) -> None:
    kernel = host()
    found = made(kernel, RESOURCE, **asked(kind, mac=MAC, alias="x", **params))
    assert found["commands"] == [command, "ip link set x0 up", "ip link set x0 alias x"]
    place = {"parent": "u", "parent_netns": None} if "parent" in NEW[kind] else {}
    master = {} if kind == "vrf" else {"master": ""}
    general = {"name": "x0", "kind": kind, "netns": None, "mac": MAC, "enabled": True, "alias": "x"}
    assert found["after"] == {**general, **place, **master, **own}
    assert [type(step) for step in kernel.applied[-2:]] == [AddLink, SetLink]
    again = plan(kernel, RESOURCE, **asked(kind, **params))
    assert (again.changes, again.before) == ((), found["after"])


def test_an_ipvlan_is_made_without_an_address() -> None:
    kernel = host()
    found = made(kernel, RESOURCE, **asked("ipvlan", netns="web"))
    assert found["commands"] == [
        "ip link add x0 netns web link u mtu 1500 group 76 type ipvlan mode l2",
        "ip -n web link set x0 up",
    ]
    assert "mac" not in found["after"]
    assert there(kernel, ref=WEB).get("mac") == "02:00:00:00:00:aa"


@pytest.mark.parametrize("kind", sorted({*NEW} - {"ipvlan", "vlan"}))
def test_the_derived_address_is_the_mark(kind: str) -> None:
    kernel = host()
    address = made(kernel, RESOURCE, **asked(kind))["after"]["mac"]
    assert naming.is_own(address, kernel.identity(), kind, "", "x0")


def test_a_vlan_has_its_parent_s_address_unless_it_is_given_one() -> None:
    kernel = host()
    found = made(kernel, RESOURCE, **asked("vlan"))
    assert (found["after"]["mac"], "address" in found["commands"][0]) == ("02:00:00:00:00:aa", False)
    kernel.apply(SetLink(HOST, "u", {"mac": MAC}, {}))
    assert there(kernel).get("mac") == MAC
    assert plan(kernel, RESOURCE, **asked("vlan")).changes == ()
    (step,) = plan(kernel, RESOURCE, **asked("vlan", mac="02:00:00:00:00:0f")).changes
    assert step.new == {"mac": "02:00:00:00:00:0f"}


@pytest.mark.parametrize("kind", sorted(NEW))
@pytest.mark.parametrize(
    ("params", "new"),
    [
        ({"mtu": 1400}, {"mtu": 1400}),
        ({"mac": MAC}, {"mac": MAC}),
        ({"enabled": False}, {"enabled": False}),
        ({"alias": "x"}, {"alias": "x"}),
        ({"mode": "private"}, {"macvlan_mode": "private"}),
        ({"mode": "l3"}, {"ipvlan_mode": "l3"}),
        ({"master": "br0"}, {"master": "br0"}),
        ({"master": "r0"}, {"master": "r0"}),
    ],
    ids=str,
)
def test_one_attribute_is_one_change(kind: str, params: dict[str, Any], new: dict[str, Any]) -> None:
    kernel = host()
    kernel.apply(AddLink(HOST, "br0", "bridge", {"mac": "02:00:00:00:00:0a"}))
    kernel.apply(AddLink(HOST, "r0", "vrf", {"table": 7}))
    made(kernel, RESOURCE, **asked(kind))
    (name,) = params
    modes = {"macvlan": "private", "ipvlan": "l3"}
    if name not in RESOURCE.kinds[kind].kind_options or params.get("mode", modes.get(kind)) != modes.get(kind):
        assert refusal(RESOURCE, **asked(kind, **params)).startswith(f"{name}: ")
        return
    if (kind, params.get("master")) == ("ipvlan", "br0"):
        text = failed(kernel, RESOURCE, **asked(kind, **params))
        assert text == "master: an ipvlan cannot be a port of a bridge, as 'br0' in the host is one."
        return
    result = made(kernel, RESOURCE, **asked(kind, **params))
    (step,) = kernel.applied[-1:]
    assert isinstance(step, SetLink)
    assert (step.new, result["changed"]) == (new, True)
    assert {name for name, value in result["after"].items() if result["before"][name] != value} == {*params}
    assert plan(kernel, RESOURCE, **asked(kind)).changes == (
        (SetLink(HOST, "x0", {"enabled": True}, {"enabled": False}, kind),) if "enabled" in params else ()
    )


@pytest.mark.parametrize(
    ("kind", "params", "differs"),
    [
        ("vlan", {"vlan_id": 6}, "vlan_id 5, not 6"),
        ("vlan", {"vlan_protocol": "802.1ad"}, "vlan_protocol 802.1Q, not 802.1ad"),
        ("vlan", {"parent": "w"}, "parent u, not w"),
        ("macvlan", {"parent": "w"}, "parent u, not w"),
        ("macvlan", {"mode": "passthru"}, "mode bridge, not passthru"),
        ("macvlan", {"parent": "eth0", "parent_netns": "web"}, "parent_netns none, not web"),
        ("ipvlan", {"parent": "w"}, "parent u, not w"),
        ("vrf", {"table": 11}, "table 10, not 11"),
    ],
    ids=str,
)
def test_what_is_not_changed_in_place_is_made_anew_only_if_that_is_asked_for(
    kind: str, params: dict[str, Any], differs: str
) -> None:
    kernel = host()
    kernel.apply(AddLink(HOST, "w", "veth", {"enabled": True}, WEB, "w", {}))
    kernel.apply(SetLink(WEB, "eth0", {"enabled": True}, {}))
    made(kernel, RESOURCE, **asked(kind, alias="y"))
    start = kernel.snapshot()
    assert failed(kernel, RESOURCE, **asked(kind, **params)) == (
        f"{kind} 'x0' in the host has {differs}, which is not changed in place; recreate: true makes it anew, without its addresses and routes."
    )
    assert kernel.snapshot() == start
    found = made(kernel, RESOURCE, **asked(kind, **params), recreate=True)
    assert found["commands"][0] == "ip link del x0"
    assert (found["before"]["made_anew_for"], found["after"]["alias"]) == ([differs.split()[0]], "y")
    again = plan(kernel, RESOURCE, **asked(kind, **params), recreate=True)
    assert (again.changes, again.before) == ((), found["after"])


def test_an_address_that_was_the_parent_s_does_not_stay() -> None:
    kernel = host()
    kernel.apply(AddLink(HOST, "w", "veth", {"enabled": True, "mac": "02:00:00:00:00:bb"}, WEB, "w", {}))
    made(kernel, RESOURCE, **asked("vlan"))
    found = made(kernel, RESOURCE, **asked("vlan", parent="w"), recreate=True)
    assert found["after"]["mac"] == "02:00:00:00:00:bb"
    found = made(kernel, RESOURCE, **asked("macvlan", parent="w"), recreate=True)
    assert naming.is_own(found["after"]["mac"], kernel.identity(), "macvlan", "", "x0")
    found = made(kernel, RESOURCE, **asked("macvlan", parent="w", mode="passthru"), recreate=True)
    assert (found["after"]["mac"], "address" in found["commands"][1]) == ("02:00:00:00:00:bb", False)
    found = made(kernel, RESOURCE, **asked("ipvlan", parent="w"), recreate=True)
    assert "address" not in found["commands"][1]
    found = made(kernel, RESOURCE, **asked("dummy"), recreate=True)
    assert naming.is_own(found["after"]["mac"], kernel.identity(), "dummy", "", "x0")


@pytest.mark.parametrize("kind", sorted(NEW))
@pytest.mark.parametrize("other", sorted(NEW))
def test_a_kind_makes_place_for_another(kind: str, other: str) -> None:
    kernel = host()
    made(kernel, RESOURCE, **asked(kind))
    if other == kind:
        return
    text = failed(kernel, RESOURCE, **asked(other))
    assert text.endswith("it is left alone; recreate: true makes it anew."), text
    assert failed(kernel, RESOURCE, **asked(other, state="absent")).endswith("it is left alone.")
    found = made(kernel, RESOURCE, **asked(other, recreate=True))
    assert (found["before"]["made_anew_for"], there(kernel).kind) == (["kind"], other)
    assert plan(kernel, RESOURCE, **asked(other, recreate=True)).changes == ()


def test_a_link_stays_where_the_kernel_has_not_the_kind_that_it_would_make_place_for() -> None:
    kernel = MemoryKernel(["vrf"])
    made(kernel, RESOURCE, **asked("dummy"))
    start = kernel.snapshot()
    text = failed(kernel, RESOURCE, **asked("vrf", recreate=True))
    assert (
        text
        == "Could not delete x0 in the host for a new vrf: Operation not supported (Unknown device type); this kernel lacks the feature."
    )
    assert kernel.snapshot() == start
    text = failed(kernel, RESOURCE, **asked("vrf", name="r"))
    assert (
        text
        == "Could not create vrf r in the host: Operation not supported (Unknown device type); this kernel lacks the feature."
    )


@pytest.mark.parametrize("kind", sorted(NEW))
def test_absent(kind: str) -> None:
    kernel = host()
    gone = {"name": "x0", "kind": kind, "state": "absent"}
    assert plan(kernel, RESOURCE, **gone).changes == ()
    assert plan(kernel, RESOURCE, **gone, netns="nowhere").changes == ()
    start = kernel.snapshot()
    made(kernel, RESOURCE, **asked(kind))
    assert plan(kernel, RESOURCE, **gone).changes == (DelLink(HOST, "x0"),)
    made(kernel, RESOURCE, **gone)
    assert kernel.snapshot() == start


@pytest.mark.parametrize("kind", sorted(NEW))
def test_what_a_new_one_has_to_be_given(kind: str) -> None:
    kernel = host()
    for name in NEW[kind]:
        text = failed(kernel, RESOURCE, **{**asked(kind), name: None})
        assert text.startswith(f"{name}: ")
        assert text.endswith(" that is made needs one; 'x0' is not in the host yet.")


# --- parents ---


@pytest.mark.parametrize("kind", ["ipvlan", "macvlan", "vlan"])
def test_the_mtu_is_the_parent_s_and_no_more(kind: str) -> None:
    kernel = host(mtu=1400)
    assert made(kernel, RESOURCE, **asked(kind))["after"]["mtu"] == 1400
    text = failed(kernel, RESOURCE, **asked(kind, mtu=1401))
    assert text == "mtu: 1401 bytes do not go through 'u', at most 1400 do; 'auto' is that."
    made(kernel, RESOURCE, **asked(kind, mtu=1300))
    (step,) = plan(kernel, RESOURCE, **asked(kind, mtu="auto")).changes
    assert step.new == {"mtu": 1400}
    kernel.apply(SetLink(HOST, "u", {"mtu": 1280}, {}))
    assert there(kernel).get("mtu") == 1280
    assert plan(kernel, RESOURCE, **asked(kind, mtu="auto")).changes == ()


@pytest.mark.parametrize("kind", ["ipvlan", "macvlan", "vlan"])
def test_a_parent_in_another_namespace(kind: str) -> None:
    kernel = host()
    kernel.apply(SetLink(WEB, "eth0", {"enabled": True}, {}))
    text = failed(kernel, RESOURCE, **asked(kind, parent="eth0"))
    assert text.startswith("parent: there is no interface 'eth0' in the host;")
    found = made(kernel, RESOURCE, **asked(kind, parent="eth0", parent_netns="web"))
    assert found["commands"][0].startswith("ip -n web link add x0 netns 1 link eth0 mtu 1500 ")
    assert (found["after"]["parent"], found["after"]["parent_netns"]) == ("eth0", "web")
    named = {"name": "x0", "kind": kind}
    assert plan(kernel, RESOURCE, **named).changes == ()
    kernel.apply(SetLink(WEB, "eth0", {"name": "up"}, {"name": "eth0"}))
    assert plan(kernel, RESOURCE, **named).before["parent"] == "up"
    kernel.apply(DelLink(WEB, "up"))
    assert kernel.link(existing(kernel.find(HOST)), name="x0") is None


def test_one_whose_parent_is_in_a_namespace_without_a_name_is_managed_for_the_rest() -> None:
    kernel = host()
    kernel.pids[7] = existing(kernel.find(WEB))
    kernel.apply(SetLink(WEB, "eth0", {"enabled": True, "mtu": 1400}, {}))
    made(kernel, RESOURCE, **asked("macvlan", parent="eth0", parent_netns="web"))
    kernel.apply(DropNetns("web", existing(kernel.find(WEB))))
    found = plan(kernel, RESOURCE, name="x0", kind="macvlan", mtu="auto", alias="y")
    assert (found.before["parent_netns"], found.after["mtu"], len(found.changes)) == ("unknown", 1400, 1)
    assert "has parent_netns unknown, not none" in failed(kernel, RESOURCE, **asked("macvlan"))


@pytest.mark.parametrize("kind", ["ipvlan", "macvlan"])
def test_one_on_another_of_its_kind_is_on_the_parent_of_that(kind: str) -> None:
    kernel = host()
    made(kernel, RESOURCE, **asked(kind, netns="web"))
    on_it = {"name": "x1", "kind": kind, "netns": "web", "parent": "x0", "parent_netns": "web"}
    found = made(kernel, RESOURCE, **on_it)
    assert (found["after"]["parent"], found["after"]["parent_netns"]) == ("u", None)
    assert plan(kernel, RESOURCE, **on_it).changes == ()
    assert plan(kernel, RESOURCE, **{**on_it, "parent": "u", "parent_netns": None}).changes == ()
    kernel.pids[7] = existing(kernel.find(WEB))
    kernel.apply(SetLink(WEB, "eth0", {"enabled": True}, {}))
    made(kernel, RESOURCE, name="x2", kind=kind, parent="eth0", parent_netns="web")
    kernel.apply(DropNetns("web", existing(kernel.find(WEB))))
    text = failed(kernel, RESOURCE, name="x3", kind=kind, parent="x2")
    article = "an" if kind == "ipvlan" else "a"
    assert text.startswith(
        f"parent: 'x2' in the host is {article} {kind} itself, so that this one would be made on its"
    )


def test_a_vlan_s_number_is_taken_on_its_parent() -> None:
    kernel = host()
    made(kernel, RESOURCE, **asked("vlan", netns="web"))
    text = "vlan_id: 5 is in use on 'u' in the host by 'x0' in netns 'web'; take another number, or remove that one."
    assert failed(kernel, RESOURCE, **asked("vlan", name="x1")) == text
    made(kernel, RESOURCE, **asked("vlan", name="x2", vlan_protocol="802.1ad"))
    made(kernel, RESOURCE, **asked("vlan", name="x3", vlan_id=6))
    text = failed(kernel, RESOURCE, **asked("vlan", name="x3", vlan_id=5, recreate=True))
    assert text.startswith("vlan_id: 5 is in use")
    assert plan(kernel, RESOURCE, **asked("vlan", netns="web", recreate=True)).changes == ()


def test_a_vlan_is_not_up_on_what_is_down() -> None:
    kernel = host(enabled=False)
    text = "enabled: 'u' in the host is down, and a vlan cannot be up on it; set that up first."
    assert failed(kernel, RESOURCE, **asked("vlan")) == text
    made(kernel, RESOURCE, **asked("vlan", enabled=False))
    assert failed(kernel, RESOURCE, **asked("vlan")) == text
    kernel.apply(SetLink(HOST, "u", {"enabled": True}, {}))
    assert plan(kernel, RESOURCE, **asked("vlan")).changes == (), "the kernel did that"
    for kind in ("macvlan", "dummy"):
        made(host(enabled=False), RESOURCE, **asked(kind))


def test_a_macvlan_in_passthru_is_alone() -> None:
    kernel = host()
    made(kernel, RESOURCE, **asked("macvlan", netns="web"))
    text = failed(kernel, RESOURCE, **asked("macvlan", name="x1", mode="passthru"))
    assert text == (
        "mode: 'x0' in netns 'web' is on 'u' in the host already, where this one would be alone, in mode passthru."
    )
    made(kernel, RESOURCE, name="x0", kind="macvlan", netns="web", state="absent")
    made(kernel, RESOURCE, **asked("macvlan", name="x1", mode="passthru"))
    text = failed(kernel, RESOURCE, **asked("macvlan"))
    assert text == "mode: 'x1' in the host is on 'u' in the host already, where that would be alone, in mode passthru."
    text = failed(kernel, RESOURCE, name="x1", kind="macvlan", mac=MAC)
    assert text == "mac: 'x1' in the host has that of its parent, as each macvlan of its mode; it is changed there."
    assert plan(kernel, RESOURCE, **asked("macvlan", name="x1", mode="passthru", recreate=True)).changes == ()
    text = failed(kernel, RESOURCE, **asked("macvlan", name="x1", mode="bridge"))
    assert "has mode passthru, not bridge, which is not changed in place" in text


def test_a_macvlan_s_address_is_its_own() -> None:
    kernel = host()
    text = "mac: 02:00:00:00:00:aa is that of 'u' in the host; a macvlan has one of its own."
    assert failed(kernel, RESOURCE, **asked("macvlan", mac="02:00:00:00:00:AA")) == text
    made(kernel, RESOURCE, **asked("macvlan", mac=MAC, netns="web"))
    text = f"mac: {MAC} is that of 'x0' in netns 'web', which is on 'u' in the host as well."
    assert failed(kernel, RESOURCE, **asked("macvlan", mac=MAC)) == text
    made(kernel, RESOURCE, **asked("macvlan"))
    assert failed(kernel, RESOURCE, **asked("macvlan", mac=MAC)) == text
    made(kernel, RESOURCE, **asked("macvlan", mac="02:00:00:00:00:02"))


def test_ipvlans_of_a_parent_have_one_mode() -> None:
    kernel = host()
    made(kernel, RESOURCE, **asked("ipvlan", netns="web", mode="l3"))
    text = "mode: 'u' in the host has 'x0' in netns 'web' on it as well, in mode l3, and the kernel has one mode for all of a parent."
    assert failed(kernel, RESOURCE, **asked("ipvlan", mode="l2")) == text
    assert made(kernel, RESOURCE, **asked("ipvlan"))["after"]["mode"] == "l3"
    assert failed(kernel, RESOURCE, **asked("ipvlan", mode="l3s")) == text
    made(kernel, RESOURCE, name="x0", kind="ipvlan", netns="web", state="absent")
    assert made(kernel, RESOURCE, **asked("ipvlan", mode="L3S"))["after"]["mode"] == "l3s"


@pytest.mark.parametrize(("kind", "other"), [("macvlan", "ipvlan"), ("ipvlan", "macvlan")])
def test_who_gets_the_frames_of_a_parent(kind: str, other: str) -> None:
    kernel = host()
    made(kernel, RESOURCE, **asked(other, netns="web"))
    article = "an" if other == "ipvlan" else "a"
    assert failed(kernel, RESOURCE, **asked(kind)) == (
        f"parent: 'x0' in netns 'web', {article} {other}, is on 'u' in the host, which has the one kind or the other; take that kind, or remove it."
    )
    made(kernel, RESOURCE, name="x0", kind=other, netns="web", state="absent")
    kernel.apply(AddLink(HOST, "br0", "bridge", {"mac": "02:00:00:00:00:0a", "enabled": True}))
    kernel.apply(SetLink(HOST, "u", {"master": "br0"}, {}))
    text = "parent: 'u' in the host is a port of 'br0', which gets all its frames; make the link on that."
    assert failed(kernel, RESOURCE, **asked(kind)) == text
    made(kernel, RESOURCE, **asked(kind, parent="br0"))
    made(kernel, RESOURCE, **asked("vlan", name="v"))
    if kind == "macvlan":
        text = failed(kernel, RESOURCE, **asked(kind, parent="br0", master="br0"))
        assert text.startswith("master: the packets of 'x0' in the host leave by 'br0'")


def test_nothing_is_made_on_a_vrf_and_what_is_in_one_serves() -> None:
    kernel = host()
    made(kernel, RESOURCE, **asked("vrf", name="blue"))
    for kind in ("ipvlan", "macvlan", "vlan"):
        text = failed(kernel, RESOURCE, **asked(kind, parent="blue"))
        assert text == "parent: 'blue' in the host is a vrf, on which no link is made."
    made(kernel, RESOURCE, **asked("dummy", name="d", master="blue"))
    kernel.apply(SetLink(HOST, "u", {"master": "blue"}, {}))
    found = made(kernel, RESOURCE, **asked("macvlan", master="blue"))
    assert found["after"]["master"] == "blue"
    made(kernel, RESOURCE, name="blue", kind="vrf", state="absent")
    assert plan(kernel, RESOURCE, name="d", kind="dummy").before["master"] == ""


def test_a_link_on_which_others_are_made_stays() -> None:
    kernel = host()
    made(kernel, RESOURCE, **asked("vlan"))
    made(kernel, RESOURCE, name="m", kind="macvlan", parent="x0", netns="web")
    text = "'x0' in the host is the parent of 'm' in netns 'web', which the kernel would delete as well; remove that first."
    gone = {"name": "x0", "kind": "vlan", "state": "absent"}
    start = kernel.snapshot()
    assert failed(kernel, RESOURCE, **gone) == text
    assert failed(kernel, RESOURCE, **asked("vlan", vlan_id=6, recreate=True)) == text
    assert kernel.snapshot() == start
    both = [want(RESOURCE, name="m", kind="macvlan", netns="web", state="absent"), want(RESOURCE, **gone)]
    done, dummy = execute(RESOURCE, both, kernel, False)
    assert [one["changed"] for one in done] == [True, True]


def test_later_items_see_what_earlier_ones_do() -> None:
    """Of a parent, its VLAN and a macvlan on that."""
    kernel = host()
    chain = [
        asked("vlan", name="v", mtu=1400, enabled=True),
        {"name": "m", "kind": "macvlan", "parent": "v", "netns": "web"},
        {"name": "n", "kind": "vlan", "parent": "m", "parent_netns": "web", "vlan_id": 7},
    ]
    for check in (True, False):
        done, warnings = execute(RESOURCE, [want(RESOURCE, **one) for one in chain], kernel.copy(), check)
        assert [(one["changed"], one["after"]["mtu"]) for one in done] == [(True, 1400)] * 3
        assert warnings == []
    made(kernel, RESOURCE, **chain[0])
    made(kernel, RESOURCE, **chain[1])
    made(kernel, RESOURCE, **chain[2])
    less = [{**chain[0], "mtu": 1300, "enabled": False}, chain[1], {**chain[2], "enabled": False}]
    done, dummy = execute(RESOURCE, [want(RESOURCE, **one) for one in less], kernel, True)
    assert [one["after"]["mtu"] for one in done] == [1300] * 3


def test_check_mode_foresees_a_parent() -> None:
    (result,), warnings = execute(
        RESOURCE, [want(RESOURCE, **asked("macvlan", parent="up", netns="db"))], MemoryKernel(), True
    )
    assert (result["changed"], result["after"]["mtu"]) == (True, 1500)
    assert warnings == [
        "Check mode: netns 'db', interface 'up' in the host do not exist yet; taken as made by an earlier task."
    ]
