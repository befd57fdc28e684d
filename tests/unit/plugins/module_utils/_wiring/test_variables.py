# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of the role's variables, all that repeats it, and the canonical form of the two lists."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.linuxnet.containers.plugins.filter import wiring_plan
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._run.validation import defaults
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import variables
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.variables import (
    ATTACHMENT,
    CONTAINER,
    MODES,
    NETWORK,
    OPTIONS,
    entries,
)
from ansible_collections.linuxnet.containers.plugins.modules import wiring

ROLE = Path(__file__).resolve().parents[5] / "roles/wiring"
ROLE_ONLY = {f"wiring_{name}" for name in variables.ROLE_ONLY}  # how the role goes about it
DOCUMENTED: dict[str, Any] = yaml.safe_load(wiring.DOCUMENTATION)["options"]


# What the inventory tells the role, and the module is told.
OF_THE_INVENTORY = ("wiring_underlay_address", "wiring_slice")


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
    """Names, types, choices, defaults and texts. The role's lists are raw for Ansible, whose words name no entry and bring all of the
    specification with them."""
    lists = {f"wiring_{name}": {"type": "list", "elements": "dict"} for name in ("networks", "containers", "links")}
    assert {name for name, option in SPECIFIED.items() if option["type"] == "raw"} == {*lists}
    shared = {name: {**option, **lists.get(name, {})} for name, option in SPECIFIED.items() if name not in ROLE_ONLY}
    for name in OF_THE_INVENTORY:
        del shared[name]["default"]
    without_prefix = json.loads(json.dumps(shared).replace("wiring_", ""))
    assert json.loads(json.dumps(DOCUMENTED).replace('"suboptions"', '"options"')) == without_prefix


def test_the_table_is_what_is_documented() -> None:
    assert bare(DOCUMENTED) == OPTIONS
    assert [*DOCUMENTED] == [*OPTIONS]


def test_the_table_of_the_role_s_own_variables_is_what_is_documented() -> None:
    own = {f"wiring_{name}": option for name, option in variables.ROLE_ONLY.items()}
    assert bare({name: SPECIFIED[name] for name in ROLE_ONLY}) == own


def test_the_role_s_defaults_are_those_of_its_argument_specs() -> None:
    assert set(SPECIFIED) == {f"wiring_{name}" for name in OPTIONS} | ROLE_ONLY
    assert read("defaults/main.yml") == {name: option["default"] for name, option in SPECIFIED.items()}


def test_the_role_s_readme_has_the_same_variables_and_defaults() -> None:
    text = (ROLE / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(wiring_\w+)` \| `(.+?)` \|", text, re.MULTILINE)
    assert [(name, yaml.safe_load(default.replace(r"\|", "|"))) for name, default in rows] == [
        (name, option["default"]) for name, option in SPECIFIED.items()
    ]


def test_the_role_hands_all_variables_to_the_module() -> None:
    (task,) = [task for task in read("tasks/one_task.yml")[0]["block"] if "linuxnet.containers.wiring" in task]
    own = {"fleet": "{{ wiring_members.hosts }}", "slice": "{{ omit if wiring_slice is none else wiring_slice }}"}
    assert task["linuxnet.containers.wiring"] == {**{name: "{{ wiring_" + name + " }}" for name in OPTIONS}, **own}


def test_the_role_hands_the_variables_to_the_filter() -> None:
    """The backend is an argument of the tasks themselves, see test_steps."""
    compiled = read("tasks/steps.yml")[0]["block"][0]["ansible.builtin.set_fact"]["wiring_plan"]
    assert compiled == (
        "{{ wiring_networks | linuxnet.containers.wiring_plan(wiring_containers, wiring_state, "
        "wiring_there.wiring | default(none) if wiring_purge | bool else none, refusal=true, persist=wiring_persist | bool, drift=wiring_drift, "
        "fleet=wiring_members.hosts, underlay_address=wiring_underlay_address, slice_number=wiring_slice, links=wiring_links) }}"
    )
    state = yaml.safe_load(wiring_plan.DOCUMENTATION)["options"]["state"]
    assert {key: value for key, value in state.items() if key != "description"} == OPTIONS["state"]


def test_every_mode_is_documented() -> None:
    texts = DOCUMENTED["containers"]["suboptions"]["network_mode"]["description"]
    named = [re.match(r"[VC]\((\w+)(:NAME)?\)", text) for text in texts]
    assert [match[1] for match in named if match] == [*MODES]
    assert [match[1] for match in named if match and match[2]] == [MODES[-1]]
    assert CONTAINER["network_mode"]["default"] in MODES


# --- variables that are nearly called so ---

IN_THE_ROLE = sorted(
    {name for file in ROLE.rglob("*.yml") for name in re.findall(r"\bwiring_\w+", file.read_text(encoding="utf-8"))}
)


def test_what_the_role_calls_its_own_is_refused_by_nobody() -> None:
    assert len(IN_THE_ROLE) > 30
    assert variables.misspelt(dict.fromkeys(IN_THE_ROLE, "x")) == ""


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        *((name, "containers") for name in ("container", "conatiners", "contaners", "containerss", "Containers")),
        ("network", "networks"),
        ("purges", "purge"),
        ("purg", "purge"),
        ("firewal_backend", "firewall_backend"),
        ("one_tasks", "one_task"),
        ("install_dependancies", "install_dependencies"),
    ],
)
def test_a_typing_error_in_a_variable_s_name_is_refused(name: str, meant: str) -> None:
    """Else nothing would be wired, or with purge everything be taken down, without a word."""
    found = variables.misspelt({f"wiring_{name}": [{"name": "web"}]})
    assert found == f"wiring_{name}: the role has no such variable; did you mean wiring_{meant}?"
    default = {**OPTIONS, **variables.ROLE_ONLY}[meant]["default"]
    assert variables.misspelt({f"wiring_{name}": 1, f"wiring_{meant}": default}) == found


@pytest.mark.parametrize("name", ["container", "network", "purges"])
def test_where_ours_is_given_as_well_the_other_one_is_somebody_s(name: str) -> None:
    """The variable of a loop, say."""
    ours = {"wiring_containers": [{"name": "web"}], "wiring_networks": [{"name": "br0"}], "wiring_purge": True}
    assert variables.misspelt({f"wiring_{name}": "x", **ours}) == ""


@pytest.mark.parametrize(
    "name", ["wiring_color", "wiring_containers_of_web", "my_wiring_container", "wiring", "wiring_"]
)
def test_a_name_that_only_begins_so_is_somebody_s(name: str) -> None:
    assert variables.misspelt({name: "x"}) == ""


# --- canonical form ---

PLAIN_NETWORK: dict[str, Any] = {
    "name": "br0",
    "subnets": ["10.8.0.0/24", "10.9.0.0/24"],
    "internal": True,
    "mtu": "1400",
}
PLAIN_CONTAINER: dict[str, Any] = {
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


BOOLEAN = "false is a boolean in YAML, as no, off, yes and on are; write it in quotes."


@pytest.mark.parametrize(
    ("variable", "spelled", "sentence"),
    [
        *[
            ("networks", {flag: value}, f"network 'br0': {flag}: '{value}' is neither true nor false.")
            for flag in ("isolate", "icc", "internal", "masquerade", "unmanaged")
            for value in ("maybe", "", "2", "nope", "<omitted>", "None")
        ],
        ("networks", {"isolate": []}, "network 'br0': isolate: a list is neither true nor false."),
        ("networks", {"metric": "low"}, "network 'br0': metric: 'low' is not a whole number."),
        ("networks", {"metric": True}, "network 'br0': metric: the boolean true is not a whole number."),
        ("networks", {"metric": 1.5}, "network 'br0': metric: '1.5' is not a whole number."),
        ("networks", {"subnets": {}}, "network 'br0': subnets: a list is needed, not a dict."),
        ("networks", {"subnets": True}, "network 'br0': subnets: a list is needed, not the boolean true."),
        ("networks", {"subnets": [None]}, "network 'br0': subnets: item 1 is empty."),
        ("networks", {"subnets": [["10.0.0.0/8"]]}, "network 'br0': subnets: a text is needed, not a list."),
        ("networks", {"state": "gone"}, "network 'br0': state: 'gone' is none of present, absent."),
        ("networks", {"mtu": False}, f"network 'br0': mtu: {BOOLEAN}"),
        ("networks", {"gatewy": "10.0.0.1"}, "network 'br0': there is no option gatewy; did you mean gateways?"),
        ("networks", {"routes": ["7"]}, "network 'br0': routes: a dict is needed, not '7'."),
        ("networks", {"name": False}, f"network 'False': name: {BOOLEAN}"),
        ("networks", {"name": "False"}, f"network 'False': name: {BOOLEAN}"),
        ("networks", {"name": ["br0"]}, "network '['br0']': name: a text is needed, not a list."),
        ("networks", {"name": " "}, "item 1 has no name."),
        ("networks", {"name": None}, "item 1 has no name."),
        ("containers", {"name": "False"}, f"container 'False': name: {BOOLEAN}"),
        ("containers", {"pid": "x"}, "container '7': pid: 'x' is not a whole number."),
        ("containers", {"sysctls": 5}, "container '7': sysctls: a dict is needed, not '5'."),
        ("containers", {"engine": "rkt"}, "container '7': engine: 'rkt' is none of netns, docker,"),
        (
            "containers",
            {"networks": [{"name": "a", "default_route": "x"}]},
            "container '7': network 'a': default_route: 'x' is",
        ),
        (
            "containers",
            {"networks": [{"name": "a", "bridge": "x"}]},
            "container '7': network 'a': there is no option bridge; there are ",
        ),
        (
            "containers",
            {"networks": [5]},
            "container '7': networks: item 1: a dict is needed, not '5'; write it as {name: 5}.",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(variable: str, spelled: Any, sentence: str) -> None:
    """Above all flags: one that cannot be read is never false, which would open what it closes."""
    plain = {"networks": PLAIN_NETWORK, "containers": PLAIN_CONTAINER}[variable]
    with pytest.raises(Invalid) as refused:
        entries(variable, [{**plain, **spelled}])
    assert str(refused.value).startswith(f"wiring_{variable}: {sentence}")


@pytest.mark.parametrize("blank", ["%s\r", " %s", "%s\n", "\t%s "])
def test_blanks_around_a_text_do_not_count(blank: str) -> None:
    """A file with CRLF, a block of YAML: wherever a text stands in the lists."""
    for variable, plain in (("networks", PLAIN_NETWORK), ("containers", PLAIN_CONTAINER)):
        assert entries(variable, [_texts(plain, blank, OPTIONS[variable]["options"])]) == entries(variable, [plain])


def _texts(value: Any, blank: str, options: Any = None) -> Any:
    """A value with each text written so, but for what the lists hand on to other modules as it is."""
    if isinstance(value, dict):
        known = {name: option for name, option in value.items() if options is None or options[name]["type"] != "dict"}
        nested = {name: (options or {}).get(name, {}).get("options") for name in known}
        return {**value, **{n: v if n == "routes" else _texts(v, blank, nested[n]) for n, v in known.items()}}
    if isinstance(value, list):
        return [_texts(entry, blank, options) for entry in value]
    return blank % value if isinstance(value, str) else value


def test_what_the_lists_accept_the_module_s_argument_spec_accepts_and_the_other_way_round() -> None:
    """Generated: one of both that takes a value for an option of a simple type means that the other takes it, and as the same."""
    values = [
        True,
        False,
        0,
        1,
        7,
        1.0,
        "yes",
        "no",
        "on",
        "off",
        "7",
        " 7",
        "x",
        "",
        "present",
        "docker",
        "None",
        [],
        {},
    ]
    tried = 0
    for variable, options in (("networks", NETWORK), ("containers", CONTAINER)):
        plain = {"networks": PLAIN_NETWORK, "containers": PLAIN_CONTAINER}[variable]
        for option, value in itertools.product(options, values):
            kind = options[option]["type"]
            if kind not in ("bool", "int") and "choices" not in options[option]:
                continue
            spec = ArgumentSpecValidator({option: options[option]}).validate({option: value})
            try:
                found = entries(variable, [{**plain, option: value}])[0][option]
            except Invalid:
                assert spec.error_messages or isinstance(value, bool), (option, value)
            else:
                assert not spec.error_messages, (option, value)
                assert found == spec.validated_parameters[option], (option, value)
            tried += 1
    assert tried > 150
