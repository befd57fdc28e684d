# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task's options to wants: validated by Ansible's own validator, then parsed by the resource. Pure."""

from __future__ import annotations

from typing import Any, Callable, Dict, Hashable, List, Mapping, Optional, Sequence

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import AnsibleValidationError, UnsupportedError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Resource


def validator(resource: Resource[Any, Any]) -> ArgumentSpecValidator:
    """Return what validates one item of a resource."""
    return ArgumentSpecValidator(resource.options, **resource.rules)


def parsed(resource: Resource[Any, Any], validates: ArgumentSpecValidator, params: Mapping[str, Any]) -> Any:
    """Return the want that one item means. Raises `Invalid`."""
    plain = _plain(resource, params)
    if plain is not None:
        return resource.parse(plain)
    try:
        checked = validates.validate({name: value for name, value in params.items() if value is not None})
    except OverflowError as error:  # Ansible's own conversion stumbles over it
        raise infinite(params) from error
    if checked.error_messages:
        raise Invalid("; ".join(_clause(error) for error in checked.errors) + ".")
    return resource.parse(checked.validated_parameters)


def infinite(params: Mapping[str, Any]) -> Invalid:
    """Return the error for options among which is a number without an end (YAML's ``.inf``), at any depth."""
    for name, value in params.items():
        parts = value if isinstance(value, list) else [value]
        inner = [infinite(part) for part in parts if isinstance(part, Mapping)]
        found = [error for error in inner if str(error)]
        if found:
            return Invalid("%s: %s" % (name, found[0]))
        if any(str(part).strip().lstrip("+-").lower() in ("inf", "infinity") for part in parts):
            return Invalid("%s: '%s' is not a whole number." % (name, value))
    return Invalid("")


_TYPES: Dict[str, type] = {"str": str, "bool": bool, "int": int, "dict": dict}
_RULES = ("mutually_exclusive", "required_one_of", "required_if", "required_by")


def _plain(resource: Resource[Any, Any], params: Mapping[str, Any]) -> Optional[Dict[str, Any]]:
    """Return what the validator would make of an item that needs no conversion, None where it has to look for itself.

    It takes a fifth of a millisecond for an item, this a twentieth of that; of a thousand items nearly all are so.
    """
    options = resource.options
    if not params.keys() <= options.keys() or not resource.rules.keys() <= {*_RULES}:
        return None
    found = {}
    for name, option in options.items():
        value = params.get(name)
        if value is None:
            if option.get("required"):
                return None
            value = option.get("default")
        else:
            kind = _TYPES.get(option["type"])
            if kind is None or not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
                return None
            if "choices" in option and value not in option["choices"]:
                return None
            if "options" in option or "elements" in option:
                return None
        found[name] = value
    for rule, low, high in (("mutually_exclusive", 0, 1), ("required_one_of", 1, len(options))):
        for names in resource.rules.get(rule, ()):
            if not low <= sum(params.get(name) is not None for name in names) <= high:
                return None
    for name, value, names in resource.rules.get("required_if", ()):
        if found[name] == value and any(found[other] is None for other in names):
            return None
    for name, names in resource.rules.get("required_by", {}).items():
        if found[name] is not None and any(found[other] is None for other in names):
            return None
    return found


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
    """Return a message of the validator as a clause of our sentence; the one for an unknown option begins with its bare name."""
    unknown = "there is no option " if isinstance(error, UnsupportedError) else ""
    return unknown + str(error.msg).rstrip(".")
