# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two sealed hosts with the same surroundings: in one dockerd makes the networks, in the other the module `wiring` does."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines import Docker, engine_host
from lab import Lab
from proofs import comes

HERE = Path(__file__).resolve().parent
SECONDS = 1.0  # that a question may take; one that finds nobody is asked twice

Given = dict[str, list[str]]  # addresses, as CIDR, by interface
Question = tuple[str, str, str, int]  # who asks, protocol, address, port

# An uplink with two addresses, and somebody outside who has routes to everything; a second network, with a neighbour who also
# sends what is for 127.0.0.0/8 to the host.
SURROUNDINGS = """
set -eu
for one in internet lan; do ip netns add $one; ip -n $one link set lo up; done
ip link add up0 address 02:00:00:00:00:01 type veth peer name eth0 address 02:00:00:00:00:99 netns internet
ip link add lan0 address 02:00:00:00:01:01 type veth peer name eth0 address 02:00:00:00:01:99 netns lan
ip addr add 192.0.2.1/24 dev up0; ip addr add 192.0.2.2/24 dev up0; ip addr add 2001:db8::1/64 dev up0 nodad; ip link set up0 up
ip addr add 198.51.100.1/24 dev lan0; ip addr add 2001:db8:1::1/64 dev lan0 nodad; ip link set lan0 up
ip -n internet addr add 192.0.2.99/24 dev eth0; ip -n internet addr add 2001:db8::99/64 dev eth0 nodad; ip -n internet link set eth0 up
ip -n lan addr add 198.51.100.99/24 dev eth0; ip -n lan addr add 2001:db8:1::99/64 dev eth0 nodad; ip -n lan link set eth0 up
ip route add default via 192.0.2.99; ip route add default via 2001:db8::99
ip -n internet route add default via 192.0.2.1; ip -n internet route add default via 2001:db8::1
ip -n lan route add default via 198.51.100.1; ip -n lan route add default via 2001:db8:1::1
ip netns exec lan sysctl -qw net.ipv4.conf.all.route_localnet=1
ip -n lan addr del 127.0.0.1/8 dev lo
ip -n lan route add 127.0.0.0/8 via 198.51.100.1
"""
# Who is there besides the containers, and its addresses.
OTHERS = {
    "host": ["192.0.2.1", "192.0.2.2", "198.51.100.1", "2001:db8::1", "2001:db8:1::1"],
    "internet": ["192.0.2.99", "2001:db8::99"],
    "lan": ["198.51.100.99", "2001:db8:1::99"],
}
UNLIMITED = ["net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0"]  # every refusal is told
LINK_LOCAL = "link-local address of "  # the bridge whose name follows
LOOPBACK = ("127.0.0.1", "::1")
EVERYBODY = ("0.0.0.0", "::")
# The host's own services: for everybody, and on loopback only. Those of each container.
HOST_PORT, LOOPBACK_PORT = 7000, 7001
PORTS = (80, 81)


@dataclass(frozen=True)
class Network:
    """A network as both make it: ``subnets`` of either family; the rest are Docker's words."""

    name: str
    subnets: Sequence[str]
    internal: bool = False
    icc: bool = True
    masquerade: bool = True
    range: str = ""


@dataclass(frozen=True)
class Container:
    """A container: on ``networks``, or in a mode (``host``, ``none``, ``container:NAME``)."""

    name: str
    networks: Sequence[str] = ("front",)
    ports: Sequence[str] = ()
    mode: str = "bridge"


@dataclass(frozen=True)
class Scenario:
    """What both make. ``before`` is done to each host first. ``stop``: containers that end then, and ``later``: those that start after that.
    ``asked``: more host ports that everybody asks for. ``options`` are dockerd's."""

    name: str
    networks: Sequence[Network]
    containers: Sequence[Container]
    before: str = ""
    stop: Sequence[str] = ()
    later: Sequence[Container] = ()
    asked: Sequence[int] = ()
    options: Sequence[str] = ()

    @property
    def alive(self) -> list[Container]:
        """The containers that are there in the end."""
        return [one for one in (*self.containers, *self.later) if one.name not in self.stop]


@dataclass(frozen=True)
class Seen:
    """What a host showed: the answer to each question, and attributes by name."""

    answers: dict[Question, str]
    attributes: dict[str, str]
    owners: dict[str, str]  # who has an address


class Twin:
    """One of the two hosts."""

    def __init__(self, lab: Lab, scenario: Scenario) -> None:
        self.lab, self.scenario = lab, scenario
        lab.run(SURROUNDINGS)
        if scenario.before:
            lab.run(f"set -eu\n{scenario.before}")

    def addresses(self, name: str) -> Given:
        """A container's addresses by interface, as CIDR; link-local ones, too."""
        shown = self.lab.ip(f"-n {name} addr")
        return {
            link["ifname"]: [f"{one['local']}/{one['prefixlen']}" for one in link["addr_info"]]
            for link in shown
            if link["ifname"] != "lo"
        }

    def seen(self, known: dict[str, list[str]]) -> Seen:
        """Have everybody ask everybody. ``known``: the addresses by who has them."""
        alive = [one.name for one in self.scenario.alive]
        actors = {"host": "/proc/self/ns/net", **{name: f"/run/netns/{name}" for name in ("internet", "lan", *alive)}}
        serve = {
            name: [(protocol, address, port) for protocol in ("tcp", "udp") for address in EVERYBODY for port in PORTS]
            for name in actors
            if name != "host" and self._own(name)
        }
        serve["host"] = [
            *((protocol, address, HOST_PORT) for protocol in ("tcp", "udp") for address in EVERYBODY),
            *((protocol, address, LOOPBACK_PORT) for protocol in ("tcp", "udp") for address in LOOPBACK),
        ]
        for name in actors:
            self.lab.run([*([] if name == "host" else ["ip", "netns", "exec", name]), "sysctl", "-qw", *UNLIMITED])
            where = "" if name == "host" else f"-n {name}"
            comes(self.lab, f"! ip {where} -6 addr show tentative | grep -q inet6")
        questions = self.questions(list(actors), known)
        asked = [(asker, protocol, self._real(asker, address), port) for asker, protocol, address, port in questions]
        request = {"actors": actors, "serve": serve, "ask": asked, "seconds": SECONDS}
        printed = self.lab.run(
            [sys.executable, "-I", str(HERE / "actors.py")], input=json.dumps(request), timeout=600
        ).stdout
        answers = dict(zip(questions, json.loads(printed), strict=True))
        owners = {address: name for name, addresses in known.items() for address in addresses}
        return Seen(answers, self.attributes(alive), owners)

    def _own(self, name: str) -> bool:
        """Whether a container has a namespace of its own, and so serves for itself."""
        return all(one.name != name or not one.mode.startswith(("container:", "host")) for one in self.scenario.alive)

    def questions(self, actors: Sequence[str], known: dict[str, list[str]]) -> list[Question]:
        """What everybody asks: every address, by every protocol, at the ports of whose it is."""
        found: list[Question] = []
        published = [*self.scenario.asked, HOST_PORT, LOOPBACK_PORT]
        for asker in actors:
            for owner, addresses in known.items():
                ports = published if owner == "host" else PORTS
                for address in addresses:
                    found += [(asker, protocol, address, port) for protocol in ("tcp", "udp") for port in ports]
                    found.append((asker, "icmp", address, 0))
            found += [
                (asker, protocol, address, port)
                for address in LOOPBACK
                for protocol in ("tcp", "udp")
                for port in (*published, *PORTS)
            ]
        for one in self.scenario.alive:
            for network in one.networks if one.mode == "bridge" and one.name in actors else ():
                found.append((one.name, "tcp", LINK_LOCAL + network, HOST_PORT))
        return list(dict.fromkeys(found))

    def _real(self, asker: str, address: str) -> str:
        """An address to be asked: that of a bridge on its link hangs on its MAC, and is asked by the asker's interface."""
        if not address.startswith(LINK_LOCAL):
            return address
        network = address[len(LINK_LOCAL) :]
        [link] = self.lab.ip(f"link show {network}")
        first, *rest = (int(byte, 16) for byte in link["address"].split(":"))
        mac = bytes([first ^ 2, *rest[:2], 0xFF, 0xFE, *rest[2:]])
        container = next(one for one in self.scenario.alive if one.name == asker)
        return f"{ipaddress.IPv6Address(bytes.fromhex('fe80') + bytes(6) + mac)}%eth{list(container.networks).index(network)}"

    def attributes(self, alive: Sequence[str]) -> dict[str, str]:
        """What can be seen in a container, and of the bridges, by name."""
        found: dict[str, str] = {}
        for name in (name for name in alive if self._own(name)):
            for link in self.lab.ip(f"-n {name} addr"):
                about = f"{name} {link['ifname']}"
                found[f"{about} mtu"] = str(link["mtu"])
                found[f"{about} up"] = str("UP" in link["flags"])
                found[f"{about} addresses"] = " ".join(sorted(_shown(one) for one in link["addr_info"]))
            for number in (4, 6):
                routes = self.lab.run(f"ip -n {name} -{number} route show").stdout
                found[f"{name} IPv{number} routes"] = _routes(routes)
            for key in SYSCTLS:
                found[f"{name} {key}"] = self._sysctl(name, key)
        for network in self.scenario.networks:
            [link] = self.lab.ip(f"addr show {network.name}")
            about = f"bridge {network.name}"
            found[f"{about} mtu"] = str(link["mtu"])
            found[f"{about} addresses"] = " ".join(
                sorted(f"{one['local']}/{one['prefixlen']}" for one in link["addr_info"] if one["scope"] == "global")
            )
        return found

    def _sysctl(self, name: str, key: str) -> str:
        command = ["ip", "netns", "exec", name, "sysctl", "-n", key]
        return " ".join(self.lab.run(command, check=False).stdout.split())


SYSCTLS = [
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_forward",
    "net.ipv6.conf.all.disable_ipv6",
    "net.ipv6.conf.eth0.disable_ipv6",
    "net.ipv6.conf.lo.disable_ipv6",
]


def _shown(address: dict[str, Any]) -> str:
    """An address without what hangs on a MAC."""
    if address["scope"] == "link":
        return "link-local"
    broadcast = f" brd {address['broadcast']}" if "broadcast" in address else ""
    return f"{address['local']}/{address['prefixlen']}{broadcast}"


def _routes(printed: str) -> str:
    """Routes as ip prints them, without what differs by history."""
    lines = (
        re.sub(r" (pref medium|metric \d+|proto \w+|linkdown)\b", "", line).strip() for line in printed.splitlines()
    )
    return "; ".join(sorted(line for line in lines if line and not line.startswith(("fe80:", "multicast", "ff00:"))))


class DockerTwin(Twin):
    """The host of a dockerd."""

    def make(self, docker: Docker) -> dict[str, Given]:
        """Make the networks, start the containers in order, end some, and start those that come later. Returns their addresses."""
        for network in self.scenario.networks:
            options = [f"--subnet={subnet}" for subnet in network.subnets]
            options += [f"--gateway={ipaddress.ip_network(subnet)[1]}" for subnet in network.subnets]
            options += ["--ipv6"] if any(":" in subnet for subnet in network.subnets) else []
            options += ["--internal"] if network.internal else []
            options += [f"--ip-range={network.range}"] if network.range else []
            bridge = {"name": network.name}
            bridge.update({} if network.icc else {"enable_icc": "false"})
            bridge.update({} if network.masquerade else {"enable_ip_masquerade": "false"})
            for key, value in bridge.items():
                options += ["--opt", f"com.docker.network.bridge.{key}={value}"]
            docker.run(["docker", "network", "create", *options, network.name])
        given = {one.name: self.start(docker, one) for one in self.scenario.containers}
        for name in self.scenario.stop:
            docker.stop(name)
            self.lab.run(["ip", "netns", "del", name])
        return {**given, **{one.name: self.start(docker, one) for one in self.scenario.later}}

    def start(self, docker: Docker, container: Container) -> Given:
        """Start a container, and return its addresses."""
        docker.also = tuple(f"--publish={port}" for port in container.ports)
        first = container.networks[0] if container.mode == "bridge" else container.mode
        docker.start(container.name, network=first)
        for network in container.networks[1:] if container.mode == "bridge" else ():
            docker.run(["docker", "network", "connect", network, container.name])
        self.lab.run(["ip", "netns", "attach", container.name, str(docker.pid(container.name))])
        return self.addresses(container.name) if container.mode == "bridge" else {}


class OurTwin(Twin):
    """The host of the module `wiring`. The containers have the addresses that Docker gave them."""

    def make(self, backend: str, given: dict[str, Given]) -> None:
        """Wire everything, end some, and wire those that come later."""
        # What is compared with Docker is what users get who choose nothing: that is nftables here.
        backend = {"nftables": "auto"}.get(backend, backend)
        self.lab.module("wiring", firewall_backend=backend, **self.wiring(self.scenario.containers, given))
        for name in self.scenario.stop:
            self.lab.run(["ip", "netns", "del", name])
        if self.scenario.later:
            self.lab.module("wiring", firewall_backend=backend, **self.wiring(self.scenario.alive, given))

    def wiring(self, containers: Sequence[Container], given: dict[str, Given]) -> dict[str, Any]:
        """The options of the module."""
        networks = [
            {
                "name": one.name,
                "subnets": list(one.subnets),
                "internal": one.internal,
                "icc": one.icc,
                "masquerade": one.masquerade,
            }
            for one in self.scenario.networks
        ]
        listed: list[dict[str, Any]] = []
        for one in containers:
            item: dict[str, Any] = {"name": one.name, "network_mode": one.mode, "published_ports": list(one.ports)}
            if one.mode == "bridge":
                item["networks"] = [
                    {"name": name, "interface": f"eth{number}", **self._fixed(given[one.name].get(f"eth{number}", ()))}
                    for number, name in enumerate(one.networks)
                ]
            listed.append(item)
        return {"networks": networks, "containers": listed}

    @staticmethod
    def _fixed(addresses: Sequence[str]) -> dict[str, str]:
        return {f"ipv{6 if ':' in one else 4}_address": one for one in _global(addresses)}


@contextlib.contextmanager
def dockerd(scenario: Scenario) -> Iterator[tuple[DockerTwin, Docker]]:
    """A host with dockerd."""
    with engine_host() as lab:
        twin = DockerTwin(lab, scenario)
        number = lab.run(["dockerd", "--version"]).stdout.split()[2]
        six = ["--experimental", "--ip6tables"] if int(number.split(".")[0]) < 27 else []
        with Docker(lab, bip="172.31.255.1/24", options=[*six, *scenario.options]) as docker:
            assert isinstance(docker, Docker)
            yield twin, docker


@dataclass(frozen=True)
class Compared:
    """What one scenario gave: Docker's version, what its host showed, and by backend what ours did."""

    version: str
    theirs: Seen
    ours: dict[str, Seen]


def compare(scenario: Scenario, backends: Sequence[str]) -> Compared:
    """Make a scenario in a host by dockerd, and in one for each backend by us, and ask the same questions in all."""
    with dockerd(scenario) as (twin, docker):
        given = twin.make(docker)
        known = _known(scenario, given)
        theirs, version = twin.seen(known), docker.version()
    ours = {}
    for backend in backends:
        with engine_host() as lab:
            our = OurTwin(lab, scenario)
            our.make(backend, given)
            ours[backend] = our.seen(known)
    return Compared(version, theirs, ours)


def _known(scenario: Scenario, given: dict[str, Given]) -> dict[str, list[str]]:
    """The addresses to be asked, by whose they are: the gateways are the host's. What one had that ended is asked, too."""
    found = {name: [address for each in links.values() for address in _global(each)] for name, links in given.items()}
    gateways = [str(ipaddress.ip_network(subnet)[1]) for network in scenario.networks for subnet in network.subnets]
    return {**OTHERS, **found, "host": [*OTHERS["host"], *gateways]}


def _global(addresses: Sequence[str]) -> list[str]:
    """Addresses, given as CIDR, without those of the link."""
    found = [ipaddress.ip_interface(one).ip for one in addresses]
    return [str(one) for one in found if not one.is_link_local]
