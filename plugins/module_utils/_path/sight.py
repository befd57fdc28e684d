# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be seen of a host: its namespaces by name, who has an address, and the command that shows something. Pure but for the source it is given."""

from __future__ import annotations

import os.path
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple, TypeVar, cast

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.foreign import Chain, ForeignRules
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import OwnedRules
from ansible_collections.linuxnet.containers.plugins.module_utils._model.commands import command
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.kernel_api import Source
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import NETNS_DIRECTORY, sysctl_key
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    Address,
    Container,
    Link,
    NsRef,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.ways import Source as Ways
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import Firewalls, firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

Read = TypeVar("Read")
Held = Tuple[int, Link, Address]


class Sight:
    """A host, read on demand. Namespaces are named by inode; ``host`` is the host's own. One that ends meanwhile has nothing in it."""

    def __init__(self, source: Source) -> None:
        self.state = State(source)
        self.ways = cast(Ways, source)
        self.host = self.state.need(HOST)
        self._refs: Dict[int, NsRef] = {self.host: HOST}
        self._living: Dict[int, int] = {}
        for inode, path, pids in self.state.all_namespaces():
            self._refs.setdefault(inode, NsRef(path))
            self._living[inode] = len(pids)
        for name, entry in self.state.entries().items():
            ref = NsRef(os.path.join(NETNS_DIRECTORY, name))
            if entry.kind == "namespace" and entry.inode != self.host:
                found = self.state.find(ref)
                if found is not None and not self._refs.get(found, HOST).name:
                    self._refs[found] = ref
        self._containers: Optional[List[Container]] = None
        self._asked_rules: Dict[int, None] = {}

    # --- namespaces ---

    @property
    def namespaces(self) -> List[int]:
        return list(self._refs)

    def ref(self, ns: int) -> NsRef:
        """Return a name of a namespace, as a ``netns`` option means it."""
        return self._refs.get(ns, HOST)

    def label(self, ns: int) -> str:
        """Return what a namespace is called in sentences."""
        return "the host" if ns == self.host else str(self.ref(ns).option)

    def lives(self, ns: int) -> bool:
        """Return whether a process lives in a namespace."""
        return ns == self.host or bool(self._living.get(ns))

    def containers(self) -> List[Container]:
        """Return the containers that run; the engines are asked once, which takes a while."""
        if self._containers is None:
            self._containers = list(self.state.running_containers())
        return self._containers

    def of_container(self, container: Container) -> Optional[int]:
        """Return the namespace of a container."""
        return self.state.find(NsRef("/proc/%d/ns/net" % container.pid)) if container.pid else container.inode or None

    def named(self, name: str) -> Optional[int]:
        """Return the namespace that a name means: that of a handle, a file, or a container that an engine runs; None where nobody has it."""
        if name == "host":
            return self.host
        if name.startswith("/"):
            return self._known(NsRef.parse(name))
        entry = self.state.entries().get(name)
        if entry is not None and entry.kind == "namespace":
            return self._known(NsRef(os.path.join(NETNS_DIRECTORY, name)))
        for container in self.containers():
            if container.name == name:
                return self.of_container(container)
        return None

    def _known(self, ref: NsRef) -> Optional[int]:
        found = self.state.find(ref)
        if found is not None:
            self._refs.setdefault(found, ref)
        return found

    # --- what is in them ---

    def _unless_ending(self, ns: int, read: Callable[..., Read], *arguments: Any) -> Optional[Read]:
        try:
            return read(ns, *arguments)
        except OSError as error:
            if ns == self.host:
                raise KernelError(error.errno or 0, "read the state of %s" % HOST) from error
            return None

    def link(self, ns: int, name: str) -> Optional[Link]:
        return self._unless_ending(ns, self.state.link, name)

    def link_at(self, ns: int, index: int) -> Optional[Link]:
        return self._unless_ending(ns, self.state.link_at, index) if index else None

    def links(self, ns: int) -> List[Link]:
        return self._unless_ending(ns, self.state.links) or []

    def ports(self, ns: int, bridge: Link) -> List[Link]:
        return self._unless_ending(ns, self.state.ports, bridge.index) or []

    def made_on(self, ns: int, link: Link) -> Iterator[Tuple[int, Link]]:
        """Yield (namespace, link) of those that are somebody of their own on the segment of a link."""
        return self.state.links_on(ns, link.index, ("macvlan", "ipvlan"))

    def vlans_on(self, ns: int, link: Link, number: int) -> List[Link]:
        """Return the links of a VLAN that are made on a link of a namespace, in the same."""
        found = self._unless_ending(ns, self.state.links, "vlan") or []
        return [one for one in found if one.parent_index == link.index and one.get("vlan_id") == number]

    def addresses(self, ns: int) -> List[Tuple[int, Address]]:
        return self._unless_ending(ns, self.state.addresses) or []

    def addresses_of(self, ns: int, link: Link) -> List[Address]:
        return [address for index, address in self.addresses(ns) if index == link.index]

    def holders(self, ip: str) -> List[Held]:
        """Return who has an address, in all namespaces."""
        found: List[Held] = []
        for ns in self.namespaces:
            for index, address in self.addresses(ns):
                link = self.link_at(ns, index) if address.ip == ip else None
                if link is not None:
                    found.append((ns, link, address))
        return found

    def sysctl(self, ns: int, key: str) -> str:
        """Return a sysctl, ``""`` where there is none."""
        return self._unless_ending(ns, self.state.sysctl, key) or ""

    @staticmethod
    def key(family: int, interface: str, name: str) -> str:
        """Return the sysctl of an interface of whatever name."""
        return sysctl_key("net/ipv%d/conf/%s/%s" % (family, interface, name))

    def of_interface(self, ns: int, family: int, link: Link, name: str) -> str:
        return self.sysctl(ns, self.key(family, link.name, name))

    def larger(self, ns: int, link: Link, key: str) -> int:
        """Return the value of a sysctl of IPv4 of which that of all interfaces counts as well, if it is larger."""
        values = (self.sysctl(ns, self.key(4, "all", key)), self.of_interface(ns, 4, link, key))
        return max(int(value) if value.isdecimal() else 0 for value in values)

    # --- rules ---

    @property
    def firewalls(self) -> Firewalls:
        return firewalls(self.state)

    def rules(self, ns: int) -> ForeignRules:
        self._asked_rules[ns] = None
        return self.firewalls.rules(ns)

    @property
    def unread(self) -> List[str]:
        """Return what of the rules could not be read, a sentence each."""
        return [text for ns in self._asked_rules for text in self.firewalls.unread(ns)]

    def owned(self, ns: int) -> List[OwnedRules]:
        """Return what this collection owns in the rules of a namespace, of each backend."""
        return [self.firewalls.index(ns, backend).owned for backend in self.firewalls.serving(ns)]

    # --- commands ---

    def command(self, ns: int, program: str, *words: str) -> str:
        """Return the command line that runs a program in a namespace."""
        return str(command(self.ref(ns).tool(program), list(words)))

    def listing(self, ns: int, chain: Chain, by_number: bool) -> str:
        """Return the command that lists a chain; ``by_number``: its rules are told by their numbers, as the tool tells them that made them."""
        serving = self.firewalls.serving(ns)
        for backend in reversed(serving) if by_number else serving:
            words = backend.listing_of(chain)
            if words:
                return self.command(ns, *words)
        return ""

    def purpose(self, chain: Chain) -> Optional[str]:
        """Return what kind of owned rules a chain is for, see `Backend.purpose`."""
        found = (backend.purpose(chain) for backend in self.firewalls.available())
        return next((purpose for purpose in found if purpose is not None), None)
