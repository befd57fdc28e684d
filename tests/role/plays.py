# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plays of the role as a user runs them: ansible-playbook in a lab host, several plays at a time, results by play, host and task."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab import HERE as LAB
from lab import Lab, Result, collections_root
from proofs import comes

HERE = Path(__file__).resolve().parent
ROLE = "linuxnet.containers.wiring"
LIMIT = 900  # seconds for one start of ansible-playbook, with all its plays; not what it takes
Play = dict[str, Any]
_WHOSE = re.compile(r" \((?:\S+ )?of \S+\)$")

# The chain's tasks by half and step of a plan, as the role calls them, with their modules.
TASKS = {
    ("teardown", "keep"): ("Keep what is to be gone no longer", "wiring"),
    ("teardown", "publish"): ("Take back published ports", "nat"),
    ("teardown", "route"): ("Remove routes and policy rules", "ns_route"),
    ("teardown", "address"): ("Remove addresses of loopbacks", "ns_address"),
    ("teardown", "veth"): ("Remove pairs", "veth"),
    ("teardown", "netns"): ("Remove namespaces", "netns"),
    ("teardown", "link"): ("Remove tunnels and other links", "ns_link"),
    ("teardown", "bridge"): ("Remove bridges", "bridge"),
    ("teardown", "vrf"): ("Remove VRFs", "ns_link"),
    ("teardown", "nat"): ("Remove NAT", "nat"),
    ("wire", "netns"): ("Make namespaces", "netns"),
    ("wire", "vrf"): ("Make VRFs", "ns_link"),
    ("wire", "bridge"): ("Make bridges", "bridge"),
    ("wire", "nat"): ("Isolate the networks, and translate what leaves", "nat"),
    ("wire", "link"): ("Make tunnels, and links on other interfaces", "ns_link"),
    ("wire", "gateway"): ("Give the bridges their gateway addresses", "ns_address"),
    ("wire", "veth"): ("Make pairs, each born in its place", "veth"),
    ("wire", "bridge_port"): ("Set the bridge ports", "bridge_port"),
    ("wire", "address"): ("Give the containers their addresses", "ns_address"),
    ("wire", "route"): ("Set the routes", "ns_route"),
    ("wire", "publish"): ("Publish ports", "nat"),
    ("wire", "join"): ("Join other namespaces", "netns"),
    ("wire", "keep"): ("Keep the wiring over a reboot", "wiring"),
}


def wiring(**variables: Any) -> Play:
    """A play of the role; variables without their prefix. The libraries are there, so they are not looked for."""
    named = {f"wiring_{name}": value for name, value in {"install_dependencies": False, **variables}.items()}
    return {"name": "wiring", "roles": [ROLE], "vars": named}


def refused(**variables: Any) -> Play:
    """A play of the role that is expected to fail, and then lets the next play run."""
    play = wiring(**variables)
    tasks = [
        {"block": [{"ansible.builtin.include_role": {"name": ROLE}}], "rescue": [{"ansible.builtin.meta": "noop"}]}
    ]
    return {"name": "refused", "tasks": tasks, "vars": play["vars"]}


def checked(play: Play) -> Play:
    """A play in check mode, as --check has it, so that it and the plays it foresees are one start of ansible-playbook."""
    return {**play, "check_mode": True}


def shell(command: str) -> Play:
    """A play that runs a command on the host, between others."""
    return {"name": "shell", "tasks": [{"name": "Run a command", "ansible.builtin.raw": command}]}


def snapshot() -> Play:
    """A play whose ``stdout`` is everything that a wiring could touch."""
    argv = ["python3", "-I", str(LAB / "snapshot.py"), "--all-namespaces"]
    return {"name": "shell", "tasks": [{"name": "Run a command", "ansible.builtin.command": {"argv": argv}}]}


@dataclass(frozen=True)
class Task:
    """What one task returned. ``status``: ok, failed, ignored (it failed, and the play went on), stumbled (some of its items failed, and the role went
    on), skipped or unreachable."""

    name: str
    action: str
    status: str
    result: Mapping[str, Any] = field(repr=False)

    @property
    def changed(self) -> bool:
        return bool(self.result.get("changed"))

    @property
    def diff(self) -> list[dict[str, str]]:
        """The diffs of the objects that the task changed."""
        found = self.result.get("diff") or []
        return found if isinstance(found, list) else [found]


def unfolded(task: Task) -> list[Task]:
    """The tasks of the chain that the one task stands for: what it returned, by step. Others are what they are."""
    steps = [step for step in task.result.get("results", ()) if "half" in step]
    whole_wiring = task.action == f"{ROLE.rpartition('.')[0]}.wiring" and (steps or not task.result.get("results"))
    if not whole_wiring or task.status == "skipped":
        return [task]
    found = []
    for step in steps:
        name, module = TASKS[step["half"], step["step"]]
        results = step["results"]
        failed = any(one.get("failed") for one in results)
        whole = {
            "changed": step["changed"],
            "diff": [one["diff"] for one in results if one["changed"]],
            "commands": [line for one in results for line in one.get("commands", [])],
            "results": results,
        }
        found.append(Task(name, f"linuxnet.containers.{module}", "stumbled" if failed else "ok", whole))
    if task.status in ("failed", "ignored", "unreachable"):
        found.append(Task(task.name, "", task.status, task.result))
    return found


@dataclass(frozen=True)
class Outcome:
    """One play on one host: its tasks in order. One task that did the whole chain counts as the chain's."""

    tasks: list[Task]
    warnings: list[str] = field(default_factory=list)

    @property
    def changed(self) -> list[str]:
        """The names of the tasks that changed something."""
        return [task.name for task in self.tasks if task.changed]

    @property
    def failures(self) -> list[str]:
        """The messages of the tasks that failed."""
        return [str(task.result.get("msg")) for task in self.tasks if task.status == "failed"]

    @property
    def unreachable(self) -> bool:
        """Whether the host was not reached."""
        return any(task.status == "unreachable" for task in self.tasks)

    @property
    def modules(self) -> list[str]:
        """The collection's modules that ran."""
        mine = [task for task in self.tasks if task.status != "skipped" and task.action.startswith("linuxnet.")]
        return [task.action.rpartition(".")[2] for task in mine]

    @property
    def stdout(self) -> str:
        """What the command of a ``shell`` play printed."""
        return str(self.tasks[-1].result["stdout"]).replace("\r\n", "\n")

    @property
    def wiring_result(self) -> dict[str, Any]:
        """The fact that the role sets."""
        facts = [task.result.get("ansible_facts", {}) for task in self.tasks]
        found: dict[str, Any] = [one["wiring_result"] for one in facts if "wiring_result" in one][-1]
        return found

    def drift(self) -> dict[str, list[str]]:
        """What was changed, by object: the lines of the diff, with - for before and + for after. Whose it is, is left out of the name."""
        found = {}
        for task in self.tasks:
            for one in task.diff:
                sides = (("-", one.get("before", "")), ("+", one.get("after", "")))
                found[_WHOSE.sub("", one["before_header"])] = [
                    sign + line for sign, text in sides for line in text.splitlines()
                ]
        return found


class Playbook:
    """Runs playbooks in one lab host. Files go to ``folder``, which is the host's own: its /tmp may be private.

    ``one_task``: the role does everything in one task. With an ``inventory`` the lab host is the controller of others, and plays name their ``hosts``.
    """

    def __init__(self, lab: Lab, folder: Path, one_task: bool = False, inventory: Path | None = None) -> None:
        self.lab = lab
        self.folder = folder
        self.one_task = one_task
        self.inventory = inventory
        self.record = folder / "record"

    def command(self, plays: Iterable[Play], *options: str, **variables: Any) -> list[str]:
        """Write the playbook and return the command that runs it. ``variables`` are Ansible's own, for every play."""
        book = [{"hosts": "localhost", "gather_facts": False, **play} for play in plays]
        write = f"mkdir -p {self.folder} && cat > {self.folder}/play.yml && : > {self.record}"
        self.lab.run(write, input=json.dumps(book))
        settings = {
            "ANSIBLE_CALLBACKS_ENABLED": "record",
            "ANSIBLE_CALLBACK_PLUGINS": HERE / "callback",
            "ANSIBLE_COLLECTIONS_PATH": os.environ.get("ANSIBLE_COLLECTIONS_PATH", collections_root()),
            "ANSIBLE_HOME": os.environ.get("ANSIBLE_HOME", self.folder / "home"),
            "ANSIBLE_LOCALHOST_WARNING": "False",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False",
            "ANSIBLE_PIPELINING": "True",
            "RECORD": self.record,
        }
        playbook = [sys.executable, "-m", "ansible", "playbook", str(self.folder / "play.yml"), *options]
        variables = {**({"wiring_one_task": True} if self.one_task else {}), **variables}
        extra = ["-e", json.dumps(variables)] if variables else []
        of = ["-i", str(self.inventory)] if self.inventory else []
        return ["env", *(f"{name}={value}" for name, value in settings.items()), *playbook, *of, *extra]

    def outcomes(self) -> list[Outcome]:
        """The plays of the last run, where there is one host."""
        return [outcome for play in self.by_host() for outcome in play.values()]

    def by_host(self) -> list[dict[str, Outcome]]:
        """The plays of the last run, with what each was on each host."""
        plays: dict[int, dict[str, list[Task]]] = {}
        for line in self.lab.run(["cat", str(self.record)]).stdout.splitlines():
            entry = json.loads(line)
            status = "stumbled" if entry["result"].get("stumbled") else entry["status"]
            task = Task(entry["task"], entry["action"], status, entry["result"])
            plays.setdefault(entry["play"], {}).setdefault(entry["host"], []).append(task)
        return [{host: _outcome(tasks) for host, tasks in hosts.items()} for _number, hosts in sorted(plays.items())]

    def run(self, *plays: Play, options: Iterable[str] = ("--diff", "-v"), **variables: Any) -> list[Outcome]:
        """Run plays that must succeed; with every attribute in the diffs."""
        done = self.lab.run(self.command(plays, *options, **variables), check=False, timeout=LIMIT)
        if done.rc != 0:
            raise AssertionError(f"ansible-playbook ended with {done.rc}\n{done.stdout}{done.stderr}")
        assert recap(done)["failed"] == recap(done)["unreachable"] == 0
        return self.outcomes()


def _outcome(tasks: list[Task]) -> Outcome:
    return Outcome(
        [one for task in tasks for one in unfolded(task)],
        [str(line) for task in tasks for line in task.result.get("warnings") or []],
    )


def recap(done: Result, host: str = "localhost") -> dict[str, int]:
    """A host's line of the recap as Ansible prints it."""
    line = next(line for line in done.stdout.splitlines() if re.match(rf"{host} +: ok=", line))
    return {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", line)}


def internet(lab: Lab) -> None:
    """An uplink, and a namespace "internet" behind it that knows the host's address but no container's."""
    lab.run(
        "ip netns add internet && ip link add uplink type veth peer name eth0 netns internet && "
        "ip link set uplink addrgenmode none && ip addr add 192.0.2.1/24 dev uplink && ip addr add 2001:db8::1/64 dev uplink nodad && ip link set uplink up && "
        "ip -n internet link set eth0 addrgenmode none && ip -n internet addr add 192.0.2.99/24 dev eth0 && "
        "ip -n internet addr add 2001:db8::99/64 dev eth0 nodad && ip -n internet link set eth0 up && "
        "ip route add default via 192.0.2.99 && ip route add default via 2001:db8::99"
    )


def start(lab: Lab) -> int:
    """Start a process in a network namespace of its own."""
    pid = lab.spawn("exec unshare --net sleep 100000")
    comes(lab, f"[ $(cat /proc/{pid}/comm) = sleep ]")
    return pid


def talk(lab: Lab, client: str, server: str, address: str) -> str:
    """A TCP exchange that must work. Returns the address that the server saw the client come from."""
    return lab.run([sys.executable, str(HERE / "talk.py"), client, server, address, "8080", "60"]).stdout.strip()


def silent(lab: Lab, client: str, server: str, address: str) -> bool:
    """Whether the two cannot talk, also where a lost SYN is sent again, which takes a second."""
    exchange = [sys.executable, str(HERE / "talk.py"), client, server, address, "8080", "1.5"]
    return lab.run(exchange, check=False).rc != 0


def pings(lab: Lab, client: str, address: str) -> bool:
    """Whether an address answers; if not the first time, then later."""
    ping = f"ip netns exec {client} ping -n -q -c 1 -W 1 {address}"
    return lab.run(f"while [ $SECONDS -lt 30 ]; do {ping} && exit; sleep 0.05; done; exit 1", check=False).rc == 0
