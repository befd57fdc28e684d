# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every resource is to the hall: options, and the four steps want, have, plan, after. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Dict, Generic, List, Mapping, Sequence, Tuple, TypeVar

from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import (
    canonical_mac,
    host_interface,
    mac,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Link
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

STATE: Dict[str, Any] = {"state": {"type": "str", "choices": ["present", "absent"], "default": "present"}}
NETNS: Dict[str, Any] = {"netns": {"type": "str"}}


@dataclass(frozen=True)
class Plan:
    """What is to be done for one item: the object ``before`` and ``after`` as dicts (``{}`` when absent), and the ``changes``.

    ``hidden`` names attributes that the diff leaves out, because check mode cannot know them; ``facts`` are further results.
    """

    before: Mapping[str, Any]
    after: Mapping[str, Any]
    changes: Tuple[Change, ...] = ()
    warnings: Tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    hidden: Tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        return any(step.writes for step in self.changes)


Want = TypeVar("Want")
Have = TypeVar("Have")


class Resource(Generic[Want, Have]):
    """One noun. ``options`` is the argument spec of one item, ``rules`` the further arguments of the validator.

    ``identity`` names the options without any of which a task needs ``aggregate``. ``locks``: what is free is decided under the
    host's lock.
    """

    noun: ClassVar[str]
    options: ClassVar[Dict[str, Any]]
    rules: ClassVar[Dict[str, Any]] = {}
    identity: ClassVar[Tuple[str, ...]] = ("name",)
    locks: ClassVar[bool] = False

    def parse(self, params: Mapping[str, Any]) -> Want:
        """Return the want that validated ``params`` mean, in canonical form. Raises `Invalid`."""
        raise NotImplementedError

    def together(self, wants: Sequence[Want]) -> List[Want]:
        """Return the wants of one task, each knowing what it must of the others. Raises `Invalid`."""
        return list(wants)

    def require(self, wants: Sequence[Want], source: Any) -> None:
        """Raise `Lacking` where the host has not the programs that the wants need, before anything is done. ``source`` is the
        kernel, with whatever verbs the module's own has."""

    def subject(self, want: Want) -> str:
        """Return the object in a few words, for the diff's headers and the messages."""
        raise NotImplementedError

    def look(self, want: Want, state: State) -> Have:
        """Return what there is of what is wanted. Raises `Refused` for a parent that is missing."""
        raise NotImplementedError

    def plan(self, want: Want, have: Have) -> Plan:
        """Return what is to be done; a pure function of its arguments. Raises `Refused`."""
        raise NotImplementedError

    def observe(self, want: Want, after: Dict[str, Any], state: State) -> Dict[str, Any]:
        """Return ``after`` with what only the finished run can know."""
        return after


def given(params: Mapping[str, Any], rows: Mapping[str, link_kinds.Field]) -> Dict[str, Any]:
    """Return the attributes of a field table that ``params`` gives, checked and canonical."""
    found = {}
    for name, row in rows.items():
        value = params.get(name)
        if value is not None:
            found[name] = canonical_mac(value, name) if row.attribute == "IFLA_ADDRESS" else row.check(value)
    return found


def differing(wanted: Mapping[str, Any], there: Mapping[str, Any]) -> Tuple[Dict[str, Any], Dict[str, Any]]:
    """Return (new, old): of what is wanted that which is not so, and what it is now."""
    new = {name: value for name, value in wanted.items() if there.get(name) != value}
    return new, {name: there.get(name) for name in new}


def port_of(link: Link, master: str) -> Dict[str, Any]:
    """Return what a link is as a port: the name of its master and, where it has one, the attributes it would lose with it."""
    kept = {name: link.attributes[name] for name in link_kinds.PORT if name in link.attributes} if master else {}
    return dict(kept, master=master)


def own_mac(identity: str, peer_path: str, peer_name: str) -> str:
    """Return the address that the host end of a new pair gets; it says for whom the pair was made, whatever its name."""
    return mac(identity, "veth", peer_path, peer_name, "own")


def made_for(path: str, near: Link, far: Link, identity: str) -> bool:
    """Return whether this collection made a pair for the namespace at ``path``, where ``far`` is: its host end ``near`` has the
    name, or the address, that is derived for it."""
    return near.name == host_interface(path, far.name) or near.get("mac") == own_mac(identity, path, far.name)


def mtu_option(value: Any) -> Any:
    """Return an MTU option: None, ``auto``, or a checked number of bytes."""
    if value is None or value == "auto":
        return value
    if not str(value).isdigit():
        raise Invalid("mtu: '%s' is neither 'auto' nor a number of bytes." % value)
    return link_kinds.LINK["mtu"].check(int(value))
