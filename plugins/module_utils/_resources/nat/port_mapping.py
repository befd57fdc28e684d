# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun nat, type dnat: what is asked for: a published port, or a range of them. Pure."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import field, replace
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.index import Identities
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import EVERYWHERE, PORTS, PortMapping
from ansible_collections.linuxnet.containers.plugins.module_utils._model import addressing
from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import IpAddress, address, ip, text
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.fence import About
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.names import interface

OWN = "host_ip: %s is the container's own address; name one of the host's, or leave it out for all of them."
PROTOCOLS = ("tcp", "udp", "sctp")
_BROADCAST, _THIS_NETWORK = ipaddress.IPv4Address("255.255.255.255"), ipaddress.IPv4Network("0.0.0.0/8")


@dataclass(frozen=True)
class Leaving:
    """What an owner gives up in a task: what is ``named`` to be gone, or (``keep``) all but that. Identities of published ports."""

    named: Identities = frozenset()
    keep: Optional[Identities] = None

    def has(self, mapping: PortMapping) -> bool:
        """Return whether a published port of the owner is to go."""
        return mapping.identity in self.named or (self.keep is not None and mapping.identity not in self.keep)


@dataclass(frozen=True)
class Want:
    """``mappings``: what is to be published, or not any more; empty, with ``present`` False: all of the owner's. ``keep`` has the
    identities of what else the task wants of the owner, for ``exclusive``, and ``leaving`` what other owners give up in the task: ports change hands
    in it in any order. ``addresses`` are those that the owner has: what is published to them by owners that are gone goes."""

    ns: NsRef
    owner: str
    mappings: Tuple[PortMapping, ...] = ()
    present: bool = True
    bridge: str = ""
    forward: bool = True
    ip_forward: bool = True
    exclusive: bool = False
    backend: str = "auto"
    keep: Identities = frozenset()
    by_hand: bool = False  # what people put among our rules goes
    needed: FrozenSet[int] = frozenset()
    named: FrozenSet[About] = field(default=frozenset(), compare=False)  # what all rules of the task are about
    shadow: bool = False
    addresses: Tuple[str, ...] = ()
    leaving: Mapping[str, Leaving] = field(default_factory=dict, compare=False)

    @property
    def family(self) -> int:
        return self.mappings[0].family if self.mappings else 4

    @property
    def kind(self) -> str:
        return self.mappings[0].kind if self.mappings else PORTS


def _ports(text: str, option: str) -> Tuple[int, int]:
    """Return (first, last) of a port or a range."""
    match = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", text.strip(), re.ASCII)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= first <= last <= 65535:
        raise Invalid(
            "%s: '%s' is neither a port (1 to 65535) nor a range of them such as 30000-30099." % (option, text)
        )
    return first, last


def parse(params: Mapping[str, Any], owner: str, comment: str) -> Want:
    """Return the want of a dnat item. Raises `Invalid`."""
    ns, present = NsRef.parse(params.get("netns")), params["state"] == "present"
    bridge = params.get("bridge") or ""
    if bridge:
        interface(bridge, "bridge", present)
    elif params["vrf"] and present:
        raise Invalid("vrf: it needs bridge, the bridge in the VRF that the container is behind.")
    options = (bridge, params["forward"], params["ip_forward"], params["exclusive"], params["backend"])
    addresses = tuple(ip(one, "addresses") for one in params.get("addresses") or ())
    if not present and params.get("host_port") is None:
        return Want(ns, owner, (), False, *options, addresses=addresses)
    for option in ("host_port", "to_address") if present else ("host_port",):
        if params.get(option) is None:
            raise Invalid("%s is required with type: dnat." % option)
    ports, dummy, protocol = str(params["host_port"]).partition("/")
    protocol = protocol.lower() or params.get("protocol") or "tcp"
    if protocol not in PROTOCOLS or params.get("protocol") not in (None, protocol):
        raise Invalid(
            "host_port: '%s': the protocol is one of tcp, udp and sctp, and the same as protocol." % params["host_port"]
        )
    first, last = _ports(ports, "host_port")
    to = address(params["to_address"], "to_address") if params.get("to_address") else None
    host = address(params["host_ip"], "host_ip") if params.get("host_ip") else None
    family = to.version if to else host.version if host else 4
    if host is not None and host.version != family:
        raise Invalid("host_ip: %s is not of the same address family as to_address %s." % (host, to))
    if host is not None and present:
        _check_host(host, to)
    if host is not None and host.version == 6 and host.is_loopback:
        raise Invalid(
            "host_ip: nothing can be published on ::1, since the kernel lets no packet from ::1 leave the host."
        )
    if to is not None and (to.is_loopback or to.is_unspecified or to.is_multicast):
        raise Invalid("to_address: %s is not the address of a container." % to)
    host_ip = EVERYWHERE[family] if host is None or host.is_unspecified else addressing.text(host)
    if params["vrf"] and (host is None or host.is_unspecified or host.is_loopback):
        raise Invalid("vrf: it needs host_ip, the address that an interface of the host in the VRF has.")
    to_first, to_last = (
        _ports(str(params["to_port"]).partition("/")[0], "to_port") if params.get("to_port") else (first, last)
    )
    if to_last - to_first != last - first:
        raise Invalid(
            "to_port: %s and host_port %s are not of the same length; a range goes to a range, one to one."
            % (params["to_port"], ports)
        )
    where = text(to) if to else {4: "0.0.0.0", 6: "::"}[family]
    base = PortMapping(protocol, host_ip, first, last, where, 0, owner, bridge, comment, params["vrf"])
    mappings: Tuple[PortMapping, ...] = (base,)
    if to is None and host is None:  # to be gone, over IPv4 and IPv6
        mappings = (base, replace(base, host_ip=EVERYWHERE[6], to="::"))
    if to_first != first:  # nft maps no range to another one
        mappings = tuple(
            replace(base, first=port, last=port, to_port=to_first + port - first) for port in range(first, last + 1)
        )
    return Want(ns, owner, mappings, present, *options, shadow=params["shadow"], addresses=addresses)


def _check_host(host: IpAddress, to: Optional[IpAddress]) -> None:
    """Raise `Invalid` for an address to publish on that no host has."""
    why = ""
    if host.is_multicast:
        why = "a multicast address"
    elif host.version == 6 and host.ipv4_mapped:
        why = "an IPv4 address in an IPv6 one, which no packet goes to"
    elif host.version == 6 and host.is_link_local:
        why = "a link-local address, to which a container's answer does not come back"
    elif host.version == 4 and not host.is_unspecified and (host == _BROADCAST or host in _THIS_NETWORK):
        why = "not an address a host can have"
    if host == to:
        raise Invalid(OWN % text(host))
    if why:
        raise Invalid("host_ip: %s is %s; name one of the host's, or leave it out for all of them." % (text(host), why))


def together(wants: Sequence[Want]) -> List[Want]:
    """Tell the exclusive ones what else their owner has in the task. Raises `Invalid` where a port is asked for twice, or asked to be gone as
    well."""
    keep: Dict[Tuple[NsRef, str], List[Tuple[int, str, str, str, bool]]] = {}
    listed: Dict[Tuple[NsRef, str, int], List[PortMapping]] = {}
    for want in wants:
        if want.present:
            keep.setdefault((want.ns, want.owner), []).extend(mapping.identity for mapping in want.mappings)
            for mapping in want.mappings:
                listed.setdefault((want.ns, mapping.protocol, mapping.family), []).append(mapping)
    for mappings in listed.values():
        near: List[PortMapping] = []
        for mapping in sorted(mappings, key=lambda mapping: mapping.first):
            near = [other for other in near if other.last >= mapping.first]
            for other in near:
                if mapping.overlaps(other):
                    raise Invalid(
                        "host_port: %s port %s is asked for twice, by '%s' and by '%s'."
                        % (mapping.protocol, mapping.ports, other.owner, mapping.owner)
                    )
            near.append(mapping)
    kept = {key: frozenset(names) for key, names in keep.items()}
    for want in wants:
        here = kept.get((want.ns, want.owner), frozenset())
        gone = here.intersection(mapping.identity for mapping in want.mappings) if want.mappings else here
        if gone and not want.present:
            raise Invalid("The %s is asked for, and asked to be gone; list it once." % subject(want))
    leaving = _leaving(wants, kept)
    return [
        replace(want, keep=kept.get((want.ns, want.owner), frozenset()), leaving=leaving.get(want.ns, {}))
        for want in wants
    ]


def _leaving(wants: Sequence[Want], kept: Mapping[Tuple[NsRef, str], Identities]) -> Dict[NsRef, Dict[str, Leaving]]:
    """Return by namespace what owners give up in a task."""
    named: Dict[Tuple[NsRef, str], List[Tuple[int, str, str, str, bool]]] = {}
    whole: Dict[Tuple[NsRef, str], None] = {}
    for want in wants:
        if want.exclusive or not (want.present or want.mappings):
            whole[want.ns, want.owner] = None
        elif not want.present:
            named.setdefault((want.ns, want.owner), []).extend(mapping.identity for mapping in want.mappings)
    found: Dict[NsRef, Dict[str, Leaving]] = {}
    for ns, owner in {**whole, **dict.fromkeys(named)}:
        keep = kept.get((ns, owner), frozenset()) if (ns, owner) in whole else None
        found.setdefault(ns, {})[owner] = Leaving(frozenset(named.get((ns, owner), ())), keep)
    return found


def subject(want: Want) -> str:
    """Return the object in a few words."""
    where = " in %s" % want.ns if want.ns.path else ""
    if not want.mappings:
        return "ports of %s%s" % (want.owner, where)
    first, last = want.mappings[0], want.mappings[-1]
    ports = replace(first, last=last.last).ports
    host = "" if first.host_ip == EVERYWHERE[first.family] else addressing.bracketed(first.host_ip) + ":"
    return "port %s%s/%s%s%s" % (
        host,
        ports,
        first.protocol,
        " (IPv6)" if first.family == 6 and not host else "",
        where,
    )
