# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun link: a link of any kind that has one end, by its entry in `KINDS`; and what the nouns of links have in common. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, DelLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import (
    host_interface,
    interface_name,
    mac,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Link, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import NETNS, STATE, Plan, Resource
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State


@dataclass(frozen=True)
class Want:
    """``attributes`` are those that are asked for, by row."""

    ns: NsRef
    name: str
    present: bool = True
    attributes: Mapping[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Have:
    """``mtu`` is what ``auto`` means now, ``identity`` the host's."""

    link: Optional[Link] = None
    mtu: int = 0
    identity: str = ""


class LinkResource(Resource[Want, Have]):
    """Links of one kind. ``noun`` is the kind's name; its entry in `KINDS` says the rest."""

    def __init__(self, kind: str) -> None:
        self.noun = kind
        self.rows = link_kinds.rows(kind)
        self.options = {"name": {"type": "str", "required": True}, **STATE, **NETNS, **link_kinds.specs(self.rows)}

    def parse(self, params: Mapping[str, Any]) -> Want:
        return Want(
            NsRef.parse(params.get("netns")),
            interface_name(params["name"], "name"),
            params["state"] == "present",
            link_kinds.given(params, self.rows),
        )

    def subject(self, want: Want) -> str:
        return "%s %s" % (self.noun, want.name)

    def look(self, want: Want, state: State) -> Have:
        ns = state.need(want.ns) if want.present else state.find(want.ns)
        if ns is None:
            return Have()
        return Have(
            state.link(ns, want.name),
            state.uplink_mtu(ns) if want.attributes.get("mtu") == "auto" else 0,
            state.identity() if want.present else "",
        )

    def plan(self, want: Want, have: Have) -> Plan:
        if have.link is not None and have.link.kind != self.noun:
            raise Refused(
                "Interface '%s' in %s is %s, not a %s; it is left alone."
                % (want.name, want.ns, have.link.describe(), self.noun)
            )
        before = self._describe(want, have.link.attributes) if have.link else {}
        if not want.present:
            return Plan(before, {}, (DelLink(want.ns, want.name),) if have.link else ())
        wanted = with_mtu(want.attributes, have.mtu)
        if have.link is None:
            wanted.setdefault("mac", own_mac(have.identity, self.noun, want.ns.path, want.name))
            after = self._describe(want, dict(link_kinds.defaults(self.rows), **wanted))
            return Plan(before, after, self.born(want, wanted))
        new, old = differing(wanted, have.link.attributes)
        after = self._describe(want, dict(have.link.attributes, **new))
        return Plan(before, after, (SetLink(want.ns, want.name, new, old, self.noun),) if new else ())

    def born(self, want: Want, wanted: Dict[str, Any]) -> Tuple[Change, ...]:
        """Return the steps that make a link with what is ``wanted`` of it."""
        late = taken_out(wanted, *(name for name, row in self.rows.items() if row.late))
        made = AddLink(want.ns, want.name, self.noun, wanted)
        return (made, SetLink(want.ns, want.name, late, fresh(late))) if late else (made,)

    def _describe(self, want: Want, attributes: Mapping[str, Any]) -> Dict[str, Any]:
        shown = {name: attributes.get(name) for name in self.rows}
        return {"name": want.name, "netns": want.ns.option, **shown}


# --- what the nouns of links have in common ---


def with_mtu(attributes: Mapping[str, Any], auto: int) -> Dict[str, Any]:
    """Return attributes with the number of bytes that an MTU of ``auto`` means."""
    return {name: auto if (name, value) == ("mtu", "auto") else value for name, value in attributes.items()}


def differing(wanted: Mapping[str, Any], there: Mapping[str, Any]) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """Return (new, old): of what is wanted that which is not so, and what it is now."""
    new = {name: value for name, value in wanted.items() if there.get(name) != value}
    return new, {name: there.get(name) for name in new}


def fresh(names: Any) -> Dict[str, Any]:
    """Return what a link that was just made has of some general attributes."""
    return {name: link_kinds.LINK[name].default for name in names}


def taken_out(attributes: Dict[str, Any], *names: str) -> Dict[str, Any]:
    """Take out of ``attributes`` what the creating message does not carry; return what of that is not so at birth."""
    taken = {name: attributes.pop(name) for name in names if name in attributes}
    return {name: value for name, value in taken.items() if value != link_kinds.LINK[name].default}


def port_of(link: Link, master: str) -> Dict[str, Any]:
    """Return what a link is as a port: the name of its master and, where it has one, the attributes it would lose with it."""
    kept = {name: link.attributes[name] for name in link_kinds.PORT if name in link.attributes} if master else {}
    return dict(kept, master=master)


def own_mac(identity: str, kind: str, path: str, name: str) -> str:
    """Return the MAC address that a new link of the namespace at ``path`` gets where none is given; it says that this collection
    made it, and for whom, whatever its name."""
    return mac(identity, kind, path, name)


def pair_mac(identity: str, path: str, peer_name: str) -> str:
    """Return the MAC address of the host end of a new pair for ``peer_name`` in the namespace at ``path``."""
    return mac(identity, "veth", path, peer_name, "own")


def made_for(path: str, near: Link, far: Link, identity: str) -> bool:
    """Return whether this collection made a pair for the namespace at ``path``, where ``far`` is: its host end ``near`` has the
    name, or the address, that is derived for it."""
    return near.name == host_interface(path, far.name) or near.get("mac") == pair_mac(identity, path, far.name)
