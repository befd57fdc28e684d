# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's variables, without their prefix; they are the options of the module ``wiring``. One table. Pure.

``roles/wiring/meta/argument_specs.yml``, ``roles/wiring/defaults/main.yml`` and the module's documentation repeat it, held by a unit test.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping

from ansible.module_utils.common.validation import check_type_dict
from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.linuxnet.containers.plugins.module_utils._model.engines import ENGINES
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid

_STATE: Dict[str, Any] = {"type": "str", "choices": ["present", "absent"], "default": "present"}
_TEXTS: Dict[str, Any] = {"type": "list", "elements": "str", "default": []}
_ROUTES: Dict[str, Any] = {"type": "list", "elements": "dict", "default": []}

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
    "isolate": {"type": "bool"},
    "icc": {"type": "bool"},
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
    "state": _STATE,
}
OPTIONS: Dict[str, Any] = {
    "networks": {"type": "list", "elements": "dict", "default": [], "options": NETWORK},
    "containers": {"type": "list", "elements": "dict", "default": [], "options": CONTAINER},
    "state": _STATE,
    "purge": {"type": "bool", "default": False},
    "firewall_backend": {"type": "str", "choices": ["auto", "nftables", "iptables"], "default": "auto"},
}
MODES = ("bridge", "host", "none", "container")  # what `network_mode` can be; the last one is written `container:NAME`


def entries(variable: str, given: Any) -> List[Dict[str, Any]]:
    """Return the list ``networks`` or ``containers`` in canonical form. Raises `Invalid`.

    Each option has the type that the table says, or is left out where it is null and has no default. The role's argument_specs accept other
    spellings ("no", a text with commas for a list, NAME=VALUE for a dict), but Ansible hands the variables on as they were written.
    A list in canonical form comes back as it is.
    """
    option = OPTIONS[variable]
    try:
        found: List[Dict[str, Any]] = _canonical(option["default"] if given is None else given, option)
    except TypeError as error:
        raise Invalid("wiring_%s: %s." % (variable, str(error).rstrip("."))) from error
    return found


def defaults(options: Mapping[str, Mapping[str, Any]]) -> Dict[str, Any]:
    """Return the values of the options that have a default, by name."""
    return {name: option["default"] for name, option in options.items() if "default" in option}


def _canonical(value: Any, option: Mapping[str, Any]) -> Any:
    """Return an option's value in the type of the option. Raises `TypeError` for what is no list or no dict."""
    kind = option["type"]
    if kind == "bool":
        return boolean(value, strict=False)
    if kind == "str":
        return value if isinstance(value, str) else str(value)
    if kind == "list":
        element = {"type": option["elements"], "options": option.get("options")}
        return [_canonical(entry, element) for entry in _listed(value)]
    if kind == "dict":
        fields = value if isinstance(value, Mapping) else check_type_dict(value)
        return _with_defaults(fields, option["options"]) if option.get("options") else fields
    return value


def _listed(value: Any) -> Iterable[Any]:
    """Return the entries of a list. Ansible splits a text at its commas and leaves the space after them."""
    if isinstance(value, str):
        value = value.split(",") if value.strip() else []
    elif isinstance(value, (int, float)):
        value = [str(value)]
    return (entry.strip() if isinstance(entry, str) else entry for entry in value)


def _with_defaults(fields: Mapping[str, Any], options: Mapping[str, Mapping[str, Any]]) -> Dict[str, Any]:
    found = defaults(options)
    for name, value in fields.items():
        if value is not None:
            found[name] = _canonical(value, options[name]) if name in options else value
    return found
