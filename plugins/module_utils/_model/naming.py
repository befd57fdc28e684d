# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names, MAC addresses and ownership marks that are derived, never stored. Pure."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Optional, Sequence, Union

from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid

INTERFACE_NAME_BYTES = 15  # IFNAMSIZ less the closing NUL, include/uapi/linux/if.h
ALTERNATIVE_NAME_BYTES = 127  # ALTIFNAMSIZ less the closing NUL
NETNS_DIRECTORY = "/run/netns"  # where iproute2 keeps named namespaces
# Where a host that brings its wiring back by itself (`lasting`) has what it needs, and the plan.
KEPT_FOLDER = "/var/lib/linuxnet-containers"
KEPT_PLAN = KEPT_FOLDER + "/plan.json"

OWNER_BYTES = (
    101  # of an owner's name in the comment of a rule: what nftables leaves beside our mark and a bridge's name
)
_UNMARKABLE = re.compile(r'[\s"|\\\0\ud800-\udfff]')

# The number that marks what this collection sets: the protocol of addresses (IFA_PROTO) and routes (rtm_protocol), and the group (IFLA_GROUP)
# of links. Outside the numbers that the kernel and iproute2's rt_protos know.
PROTOCOL = 76
# Alias of an isolated port whose flag is off, since a rule of ours keeps it from the others: see _resources/nat/apart.
APART = "linuxnet: kept apart by nftables"
# By address family: whether br_netfilter shows bridged packets to the rules for it.
BRIDGE_NF_CALLS = {4: "net.bridge.bridge-nf-call-iptables", 6: "net.bridge.bridge-nf-call-ip6tables"}
# The bits of a packet's mark that are ours: one for answers to 127.0.0.1, and the number of an uplink.
MARK_BIT = 0x20000000
VRF_BIT = 0x40000000  # of what an internal network in a VRF sends, with iptables
UPLINK_BITS, UPLINK_SHIFT = 0x1F000000, 24
UPLINK_NUMBERS = UPLINK_BITS >> UPLINK_SHIFT  # the last one
UPLINK_TABLES, UPLINK_PRIORITIES = (
    7600000,
    32000,
)  # what a number is added to: a routing table, and, twice, the priority of a policy rule
BY_KERNEL = 2  # RTPROT_KERNEL: a route that comes and goes with an address


def is_uplink(table: int) -> bool:
    """Return whether a routing table is that of an uplink."""
    return UPLINK_TABLES < table <= UPLINK_TABLES + UPLINK_NUMBERS


_MAC = re.compile("[0-9a-f]{2}(:[0-9a-f]{2}){5}")


def name_bytes(name: str) -> bytes:
    """Return a name as the kernel has it, which takes bytes of any encoding: Python keeps what is no UTF-8 as surrogates."""
    return name.encode(errors="surrogateescape")


def _digest(*parts: str) -> bytes:
    text = "\0".join(parts)
    try:
        raw = name_bytes(text)
    except UnicodeEncodeError:  # half of a pair of surrogates, which JSON can say and no kernel has
        raw = text.encode(errors="surrogatepass")
    return hashlib.sha256(raw).digest()


def host_interface(netns: str, peer_name: str) -> str:
    """Return the host end's name for ``peer_name`` in the namespace at path ``netns``.

    ``veth`` and 11 characters that carry 55 bits of a hash: 15 bytes, the same on every run.
    """
    return "veth" + base64.b32encode(_digest("veth", netns, peer_name)).decode().lower()[:11]


def tunnel_interface(network: str) -> str:
    """Return the name of the interface by which a network's parts on several hosts are joined: ``vx-NETWORK``, or, where that is too long, ``vx`` and 13
    characters of a hash."""
    name = "vx-" + network
    if fits(name, INTERFACE_NAME_BYTES):
        return name
    return "vx" + base64.b32encode(_digest("vxlan", network)).decode().lower()[:13]


def tunnel_number(network: str) -> int:
    """Return the VNI of a network's tunnel where none is given, the same on all hosts: from 1 to 2^24 - 1 (RFC 7348, 5)."""
    return int.from_bytes(_digest("vni", network)[:4], "big") % 0xFFFFFF + 1


def mac(identity: str, *parts: str) -> str:
    """Return a locally administered unicast MAC address, the same for the same host and parts. `is_own` knows it again anywhere.

    Its first four bytes distinguish hosts (``identity``) and parts: 30 bits of a hash, so that two hosts on one segment derive different
    addresses. The last two are a check over those and the parts, without the host: what a host is called may change.
    """
    seed = bytearray(_digest("mac", "checked", identity, *parts)[:4])
    seed[0] = seed[0] & 0xFC | 0x02
    return _spelled(bytes(seed) + _check(seed, parts))


def high_mac(identity: str, above: str, *parts: str) -> str:
    """Return a MAC address as `mac` does, which is ``above`` another, and above nearly all there are: it begins with fe."""
    hashed = int.from_bytes(_digest("mac", "checked", identity, *parts)[1:4], "big")
    first, end = 0xFE << 24, 0xFF << 24
    least = int(above.replace(":", "")[:8], 16) + 1 if above else 0
    if first + hashed < least < end:  # spread over what is left, so that those above one address still differ
        first, hashed = least, hashed % (end - least)
    seed = (first + hashed).to_bytes(4, "big")
    return _spelled(seed + _check(seed, parts))


def is_own(address: Optional[str], identity: str, *parts: str) -> bool:
    """Return whether a MAC address was derived by this collection for these parts, by this host or by any other, whatever it is called
    now. Release 0.2.0 derived addresses without a check; those are known as long as the host has the ``identity`` it had then."""
    if address is None or not _MAC.fullmatch(address):
        return False
    raw = bytes.fromhex(address.replace(":", ""))
    return raw[0] & 3 == 2 and (raw[4:] == _check(raw[:4], parts) or address == _unchecked(identity, *parts))


def _check(seed: Union[bytes, bytearray], parts: Sequence[str]) -> bytes:
    """Return the last two bytes of the MAC address that begins with ``seed``."""
    return _digest("mac", "check", seed.hex(), *parts)[:2]


def _unchecked(identity: str, *parts: str) -> str:
    """Return the MAC address that release 0.2.0 derived."""
    raw = bytearray(_digest("mac", identity, *parts)[:6])
    raw[0] = raw[0] & 0xFC | 0x02
    return _spelled(raw)


def _spelled(raw: Union[bytes, bytearray]) -> str:
    return ":".join("%02x" % byte for byte in raw)


NOBODY = "ansible"  # the owner of rules that name none


def owner_mark(owner: str) -> str:
    """Return an owner's name as the comments of rules carry it: the name itself, wherever they can. In a name that is too long, or has
    characters that they cannot carry, something stands for those, and a hash of the name tells it apart."""
    plain = _UNMARKABLE.sub("_", owner)
    if plain == owner and len(name_bytes(owner)) <= OWNER_BYTES:
        return owner
    tail = "~" + base64.b32encode(hashlib.sha256(owner.encode(errors="surrogatepass")).digest()).decode().lower()[:12]
    kept = plain.encode()[: OWNER_BYTES - len(tail)].decode(errors="ignore")
    return kept + tail


def fits(value: str, size: int) -> bool:
    """Return whether a text means at most so many bytes: half of a pair of surrogates, which JSON can say, means none."""
    try:
        return len(name_bytes(value)) <= size
    except UnicodeEncodeError:
        return False


def _bytes(value: str) -> bytes:
    """Return a name as the kernel has it; ``b"/"``, which is no name, for text that means no bytes."""
    try:
        return name_bytes(value)
    except UnicodeEncodeError:
        return b"/"


def interface_name(value: str, option: str) -> str:
    """Return ``value`` if the kernel takes it as an interface name, else raise `Invalid`.

    The rule is dev_valid_name() of net/core/dev.c: 1 to 15 bytes, not ``.`` or ``..``, no slash, colon or white space; the kernel's
    white space is bytes of Latin-1, of which 0xa0 is part of some letters. ``%`` is refused as well, since the kernel fills in a
    number for it.
    """
    return _name_of_link(value, option, INTERFACE_NAME_BYTES)


def new_name(value: str, option: str) -> str:
    """Return ``value`` if an interface that is made may be called so, else raise `Invalid`: the loopback interface is in every namespace."""
    if value == "lo":
        raise Invalid("%s: 'lo' is the loopback interface, which every namespace has; take another name." % option)
    return interface_name(value, option)


def known_name(value: str, option: str) -> str:
    """Return ``value`` if an interface that is there may be known by it, else raise `Invalid`: by its own name or an alternative one
    (`ip link property`), which may be longer."""
    return _name_of_link(value, option, ALTERNATIVE_NAME_BYTES)


def _name_of_link(value: str, option: str, size: int) -> str:
    if value in ("all", "default"):
        raise Invalid(
            "%s: '%s' is not an interface name: the kernel's settings of all, or of new, interfaces are called so."
            % (option, value)
        )
    raw = _bytes(value)
    if len(raw) > size:
        raise Invalid(
            "%s: '%s' is %d bytes long; an interface name has at most %d."
            % (option, value, len(raw), INTERFACE_NAME_BYTES)
        )
    if not value or value in (".", "..") or re.search(rb"[\s/:%\0\xa0]", raw):
        raise Invalid(
            "%s: '%s' is not an interface name: it must not be empty, '.' or '..', nor hold '/', ':', '%%' or white space."
            % (option, value)
        )
    return value


def netns_name(value: str, option: str) -> str:
    """Return ``value`` if it can be a file name in /run/netns, else raise `Invalid`."""
    raw = _bytes(value)
    if not value or value in (".", "..") or b"/" in raw or b"\0" in raw or len(raw) > 255 or value != value.strip():
        raise Invalid(
            "%s: '%s' is not a namespace name: it must be a file name for %s, so not empty and without '/'."
            % (option, value, NETNS_DIRECTORY)
        )
    return value


def sysctl_key(key: str) -> str:
    """Return the one spelling of a sysctl's name: as sysctl(8) has it, the first separator decides which one separates."""
    first = next((char for char in key if char in "./"), ".")
    return key if first == "." else key.translate(str.maketrans("./", "/."))


def sticky_offset(owner: str, size: int) -> int:
    """Return the offset below ``size`` at which the search for ``owner``'s address starts."""
    return int.from_bytes(_digest("address", owner), "big") % size
