# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of the role's variables, all that repeats it, and the canonical form of the two lists."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.linuxnet.containers.plugins.filter import wiring_plan
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.variables import (
    ATTACHMENT,
    CONTAINER,
    MODES,
    NETWORK,
    OPTIONS,
    defaults,
    entries,
)
from ansible_collections.linuxnet.containers.plugins.modules import wiring

ROLE = Path(__file__).resolve().parents[5] / "roles/wiring"
ROLE_ONLY = {"wiring_one_task", "wiring_install_dependencies"}  # how the role goes about it
DOCUMENTED: dict[str, Any] = yaml.safe_load(wiring.DOCUMENTATION)["options"]


def read(file: str) -> Any:
    return yaml.safe_load((ROLE / file).read_text(encoding="utf-8"))


SPECIFIED: dict[str, Any] = read("meta/argument_specs.yml")["argument_specs"]["main"]["options"]


def bare(options: dict[str, Any]) -> dict[str, Any]:
    """Documented options without their texts, those of an option's items called as in an argument spec."""
    found = {}
    for name, option in options.items():
        found[name] = {key: value for key, value in option.items() if key not in ("description", "suboptions")}
        if "suboptions" in option:
            found[name]["options"] = bare(option["suboptions"])
    return found


def test_the_module_s_documentation_is_the_role_s() -> None:
    """Names, types, choices, defaults and texts."""
    shared = {name: option for name, option in SPECIFIED.items() if name not in ROLE_ONLY}
    without_prefix = json.loads(json.dumps(shared).replace("wiring_", ""))
    assert json.loads(json.dumps(DOCUMENTED).replace('"suboptions"', '"options"')) == without_prefix


def test_the_table_is_what_is_documented() -> None:
    assert bare(DOCUMENTED) == OPTIONS
    assert [*DOCUMENTED] == [*OPTIONS]


def test_the_role_s_defaults_are_those_of_its_argument_specs() -> None:
    assert set(SPECIFIED) == {f"wiring_{name}" for name in OPTIONS} | ROLE_ONLY
    assert read("defaults/main.yml") == {name: option["default"] for name, option in SPECIFIED.items()}


def test_the_role_s_readme_has_the_same_variables_and_defaults() -> None:
    text = (ROLE / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(wiring_\w+)` \| `(.+?)` \|", text, re.MULTILINE)
    assert [(name, yaml.safe_load(default)) for name, default in rows] == [
        (name, option["default"]) for name, option in SPECIFIED.items()
    ]


def test_the_role_hands_all_variables_to_the_module() -> None:
    (task,) = [task for task in read("tasks/main.yml") if "linuxnet.containers.wiring" in task]
    assert task["linuxnet.containers.wiring"] == {name: "{{ wiring_" + name + " }}" for name in OPTIONS}


def test_the_role_hands_the_variables_to_the_filter() -> None:
    """The backend is an argument of the tasks themselves, see test_steps."""
    compiled = read("tasks/steps.yml")[0]["ansible.builtin.set_fact"]["wiring_plan"]
    assert compiled == (
        "{{ wiring_networks | linuxnet.containers.wiring_plan(wiring_containers, wiring_state, "
        "wiring_there.wiring if wiring_purge | bool else none) }}"
    )
    state = yaml.safe_load(wiring_plan.DOCUMENTATION)["options"]["state"]
    assert {key: value for key, value in state.items() if key != "description"} == OPTIONS["state"]


def test_every_mode_is_documented() -> None:
    texts = DOCUMENTED["containers"]["suboptions"]["network_mode"]["description"]
    named = [re.match(r"[VC]\((\w+)(:NAME)?\)", text) for text in texts]
    assert [match[1] for match in named if match] == [*MODES]
    assert [match[1] for match in named if match and match[2]] == [MODES[-1]]
    assert CONTAINER["network_mode"]["default"] in MODES


# --- canonical form ---

PLAIN_NETWORK = {"name": "br0", "subnets": ["10.8.0.0/24", "10.9.0.0/24"], "internal": True, "mtu": "1400"}
PLAIN_CONTAINER = {
    "name": "7",
    "networks": [{"name": "br0", "default_route": False, "port": {"hairpin": "yes"}}],
    "published_ports": ["8080:80", "81:81"],
    "sysctls": {"net.core.somaxconn": "5"},
    "routes": [{"destination": "10.7.0.0/24", "type": "blackhole"}],
}


@pytest.mark.parametrize(
    ("variable", "spelled", "plain"),
    [
        ("networks", {"subnets": "10.8.0.0/24, 10.9.0.0/24"}, PLAIN_NETWORK),
        ("networks", {"internal": "yes", "masquerade": "on", "metric": None, "isolate": None}, PLAIN_NETWORK),
        ("networks", {"mtu": 1400, "routes": None, "state": None}, PLAIN_NETWORK),
        ("containers", {"name": 7, "pid": None, "state": "present"}, PLAIN_CONTAINER),
        (
            "containers",
            {"networks": [{"name": "br0", "default_route": "no", "port": "hairpin=yes", "interface": None}]},
            PLAIN_CONTAINER,
        ),
        ("containers", {"networks": "name=br0 default_route=no port='hairpin=yes'"}, PLAIN_CONTAINER),
        ("containers", {"published_ports": "8080:80, 81:81"}, PLAIN_CONTAINER),
        ("containers", {"published_ports": ["8080:80", " 81:81"]}, PLAIN_CONTAINER),
        ("containers", {"sysctls": "net.core.somaxconn=5"}, PLAIN_CONTAINER),
        ("containers", {"routes": ["destination=10.7.0.0/24 type=blackhole"]}, PLAIN_CONTAINER),
    ],
)
def test_what_argument_specs_accept_means_the_same(variable: str, spelled: Any, plain: Any) -> None:
    (canonical,) = entries(variable, [plain])
    assert entries(variable, [{**plain, **spelled}]) == [canonical]
    assert entries(variable, [canonical]) == [canonical]


def test_what_is_left_out_has_its_default() -> None:
    assert entries("networks", [{"name": "br0"}]) == [{"name": "br0", **defaults(NETWORK)}]
    (container,) = entries("containers", [{"name": "web", "networks": [{"name": "br0"}], "unknown": None}])
    assert container == {**defaults(CONTAINER), "name": "web", "networks": [{"name": "br0", **defaults(ATTACHMENT)}]}
    assert "networks" not in entries("containers", [{"name": "web"}])[0], "which is not the same as none"


@pytest.mark.parametrize("given", [None, [], "", ()])
def test_nothing_is_an_empty_list(given: Any) -> None:
    assert entries("networks", given) == []


@pytest.mark.parametrize("given", ["web", ["web"], [7], 7, {"name": "web"}])
def test_what_is_no_entry_is_refused(given: Any) -> None:
    with pytest.raises(Invalid, match=r"^wiring_containers: .*dict"):
        entries("containers", given)
