# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be done to the kernel, one class a step. Pure.

A change names objects as people do (namespace and interface name), knows the commands a person would type for it, and
knows its inverse.
"""

from __future__ import annotations

import os.path
import shlex
from dataclasses import dataclass, field
from typing import Any, List, Mapping, Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import NETNS_DIRECTORY
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    FOREVER,
    HOST,
    Address,
    NsFile,
    NsRef,
    PolicyRule,
    Route,
    Vlan,
    show,
)


@dataclass(frozen=True)
class Change:
    """One step that the kernel layer can take. ``writes`` is False for a step that leaves no trace (an announcement)."""

    writes = True
    partial = False  # a failure may leave part of it done
    final = False  # nothing takes it back

    @property
    def edit(self) -> Any:
        """Return what is changed in a firewall (`_firewall/model.Edit`), None for other changes: the edits of a task are one transaction
        a place."""
        return None

    def advance(self, state: Any) -> None:
        """Take the step as done, in a part of the state that the state itself does not know."""

    def attempt(self) -> str:
        """Return what is tried, in words that follow "Could not"."""
        raise NotImplementedError

    def commands(self) -> List[str]:
        """Return the command lines a person would type for this step."""
        raise NotImplementedError

    def undo(self) -> Tuple[Change, ...]:
        """Return the steps that take this one back; none where that cannot be done."""
        return ()


@dataclass(frozen=True)
class AddNetns(Change):
    name: str

    @property
    def ns(self) -> NsRef:
        return NsRef.parse(self.name)

    def attempt(self) -> str:
        return "create %s" % self.ns

    def commands(self) -> List[str]:
        return ["ip netns add %s" % shlex.quote(self.name)]

    def undo(self) -> Tuple[Change, ...]:
        return (DropNetns(self.name),)


@dataclass(frozen=True)
class BindNetns(Change):
    """Bind /run/netns/NAME to the namespace ``source``, whose inode is ``inode`` (negative: made earlier in this task).

    With ``link``, another file of that namespace, it becomes a symbolic link to that.
    """

    name: str
    source: NsRef
    inode: int
    old: Optional[NsFile] = None
    link: str = ""

    def attempt(self) -> str:
        return "bind netns '%s' to %s" % (self.name, self.source)

    def commands(self) -> List[str]:
        name, path = shlex.quote(self.name), self.source.path or "/proc/self/ns/net"
        lines = DropNetns(self.name, link=self.old.target).commands() if self.old else []
        if self.link:
            return [*lines, "ln -s %s %s" % (shlex.quote(self.link), shlex.quote(NsRef.parse(self.name).path))]
        parts = path.split("/")
        if parts[1] == "proc" and parts[2] != "self" and parts[3:] == ["ns", "net"]:
            return [*lines, "ip netns attach %s %s" % (name, parts[2])]
        target = shlex.quote(os.path.join(NETNS_DIRECTORY, self.name))
        return [*lines, "touch %s" % target, "mount --bind %s %s" % (shlex.quote(path), target)]

    def undo(self) -> Tuple[Change, ...]:
        back = (DropNetns(self.name),)
        if self.old and self.old.inode:
            now = NsFile(self.name, "namespace", self.inode, self.link)
            return (BindNetns(self.name, NsRef.parse(self.name), self.old.inode, now, self.old.target),)
        return back


@dataclass(frozen=True)
class DropNetns(Change):
    """Take /run/netns/NAME away; the namespace dies with its last process. ``inode`` is 0 for a stale file, ``link`` the target
    of a symbolic link."""

    name: str
    inode: int = 0
    link: str = ""

    def attempt(self) -> str:
        return "remove netns '%s'" % self.name

    def commands(self) -> List[str]:
        if self.link:  # "ip netns del" would unmount what it points at
            return ["rm %s" % shlex.quote(NsRef.parse(self.name).path)]
        return ["ip netns del %s" % shlex.quote(self.name)]

    def undo(self) -> Tuple[Change, ...]:
        return (BindNetns(self.name, NsRef.parse(self.name), self.inode, link=self.link),) if self.inode else ()


def _link_words(attributes: Mapping[str, Any], peer: bool = False) -> List[str]:
    """Return the words of `ip link` for attributes that one command can carry."""
    words = []
    for name, value in attributes.items():
        if name == "master":
            words.append("master %s" % value if value else "nomaster")
        elif name in link_kinds.LINK and name != "alias":
            words.append(link_kinds.LINK[name].spell(value))
    if attributes.get("enabled") and not peer:
        words.append("up")
    return words


@dataclass(frozen=True)
class AddLink(Change):
    """Create an interface; with ``peer_name`` a veth pair, both ends in one message. ``attributes`` may hold ``master``."""

    ns: NsRef
    name: str
    kind: str
    attributes: Mapping[str, Any] = field(default_factory=dict, hash=False)
    peer_ns: NsRef = HOST
    peer_name: str = ""
    peer_attributes: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def attempt(self) -> str:
        if self.peer_name:
            return "create the veth pair %s in %s and %s in %s" % (self.name, self.ns, self.peer_name, self.peer_ns)
        return "create %s %s in %s" % (self.kind, self.name, self.ns)

    def commands(self) -> List[str]:
        words = ["link add", self.name]
        if not self.peer_name:
            kind = [
                row.spell(self.attributes[name]) for name, row in link_kinds.BRIDGE.items() if name in self.attributes
            ]
            lines = [
                " ".join(
                    [
                        self.ns.tool("ip"),
                        *words,
                        *[w for w in _link_words(self.attributes) if w != "up"],
                        "type",
                        self.kind,
                        *kind,
                    ]
                )
            ]
        else:
            peer = ["peer name", self.peer_name, *_link_words(self.peer_attributes, peer=True)]
            if self.peer_ns != self.ns:
                peer.append("netns %s" % shlex.quote(self.peer_ns.name or self.peer_ns.path or "1"))
            own = [w for w in _link_words(self.attributes) if w != "up"]
            lines = [" ".join([self.ns.tool("ip"), *words, *own, "type veth", *peer])]
        if self.attributes.get("enabled"):
            lines.append("%s link set %s up" % (self.ns.tool("ip"), self.name))
        return lines

    def undo(self) -> Tuple[Change, ...]:
        return (DelLink(self.ns, self.name),)


@dataclass(frozen=True)
class SetLink(Change):
    """Set attributes of an interface; ``old`` holds what they were. Besides the fields: ``name`` (rename), ``master``,
    ``enabled`` and ``tx_checksum``."""

    partial = True
    ns: NsRef
    name: str
    new: Mapping[str, Any] = field(default_factory=dict, hash=False)
    old: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def attempt(self) -> str:
        return "set %s on %s in %s" % (
            ", ".join("%s %s" % (name, show(value)) for name, value in self.new.items()),
            self.name,
            self.ns,
        )

    def commands(self) -> List[str]:
        ip, lines = self.ns.tool("ip"), []
        words = _link_words({name: value for name, value in self.new.items() if name != "enabled"})
        for name, value in self.new.items():
            if name == "name":
                words.insert(0, "name %s" % value)
            elif name == "enabled":
                words.append("up" if value else "down")
        if words:
            lines.append("%s link set %s %s" % (ip, self.name, " ".join(words)))
        name_now = self.new.get("name", self.name)
        for name, value in self.new.items():
            if name in link_kinds.BRIDGE:
                lines.append("%s link set %s type bridge %s" % (ip, name_now, link_kinds.BRIDGE[name].spell(value)))
            elif name == "alias":
                lines.append("%s link set %s %s" % (ip, name_now, "alias " + shlex.quote(value)))
            elif name == "tx_checksum":
                lines.append("%s -K %s tx %s" % (self.ns.tool("ethtool"), name_now, "on" if value else "off"))
        port = [link_kinds.PORT[name].spell(value) for name, value in self.new.items() if name in link_kinds.PORT]
        if port:
            lines.append("%s link set dev %s %s" % (self.ns.tool("bridge"), name_now, " ".join(port)))
        return lines

    def undo(self) -> Tuple[Change, ...]:
        name = self.new.get("name", self.name)
        if "master" not in self.old:
            return (SetLink(self.ns, name, self.old, self.new),)
        # A port's attributes go with its master: they can be set again only once it is back.
        port = {key: value for key, value in self.old.items() if key in link_kinds.PORT}
        rest = {key: value for key, value in self.old.items() if key not in port}
        back = (SetLink(self.ns, name, rest, self.new),)
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

    def commands(self) -> List[str]:
        return [
            "%s link set %s netns %s name %s"
            % (self.ns.tool("ip"), self.name, shlex.quote(self.to.name or self.to.path or "1"), self.new_name)
        ]

    def undo(self) -> Tuple[Change, ...]:
        return (MoveLink(self.to, self.new_name, self.ns, self.name),)


@dataclass(frozen=True)
class DelLink(Change):
    final = True
    ns: NsRef
    name: str

    def attempt(self) -> str:
        return "delete %s in %s" % (self.name, self.ns)

    def commands(self) -> List[str]:
        return ["%s link del %s" % (self.ns.tool("ip"), self.name)]


@dataclass(frozen=True)
class SetVlans(Change):
    """Add and remove VLANs of a bridge port."""

    partial = True
    ns: NsRef
    name: str
    add: Tuple[Vlan, ...] = ()
    remove: Tuple[Vlan, ...] = ()

    def attempt(self) -> str:
        return "set the VLANs of port %s in %s" % (self.name, self.ns)

    def commands(self) -> List[str]:
        tool = self.ns.tool("bridge")
        lines = ["%s vlan del dev %s vid %d" % (tool, self.name, vlan.vid) for vlan in self.remove]
        return lines + ["%s vlan add dev %s vid %s" % (tool, self.name, vlan) for vlan in self.add]

    def undo(self) -> Tuple[Change, ...]:
        return (SetVlans(self.ns, self.name, self.remove, self.add),)


@dataclass(frozen=True)
class PutAddress(Change):
    """Add an address, or give one that is there (``old``) other attributes."""

    ns: NsRef
    interface: str
    address: Address
    old: Optional[Address] = None

    def attempt(self) -> str:
        return "%s address %s on %s in %s" % (
            "change" if self.old else "set",
            self.address.cidr,
            self.interface,
            self.ns,
        )

    def commands(self) -> List[str]:
        one = self.address
        words = ["%s peer %s/%d" % (one.ip, one.peer, one.prefix) if one.peer else one.cidr]
        if one.broadcast:
            words.append("broadcast %s" % one.broadcast)
        words.append("dev %s" % self.interface)
        if one.label not in ("", self.interface):
            words.append("label %s" % one.label)
        if one.scope != "global":
            words.append("scope %s" % one.scope)
        for name in ("valid_lft", "preferred_lft"):
            if getattr(one, name) != FOREVER:
                words.append("%s %d" % (name, getattr(one, name)))
        if one.nodad:
            words.append("nodad")
        if one.noprefixroute:
            words.append("noprefixroute")
        return ["%s address %s %s" % (self.ns.tool("ip"), "replace" if self.old else "add", " ".join(words))]

    def undo(self) -> Tuple[Change, ...]:
        if self.old:
            return (PutAddress(self.ns, self.interface, self.old, self.address),)
        return (DelAddress(self.ns, self.interface, self.address),)


@dataclass(frozen=True)
class DelAddress(Change):
    ns: NsRef
    interface: str
    address: Address

    def attempt(self) -> str:
        return "remove address %s from %s in %s" % (self.address.cidr, self.interface, self.ns)

    def commands(self) -> List[str]:
        one = self.address
        which = "%s peer %s/%d" % (one.ip, one.peer, one.prefix) if one.peer else one.cidr
        return ["%s address del %s dev %s" % (self.ns.tool("ip"), which, self.interface)]

    def undo(self) -> Tuple[Change, ...]:
        return (PutAddress(self.ns, self.interface, self.address),)


@dataclass(frozen=True)
class Announce(Change):
    """Tell the neighbours of ``interface`` that it has ``ip``: gratuitous ARP, or an unsolicited neighbour advertisement.

    ``shared``: another address of the interface has ``ip`` in its subnet, and the kernel would speak in its name.
    """

    writes = False
    ns: NsRef
    interface: str
    ip: str
    family: int
    shared: bool = False

    def attempt(self) -> str:
        return "announce %s from %s in %s" % (self.ip, self.interface, self.ns)

    def commands(self) -> List[str]:
        if self.family == 4:
            return ["%s -U -c 1 -I %s %s" % (self.ns.tool("arping"), self.interface, self.ip)]
        return ["# unsolicited neighbour advertisement of %s from %s" % (self.ip, self.interface)]


@dataclass(frozen=True)
class PutRoute(Change):
    """Add a route, or replace the one with the same key (``old``) in one step."""

    ns: NsRef
    route: Route
    old: Optional[Route] = None

    def attempt(self) -> str:
        return "%s route '%s' in %s" % ("replace" if self.old else "add", self.route.words(), self.ns)

    def commands(self) -> List[str]:
        family = "-6 " if self.route.family == 6 else ""
        return [
            "%s %sroute %s %s proto %d"
            % (self.ns.tool("ip"), family, "replace" if self.old else "add", self.route.words(), self.route.protocol)
        ]

    def undo(self) -> Tuple[Change, ...]:
        return (PutRoute(self.ns, self.old, self.route) if self.old else DelRoute(self.ns, self.route),)


@dataclass(frozen=True)
class DelRoute(Change):
    ns: NsRef
    route: Route

    def attempt(self) -> str:
        return "remove route '%s' in %s" % (self.route.words(), self.ns)

    def commands(self) -> List[str]:
        return ["%s %sroute del %s" % (self.ns.tool("ip"), "-6 " if self.route.family == 6 else "", self.route.words())]

    def undo(self) -> Tuple[Change, ...]:
        return (PutRoute(self.ns, self.route),)


@dataclass(frozen=True)
class AddPolicy(Change):
    ns: NsRef
    rule: PolicyRule

    def attempt(self) -> str:
        return "add policy rule '%s' in %s" % (self.rule.words(), self.ns)

    def commands(self) -> List[str]:
        return ["%s %srule add %s" % (self.ns.tool("ip"), "-6 " if self.rule.family == 6 else "", self.rule.words())]

    def undo(self) -> Tuple[Change, ...]:
        return (DelPolicy(self.ns, self.rule),)


@dataclass(frozen=True)
class DelPolicy(Change):
    """Remove exactly this rule; one of another protocol stays."""

    ns: NsRef
    rule: PolicyRule

    def attempt(self) -> str:
        return "remove policy rule '%s' in %s" % (self.rule.words(), self.ns)

    def commands(self) -> List[str]:
        return ["%s %srule del %s" % (self.ns.tool("ip"), "-6 " if self.rule.family == 6 else "", self.rule.words())]

    def undo(self) -> Tuple[Change, ...]:
        return (AddPolicy(self.ns, self.rule),)


@dataclass(frozen=True)
class SetSysctl(Change):
    """Write a sysctl. ``key`` in dots, with ``/`` for a dot inside an interface's name, as sysctl(8) has it."""

    ns: NsRef
    key: str
    value: str
    old: str = ""

    def attempt(self) -> str:
        return "set sysctl %s to '%s' in %s" % (self.key, self.value, self.ns)

    def commands(self) -> List[str]:
        return ["%s -w %s" % (self.ns.tool("sysctl"), shlex.quote("%s=%s" % (self.key, self.value)))]

    def undo(self) -> Tuple[Change, ...]:
        return (SetSysctl(self.ns, self.key, self.old, self.value),) if self.old else ()


@dataclass(frozen=True)
class PutFile(Change):
    """Write a file of our own, whole; ``text`` empty removes it."""

    path: str
    text: str
    old: str = ""

    def attempt(self) -> str:
        return "%s %s" % ("write" if self.text else "remove", self.path)

    def commands(self) -> List[str]:
        if not self.text:
            return ["rm %s" % self.path]
        return ["printf %%s %s > %s" % (shlex.quote(self.text), self.path)]

    def undo(self) -> Tuple[Change, ...]:
        return (PutFile(self.path, self.old, self.text),)
