# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The last line of defence: whatever is raised that is no refusal, a module or a filter ends in a sentence that says whose fault it is."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleError, AnsibleFilterError
from ansible_collections.linuxnet.containers.plugins.filter import (
    topology,
    wiring_failed,
    wiring_fleet,
    wiring_hosts,
    wiring_plan,
    wiring_published,
    wiring_recap,
    wiring_result,
    wiring_told,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model import errors
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import FAULT, ISSUES, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._run.validation import countable
from ansible_collections.linuxnet.containers.tests.unit.mistakes import MODULES, answer
from jinja2 import Environment, UndefinedError

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS: dict[str, dict[str, Any]] = {
    "bridge": {"name": "br0"},
    "bridge_port": {"bridge": "br0", "interface": "v0"},
    "nat": {"source": "10.0.0.0/24"},
    "netns": {"name": "web"},
    "ns_address": {"interface": "eth0", "address": "10.0.0.2/24"},
    "ns_link": {"name": "vx0", "kind": "vxlan", "vni": 1},
    "ns_route": {"gateway": "10.0.0.1"},
    "path_info": {"source": "host", "destination": "10.0.0.2"},
    "veth": {"peer_netns": "web"},
    "wiring": {},
    "wiring_info": {},
}
every_module = pytest.mark.parametrize("name", ARGUMENTS)


def test_all_modules_are_here() -> None:
    assert set(ARGUMENTS) == {path.stem for path in (ROOT / "plugins/modules").glob("*.py")}


def is_our_fault(result: dict[str, Any], what: str) -> None:
    assert result["failed"] is True
    assert result["msg"].startswith(f"{FAULT}: {what}")
    assert result["msg"].endswith(f"Please report it at {ISSUES}, with the task and the traceback, which -vvv shows.")
    assert result["exception"].startswith("Traceback (most recent call last):\n")
    assert what.partition(":")[0] in result["exception"].splitlines()[-1]


@every_module
@pytest.mark.parametrize("raised", [KeyError("it"), RecursionError(), TypeError("esc \x1b, and \udcff")], ids=repr)
def test_what_is_no_refusal_is_a_fault_of_ours_in_each_module(name: str, raised: Exception) -> None:
    is_our_fault(answer(name, ARGUMENTS[name], raised), type(raised).__name__)


@pytest.mark.parametrize("name", sorted(set(ARGUMENTS) - {"ns_link", "path_info", "wiring"}))
def test_that_holds_for_the_package_that_is_each_module_in_the_role(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{MODULES}.wiring.called.called", lambda: name)
    is_our_fault(answer("wiring", ARGUMENTS[name], KeyError("it")), "KeyError: 'it'")


@every_module
def test_what_the_kernel_refuses_to_tell_is_told(name: str) -> None:
    """Where nobody said of which object it was."""
    said = answer(name, ARGUMENTS[name], OSError(errno.EMFILE, "x"))
    assert (
        said["msg"]
        == "Could not read the state of this host: Too many open files; raise the limit of open files of this process (ulimit -n)."
    )
    assert said["failed"] is True


@every_module
def test_arguments_that_are_no_text_are_no_fault_of_ours(name: str) -> None:
    said = answer(name, {"aggregate": [{"name": "\ud800"}], "gather": ["\ud800"]}, Refused("nothing"))
    assert said["failed"] is True
    assert FAULT not in said["msg"]
    assert "exception" not in said or FAULT not in said["exception"]


@pytest.mark.parametrize(
    "value",
    [float("inf"), float("-inf"), float("nan"), "1e999999999", " 1E+999 ", "9" * 5000, 10**30, "Infinity", "nan"],
)
@pytest.mark.parametrize("where", ["", "aggregate", "nexthops"])
def test_a_number_that_nobody_counts_is_refused_wherever_it_is(value: Any, where: str) -> None:
    """Ansible's own conversion would raise, or count for ever."""
    arguments: dict[str, Any] = {"destination": "10.9.0.0/16", "metric": value}
    clause = "metric: "
    if where == "aggregate":
        arguments, clause = {"aggregate": [arguments]}, "aggregate item 1: metric: "
    if where == "nexthops":
        arguments, clause = {"nexthops": [{"interface": "br0", "weight": value}]}, "nexthops: weight: "
    said = str(answer("ns_route", arguments, Refused("nothing"))["msg"])
    assert said.startswith(clause)
    assert said.endswith(("is not a whole number.", "it must be from 0 to 4294967295."))
    assert len(said) < 200


@pytest.mark.parametrize("value", [None, 0, -1, True, "5", " 5 ", "1e2", "x", [], {}, 2**32, "0" * 40])
def test_any_other_value_is_left_to_whoever_knows_the_option(value: Any) -> None:
    countable({"metric": value, "other": "1e999999"}, {"metric": {"type": "int"}, "other": {"type": "str"}})


# --- filters ---

CONTEXT = Environment(autoescape=True).from_string("").new_context({"omit": object()})
FILTERS: dict[str, tuple[Any, str, tuple[Any, ...]]] = {
    "topology": (topology, "text", ({"web": {}},)),
    "wiring_failed": (wiring_failed, "_wiring.failing.message", ({}, {})),
    "wiring_fleet": (wiring_fleet, "_hosts", (CONTEXT, [])),
    "wiring_hosts": (wiring_hosts, "_wiring.hosts_file.lines", ({"web": {}}, "web")),
    "wiring_plan": (wiring_plan, "_wiring.compile.compile_plan", (CONTEXT, [], [])),
    "wiring_published": (wiring_published, "_wiring.compile.resolved", ([], [])),
    "wiring_recap": (wiring_recap, "_wiring.recap.recap", ({}, {})),
    "wiring_result": (wiring_result, "result", ({},)),
    "wiring_told": (wiring_told, "_wiring.recap.lines", ({}, {})),
}
every_filter = pytest.mark.parametrize("name", FILTERS)


def test_all_filters_are_here() -> None:
    assert set(FILTERS) == {path.stem for path in (ROOT / "plugins/filter").glob("*.py")}


def asked(name: str, raised: Exception, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call a filter that meets an exception."""

    def broken(*dummy: object) -> None:
        raise raised

    module, place, arguments = FILTERS[name]
    within = f"{errors.__name__.rpartition('._model')[0]}.{place}" if "." in place else f"{module.__name__}.{place}"
    monkeypatch.setattr(within, broken)
    return module.FilterModule().filters()[name](*arguments)


@every_filter
def test_what_is_no_refusal_is_a_fault_of_ours_in_each_filter(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AnsibleFilterError, match=f"{FAULT}: OSError: it") as raised:
        asked(name, OSError("it"), monkeypatch)
    assert ISSUES in str(raised.value)
    assert isinstance(raised.value.__cause__, OSError)


@every_filter
@pytest.mark.parametrize("raised", [AnsibleError("it is not defined"), UndefinedError("it is not defined")], ids=repr)
def test_what_ansible_raises_in_a_filter_stays_ansible_s(
    name: str, raised: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable in a list that is not defined."""
    with pytest.raises(type(raised)) as seen:
        asked(name, raised, monkeypatch)
    assert seen.value is raised


@every_filter
def test_a_refusal_in_a_filter_is_ansible_s_error(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AnsibleFilterError, match=r"^No\.$"):
        asked(name, Refused("No."), monkeypatch)


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("topology", (5,), "topology: what it was given, which is neither"),
        ("topology", ({"web": 5},), "topology: what it was given, which is neither"),
        ("wiring_failed", ({}, []), "wiring_failed: what it was given, which is no plan"),
        ("wiring_plan", (CONTEXT, [], [], "present", {"bridges": 5}), "wiring_plan: what is there, which is not what"),
        ("wiring_published", ([5], []), "wiring_published: what it was given, which is no step"),
        ("wiring_result", ("x",), "wiring_result: what it was given, which is no results"),
    ],
)
def test_what_a_filter_is_given_may_be_anything(name: str, arguments: tuple[Any, ...], sentence: str) -> None:
    with pytest.raises(AnsibleFilterError, match=sentence) as raised:
        FILTERS[name][0].FilterModule().filters()[name](*arguments)
    assert FAULT not in str(raised.value)


def test_faults_are_reported_where_galaxy_says() -> None:
    assert yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["issues"] == ISSUES
