# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Networks and containers, compiled to each module's list of items, in order. Pure; on the controller or on a target.

The result has two halves, each the steps of one chain: ``teardown`` (what is to be gone, from the outside in) and ``wire``
(what is to be there, as a person would do it by hand; at the end ``join``, the names that mean another's namespace). An empty
list is a step that is not needed.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Optional, Sequence

from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.containers import Container
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.networks import Item, Network

TEARDOWN = ("nat", "route", "veth", "netns", "bridge")
WIRE = ("netns", "bridge", "gateway", "veth", "bridge_port", "address", "route", "nat", "join")


def _owners_first(by_name: Mapping[str, Container]) -> List[Container]:
    """Return the containers, each after the one whose namespace it joins; otherwise in the order they are listed."""
    ordered: Dict[str, Container] = {}
    for box in by_name.values():
        chain = [box]
        while chain[-1].owner in by_name and chain[-1].owner not in ordered:
            if by_name[chain[-1].owner] in chain:  # a circle, which containers that are to be absent may make
                break
            chain.append(by_name[chain[-1].owner])
        ordered.update((one.name, one) for one in reversed(chain))
    return list(ordered.values())


def _unique(kind: str, names: Sequence[str]) -> None:
    for place, name in enumerate(names):
        if name in names[:place]:
            raise Invalid("wiring_%s: '%s' is listed twice." % (kind, name))


def compile_plan(
    networks: Sequence[Mapping[str, Any]], containers: Sequence[Mapping[str, Any]], state: str = "present"
) -> Dict[str, Dict[str, List[Item]]]:
    """Return ``{"teardown": {step: items}, "wire": {step: items}}`` for the role's variables. Raises `Invalid`.

    ``state`` absent takes down everything listed, whatever the items' own state says.
    """
    nets = [Network(spec, number) for number, spec in enumerate(networks)]
    _unique("networks", [net.name for net in nets])
    everything = [(net, subnet.net) for net in nets for subnet in net.subnets]
    for number, (net, one) in enumerate(everything):
        for other, another in everything[:number]:
            if other is not net and one.overlaps(another):
                raise Invalid(
                    "wiring_networks: %s of network '%s' overlaps %s of network '%s'."
                    % (one, net.name, another, other.name)
                )
    boxes = [Container(spec, number, {net.name: net for net in nets}) for number, spec in enumerate(containers)]
    _unique("containers", [box.name for box in boxes])
    by_name = {box.name: box for box in boxes}
    for box in boxes:
        if state != "absent" and box.present:
            box.check_owner(by_name)

    down: Dict[str, List[Item]] = {step: [] for step in TEARDOWN}
    wire: Dict[str, List[Item]] = {step: [] for step in WIRE}
    for net in nets:
        if state == "absent" or not net.present:
            down["nat"].extend(net.nat(present=False))
            if not net.unmanaged:
                down["bridge"].append({"name": net.name, "state": "absent"})
            continue
        if not net.unmanaged:
            wire["bridge"].append({"name": net.name, "mtu": str(net.spec.get("mtu") or "auto")})
            for subnet in net.subnets:
                gateway: Item = {"interface": net.name, "address": "%s/%d" % (subnet.gateway, subnet.net.prefixlen)}
                wire["gateway"].append(
                    dict(gateway, state="absent")
                    if net.internal
                    else dict(gateway, bridge=net.name, nodad=True, supersede=True)
                )
        wire["nat"].extend(net.nat(present=True))
    for box in _owners_first(by_name):
        gone = state == "absent" or not box.present
        if gone or box.mode != "bridge":
            down["nat"].extend(box.nat(gone=True))
            down["route"].extend(box.ruled_routes())
            bare = [box.veth(one) for one in box.attachments] or [
                {"peer_netns": box.name, "peer_name": "eth0", "exclusive": True}
            ]
            down["veth"].extend(dict(item, state="absent") for item in bare)
        if gone:
            down["netns"].insert(0, {"name": box.name, "state": "absent"})
            continue
        wire["join" if box.joins else "netns"].append(box.netns())
        if box.mode == "bridge":
            for place in box.attachments:
                wire["veth"].append(box.wired_veth(place))
                wire["address"].extend(box.addresses(place))
                port = box.port(place)
                if port is not None:
                    wire["bridge_port"].append(port)
            wire["route"].extend(box.routes())
            wire["nat"].extend(box.nat(gone=False))
    return {"teardown": down, "wire": wire}


_REFERENCE = re.compile(r"(.+)/([^/]+)/(ipv[46])")
_EXAMPLE = {"ipv4": "192.0.2.1", "ipv6": "2001:db8::1"}  # RFC 5737, RFC 3849


def resolved(items: Sequence[Item], addresses: Optional[Sequence[Mapping[str, Any]]]) -> List[Item]:
    """Return nat items with the addresses that the step ``address`` gave in place of ``CONTAINER/INTERFACE/FAMILY``.

    ``addresses`` are that step's results; None, where it has not run, stands for any. Raises `Invalid`.
    """
    known = {
        "%(netns)s/%(interface)s/%(family)s" % entry["after"]: entry["after"]["ip"]
        for entry in addresses or ()
        if entry.get("after")
    }
    found = []
    for item in items:
        match = _REFERENCE.fullmatch(str(item.get("to_address")))
        if match is not None:
            ip = _EXAMPLE[match[3]] if addresses is None else known.get(match[0])
            if ip is None:
                raise Invalid(
                    "published_ports: container '%s' got no %s address on %s." % (match[1], match[3], match[2])
                )
            item = dict(item, to_address=ip)
        found.append(item)
    return found
