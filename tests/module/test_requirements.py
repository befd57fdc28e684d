# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host may lack, told in one message before anything is done; and what a module leaves in its own process: nothing."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from lab import HERE, Lab, collections_root
from proofs import python

pytestmark = pytest.mark.both_ends
WANTED: dict[str, dict[str, Any]] = {
    "netns": {"name": "box"},
    "bridge": {"name": "br1"},
    "veth": {"peer_netns": "web"},
    "bridge_port": {"bridge": "br0", "interface": "v0"},
    "ns_link": {"name": "vx0", "kind": "vxlan", "vni": 1},
    "ns_address": {"interface": "v0", "address": "192.0.2.1/24"},
    "ns_route": {"destination": "198.51.100.0/24", "interface": "lo"},
    "nat": {"type": "masquerade", "source": "192.0.2.0/24"},
}

WIRING = "ip netns add web; ip link add br0 type bridge; ip link add v0 type veth peer name w0; ip link set v0 up"

NO_ROOT = "--bounding-set=-all --inh-caps=-all --ambient-caps=-all"
NO_ADMIN = "--bounding-set=-sys_admin --inh-caps=-sys_admin --ambient-caps=-all"


@pytest.fixture(name="host", scope="module")
def host_with_a_little_wiring(shared_lab: Lab) -> Lab:
    shared_lab.run(WIRING)
    for library in ("pyroute2", "netaddr"):
        shared_lab.run(f"mkdir -p /run/without/{library}/{library}")
        error = f"raise ModuleNotFoundError(\"No module named '{library}'\")"
        shared_lab.run(f"cat > /run/without/{library}/{library}/__init__.py", input=error)
    return shared_lab


def run(
    lab: Lab, module: str, *, before: str = "", env: dict[str, str] | None = None, check: bool = False, **args: Any
) -> dict[str, Any]:
    """Run a module in a process of its own, begun by another command, with an environment. Returns its result."""
    command = [*before.split(), sys.executable, str(HERE / "agent.py"), collections_root(), "--module", module]
    done = lab.run(command, check=False, input=json.dumps({"args": args, "check": check}), env=env)
    assert "Traceback" not in done.stdout + done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


@pytest.mark.parametrize("module", WANTED)
def test_pyroute2_is_missing(host: Lab, module: str) -> None:
    """G13"""
    before = host.snapshot()
    result = run(host, module, env={"PYTHONPATH": "/run/without/pyroute2"}, **WANTED[module])
    assert result["failed"]
    assert result["missing"] == "pyroute2"
    assert result["msg"].startswith("Failed to import the required Python library (pyroute2) on lab's Python")
    assert host.snapshot() == before


def test_netaddr_is_missing(host: Lab) -> None:
    """G13: what takes an address from a pool needs it."""
    before = host.snapshot()
    env = {"PYTHONPATH": "/run/without/netaddr"}
    result = run(host, "ns_address", env=env, interface="v0", pool="192.0.2.0/24", bridge="br0")
    assert result["failed"]
    assert result["missing"] == "netaddr"
    assert result["msg"].startswith("Failed to import the required Python library (netaddr) on lab's Python")
    assert host.snapshot() == before


@pytest.mark.parametrize("module", WANTED)
def test_netaddr_is_not_missed_without_a_pool(lab: Lab, module: str) -> None:
    """G13"""
    lab.run(WIRING)
    lab.run("mkdir -p /run/without && cat > /run/without/netaddr.py", input="raise ModuleNotFoundError('netaddr')")
    result = run(lab, module, env={"PYTHONPATH": "/run/without"}, **WANTED[module])
    assert not result.get("failed"), result
    assert result["changed"]


# What a library is made of that is no good, and what is said of it.
OLD = {"__init__.py": "", "config/__init__.py": "", "config/version.py": "__version__ = '0.5.14'"}
BROKEN = {**OLD, "config/version.py": "__version__ = '0.9.2'", "netlink/__init__.py": "x = type('x', (), {})[int]"}
NO_GOOD = {
    "pyroute2 0.5.14": ("pyroute2", OLD, "The Python library pyroute2 is 0.5.14, and 0.7.2 or newer is needed."),
    "pyroute2 0.9.2": (
        "pyroute2",
        BROKEN,
        "The Python library pyroute2 is installed but cannot be imported: TypeError: type 'x' is not subscriptable "
        "(/run/no-good/pyroute2/netlink/__init__.py).",
    ),
    "netaddr 0.7.10": (
        "netaddr",
        {"__init__.py": "__version__ = '0.7.10'"},
        "The Python library netaddr is 0.7.10, and 0.7.19 or newer is needed.",
    ),
    "a broken netaddr": (
        "netaddr",
        {"__init__.py": "raise RuntimeError('of no use')"},
        "The Python library netaddr is installed but cannot be imported: RuntimeError: of no use (/run/no-good/netaddr/__init__.py).",
    ),
}


@pytest.mark.parametrize("kind", NO_GOOD)
def test_a_library_that_is_too_old_or_broken_is_refused_in_a_sentence(host: Lab, kind: str) -> None:
    """By every module, before anything is done."""
    library, files, said = NO_GOOD[kind]
    for name, text in files.items():
        path = f"/run/no-good/{library}/{name}"
        host.run(f"mkdir -p $(dirname {path}) && cat > {path}", input=text)
    before = host.snapshot()
    pool = {"ns_address": {"interface": "v0", "pool": "192.0.2.0/24", "bridge": "br0"}}
    try:
        for module, args in (WANTED if library == "pyroute2" else pool).items():
            result = run(host, module, env={"PYTHONPATH": "/run/no-good"}, **args)
            assert (result["failed"], result["missing"], result["msg"]) == (True, library, said)
    finally:
        host.run("rm -r /run/no-good")
    assert host.snapshot() == before


@pytest.mark.needs("nft")
@pytest.mark.parametrize(
    ("backend", "program", "says", "said"),
    [
        (
            "nftables",
            "nft",
            "nftables v0.9.8 (E.D.S.)",
            "The program nft is 0.9.8 on this host, and 1.0.6 or newer is needed: upgrade the package nftables.",
        ),
        (
            "iptables",
            "iptables-nft-restore",
            "iptables-restore v1.8.7 (nf_tables)",
            "The program iptables is 1.8.7 on this host, and 1.8.9 or newer is needed: upgrade the package iptables.",
        ),
    ],
)
def test_a_program_that_is_too_old_is_refused_where_it_would_be_used(
    host: Lab, backend: str, program: str, says: str, said: str
) -> None:
    before = host.snapshot()
    host.run(f"mkdir -p /run/old && cat > /run/old/{program}", input=f"#!/bin/sh\necho '{says}'\n")
    host.run(f"chmod +x /run/old/{program}")
    env = {"PATH": "/run/old:/usr/sbin:/usr/bin:/sbin:/bin"}
    result = run(host, "nat", env=env, backend=backend, **WANTED["nat"])
    assert (result["failed"], result["missing"], result["msg"]) == (True, backend, said)
    networks = [{"name": "lan0", "subnets": ["10.9.0.0/24"]}]
    result = run(host, "wiring", env=env, firewall_backend=backend, networks=networks, containers=[{"name": "box"}])
    assert (result["failed"], result["missing"], result["msg"]) == (True, backend, said)
    assert run(host, "bridge", env=env, check=True, **WANTED["bridge"])["changed"]
    host.run("rm -r /run/old")
    assert host.snapshot() == before


@pytest.mark.needs("nft")
def test_nft_is_missing(lab: Lab) -> None:
    """G13: only nat needs it; the package is named."""
    lab.run(WIRING)
    before = lab.snapshot()
    programs = lab.run("type -ap nft | xargs -n1 realpath | sort -u").stdout.split()
    lab.run("touch /run/none")
    for program in programs:
        lab.run(["mount", "--bind", "/run/none", program])
    result = run(lab, "nat", backend="nftables", **WANTED["nat"])
    assert result["failed"]
    assert result["missing"] == "nftables"
    assert result["msg"] == "The program nft is not installed on this host: install the package nftables."
    others = [run(lab, module, check=True, **args) for module, args in WANTED.items() if module != "nat"]
    assert [other["changed"] for other in others] == [True] * 7
    for program in programs:
        lab.run(["umount", program])
    assert lab.snapshot() == before


@pytest.mark.parametrize(
    ("module", "without", "named"),
    [
        *((module, NO_ROOT, "CAP_NET_ADMIN, CAP_SYS_ADMIN missing") for module in WANTED),
        ("veth", NO_ADMIN, "CAP_SYS_ADMIN missing"),
    ],
)
def test_a_privilege_is_missing(host: Lab, module: str, without: str, named: str) -> None:
    """G15: before any change, and also in the middle of the privileges of root."""
    before = host.snapshot()
    result = run(host, module, before=f"setpriv {without}", **WANTED[module])
    assert result["failed"]
    assert result["missing"] == "root"
    assert f"({named})" in result["msg"]
    assert result["msg"].startswith("Root is needed to see and change network namespaces")
    assert result["msg"].endswith("run the task with become: true.")
    assert host.snapshot() == before


AS_NOBODY = """
import os
import agent

agent.call_module({"name": "bridge", "args": {"name": "a/b"}})  # imports all that a plain user may not be able to read
os.setgroups([])
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
agent.call_module({"name": "bridge", "args": {"name": "br1"}})
"""


@pytest.mark.needs("root")
def test_a_plain_user(host: Lab) -> None:
    """G15"""
    before = host.snapshot()
    result = json.loads(python(host, AS_NOBODY).splitlines()[-1])
    assert result["msg"].startswith("Root is needed to see and change network namespaces")
    assert host.snapshot() == before


def test_bad_input_is_told_before_what_is_missing(host: Lab) -> None:
    env = {"PYTHONPATH": "/run/without/pyroute2"}
    assert run(host, "bridge", env=env, name="a/b")["msg"].startswith("name: 'a/b' is not an interface name")


THOUSAND = """
import json, os, sys
from ansible_collections.linuxnet.containers.plugins.module_utils._run import execution, validation
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import writer
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import bridge
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import bridge_port
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import netns
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import veth


def count():
    return {
        "fds": len(os.listdir("/proc/self/fd")),
        "children": open(f"/proc/self/task/{os.getpid()}/children").read().split(),
        "threads": len(os.listdir("/proc/self/task")),
        "namespace": os.stat("/proc/thread-self/ns/net").st_ino,
    }


def execute(resource, **args):
    global operations
    operations += 1
    with writer.Kernel() as kernel:
        wants = validation.items(resource, args)
        results, _warnings = execution.execute(resource, wants, kernel, False)
    failed.extend(one["msg"] for one in results if one.get("failed"))


operations, failed = 0, []
for number in range(101):
    if number == 1:
        before = count()
    name = f"box{number % 5}"
    execute(netns.RESOURCE, name=name, sysctls={"net.ipv4.ip_forward": number % 2})
    execute(bridge.RESOURCE, name="inner", netns=name)
    execute(veth.RESOURCE, peer_netns=name, mtu=1400 + number % 2, tx_checksum=bool(number % 2))
    execute(veth.RESOURCE, name="a", peer_name="b", netns=name)
    execute(bridge_port.RESOURCE, bridge="inner", interface="a", netns=name, hairpin=bool(number % 2))
    execute(bridge_port.RESOURCE, bridge="inner", interface="a", netns=name, state="absent")
    execute(veth.RESOURCE, peer_netns="nowhere")
    execute(netns.RESOURCE, name="copy", share=name)
    execute(netns.RESOURCE, name="copy", state="absent")
    execute(veth.RESOURCE, peer_netns=name, peer_name="b")
after = count()
print(json.dumps({"operations": operations, "before": before, "after": after, "failed": sorted(set(failed))}))
"""


def test_a_thousand_operations_leave_nothing_in_the_process(lab: Lab) -> None:
    """G14: no file descriptor, no child, no thread, and it is where it was; those that fail included."""
    told = json.loads(python(lab, THOUSAND, timeout=600))
    assert told["operations"] == 1010
    assert told["after"] == told["before"]
    assert told["before"]["children"] == []
    assert sorted(message.split(":")[0].split(" (")[0] for message in told["failed"]) == [
        "Netns 'nowhere' does not exist",
        *["peer_name"] * 5,
    ]
    assert sorted(lab.run("ls /run/netns").stdout.split()) == [f"box{number}" for number in range(5)]
