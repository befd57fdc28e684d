# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which resource takes which step of a plan, the check of a whole plan before its first step, and its steps in order. Pure."""

from __future__ import annotations

import contextlib
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.engines import ENGINES
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, Lacking
from ansible_collections.linuxnet.containers.plugins.module_utils._model.kernel_api import Source
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import (
    bridge,
    bridge_port,
    netns,
    ns_address,
    ns_route,
    veth,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import resource as nat
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Resource
from ansible_collections.linuxnet.containers.plugins.module_utils._run.validation import parsed, validator
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.compile import compile_plan, resolved
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.purge import GATHER, purged
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.report import result

_STATE: Dict[str, Any] = {"type": "str", "choices": ["present", "absent"], "default": "present"}
_TEXTS: Dict[str, Any] = {"type": "list", "elements": "str", "default": []}
_ROUTES: Dict[str, Any] = {"type": "list", "elements": "dict", "default": []}

# The role's variables without their prefix; roles/wiring/meta/argument_specs.yml says the same of them.
OPTIONS: Dict[str, Any] = {
    "networks": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
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
        },
    },
    "containers": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "engine": {"type": "str", "choices": ["netns", *ENGINES, "pid"], "default": "netns"},
            "pid": {"type": "int"},
            "network_mode": {"type": "str", "default": "bridge"},
            "networks": {
                "type": "list",
                "elements": "dict",
                "options": {
                    "name": {"type": "str", "required": True},
                    "ipv4_address": {"type": "str"},
                    "ipv6_address": {"type": "str"},
                    "mac_address": {"type": "str"},
                    "interface": {"type": "str"},
                    "host_interface": {"type": "str"},
                    "default_route": {"type": "bool"},
                    "port": {"type": "dict", "default": {}},
                },
            },
            "published_ports": {"type": "list", "elements": "raw", "default": []},
            "sysctls": {"type": "dict", "default": {}},
            "routes": _ROUTES,
            "state": _STATE,
        },
    },
    "state": _STATE,
    "purge": {"type": "bool", "default": False},
    "firewall_backend": {"type": "str", "choices": ["auto", "nftables", "iptables"], "default": "auto"},
}

RESOURCES: Mapping[str, Resource[Any, Any]] = {
    "netns": netns.RESOURCE,
    "bridge": bridge.RESOURCE,
    "gateway": ns_address.RESOURCE,
    "veth": veth.RESOURCE,
    "bridge_port": bridge_port.RESOURCE,
    "address": ns_address.RESOURCE,
    "route": ns_route.RESOURCE,
    "nat": nat.RESOURCE,
    "join": netns.RESOURCE,
}


Results = Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]  # by half and step


def checked(plan: Dict[str, Dict[str, List[Any]]]) -> Dict[str, Dict[str, List[Any]]]:
    """Return a compiled plan of which every item is right, so that a step does not fail for its input after earlier ones ran.

    Raises `Invalid`. What cannot be checked here for want of a library is left to the modules.
    """
    for steps in plan.values():
        for step, listed in steps.items():
            with contextlib.suppress(Lacking):
                _wants(step, resolved(listed, None))
    return plan


def _wants(step: str, listed: Sequence[Mapping[str, Any]]) -> List[Any]:
    """Return the wants of a step. Raises `Invalid`, with whose it is."""
    resource = RESOURCES[step]
    validates = validator(resource)
    return resource.together([_parsed(resource, validates, item) for item in listed])


def _parsed(resource: Resource[Any, Any], validates: Any, item: Mapping[str, Any]) -> Any:
    try:
        return parsed(resource, validates, item)
    except Invalid as error:
        whose = next(item[name] for name in ("peer_netns", "netns", "owner", "name", "interface") if item.get(name))
        raise Invalid("wiring of '%s': %s" % (whose, error)) from error


class Chain:
    """A plan, compiled from `OPTIONS` and checked, to be taken step by step. Raises `Invalid` or `Lacking` when it is made.

    ``looks``: more may have to go, which what is there tells.
    """

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._params = params
        self.looks = bool(params["purge"])
        self._set(compile_plan(params["networks"], params["containers"], params["state"]))

    def _set(self, plan: Dict[str, Dict[str, List[Any]]]) -> None:
        self._plan = plan
        for half in self._plan.values():
            half["nat"] = [dict(item, backend=self._params["firewall_backend"]) for item in half["nat"]]
        self.steps: List[Tuple[str, str]] = [
            (half, step) for half, steps in self._plan.items() for step, listed in steps.items() if listed
        ]
        self._wants = {(half, step): _wants(step, resolved(self._plan[half][step], None)) for half, step in self.steps}

    def look(self, source: Source) -> List[str]:
        """Have also gone what is there of ours and not listed. Return warnings."""
        from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import survey  # of use to few tasks

        there, warnings = survey.gathered(source, GATHER)
        plan, said = purged(self._plan, self._params["networks"], self._params["containers"], there)
        self._set(plan)
        return [*warnings, *said]

    @staticmethod
    def makes(half: str) -> bool:
        return half == "wire"

    @staticmethod
    def resource(step: str) -> Resource[Any, Any]:
        return RESOURCES[step]

    def begun(self, half: str, step: str) -> List[Any]:
        return self._wants[half, step]

    def wants(self, half: str, step: str, results: Results) -> List[Any]:
        listed = self._plan[half][step]
        filled = resolved(listed, results[half].get("address", ())) if step == "nat" else listed
        return self._wants[half, step] if filled == listed else _wants(step, filled)

    def summary(self, results: Results) -> Dict[str, Any]:
        return {"wiring_result": result(results.get("wire", {}), self._plan["wire"]["join"])}
