# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What failed, and what is left out for it: an item that fails stops those that stand on what it was to make, and no others. Pure.

Results are by half and step, one for each item of the plan that was taken, in order: those that were left out have none.
"""

from __future__ import annotations

import ipaddress
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import owner_mark
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.attachments import REFERENCES, host_end
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.steps import (
    KEEP,
    TEARDOWN,
    WIRE,
    Item,
    Plan,
    cable_name,
    is_network_s,
    network_by_name,
    network_of,
)

Results = Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]  # by half and step
Thing = Tuple[str, ...]  # what an item makes, and others stand on


@dataclass(frozen=True)
class Fate:
    """What became of the items of a step: the numbers of those that were ``taken`` or are to be, of those that were ``left`` out, and of
    those that ``failed``, each with its result."""

    step: str
    taken: List[int]
    left: List[int]
    failed: Dict[int, Mapping[str, Any]]


def able(plan: Plan, half: str, step: str, results: Results) -> List[int]:
    """Return the numbers of the items of a step that stand on nothing that failed in the steps before it."""
    if any(result.get("failed") for listed in results.get(half, {}).values() for result in listed):
        return next(fate.taken for fate in _fates(plan[half], results[half]) if fate.step == step)
    return list(range(len(plan[half][step])))


def message(plan: Plan, results: Results) -> str:
    """Return who failed at which step and why, and what was left out for that; ``""`` where nothing failed."""
    failed, out = _told(plan, results)
    if not failed:
        return ""
    text = "Failed: %s" % " ".join([failed[0], *(reason[:1].upper() + reason[1:] for reason in failed[1:])])
    return "%s Left out for that: %s." % (text, "; ".join(out)) if out else text


def told(plan: Plan, results: Results) -> List[str]:
    """Return the same in a sentence for each who failed, and one for each who was left out."""
    failed, out = _told(plan, results)
    return [reason[:1].upper() + reason[1:] for reason in failed] + ["Left out for that: %s." % one for one in out]


def _told(plan: Plan, results: Results) -> Tuple[List[str], List[str]]:
    """Return (who failed at which step and why, who was left out of which steps)."""
    failed: List[str] = []
    left: Dict[str, Dict[str, None]] = {}
    for half in (TEARDOWN, WIRE):
        known, where = _Half(plan[half]), " of the teardown" if half == TEARDOWN else ""
        for fate in _fates(plan[half], results.get(half, {})):
            items = plan[half][fate.step]
            for number, result in fate.failed.items():
                who = known.subject(fate.step, items[number])
                failed.append("%s at step %s%s: %s: %s" % (who, fate.step, where, result["item"], result["msg"]))
            for number in fate.left:
                if items[number].get("type") == "spoof_check":
                    continue  # what it was to let through is named already
                left.setdefault(known.subject(fate.step, items[number]), {})[fate.step + where] = None
    return failed, ["%s (%s)" % (subject, ", ".join(steps)) for subject, steps in left.items()]


def outcomes(plan: Plan, results: Results) -> Dict[Tuple[str, str], List[Tuple[str, Mapping[str, Any]]]]:
    """Return (step, result) by whose they are: (``network`` or ``container``, name), in order."""
    found: Dict[Tuple[str, str], List[Tuple[str, Mapping[str, Any]]]] = {}
    for whose, dummy, step, result in told_apart(plan, results):
        if result is not None:
            found.setdefault(whose, []).append((step, result))
    return found


def told_apart(plan: Plan, results: Results) -> Iterator[Tuple[Tuple[str, str], str, str, Optional[Mapping[str, Any]]]]:
    """Yield of each item that was taken or left out, in order: whose it is, as `outcomes` has it, its half and step, and its result, None where it was
    left out."""
    for half in (TEARDOWN, WIRE):
        known = _Half(plan[half])
        for fate in _fates(plan[half], results.get(half, {})):
            done = dict(zip(fate.taken, results.get(half, {}).get(fate.step, ())))
            for number in sorted([*done, *fate.left]):
                kind, dummy, name = known.subject(fate.step, plan[half][fate.step][number]).partition(" '")
                yield (kind, name[:-1]), half, fate.step, done.get(number)


def _fates(steps: Mapping[str, Sequence[Item]], done: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[Fate]:
    """Yield what became of the items of each step of a half, in order."""
    known = _Half(steps)
    broken: Set[Thing] = set()
    for step, items in steps.items():
        left = [number for number, item in enumerate(items) if broken and broken & known.needed(step, item)]
        out = {*left}
        taken = [number for number in range(len(items)) if number not in out]
        failed = {number: result for number, result in zip(taken, done.get(step, ())) if result.get("failed")}
        yield Fate(step, taken, left, failed)
        broken |= {thing for number in (*left, *failed) for thing in known.made(step, items[number])}


class _Half:
    """The items of a half by step: whose they are, what they make, and what they stand on."""

    def __init__(self, steps: Mapping[str, Sequence[Item]]) -> None:
        self._networks = network_by_name(steps)
        self._bridges: Dict[str, str] = {item["interface"]: item["bridge"] for item in steps.get("bridge_port", ())}
        pairs = [item for item in steps["veth"] if not item.get("cable")]
        self._pairs: Dict[str, Item] = {host_end(item): item for item in pairs} if self._bridges else {}
        self._owners: Dict[str, str] = {owner_mark(item["peer_netns"]): item["peer_netns"] for item in pairs}
        self._parents = {item["name"] for item in steps["link"] if item.get("kind") == "vlan"}
        self._addresses: Dict[str, List[Item]] = {}
        for item in steps.get("address", ()):
            self._addresses.setdefault(item["netns"], []).append(item)

    def subject(self, step: str, item: Item) -> str:
        """Return whose item it is, as the lists call it."""
        if step == KEEP:
            return "wiring_persist"
        network = network_of(step, item, self._networks)
        if network:
            return "network '%s'" % network
        if step == "veth" and cable_name(item):
            return "link '%s'" % cable_name(item)
        if step == "bridge_port":
            item = self._pairs.get(item["interface"], {"name": item["interface"]})
        name = next(item[option] for option in ("peer_netns", "netns", "owner", "name") if item.get(option))
        return "container '%s'" % name

    def made(self, step: str, item: Item) -> List[Thing]:
        """Return what is not there, or not safe, without the item."""
        if step in ("netns", "join"):
            return [("container", item["name"])]
        if step == "vrf":
            return [("vrf", item["name"])]
        if step == "bridge":
            return [("network", item["name"])]
        if is_network_s(step, item):  # without isolation, or NAT, nobody may be on it
            return [("network", item["owner"])]
        if step == "nat" and item.get("type") == "spoof_check":  # nor who is not checked
            return [("checked", item["owner"])]
        if step == "link" and item.get("netns"):
            return [("interface", item["netns"], item["name"]), ("paired", item["netns"])]
        if step == "link":
            own = [("parent", item["name"])] if item["name"] in self._parents else []
            return [("link", network_of(step, item, self._networks)), *own]
        if step == "gateway":
            return [("gateway", item["interface"], _version(item))]
        if step == "veth" and item.get("cable"):
            return [("interface", item["netns"], item["name"]), self._interface(item)]
        if step == "veth":
            return [self._interface(item), ("paired", item["peer_netns"])]
        if step == "bridge_port" and item["interface"] in self._pairs:
            return [self._interface(self._pairs[item["interface"]])]
        if step == "address":
            return [("address", item["netns"], item["interface"], _version(item))]
        # Of a teardown that it is safe to go on: nobody else is to be given an address that a port is still published to.
        return [("unpublished", item["owner"])] if step == "publish" else []

    def needed(self, step: str, item: Item) -> Set[Thing]:
        """Return what an item stands on."""
        if is_network_s(step, item):
            # A tunnel is open to anybody once its rule is gone.
            return {("network", item["owner"]), *([("link", item["owner"])] if item.get("type") == "tunnel" else [])}
        if step == "bridge":
            return {("vrf", item["master"])} if item.get("master") else set()
        network = network_of(step, item, self._networks)
        if step == "route" and network:
            where = {network, item.get("interface") or network}
            gateway = [("gateway", name, _version(item)) for name in where] if item.get("source") else []
            return {("network", network), ("link", network), *gateway} if gateway else set()
        if item.get("type") == "spoof_check":
            if item.get("state") != "absent":
                return set()  # it lets through those addresses that were given
            owner = self._owners.get(item["owner"], str(item["owner"]))
            return {("unpublished", owner), ("paired", owner)}  # as long as it is wired it is checked
        if step == "link" and item.get("netns"):
            return {("container", item["netns"]), ("parent", item.get("parent") or ""), *self._safe(item["netns"])}
        if step in ("link", "gateway"):
            own = step == "link" or item["interface"] == network
            return {("network", network), *([] if own else [("link", network)])}
        if step == "bridge_port" and network:
            return {("network", network), ("link", network)}
        if step == "veth" and item.get("cable"):
            return {("container", item["netns"]), ("container", item["peer_netns"])}
        if step == "veth":
            bridge = item.get("bridge") or self._bridges.get(host_end(item), "")
            return {("container", item["peer_netns"]), ("network", bridge), *self._safe(item["peer_netns"])}
        if step == "bridge_port" and item["interface"] in self._pairs:
            return {self._interface(self._pairs[item["interface"]])}
        if step == "address":
            return {
                ("container", item["netns"]),
                ("interface", item["netns"], item["interface"]),
                ("gateway", item.get("bridge") or "", _version(item)),
            }
        if step == "route":
            return {("container", item["netns"]), ("unpublished", item["netns"]), *self._way(item)}
        if step == "publish":
            match = REFERENCES.fullmatch(str(item.get("to_address")))
            return {("address", match["netns"], match["interface"], match["family"])} if match else set()
        if step == "netns":
            return {("unpublished", item["name"])}
        return {("container", item["share"])} if step == "join" else set()

    @staticmethod
    def _interface(pair: Item) -> Thing:
        return ("interface", pair["peer_netns"], pair.get("peer_name") or "")

    @staticmethod
    def _safe(container: str) -> Set[Thing]:
        """Return what a container's pair stands on beside what it connects."""
        return {("unpublished", container), ("checked", container)}

    def _way(self, route: Item) -> Iterator[Thing]:
        """Yield the interfaces and addresses that a route leads by."""
        for hop in (route, *(route.get("nexthops") or ())):
            if hop.get("interface"):
                yield ("interface", route["netns"], hop["interface"])
            for item in self._addresses.get(route["netns"], ()) if hop.get("gateway") else ():
                if hop.get("interface", item["interface"]) == item["interface"] and _within(item, hop["gateway"]):
                    yield ("address", item["netns"], item["interface"], _version(item))


def _version(item: Item) -> str:
    """Return the family of an item's address."""
    return "ipv6" if ":" in (_cidr(item) or str(item.get("source") or "")) else "ipv4"


def _cidr(item: Item) -> str:
    """Return the address that an item gives, or the subnet that it gives one of."""
    return str(item.get("address") or item.get("pool") or "")


def _within(item: Item, gateway: Any) -> bool:
    """Return whether a gateway is in the subnet that an item gives an address of."""
    try:
        return ipaddress.ip_address(gateway) in ipaddress.ip_network(_cidr(item), strict=False)
    except ValueError:  # what the module refuses
        return False
