# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun ns_link: links of several kinds, for each of which there is a resource that does the work. Pure."""

from __future__ import annotations

import collections
from dataclasses import replace
from typing import Any, Dict, Hashable, List, Mapping, Optional, Sequence, Set, Tuple, Type

from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Link, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link_of_kind import OfKind
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.macvlan import Ipvlan, Macvlan
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.ns_link_want import Have, Want
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.vlan import Vlan
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.vxlan import Vxlan
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import NETNS, STATE, Plan, Resource
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

_IN_THEIR_OWN_WAY: Mapping[str, Type[OfKind]] = {
    "ipvlan": Ipvlan,
    "macvlan": Macvlan,
    "vlan": Vlan,
    "vxlan": Vxlan,
}


class NsLinkResource(Resource[Want, Have]):
    noun = "ns_link"

    def __init__(self) -> None:
        self.kinds = {name: _IN_THEIR_OWN_WAY.get(name, OfKind)(name) for name in link_kinds.made_by(self.noun)}
        self.options: Dict[str, Any] = {
            "name": {"type": "str", "required": True},
            "kind": {"type": "str", "required": True, "choices": list(self.kinds)},
            **STATE,
            **NETNS,
            "recreate": {"type": "bool", "default": False},
            "only_ours": {"type": "bool", "default": False},
            "as_is": {"type": "bool", "default": False},
            "owner": {"type": "str"},
            "exclusive": {"type": "bool", "default": False},
            "keep": {"type": "list", "elements": "str"},
            "sysctls": {"type": "dict"},
        }
        for kind in self.kinds.values():
            self.options.update(kind.kind_options)

    def parse(self, params: Mapping[str, Any]) -> Want:
        kind = self.kinds[params["kind"]]
        for name in self.options:
            having = [other.noun for other in self.kinds.values() if name in other.kind_options]
            if having and kind.noun not in having and params.get(name) is not None:
                raise Invalid("%s: it is an option of kind %s, not of %s." % (name, ", ".join(having), kind.noun))
        return kind.parse(params)

    def identities(self, want: Want) -> Sequence[Hashable]:
        return self.kinds[want.kind].identities(want)

    def together(self, wants: Sequence[Want]) -> List[Want]:
        names: Dict[NsRef, Set[str]] = collections.defaultdict(set)
        sharing: Dict[Hashable, Set[Tuple[NsRef, str]]] = collections.defaultdict(set)
        for want in wants:
            if want.present:
                names[want.ns].add(want.name)
            if want.present and want.recreate and want.kind in link_kinds.SHARING:
                sharing[_segment(want)].add((want.ns, want.name))
        together = {where: frozenset(found) for where, found in sharing.items()}
        found = [replace(want, keep=want.keep | names[want.ns]) if want.exclusive else want for want in wants]
        return [replace(want, together=together.get(_segment(want), frozenset())) for want in found]

    def resolved(self, want: Want, state: State) -> Want:
        found = self.kinds[want.kind].resolved(want, state)
        return found if isinstance(found, Want) else want

    def subject(self, want: Want) -> str:
        return self.kinds[want.kind].subject(want)

    def look(self, want: Want, state: State) -> Have:
        return self.kinds[want.kind].look(want, state)

    def plan(self, want: Want, have: Have) -> Plan:
        return self.kinds[want.kind].plan(want, have)

    def described(self, ref: NsRef, ns: int, link: Link, parent_ns: Optional[NsRef], state: State) -> Dict[str, Any]:
        """Return a link of one of the kinds as the module returns it: see `OfKind.described`."""
        return self.kinds[link.kind].described(ref, ns, link, parent_ns, state)


def _segment(want: Want) -> Hashable:
    """Return what links have in common that share a parent, and are to be alike."""
    return want.kind, want.parent, want.origin, want.attributes.get("ipvlan_mode")


RESOURCE = NsLinkResource()
