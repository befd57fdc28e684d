# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every mode with every engine: each cell wired, proven with traffic from inside, wired again without a change, torn down.

The engines of a host are wired by the same plays, and so are on the same bridge. The tests are the chapters of one story, in
order, each told of every engine. In the end the run prints the matrix.
"""

from __future__ import annotations

import contextlib
import functools
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from engines import ENGINES, MARK, SLEEP, STATE, Engine, engine_host, lacks
from lab import Lab, Result
from plays import Outcome, Play, Playbook, refused, snapshot, wiring
from proofs import ns_inode

NETWORK = {"name": "front", "subnets": ["10.1.0.0/24", "fd00:1::/64"]}
GATEWAYS = ("10.1.0.1", "fd00:1::1")
# The modes as the role calls them, and how the engines start the containers. One that joins another is listed before it.
MODES = {"side": "container:web", "web": "bridge", "db": "bridge", "proxy": "host", "lone": "none"}
NETWORKS = {"web": "none", "db": "none", "proxy": "host", "side": "container:web", "lone": "none"}


class Processes(Engine):
    """Processes that are known to no engine, told by their number."""

    name = "pid"
    programs = ()

    def ready(self) -> None:
        self.networks: dict[str, str] = {}
        self.running: dict[str, int] = {}

    def start(
        self, name: str, network: str = "none", handle: str | None = None, command: Sequence[str] = SLEEP
    ) -> None:
        dummy, joins, owner = network.partition("container:")
        where = {"none": ["unshare", "--net"], "host": []}
        enter = ["nsenter", f"--net=/proc/{self.running[owner]}/ns/net"] if joins else where[network]
        self.networks[name] = network
        self.running[name] = self.lab.spawn([*enter, "env", f"{MARK}={name}", *command])
        self.started(name)

    def stop(self, name: str) -> None:
        self.lab.kill(self.running[name])

    def restart(self, name: str) -> None:
        self.stop(name)
        self.start(name, self.networks[name])

    def remove(self, name: str) -> None:
        if self.pid(name):
            self.stop(name)
        del self.running[name]

    def run_in(self, name: str, argv: Sequence[str], check: bool = True) -> Result:
        return self.run(["nsenter", f"--target={self.running[name]}", "--net", *argv], check=check)

    def version(self) -> str:
        return self.name

    def names(self) -> list[str]:
        return list(reversed(self.running))


class Names(Processes):
    """Namespaces that the role makes; a process is started in one when it is looked for."""

    name = "netns"

    def start(
        self, name: str, network: str = "none", handle: str | None = None, command: Sequence[str] = SLEEP
    ) -> None:
        """A name is there when the role has run."""

    def restart(self, name: str) -> None:
        """Lose the namespace, as in a reboot."""
        if name in self.running:
            self.remove(name)
        self.lab.run(f"ip netns delete {name}")

    def run_in(self, name: str, argv: Sequence[str], check: bool = True) -> Result:
        return self.run(["ip", "netns", "exec", name, *argv], check=check)

    def pid(self, name: str) -> int:
        if name not in self.running:
            command = ["ip", "netns", "exec", name, "env", f"{MARK}={name}", *SLEEP]
            self.running[name] = self.lab.spawn(command)
            self._until(lambda: Engine.pid(self, name), f"{name} does not start")
        return super().pid(name)


KINDS: dict[str, type[Engine]] = {**ENGINES, "pid": Processes, "netns": Names}


class Story:
    """A host with every engine, and what became of their containers from chapter to chapter."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.playbook = Playbook(lab, Path("/run/playbook"))
        self.engines: dict[str, Engine] = {}
        for kind in KINDS:
            with contextlib.suppress(AssertionError, OSError):  # the tests of this engine then find out what it lacks
                engine = KINDS[kind](lab)
                for name, network in NETWORKS.items():
                    engine.start(f"{kind}-{name}", network.replace(":", f":{kind}-"))
                self.engines[kind] = engine

    def play(self, kind: Callable[..., Play] = wiring, **more: Any) -> Play:
        """The play of all engines' containers."""
        environment = {key: value for engine in self.engines.values() for key, value in engine.environment.items()}
        listed = [self.container(engine, name) for engine in self.engines.values() for name in MODES]
        return {**kind(networks=[NETWORK], containers=listed, **more), "environment": environment}

    @staticmethod
    def container(engine: Engine, name: str) -> dict[str, Any]:
        """A container as the role's variables have it."""
        found: dict[str, Any] = {
            "name": f"{engine.name}-{name}",
            "engine": "nspawn" if engine.name == "machined" else engine.name,
            "network_mode": MODES[name].replace(":", f":{engine.name}-"),
        }
        if isinstance(engine, Processes) and engine.name == "pid":
            found["pid"] = engine.running[found["name"]]
        return found

    @functools.cached_property
    def wired(self) -> list[Outcome]:
        """The first run and the second."""
        self.pristine = self.ours(self.lab.snapshot())
        return self.playbook.run(self.play(), self.play())

    @functools.cached_property
    def restarted(self) -> list[Outcome]:
        """web and db are started again; then the role, foreseen and for real. ``before`` is how they were reached until then."""
        self.before = {name: self.reached(name) for name in self.wired_names()}
        self.namespaces = {name: self.namespace(name) for name in self.wired_names()}
        for engine in self.engines.values():
            for name in ("web", "db"):
                engine.restart(f"{engine.name}-{name}")
        return self.playbook.run({**self.play(refused), "check_mode": True}, self.play(refused))

    @functools.cached_property
    def joined(self) -> list[Outcome]:
        """side, too, is started again."""
        for engine in self.engines.values():
            side = f"{engine.name}-side"
            if engine.name in ("nspawn", "machined"):  # its command line names the process whose namespace it joined
                engine.remove(side)
                engine.start(side, f"container:{engine.name}-web")
            elif engine.name == "netns":
                engine.remove(side)
            else:
                engine.restart(side)
        return self.playbook.run(self.play(), self.play())

    @functools.cached_property
    def down(self) -> list[Outcome]:
        """lone is stopped and the role refuses it; then all is taken down, twice."""
        for engine in self.engines.values():
            if engine.name != "netns":
                engine.stop(f"{engine.name}-lone")
        self.complete = self.ours(self.lab.snapshot())
        gone = self.play(state="absent")
        outcomes = self.playbook.run(self.play(refused), snapshot(), gone, gone)
        self.lab.run("umount /run/netns")
        return outcomes

    @staticmethod
    def ours(printed: str) -> list[str]:
        """A snapshot without the engines' own files of namespaces, which docker removes when it comes to it."""
        return [line for line in printed.splitlines() if not line.startswith((f"nsfs {STATE}/", "netns docker-lone "))]

    def wired_names(self) -> list[str]:
        return [f"{name}-{box}" for name in self.engines for box in ("web", "db")]

    def pid(self, name: str) -> int:
        return self.engines[name.partition("-")[0]].pid(name)

    def namespace(self, name: str) -> int:
        """The namespace that a container's process is in."""
        return ns_inode(self.lab, f"/proc/{self.pid(name)}/ns/net")

    def ip(self, name: str, args: str) -> list[dict[str, Any]]:
        """What ``ip -j ARGS`` reports where a container's process is."""
        found: list[dict[str, Any]] = json.loads(self.lab.run(f"nsenter -t {self.pid(name)} -n ip -j {args}").stdout)
        return found

    def reached(self, name: str) -> tuple[str, str, list[str]]:
        """The host's end, the MAC address and the addresses of a container."""
        [link] = self.ip(name, "addr show eth0")
        [port] = [
            one["ifname"] for one in self.lab.ip("link show master front") if one["ifindex"] == link["link_index"]
        ]
        return port, link["address"], [one["local"] for one in link["addr_info"] if one["scope"] == "global"]


@dataclass(frozen=True)
class Row:
    """One engine in the story."""

    story: Story
    engine: Engine
    proven: Callable[[str], None]  # notes a cell

    def name(self, box: str) -> str:
        return f"{self.engine.name}-{box}"

    def shell(self, box: str, script: str, check: bool = True) -> Result:
        return self.engine.run_in(self.name(box), ["sh", "-c", script], check=check)

    def addresses(self, box: str) -> list[str]:
        return self.story.reached(self.name(box))[2]

    def pings(self, box: str, address: str) -> bool:
        return self.shell(box, f"busybox ping -c 1 -W 2 {address} || busybox ping -c 1 -W 20 {address}", False).rc == 0

    def serve(self, box: str, port: int = 8080) -> None:
        """Let a container answer one TCP connection with its name."""
        server = f"busybox timeout 300 busybox nc -l -p {port} -e busybox echo {self.name(box)}"
        self.shell(box, f"{server} </dev/null >/dev/null 2>&1 &")

    def answers(self, client: str, server: str, address: str) -> bool:
        """Whether a container, or the host, reaches another's server."""
        self.serve(server)
        call = CALL.format(address=address, port=8080)
        done = self.story.lab.run(["sh", "-c", call]) if client == "host" else self.shell(client, call)
        return done.stdout.strip() == self.name(server)


# The server may take a moment to be there.
CALL = "for try in $(busybox seq 1000); do busybox nc -w 3 {address} {port} </dev/null && exit; busybox usleep 20000; done; exit 1"


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    """The host, with systemd as its first process where that can be."""
    with engine_host(systemd=not lacks("systemd")) as lab:
        yield Story(lab)


@pytest.fixture(params=list(KINDS))
def row(
    request: pytest.FixtureRequest,
    needs: Callable[..., None],
    record_property: Callable[[str, object], None],
) -> Row:
    """Every engine in turn."""
    needs("engine host")
    story: Story = request.getfixturevalue("story")
    if request.param not in story.engines:
        needs(request.param)
    engine = story.engines[request.param]
    version = engine.version()
    record_property("row", version)
    return Row(story, engine, lambda mode: record_property("cell", f"{version}|{mode}"))


def test_bridge_reaches_gateway_host_and_each_other(row: Row) -> None:
    assert row.story.wired[0].changed != []
    for gateway in GATEWAYS:
        assert row.pings("web", gateway), gateway
    for web, db in zip(row.addresses("web"), row.addresses("db"), strict=True):
        assert row.answers("web", "db", db), db
        assert row.answers("db", "web", web), web
        assert row.answers("host", "web", web), web
    row.proven("bridge")


def test_host_is_the_hosts_own_namespace(row: Row) -> None:
    host = ns_inode(row.story.lab, "/proc/self/ns/net")
    assert row.story.namespace(row.name("proxy")) == host
    assert ns_inode(row.story.lab, f"/run/netns/{row.name('proxy')}") == host
    row.proven("host")


def test_container_shares_addresses_loopback_and_ports(row: Row) -> None:
    web, side = (row.name(box) for box in ("web", "side"))
    assert row.story.namespace(side) == row.story.namespace(web) == ns_inode(row.story.lab, f"/run/netns/{side}")
    seen = [row.shell(box, "busybox ip addr").stdout for box in ("web", "side")]
    assert seen[0] == seen[1]
    assert "eth0" in seen[0]
    assert row.answers("side", "web", "127.0.0.1")
    assert row.answers("web", "side", "127.0.0.1")
    row.serve("web", 8099)
    listens = "for try in $(busybox seq 200); do busybox netstat -ltn | busybox grep :8099 && exit; busybox usleep 20000; done"
    assert ":8099" in row.shell("side", listens).stdout
    taken = row.shell("side", "busybox timeout 5 busybox nc -l -p 8099 </dev/null", check=False)
    assert (taken.rc, "Address already in use" in taken.stderr) == (1, True)
    assert row.shell("side", CALL.format(address="127.0.0.1", port=8099)).stdout.strip() == web
    row.proven("container")


def test_none_has_only_lo_and_reaches_nobody(row: Row) -> None:
    lone = row.name("lone")
    [lo] = row.story.ip(lone, "addr")
    assert (lo["ifname"], "UP" in lo["flags"]) == ("lo", True)
    assert ns_inode(row.story.lab, f"/run/netns/{lone}") == row.story.namespace(lone)
    assert row.pings("lone", "127.0.0.1")
    for address in (*GATEWAYS, *row.addresses("web")):
        tried = row.shell("lone", f"busybox ping -c 1 -W 1 {address}", check=False)
        assert tried.rc == 1
        assert re.search("Network is unreachable|Cannot assign requested address", tried.stderr), tried
    row.proven("none")


def test_a_second_run_changes_nothing(row: Row) -> None:
    first, second = row.story.wired
    assert {"Make namespaces", "Give the containers their addresses", "Join other namespaces"} <= set(first.changed)
    assert second.changed == []


def test_g5_restarted_containers_are_wired_as_before(row: Row) -> None:
    assert row.story.restarted
    for box in ("web", "db"):
        name = row.name(box)
        kept = row.engine.name == "systemd" and box == "web"  # as long as side runs, its namespace is there
        assert (row.story.namespace(name) == row.story.namespaces[name]) == kept
        assert row.story.reached(name) == row.story.before[name]
    assert row.answers("web", "db", row.addresses("db")[0])


def test_a2_check_mode_foresaw_the_new_wiring(row: Row) -> None:
    foreseen, done = row.story.restarted
    steps = [[step for step in one.changed if step != "Join other namespaces"] for one in (foreseen, done)]
    # The role never holds docker's old namespaces: the pair of db ends when the last mount namespace that saw docker's file does,
    # which may be between the two runs.
    ending = f"veth {row.story.before.get('docker-db', ('',))[0]}"
    objects = [
        {key: told for key, told in one.drift().items() if not key.endswith("-side") and key != ending}
        for one in (foreseen, done)
    ]
    assert steps[0] == steps[1] != []
    assert objects[0] == objects[1]
    assert f"netns {row.name('db')}" in objects[1]


def test_g7_who_is_left_in_a_dead_namespace_is_told_by_name(row: Row) -> None:
    [message] = row.story.restarted[1].failures
    told = f"netns {row.name('side')}: "
    sentence = f"is in another network namespace than that of '{row.name('web')}'"
    left = row.engine.name not in ("systemd", "netns")  # systemd keeps the namespace, a name is bound anew
    assert (told in message) == left
    assert (sentence in message) == left


def test_g7_started_again_it_is_where_it_belongs(row: Row) -> None:
    first, second = row.story.joined
    assert (first.failures, second.failures, second.changed) == ([], [], [])
    web, side = (row.name(box) for box in ("web", "side"))
    assert row.story.namespace(side) == row.story.namespace(web) == ns_inode(row.story.lab, f"/run/netns/{side}")
    assert row.answers("side", "web", "127.0.0.1")


def test_a_stopped_container_is_refused(row: Row) -> None:
    refusal, seen, *_more = row.story.down
    lone = row.name("lone")
    stopped = f"container: '{lone}' of {row.engine.name} does not run"
    gone = f"container: nspawn knows no '{lone}'; start it first, if that is its name."
    number = row.engine.running.get(lone) if isinstance(row.engine, Processes) else 0
    said = {"nspawn": gone, "machined": gone, "pid": f"pid: there is no process {number} on this host"}
    sentence = f"netns {lone}: {said.get(row.engine.name, stopped)}"
    [message] = refusal.failures
    assert (sentence in message) == (row.engine.name != "netns"), message
    assert refusal.changed == []
    assert row.story.ours(seen.stdout) == row.story.complete


def test_g3_nothing_is_left_and_the_containers_run_on(row: Row) -> None:
    *_before, gone, again = row.story.down
    assert gone.changed[-4:] == ["Remove pairs", "Remove namespaces", "Remove bridges", "Remove NAT"]
    assert again.changed == []
    assert row.story.ours(row.story.lab.snapshot()) == row.story.pristine
    for box in ("web", "db", "side", "proxy"):
        if row.engine.name != "netns":
            assert row.engine.pid(row.name(box)) > 0
            assert "eth0" not in row.shell(box, "busybox ip link").stdout
