# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's variables, without their prefix; they are the options of the module ``wiring``. One table. Pure.

``roles/wiring/meta/argument_specs.yml``, ``roles/wiring/defaults/main.yml`` and the module's documentation repeat it, held by a unit test.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping

from ansible.module_utils.common.validation import (
    check_type_bool,
    check_type_dict,
    check_type_int,
    check_type_list,
)
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
    "host_access": {"type": "bool", "default": True},
    "addressing": {"type": "str", "choices": ["pool", "none"], "default": "pool"},
    "vlan_filtering": {"type": "bool"},
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
    """Return the list ``networks`` or ``containers`` in canonical form. Raises `Invalid`, which names the list, the entry and the option.

    Each option has the type that the table says, or is left out where it is null and has no default; texts lose the blanks around them.
    The role's argument_specs accept other spellings ("no", a text with commas for a list, NAME=VALUE for a dict), but Ansible hands the
    variables on as they were written. A list in canonical form comes back as it is.
    """
    option = OPTIONS[variable]
    found = []
    listed = _reading("wiring_" + variable, _listed, option["default"] if given is None else given)
    for number, entry in enumerate(listed):
        fields = _reading("wiring_%s: item %d" % (variable, number + 1), _mapping, entry)
        name = fields.get("name")
        if name is None or not str(name).strip():
            raise Invalid("wiring_%s: item %d has no name." % (variable, number + 1))
        where = "wiring_%s: %s '%s'" % (variable, variable[:-1], str(name).strip())
        found.append(_with_defaults(fields, option["options"], where))
    return found


def defaults(options: Mapping[str, Mapping[str, Any]]) -> Dict[str, Any]:
    """Return the values of the options that have a default, by name."""
    return {name: option["default"] for name, option in options.items() if "default" in option}


def _reading(where: str, read: Callable[[Any], Any], value: Any) -> Any:
    """Return what ``read`` makes of a value. Raises `Invalid` with ``where`` in front, where that raises `TypeError`."""
    try:
        return read(value)
    except TypeError as error:
        raise Invalid("%s: %s." % (where, str(error).rstrip("."))) from error


def _canonical(value: Any, option: Mapping[str, Any], where: str) -> Any:
    """Return an option's value in the type of the option. Raises `Invalid`."""
    kind = option["type"]
    if kind == "list":
        element = {"type": option["elements"], "options": option.get("options")}
        return [_canonical(entry, element, where) for entry in _reading(where, _listed, value)]
    if kind == "dict":
        fields = _reading(where, _mapping, value)
        return _with_defaults(fields, option["options"], where) if option.get("options") else fields
    value = _reading(where, _SCALARS[kind], value)
    if "choices" in option and value not in option["choices"]:
        raise Invalid("%s: '%s' is none of %s." % (where, value, ", ".join(option["choices"])))
    return value


def _flag(value: Any) -> bool:
    try:
        return bool(check_type_bool(value))
    except TypeError:
        raise TypeError("'%s' is neither true nor false" % (value,)) from None


def _number(value: Any) -> int:
    try:
        if isinstance(value, bool):
            raise TypeError
        return int(check_type_int(value))
    except TypeError:
        raise TypeError("'%s' is not a whole number" % (value,)) from None


def _text(value: Any) -> str:
    """Return a text. A boolean is none: YAML reads no, off and yes as booleans, which nobody means by them here."""
    if isinstance(value, bool) or value in ("True", "False"):  # Ansible makes these texts of booleans for a module
        raise TypeError("%s is a boolean in YAML, as no, off, yes and on are; write it in quotes" % str(value).lower())
    if isinstance(value, (list, tuple, Mapping)):
        raise TypeError("a text is needed, not %s" % ("a dict" if isinstance(value, Mapping) else "a list"))
    return str(value).strip()


def _raw(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


_SCALARS: Dict[str, Callable[[Any], Any]] = {"bool": _flag, "int": _number, "str": _text, "raw": _raw}


def _listed(value: Any) -> List[Any]:
    """Return the entries of a list, as Ansible does, which splits a text at its commas. Raises `TypeError`."""
    if isinstance(value, str):
        return [entry.strip() for entry in value.split(",")] if value.strip() else []
    if isinstance(value, (bool, Mapping)):
        raise TypeError("a list is needed, not %s" % ("a dict" if isinstance(value, Mapping) else "a boolean"))
    found: List[Any] = check_type_list(value if isinstance(value, (int, float)) else list(value))
    if None in found:
        raise TypeError("item %d is empty" % (found.index(None) + 1))
    return found


def _mapping(value: Any) -> Mapping[str, Any]:
    """Return a dict, as Ansible does, which also reads JSON and NAME=VALUE. Raises `TypeError`."""
    if isinstance(value, Mapping):
        return value
    try:
        found: Mapping[str, Any] = check_type_dict(value)
    except TypeError:
        raise TypeError("a dict is needed, not '%s'" % (value,)) from None
    return found


def _with_defaults(fields: Mapping[str, Any], options: Mapping[str, Mapping[str, Any]], where: str) -> Dict[str, Any]:
    found = defaults(options)
    for name, value in fields.items():
        if value is None:
            continue
        if name not in options:
            raise Invalid("%s: there is no option %s." % (where, name))
        found[name] = _canonical(value, options[name], "%s: %s" % (where, name))
    return found
