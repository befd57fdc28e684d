# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked for of a link of the noun ns_link, and what there is: what its kinds have in common. Pure."""

from __future__ import annotations

from dataclasses import field
from typing import Any, Dict, FrozenSet, Mapping, Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Flooded, Link, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._model.values import MTU_LOW
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import Have as LinkHave
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import Want as LinkWant
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import check_mtu

PARENT: Dict[str, Any] = {"parent": {"type": "str"}, "parent_netns": {"type": "str"}}
MASTER: Dict[str, Any] = {"master": {"type": "str"}}
UNKNOWN = "unknown"  # a namespace without a name
Difference = Tuple[str, str, str]  # option, what it is, what it is to be
Way = Tuple[Optional[Link], int]  # by which interface packets leave, and of how many bytes at most


@dataclass(frozen=True)
class Want(LinkWant):
    """``parent``, ``master`` and ``peers`` are None where they are not managed, and empty for none. ``parent_ns`` is the namespace of the
    parent, None where nothing is said of it. ``sysctls`` are of the link, by their one key. A want that is ``exclusive`` knows of the other items of its
    task, and of others' tasks, which interfaces of the namespace are to stay: ``keep``. One that may be made anew knows ``together``, all of the task of its
    kind on its parent, by namespace and name."""

    kind: str = ""
    parent: Optional[str] = None
    parent_ns: Optional[NsRef] = None
    master: Optional[str] = None
    peers: Optional[Tuple[str, ...]] = None
    recreate: bool = False
    only_ours: bool = False
    as_is: bool = False
    exclusive: bool = False
    keep: FrozenSet[str] = frozenset()
    sysctls: Mapping[str, str] = field(default_factory=dict, hash=False)
    together: FrozenSet[Tuple[NsRef, str]] = frozenset()

    @property
    def origin(self) -> Optional[NsRef]:
        """Return the namespace of the parent, None where any will do."""
        return self.parent_ns if self.parent_ns is not None else HOST if self.parent else None


@dataclass(frozen=True)
class Have(LinkHave):
    """``master`` and ``parent`` are names, of what the link has now. ``origin`` is the namespace that it is made from, or would be, and
    ``parent_netns`` how that is called; ``elsewhere``: it was made from another one than is wanted. ``most``: the greatest MTU that it can have, 0
    for any. ``higher`` is a MAC address that a new one's must be above, so that the bridge which it becomes a port of stays as it is.
    ``flooded``: see `State.flooded`. ``obstacle`` is the sentence that says what is in the way of what is wanted. ``by`` names the interfaces beside
    it by which its packets leave. ``parent_mac`` is the MAC address of the parent that is wanted; ``borrowed``: the link has that of the parent it has.
    ``joined``: attributes that a new one has in common with others. ``above`` is who is made on the link,
    ``port`` an interface that is in it, where it is a VRF of ours that is to go.
    ``yielding`` are links of another kind on the parent, which the task makes anew as well, and which have to go first.
    ``sysctls``: those that are asked for as they are (see `link_sysctls`). ``links`` are other links of ours in the namespace that are not asked for, and
    ``pairs`` those of ours whose other ends are in there, names of both ends."""

    master: str = ""
    parent: str = ""
    origin: NsRef = HOST
    elsewhere: bool = False
    parent_netns: Optional[str] = None
    most: int = 0
    higher: Optional[str] = None
    flooded: Tuple[Flooded, ...] = ()
    obstacle: str = ""
    by: Tuple[str, ...] = ()
    parent_mac: str = ""
    borrowed: bool = False
    joined: Mapping[str, Any] = field(default_factory=dict, hash=False)
    above: str = ""
    port: str = ""
    sysctls: Mapping[str, Optional[str]] = field(default_factory=dict, hash=False)
    yielding: Tuple[Tuple[NsRef, str], ...] = ()
    links: Tuple[str, ...] = ()
    pairs: Tuple[Tuple[str, str], ...] = ()


def bounded(want: Want, have: Have, wanted: Dict[str, Any]) -> Dict[str, Any]:
    """Return the wanted attributes. Raises `Refused` for an MTU that does not go through the parent, or takes IPv6 from the link."""
    size = want.attributes.get("mtu")
    if have.most and isinstance(size, int) and size > have.most:
        name = want.parent if want.parent is not None else have.parent
        raise Refused("mtu: %d bytes do not go through '%s', at most %d do; 'auto' is that." % (size, name, have.most))
    if "mtu" in wanted and wanted["mtu"] < MTU_LOW:
        raise Refused(
            "mtu: what is below '%s' in %s leaves %d bytes; that is too few." % (want.name, want.ns, wanted["mtu"])
        )
    check_mtu(wanted, have.ipv6)
    return wanted


def check_way(want: Want, have: Have, master: str) -> None:
    """Raise `Refused` where the packets of a link are to leave by what it is a port of: the kernel makes no port of its own parent, and without one
    each of the two would have to be smaller than the other."""
    if master and master in have.by:
        text = "master: the packets of '%s' in %s leave by '%s', so it cannot be a port of that as well."
        raise Refused(text % (want.name, want.ns, master))


def check_above(want: Want, have: Have) -> None:
    """Raise `Refused` where somebody is made on a link that would go."""
    if have.above:
        text = "'%s' in %s is the parent of %s, which the kernel would delete as well; remove that first."
        raise Refused(text % (want.name, want.ns, have.above))


def gives_way(link: Link) -> bool:
    """Return whether a link may be made anew as one of another kind. Others have a module of their own, or are hardware."""
    return link.kind in link_kinds.made_by("ns_link")
