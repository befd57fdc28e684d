# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task's options to wants: validated by Ansible's own validator, then parsed by the resource. Pure."""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, Hashable, List, Mapping, Optional, Sequence

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.validation import check_type_bool, check_type_dict, check_type_int
from ansible.module_utils.errors import AnsibleValidationError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, no_option
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Resource


def validator(resource: Resource[Any, Any]) -> ArgumentSpecValidator:
    """Return what validates one item of a resource."""
    return ArgumentSpecValidator(resource.options, **resource.rules)


def parsed(resource: Resource[Any, Any], validates: ArgumentSpecValidator, params: Mapping[str, Any]) -> Any:
    """Return the want that one item means. Raises `Invalid`."""
    plain = _plain(resource, params)
    if plain is not None:
        return resource.parse(plain)
    checked = validates.validate(_typed(resource, params))
    if checked.error_messages:
        raise Invalid("; ".join(_clause(error) for error in checked.errors) + ".")
    return resource.parse(checked.validated_parameters)


def _typed(resource: Resource[Any, Any], params: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the options of an item that are given, each in its type. Raises `Invalid`."""
    found = {}
    for name, value in params.items():
        if value is None:
            continue
        if name not in resource.options:
            raise Invalid(no_option(name, resource.options))
        found[name] = canonical(value, resource.options[name], name)
    return found


def countable(params: Mapping[str, Any], options: Mapping[str, Mapping[str, Any]], where: str = "") -> None:
    """Raise `Invalid` for an option that is a whole number, at any depth, whose value is none that could be meant: YAML's ``.inf``, 1e999999 or thousands
    of digits, with which Ansible's own conversion ends in an error of Python's, or not at all."""
    for name, option in options.items():
        value = params.get(name)
        if option.get("type") == "int":
            reading(where + name, _counted, value)
        elif option.get("options"):
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, Mapping):
                    countable(part, option["options"], "%s%s: " % (where, name))


_TYPES: Dict[str, type] = {"str": str, "bool": bool, "int": int, "dict": dict}
_MOST, _LONGEST = 10**20, 40  # no number here has as many digits, nor a text that is one as many characters
_SHOWN = 100  # characters of a value in an error
_ENDLESS = re.compile(r"[+-]?(inf|infinity|s?nan.*|.*e[+-]?[0-9]{3,})", re.IGNORECASE | re.DOTALL)
_RULES = ("mutually_exclusive", "required_if", "required_by")


def _plain(resource: Resource[Any, Any], params: Mapping[str, Any]) -> Optional[Dict[str, Any]]:
    """Return what the validator would make of an item that needs no conversion, None where it has to look for itself.

    It takes a fifth of a millisecond for an item, this a twentieth of that; of a thousand items nearly all are so.
    """
    if not resource.rules.keys() <= {*_RULES}:
        return None
    found = _as_they_are(resource.options, params)
    if found is None:
        return None
    for names in resource.rules.get("mutually_exclusive", ()):
        if sum(params.get(name) is not None for name in names) > 1:
            return None
    for name, value, names in resource.rules.get("required_if", ()):
        if found[name] == value and any(found[other] is None for other in names):
            return None
    for name, names in resource.rules.get("required_by", {}).items():
        if found[name] is not None and any(found[other] is None for other in names):
            return None
    return found


def _as_they_are(options: Mapping[str, Mapping[str, Any]], params: Mapping[str, Any]) -> Optional[Dict[str, Any]]:
    """Return the values of all options, None where any of them needs a conversion, is missing, or is none that there is."""
    if not params.keys() <= options.keys():
        return None
    found = {}
    for name, option in options.items():
        value = params.get(name)
        if value is None:
            if option.get("required"):
                return None
            value = option.get("default")
        elif option["type"] == "list":
            value = _listed_as_they_are(option, value)
            if value is None:
                return None
        else:
            kind = _TYPES.get(option["type"])
            if kind is None or not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
                return None
            if "options" in option or ("choices" in option and value not in option["choices"]):
                return None
        found[name] = value
    return found


def _listed_as_they_are(option: Mapping[str, Any], value: Any) -> Optional[List[Any]]:
    """Return the entries of a list of texts, or of dicts with options of their own, None where any of them needs a conversion."""
    if not isinstance(value, list) or "choices" in option:
        return None
    if option.get("elements") == "str":
        return value if all(isinstance(entry, str) for entry in value) else None
    if option.get("elements") != "dict" or "options" not in option:
        return None
    entries = []
    for entry in value:
        found = _as_they_are(option["options"], entry) if isinstance(entry, Mapping) else None
        if found is None:
            return None
        entries.append(found)
    return entries


def items(resource: Resource[Any, Any], params: Mapping[str, Any]) -> List[Any]:
    """Return the wants of a task, in order. Raises `Invalid` for the first item that is not right."""
    top = {name: params[name] for name in resource.options if params.get(name) is not None}
    aggregate = params.get("aggregate")
    validates = validator(resource)
    if aggregate is None:
        return resource.together([parsed(resource, validates, top)])
    wants: List[Any] = []
    for number, item in enumerate(aggregate):
        given = {name: value for name, value in item.items() if value is not None}
        try:
            wants.append(parsed(resource, validates, dict(top, **given)))
        except Invalid as error:
            raise Invalid("aggregate item %d: %s" % (number + 1, error)) from error
    distinct(resource, wants, lambda number: "aggregate item %d" % (number + 1))
    return resource.together(wants)


def distinct(resource: Resource[Any, Any], wants: Sequence[Any], named: Callable[[int], str]) -> None:
    """Raise `Invalid` where two wants, ``named`` by their number, ask for one thing and not for the same: each run would do what the
    one says, and then the other."""
    seen: Dict[Hashable, int] = {}
    for number, want in enumerate(wants):
        for key in resource.identities(want):
            first = seen.setdefault(key, number)
            if first != number and not resource.same(wants[first], want):
                who = " and ".join(dict.fromkeys((named(first), named(number))))
                raise Invalid(
                    "%s: the %s is asked for twice, and not alike; list it once." % (who, resource.subject(want))
                )


def _clause(error: AnsibleValidationError) -> str:
    """Return a message of the validator as a clause of our sentence."""
    return str(error.msg).rstrip(".")


# --- values ---


def defaults(options: Mapping[str, Mapping[str, Any]]) -> Dict[str, Any]:
    """Return the values of the options that have a default, by name."""
    return {name: option["default"] for name, option in options.items() if "default" in option}


def reading(where: str, read: Callable[[Any], Any], value: Any) -> Any:
    """Return what ``read`` makes of a value. Raises `Invalid` with ``where`` in front, where that raises `TypeError`."""
    try:
        return read(value)
    except TypeError as error:
        raise Invalid("%s: %s." % (where, str(error).rstrip("."))) from error


def canonical(value: Any, option: Mapping[str, Any], where: str) -> Any:
    """Return an option's value in the type of the option, as Ansible's own validation would. Raises `Invalid`, ``where`` in front."""
    kind = option["type"]
    options = option.get("options") or {}
    if kind == "list":
        entries = reading(where, listed, value)
        if options:
            return [_entry(entry, options, where, number + 1) for number, entry in enumerate(entries)]
        return [canonical(entry, {"type": option.get("elements", "raw")}, where) for entry in entries]
    if kind == "dict":
        fields = reading(where, mapping, value)
        return with_defaults(fields, options, where) if options else fields
    value = reading(where, _SCALARS.get(kind, _raw), value)
    if "choices" in option and value not in option["choices"]:
        raise Invalid("%s: '%s' is none of %s." % (where, value, ", ".join(option["choices"])))
    return value


def _entry(value: Any, options: Mapping[str, Any], where: str, number: int) -> Dict[str, Any]:
    """Return an entry of a list in canonical form; an error calls it by its name, as "network 'front'" of "networks", or by its place."""
    place = "%s: item %d" % (where, number)
    fields = reading(place, named if "name" in options else mapping, value)
    name = str(fields.get("name") or "").strip() if "name" in options else ""
    return with_defaults(fields, options, "%s '%s'" % (where[:-1], name) if name else place)


def _flag(value: Any) -> bool:
    try:
        return bool(check_type_bool(value))
    except TypeError:
        raise TypeError("%s is neither true nor false" % _shown(value)) from None


def _counted(value: Any) -> Any:
    """Return a value that is to be a number, which may have any type. Raises `TypeError` for one that is more than anybody counts."""
    text = value.strip() if isinstance(value, str) else value
    endless = isinstance(text, str) and (_ENDLESS.fullmatch(text) or len(text) > _LONGEST)
    if endless or (isinstance(value, (int, float)) and not abs(value) < _MOST):
        raise TypeError("%s is not a whole number" % _shown(value))
    return value


def _number(value: Any) -> int:
    try:
        if isinstance(value, bool):
            raise TypeError
        return int(check_type_int(_counted(value)))
    except TypeError:
        raise TypeError("%s is not a whole number" % _shown(value)) from None


def _text(value: Any) -> str:
    """Return a text. A boolean is none: YAML reads no, off and yes as booleans, which nobody means by them here. Nor is a number with a
    point, of which YAML drops what it finds needless: 1.10 is 1.1."""
    if isinstance(value, bool) or value in ("True", "False"):  # Ansible makes these texts of booleans for a module
        raise TypeError("%s is a boolean in YAML, as no, off, yes and on are; write it in quotes" % str(value).lower())
    if isinstance(value, float):
        raise TypeError("%s is a number with a point in YAML; write it in quotes" % value)
    if isinstance(value, (list, tuple, Mapping)):
        raise TypeError("a text is needed, not %s" % _shown(value))
    return str(value).strip()


def _raw(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


_SCALARS: Dict[str, Callable[[Any], Any]] = {"bool": _flag, "int": _number, "str": _text, "raw": _raw}


def _shown(value: Any) -> str:
    """Return what a value is, in words for an error."""
    if isinstance(value, Mapping):
        return "a dict"
    if isinstance(value, (list, tuple)):
        return "a list"
    text = str(value)
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
    return "the boolean %s" % text.lower() if isinstance(value, bool) else "'%s'" % shown


def listed(value: Any) -> List[Any]:
    """Return the entries of a list, as Ansible does, which splits a text at its commas. Raises `TypeError`."""
    if isinstance(value, str):
        return [entry.strip() for entry in value.split(",")] if value.strip() else []
    if isinstance(value, (bool, Mapping)):
        raise TypeError("a list is needed, not %s" % _shown(value))
    found: List[Any] = [value] if isinstance(value, (int, float)) else list(value)
    if None in found:
        raise TypeError("item %d is empty" % (found.index(None) + 1))
    return found


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a dict, as Ansible does, which also reads JSON and NAME=VALUE. Raises `TypeError`."""
    if isinstance(value, Mapping):
        return value
    try:
        found: Mapping[str, Any] = check_type_dict(value)
    except TypeError:
        raise TypeError("a dict is needed, not %s" % _shown(value)) from None
    return found


def named(value: Any) -> Mapping[str, Any]:
    """Return a dict that has a name among others. Raises `TypeError`."""
    try:
        return mapping(value)
    except TypeError as error:
        plain = isinstance(value, (str, int)) and not isinstance(value, bool)
        raise TypeError("%s%s" % (error, "; write it as {name: %s}" % (value,) if plain else "")) from None


def with_defaults(fields: Mapping[str, Any], options: Mapping[str, Mapping[str, Any]], where: str) -> Dict[str, Any]:
    """Return the canonical values of an entry's options, and the defaults of those that it leaves out or has as null. Raises `Invalid`."""
    found = defaults(options)
    for name, value in fields.items():
        if value is None:
            continue
        if name not in options:
            raise Invalid("%s: %s" % (where, no_option(name, options)))
        found[name] = canonical(value, options[name], "%s: %s" % (where, name))
    missing = next((name for name, option in options.items() if option.get("required") and not found.get(name)), None)
    if missing is not None:
        raise Invalid("%s: it has no %s." % (where, missing))
    return found
