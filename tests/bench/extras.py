# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs in a lab host: what is not a matter of N containers. Prints seconds as JSON.

extras.py COLLECTIONS adhoc          one module call against ansible.builtin.ping
extras.py COLLECTIONS ports COUNT    published ports against a rule a port, as docker writes them
extras.py COLLECTIONS wire COUNT     wires three containers, of which the root of one makes so many links, and more of what is cheaper
extras.py COLLECTIONS spoof COUNT    wiring, and packets, with checks of ports and without
extras.py COLLECTIONS again          runs that have nothing to do, on such a host
"""

from __future__ import annotations

import itertools
import json
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from contenders import BRIDGE, Chain, OneTask, Variables, call, timed, variables

LEVELS = 5
SAMPLE = 4  # ports timed at each level


def adhoc() -> Variables:
    """The seconds of an ad-hoc call that has nothing to do, and of a ping, from start to end."""
    call(["ip", "link", "add", BRIDGE, "type", "bridge"])
    call(["ip", "link", "set", BRIDGE, "up"])
    found = {}
    for module, argument in (("ansible.builtin.ping", ""), ("linuxnet.containers.bridge", f"name={BRIDGE}")):
        found[module.rpartition(".")[2]] = timed(partial(task, module, argument))
    return found


def task(module: str, argument: str) -> str:
    """Call a module by Ansible, from start to end. Returns what that printed."""
    ansible = [sys.executable, "-m", "ansible", "adhoc", "-i", "localhost,", "-c", "local", "localhost"]
    argv = [*ansible, "-e", f"ansible_python_interpreter={sys.executable}", "-m", module, "-a", argument]
    return call(argv, {"ANSIBLE_PIPELINING": "True"})


def rules(number: int) -> list[tuple[str, str]]:
    """The rules that docker writes for one published port of a container on its bridge: (table, rule)."""
    address = f"10.88.{number % 1000 // 250}.{number % 250 + 2}"
    return [
        ("nat", f"-A DOCKER ! -i {BRIDGE} -p tcp --dport {number} -j DNAT --to-destination {address}:80"),
        ("filter", f"-A DOCKER -d {address}/32 ! -i {BRIDGE} -o {BRIDGE} -p tcp --dport 80 -j ACCEPT"),
        ("nat", f"-A POSTROUTING -s {address}/32 -d {address}/32 -p tcp --dport 80 -j MASQUERADE"),
    ]


def ports(count: int) -> Variables:
    """The seconds that ``count`` published ports take us, and what they take with an iptables call a rule.

    A call takes the longer the more rules there are. So a few ports are timed at several fill levels, and the time of all is
    the area below. What docker does besides (a check before each rule, a proxy a port) is left out in its favour.
    """
    chain = Chain(0)
    chain.prepare()
    call(["ip", "link", "add", BRIDGE, "type", "bridge"])
    call(["ip", "address", "add", "10.88.0.1/16", "dev", BRIDGE])
    call(["ip", "link", "set", BRIDGE, "up"])
    items = [
        {"type": "dnat", "host_port": str(1 + number), "to_address": "10.88.0.2", "to_port": "80", "bridge": BRIDGE}
        for number in range(count)
    ]
    found = {"ours": timed(lambda: chain.module("nat", {"aggregate": items}))}
    found["again"] = timed(lambda: chain.module("nat", {"aggregate": items}))
    found["removed"] = timed(lambda: chain.module("nat", {"aggregate": items, "state": "absent"}))
    marks, cost = [round(count * level / (LEVELS - 1)) for level in range(LEVELS)], []
    for mark in marks:
        lines = {"nat": [":DOCKER - [0:0]"], "filter": [":DOCKER - [0:0]"]}
        for number in range(mark):
            for table, rule in rules(number + 1):
                lines[table].append(rule)
        text = "".join(f"*{table}\n" + "\n".join(these) + "\nCOMMIT\n" for table, these in lines.items())
        call(["iptables-restore"], text=text)
        start = time.perf_counter()
        for number in range(mark, mark + SAMPLE):
            for table, rule in rules(number + 1):
                call(["iptables", "--wait", "-t", table, *rule.split()])
        cost.append((time.perf_counter() - start) / SAMPLE)
    found["rules"] = sum((low + high) / 2 for low, high in itertools.pairwise(cost)) * count / (LEVELS - 1)
    return {**found, "seconds_a_port_at": dict(zip(map(str, marks), cost, strict=True))}


# A module in a process of its own, as Ansible runs it.
MODULE = """
import importlib, json, sys
sys.path.insert(0, sys.argv[1])
from ansible.module_utils import basic
basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": json.loads(sys.argv[3])}).encode()
basic._ANSIBLE_PROFILE = "legacy"
importlib.import_module("ansible_collections.linuxnet.containers.plugins.modules." + sys.argv[2]).main()
"""


# Gives so many links names with every byte in them that the kernel takes there.
RENAME = """
import fcntl, socket, struct, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
taken = 0
for number in range(int(sys.argv[1])):
    byte = number % 255 + 1
    old = b"d%d" % number
    try:
        fcntl.ioctl(sock, 0x8923, struct.pack("16s16s", old, b"e" + bytes([byte]) + old))  # SIOCSIFNAME
        taken += 1
    except OSError:
        assert bytes([byte]).isspace() or byte in b"/:%\\xa0", byte
assert taken > int(sys.argv[1]) * 0.9, taken
"""


def wired() -> dict[str, tuple[str, Variables]]:
    """The runs that are timed, of which none has anything to do: what each is called, the module, and what that is told."""
    wanted = variables([f"c{number}" for number in range(3)], True)
    return {
        "wiring": ("wiring", wanted),
        "purge": ("wiring", {**wanted, "purge": True}),
        "wiring_info": ("wiring_info", {}),
    }


def run(name: str, arguments: Variables) -> Variables:
    """Run a module in a process of its own. Returns its result."""
    told = json.dumps({**arguments, "_ansible_remote_tmp": "/tmp"})
    done: Variables = json.loads(call([sys.executable, "-c", MODULE, sys.argv[1], name, told]))
    return done


def wire(count: int) -> Variables:
    """Wire three containers; the root of one of them makes ``count`` links, named with every byte, and more of what is cheaper."""
    run(*wired()["wiring"])
    lines = [f"route add 10.{100 + n // 62500}.{n // 250 % 250}.{n % 250}/32 dev eth0" for n in range(20 * count)]
    lines += [f"addr add 10.120.{n // 250}.{n % 250}/32 dev eth0" for n in range(3 * count)]
    lines += [f"link add d{n} type bridge" for n in range(count)]
    if lines:
        call(["ip", "-n", "c1", "-batch", "-"], text="\n".join(lines))
        call(["ip", "netns", "exec", "c1", sys.executable, "-c", RENAME, str(count)])
    return {}


def again() -> Variables:
    """The seconds of processor time of each run, which is all of its time but for what else the machine does: of the module's process, and of a task."""
    found = {}
    for what, (name, arguments) in wired().items():
        for whole in (False, True):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            if whole:
                changed = '"changed": true' in task(
                    f"linuxnet.containers.{name}", json.dumps(arguments) if arguments else ""
                )
            else:
                changed = run(name, arguments)["changed"]
            if changed:
                raise RuntimeError(f"{what} changed something")
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            found["task " * whole + what] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return found


PACKETS = 100_000
# Sends so many small packets to a neighbour. A pair hands them over in the same call, so the time is that of the whole way.
SEND = """
import socket, sys, time
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
one.connect((sys.argv[1], 9))
start = time.perf_counter()
for dummy in range(int(sys.argv[2])):
    try: one.send(b"x" * 64)
    except ConnectionRefusedError: pass
print(time.perf_counter() - start)
"""


def spoof(count: int) -> Variables:
    """The seconds of wiring so many containers, of a run again, and of packets between two of them: without and with checks of their ports, in turn."""
    one = OneTask(0)
    one.prepare()
    found: dict[str, dict[str, list[float]]] = {"off": {}, "on": {}}
    for _round in range(5):
        for name, listed in found.items():
            wanted = variables([f"c{number}" for number in range(count)], True)
            wanted["networks"][0]["spoof_check"] = name == "on"
            for what in ("wiring", "again"):
                listed.setdefault(what, []).append(timed(partial(one.module, "wiring", wanted)))
            shown = json.loads(call(["ip", "-n", "c1", "-j", "-4", "addr", "show", "dev", "eth0"]))
            to = shown[0]["addr_info"][0]["local"]
            sent = call(["ip", "netns", "exec", "c0", sys.executable, "-c", SEND, to, str(PACKETS)])
            listed.setdefault("packets", []).append(float(sent))
            one.module("wiring", {**wanted, "state": "absent"})
    return {name: {what: min(times) for what, times in listed.items()} for name, listed in found.items()}


def main() -> None:
    """Measure one of them."""
    sys.path.insert(0, sys.argv[1])
    Path("/run/bench").mkdir(exist_ok=True)
    asked: dict[str, Callable[..., Variables]] = {
        "adhoc": adhoc,
        "ports": ports,
        "wire": wire,
        "again": again,
        "spoof": spoof,
    }
    print(json.dumps(asked[sys.argv[2]](*map(int, sys.argv[3:]))))


if __name__ == "__main__":
    main()
