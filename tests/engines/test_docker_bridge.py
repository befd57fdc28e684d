# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docker0 as dockerd has it, and containers of ours on it: dockerd's stay reached, and its network stays as it is.

The tests are the chapters of one story, in order.
"""

from __future__ import annotations

import functools
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from engines import Docker, Engine, Podman, engine_host
from lab import HERE, Lab, collections_root
from plays import Outcome, Play, Playbook, internet, wiring
from proofs import comes

NETWORK = {"name": "docker0", "subnets": ["172.30.0.0/28"], "unmanaged": True}
THEIRS = ("first", "second")
OURS = ("web", "db")
# What moves by itself in what the tools print.
MOVING = re.compile(r"\w+_(timer|n_learned|n_groups) +[\d.]+|packets \d+ bytes \d+")
# The pair of a container without a network, made by hand.
BY_HAND = """
pid=$(docker inspect -f '{{.State.Pid}}' hand)
ip link add hand0 type veth peer name hand1
brctl addif docker0 hand0
ip link set hand0 up
ip link set hand1 netns $pid name eth0
nsenter -t $pid -n ip addr add 172.30.0.14/28 dev eth0
nsenter -t $pid -n ip link set eth0 up
nsenter -t $pid -n ip route add default via 172.30.0.1
"""


def module(asked: Engine, noun: str, /, environment: bool = True, **args: Any) -> dict[str, Any]:
    """Run a module with the engine's environment, as a task that has it does. Returns its result."""
    command = [sys.executable, str(HERE / "agent.py"), collections_root(), "--module", noun]
    told = asked.environment if environment else {}
    done = asked.lab.run(command, check=False, input=json.dumps({"args": args}), env=told)
    assert "Traceback" not in done.stdout + done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


class Story:
    """A host with an uplink, dockerd's own containers, and those without a network for us to wire."""

    def __init__(self, lab: Lab, docker: Docker) -> None:
        self.lab, self.docker = lab, docker
        self.playbook = Playbook(lab, Path("/run/playbook"))
        for name in THEIRS:
            docker.start(name, network="bridge")
        for name in (*OURS, "hand"):
            docker.start(name)
        self.ports = self.on_docker0()
        comes(lab, "! ip addr show docker0 | grep -q tentative")
        self.before = self.theirs()
        self.pristine = lab.snapshot()

    def on_docker0(self) -> list[str]:
        return [port["ifname"] for port in self.lab.ip("link show master docker0")]

    def theirs(self) -> str:
        """docker's network as the tools print it: the bridge, its addresses, the ports of its own containers, the rules. Ours are in a table of their
        own, and check what comes in by ports of ours."""
        ports = " ".join(f"bridge -d link show dev {port};" for port in self.ports)
        printed = self.lab.run(f"ip -d link show docker0; ip addr show docker0; {ports} nft list ruleset").stdout
        return MOVING.sub(
            "", re.sub(r"^table bridge linuxnet_containers {.*?^}\n", "", printed, flags=re.DOTALL | re.MULTILINE)
        )

    def play(self, gone: tuple[str, ...] = (), **more: Any) -> Play:
        listed = [{"name": name, "engine": "docker", **({"state": "absent"} if name in gone else {})} for name in OURS]
        return {**wiring(networks=[NETWORK], containers=listed, **more), "environment": self.docker.environment}

    @functools.cached_property
    def wired(self) -> Outcome:
        """Our play; then dockerd starts one more."""
        [outcome] = self.playbook.run(self.play())
        self.docker.start("late", network="bridge")
        return outcome

    def address(self, name: str) -> str:
        """A container's own address, as it sees it."""
        shown = self.docker.run_in(name, ["ip", "-o", "-4", "addr", "show", "dev", "eth0"]).stdout
        return shown.split()[3].partition("/")[0]

    def pings(self, name: str, *addresses: str, within: int = 20) -> bool:
        """Whether all of these answer a container, the second time if not the first."""
        each = f"for one in {' '.join(addresses)}; do ping -c 1 -W 1 $one || ping -c 1 -W {within} $one || exit 1; done"
        return self.docker.run_in(name, ["sh", "-c", each], check=False).rc == 0


@pytest.fixture(scope="module")
def story(needs: Callable[..., None]) -> Iterator[Story]:
    needs("docker")
    with engine_host() as lab:
        internet(lab)
        with Docker(lab, bip="172.30.0.1/28") as docker:
            assert isinstance(docker, Docker)
            yield Story(lab, docker)


def test_d1_nobody_gets_an_address_twice(story: Story) -> None:
    assert story.wired.changed == [
        "Make namespaces",
        "Isolate the networks, and translate what leaves",
        "Make pairs, each born in its place",
        "Give the containers their addresses",
        "Set the routes",
        "Publish ports",
    ]
    everybody = [*THEIRS, *OURS, "late"]
    addresses = [story.address(name) for name in everybody]
    assert len(set(addresses)) == 5
    assert story.address("late") == "172.30.0.4"  # the lowest free one, as dockerd has it
    for name in everybody:
        assert story.pings(name, *addresses, "172.30.0.1"), name


def test_all_reach_the_outside_by_dockers_own_rule(story: Story) -> None:
    """The internet knows no container's address, so an answer is one to the host's."""
    nat = [task for task in story.wired.tasks if task.action.endswith(".nat") and task.status == "ok"]
    rules = [rule for task in nat for rule in task.result["results"] if rule["satisfied_by"]]
    assert [(rule["changed"], "POSTROUTING" in rule["satisfied_by"]) for rule in rules] == [(False, True)]
    assert "linuxnet" not in story.theirs()
    for name in (*THEIRS, *OURS, "late"):
        assert story.pings(name, "192.0.2.99"), name


def test_dockers_network_is_as_it_was(story: Story) -> None:
    assert "172.30.0.1/28" in story.before
    assert "masquerade" in story.before
    assert all(port in story.before for port in story.ports)
    assert story.wired
    assert story.theirs() == story.before


def test_the_manual_sequence_does_the_same(story: Story) -> None:
    assert not story.pings("hand", "172.30.0.1", within=1)
    story.docker.run(["bash", "-euc", BY_HAND])
    assert story.pings("hand", "172.30.0.1", "192.0.2.99", story.address("first"), story.address("web"))
    assert story.pings("late", story.address("hand"))


def test_wiring_info_tells_who_is_behind_which_veth(story: Story) -> None:
    before = story.lab.snapshot()
    seen = module(story.docker, "wiring_info")
    assert story.lab.snapshot() == before
    behind = {one["container"]: one for one in seen["wiring"]["veths"] if one["bridge"] == "docker0"}
    assert sorted(behind) == sorted([*THEIRS, *OURS, "late", "hand"])
    assert sorted(one["name"] for one in behind.values()) == sorted(story.on_docker0())
    for name, one in behind.items():
        assert one["engine"] == "docker"
        assert one["addresses"] == [f"{story.address(name)}/28"]
        assert one["gateways"] == ["172.30.0.1"]
        assert one["ours"] == (name in OURS)
        assert f"{one['name']} ─── eth0 in {name} (docker)  {one['addresses'][0]}\n" in seen["picture"]


def test_the_engine_is_found_by_itself(story: Story) -> None:
    found = module(story.docker, "netns", name="handle", container="late")["after"]
    assert (found["container"], found["engine"], found["pid"]) == ("late", "docker", story.docker.pid("late"))
    assert story.address("late") in story.lab.run("ip -n handle addr").stdout
    assert module(story.docker, "netns", name="handle", state="absent")["changed"]


@pytest.mark.parametrize("engine", ["auto", "docker"])
@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("stopped", "container: 'stopped' of docker does not run (exited); start it first."),
        ("nobody", "container: {} 'nobody'"),
        (
            "proxy",
            "container: 'proxy' of docker is in the host's own network namespace; start it with --network none, or",
        ),
    ],
    ids=["stopped", "unknown", "host"],
)
def test_b10_what_cannot_be_wired_is_refused(story: Story, engine: str, name: str, sentence: str) -> None:
    if name == "proxy" and "proxy" not in story.docker.names():
        story.docker.start("proxy", network="host")
    if name == "stopped" and "stopped" not in story.docker.names():
        story.docker.start("stopped")
        story.docker.stop("stopped")
    before = story.lab.snapshot()
    refused = module(story.docker, "netns", name="handle", container=name, engine=engine)
    knows = "no engine on this host knows a container" if engine == "auto" else "docker knows no"
    assert refused["msg"].startswith(sentence.format(knows))
    assert story.lab.snapshot() == before


@pytest.mark.parametrize("engine", ["auto", "docker"])
def test_without_docker_host_it_says_that_docker_could_not_be_asked(story: Story, engine: str) -> None:
    refused = module(story.docker, "netns", environment=False, name="handle", container="late", engine=engine)
    assert "docker could not be asked" in refused["msg"]
    assert "/var/run/docker.sock" in refused["msg"]


def test_what_docker_removes_is_gone_without_a_run_and_not_made_again(story: Story) -> None:
    gone = [one for one in story.on_docker0() if one not in story.ports]
    story.docker.remove("hand")
    story.docker.remove("web")
    comes(story.lab, f"[ $(ip -o link show master docker0 | wc -l) = {len(story.ports) + 2} ]")
    assert len([one for one in story.on_docker0() if one in gone]) == 2  # those of db and late
    play = story.play(gone=("web",))
    first, again = story.playbook.run(play, play)
    assert first.changed == ["Remove namespaces", "Isolate the networks, and translate what leaves"]
    assert list(first.drift()) == ["netns web", "spoof_check of web"]
    assert again.changed == []
    assert "web" not in story.lab.run("ls /run/netns").stdout.split()
    assert len(story.on_docker0()) == len(story.ports) + 2


def test_g3_after_teardown_dockers_network_is_as_it_was(story: Story) -> None:
    down = story.play(state="absent")
    gone, again = story.playbook.run(down, down)
    assert gone.changed == ["Remove routes and policy rules", "Remove pairs", "Remove namespaces", "Remove NAT"]
    assert again.changed == []
    assert story.theirs() == story.before
    assert story.pings("first", story.address("second"), story.address("late"), "192.0.2.99")
    assert story.docker.pid("db")


def test_podmans_own_network_is_shown(needs: Callable[..., None]) -> None:
    needs("podman")
    with engine_host() as lab, Podman(lab) as podman:
        podman.start("web", network="podman")
        seen = module(podman, "wiring_info")
        [pair] = [one for one in seen["wiring"]["veths"] if one["bridge"] == "podman0"]
        assert (pair["container"], pair["engine"], pair["ours"]) == ("web", "podman", False)
        [address] = pair["addresses"]
        assert address in podman.run_in("web", ["ip", "addr"]).stdout
        # netavark names the namespace, so that name comes first.
        assert f"eth0 in {pair['owner']} (podman web)  {address}\n" in seen["picture"]
