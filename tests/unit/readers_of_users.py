# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Readers of what users write, and of what comes back from earlier tasks: arguments of all modules, the role's variables, its filters; and
of our own file, and values of sysctls, on a host that has any."""

from __future__ import annotations

import functools
from collections.abc import Callable
from random import Random
from typing import Any

from ansible.errors import AnsibleError
from ansible_collections.linuxnet.containers.plugins.filter import (
    topology,
    wiring_failed,
    wiring_plan,
    wiring_published,
    wiring_result,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import FAULT, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.forwarding import SYSCTL_FILE
from ansible_collections.linuxnet.containers.plugins.module_utils._run import runner, validation
from ansible_collections.linuxnet.containers.plugins.module_utils._run.execution import execute
from ansible_collections.linuxnet.containers.plugins.module_utils._run.step_runner import foresee, take_steps
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import one_task, survey, variables
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.compile import compile_plan
from ansible_collections.linuxnet.containers.tests.unit.fuzz import Reader
from ansible_collections.linuxnet.containers.tests.unit.generated import MAKERS, RESOURCES, task, wants, wire
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel
from ansible_collections.linuxnet.containers.tests.unit.mistakes import by_module
from jinja2 import Environment


class Fault(Exception):
    """A sentence that says that it is a fault of ours."""


def well_said(text: str) -> None:
    """Raise `Fault` where a message is the last line of defence's, or Python's own."""
    if FAULT in text or "Traceback" in text:
        raise Fault(text)


@functools.cache
def host() -> MemoryKernel:
    """A host with some wiring. What reads it changes nothing."""
    kernel = MemoryKernel()
    wire(kernel, Random("wired"))
    return kernel


# --- modules ---

LISTS: list[dict[str, Any]] = [
    {
        "networks": [
            {
                "name": "front",
                "subnets": ["172.17.0.0/16", "fd00:17::/64"],
                "gateways": ["172.17.0.1"],
                "ranges": ["172.17.1.0/24"],
                "isolate": True,
            },
            {
                "name": "back",
                "subnets": ["172.18.0.0/24"],
                "mtu": 1400,
                "internal": True,
                "exclude": ["172.18.0.9"],
                "metric": 7,
                "icc": False,
            },
        ],
        "containers": [
            {
                "name": "web",
                "networks": [{"name": "front", "ipv4_address": "172.17.0.9"}],
                "published_ports": ["8080:80", "127.0.0.1:53:53/udp"],
            },
            {
                "name": "db",
                "engine": "pid",
                "pid": 42,
                "networks": [{"name": "back", "mac_address": "02:00:00:00:00:01", "port": {"hairpin": True}}],
            },
            {"name": "side", "network_mode": "container:web"},
            {
                "name": "job",
                "sysctls": {"net.ipv4.ip_forward": 1},
                "routes": [{"destination": "10.9.0.0/16", "gateway": "172.17.0.7"}],
            },
        ],
    },
    {
        "networks": [{"name": "front", "subnets": ["10.1.0.0/24"]}],
        "containers": [
            {
                "name": "web",
                "published_ports": [
                    {"target": "80-81", "published": "8080-8081", "host_ip": "127.0.0.1", "protocol": "tcp"}
                ],
            }
        ],
        "state": "absent",
        "purge": True,
        "firewall_backend": "nftables",
    },
]
ASKED: list[dict[str, Any]] = [
    {"gather": ["bridges", "veths"], "netns": ["web"], "limit": 5},
    {"find": "10.0.0.2"},
    {"find": "8080/tcp"},
]


def right(noun: str, items: list[dict[str, Any]]) -> bool:
    """Whether items are right together, and the first of them by itself."""
    return wants(noun, items) is not None and wants(noun, items[:1]) is not None


def tasks(noun: str) -> list[dict[str, Any]]:
    """Arguments of a module: items made by chance, alone and together, with what check mode is told."""
    found: list[dict[str, Any]] = []
    for seed in range(12):
        items = next(
            made for made in iter(functools.partial(task, Random(f"{noun} {seed}"), noun), None) if right(noun, made)
        )
        found += [items[0], {"aggregate": items, "netns_anew": ["web"], "links_gone": ["v0"]}]
    return found


def by(name: str) -> Callable[[Any], None]:
    """The module, called as Ansible does. It ends before it reads the host."""
    return lambda value: well_said(by_module(name, value if isinstance(value, dict) else {"aggregate": value}))


def through(noun: str) -> Callable[[Any], None]:
    """The items of a task, in check mode on a host: to the end."""

    def read(value: Any) -> None:
        params = value if isinstance(value, dict) else {}
        if not isinstance(params.get("aggregate", []), list) or not all(
            isinstance(one, dict) for one in params.get("aggregate", [])
        ):
            raise Refused("Ansible's own validation refuses it")
        validation.countable(params, runner.argument_spec(RESOURCES[noun]))
        execute(RESOURCES[noun], validation.items(RESOURCES[noun], params), host(), True)

    return read


def steps(value: Any) -> None:
    """The module `wiring` in check mode."""
    defaults = {"networks": [], "containers": [], "state": "present", "purge": False, "firewall_backend": "auto"}
    given = value if isinstance(value, dict) else {"containers": value}
    params = variables.converted({name: given.get(name, default) for name, default in defaults.items()})
    params = {**params, "state": "present" if params["state"] != "absent" else "absent", "firewall_backend": "auto"}
    taken = one_task.Steps(params)
    if params["purge"] is True:
        taken.survey(host())
    results, _warnings, _failed = take_steps(taken, host(), True)
    taken.summary(results)


def told(value: Any) -> None:
    """A plan and a step, as the role's tasks are told them in check mode."""
    foresee(one_task.foreseeing(value["plan"], value["step"]), host())


def told_module(value: Any) -> None:
    if (
        not isinstance(value, dict)
        or not isinstance(value.get("plan"), dict)
        or not isinstance(value.get("step"), list)
    ):
        raise Refused("Ansible's own validation refuses it")
    told(value)


def reported(value: Any) -> None:
    """wiring_info, of a host."""
    params = {"gather": survey.SUBSETS, "netns": None, "find": None, "limit": 100}
    params.update({name: one for name, one in value.items() if name in params} if isinstance(value, dict) else {})
    texts = [
        "" if params["find"] is None else params["find"],
        *(params["netns"] if isinstance(params["netns"], list) else [""]),
    ]
    if (
        not isinstance(params["limit"], int)
        or params["gather"] != survey.SUBSETS
        or not all(isinstance(text, str) for text in texts)
    ):
        raise Refused("Ansible's own validation refuses it")
    survey.report(host(), params)


PLAN = {
    half: dict(planned)
    for half, planned in compile_plan(LISTS[0]["networks"], LISTS[0]["containers"], "present").items()
}
TOLD = [{"plan": {**PLAN, "backend": "auto"}, "step": ["wire", step]} for step in ("veth", "publish")]
ASKERS = ["netns", "bridge", "veth", "bridge_port", "ns_link", "ns_address", "ns_route", "nat"]
MODULES = [
    *(Reader(f"arguments: {noun}", by(noun), tasks(noun), share=0.1) for noun in ASKERS),
    Reader("arguments: wiring", by("wiring"), LISTS, share=0.1),
    Reader("arguments: wiring_info", by("wiring_info"), ASKED, share=0.1),
    *(Reader(f"a whole task: {noun}", through(noun), tasks(noun), share=0.5) for noun in ASKERS),
    Reader("a whole task: wiring", steps, LISTS, share=0.1),
    Reader("a whole task: wiring_info", reported, [*ASKED, {"find": "web"}, {"find": "02:00:00:00:00:01"}], share=0.1),
    Reader("a step that is told the plan", told_module, TOLD, share=0.1),
]
assert set(ASKERS) == set(MAKERS)


# --- filters ---


def filtered(call: Callable[[Any], Any]) -> Callable[[Any], None]:
    """A filter, whose errors are Ansible's."""

    def read(value: Any) -> None:
        try:
            call(value)
        except AnsibleError as error:
            well_said(str(error))
            raise Refused(str(error)) from None

    return read


def compiled(value: Any) -> None:
    context = Environment(autoescape=True).from_string("").new_context({"omit": object()})
    given = value if isinstance(value, dict) else {"networks": value}
    arguments = [
        given.get(name, default)
        for name, default in (("networks", []), ("containers", []), ("state", "present"), ("there", None))
    ]
    wiring_plan.FilterModule().filters()["wiring_plan"](context, *arguments)


def call(module: Any, name: str, *fields: str) -> Callable[[Any], None]:
    """Call a filter with fields of a value as its arguments."""
    return filtered(
        lambda value: module.FilterModule().filters()[name](
            *(value.get(one) if isinstance(value, dict) else value for one in fields)
        )
    )


def surveyed() -> dict[str, Any]:
    return survey.gathered(host(), survey.SUBSETS)[0]


def results() -> dict[str, Any]:
    """What the steps return on an empty host."""
    params = variables.converted({**LISTS[1], "state": "present", "purge": False})
    taken = one_task.Steps(params)
    found, _warnings, _failed = take_steps(taken, MemoryKernel(), True)
    return found


FOUND, THERE = results(), surveyed()
SUMMED = one_task.Steps(variables.converted({**LISTS[1], "state": "present", "purge": False})).summary(FOUND)[
    "wiring_result"
]
SMALL = compile_plan(LISTS[1]["networks"], LISTS[1]["containers"], "present")
FAILED = {
    "wire": {
        step: [{"failed": True, "changed": False, "item": "x", "msg": "No."} for _one in listed]
        for step, listed in FOUND["wire"].items()
    }
}
FILTERS = [
    Reader("filter: wiring_plan", filtered(compiled), [*LISTS, {**LISTS[1], "there": THERE}], share=0.3),
    Reader(
        "filter: topology",
        call(topology, "topology", "wiring", "networks"),
        [{"wiring": SUMMED, "networks": LISTS[1]["networks"]}, {"wiring": THERE}],
    ),
    Reader(
        "filter: wiring_failed",
        call(wiring_failed, "wiring_failed", "plan", "results"),
        [{"plan": SMALL, "results": FAILED}],
    ),
    Reader(
        "filter: wiring_published",
        call(wiring_published, "wiring_published", "items", "addresses"),
        [{"items": SMALL["wire"]["publish"], "addresses": FOUND["wire"]["address"]}],
    ),
    Reader(
        "filter: wiring_result",
        call(wiring_result, "wiring_result", "results", "join"),
        [{"results": FOUND["wire"], "join": []}],
    ),
]


# --- our own file, and sysctls ---

RULES = [
    {"source": "10.0.0.0/24", "owner": "net"},
    {"source": "fd00::/64", "owner": "net"},
    {"type": "dnat", "host_port": "40000", "to_address": "10.0.0.2"},
]


def holding_text(value: str) -> None:
    """A host whose sysctl file has a text: rules are made, and taken away."""
    kernel = MemoryKernel()
    kernel._state.known.texts[SYSCTL_FILE] = value
    for state in ("present", "absent"):
        execute(
            RESOURCES["nat"],
            validation.items(RESOURCES["nat"], {"aggregate": [{**rule, "state": state} for rule in RULES]}),
            kernel,
            False,
        )


def holding_values(value: str) -> None:
    """A host of which every sysctl that is asked for has a text as its value."""
    kernel = MemoryKernel()
    wire(kernel, Random("wired"))
    kernel.sysctl = lambda ns, key: " ".join(value.split())  # type: ignore[method-assign]
    for noun, items in (
        ("nat", RULES),
        ("netns", [{"name": "new", "sysctls": {"net.ipv4.ip_local_port_range": "1 2"}}]),
        ("ns_address", tasks("ns_address")),
    ):
        for item in items[:6]:
            execute(RESOURCES[noun], validation.items(RESOURCES[noun], item), kernel, True)
    assert kernel.find(HOST)


TEXT = "# Set by linuxnet.containers: its NAT rules need forwarding. Taken back with the last of them.\nnet.ipv4.ip_forward = 1\n"
OURS = [
    Reader(
        "/etc/sysctl.d: our file",
        holding_text,
        [TEXT, TEXT + "net/ipv6/conf/up0/accept_ra = 2\nnet.ipv6.conf.all.forwarding = 1\n"],
        share=0.1,
    ),
    Reader("/proc/sys: what values mean", holding_values, ["1", "32768\t60999", "8080-8082,9000"], share=0.1),
]
USERS = [*MODULES, *FILTERS, *OURS]
