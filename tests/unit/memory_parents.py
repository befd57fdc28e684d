# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of the kernel's twin that knows of links which are made on others, and what depends on who is on them."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import (
    AddLink,
    SetFlooded,
    SetLink,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Link
from ansible_collections.linuxnet.containers.plugins.module_utils._run.prediction import advance
from ansible_collections.linuxnet.containers.tests.unit.memory_reader import MemoryReader

FLAT = ("macvlan", "ipvlan")
Refusal = tuple[int, str]  # errno, the kernel's sentence


class MemoryParents(MemoryReader):
    """Links on links."""

    _refuse: Any
    _need: Any
    _ns: Any
    _put: Any

    def _everywhere(self, kind: str) -> Iterator[tuple[int, Link]]:
        for ns in [*self._state.known.links]:
            for one in self._state.links(ns, kind):
                yield ns, one

    def _on(self, origin: int, parent: Link, kind: str, but: Link | None = None) -> list[tuple[int, Link]]:
        """Those of a kind on a parent, with their namespaces."""
        found = self._everywhere(kind)
        there = [(ns, one) for ns, one in found if (one.parent_ns, one.parent_index) == (origin, parent.index)]
        return [(ns, one) for ns, one in there if one is not but]

    def _parent(self, link: Link) -> Link | None:
        if link.parent_ns is None or not link.parent_index:
            return None
        return self._state.link_at(link.parent_ns, link.parent_index)

    # --- making ---

    def _born(self, step: AddLink) -> tuple[AddLink, tuple[int, int] | None]:
        """A new link as the kernel makes it, and (namespace, index) of its parent where that is another than is asked for."""
        if step.kind in self.lacks:
            self._refuse(errno.EOPNOTSUPP, step, "Unknown device type")
        if step.kind == "vxlan":
            return self._vxlan(step), None
        if step.kind == "vrf" and step.attributes.get("mtu", link_kinds.KINDS["vrf"].mtu) < 1280:
            self._refuse(errno.EINVAL, step, "mtu less than device minimum")
        if not link_kinds.kind(step.kind).needs_parent:
            return step, None
        if not step.parent or step.parent_ns is None:
            self._refuse(errno.EINVAL, step)
        origin, parent = self._ns(step.parent_ns), self._need(step.parent_ns, step.parent, step)
        flattened = None
        if parent.kind == step.kind and step.kind in FLAT:
            lower = self._parent(parent)
            assert lower is not None
            assert parent.parent_ns is not None
            origin, parent = flattened = parent.parent_ns, lower
        new = {**link_kinds.born(step.kind), "mtu": parent.get("mtu"), **step.attributes}
        refusal = self._refused(step.kind, origin, parent, new)
        if refusal:
            self._refuse(refusal[0], step, refusal[1])
        if step.attributes.get("master") == step.parent and step.ns == step.parent_ns:
            self._refuse(errno.EBUSY, step)
        given: dict[str, Any] = {"mtu": new["mtu"], **step.attributes}
        if step.kind == "ipvlan" or (step.kind == "macvlan" and new["macvlan_mode"] == "passthru"):
            given["mac"] = parent.get("mac")
        if step.kind == "ipvlan":
            self._ipvlan_mode(origin, parent, new["ipvlan_mode"])
        return replace(step, attributes=given), None if flattened is None else (origin, parent.index)

    def _refused(self, kind: str, origin: int, parent: Link, new: dict[str, Any]) -> Refusal | None:
        """Why the kernel would not make a link, None where it does."""
        if parent.name == "lo" or parent.kind == "vrf":
            return (errno.EOPNOTSUPP, "8021q: VLANs not supported on device") if kind == "vlan" else (errno.EINVAL, "")
        if kind == "vlan":
            for dummy, one in self._on(origin, parent, "vlan"):
                if all(one.get(key) == new[key] for key in ("vlan_id", "vlan_protocol")):
                    return errno.EEXIST, "8021q: VLAN device already exists"
            if new["enabled"] and not parent.get("enabled"):
                return errno.ENETDOWN, ""
        master = self._state.link_at(origin, parent.master) if parent.master else None
        other = {"macvlan": "ipvlan", "ipvlan": "macvlan"}.get(kind, "")
        if other and ((master is not None and master.kind == "bridge") or self._on(origin, parent, other)):
            return errno.EBUSY, ""
        if kind in ("macvlan", "vlan") and new["mtu"] > parent.get("mtu"):
            return errno.EINVAL, ""
        if kind == "macvlan":
            there = [one for dummy, one in self._on(origin, parent, "macvlan")]
            if there and "passthru" in (new["macvlan_mode"], *(one.get("macvlan_mode") for one in there)):
                return errno.EINVAL, ""
            if new["enabled"] and self._mac_taken(parent, there, new):
                return errno.EADDRINUSE, ""
        return None

    @staticmethod
    def _mac_taken(parent: Link, there: list[Link], new: dict[str, Any]) -> bool:
        addresses = [parent.get("mac"), *(one.get("mac") for one in there if one.get("enabled"))]
        return bool(new["macvlan_mode"] != "passthru" and new["mac"] and new["mac"] in addresses)

    def _ipvlan_mode(self, origin: int, parent: Link, mode: str) -> None:
        """All ipvlans of a parent have one mode."""
        for ns, one in self._on(origin, parent, "ipvlan"):
            self._put(ns, one.with_(ipvlan_mode=mode))

    # --- changing ---

    def _check_change(self, step: SetLink, link: Link) -> None:
        """Refuse what the kernel does not change of a link in place."""
        if link.kind == "vxlan":
            self._check_vxlan(step, link)
        if link.kind == "vrf" and "table" in step.new:
            self._refuse(errno.EOPNOTSUPP, step)
        if link.kind == "vrf" and step.new.get("mtu", 1280) < 1280:
            self._refuse(errno.EINVAL, step, "mtu less than device minimum")
        if link.kind == "ipvlan" and "mac" in step.new:
            self._refuse(errno.EOPNOTSUPP, step)
        parent = self._parent(link)
        if parent is None or link.parent_ns is None:
            return
        if link.kind in ("macvlan", "vlan") and step.new.get("mtu", 0) > parent.get("mtu"):
            self._refuse(errno.ERANGE if link.kind == "vlan" else errno.EINVAL, step)
        if link.kind == "vlan" and step.new.get("enabled") and not parent.get("enabled"):
            self._refuse(errno.ENETDOWN, step)
        if link.kind == "macvlan":
            now = {**link.attributes, **step.new}
            if link.get("macvlan_mode") != now["macvlan_mode"] and "passthru" in (
                link.get("macvlan_mode"),
                now["macvlan_mode"],
            ):
                self._refuse(errno.EINVAL, step)
            there = [one for dummy, one in self._on(link.parent_ns, parent, "macvlan", link)]
            if now["enabled"] and {"mac", "enabled"} & set(step.new) and self._mac_taken(parent, there, now):
                self._refuse(errno.EADDRINUSE, step)

    def _after_change(self, step: SetLink, link: Link) -> None:
        """What the kernel changes along with a link beside it."""
        parent = self._parent(link)
        if parent is None or link.parent_ns is None:
            return
        if link.kind == "ipvlan" and "ipvlan_mode" in step.new:
            self._ipvlan_mode(link.parent_ns, parent, step.new["ipvlan_mode"])
        if link.kind == "macvlan" and link.get("macvlan_mode") == "passthru" and "mac" in step.new:
            self._put(link.parent_ns, parent.with_(mac=step.new["mac"]))

    # --- vxlan ---

    def _vxlan(self, step: AddLink) -> AddLink:
        """Return a new vxlan as the kernel makes it: with room for what it wraps packets into. Raises where its number is taken."""
        origin = self._ns(step.parent_ns or step.ns)
        parent = self._need(step.parent_ns or step.ns, step.parent, step) if step.parent else None
        if parent is not None and origin == self._ns(step.ns) and step.parent == step.attributes.get("master"):
            self._refuse(errno.EBUSY, step)
        new = {**link_kinds.born("vxlan"), **step.attributes}
        for dummy, one in self._everywhere("vxlan"):
            same = [one.get(key) == new[key] for key in ("vni", "port")]
            if one.parent_ns == origin and all(same) and (":" in one.get("local")) == (":" in new["local"]):
                self._refuse(errno.EEXIST, step, "A VXLAN device with the specified VNI already exists")
        if parent is None:
            return step
        most = self._room(parent, new)
        return replace(step, attributes={**step.attributes, "mtu": min(step.attributes.get("mtu", most), most)})

    @staticmethod
    def _room(parent: Link, attributes: Any) -> int:
        return int(parent.get("mtu")) - (70 if ":" in attributes["local"] else 50)

    def _check_vxlan(self, step: SetLink, link: Link) -> None:
        if "mtu" in step.new and set(step.new) & set(link_kinds.KINDS["vxlan"].fields):
            self._refuse(errno.EOPNOTSUPP, step, "Cannot change mtu")
        for name in {"vni", "port"} & set(step.new):
            if step.new[name] != link.get(name):
                self._refuse(errno.EOPNOTSUPP, step, "Cannot change " + {"vni": "VNI", "port": "port"}[name])
        if (":" in step.new.get("local", link.get("local"))) != (":" in link.get("local")):
            self._refuse(errno.EOPNOTSUPP, step, "New local address family does not match old")
        parent = self._parent(link)
        if parent is not None and step.new.get("mtu", 0) > self._room(parent, link.attributes):
            self._refuse(errno.EINVAL, step)

    def _SetFlooded(self, step: SetFlooded) -> None:
        link = self._need(step.ns, step.name, step)
        if link.kind != "vxlan":
            self._refuse(errno.EOPNOTSUPP, step)
        if any((":" in one.ip) != (":" in link.get("local")) for one in step.add):
            self._refuse(errno.EAFNOSUPPORT, step)
        advance(step, self._state)
