# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's variables, without their prefix; they are the options of the module ``wiring``. One table. Pure.

``roles/wiring/meta/argument_specs.yml``, ``roles/wiring/defaults/main.yml`` and the module's documentation repeat it, held by a unit test.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

from ansible_collections.linuxnet.containers.plugins.module_utils._model.engines import ENGINES
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.lasting import DRIFTS

_STATE: Dict[str, Any] = {"type": "str", "choices": ["present", "absent"], "default": "present"}
_TEXTS: Dict[str, Any] = {"type": "list", "elements": "str", "default": []}
_ROUTES: Dict[str, Any] = {"type": "list", "elements": "dict", "default": []}
_PORTS = _ROUTES

SHARED = ("routed", "vxlan")  # by several hosts
ON_PARENT = ("macvlan", "ipvlan")  # on the segment of an interface of the host
DRIVERS = ("bridge", *SHARED, *ON_PARENT)
UNDERLAYS = ("auto", "direct", "vxlan", "routed")  # by which way a routed network's other parts are reached
# A host that shares networks.
MEMBER: Dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "underlay_address": {"type": "str", "required": True},
    "slice": {"type": "int"},
}
NETWORK: Dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "subnets": _TEXTS,
    "gateways": _TEXTS,
    "ranges": _TEXTS,
    "exclude": _TEXTS,
    "mtu": {"type": "str", "default": "auto"},
    "unmanaged": {"type": "bool", "default": False},
    "masquerade": {"type": "bool", "default": True},
    "outbound_ipv4": {"type": "str"},
    "outbound_ipv6": {"type": "str"},
    "internal": {"type": "bool", "default": False},
    "host_access": {"type": "bool", "default": True},
    "addressing": {"type": "str", "choices": ["pool", "none"], "default": "pool"},
    "vlan_filtering": {"type": "bool"},
    "ports": _PORTS,
    "vrf": {"type": "str"},
    "vrf_table": {"type": "str"},
    "driver": {"type": "str", "choices": list(DRIVERS), "default": "bridge"},
    "parent": {"type": "str"},
    "mode": {"type": "str"},
    "host_interface": {"type": "str"},
    "host_addresses": _TEXTS,
    "host_prefix": {"type": "list", "elements": "int", "default": []},
    "underlay": {"type": "str", "choices": list(UNDERLAYS), "default": "auto"},
    "uplinks": _TEXTS,
    "vni": {"type": "int"},
    "fleet": {"type": "list", "elements": "dict", "options": MEMBER},
    "underlay_address": {"type": "str"},
    "isolate": {"type": "bool"},
    "icc": {"type": "bool"},
    "spoof_check": {"type": "bool"},
    "metric": {"type": "int"},
    "routes": _ROUTES,
    "state": _STATE,
}
ATTACHMENT: Dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "ipv4_address": {"type": "str"},
    "ipv6_address": {"type": "str"},
    "mac_address": {"type": "str"},
    "interface": {"type": "str"},
    "host_interface": {"type": "str"},
    "default_route": {"type": "bool"},
    "spoof_check": {"type": "bool"},
    "rate": {"type": "str"},
    "egress_rate": {"type": "str"},
    "ingress_rate": {"type": "str"},
    "delay": {"type": "str"},
    "jitter": {"type": "str"},
    "loss": {"type": "str"},
    "port": {"type": "dict", "default": {}},
}
CONTAINER: Dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "engine": {"type": "str", "choices": ["netns", *ENGINES, "pid"], "default": "netns"},
    "pid": {"type": "int"},
    "network_mode": {"type": "str", "default": "bridge"},
    "networks": {"type": "list", "elements": "dict", "options": ATTACHMENT},
    "published_ports": {"type": "list", "elements": "raw", "default": []},
    "sysctls": {"type": "dict", "default": {}},
    "routes": _ROUTES,
    "loopback_addresses": _TEXTS,
    "forwarding": {"type": "bool", "default": False},
    "state": _STATE,
}
# An end of a link, which is also written NAME:INTERFACE.
ENDPOINT: Dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "interface": {"type": "str", "required": True},
    "ipv4_address": {"type": "str"},
    "ipv6_address": {"type": "str"},
    "mac_address": {"type": "str"},
}
LINK: Dict[str, Any] = {
    "endpoints": {"type": "list", "elements": "raw", "required": True},
    "subnets": _TEXTS,
    "mtu": {"type": "int", "default": 1500},
    "rate": {"type": "str"},
    "delay": {"type": "str"},
    "jitter": {"type": "str"},
    "loss": {"type": "str"},
    "state": _STATE,
}
OPTIONS: Dict[str, Any] = {
    "networks": {"type": "list", "elements": "dict", "default": [], "options": NETWORK},
    "containers": {"type": "list", "elements": "dict", "default": [], "options": CONTAINER},
    "links": {"type": "list", "elements": "dict", "default": [], "options": LINK},
    "state": _STATE,
    "purge": {"type": "bool", "default": False},
    "firewall_backend": {"type": "str", "choices": ["auto", "nftables", "iptables"], "default": "auto"},
    "persist": {"type": "bool", "default": False},
    "drift": {"type": "str", "choices": list(DRIFTS), "default": "ignore"},
    "fleet": {"type": "list", "elements": "raw", "default": []},
    "underlay_address": {"type": "str"},
    "slice": {"type": "int"},
}
# Of the role itself, beside the module's options: how it goes about it.
ROLE_ONLY: Dict[str, Any] = {
    "one_task": {"type": "bool", "default": False},
    "install_dependencies": {"type": "bool", "default": True},
    "topology_file": {"type": "str", "default": None},
}
MODES = ("bridge", "host", "none", "container")  # what `network_mode` can be; the last one is written `container:NAME`


def converted(params: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the arguments of a task of the module ``wiring`` with its lists in canonical form. Raises `Invalid`.

    So Ansible's own validation finds nothing in them: what is wrong is said as the role's filter says it.
    """
    names = ("networks", "containers", "links")
    lists = {name: entries(name, params[name]) for name in names if params.get(name) is not None}
    return {**params, **lists}


def misspelt(variables: Mapping[str, Any]) -> str:
    """Return the sentence that refuses a variable of which the role would take no notice, ``""`` where there is none.

    ``variables`` are all that the play has. Others may begin with ``wiring_`` as well, so one that is nearly called as one of ours is
    refused where ours has its default, or is not there: nobody means the default by it.
    """
    ours = {"wiring_" + name: option.get("default") for name, option in {**OPTIONS, **ROLE_ONLY}.items()}
    for name in variables:
        if not name.startswith("wiring") or name in ours:
            continue
        if name == "wiring_link" and not isinstance(variables[name], list):
            continue  # what a step of the role returned
        meant = next((own for own in ours if _near(name, own)), None)
        if meant is not None and (meant not in variables or variables[meant] == ours[meant]):
            return "%s: the role has no such variable; did you mean %s?" % (name, meant)
    return ""


def _near(name: str, own: str) -> bool:
    """Return whether a name is another one with a typing error: a character more, less, or another, or two that changed places; or
    the other number of a noun."""
    if abs(len(name) - len(own)) > 1:
        return name.rstrip("s") == own.rstrip("s")
    start = next((place for place, (a, b) in enumerate(zip(name, own)) if a != b), min(len(name), len(own)))
    rest, other = name[start:], own[start:]
    return rest[1:] == other[1:] or rest[1:] == other or rest == other[1:] or rest[1::-1] + rest[2:] == other


def entries(variable: str, given: Any) -> List[Dict[str, Any]]:
    """Return the list ``networks``, ``containers`` or ``links`` in canonical form. Raises `Invalid`, which names the list, the entry and the option.

    Each option has the type that the table says, or is left out where it is null and has no default; texts lose the blanks around them.
    As Ansible does for modules, other spellings are understood ("no", a text with commas for a list, NAME=VALUE for a dict). A list in
    canonical form comes back as it is.
    """
    # Here and not above: the controller looks for misspelt names only, in each task anew.
    from ansible_collections.linuxnet.containers.plugins.module_utils._run.validation import (
        listed,
        mapping,
        named,
        reading,
        with_defaults,
    )

    option = OPTIONS[variable]
    found = []
    where = "wiring_" + variable
    if isinstance(given, str) and given.strip().startswith("["):
        raise Invalid(
            "%s: it is the text '%s', not a list; -e takes lists as JSON: -e '{\"%s\": []}'." % (where, given, where)
        )
    for number, entry in enumerate(reading(where, listed, option["default"] if given is None else given)):
        place = "%s: item %d" % (where, number + 1)
        if variable == "links":
            found.append(_link(reading(place, mapping, entry), place))
            continue
        fields = reading(place, named, entry)
        name = fields.get("name")
        if name is None or not str(name).strip():
            raise Invalid("%s: item %d has no name." % (where, number + 1))
        found.append(
            with_defaults(fields, option["options"], "%s: %s '%s'" % (where, variable[:-1], str(name).strip()))
        )
    return found


def _link(fields: Mapping[str, Any], place: str) -> Dict[str, Any]:
    """Return an entry of ``links`` in canonical form, both endpoints as dicts. Raises `Invalid`."""
    from ansible_collections.linuxnet.containers.plugins.module_utils._run.validation import (
        mapping,
        reading,
        with_defaults,
    )

    found = with_defaults(fields, LINK, place)
    where = place + ": endpoints"
    ends = []
    for one in found["endpoints"]:
        if isinstance(one, str):
            name, dummy, interface = one.rpartition(":")
            if not name or not interface:
                raise Invalid("%s: '%s' is not NAME:INTERFACE, such as r1:eth1." % (where, one))
            one = {"name": name, "interface": interface}
        ends.append(with_defaults(reading(where, mapping, one), ENDPOINT, where))
    return {**found, "endpoints": ends}
