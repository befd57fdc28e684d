# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter wiring_fleet: who shares networks, as the inventory has it; also one of a thousand hosts, in a real play."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleError, AnsibleFilterError
from ansible_collections.linuxnet.containers.plugins.filter import wiring_fleet
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.compile import compile_plan
from jinja2 import Environment
from lab import collections_root

HOSTVARS: dict[str, dict[str, Any]] = {
    "h1": {"ansible_host": "192.0.2.1"},
    "h2": {"ansible_host": "100.64.0.2", "wiring_underlay_address": "192.0.2.2", "wiring_slice": "7"},
    "2001:db8::3": {"wiring_slice": None},
    "h4": {"wiring_slice": "first"},
}
GROUPS = {"fleet": ["h1", "h2"], "more": ["h2", "2001:db8::3"], "none": []}


class Facts(dict[str, Any]):
    """Variables of a host of which one hangs on what is not known."""

    def __getitem__(self, name: str) -> Any:
        if name == "wiring_underlay_address":
            raise AnsibleError("'ansible_facts' is undefined")
        return super().__getitem__(name)


def found(fleet: Any, refusal: bool = False, **hostvars: Any) -> Any:
    context = (
        Environment(autoescape=True)
        .from_string("")
        .new_context({"groups": GROUPS, "hostvars": {**HOSTVARS, **hostvars}})
    )
    return wiring_fleet.FilterModule().filters()["wiring_fleet"](context, fleet, refusal)


H1: dict[str, Any] = {"name": "h1", "underlay_address": "192.0.2.1"}
H2: dict[str, Any] = {"name": "h2", "underlay_address": "192.0.2.2", "slice": 7}
H3: dict[str, Any] = {"name": "2001:db8::3", "underlay_address": "2001:db8::3"}


@pytest.mark.parametrize(
    ("fleet", "hosts"),
    [
        ("fleet", [H1, H2]),
        (["fleet"], [H1, H2]),
        (["fleet", "more"], [H1, H2, H3]),
        (["h2", "h1"], [H2, H1]),
        ("h1", [H1]),
        ("none", []),
        ([], []),
        ([{"name": "x", "underlay_address": "192.0.2.9"}, "h1"], [{"name": "x", "underlay_address": "192.0.2.9"}, H1]),
        ({"name": "x", "underlay_address": "192.0.2.9"}, [{"name": "x", "underlay_address": "192.0.2.9"}]),
        ("h4", [{"name": "h4", "underlay_address": "h4", "slice": "first"}]),  # refused with the plan, by its name
    ],
)
def test_hosts_are_found_by_group_and_by_name(fleet: Any, hosts: list[dict[str, Any]]) -> None:
    assert found(fleet) == {"hosts": hosts}


NOBODY = "wiring_fleet: there is no group and no host 'flet' in the inventory."
UNKNOWN = (
    "wiring_fleet: host 'h5': its wiring_underlay_address or wiring_slice cannot be told here, maybe for want of its facts: "
    "'ansible_facts' is undefined"
)


@pytest.mark.parametrize(("fleet", "sentence"), [(["fleet", "flet"], NOBODY), ("h5", UNKNOWN)])
def test_what_is_wrong_is_ansible_s_error_or_told(fleet: Any, sentence: str) -> None:
    facts = Facts(wiring_underlay_address="")
    assert found(fleet, refusal=True, h5=facts) == {"hosts": [], "refusal": sentence}
    with pytest.raises(AnsibleFilterError) as refused:
        found(fleet, h5=facts)
    assert str(refused.value) == sentence


# --- a thousand hosts ---

HOSTS = 1001
PLAYED = 3
NETWORKS = [{"name": "front", "driver": "routed", "subnets": ["10.64.0.0/10", "fd00:7::/48"]}]


def address(number: int) -> str:
    return f"10.1.{number >> 8}.{number & 255}"


def inventory(mark: Path) -> dict[str, Any]:
    """Whoever reads the number of the last host's slice leaves a mark; that host is not in the play."""
    hosts: dict[str, Any] = {f"h{number}": {"underlay": address(number)} for number in range(1, HOSTS + 1)}
    hosts[f"h{HOSTS}"]["wiring_slice"] = f"{{{{ lookup('ansible.builtin.pipe', 'echo >> {mark}') }}}}"
    common = {"ansible_connection": "local", "wiring_fleet": "fleet", "wiring_networks": NETWORKS}
    return {"fleet": {"hosts": hosts, "vars": {**common, "wiring_underlay_address": "{{ underlay }}"}}}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, Any]]:
    """How often the hosts were looked through by a play of the role's tasks on the first few, and the plans of those. No module runs."""
    folder = tmp_path_factory.mktemp("thousand")
    plan = "{{ wiring_networks | linuxnet.containers.wiring_plan([], fleet=wiring_members.hosts, underlay_address=wiring_underlay_address) }}"
    way = folder / "plan.yml"
    way.write_text(json.dumps([{"ansible.builtin.set_fact": {"plan": plan}}]), "utf-8")
    role = {"name": "linuxnet.containers.wiring", "tasks_from": "fleet.yml"}
    task = {"ansible.builtin.include_role": role, "vars": {"wiring_way": str(way)}}
    play = {"hosts": f"fleet[0:{PLAYED - 1}]", "gather_facts": False, "tasks": [task]}
    folder.joinpath("play.yml").write_text(json.dumps([play]), "utf-8")
    folder.joinpath("inventory.json").write_text(json.dumps(inventory(folder / "mark")), "utf-8")
    settings = {
        "ANSIBLE_CALLBACKS_ENABLED": "record",
        "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).resolve().parents[3] / "role" / "callback"),
        "ANSIBLE_COLLECTIONS_PATH": collections_root(),
        "ANSIBLE_HOME": str(folder / "home"),
        "RECORD": str(folder / "record"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", "-i", "inventory.json", "play.yml"],
        cwd=folder,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [json.loads(line) for line in folder.joinpath("record").read_text("utf-8").splitlines()]
    facts = {line["host"]: line["result"].get("ansible_facts", {}) for line in lines}
    return folder.joinpath("mark").read_text("utf-8").count("\n"), {host: one["plan"] for host, one in facts.items()}


def test_a_thousand_hosts_are_looked_through_once_a_play(played: tuple[int, dict[str, Any]]) -> None:
    times, plans = played
    assert times == 1
    assert {*plans} == {f"h{number}" for number in range(1, PLAYED + 1)}  # in the order in which they were done


def test_host_1001_is_one_more_and_changes_nothing_else(played: tuple[int, dict[str, Any]]) -> None:
    """The plan of each is that of a fleet of a thousand, and what concerns the last host."""
    thousand = [{"name": f"h{number}", "underlay_address": address(number)} for number in range(1, HOSTS)]
    for name, plan in played[1].items():
        number = int(name[1:])
        before = compile_plan(NETWORKS, [], fleet=thousand, underlay_address=address(number))
        last = ["10.67.233.0/24", "fd00:7:0:3e9::/64"]
        (gone,), (kept,) = plan["teardown"]["route"], before["teardown"]["route"]
        assert gone["keep"] == kept["keep"] + last
        for step, items in before["wire"].items():
            if step == "route":
                assert [item for item in plan["wire"][step] if item["destination"] not in last] == items
                assert len(plan["wire"][step]) == len(items) + len(last) == 2 * 1000
            elif step not in ("nat", "link"):
                assert plan["wire"][step] == items
        inside, others = (one["wire"]["nat"][0]["inside"] for one in (plan, before))
        assert [item for item in inside if item["source"] not in last] == others
        assert plan["wire"]["link"][0]["peers"] == [*before["wire"]["link"][0]["peers"], address(HOSTS)]
