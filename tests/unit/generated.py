# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks made by chance, from a small world of names in which they meet: what one makes, another finds, changes or removes."""

from __future__ import annotations

from random import Random
from typing import Any

from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import (
    bridge,
    bridge_port,
    netns,
    ns_address,
    ns_link,
    ns_route,
    veth,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import resource as nat
from ansible_collections.linuxnet.containers.plugins.module_utils._run import validation
from ansible_collections.linuxnet.containers.plugins.module_utils._run.execution import execute

Item = dict[str, Any]
RESOURCES = {
    module.RESOURCE.noun: module.RESOURCE
    for module in (netns, bridge, veth, bridge_port, ns_link, ns_address, ns_route, nat)
}
SPACES, BRIDGES = ["web", "db"], ["br0", "br1"]
PEERS = ["eth0", "eth1"]
ADDRESSES = ["10.0.0.1/24", "10.0.0.2/24", "10.0.0.3/24", "10.1.0.2/16", "10.1.0.3/16", "FD00::2/64", "fd00::3/64"]
RULES: dict[str, list[Any]] = {"rule_source": ["10.0.0.0/24", "10.1.0.0/16", "fd00::/64"], "rule_priority": [5, 6]}
GATEWAYS = ["10.0.0.1", "10.1.0.1", "fd00::1"]


# What is inside of an isolated network, elsewhere and on the bridge itself.
_INSIDE: list[Any] = [
    [],
    [{"source": "10.9.1.0/24", "interface": "eth0"}, {"source": "10.9.0.0/24"}],
    [{"source": "10.9.1.0/24", "interface": "eth1", "only": True}, {"source": "fd00:9::/64", "interface": "eth1"}],
]


def options(chance: Random, item: Item, **choices: list[Any]) -> Item:
    """Add some of the options to an item, each with one of its values."""
    return {**item, **{name: chance.choice(values) for name, values in choices.items() if chance.random() < 0.25}}


def _netns(chance: Random) -> Item:
    item = options(chance, {"name": chance.choice(SPACES)}, loopback=[True, False], state=["absent"])
    if chance.random() < 0.2:
        item["sysctls"] = {"net.ipv4.ip_forward": chance.choice([0, 1, "1"])}
    elif chance.random() < 0.1:
        item = {"name": "alias", **chance.choice([{"share": "host"}, {"share": "web"}, {"share": "db"}])}
    return item


def _bridge(chance: Random) -> Item:
    return options(
        chance,
        {"name": chance.choice(BRIDGES)},
        mtu=["1500", "1400", "auto", 9000],
        mac=["02:00:00:00:00:0a", "02-00-00-00-00-0B"],
        stp=[True, False],
        forward_delay=[1500, 400, 100, 5001],
        ageing_time=[30000, 0],
        enabled=[True, False],
        alias=["", "the bridge"],
        master=["", "x2"],
        only_ours=[True],
        rewired=[["web"]],
        released=[["v0"]],
        listed=[["web"]],
        state=["absent", "present"],
    )


def _veth(chance: Random) -> Item:
    space = chance.choice(SPACES)
    return options(
        chance,
        {"peer_netns": space, "peer_name": chance.choice(PEERS)},
        name=["v0", "v1"],
        mtu=[1500, "1400", "auto"],
        mac=["02:00:00:00:01:0a"],
        peer_mac=["02:00:00:00:01:0B"],
        bridge=BRIDGES,
        enabled=[True, False],
        peer_enabled=[True, False],
        tx_queue_len=[0, 1000],
        tx_checksum=[True, False],
        alias=["", "the pair"],
        rate=["10mbit", "1 Mbit", ""],
        peer_rate=["512kbit", ""],
        peer_delay=["10ms", ""],
        peer_loss=[1, ""],
        exclusive=[True],
        state=["absent", "present"],
    )


def _bridge_port(chance: Random) -> Item:
    item = {"bridge": chance.choice(BRIDGES), "interface": chance.choice(["v0", "v1"])}
    switches = {name: [True, False] for name in ("hairpin", "isolated", "learning", "flood", "guard", "fast_leave")}
    others = {"only_ours": [True], "optional": [True]}
    return options(chance, item, cost=[2, 7], priority=[32, 1], state=["absent", "present"], **switches, **others)


def _ns_link(chance: Random) -> Item:
    return _vxlan(chance) if chance.random() < 0.4 else _link_on_another(chance)


def _link_on_another(chance: Random) -> Item:
    kind = chance.choice(["dummy", "ipvlan", "macvlan", "macvlan", "vlan", "vlan", "vrf"])
    item: Item = {"name": chance.choice(["x0", "x1", "x2", "vx0"]), "kind": kind}
    modes = {"ipvlan": ["l2", "l3", "L3S"], "macvlan": ["bridge", "private", "passthru"]}
    own: dict[str, dict[str, list[Any]]] = {
        "ipvlan": {"mode": modes["ipvlan"]},
        "macvlan": {"mode": modes["macvlan"]},
        "vlan": {"vlan_protocol": ["802.1q", "802.1ad"]},
    }
    if kind in modes or kind == "vlan":
        item["parent"] = chance.choice(["v0", "v0", "v1", "br0", "x0", "x1"])
    if kind == "vlan":
        item["vlan_id"] = chance.choice([5, 6])
    elif kind == "vrf":
        item["table"] = chance.choice([10, "main"])
    general: dict[str, list[Any]] = {
        "netns": SPACES[:1],
        "mtu": [1400, "1300", 1500] if kind in ("dummy", "vrf") else ["auto", 1400, "1300"],
        "enabled": [True, False],
        "alias": ["", "the link"],
        **({} if kind in ("dummy", "vrf") else {"rate": ["10mbit", ""], "delay": ["1ms", ""]}),
        "recreate": [True],
        "state": ["absent", "present"],
        **own.get(kind, {}),
    }
    if kind != "ipvlan":
        general["mac"] = ["02:00:00:00:02:0a", "02-00-00-00-02-0B"]
    if kind != "vrf":
        general["master"] = [*BRIDGES, "", "x2"]
    if "parent" in item:
        general["parent_netns"] = SPACES[:1]
    return options(chance, item, **general)


def _vxlan(chance: Random) -> Item:
    item = {"name": chance.choice(["vx0", "vx1"]), "kind": "vxlan"}
    family = chance.choice([4, 4, 6])
    hosts = ["10.9.0.1", "10.9.0.2", "10.9.0.3"] if family == 4 else ["fd09::1", "FD09::2", "fd09::3"]
    if family == 6 or chance.random() < 0.5:
        item["local"] = hosts[0]
    return options(
        chance,
        {**item, "vni": chance.choice([7, 8])},
        netns=SPACES[:1],
        parent=["br0", "br1", "v0", ""],
        parent_netns=SPACES[:1],
        master=[*BRIDGES, ""],
        mtu=["auto", 1400, "1300"],
        mac=["02:00:00:00:02:0a"],
        port=[4789, 4790],
        peers=[[], hosts[1:2], hosts[1:], hosts[2:]],
        learning=[True, False],
        enabled=[True, False],
        alias=["", "the tunnel"],
        recreate=[True],
        state=["absent", "present"],
    )


def _ns_address(chance: Random) -> Item:
    item: Item = {"netns": chance.choice(SPACES), "interface": chance.choice(PEERS)}
    if chance.random() < 0.4:
        item["pool"] = chance.choice(["10.0.0.0/29", "10.1.0.0/16", "fd00::/64"])
        item = options(chance, item, owner=["me", "you"], strategy=["lowest", "sticky"])
    else:
        item["address"] = chance.choice(ADDRESSES)
    if chance.random() < 0.1:
        item = {**item, "netns": None, "interface": "br0"}
    return options(
        chance,
        item,
        bridge=BRIDGES,
        noprefixroute=[True, False],
        valid_lft=["forever", "3600"],
        scope=["global", "link"],
        exclusive=[True],
        supersede=[True],
        state=["absent", "present"],
    )


def _ns_route(chance: Random) -> Item:
    item: Item = {"netns": chance.choice(SPACES), "destination": chance.choice(["default", "10.9.0.0/16", "fd09::/64"])}
    if chance.random() < 0.1:
        return {"netns": item["netns"], "state": "absent", "exclusive": True}
    item = options(chance, item, exclusive=[True])
    if chance.random() < 0.15:
        item["type"] = chance.choice(["blackhole", "unreachable"])
    else:
        item = options(chance, {**item, "gateway": chance.choice(GATEWAYS)}, interface=PEERS)
    return options(
        chance,
        item,
        metric=[0, 50, 1024],
        table=["main", "100"],
        mtu=[1400, 1300],
        advmss=[1000],
        state=["present"] if "exclusive" in item else ["absent", "present"],
        **RULES if chance.random() < 0.5 else {},
    )


def _nat(chance: Random) -> Item:
    item: Item = {"owner": chance.choice(["net", "web"])}
    kind = chance.choice(["rule", "rule", "port", "port", "port", "guard", "check", "uplink", "tunnel"])
    if kind == "rule":
        item["source"] = chance.choice(["10.0.0.0/24", "10.1.0.0/24", "fd00::/64"])
        item = options(chance, item, out_interface=["!br0", "up0"], comment=["one", "two"], exclusive=[True])
        if chance.random() < 0.2:
            item.update(type="snat", to_address="fd00:1::1" if ":" in item["source"] else "192.0.2.1")
    elif kind == "port":
        item.update(type="dnat", host_port=chance.choice(["80", "81/udp", "80-89", "8080"]))
        item["to_address"] = chance.choice(["10.0.0.2", "10.0.0.3", "fd00::2"])
        item = options(chance, item, to_port=["80"], bridge=["br0"], exclusive=[True], shadow=[True])
    elif kind == "guard":
        item.update(type="filter", bridge=chance.choice(BRIDGES[:2]))
        item = options(chance, item, isolate=[False], icc=[False], internal=[True], inside=_INSIDE)
    elif kind == "uplink":
        item.update(type="uplink", interface=chance.choice([*PEERS, *BRIDGES[:2]]))
        item = options(chance, item, comment=["one"], netns=[None])
        item["gateways"] = chance.choice([["10.0.0.9"], ["fd00::9"], ["10.0.0.9", "fd00::9"], ["10.0.0.8", "fd00::9"]])
        return options(chance, item, state=["absent", "present"])
    elif kind == "tunnel":
        item.update(type="tunnel", vni=chance.choice([42, 43]))
        item = options(chance, item, comment=["one"], port=[8472], backend=["nftables", "iptables"])
        item["peers"] = chance.choice([[], ["192.0.2.2"], ["2001:db8::2", "192.0.2.3"], ["2001:db8::2"]])
        return options(chance, item, state=["absent", "present"])
    else:
        item.update(
            type="spoof_check", interface=chance.choice(PEERS), mac=chance.choice(["02:00:00:00:00:01", "2-0-0-0-0-2"])
        )
        item = options(
            chance, item, addresses=[[], ["10.0.0.2", "fd00::2"], ["10.0.0.0/24", "10.0.0.7"]], exclusive=[True]
        )
        return options(chance, item, comment=["one"], optional=[True], state=["absent", "present"])
    if kind != "port" and chance.random() < 0.2:
        item.update(state="absent", goes_with=chance.choice(BRIDGES[:2]), rewired=chance.choice([[], ["web"]]))
        return options(chance, item, backend=["nftables", "iptables"])
    return options(
        chance,
        item,
        backend=["nftables", "iptables"],
        ip_forward=[False],
        forward=[False],
        state=["absent", "present"],
    )


MAKERS = {
    "nat": _nat,
    "netns": _netns,
    "bridge": _bridge,
    "veth": _veth,
    "bridge_port": _bridge_port,
    "ns_link": _ns_link,
    "ns_address": _ns_address,
    "ns_route": _ns_route,
}


def task(chance: Random, noun: str) -> list[Item]:
    """Return the items of one task."""
    return [MAKERS[noun](chance) for dummy in range(chance.choice([1, 1, 1, 2, 3]))]


def wants(noun: str, items: list[Item]) -> list[Any] | None:
    """Return the wants of a task, None where its items contradict each other or themselves."""
    try:
        return validation.items(RESOURCES[noun], {"aggregate": items})
    except Invalid:
        return None


def run(kernel: Any, noun: str, items: list[Item], check: bool = False) -> tuple[list[Item], list[str]]:
    """Run a task. Returns its results and its warnings."""
    found = wants(noun, items)
    assert found is not None, items
    return execute(RESOURCES[noun], found, kernel, check)


def wire(kernel: Any, chance: Random) -> None:
    """Give a host some wiring: the usual one, of which by chance some is missing, then a few tasks made by chance."""
    usual: list[tuple[str, list[Item]]] = [
        ("netns", [{"name": "web"}, {"name": "db"}]),
        ("bridge", [{"name": "br0"}, {"name": "br1", "mtu": "1400"}]),
        (
            "veth",
            [
                {"name": "v0", "peer_netns": "web", "bridge": "br0"},
                {"name": "v1", "peer_netns": "db", "peer_name": "eth1"},
                {"peer_netns": "db"},
            ],
        ),
        (
            "ns_address",
            [
                {"interface": "br0", "address": "10.0.0.1/24"},
                {"netns": "web", "interface": "eth0", "address": "10.0.0.2/24"},
                {"netns": "web", "interface": "eth0", "address": "fd00::2/64"},
            ],
        ),
        ("ns_route", [{"netns": "web", "gateway": "10.0.0.1"}]),
        ("ns_link", [{"name": "vx0", "kind": "vxlan", "vni": 7, "local": "10.9.0.1", "peers": ["10.9.0.2"]}]),
        (
            "ns_link",
            [
                {"name": "x0", "kind": "vlan", "parent": "v0", "vlan_id": 5},
                {"name": "x0", "kind": "macvlan", "parent": "v0", "netns": "web"},
            ],
        ),
    ]
    for noun, items in usual:
        run(kernel, noun, [item for item in items if chance.random() < 0.8] or items[:1])
    for dummy in range(chance.choice([0, 1, 2, 4])):
        noun = chance.choice(sorted(MAKERS))
        items = task(chance, noun)
        if wants(noun, items) is not None:
            run(kernel, noun, items)
