# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What this collection or ``ip netns`` made and whose owner is gone, each with what shows it. Reads, and never changes."""

from __future__ import annotations

from typing import Any, Dict, Iterator

from ansible_collections.linuxnet.containers.plugins.module_utils._model.link_kinds import SHARING
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import NETNS_DIRECTORY, tunnel_interface
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import is_own_link
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.host_view import HostView
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.owned_rules import OwnedRules

_STALE_NAMES = {
    "empty": "a plain file, left by a reboot or by an 'ip netns add' that failed",
    "dangling": "a symbolic link to nowhere",
}


def orphans(view: HostView, rules: OwnedRules) -> Iterator[Dict[str, Any]]:
    """Yield ``{kind, name, netns, why}``, of a name also its ``target``: names, then pairs, then other links, then rules of source NAT, then forwarding,
    then what people put among our rules."""
    yield from _names(view)
    yield from _pairs(view)
    yield from _links(view)
    if view.whole:
        yield from _tunnels(view, rules)
        yield from _rules(view, rules)
        for family in rules.forwarding():
            yield _orphan("forwarding", "ipv%d" % family, "it was switched on for rules of ours, and none is left")
        for one in rules.by_hand():
            why = "somebody put it among our rules; '%s' %s it" % (one.shown, "removes" if one.words else "shows")
            yield _orphan("by_hand", one.said, why)


def _names(view: HostView) -> Iterator[Dict[str, Any]]:
    for name, entry in view.state.entries().items():
        if entry.kind in _STALE_NAMES and (view.whole or name in view.asked_names):
            why = "%s/%s is %s" % (NETNS_DIRECTORY, name, _STALE_NAMES[entry.kind])
            yield dict(_orphan("netns", name, why), target=entry.target or None)


def _pairs(view: HostView) -> Iterator[Dict[str, Any]]:
    for pair in view.pairs:
        if pair.cable and not (pair.here.names and pair.there is not None and pair.there.names):
            kept, lost = (pair.here, pair.there) if pair.here.names else (pair.there, pair.here)
            end = pair.near if kept is pair.here else pair.far
            if kept is not None and kept.names and end is not None:
                who = ": " + view.owner(lost) if lost is not None else ", and it cannot be seen from here"
                why = "the namespace of its other end has no name any more%s" % who
                yield dict(_orphan("veth", end.name, why), netns=kept.ref.option)
        if not pair.derived or pair.made is not None or pair.here.inode != view.host:
            continue
        if pair.there is None:
            yield _orphan("veth", pair.near.name, "its other end is in a namespace that cannot be seen from here")
        elif not pair.there.names and pair.there.inode != view.host:
            owner = view.owner(pair.there)
            yield _orphan("veth", pair.near.name, "the namespace of its other end has no name any more: %s" % owner)


def _links(view: HostView) -> Iterator[Dict[str, Any]]:
    """Links that containers have in place of a pair, in namespaces without a name."""
    identity = view.state.identity()
    for namespace in view.asked_for():
        if namespace.names or namespace.inode == view.host:
            continue
        for link in view.made_as_links(namespace):
            named_so = any(is_own_link(link, link.kind, path, link.name, identity) for path in namespace.paths)
            if link.kind in SHARING and view.is_ours(namespace, link) and not named_so:
                why = "the namespace that it is in has no name any more: %s" % view.owner(namespace)
                yield dict(_orphan(link.kind, link.name, why), netns=namespace.ref.option)


def _tunnels(view: HostView, rules: OwnedRules) -> Iterator[Dict[str, Any]]:
    host = view.namespaces[view.host]
    owners = {tunnel_interface(rule.owner): rule.owner for rule in rules.tunnels()}
    for link in view.made_as_links(host):
        network = owners.get(link.name)
        if network and view.is_ours(host, link) and view.state.link(view.host, network) is None:
            yield _orphan(link.kind, link.name, "it is for the bridge '%s', which does not exist" % network)


def _rules(view: HostView, rules: OwnedRules) -> Iterator[Dict[str, Any]]:
    for rule in rules.source_nat():
        bridge = rule.out_interface[1:] if rule.out_interface.startswith("!") else ""
        if bridge and view.state.link(view.host, bridge) is None:
            why = "the rule of owner '%s' is for %s, which does not exist" % (rule.owner, bridge)
            yield _orphan("nat", rule.source, why)
    for check in rules.spoof_checks():
        if view.state.link(view.host, check.interface) is None:
            yield _orphan(
                "nat", check.interface, "the check of owner '%s' is for a port that does not exist" % check.owner
            )


def _orphan(kind: str, name: str, why: str) -> Dict[str, Any]:
    return {"kind": kind, "name": name, "netns": None, "why": why}
