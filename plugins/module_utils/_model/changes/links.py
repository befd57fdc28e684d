# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of links: interfaces, pairs, ports of a bridge and their VLANs, whom a vxlan floods to, and what holds up what leaves by a link. Pure."""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.commands import Command, command
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    Flooded,
    NsRef,
    Vlan,
    show,
)

if TYPE_CHECKING:
    from ansible_collections.linuxnet.containers.plugins.module_utils._model.shaping import Shape

# Words of `ip link`, which abbreviates them. An interface that is called so is meant only after "dev".
_WORDS = "up down type name mtu address broadcast master nomaster netns alias group help txqueuelen dev index vf link".split()


def _device(name: str) -> List[str]:
    """Return the words that name an interface to `ip link`."""
    keyword = name.startswith("-") or any(word.startswith(name) for word in _WORDS)
    return ["dev", name] if keyword else [name]


def _link_words(attributes: Mapping[str, Any]) -> List[str]:
    """Return the words of `ip link` for the general attributes that one command can carry."""
    words: List[str] = []
    for name, value in attributes.items():
        if name == "master":
            words += ["master", value] if value else ["nomaster"]
        elif name in link_kinds.LINK and link_kinds.LINK[name].attribute and not link_kinds.LINK[name].late:
            words += link_kinds.LINK[name].spell(value)
    return words


def _kind_words(rows: link_kinds.Rows, attributes: Mapping[str, Any]) -> List[str]:
    """Return the words for those of ``attributes`` that ``rows`` have."""
    return [word for name, row in rows.items() if name in attributes for word in row.spell(attributes[name])]


def _target(ns: NsRef) -> str:
    """Return the word that names a namespace to `ip link … netns`; the host's is that of process 1."""
    return ns.name or ns.path or "1"


@dataclass(frozen=True)
class AddLink(Change):
    """Create an interface; with ``peer_name`` a pair, both ends in one message. ``attributes`` may hold ``master``. Of a kind that is made on
    another one (or on none) ``parent_ns`` is the namespace of that, where it is made from, to be born in ``ns``."""

    ns: NsRef
    name: str
    kind: str
    attributes: Mapping[str, Any] = field(default_factory=dict, hash=False)
    peer_ns: NsRef = HOST
    peer_name: str = ""
    peer_attributes: Mapping[str, Any] = field(default_factory=dict, hash=False)
    parent: str = ""
    parent_ns: Optional[NsRef] = None

    def attempt(self) -> str:
        if self.peer_name:
            return "create the veth pair %s in %s and %s in %s" % (self.name, self.ns, self.peer_name, self.peer_ns)
        return "create %s %s in %s" % (self.kind, self.name, self.ns)

    def commands(self) -> List[Command]:
        kind = link_kinds.kind(self.kind)
        more = _kind_words(kind.fields, self.attributes)
        on = [word.format(self.parent) for word in kind.parent_words.split()] if self.parent else []
        if not kind.needs_parent:
            more, on = more + on, []
        if self.peer_name:
            more += ["peer", "name", self.peer_name, *_link_words(self.peer_attributes)]
            more += ["netns", _target(self.peer_ns)] if self.peer_ns != self.ns else []
        ip, name, own = self.ns.tool("ip"), _device(self.name), dict(self.attributes)
        from_, where, lines = ip, [], []
        if self.parent_ns is not None and self.parent_ns != self.ns:  # where no port of a bridge there can be named
            from_, where = self.parent_ns.tool("ip"), ["netns", _target(self.ns)]
            if own.pop("master", ""):
                lines = [command(ip, "link", "set", name, "master", self.attributes["master"])]
        lines.insert(0, command(from_, "link", "add", name, where, on, _link_words(own), "type", self.kind, more))
        if self.attributes.get("enabled"):
            lines.append(command(ip, "link", "set", name, "up"))
        return lines

    def undo(self) -> Tuple[Change, ...]:
        return (DelLink(self.ns, self.name),)


@dataclass(frozen=True)
class SetLink(Change):
    """Set attributes of an interface; ``old`` holds what they were. Besides the fields: ``name`` (rename) and ``master``. ``kind`` is
    that of the interface, where one of its kind's own fields is set."""

    partial = True
    ns: NsRef
    name: str
    new: Mapping[str, Any] = field(default_factory=dict, hash=False)
    old: Mapping[str, Any] = field(default_factory=dict, hash=False)
    kind: str = ""
    opens: bool = field(default=False, compare=False)

    def places(self) -> Sequence[str]:
        return ("/proc/sys",) if self.settings() else ()

    def attempt(self) -> str:
        own = link_kinds.kind(self.kind).fields
        return "set %s on %s in %s" % (
            ", ".join(
                "%s %s" % (own[name].shown if name in own else name, show(value)) for name, value in self.new.items()
            ),
            self.name,
            self.ns,
        )

    def commands(self) -> List[Command]:
        ip, sysctl = self.ns.tool("ip"), self.ns.tool("sysctl")
        lines = [command(sysctl, "-w", "%s=%s" % setting) for setting in self.settings()]
        words = ["name", self.new["name"]] if "name" in self.new else []
        words += _link_words(self.new)
        if "enabled" in self.new:
            words.append("up" if self.new["enabled"] else "down")
        if words:
            lines.append(command(ip, "link", "set", _device(self.name), words))
        name = _device(self.new.get("name", self.name))
        own = link_kinds.kind(self.kind).fields
        for key, value in self.new.items():
            if key in own:
                lines.append(command(ip, "link", "set", name, "type", self.kind, own[key].spell(value)))
            elif key in link_kinds.LINK and link_kinds.LINK[key].late and not link_kinds.LINK[key].sysctl:
                row = link_kinds.LINK[key]
                setter = [*self.ns.tool("ethtool"), "-K", name[-1]] if row.ethtool else [*ip, "link", "set", *name]
                lines.append(command(setter, row.spell(value)))
        port = [word for key, row in link_kinds.PORT.items() if key in self.new for word in row.spell(self.new[key])]
        if port:
            lines.append(command(self.ns.tool("bridge"), "link", "set", "dev", name[-1], port))
        return lines

    def settings(self) -> List[Tuple[str, str]]:
        """Return (key, value) of the sysctls among what is set: first of all, before the link is up or has another name."""
        rows = link_kinds.LINK
        return [
            rows[key].setting(self.name, value) for key, value in self.new.items() if key in rows and rows[key].sysctl
        ]

    def undo(self) -> Tuple[Change, ...]:
        name = self.new.get("name", self.name)
        if "master" not in self.old:
            return (SetLink(self.ns, name, self.old, self.new, self.kind),)
        # A port's attributes go with its master: they can be set again only once it is back.
        port = {key: value for key, value in self.old.items() if key in link_kinds.PORT}
        rest = {key: value for key, value in self.old.items() if key not in port}
        back = (SetLink(self.ns, name, rest, self.new, self.kind),)
        return (*back, SetLink(self.ns, rest.get("name", name), port, {})) if port else back


@dataclass(frozen=True)
class MoveLink(Change):
    """Move an interface into another namespace and rename it there, in one message."""

    ns: NsRef
    name: str
    to: NsRef
    new_name: str

    def attempt(self) -> str:
        return "move %s from %s to %s as %s" % (self.name, self.ns, self.to, self.new_name)

    def commands(self) -> List[Command]:
        words = ["netns", _target(self.to), "name", self.new_name]
        return [command(self.ns.tool("ip"), "link", "set", _device(self.name), words)]

    def undo(self) -> Tuple[Change, ...]:
        return (MoveLink(self.to, self.new_name, self.ns, self.name),)


@dataclass(frozen=True)
class DelLink(Change):
    """Delete an interface, and with it the other end of a pair. ``for_kind``: to make place for one of that kind, where the kernel has it."""

    final = True
    ns: NsRef
    name: str
    for_kind: str = ""

    def attempt(self) -> str:
        return "delete %s in %s%s" % (self.name, self.ns, " for a new " + self.for_kind if self.for_kind else "")

    def commands(self) -> List[Command]:
        return [command(self.ns.tool("ip"), "link", "del", _device(self.name))]


@dataclass(frozen=True)
class SetVlans(Change):
    """Add and remove VLANs of a bridge port. ``own``: of a bridge itself, in which the host is."""

    partial = True
    ns: NsRef
    name: str
    add: Tuple[Vlan, ...] = ()
    remove: Tuple[Vlan, ...] = ()
    own: bool = False

    def attempt(self) -> str:
        return "set the VLANs of %s %s in %s" % ("bridge" if self.own else "port", self.name, self.ns)

    def commands(self) -> List[Command]:
        tool, own = self.ns.tool("bridge"), ["self"] if self.own else []
        lines = [("del", [str(vlan.vid)]) for vlan in self.remove] + [("add", str(vlan).split()) for vlan in self.add]
        return [command(tool, "vlan", verb, "dev", self.name, "vid", words + own) for verb, words in lines]

    def undo(self) -> Tuple[Change, ...]:
        return (replace(self, add=self.remove, remove=self.add),)


NO_MAC = "00:00:00:00:00:00"  # of the entries that say where to send what there is no other entry for


@dataclass(frozen=True)
class SetFlooded(Change):
    """Add and remove where a vxlan floods to. What is new stands before what goes."""

    partial = True
    ns: NsRef
    name: str
    add: Tuple[Flooded, ...] = ()
    remove: Tuple[Flooded, ...] = ()

    def attempt(self) -> str:
        return "set the peers of %s in %s" % (self.name, self.ns)

    def commands(self) -> List[Command]:
        steps = [("append", one) for one in self.add] + [("del", one) for one in self.remove]
        tool = self.ns.tool("bridge")
        return [command(tool, "fdb", verb, NO_MAC, "dev", self.name, one.words()) for verb, one in steps]

    def undo(self) -> Tuple[Change, ...]:
        return (SetFlooded(self.ns, self.name, self.remove, self.add),)


@dataclass(frozen=True)
class SetShape(Change):
    """Give an interface another queueing discipline, in place of the ``old`` one; one without a kind stands for the kernel's own."""

    partial = True
    ns: NsRef
    name: str
    new: Shape
    old: Shape

    def attempt(self) -> str:
        if not self.new.kind:
            return "take the %s from what leaves by %s in %s" % (self.old.kind, self.name, self.ns)
        return "hold up what leaves by %s in %s (%s)" % (self.name, self.ns, " ".join(self.new.words()))

    def commands(self) -> List[Command]:
        tool, where = self.ns.tool("tc"), ["dev", self.name, "root"]
        if not self.new.kind:
            return [command(tool, "qdisc", "del", where)]
        handle = ["handle", "%x:" % (self.new.handle >> 16)]
        return [command(tool, "qdisc", "replace", where, handle, self.new.words())]

    def undo(self) -> Tuple[Change, ...]:
        return (SetShape(self.ns, self.name, self.old, self.new),)
