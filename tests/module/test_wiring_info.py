# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is behind which veth, on the running kernel: wirings of this collection, of people and of engines, and what was left."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from lab import HERE, Lab, collections_root
from proofs import comes, container, ns_inode, python, untouched, warnings

LISTS = ["namespaces", "bridges", "veths", "links", "addresses", "routes", "nat", "orphans"]
WEB, DB = "vethzvxkcem3eqk", "vethwzfgk4jxc3w"  # what is derived for eth0 in web and in db
pytestmark = pytest.mark.needs("bridge", "nft", "nf_nat")


def wire(lab: Lab, *names: str) -> None:
    """Make a bridge with NAT, and containers on it, by the modules."""
    lab.module("bridge", name="br0")
    lab.module("ns_address", interface="br0", address="10.0.0.1/24")
    lab.module("netns", aggregate=[{"name": name} for name in names])
    lab.module("veth", aggregate=[{"peer_netns": name, "bridge": "br0"} for name in names])
    addresses = [{"netns": name, "address": f"10.0.0.{place + 2}/24"} for place, name in enumerate(names)]
    lab.module("ns_address", interface="eth0", aggregate=addresses)
    lab.module("ns_route", gateway="10.0.0.1", aggregate=[{"netns": name} for name in names])
    lab.module("nat", source="10.0.0.0/24", out_interface="!br0", owner="br0")


@pytest.fixture(name="host", scope="module")
def host_with_all_kinds_of_wiring(shared_lab: Lab) -> Lab:
    """Two containers of ours, web under two names; a pair made by hand into a process's namespace, and one within the host."""
    lab = shared_lab
    wire(lab, "web", "db")
    lab.module("netns", name="aside", share="web")
    lab.module("netns", name="lone")
    lab.module("netns", name="agent", share="host")
    pid = container(lab)
    lab.run(
        f"ip link add hand type veth peer name eth0 netns {pid} && ip link set hand master br0 up && "
        f"nsenter --net=/proc/{pid}/ns/net ip addr add 10.0.0.77/24 dev eth0 && ip link add in0 type veth peer name in1 && "
        "ip -n db link add br9 type bridge && ip -n web route add blackhole 198.51.100.0/24 && "
        "ip -n web route add 2001:db8::/32 dev eth0 && ip -n web addr add 10.3.0.1 peer 10.3.0.2/32 dev lo"
    )
    return lab


def told(lab: Lab, **options: Any) -> dict[str, list[dict[str, Any]]]:
    """What the module tells, having changed nothing and without a warning."""
    result = lab.module("wiring_info", **options)
    assert (result["changed"], warnings(result)) == (False, [])
    wiring: dict[str, list[dict[str, Any]]] = result["wiring"]
    return wiring


def only(items: list[dict[str, Any]], **values: Any) -> dict[str, Any]:
    """The one item with these values."""
    (found,) = [one for one in items if values.items() <= one.items()]
    return found


@contextmanager
def hidden(lab: Lab, program: str) -> Iterator[None]:
    """A block in which a program is not installed."""
    files = lab.run(f"touch /run/none; type -ap {program} | xargs -r -n1 realpath | sort -u").stdout.split()
    for file in files:
        lab.run(["mount", "--bind", "/run/none", file])
    yield
    for file in files:
        lab.run(["umount", file])


# The options by which the module of each list is asked for the same object, by the names of its result.
MODULES: dict[str, tuple[str, tuple[str, ...]]] = {
    "namespaces": ("netns", ("name",)),
    "bridges": ("bridge", ("name", "netns", "enabled")),
    "veths": ("veth", ("name", "netns", "peer_name", "peer_netns", "enabled", "peer_enabled")),
    "addresses": ("ns_address", ("interface", "netns", "address", "peer")),
    "routes": ("ns_route", ("destination", "family", "netns", "gateway", "interface", "metric", "type")),
    "nat": ("nat", ("source", "owner", "out_interface")),
}


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.both_ends
def test_an_entry_is_what_the_module_of_the_object_returns(host: Lab, name: str) -> None:
    module, options = MODULES[name]
    entries = [one for one in told(host)[name] if one.get("name", "") is not None and one.get("scope") != "link"]
    assert entries
    for entry in entries:
        args = {option: entry[option] for option in options if entry[option] is not None}
        if entry.get("peer"):
            args["peer"] = f"{entry['peer']}/{entry['prefix']}"
        if name == "namespaces":
            args.update(loopback=entry["loopback"], **({"share": "host"} if entry["name"] == "agent" else {}))
        result = host.module(module, **args)
        assert not result["changed"], result["diff"]
        assert {key: entry[key] for key in result["after"]} == result["after"]


@pytest.mark.both_ends
def test_all_objects_are_told(host: Lab) -> None:
    lists = told(host)
    assert list(lists) == LISTS
    names = [one["name"] for one in lists["namespaces"]]
    assert names == ["agent", "db", "lone", "web", "aside", None]
    assert [(one["netns"], one["name"], one["ports"]) for one in lists["bridges"]] == [
        (None, "br0", [WEB, DB, "hand"]),
        ("db", "br9", []),
    ]
    assert sorted(one["address"] for one in lists["addresses"] if one["scope"] != "link") == [
        "10.0.0.1/24",
        "10.0.0.2/24",
        "10.0.0.3/24",
        "10.0.0.77/24",
        "10.3.0.1/32",
    ]
    assert sorted((one["netns"], one["destination"]) for one in lists["routes"]) == [
        ("db", "default"),
        ("web", "198.51.100.0/24"),
        ("web", "2001:db8::/32"),
        ("web", "default"),
    ]
    assert [one["source"] for one in lists["nat"]] == ["10.0.0.0/24"]
    assert lists["orphans"] == []


def test_who_is_behind_a_pair(host: Lab) -> None:
    by_hand = only(told(host)["namespaces"], name=None)
    whose = f"process {by_hand['pid']} (sleep)"
    keys = ("name", "peer_name", "peer_netns", "bridge", "owner", "addresses", "gateways", "ours")
    assert [tuple(one[key] for key in keys) for one in told(host)["veths"]] == [
        (WEB, "eth0", "web", "br0", "web", ["10.0.0.2/24"], ["10.0.0.1"], True),
        (DB, "eth0", "db", "br0", "db", ["10.0.0.3/24"], ["10.0.0.1"], True),
        ("hand", "eth0", by_hand["path"], "br0", whose, ["10.0.0.77/24"], [], False),
        ("in0", "in1", None, "", None, [], [], False),
    ]
    assert all(
        (one["container"], one["engine"], one["published_ports"]) == (None, None, []) for one in told(host)["veths"]
    )


def test_a_namespace_that_only_a_process_holds(host: Lab) -> None:
    lists = told(host)
    space = only(lists["namespaces"], name=None)
    assert set(space) == set(only(lists["namespaces"], name="db"))
    assert space["path"] == f"/proc/{space['pid']}/ns/net"
    assert space["inode"] == ns_inode(host, space["path"])
    assert (space["processes"], space["process_count"]) == ([{"pid": space["pid"], "command": "sleep"}], 1)
    assert (space["loopback"], space["interfaces"]) == (False, ["eth0"])


def test_a_shared_namespace_has_an_entry_a_name_and_is_called_by_that_of_its_wiring(host: Lab) -> None:
    lists = told(host)
    web, aside = only(lists["namespaces"], name="web"), only(lists["namespaces"], name="aside")
    assert (web["shared_with"], aside["shared_with"]) == (["aside"], ["web"])
    assert web["inode"] == aside["inode"] == ns_inode(host, "/run/netns/web")
    assert {one["netns"] for name in ("veths", "addresses", "routes") for one in lists[name]} <= {
        None,
        "web",
        "db",
        only(lists["namespaces"], name=None)["path"],
    }


def test_the_picture(host: Lab) -> None:
    result = host.module("wiring_info")
    whose = only(result["wiring"]["veths"], name="hand")["owner"]
    assert result["picture"] == (
        "host\n"
        "├─ br0  10.0.0.1/24\n"
        f"│  ├─ {WEB} ─── eth0 in web, aside  10.0.0.2/24\n"
        f"│  ├─ {DB} ─── eth0 in db  10.0.0.3/24\n"
        f"│  └─ hand ─── eth0 in {whose}  10.0.0.77/24\n"
        "└─ in0 ─── in1\n"
        "in db\n"
        "└─ br9\n"
        "agent  (host)\n"
        "lone  (only lo)\n"
    )


@pytest.mark.parametrize("name", LISTS)
def test_a_subset(host: Lab, name: str) -> None:
    assert told(host, gather=[name]) == {name: told(host)[name]}


def test_what_is_in_a_namespace_or_leads_to_it(host: Lab) -> None:
    everything, lists = told(host), told(host, netns="db")
    for name in ("namespaces", "routes"):
        key = "name" if name == "namespaces" else "netns"
        assert lists[name] == [one for one in everything[name] if one[key] == "db"] != []
    assert [one["name"] for one in lists["veths"]] == [DB]
    assert [(one["name"], one["ports"]) for one in lists["bridges"]] == [("br0", [DB]), ("br9", [])]
    assert {one["ip"] for one in lists["addresses"] if one["scope"] != "link"} == {"10.0.0.1", "10.0.0.3"}
    assert lists["nat"] == everything["nat"]


def test_namespaces_may_be_named_by_any_of_their_files(host: Lab) -> None:
    path = only(told(host)["namespaces"], name=None)["path"]
    lists = told(host, netns=["aside", path])
    assert [one["name"] for one in lists["namespaces"]] == ["web", "aside", None]
    assert [one["name"] for one in lists["veths"]] == [WEB, "hand"]


def test_a_namespace_that_is_not_there(host: Lab) -> None:
    result = host.module("wiring_info", netns=["nowhere", "db"])
    assert warnings(result) == ["Netns 'nowhere' does not exist."]
    assert [one["name"] for one in result["wiring"]["namespaces"]] == ["db"]
    assert host.fails("wiring_info", netns=["a/b"])["msg"].startswith("netns: 'a/b' is not a namespace name")


@pytest.mark.needs("strace")
@pytest.mark.parametrize("check", [False, True])
@pytest.mark.both_ends
def test_nothing_is_written(host: Lab, check: bool) -> None:
    # Podman's own program writes its locks and its log whatever it is asked, so it is not to be found here.
    with hidden(host, "podman"), untouched(host):
        result, writes = host.writes("wiring_info", check=check)
    assert writes == []
    assert result["changed"] is False
    assert result["wiring"] == told(host)


COUNT = """
import collections, json, subprocess
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import survey
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import complete
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import links, transport

dumps, run = collections.Counter(), []
real, popen = transport.Socket.dump, subprocess.Popen.__init__


def counted(self, type_, body):
    dumps[id(self), type_] += 1
    return real(self, type_, body)


def started(self, command, *rest, **more):
    run.append(command)
    popen(self, command, *rest, **more)


transport.Socket.dump, subprocess.Popen.__init__ = counted, started
with complete.Kernel() as kernel:
    lists, dummy = survey.gathered(kernel, survey.SUBSETS)
links = [count for (dummy, type_), count in dumps.items() if type_ == links._GETLINK]
print(json.dumps({"pairs": len(lists["veths"]), "links": links, "most": max(dumps.values()), "programs": len(run)}))
"""


def test_a_namespace_is_read_once_and_no_program_is_run_for_it(lab: Lab) -> None:
    wire(lab)
    few = json.loads(python(lab, COUNT))
    names = [f"box{number}" for number in range(20)]
    lab.module("netns", aggregate=[{"name": name} for name in names])
    lab.module("veth", aggregate=[{"peer_netns": name, "bridge": "br0"} for name in names])
    many = json.loads(python(lab, COUNT))
    assert (few["pairs"], many["pairs"]) == (0, 20)
    assert many["links"] == [1] * 21
    assert many["most"] == 2  # the routes of two families
    assert many["programs"] == few["programs"]


def test_namespaces_that_come_and_go_meanwhile(lab: Lab) -> None:
    wire(lab, "web")
    lab.spawn(
        "for try in $(seq 1000); do ip netns add t$((try % 7)); ip link add type veth peer name eth0 netns t$((try % 7)); "
        "ip netns del t$(((try + 3) % 7)); done 2>/dev/null; touch /run/over"
    )
    for _try in range(10):
        lists = lab.module("wiring_info", gather=LISTS[:-1])["wiring"]
        assert only(lists["veths"], name=WEB)["addresses"] == ["10.0.0.2/24"]
    assert lab.run("test -e /run/over", check=False).rc != 0, "nothing came and went"


# --- orphans ---


def orphans(lab: Lab, **options: Any) -> list[tuple[str, str, str]]:
    """What was left behind, as (kind, name, why)."""
    found = told(lab, gather=["orphans"], **options)["orphans"]
    assert all(one["netns"] is None for one in found)
    return [(one["kind"], one["name"], one["why"]) for one in found]


def test_stale_entries_of_run_netns(lab: Lab) -> None:
    lab.run(
        "touch /run/netns/old; ln -s /proc/4242424/ns/net /run/netns/gone; echo mine > /run/netns/notes; ip netns add web"
    )
    assert orphans(lab) == [
        ("netns", "gone", "/run/netns/gone is a symbolic link to nowhere"),
        ("netns", "old", "/run/netns/old is a plain file, left by a reboot or by an 'ip netns add' that failed"),
    ]
    assert orphans(lab, netns="web") == []


def test_a_pair_whose_container_was_taken_off_its_name(lab: Lab) -> None:
    wire(lab, "web", "db")
    pid = lab.spawn("exec ip netns exec web sleep 100000")
    comes(lab, f"grep -qx sleep /proc/{pid}/comm")
    assert orphans(lab) == []
    lab.run("ip netns del web")
    why = f"the namespace of its other end has no name any more: process {pid} (sleep)"
    assert orphans(lab) == [("veth", WEB, why)]
    assert f"orphan veth {WEB}: {why}\n" in lab.module("wiring_info")["picture"]
    assert only(told(lab)["veths"], name=WEB)["ours"] is True


def test_a_pair_into_a_namespace_that_cannot_be_seen(lab: Lab) -> None:
    """A process holds it open and lives elsewhere: it has neither a file nor a process here."""
    wire(lab, "web")
    lab.spawn("exec 9</run/netns/web; touch /run/held; exec sleep 100000")
    comes(lab, "test -e /run/held")
    lab.run("ip netns del web")
    assert orphans(lab) == [("veth", WEB, "its other end is in a namespace that cannot be seen from here")]
    pair = only(told(lab)["veths"], name=WEB)
    assert (pair["peer_name"], pair["peer_netns"], pair["owner"], pair["ours"]) == (None, None, None, True)


def test_a_pair_made_for_a_process_is_no_orphan_while_that_lives(lab: Lab) -> None:
    pid = container(lab)
    lab.module("veth", peer_netns=f"/proc/{pid}/ns/net")
    assert [(one["owner"], one["ours"]) for one in told(lab)["veths"]] == [(f"process {pid} (sleep)", True)]
    assert orphans(lab) == []


def test_a_rule_whose_bridge_is_gone(lab: Lab) -> None:
    wire(lab)
    assert orphans(lab) == []
    lab.run("ip link del br0")
    assert orphans(lab) == [("nat", "10.0.0.0/24", "the rule of owner 'br0' is for br0, which does not exist")]


# --- engines ---

# Stands in for docker: what runs is told by a file with lines of name and process ID.
DOCKER = """#!/bin/sh
case $1 in
    ps) cut -d' ' -f1 /run/docker.boxes ;;
    container) shift 4; for one; do grep "^$one " /run/docker.boxes | while read -r name pid; do
        echo "$name $pid running /$name"; done; done ;;
esac
"""


@pytest.fixture(name="dock")
def host_with_a_docker() -> Iterator[Lab]:
    with Lab(env={"PATH": "/run/bin:" + os.environ["PATH"]}) as lab:
        lab.run("mkdir /run/bin && cat > /run/bin/docker && chmod +x /run/bin/docker", input=DOCKER)
        yield lab


def start(lab: Lab, name: str, pid: int) -> None:
    lab.run(f"echo {name} {pid} >> /run/docker.boxes")


@pytest.mark.needs("lab host")
def test_containers_are_told_by_their_process(dock: Lab) -> None:
    wire(dock, "web")
    shop = container(dock)
    dock.run(f"ip link add v0 type veth peer name eth0 netns {shop} && ip link set v0 master br0")
    side = dock.spawn(["nsenter", f"--net=/proc/{shop}/ns/net", "sleep", "100000"])
    webs = dock.spawn("exec ip netns exec web sleep 100000")
    comes(dock, f"grep -qx sleep /proc/{side}/comm && grep -qx sleep /proc/{webs}/comm")
    agent = dock.spawn(["sleep", "100000"])
    for name, pid in (("sidecar", side), ("shop", shop), ("web", webs), ("agent", agent)):
        start(dock, name, pid)
    lists = told(dock)
    space = only(lists["namespaces"], container="shop")
    assert (space["name"], space["pid"], space["owner"], space["engine"]) == (None, shop, "shop", "docker")
    assert [(one["name"], one["pid"]) for one in space["containers"]] == [("shop", shop), ("sidecar", side)]
    assert only(lists["namespaces"], container="agent")["shared_with"] == ["host"]
    pair = only(lists["veths"], name="v0")
    assert (pair["owner"], pair["container"], pair["engine"], pair["ours"]) == ("shop", "shop", "docker", False)
    assert only(lists["veths"], name=WEB)["container"] == "web"
    assert dock.module("wiring_info")["picture"] == (
        "host\n"
        "└─ br0  10.0.0.1/24\n"
        f"   ├─ {WEB} ─── eth0 in web (docker)  10.0.0.2/24\n"
        "   └─ v0 ─── eth0 in shop, sidecar (docker)\n"
        "agent (docker)  (host)\n"
    )


@pytest.mark.needs("lab host")
def test_a_namespace_that_an_engine_keeps_under_a_file_of_its_own(dock: Lab) -> None:
    pid = container(dock)
    dock.run(
        f"mkdir -p '/run/docker/net ns' && touch '/run/docker/net ns/ab' && mount --bind /proc/{pid}/ns/net '/run/docker/net ns/ab'"
    )
    start(dock, "shop", pid)
    (space,) = told(dock)["namespaces"]
    assert (space["path"], space["pid"], space["container"]) == ("/run/docker/net ns/ab", pid, "shop")
    dock.kill(pid)
    (space,) = told(dock)["namespaces"]
    assert (space["path"], space["pid"], space["container"]) == ("/run/docker/net ns/ab", None, None)


# --- what is missing ---


def alone(lab: Lab, *before: str, env: dict[str, str] | None = None, **args: Any) -> dict[str, Any]:
    """Run the module in a process of its own, begun by another command, with an environment. Returns its result."""
    command = [*before, sys.executable, str(HERE / "agent.py"), collections_root(), "--module", "wiring_info"]
    done = lab.run(command, check=False, input=json.dumps({"args": args}), env=env)
    assert "Traceback" not in done.stdout + done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def test_pyroute2_is_missing(host: Lab) -> None:
    host.run("mkdir -p /run/without && cat > /run/without/pyroute2.py", input="raise ModuleNotFoundError('pyroute2')")
    result = alone(host, env={"PYTHONPATH": "/run/without"})
    assert (result["failed"], result["missing"]) == (True, "pyroute2")
    assert result["msg"].startswith("Failed to import the required Python library (pyroute2) on lab's Python")


def test_a_privilege_is_missing(host: Lab) -> None:
    result = alone(host, "setpriv", "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all")
    assert (result["failed"], result["missing"]) == (True, "root")
    assert result["msg"].startswith("Root is needed to see and change network namespaces")


def test_nft_is_missing(lab: Lab) -> None:
    """The rest is told all the same."""
    wire(lab, "web")
    with hidden(lab, "nft"):
        result, part = lab.module("wiring_info"), lab.module("wiring_info", gather=["veths"])
    assert warnings(result) == ["Rules of nftables are not listed: the program nft is not installed on this host."]
    assert (result["wiring"]["nat"], len(result["wiring"]["veths"])) == ([], 1)
    assert (part["wiring"]["veths"], warnings(part)) == (result["wiring"]["veths"], [])


def test_the_filter_draws_what_the_module_found(host: Lab) -> None:
    from ansible_collections.linuxnet.containers.plugins.filter.topology import FilterModule

    result = host.module("wiring_info")
    assert FilterModule().filters()["topology"](result["wiring"]) == result["picture"]


@pytest.mark.both_ends
@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("10.0.0.3/24", "10.0.0.3/24 is an address of eth0 of db, behind veth[a-z2-7]{11} on br0."),
        ("2001:DB8::9", "Nobody on this host has 2001:db8::9; it is in none of its networks."),
        ("db", r"db has eth0 10.0.0.3/24 on br0 \(veth[a-z2-7]{11}\); default gateway 10.0.0.1; br9."),
        ("hand", r"There is hand of the host on br0, whose other end is eth0 of process \d+ \(.*\)."),
        (
            "8077/tcp",
            r"Nobody publishes 8077/tcp with this collection; on the host python3.* \(process \d+\) listens on .*",
        ),
        ("nobody", "Nothing on this host is called 'nobody'."),
    ],
)
def test_one_question_gets_a_sentence(host: Lab, question: str, answer: str) -> None:
    if question == "8077/tcp":
        listen = "import socket; s = socket.create_server(('127.0.0.1', 8077)); open('/run/bound', 'w'); s.accept()"
        host.spawn(f'exec python3 -c "{listen}"')
        comes(host, "[ -e /run/bound ]")
    result = host.module("wiring_info", find=question)
    assert (result["changed"], warnings(result)) == (False, [])
    assert re.fullmatch(answer, result["msg"])


def test_names_and_aliases_of_any_bytes(lab: Lab) -> None:
    """Whoever is root in a container chooses them: they are shown, escaped or not, by the module, the picture and the question."""
    odd = ["d\udcfc", "\x1b[31mred", "umläut", "a'b\"c", "$(x)", "\u202eleft"]
    lab.module("netns", name="web")
    script = (
        "import os, subprocess, sys\n"
        "for number, name in enumerate(sys.argv[1:]):\n"
        "    ip = ['ip', '-n', 'web', 'link']\n"
        "    subprocess.run([*ip, 'add', name, 'type', 'veth', 'peer', 'name', 'p%d' % number], check=True)\n"
        "    subprocess.run([*ip, 'set', name, 'alias', b'B\\xfcro \\x1b[31m' + os.fsencode(name)], check=True)\n"
        "    subprocess.run(['ip', '-n', 'web', 'addr', 'add', '10.9.%d.1/24' % number, 'dev', name], check=True)\n"
    )
    lab.run(["python3", "-c", script, *odd])
    result = lab.module("wiring_info")
    assert len(only(result["wiring"]["namespaces"], name="web")["interfaces"]) == 2 * len(odd)
    assert len(result["wiring"]["veths"]) == len(odd)
    assert len([one for one in result["wiring"]["addresses"] if one["netns"] == "web"]) == len(odd)
    for number in range(len(odd)):
        assert lab.module("wiring_info", find=f"10.9.{number}.1")["msg"].startswith(
            f"10.9.{number}.1/24 is an address of"
        )
    adhoc = [sys.executable, "-m", "ansible", "adhoc", "localhost", "-m", "linuxnet.containers.wiring_info"]
    printed = lab.run(
        adhoc, env={"ANSIBLE_COLLECTIONS_PATH": collections_root(), "ANSIBLE_HOME": "/run/ansible"}
    ).stdout
    assert "\x1b[31m" not in printed
    assert "10.9.5.1" in printed
