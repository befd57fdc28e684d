# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of links: the commands a person would type for each, and what takes it back."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes import links
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import (
    AddLink,
    DelLink,
    MoveLink,
    SetFlooded,
    SetLink,
    SetShape,
    SetVlans,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    Flooded,
    NsRef,
    Vlan,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.shaping import NONE, wanted
from ansible_collections.linuxnet.containers.tests.unit.told import commands_told

ZERO = "00:00:00:00:00:00"
WEB = NsRef("/run/netns/web")
PID = NsRef("/proc/42/ns/net")
PAIR = AddLink(HOST, "web0", "veth", {"mtu": 1400, "master": "br0", "enabled": True}, WEB, "eth0", {"mtu": 1400})
TBF = wanted({"rate": "10mbit"}, NONE, 1500)
NETEM = wanted({"delay": "10ms", "jitter": "1ms", "loss": "0.5%"}, TBF, 1500)

COMMANDS = [
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
    (
        SetLink(WEB, "eth0", {"accept_ra": False, "enabled": True}),
        ["ip netns exec web sysctl -w net/ipv6/conf/eth0/accept_ra=0", "ip -n web link set eth0 up"],
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
    (
        AddLink(HOST, "vx0", "vxlan", {"vni": 7, "local": "fd00::1", "master": "br0"}, parent="u0", parent_ns=HOST),
        ["ip link add vx0 master br0 type vxlan id 7 local fd00::1 dev u0"],
    ),
    (
        AddLink(WEB, "vx0", "vxlan", {"mtu": 1400, "vni": 7, "master": "br0", "enabled": True}, parent="u0", parent_ns=HOST),
        ["ip link add vx0 netns web mtu 1400 type vxlan id 7 dev u0", "ip -n web link set vx0 master br0", "ip -n web link set vx0 up"],
    ),
    (AddLink(HOST, "vx0", "vxlan", {"vni": 7}, parent_ns=WEB), ["ip -n web link add vx0 netns 1 type vxlan id 7"]),
    (SetLink(HOST, "vx0", {"tunnel_learning": False}, kind="vxlan"), ["ip link set vx0 type vxlan nolearning"]),
    (
        SetFlooded(WEB, "vx0", (Flooded("10.0.0.2"),), (Flooded("10.0.0.3", 99, 7, 3),)),
        [
            f"bridge -n web fdb append {ZERO} dev vx0 dst 10.0.0.2",
            f"bridge -n web fdb del {ZERO} dev vx0 dst 10.0.0.3 port 99 vni 7 via if3",
        ],
    ),
    (SetShape(HOST, "web0", TBF, NONE), ["tc qdisc replace dev web0 root handle 4c4e: tbf rate 10mbit burst 14022b limit 139022b"]),
    (
        SetShape(WEB, "eth0", NETEM, TBF),
        ["tc -n web qdisc replace dev eth0 root handle 4c4f: netem limit 91 delay 10ms 1ms loss 0.5% rate 10mbit"],
    ),
    (SetShape(PID, "eth0", NONE, NETEM), ["nsenter --net=/proc/42/ns/net tc qdisc del dev eth0 root"]),
]  # fmt: skip


test_the_commands_of_a_change, test_every_change_has_its_commands_here = commands_told(links, COMMANDS)


TWICE = [
    SetLink(HOST, "web0", {"mtu": 1400}, {"mtu": 1500}),
    SetLink(WEB, "net1", {"name": "eth0"}, {"name": "net1"}),
    SetLink(HOST, "web0", {"master": "br0"}, {"master": ""}),
    MoveLink(HOST, "web0", WEB, "eth0"),
    SetVlans(HOST, "web0", (Vlan(10),), (Vlan(1),)),
    SetFlooded(HOST, "vx0", (Flooded("10.0.0.2"),), (Flooded("10.0.0.3"),)),
    SetShape(HOST, "web0", TBF, NONE),
]


@pytest.mark.parametrize("step", TWICE, ids=lambda value: type(value).__name__)
def test_taking_back_what_takes_back_is_the_change_itself(step: Change) -> None:
    (back,) = step.undo()
    assert back != step
    assert back.undo() == (step,)
    if isinstance(step, SetLink):  # their mappings are compared, too
        again: Any = back.undo()[0]
        assert (again.new, again.old) == (step.new, step.old)


@pytest.mark.parametrize(
    ("step", "back"),
    [
        (PAIR, (DelLink(HOST, "web0"),)),
        (DelLink(HOST, "web0"), ()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_takes_back_the_others(step: Change, back: tuple[Change, ...]) -> None:
    assert step.undo() == back


def test_a_port_s_attributes_come_back_after_its_bridge() -> None:
    step = SetLink(HOST, "web0", {"master": "br1"}, {"master": "br0", "hairpin": True})
    undone: tuple[Any, ...] = step.undo()
    first, second = undone
    assert (first.new, second.new) == ({"master": "br0"}, {"hairpin": True})


def test_what_leaves_no_trace_and_what_cannot_be_taken_back() -> None:
    assert [step for step, dummy in COMMANDS if not step.writes] == []
    assert {type(step) for step, dummy in COMMANDS if step.final} == {DelLink}
    assert {type(step) for step, dummy in COMMANDS if step.partial} == {SetFlooded, SetLink, SetShape, SetVlans}


def test_an_attribute_is_attempted_by_the_name_of_its_option() -> None:
    assert (
        SetLink(HOST, "vx0", {"tunnel_learning": True}, kind="vxlan").attempt()
        == "set learning true on vx0 in the host"
    )
    assert SetShape(WEB, "eth0", NONE, TBF).attempt() == "take the tbf from what leaves by eth0 in netns 'web'"
    assert SetFlooded(HOST, "vx0").attempt() == "set the peers of vx0 in the host"
