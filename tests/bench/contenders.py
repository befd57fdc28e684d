# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs in a lab host: wires N containers with one contender, once more, and takes them down. Prints seconds as JSON.

    contenders.py COLLECTIONS NAME N

The job is the same for all: a bridge with an address, and for each container a pair with the host end on the bridge, in the
container an address out of 10.88.0.0/16 and the default route. Each proves what it wired before it is timed any further.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import floor

BRIDGE, GATEWAY, SUBNET = "bench0", "10.88.0.1", "10.88.0.0/16"
COLLECTION = "ansible_collections.linuxnet.containers.plugins"
MODULES = Path(__file__).resolve().parents[2] / "plugins" / "modules"
SCRATCH = Path("/run/bench")
CNI = Path("/usr/lib/cni")
FIRST_PORT = 20000
GONE_WITHIN = 60  # seconds
Variables = dict[str, Any]


def call(argv: Sequence[str], env: dict[str, str] | None = None, text: str | None = None) -> str:
    """Run a program that must succeed. Returns what it printed."""
    done = subprocess.run(
        argv, input=text, capture_output=True, text=True, check=False, env={**os.environ, **(env or {})}
    )
    if done.returncode != 0:
        raise RuntimeError(
            f"{' '.join(argv)[:200]} ended with {done.returncode}: {(done.stdout + done.stderr)[-2000:]}"
        )
    return done.stdout


def links() -> int:
    """How many interfaces the host has."""
    return len(Path("/proc/net/dev").read_text(encoding="utf-8").splitlines())


class Contender:
    """One way of wiring. ``scope``: ``work`` in one process, ``programs`` run one by one, or a whole ``play``."""

    name: ClassVar[str]
    says: ClassVar[str]
    scope: ClassVar[str] = "programs"
    leaves = 0  # interfaces of the host that its teardown leaves
    repeats = False  # whether a second run is of use: it finds that there is nothing to do

    def __init__(self, count: int) -> None:
        self.count = count
        self.names = [f"c{number}" for number in range(count)]
        self.addresses = [f"10.88.{(number + 2) // 256}.{(number + 2) % 256}" for number in range(count)]
        self.steps: dict[str, dict[str, float]] = {}
        self.aside = (
            0.0  # seconds that were spent on what is not the contender's: writing its arguments, reading its result
        )

    @classmethod
    def lacks(cls) -> str:
        """What is missing on this machine, empty if nothing."""
        return ""

    def prepare(self) -> None:
        """Do what is not timed."""

    def wire(self) -> None:
        raise NotImplementedError

    def again(self) -> None:
        """Run once more, with nothing to do."""

    def unwire(self) -> None:
        raise NotImplementedError

    def taken_aside(self) -> float:
        """The seconds that do not count since this was asked last."""
        aside, self.aside = self.aside, 0.0
        return aside

    def prove(self) -> None:
        """See that the last container has what was asked for."""
        last = self.names[-1]
        shown = json.loads(call(["ip", "-n", last, "-j", "-4", "address", "show", "dev", "eth0", "scope", "global"]))
        routes = json.loads(call(["ip", "-n", last, "-j", "route", "show", "default"]))
        if len(shown[0]["addr_info"]) != 1 or "UP" not in shown[0]["flags"] or routes[0]["gateway"] != GATEWAY:
            raise RuntimeError(f"{self.name} did not wire {last}: {shown} {routes}")
        # At a thousand ports the first packets may be lost in the bridge's own multicast.
        call(["ip", "netns", "exec", last, "ping", "-n", "-q", "-c", "1", "-w", "20", "-W", "1", GATEWAY])


def existing(names: Sequence[str]) -> None:
    """Make namespaces, for those who do not make them themselves."""
    call(["ip", "-batch", "-"], text="".join(f"netns add {name}\n" for name in names))


class Floor(Contender):
    name, says, scope = "floor", "raw netlink, the floor", "work"

    def wire(self) -> None:
        floor.wire(BRIDGE, GATEWAY, 16, list(zip(self.names, self.addresses, strict=True)))

    def unwire(self) -> None:
        floor.unwire(BRIDGE, self.names)


class Ip(Contender):
    """`ip`, a process a step."""

    name, says = "ip", "ip, a step at a time"

    def first(self) -> str:
        return f"ip link add {BRIDGE} type bridge\nip address add {GATEWAY}/16 dev {BRIDGE}\nip link set {BRIDGE} up\n"

    def one(self, number: int, name: str, address: str) -> str:
        end = f"bench{number + 1}"
        return (
            f"ip netns add {name}\nip -n {name} link set lo up\n"
            f"ip link add {end} type veth peer name eth0 netns {name}\nip link set {end} master {BRIDGE} up\n"
            f"ip -n {name} address add {address}/16 dev eth0\nip -n {name} link set eth0 up\n"
            f"ip -n {name} route add default via {GATEWAY}\n"
        )

    def wire(self) -> None:
        pairs = enumerate(zip(self.names, self.addresses, strict=True))
        call(["bash", "-e"], text=self.first() + "".join(self.one(number, *pair) for number, pair in pairs))

    def unwire(self) -> None:
        lines = [f"ip netns delete {name}" for name in self.names]
        call(["bash", "-e"], text="\n".join([*lines, f"ip link delete {BRIDGE}"]))


class Pipework(Ip):
    """The sequence of steps that pipework takes: the pair is made on the host, and one end is moved and renamed. Its arping, which waits a
    second for nothing, is left out in its favour."""

    name, says = "pipework", "pipework's sequence of steps"

    def one(self, number: int, name: str, address: str) -> str:
        inside = f"ip netns exec {name} "
        near, far = f"vl{number}", f"vg{number}"
        return (
            f"ip netns add {name}\n{inside}ip link set lo up\n"
            f"ip link add name {near} mtu 1500 type veth peer name {far} mtu 1500\n"
            f"ip link set {near} master {BRIDGE}\nip link set {near} up\n"
            f"ip link set {far} netns {name}\n{inside}ip link set {far} name eth0\n"
            f"{inside}ip addr add {address}/16 dev eth0\n{inside}ip link set eth0 up\n"
            f"{inside}ip route replace default via {GATEWAY}\n"
        )


class Batch(Ip):
    """`ip -batch`: one process for the host, and one a namespace, which it cannot change in between."""

    name, says = "batch", "ip -batch"

    def wire(self) -> None:
        lines = [f"link add {BRIDGE} type bridge", f"address add {GATEWAY}/16 dev {BRIDGE}", f"link set {BRIDGE} up"]
        for number, name in enumerate(self.names):
            end = f"bench{number + 1}"
            lines.append(f"netns add {name}")
            lines.append(f"link add {end} master {BRIDGE} up type veth peer name eth0 netns {name}")
        call(["ip", "-batch", "-"], text="\n".join(lines) + "\n")
        for name, address in zip(self.names, self.addresses, strict=True):
            lines = ["link set lo up", "link set eth0 up", f"address add {address}/16 dev eth0"]
            lines.append(f"route add default via {GATEWAY}")
            call(["ip", "-n", name, "-batch", "-"], text="\n".join(lines) + "\n")

    def unwire(self) -> None:
        lines = [f"netns delete {name}" for name in self.names]
        call(["ip", "-batch", "-"], text="\n".join([*lines, f"link delete {BRIDGE}"]) + "\n")


class Cni(Contender):
    """CNI's bridge and host-local, one ADD after the other, in namespaces that exist."""

    name, says, leaves = "cni", "CNI bridge + host-local", 1
    publishes = False

    @classmethod
    def lacks(cls) -> str:
        return "" if (CNI / "bridge").exists() else "no containernetworking-plugins"

    def prepare(self) -> None:
        existing(self.names)

    def plugin(self, verb: str, name: str, plugin: str, config: Variables) -> Variables:
        env = {"CNI_COMMAND": verb, "CNI_CONTAINERID": name, "CNI_NETNS": f"/run/netns/{name}"}
        env |= {"CNI_IFNAME": "eth0", "CNI_PATH": str(CNI)}
        config = {"cniVersion": "0.4.0", "name": "bench", "type": plugin, **config}
        done: Variables = json.loads(call([str(CNI / plugin)], env, json.dumps(config)) or "{}")
        return done

    def bridge(self) -> Variables:
        ranges = [[{"subnet": SUBNET, "gateway": GATEWAY}]]
        ipam = {"type": "host-local", "ranges": ranges, "routes": [{"dst": "0.0.0.0/0"}], "dataDir": f"{SCRATCH}/cni"}
        return {"bridge": BRIDGE, "isGateway": True, "ipMasq": self.publishes, "ipam": ipam}

    def ports(self, number: int) -> Variables:
        mapping = {"hostPort": FIRST_PORT + number, "containerPort": 80, "protocol": "tcp"}
        return {"runtimeConfig": {"portMappings": [mapping]}}

    def wire(self) -> None:
        for number, name in enumerate(self.names):
            result = self.plugin("ADD", name, "bridge", self.bridge())
            if self.publishes:
                self.plugin("ADD", name, "portmap", {**self.ports(number), "prevResult": result})

    def unwire(self) -> None:
        for number, name in enumerate(self.names):
            if self.publishes:
                self.plugin("DEL", name, "portmap", self.ports(number))
            self.plugin("DEL", name, "bridge", self.bridge())


class CniPublished(Cni):
    name, says = "cni-ports", "CNI bridge + masquerade + portmap, a port each"
    publishes = True

    @classmethod
    def lacks(cls) -> str:
        return super().lacks() or ("" if shutil.which("iptables") else "no program iptables")


class Netavark(Contender):
    """netavark, as podman calls it, in namespaces that exist. It masquerades."""

    name, says = "netavark", "netavark setup"
    places: ClassVar[tuple[str, ...]] = ("/usr/lib/podman/netavark", "/usr/libexec/podman/netavark")

    @classmethod
    def program(cls) -> str:
        return next((place for place in cls.places if os.access(place, os.X_OK)), "")

    @classmethod
    def lacks(cls) -> str:
        return "" if cls.program() else "no program netavark"

    def prepare(self) -> None:
        existing(self.names)
        (SCRATCH / "netavark").mkdir(parents=True)

    def run(self, verb: str) -> None:
        network = {"name": "bench", "id": "b" * 64, "driver": "bridge", "network_interface": BRIDGE, "internal": False}
        network |= {"subnets": [{"subnet": SUBNET, "gateway": GATEWAY}], "ipv6_enabled": False, "dns_enabled": False}
        network |= {"ipam_options": {"driver": "host-local"}, "created": "2026-01-01T00:00:00Z"}
        for name, address in zip(self.names, self.addresses, strict=True):
            joined = {"bench": {"interface_name": "eth0", "static_ips": [address]}}
            config = {"container_id": name * 16, "container_name": name, "networks": joined}
            config |= {"network_info": {"bench": network}}
            argv = [self.program(), "--config", f"{SCRATCH}/netavark", verb, f"/run/netns/{name}"]
            call(argv, text=json.dumps(config))

    def wire(self) -> None:
        self.run("setup")

    def unwire(self) -> None:
        self.run("teardown")


class Docker(Contender):
    """`docker network connect`, for containers that run. The daemon, the containers and the network are there before."""

    name, says = "docker", "docker network connect"
    network = "bench"

    @classmethod
    def lacks(cls) -> str:
        return "" if "DOCKER_HOST" in os.environ else "no docker that works"

    def wire(self) -> None:
        for name in self.names:
            call(["docker", "network", "connect", self.network, name])

    def unwire(self) -> None:
        for name in self.names:
            call(["docker", "network", "disconnect", self.network, name])

    def prove(self) -> None:
        find = "{{json .NetworkSettings.Networks}}"
        known = json.loads(call(["docker", "inspect", "--format", find, self.names[-1]]))
        if not known[self.network]["IPAddress"]:
            raise RuntimeError("docker did not connect the last container")


def variables(names: Sequence[str], publish: bool, **more: Any) -> Variables:
    """The role's variables, without their prefix."""
    ports = [{"published_ports": [f"{FIRST_PORT + number}:80"]} if publish else {} for number in range(len(names))]
    containers = [{"name": name, **one} for name, one in zip(names, ports, strict=True)]
    return {"networks": [{"name": BRIDGE, "subnets": [SUBNET]}], "containers": containers, **more}


class Chain(Contender):
    """Our modules one after the other, each called as Ansible calls it, with arguments to read and a result to write."""

    name, says, scope, repeats = "chain", "our modules, each a port", "work", True
    publish = True
    # The step of the plan, and the module that takes it.
    wiring: ClassVar[dict[str, str]] = {"netns": "netns", "bridge": "bridge", "gateway": "ns_address", "veth": "veth"}
    wiring |= {"bridge_port": "bridge_port", "address": "ns_address", "route": "ns_route", "nat": "nat"}
    teardown: ClassVar[dict[str, str]] = {name: name for name in ("nat", "veth", "netns", "bridge")}

    def prepare(self) -> None:
        self.basic: Any = importlib.import_module("ansible.module_utils.basic")
        self.plan: Any = importlib.import_module(f"{COLLECTION}.module_utils._wiring.compile")
        for module in {*self.wiring.values()}:
            importlib.import_module(f"{COLLECTION}.modules.{module}")
        importlib.import_module("netaddr")

    def module(self, name: str, arguments: Variables) -> Variables:
        """Call a module's main() and return its result."""
        start = time.perf_counter()
        internal = {"_ansible_check_mode": False, "_ansible_diff": False, "_ansible_remote_tmp": "/tmp"}
        self.basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": {**arguments, **internal}}).encode()
        if hasattr(self.basic, "_ANSIBLE_PROFILE"):  # ansible-core 2.19 and later
            self.basic._ANSIBLE_PROFILE = "legacy"
        module: Any = sys.modules[f"{COLLECTION}.modules.{name}"]
        self.aside += time.perf_counter() - start
        with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.suppress(SystemExit):
            module.main()
        start = time.perf_counter()
        result: Variables = json.loads(printed.getvalue())
        self.aside += time.perf_counter() - start
        if result.get("failed"):
            raise RuntimeError(f"{name} failed: {result['msg'][:2000]}")
        return result

    def play(self, phase: str, state: str, half: str, order: dict[str, str]) -> bool:
        """Take the steps of a plan; whether any changed anything."""
        wanted = variables(self.names, self.publish)
        plan = self.plan.compile_plan(wanted["networks"], wanted["containers"], state)[half]
        changed = False
        addresses: list[Variables] = []
        times = self.steps.setdefault(phase, {})
        for step, module in order.items():
            items = plan[step]
            if step == "nat" and half == "wire":
                items = self.plan.resolved(items, addresses)
            if items:
                start = time.perf_counter()
                result = self.module(module, {"aggregate": items})
                times[step] = time.perf_counter() - start
                changed = changed or result["changed"]
                addresses = result["results"] if step == "address" else addresses
        return changed

    def wire(self) -> None:
        self.play("wire", "present", "wire", self.wiring)

    def again(self) -> None:
        if self.play("again", "present", "wire", self.wiring):
            raise RuntimeError("the second run changed something")

    def unwire(self) -> None:
        self.play("unwire", "absent", "teardown", self.teardown)


class ChainPlain(Chain):
    name, says, publish = "chain-plain", "our modules", False


class OneTask(Chain):
    """The module `wiring`: the whole plan in one process."""

    name, says = "one", "our module wiring, each a port"

    @classmethod
    def lacks(cls) -> str:
        return "" if (MODULES / "wiring.py").exists() else "no module wiring yet"

    def prepare(self) -> None:
        super().prepare()
        importlib.import_module(f"{COLLECTION}.modules.wiring")

    def run(self, state: str) -> bool:
        return bool(self.module("wiring", variables(self.names, self.publish, state=state))["changed"])

    def wire(self) -> None:
        self.run("present")

    def again(self) -> None:
        if self.run("present"):
            raise RuntimeError("the second run changed something")

    def unwire(self) -> None:
        self.run("absent")


class OneTaskPlain(OneTask):
    name, says, publish = "one-plain", "our module wiring", False


class Play(Contender):
    """A whole ansible-playbook, from its start to its end."""

    scope = "play"

    def tasks(self, state: str) -> Variables:
        raise NotImplementedError

    def playbook(self, state: str) -> str:
        SCRATCH.mkdir(exist_ok=True)
        book = [{"hosts": "localhost", "gather_facts": False, **self.tasks(state)}]
        (SCRATCH / "play.yml").write_text(json.dumps(book), encoding="utf-8")
        ansible = [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", "-c", "local"]
        own = ["-e", json.dumps({"ansible_python_interpreter": sys.executable})]
        return call([*ansible, *own, str(SCRATCH / "play.yml")], {"ANSIBLE_PIPELINING": "True"})

    def wire(self) -> None:
        self.playbook("present")

    def unwire(self) -> None:
        self.playbook("absent")


class Role(Play):
    name, says, repeats = "play", "play with our role, each a port", True
    one_task = False

    def tasks(self, state: str) -> Variables:
        # What the modules need is there, so that it is not looked for.
        more: Variables = {"state": state, "install_dependencies": False, "one_task": self.one_task}
        named = {f"wiring_{name}": value for name, value in variables(self.names, True, **more).items()}
        return {"roles": ["linuxnet.containers.wiring"], "vars": named}

    def again(self) -> None:
        if " changed=0 " not in self.playbook("present"):
            raise RuntimeError("the second play changed something")


class RoleOneTask(Role):
    name, says, one_task = "play-one", "play with our role in one task, each a port", True

    @classmethod
    def lacks(cls) -> str:
        return OneTask.lacks()


class ModulePlay(RoleOneTask):
    """The module `wiring` as the only task of a play, as a command would be."""

    name, says = "play-module", "play of one task, our module wiring, each a port"

    def tasks(self, state: str) -> Variables:
        return {"tasks": [{"linuxnet.containers.wiring": variables(self.names, True, state=state)}]}


class Loops(Play):
    """The same steps as an Ansible loop of `command: ip`."""

    name, says = "loops", "play of loops of command: ip"

    def task(self, command: str) -> Variables:
        looped = {"loop": list(range(self.count)), "loop_control": {"label": "{{ item }}"}} if "item" in command else {}
        return {"name": command, "ansible.builtin.command": command, **looped}

    def added(self) -> Variables:
        return self.task("ip netns add c{{ item }}")

    def removed(self) -> Variables:
        return self.task("ip netns delete c{{ item }}")

    def tasks(self, state: str) -> Variables:
        if state == "absent":
            return {"tasks": [self.removed(), self.task(f"ip link delete {BRIDGE}")]}
        address = "10.88.{{ (item + 2) // 256 }}.{{ (item + 2) % 256 }}/16"
        inside = "ip -n c{{ item }}"
        commands = [
            f"{inside} link set lo up",
            "ip link add bench{{ item + 1 }} type veth peer name eth0 netns c{{ item }}",
            f"ip link set bench{{{{ item + 1 }}}} master {BRIDGE} up",
            f"{inside} address add {address} dev eth0",
            f"{inside} link set eth0 up",
            f"{inside} route add default via {GATEWAY}",
        ]
        bridge = [f"ip link add {BRIDGE} type bridge", f"ip address add {GATEWAY}/16 dev {BRIDGE}"]
        bridge.append(f"ip link set {BRIDGE} up")
        return {"tasks": [*map(self.task, bridge), self.added(), *map(self.task, commands)]}


class IpNetns(Loops):
    """The same with `community.general.ip_netns` for the namespaces."""

    name, says = "ip_netns", "play of loops of community.general.ip_netns and command: ip"

    @classmethod
    def lacks(cls) -> str:
        roots = [
            *os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(":"),
            *sys.path,
            "/usr/share/ansible/collections",
        ]
        found = any(Path(root, "ansible_collections/community/general").exists() for root in roots if root)
        return "" if found else "no collection community.general"

    def netns(self, state: str) -> Variables:
        task = self.task("ip netns {{ item }}")
        del task["ansible.builtin.command"]
        return {**task, "community.general.ip_netns": {"name": "c{{ item }}", "state": state}}

    def added(self) -> Variables:
        return self.netns("present")

    def removed(self) -> Variables:
        return self.netns("absent")


class DockerPlay(Docker, Play):
    """`docker network connect` as a task."""

    name, says, scope = "docker-play", "play of command: docker network connect", "play"
    wire, unwire = Play.wire, Play.unwire

    def tasks(self, state: str) -> Variables:
        verb = "connect" if state == "present" else "disconnect"
        command = f"docker network {verb} {self.network} c{{{{ item }}}}"
        return {"tasks": [{"ansible.builtin.command": command, "loop": list(range(self.count))}]}


ALL: dict[str, type[Contender]] = {
    one.name: one
    for one in (
        *(Floor, ChainPlain, OneTaskPlain, Chain, OneTask),
        *(Batch, Ip, Pipework, Cni, CniPublished, Netavark, Docker),
        *(Role, RoleOneTask, ModulePlay, Loops, IpNetns, DockerPlay),
    )
}


def timed(action: Callable[[], object], settled: Callable[[], bool] = lambda: True) -> float:
    """The seconds that an action takes, until what it does has taken effect."""
    start = time.perf_counter()
    action()
    while not settled():
        if time.perf_counter() - start > GONE_WITHIN:
            raise RuntimeError(f"links are left after {GONE_WITHIN} s")
        time.sleep(0.001)
    return time.perf_counter() - start


def measure(contender: Contender) -> Variables:
    """Wire, run once more, take down. Seconds by phase."""
    contender.prepare()
    before = links()
    found = {"wire": timed(contender.wire) - contender.taken_aside()}
    contender.prove()
    if contender.repeats:
        found["again"] = timed(contender.again) - contender.taken_aside()
    gone = timed(contender.unwire, lambda: links() <= before + contender.leaves)
    found["unwire"] = gone - contender.taken_aside()
    return {"seconds": found, "steps": contender.steps}


def main() -> None:
    """Measure one contender."""
    collections, name, count = sys.argv[1:]
    sys.path.insert(0, collections)
    SCRATCH.mkdir(exist_ok=True)
    print(json.dumps(measure(ALL[name](int(count)))))


if __name__ == "__main__":
    main()
