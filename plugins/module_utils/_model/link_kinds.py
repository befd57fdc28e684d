# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds of links and their attributes: one row an attribute, one entry a kind. Pure.

A row is an option of a module, a line of its result and of the diff, a word of `commands` and a netlink attribute at once: what
parses, compares, shows, reads or writes a link goes by these tables.
"""

from __future__ import annotations

from dataclasses import field
from typing import Any, Dict, List, Mapping, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import addressing, values
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass

Rows = Mapping[str, "Field"]
LINK_ATTRIBUTE = "IFLA_LINK"
ETHERNET_MTU = 1500


@dataclass(frozen=True)
class Field:
    """One attribute of a link.

    ``name`` is the option's and the result's name, ``attribute`` the netlink attribute (``""`` for what is no attribute of a
    message), ``words`` iproute2's words for it with ``{}`` for the value, ``default`` what the kernel gives a new link; its type is
    the attribute's. ``sanitizer`` makes the canonical value of an option's (see `values`). ``switch`` says how iproute2 spells a
    boolean: ``01``, ``on off``, or ``no`` in front of the word.

    ``option``: modules have it as an option, of this type; ``wanted`` is what they ask for where it is left out, None for nothing.
    ``only``: the kinds that have it, all where empty. Of a pair, ``ends`` says which: ``both`` by one option, ``each`` by one of its
    own (``peer_NAME`` is the other end's), ``near`` the end that is named. ``late``: the message that makes a link cannot carry it.
    ``asked``: it is shown only where it is asked for. ``ethtool``: that program sets it. ``sysctl`` sets it, with ``%s`` for the interface.
    ``inverse``: that sysctl says the opposite. ``bare``: a text that goes without a closing NUL, for which the kernel has no room.
    ``called``: the option's and the result's name, where another table has a row of that name. ``attribute6`` holds an address that is IPv6.
    ``fixed``: the kernel does not change it in place. ``but``: kinds that do not have it. ``numbers``: the kernel's number for each word that a
    value can be. A link that ns_link makes has to be given it where it is ``needed``, and gets ``new`` for it where nothing is given.
    ``mark``: no module has it as an option or shows it; a link is born with it.
    ``shapes``: the interface's queueing discipline does it to what leaves by it (see `_model/shaping`); shown where it is asked for, or done.
    """

    name: str
    attribute: str
    words: str
    default: Any
    sanitizer: values.Sanitizer = values.unchanged
    switch: str = "on off"
    option: str = ""
    wanted: Any = None
    only: Tuple[str, ...] = ()
    ends: str = "both"
    late: bool = False
    asked: bool = False
    ethtool: bool = False
    sysctl: str = ""
    inverse: bool = False
    bare: bool = False
    called: str = ""
    attribute6: str = ""
    fixed: bool = False
    but: Tuple[str, ...] = ()
    numbers: Mapping[str, int] = field(default_factory=dict, hash=False)
    needed: bool = False
    new: Any = None
    mark: bool = False
    shapes: bool = False

    @property
    def shown(self) -> str:
        """Return the name of the option and of the result."""
        return self.called or self.name

    def spell(self, value: Any) -> List[str]:
        """Return iproute2's words for this attribute with ``value``."""
        if self.switch == "no":
            return [self.words if value else "no" + self.words]
        if isinstance(value, bool):
            value = ("1" if value else "0") if self.switch == "01" else ("on" if value else "off")
        return [str(value) if word == "{}" else word for word in self.words.split()]

    def setting(self, name: str, value: Any) -> Tuple[str, str]:
        """Return (key, value) of the sysctl that gives an interface a canonical value."""
        return self.sysctl % name, str(self.to_kernel(not value if self.inverse else value))

    def canonical(self, value: Any, option: str = "") -> Any:
        """Return an option's value in canonical form. Raises `Invalid` where the kernel would refuse it."""
        return self.sanitizer(value, option or self.shown)

    def from_kernel(self, value: Any) -> Any:
        """Return the kernel's value in canonical form."""
        if self.numbers:
            return next((word for word, number in self.numbers.items() if number == value), str(value))
        return bool(value) if isinstance(self.default, bool) else value

    def to_kernel(self, value: Any) -> Any:
        """Return a canonical value as a message carries it."""
        if self.numbers:
            return self.numbers[value]
        return int(value) if isinstance(value, bool) else value

    @property
    def spec(self) -> Dict[str, Any]:
        """Return the option in an argument spec."""
        kinds = {bool: "bool", int: "int", str: "str"}
        spec: Dict[str, Any] = {"type": self.option or kinds[type(self.default)]}
        return spec if self.wanted is None else dict(spec, default=self.wanted)


def table(*fields: Field) -> Dict[str, Field]:
    """Return ``fields`` by name, in order."""
    return {row.name: row for row in fields}


@dataclass(frozen=True)
class Kind:
    """One kind of link: ``fields`` are its own attributes (IFLA_INFO_DATA), ``ports`` those of the links whose master it is
    (IFLA_INFO_SLAVE_DATA, IFLA_PROTINFO). ``peer`` is the attribute that holds the other end of a pair. ``parent`` is the attribute
    that holds the index of the link that it is made on: `IFLA_LINK`, which such a kind always has, or one of its own; and ``parent_words``
    iproute2's words for that. ``inherits``: one that is given no MAC address has its parent's. ``masters`` are the kinds that it can be a
    port of. ``mtu`` is what the kernel gives one that is made on no other link, ``least_mtu`` the least that it takes. ``described`` says
    what it is in messages. ``module``: the one that makes several kinds, of which this is one."""

    name: str
    fields: Rows = field(default_factory=dict)
    ports: Rows = field(default_factory=dict)
    peer: str = ""
    parent: str = ""
    parent_words: str = ""
    inherits: bool = False
    mtu: int = ETHERNET_MTU
    least_mtu: int = values.MTU_LOW
    masters: Tuple[str, ...] = ("bridge", "vrf")
    described: str = ""
    module: str = ""

    @property
    def needs_parent(self) -> bool:
        """Return whether there is none without a link that it is made on."""
        return self.parent == LINK_ATTRIBUTE


# Of every link. Bounds of the MTU: ETH_MIN_MTU and ETH_MAX_MTU of include/uapi/linux/if_ether.h.
LINK = table(
    Field("mtu", "IFLA_MTU", "mtu {}", ETHERNET_MTU, values.mtu, option="str"),
    Field("mac", "IFLA_ADDRESS", "address {}", "", values.mac, ends="each", but=("ipvlan",)),
    Field("enabled", "", "", False, wanted=True, ends="each"),
    Field("tx_queue_len", "IFLA_TXQLEN", "txqueuelen {}", 1000, values.integer(0, values.U32), only=("veth",)),
    Field("alias", "IFLA_IFALIAS", "alias {}", "", values.text_up_to(255), ends="near", late=True, bare=True),
    Field("tx_checksum", "", "tx {}", True, only=("veth",), late=True, asked=True, ethtool=True),
    # Of one that ns_link made: that it is ours. A vxlan has another group, to which it floods.
    Field("link_group", "IFLA_GROUP", "group {}", 0, mark=True),
    # Whether router advertisements are heard. What a new link does is its namespace's affair (net.ipv6.conf.default.accept_ra).
    Field(
        "accept_ra",
        "",
        "",
        True,
        only=("bridge", "ipvlan", "macvlan", "veth"),
        ends="each",
        late=True,
        asked=True,
        sysctl="net/ipv6/conf/%s/accept_ra",
    ),
    # Whether the interface has IPv6 at all.
    Field(
        "ipv6",
        "",
        "",
        True,
        only=("bridge", "ipvlan", "macvlan", "veth"),
        ends="each",
        late=True,
        asked=True,
        sysctl="net/ipv6/conf/%s/disable_ipv6",
        inverse=True,
    ),
    # A bridge, a dummy and a vrf send nothing on by themselves: what leaves does so by others.
    *(
        Field(name, "", "", "", sanitizer, ends="each", late=True, shapes=True, but=("bridge", "dummy", "vrf"))
        for name, sanitizer in (
            ("rate", values.rate),
            ("delay", values.time_up_to(3600 * 10**6)),
            ("jitter", values.time_up_to(2 * 10**6)),  # netem has it as nanoseconds in 31 bits
            ("loss", values.loss),
        )
    ),
)
SHAPES = tuple(name for name, row in LINK.items() if row.shapes)
UNSHAPED: Mapping[str, Any] = {
    **dict.fromkeys(SHAPES, ""),
    "qdisc": "noop",
    "shape": None,
}  # what one that moves has then

# Times in hundredths of a second, as `ip link` gives and takes them. Bounds of ports: net/bridge/br_stp_if.c and br_private.h.
_BRIDGE = Kind(
    "bridge",
    table(
        Field("stp", "IFLA_BR_STP_STATE", "stp_state {}", False, switch="01"),
        Field("forward_delay", "IFLA_BR_FORWARD_DELAY", "forward_delay {}", 1500, values.hundredths),
        Field("ageing_time", "IFLA_BR_AGEING_TIME", "ageing_time {}", 30000, values.hundredths),
        Field("vlan_filtering", "IFLA_BR_VLAN_FILTERING", "vlan_filtering {}", False, switch="01"),
        Field("group_fwd_mask", "IFLA_BR_GROUP_FWD_MASK", "group_fwd_mask {}", 0, values.mask(16, 0b111), asked=True),
    ),
    table(
        Field("hairpin", "IFLA_BRPORT_MODE", "hairpin {}", False),
        Field("isolated", "IFLA_BRPORT_ISOLATED", "isolated {}", False),
        Field("learning", "IFLA_BRPORT_LEARNING", "learning {}", True),
        Field("flood", "IFLA_BRPORT_UNICAST_FLOOD", "flood {}", True),
        Field("mcast_flood", "IFLA_BRPORT_MCAST_FLOOD", "mcast_flood {}", True),
        Field("neigh_suppress", "IFLA_BRPORT_NEIGH_SUPPRESS", "neigh_suppress {}", False),
        Field("guard", "IFLA_BRPORT_GUARD", "guard {}", False),
        Field("root_block", "IFLA_BRPORT_PROTECT", "root_block {}", False),
        Field("fast_leave", "IFLA_BRPORT_FAST_LEAVE", "fastleave {}", False),
        Field("cost", "IFLA_BRPORT_COST", "cost {}", 2, values.integer(1, 65535)),
        Field("priority", "IFLA_BRPORT_PRIORITY", "priority {}", 32, values.integer(0, 63)),
        Field(
            "port_fwd_mask",
            "IFLA_BRPORT_GROUP_FWD_MASK",
            "group_fwd_mask {}",
            0,
            values.mask(16, 0b010),
            called="group_fwd_mask",
            asked=True,
        ),
    ),
    described="a bridge",
)

# Where no port is given the kernel takes 8472, which was in use before there was a number for it (drivers/net/vxlan).
_VXLAN = Kind(
    "vxlan",
    table(
        Field("vni", "IFLA_VXLAN_ID", "id {}", 0, values.integer(0, 0xFFFFFF), fixed=True, needed=True),
        Field("local", "IFLA_VXLAN_LOCAL", "local {}", "", addressing.underlay, attribute6="IFLA_VXLAN_LOCAL6"),
        Field(
            "port", "IFLA_VXLAN_PORT", "dstport {}", 8472, values.integer(1, 65535), fixed=True, new=4789
        ),  # of RFC 7348
        Field("tunnel_learning", "IFLA_VXLAN_LEARNING", "learning", True, switch="no", called="learning"),
    ),
    parent="IFLA_VXLAN_LINK",
    parent_words="dev {}",
    described="a vxlan",
    module="ns_link",
)

_VLAN_PROTOCOLS = {"802.1Q": 0x8100, "802.1ad": 0x88A8}
_VLAN = Kind(
    "vlan",
    table(
        Field(
            "vlan_protocol",
            "IFLA_VLAN_PROTOCOL",
            "protocol {}",
            "802.1Q",
            values.one_of(*_VLAN_PROTOCOLS),
            fixed=True,
            numbers=_VLAN_PROTOCOLS,
        ),
        Field("vlan_id", "IFLA_VLAN_ID", "id {}", 0, values.integer(0, 4094), fixed=True, needed=True),
    ),
    parent=LINK_ATTRIBUTE,
    parent_words="link {}",
    inherits=True,
    described="a vlan",
    module="ns_link",
)

# Where no mode is given the kernel takes vepa and l3. Here they are as with Docker, which is what people mean.
_MACVLAN_MODES = {"private": 1, "vepa": 2, "bridge": 4, "passthru": 8, "source": 16}
_MACVLAN = Kind(
    "macvlan",
    table(
        Field(
            "macvlan_mode",
            "IFLA_MACVLAN_MODE",
            "mode {}",
            "vepa",
            values.one_of("bridge", "private", "vepa", "passthru"),
            called="mode",
            numbers=_MACVLAN_MODES,
            new="bridge",
        )
    ),
    parent=LINK_ATTRIBUTE,
    parent_words="link {}",
    described="a macvlan",
    module="ns_link",
)

_IPVLAN_MODES = {"l2": 0, "l3": 1, "l3s": 2}
_IPVLAN = Kind(
    "ipvlan",
    table(
        Field(
            "ipvlan_mode",
            "IFLA_IPVLAN_MODE",
            "mode {}",
            "l3",
            values.one_of(*_IPVLAN_MODES),
            called="mode",
            numbers=_IPVLAN_MODES,
            new="l2",
        )
    ),
    parent=LINK_ATTRIBUTE,
    parent_words="link {}",
    inherits=True,
    masters=("vrf",),
    described="an ipvlan",
    module="ns_link",
)

# Bounds of the MTU: drivers/net/vrf.c, vrf_setup.
_VRF = Kind(
    "vrf",
    table(Field("table", "IFLA_VRF_TABLE", "table {}", 0, values.route_table, option="str", fixed=True, needed=True)),
    mtu=65575,
    least_mtu=values.IPV6_MTU,
    masters=(),
    described="a vrf",
    module="ns_link",
)

KINDS: Dict[str, Kind] = {
    "": Kind("", described="a physical or other interface"),
    "bridge": _BRIDGE,
    "dummy": Kind("dummy", described="a dummy", module="ns_link"),
    "ipvlan": _IPVLAN,
    "macvlan": _MACVLAN,
    "veth": Kind("veth", peer="VETH_INFO_PEER", described="a veth"),
    "vlan": _VLAN,
    "vrf": _VRF,
    "vxlan": _VXLAN,
}

PORT = _BRIDGE.ports
SHARING = (
    "ipvlan",
    "macvlan",
)  # kinds of which each is somebody of its own on the parent's segment, so that a container can have one instead of a pair


def made_by(module: str) -> List[str]:
    """Return the kinds that a module makes which makes several."""
    return [name for name, known in KINDS.items() if known.module == module]


def kind(name: str) -> Kind:
    """Return a kind, one without attributes of its own where this collection does not know it."""
    return KINDS.get(name) or Kind(name, described="an interface of type %s" % name)


def rows(name: str) -> Dict[str, Field]:
    """Return the rows that links of a kind have, in the order in which they are shown: general ones, the kind's own, and last
    whether the link is up, and what is set once it exists."""
    having = {key: row for key, row in LINK.items() if name not in row.but and (not row.only or name in row.only)}
    general = {key: row for key, row in having.items() if not row.mark}
    early = {key: row for key, row in general.items() if not row.late and (KINDS[name].peer or key != "enabled")}
    return {**early, **KINDS[name].fields, **general}


def defaults(some: Rows) -> Dict[str, Any]:
    """Return what the kernel gives a new link, of what is read without being asked for."""
    return {name: row.default for name, row in some.items() if not row.asked}


def born(name: str) -> Dict[str, Any]:
    """Return what the kernel gives a new link of a kind, by itself and but for its MAC address, where nothing is asked for."""
    return {**defaults({**LINK, **kind(name).fields}), "mtu": kind(name).mtu}


def late(some: Rows) -> List[str]:
    """Return the names of rows that the message which makes a link cannot carry."""
    return [name for name, row in some.items() if row.late]


def specs(some: Rows, pair: bool = False) -> Dict[str, Dict[str, Any]]:
    """Return the options of rows for an argument spec, those of the other end of a ``pair`` beside them."""
    found: Dict[str, Dict[str, Any]] = {}
    for name, row in some.items():
        found[row.shown] = row.spec
        if pair and row.ends == "each":
            found["peer_" + name] = row.spec
    return found


def given(params: Mapping[str, Any], some: Rows, prefix: str = "") -> Dict[str, Any]:
    """Return what ``params`` gives of rows, canonical, by row; ``prefix`` begins the names of their options. Raises `Invalid`."""
    asked = {name: params.get(prefix + row.shown) for name, row in some.items()}
    return {
        name: some[name].canonical(value, prefix + some[name].shown)
        for name, value in asked.items()
        if value is not None
    }
