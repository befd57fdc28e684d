# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each change: the commands a person would type for it, and what takes it back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import (
    Announce,
    DelAddress,
    PutAddress,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import PutFile, SetSysctl
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
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import (
    AddPolicy,
    DelPolicy,
    DelRoute,
    PutRoute,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    Address,
    Nexthop,
    NsFile,
    NsRef,
    PolicyRule,
    Route,
    Vlan,
)

WEB = NsRef("/run/netns/web")
PID = NsRef("/proc/42/ns/net")
ONE = Address("10.0.0.2", 24, 4, label="eth0")
SIX = Address("fd00::2", 64, 6, nodad=True, noprefixroute=True, valid_lft=60, preferred_lft=30)
ROUTE = Route(4, "0.0.0.0/0", gateway="10.0.0.1", interface="eth0", protocol=76)
POLICY = PolicyRule(4, "10.9.0.0/24", 100, 20100, 76)
PAIR = AddLink(HOST, "web0", "veth", {"mtu": 1400, "master": "br0", "enabled": True}, WEB, "eth0", {"mtu": 1400})

COMMANDS = [
    (AddNetns("web"), ["ip netns add web"]),
    (AddNetns("a b"), ["ip netns add 'a b'"]),
    (BindNetns("web", PID, 9), ["ip netns attach web 42"]),
    (
        BindNetns("web", NsRef("/run/netns/db"), 9, NsFile("web", "namespace", 5)),
        ["ip netns del web", "touch /run/netns/web", "mount --bind /run/netns/db /run/netns/web"],
    ),
    (BindNetns("web", HOST, 9), ["touch /run/netns/web", "mount --bind /proc/self/ns/net /run/netns/web"]),
    (DropNetns("web", 9), ["ip netns del web"]),
    (
        AddLink(HOST, "br0", "bridge", {"mac": "02:00:00:00:00:01", "stp": True, "enabled": True}),
        ["ip link add br0 address 02:00:00:00:00:01 type bridge stp_state 1", "ip link set br0 up"],
    ),
    (
        PAIR,
        ["ip link add web0 mtu 1400 master br0 type veth peer name eth0 mtu 1400 netns web", "ip link set web0 up"],
    ),
    (
        SetLink(WEB, "eth0", {"mtu": 1400, "enabled": False, "alias": "a b", "tx_checksum": False}),
        [
            "ip -n web link set eth0 mtu 1400 down",
            "ip -n web link set eth0 alias 'a b'",
            "ip netns exec web ethtool -K eth0 tx off",
        ],
    ),
    (SetLink(WEB, "net1", {"name": "eth0", "mtu": 1400}), ["ip -n web link set net1 name eth0 mtu 1400"]),
    (SetLink(HOST, "web0", {"master": ""}), ["ip link set web0 nomaster"]),
    (SetLink(HOST, "br0", {"ageing_time": 0}, kind="bridge"), ["ip link set br0 type bridge ageing_time 0"]),
    (SetLink(HOST, "web0", {"hairpin": True, "cost": 7}), ["bridge link set dev web0 hairpin on cost 7"]),
    (MoveLink(HOST, "web0", WEB, "eth0"), ["ip link set web0 netns web name eth0"]),
    (MoveLink(WEB, "eth0", HOST, "web0"), ["ip -n web link set eth0 netns 1 name web0"]),
    (DelLink(PID, "eth0"), ["nsenter --net=/proc/42/ns/net ip link del eth0"]),
    (
        SetVlans(HOST, "web0", (Vlan(10, True, True),), (Vlan(1),)),
        ["bridge vlan del dev web0 vid 1", "bridge vlan add dev web0 vid 10 pvid untagged"],
    ),
    (PutAddress(WEB, "eth0", ONE), ["ip -n web address add 10.0.0.2/24 dev eth0"]),
    (
        PutAddress(WEB, "eth0", replace(ONE, broadcast="10.0.0.255", label="eth0:1", scope="link"), ONE),
        ["ip -n web address replace 10.0.0.2/24 broadcast 10.0.0.255 dev eth0 label eth0:1 scope link"],
    ),
    (PutAddress(HOST, "eth0", replace(ONE, peer="10.9.9.9", prefix=32)), ["ip address add 10.0.0.2 peer 10.9.9.9/32 dev eth0"]),
    (
        PutAddress(WEB, "eth0", SIX),
        ["ip -n web address add fd00::2/64 dev eth0 valid_lft 60 preferred_lft 30 nodad noprefixroute"],
    ),
    (DelAddress(WEB, "eth0", ONE), ["ip -n web address del 10.0.0.2/24 dev eth0"]),
    (Announce(WEB, "eth0", "10.0.0.2", 4), ["ip netns exec web arping -U -c 1 -I eth0 10.0.0.2"]),
    (
        Announce(WEB, "eth0", "fd00::2", 6),
        ["# unsolicited neighbour advertisement of fd00::2 from eth0"],
    ),
    (PutRoute(WEB, ROUTE), ["ip -n web route add default via 10.0.0.1 dev eth0 proto 76"]),
    (
        PutRoute(HOST, Route(6, "fd09::/64", 100, 50, nexthops=(Nexthop("fd00::1", "", 2), Nexthop("", "eth1")), protocol=76), ROUTE),
        ["ip -6 route replace fd09::/64 table 100 metric 50 nexthop via fd00::1 weight 2 nexthop dev eth1 weight 1 proto 76"],
    ),
    (DelRoute(WEB, Route(4, "10.9.0.0/16", type="blackhole")), ["ip -n web route del blackhole 10.9.0.0/16"]),
    (
        AddPolicy(WEB, POLICY),
        ["ip -n web rule add from 10.9.0.0/24 lookup 100 priority 20100 proto 76"],
    ),
    (
        DelPolicy(PID, PolicyRule(6, "::/0", 70000, 5, 76)),
        ["nsenter --net=/proc/42/ns/net ip -6 rule del from ::/0 lookup 70000 priority 5 proto 76"],
    ),
    (SetSysctl(WEB, "net.ipv4.ip_forward", "1", "0"), ["ip netns exec web sysctl -w net.ipv4.ip_forward=1"]),
    (PutFile("/etc/sysctl.d/x.conf", "a = 1\n"), ["printf %s $'a = 1\\n' > /etc/sysctl.d/x.conf"]),
    (PutFile("/etc/sysctl.d/x.conf", "", "a = 1\n"), ["rm /etc/sysctl.d/x.conf"]),
]  # fmt: skip


@pytest.mark.parametrize(("step", "lines"), COMMANDS, ids=lambda value: type(value).__name__)
def test_the_commands_of_a_change(step: Any, lines: list[str]) -> None:
    assert [str(line) for line in step.commands()] == lines


def test_every_change_has_its_commands_here() -> None:
    everywhere = Change.__subclasses__()
    assert {type(step) for step, dummy in COMMANDS} == {one for one in everywhere if "._model." in one.__module__}


OLD = NsFile("web", "namespace", 5)
TWICE = [
    SetLink(HOST, "web0", {"mtu": 1400}, {"mtu": 1500}),
    SetLink(WEB, "net1", {"name": "eth0"}, {"name": "net1"}),
    SetLink(HOST, "web0", {"master": "br0"}, {"master": ""}),
    MoveLink(HOST, "web0", WEB, "eth0"),
    SetVlans(HOST, "web0", (Vlan(10),), (Vlan(1),)),
    PutAddress(WEB, "eth0", ONE),
    PutAddress(WEB, "eth0", replace(ONE, label="eth0:1"), ONE),
    DelAddress(WEB, "eth0", ONE),
    PutRoute(WEB, ROUTE),
    PutRoute(WEB, replace(ROUTE, mtu=1400), ROUTE),
    DelRoute(WEB, ROUTE),
    AddPolicy(WEB, POLICY),
    DelPolicy(WEB, POLICY),
    SetSysctl(WEB, "net.ipv4.ip_forward", "1", "0"),
    PutFile("/etc/x", "new", "old"),
    PutFile("/etc/x", "", "old"),
]


@pytest.mark.parametrize("step", TWICE, ids=lambda value: type(value).__name__)
def test_taking_back_what_takes_back_is_the_change_itself(step: Any) -> None:
    (back,) = step.undo()
    assert back != step
    assert back.undo() == (step,)
    if isinstance(step, SetLink):  # their mappings are compared, too
        assert (back.undo()[0].new, back.undo()[0].old) == (step.new, step.old)


@pytest.mark.parametrize(
    ("step", "back"),
    [
        (AddNetns("web"), (DropNetns("web"),)),
        (BindNetns("web", PID, 9), (DropNetns("web"),)),
        (BindNetns("web", PID, 9, OLD), (BindNetns("web", WEB, 5, NsFile("web", "namespace", 9)),)),
        (DropNetns("web", 5), (BindNetns("web", WEB, 5),)),
        (DropNetns("web"), ()),  # a stale file
        (PAIR, (DelLink(HOST, "web0"),)),
        (DelLink(HOST, "web0"), ()),
        (Announce(WEB, "eth0", "10.0.0.2", 4), ()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_takes_back_the_others(step: Any, back: tuple[Any, ...]) -> None:
    assert step.undo() == back


def test_a_port_s_attributes_come_back_after_its_bridge() -> None:
    step = SetLink(HOST, "web0", {"master": "br1"}, {"master": "br0", "hairpin": True})
    undone: tuple[Any, ...] = step.undo()
    first, second = undone
    assert (first.new, second.new) == ({"master": "br0"}, {"hairpin": True})


def test_what_leaves_no_trace_and_what_cannot_be_taken_back() -> None:
    assert [step for step, dummy in COMMANDS if not step.writes] == [
        Announce(WEB, "eth0", "10.0.0.2", 4),
        Announce(WEB, "eth0", "fd00::2", 6),
    ]
    assert {type(step) for step, dummy in COMMANDS if step.final} == {DelLink}
    assert {type(step) for step, dummy in COMMANDS if step.partial} == {SetLink, SetVlans}
