# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's variables, compiled to each module's list of items, in order. Pure; on the controller or on a target."""

from __future__ import annotations

import collections
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.addressing import overlapping
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, meant
from ansible_collections.linuxnet.containers.plugins.module_utils._model.lasting import DRIFTS
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.attachments import REFERENCE, REFERENCES
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.containers import Container
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.links import End, Link
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.networks import Network
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.steps import (
    KEEP,
    TEARDOWN,
    WIRE,
    Item,
    Plan,
    empty_plan,
    rewired,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.variables import ON_PARENT, SHARED, entries

_ANY_ADDRESS = {
    "ipv4": "192.0.0.8",
    "ipv6": "100::1",
}  # no host has them: RFC 7600's dummy address, RFC 6666's discard prefix


def compile_plan(
    networks: Sequence[Mapping[str, Any]],
    containers: Sequence[Mapping[str, Any]],
    state: str = "present",
    persist: Optional[bool] = None,
    purge: bool = False,
    drift: str = "ignore",
    fleet: Any = None,
    underlay_address: Optional[str] = None,
    slice_number: Optional[int] = None,
    links: Any = None,
) -> Plan:
    """Return the plan for the role's variables: by half and step the items, ``[]`` for a step that is not needed. Raises `Invalid`.

    ``state`` absent takes down everything listed, whatever the items' own state says. ``persist``: the host is to keep what is to be there, with
    ``purge`` nothing else; False: it is not to keep what is listed; None: it keeps nothing, or nobody asks. ``drift``: what a host that keeps it does
    where it is not as kept, one of `lasting.DRIFTS`. ``fleet``: the hosts that share networks, of which this one has ``underlay_address``, and the
    number ``slice_number`` if it has one. ``links`` are between two containers of the list.
    """
    absent = state == "absent"
    if drift not in DRIFTS:
        raise Invalid("wiring_drift: '%s' is none of %s." % (drift, ", ".join(DRIFTS)))
    if drift != "ignore" and not persist:
        raise Invalid("wiring_drift: %s is for a host that keeps its wiring; set wiring_persist: true." % drift)
    checked_networks = _networks(_shared(networks, fleet, underlay_address, slice_number), absent, bool(fleet))
    checked_links = _links(links, absent)
    checked_containers = _containers(containers, checked_networks, absent, checked_links)
    plan = empty_plan()
    for network in checked_networks.values():
        _add_network(plan, network)
    used = {item["name"] for item in plan[WIRE]["link"]}
    plan[TEARDOWN]["link"] = [item for item in plan[TEARDOWN]["link"] if item["name"] not in used]
    used = {network.vrf for network in checked_networks.values() if network.present}
    plan[TEARDOWN]["vrf"] = [item for item in plan[TEARDOWN]["vrf"] if item["name"] not in used]
    for container in _joined_first(checked_containers):
        _add_container(plan, container, absent)
    sysctls = {container.name: container.spec["sysctls"] for container in checked_containers.values()}
    for link in checked_links:
        if link.present:
            plan[WIRE]["veth"].append(link.pair(sysctls))
            plan[WIRE]["address"].extend(link.addresses())
        else:
            plan[TEARDOWN]["veth"].append(link.no_pair())
    # A check ends when the pair is gone, in a task that there is anyway, if there is one.
    half = WIRE if plan[WIRE]["nat"] else TEARDOWN
    for container in checked_containers.values():
        if not container.present or container.mode != "bridge":
            plan[half]["nat"].extend(container.no_checks())
    _add_listed(plan, checked_containers.values())
    down = plan[TEARDOWN]
    for item in [*down["bridge"], *(rule for rule in down["nat"] if "goes_with" in rule)]:
        item.update(rewired(plan))
    if persist and any(link.present for link in checked_links):
        raise Invalid(
            "wiring_persist: links between containers are not brought back at boot; that is not built yet. Leave wiring_persist out, or give "
            "wiring_links, with its containers, to a run of the role of its own."
        )
    if persist is not None:
        _add_persistence(plan, checked_networks, checked_containers, persist, purge, drift)
    return plan


def _add_listed(plan: Plan, containers: Iterable[Container]) -> None:
    """Tell the items that are about a whole network who is on it in these lists."""
    there: Dict[str, List[str]] = collections.defaultdict(list)
    for container in containers:
        for name in {attachment.network.name for attachment in container.attachments if container.present}:
            there[name].append(container.name)
    for item in plan[WIRE]["bridge"]:
        item["listed"] = there[item["name"]]
    for item in plan[WIRE]["nat"]:
        if item.get("type", "masquerade") in ("filter", "masquerade", "snat"):
            item["listed"] = there[item["owner"]]


def _add_persistence(
    plan: Plan,
    networks: Mapping[str, Network],
    containers: Mapping[str, Container],
    persist: bool,
    purge: bool,
    drift: str,
) -> None:
    """Add what the host is to keep, and what it is to keep no longer. What it cannot keep raises `Invalid`."""
    if not persist:
        if networks or containers or purge:
            plan[WIRE][KEEP].append({"forget_networks": [*networks], "forget_containers": [*containers], "only": purge})
        return
    kept_networks = [network for network in networks.values() if network.present]
    kept_containers = [container for container in containers.values() if container.present]
    for network in kept_networks:
        if network.unmanaged and network.bridged:
            raise Invalid(
                "wiring_persist: network '%s': an unmanaged bridge is not there yet when the wiring is brought back at boot; "
                "that is not built yet." % network.name
            )
        if network.vrf and network.vrf_table is None:
            raise Invalid(
                "wiring_persist: network '%s': the host's own vrf is not there yet when the wiring is brought back at boot; "
                "give its vrf_table, and it is made then." % network.name
            )
    for container in kept_containers:
        if container.engine == "pid":
            raise Invalid(
                "wiring_persist: container '%s': a process ID means nothing after a reboot; give its engine, or have it start in "
                "NetworkNamespacePath=/run/netns/%s or the like." % (container.name, container.name)
            )
    plan[TEARDOWN][KEEP].append(
        {
            "forget_networks": [network.name for network in networks.values() if not network.present],
            "forget_containers": [container.name for container in containers.values() if not container.present],
            "stay_networks": [network.name for network in kept_networks],
            "stay_containers": [container.name for container in kept_containers],
            "only": purge,
            "keeps": True,
        }
    )
    if kept_networks or kept_containers:
        plan[WIRE][KEEP].append(
            {
                "networks": [dict(network.spec) for network in kept_networks],
                "containers": [container.entry() for container in kept_containers],
                "keeps": True,
                "drift": drift,
            }
        )


def _listed(variable: str, given: Any, absent: bool) -> List[Dict[str, Any]]:
    """Return the entries of a list; with ``absent`` all of them are to be gone, whatever they say."""
    return [dict(spec, state="absent") if absent else spec for spec in entries(variable, given)]


def _shared(networks: Any, fleet: Any, underlay_address: Optional[str], slice_number: Optional[int]) -> Any:
    """Return the list of networks with the hosts that share them in those that are shared, and say nothing of that themselves. Raises `Invalid`."""
    if not fleet:
        return networks
    # Here and not above: of use to few tasks.
    from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import fleet as hosts

    listed = hosts.entries(fleet)
    told = {"fleet": listed, "underlay_address": underlay_address}
    found = [
        spec if spec["driver"] not in SHARED or spec.get("fleet") else {**spec, **told}
        for spec in entries("networks", networks)
    ]
    if any(spec.get("fleet") is listed for spec in found):
        hosts.this_host(hosts.members(listed), underlay_address, slice_number)
    return found


def _networks(given: Any, absent: bool, shares: bool = False) -> Dict[str, Network]:
    """Return the networks by name, in order. What is to be gone is in nobody's way. ``shares``: the host shares networks. Raises `Invalid`."""
    networks = [_network(spec, shares) for spec in _listed("networks", given, absent)]
    _check_unique("networks", [network.name for network in networks])
    _check_parents(networks)
    _check_vrfs(networks)
    subnets = [(network, net) for network in networks if network.present for net in network.claims]
    for number, (network, net) in enumerate(subnets if overlapping([net for dummy, net in subnets]) else ()):
        for earlier, taken in subnets[:number]:
            if earlier is not network and net.overlaps(taken):
                raise Invalid(
                    "wiring_networks: %s of network '%s' overlaps %s of network '%s'."
                    % (net, network.name, taken, earlier.name)
                )
    return {network.name: network for network in networks}


def _network(spec: Mapping[str, Any], shares: bool) -> Network:
    """Return the network of an entry in canonical form. Raises `Invalid`."""
    # Here and not above: of use to few tasks.
    if spec["driver"] in ON_PARENT:
        from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.parent_networks import OnParent

        return OnParent(spec, shares)
    if shares or spec["driver"] in SHARED:
        from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.shared_networks import network_of

        return network_of(spec, shares)
    return Network(spec)


def _check_parents(networks: Iterable[Network]) -> None:
    """Raise `Invalid` where networks on one parent do not go together: its frames go to links of one kind, and the kernel has one mode for all ipvlans."""
    seen: Dict[str, Network] = {}
    for network in networks:
        if network.bridged or not network.present:
            continue
        other = seen.setdefault(network.parent, network)
        for option, whole in (("driver", True), ("mode", network.spec["driver"] == "ipvlan")):
            mine, theirs = network.spec.get(option), other.spec.get(option)
            if mine != theirs and (whole or "passthru" in (mine, theirs)):
                raise Invalid(
                    "wiring_networks: network '%s': %s: network '%s' is on %s with another one, and they are the same for all on it."
                    % (network.name, option, other.name, network.parent)
                )


def _check_vrfs(networks: Iterable[Network]) -> None:
    """Raise `Invalid` where a vrf is to have two tables, or a table two vrfs."""
    tables: Dict[Optional[str], Network] = {}
    vrfs: Dict[int, Network] = {}
    for network in networks:
        if network.vrf_table is None or not network.present:
            continue
        first, other = tables.setdefault(network.vrf, network), vrfs.setdefault(network.vrf_table, network)
        text = "wiring_networks: network '%s': vrf_table: "
        if first.vrf_table != network.vrf_table:
            text += "vrf '%s' has %d, says network '%s'."
            raise Invalid(text % (network.name, network.vrf, first.vrf_table, first.name))
        if other.vrf != network.vrf:
            text += "%d is that of vrf '%s' of network '%s'."
            raise Invalid(text % (network.name, network.vrf_table, other.vrf, other.name))


def _links(given: Any, absent: bool) -> List[Link]:
    """Return the links, in order. Raises `Invalid`."""
    links = [Link(spec, number + 1) for number, spec in enumerate(_listed("links", given, absent))]
    ends: Dict[Tuple[str, str], str] = {}
    names: Set[str] = set()
    for link in links:
        if link.name in names:
            raise Invalid("wiring_links: '%s' is listed twice." % link.name)
        names.add(link.name)
        for end in link.ends if link.present else ():
            other = ends.setdefault((end.container, end.interface), link.name)
            if other != link.name:
                raise end.refusal("%s is an end of link '%s' already." % (end.label, other))
    return links


def _containers(
    given: Any, networks: Mapping[str, Network], absent: bool, links: Sequence[Link] = ()
) -> Dict[str, Container]:
    """Return the containers by name, in order. Raises `Invalid`."""
    ends: Dict[str, List[End]] = collections.defaultdict(list)
    for end in (end for link in links if link.present for end in link.ends):
        ends[end.container].append(end)
    linked = {end.container for link in links for end in link.ends}
    containers = [
        Container(spec, networks, ends.pop(spec["name"], ()), spec["name"] in linked)
        for spec in _listed("containers", given, absent)
    ]
    for name, (end, *dummy) in ends.items():
        hint = meant(name, [container.name for container in containers])
        text = "there is no container '%s' in wiring_containers" % name
        raise end.refusal(text + ("; " + hint if hint else "."))
    _check_unique("containers", [container.name for container in containers])
    by_name = {container.name: container for container in containers}
    for container in containers:
        if container.present:
            container.check_joined(by_name)
    wired = [container for container in containers if container.present and container.mode == "bridge"]
    _check_apart(wired, [network for network in networks.values() if network.present])
    return by_name


def _check_apart(containers: Sequence[Container], networks: Sequence[Network]) -> None:
    """Raise `Invalid` where two interfaces on a network are to have one address, or two of the host one name, or one is to be the port of two networks."""
    seen: Dict[Tuple[str, str], str] = {("", network.name): "network '%s'" % network.name for network in networks}
    for network in networks:
        for item in network.trunks:
            who = "network '%s'" % network.name
            other = seen.setdefault(("", item["interface"]), who) if item.get("state") != "absent" else who
            if other != who:
                text = "wiring_networks: %s: ports: %s is that of %s already."
                raise Invalid(text % (who, item["interface"], other))
    for container in containers:
        who = "container '%s'" % container.name
        for attachment in container.attachments:
            name = attachment.network.name
            keys = {option: (name, value) for option, value in attachment.fixed().items()}
            if attachment.host_end:
                keys["host_interface"] = ("", attachment.host_end)
            for option, key in keys.items():
                other = seen.setdefault(key, who)
                if other is not who:
                    where = " on network '%s'" % name if key[0] else ""
                    raise Invalid(
                        "wiring_containers: %s: %s: %s is that of %s%s already." % (who, option, key[1], other, where)
                    )


def _check_unique(variable: str, names: Sequence[str]) -> None:
    seen: Set[str] = set()
    for name in names:
        if name in seen:
            raise Invalid("wiring_%s: '%s' is listed twice." % (variable, name))
        seen.add(name)


def _joined_first(containers: Mapping[str, Container]) -> List[Container]:
    """Return the containers, each after the container whose namespace it shares; otherwise in the order they are listed. Of a circle,
    which only absent containers can make, the last one comes first."""
    ordered: Dict[str, Container] = {}
    for container in containers.values():
        path = {container.name: container}
        joined = containers.get(container.joined)
        while joined is not None and joined.name not in ordered and joined.name not in path:
            path[joined.name] = joined
            joined = containers.get(joined.joined)
        ordered.update(reversed(list(path.items())))
    return list(ordered.values())


def _add_network(plan: Plan, network: Network) -> None:
    present = network.present
    half = plan[WIRE if present else TEARDOWN]
    rules = network.nat(present)
    half["nat"].extend(rules if present else [dict(item, goes_with=network.name) for item in rules])
    known = [item["name"] for item in half["vrf"]]
    half["vrf"].extend(item for item in network.vrfs(present) if item["name"] not in known)
    half["bridge"].extend(network.bridge(present))
    for step, items in network.ended().items():
        plan[TEARDOWN][step].extend(items)
    if present:
        half["link"].extend(network.links())
        half["gateway"].extend(network.gateways())
        half["bridge_port"].extend(network.ports())
        half["route"].extend(network.routes())


def _add_container(plan: Plan, container: Container, all_absent: bool) -> None:
    down, wire = plan[TEARDOWN], plan[WIRE]
    wired = container.present and container.mode == "bridge"
    if not wired:  # what an earlier run gave it goes
        down["publish"].extend(container.nat(present=False))
    if not wired or not container.attachments:
        down["veth"].extend(dict(item, state="absent") for item in container.bare_pairs())
    if not container.present:
        # An entry that is left to say that one is absent need not say what has its namespace, which may live on.
        if not all_absent or container.may_outlive:
            down["route"].extend(container.no_routes())
        if container.loopback_addresses and container.may_outlive:
            down["address"].extend(container.loopback(present=False))
        down["netns"].insert(0, {"name": container.name, "state": "absent"})  # those that share a namespace first
        return
    wire["join" if container.shares else "netns"].append(container.netns())
    if wired:
        for step, item in container.interfaces():
            wire[step].append(item)
        wire["route"].extend(container.routes())
        # What it published and is not to publish any more ends before anything is wired.
        wire["nat"].extend([] if container.ports else container.nat(present=False))
        wire["nat"].extend(container.checks())
        wire["publish"].extend(container.nat(present=True))
        wire["publish"].extend(attachment.check_given() for attachment in container.attachments if attachment.checked)
    else:
        wire["route"].extend(container.routes() if container.ends else container.no_routes())
    if not container.shares:
        wire["address"].extend(container.loopback())


def publishing(items: Sequence[Item], closed: Sequence[Mapping[str, Any]], given: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether the step `publish` has anything to do with its items: ports to publish, or, as the results of the step `nat` tell, ports of
    others, which may lead to an address that was given to somebody else by now, or addresses that were let through a while longer; or checks of ports,
    where that step changed one that was there before, or, with addresses from pools, any, or the step `address`, as its results
    (``given``) tell, changed anything."""
    checks = [result for result in closed if result.get("after", {}).get("type") == "spoof_check"]
    asked = [item for item in items if item.get("type") == "spoof_check"]
    if not any(item.get("pools") for item in asked):
        checks, given = [result for result in checks if result.get("before")], ()
    return (
        any("host_port" in item for item in items)
        or any(
            result.get("failed") or result.get("published_besides") or result.get("held_besides") for result in closed
        )
        or (bool(asked) and any(result.get("failed") or result.get("changed") for result in (*checks, *given)))
    )


def resolved(
    items: Sequence[Item], addresses: Optional[Sequence[Mapping[str, Any]]], partly: bool = False
) -> List[Item]:
    """Return nat items with the addresses that the step `address` gave in place of the references to them, and of the containers whose
    ``addresses`` they ask for.

    ``addresses`` are that step's results; None, where it has not run, stands for any. Raises `Invalid` for a reference that is to none
    of them; ``partly``: that one stays.
    """
    given = [result["after"] for result in addresses or () if result.get("after")]
    known = {REFERENCE % after: after["ip"] for after in given}
    held: Dict[str, List[str]] = collections.defaultdict(list)
    for after in given:
        held[after["netns"]].append(after["ip"])
        held[REFERENCE % after].append(after["ip"])  # an interface may have several of a family
    found = []
    for item in items:
        if item.get("type") == "spoof_check":
            item = _let_through(item, held)
        elif "addresses" in item:
            item = dict(item, addresses=[ip for name in item["addresses"] for ip in held[name]])
        match = REFERENCES.fullmatch(str(item.get("to_address")))
        if match is not None:
            ip = _ANY_ADDRESS[match["family"]] if addresses is None else known.get(match[0])
            if ip is None and not partly:
                raise Invalid(
                    "published_ports: container '%(netns)s' got no %(family)s address on %(interface)s."
                    % match.groupdict()
                )
            item = dict(item, to_address=ip or match[0])
        found.append(item)
    return found


def _let_through(item: Item, held: Mapping[str, Sequence[str]]) -> Item:
    """Return the item of a check with the addresses that were given in place of the references to them."""
    if "addresses" not in item:
        return item
    found = [held.get(text, ()) if REFERENCES.fullmatch(text) else [text] for text in item["addresses"]]
    return dict(item, addresses=[address for addresses in found for address in addresses])
