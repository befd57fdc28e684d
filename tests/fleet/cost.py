# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a network that hosts share costs, side by side with what others do, in one run: see "make fleet-cost".

    python cost.py [--hosts N] [--containers N] [--rounds N] [--only plays|packets]

*plays*: seconds of CPU of the controller and of a host, each for one host of so many, over those of `ping`; our network in one task and by the
chain, and beside it a routed network as flannel makes it, by commands in a loop and in a script. *packets*: throughput and time of a packet between
containers of two hosts, over those between the hosts themselves, by each way of ours and by Docker's overlay (a swarm in the lab).
"""

from __future__ import annotations

import argparse
import functools
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "engines"))

from engines import Docker
from fleet import Fleet, Host, fleet
from plays import LIMIT, Play, Playbook, wiring

UNDERLAY: dict[str, Any] = {"wiring_underlay_address": "{{ lab_data4 }}"}
PING: Play = {"name": "ping", "gather_facts": False, "tasks": [{"name": "Ask", "ansible.builtin.ping": {}}]}
# As `time` prints it: what the controller and the ssh it waits for have used.
TIMED = 'TIMEFORMAT="%U %S"; time "$@"'
# All that the processes of a host have used, with those that are gone.
USED = (
    "cat /proc/[0-9]*/stat 2>/dev/null | sed 's/.*) //' | awk '{ sum += $12 + $13 + $14 + $15 } END { print sum + 0 }'"
)
TICKS = 100  # a second, proc(5)
SECONDS = 2.0  # of sending
TRY = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])))"
SEND = """
import socket, sys, time
to, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
sock = socket.create_connection((to, port))
block, end, sent = bytes(1 << 18), time.monotonic() + seconds, 0
while time.monotonic() < end:
    sock.sendall(block)
    sent += len(block)
sock.shutdown(socket.SHUT_WR)
while sock.recv(9): pass
print(sent * 8 / (time.monotonic() - end + seconds) / 1e9)
"""
ECHO = """
import socket, sys, time
sock = socket.create_connection((sys.argv[1], int(sys.argv[2])))
sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
times = []
for dummy in range(2000):
    begun = time.perf_counter()
    sock.sendall(b"x")
    sock.recv(1)
    times.append(time.perf_counter() - begun)
print(sorted(times)[len(times) // 2] * 1e6)
"""
# Takes all on the first port, and sends back what comes on the second.
TAKE = """
import socket, threading
def serve(port, work):
    listener = socket.create_server(("", port))
    while True:
        threading.Thread(target=work, args=(listener.accept()[0],), daemon=True).start()
def take(sock):
    while sock.recv(1 << 20): pass
    sock.close()
def echo(sock):
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while data := sock.recv(9): sock.sendall(data)
threading.Thread(target=serve, args=(5001, take), daemon=True).start()
serve(5002, echo)
"""


@dataclass(frozen=True)
class Spent:
    """Of one start of ansible-playbook, by host: seconds, and those of CPU of the controller and of a host."""

    wall: float
    controller: float
    host: float


def spent(f: Fleet, play: Play, one_task: bool = True, **variables: Any) -> Spent:
    """Run a play on all hosts, and return what that took, for each."""
    playbook = Playbook(f.stage, f.folder / "cost", one_task, inventory=f.inventory)
    command = playbook.command([{"hosts": "fleet", **play}], "--forks", str(len(f.hosts)), **UNDERLAY, **variables)
    before = [used(host) for host in f.hosts]
    begun = time.monotonic()
    done = f.stage.run(["bash", "-c", TIMED, "bash", *command], check=False, timeout=LIMIT)
    wall = time.monotonic() - begun
    if done.rc:
        raise AssertionError(f"ansible-playbook ended with {done.rc}\n{done.stdout}{done.stderr}")
    controller = sum(map(float, done.stderr.strip().splitlines()[-1].split()))
    on_hosts = sum(used(host) - old for host, old in zip(f.hosts, before, strict=True))
    return Spent(wall, controller / len(f.hosts), on_hosts / len(f.hosts))


def used(host: Host) -> float:
    return int(host.run(USED).stdout) / TICKS


def shared(driver: str, underlay: str = "auto", containers: int = 1) -> Play:
    """A network of the fleet, and containers with a port each on every host."""
    listed = [{"name": f"c{number}", "published_ports": [f"{8000 + number}:80"]} for number in range(containers)]
    network = {"name": "front", "subnets": ["10.7.0.0/16"], "driver": driver}
    return wiring(
        networks=[network if underlay == "auto" else {**network, "underlay": underlay}],
        containers=listed,
        fleet="fleet",
    )


def flannel(loop: bool, containers: int) -> Play:
    """The same connectivity by commands, as flannel and a CNI plugin leave it: a route, a neighbour and a forwarding entry a peer. Each
    command can be run again."""
    once = [
        "ip link show vx >/dev/null 2>&1 || ip link add vx type vxlan id 7 local {{ lab_data4 }} dstport 4790 nolearning",
        "ip link set vx address 02:00:00:00:00:{{ '%02x' % lab_number }} mtu 1450 up",
        "ip addr replace 10.8.{{ lab_number }}.0/32 dev vx",
        "ip link show cni0 >/dev/null 2>&1 || ip link add cni0 type bridge",
        "ip link set cni0 mtu 1450 up",
        "ip addr replace 10.8.{{ lab_number }}.1/24 dev cni0",
        "sysctl -qw net.ipv4.ip_forward=1",
        "iptables -t nat -C POSTROUTING -s 10.8.0.0/16 ! -d 10.8.0.0/16 -j MASQUERADE 2>/dev/null || "
        "iptables -t nat -A POSTROUTING -s 10.8.0.0/16 ! -d 10.8.0.0/16 -j MASQUERADE",
    ]
    peer = [
        "ip neigh replace 10.8.{{ item.lab_number }}.0 lladdr 02:00:00:00:00:{{ '%02x' % item.lab_number }} dev vx nud permanent",
        "bridge fdb replace 02:00:00:00:00:{{ '%02x' % item.lab_number }} dst {{ item.lab_data4 }} dev vx",
        "ip route replace 10.8.{{ item.lab_number }}.0/24 via 10.8.{{ item.lab_number }}.0 dev vx onlink",
    ]
    address = "10.8.{{ lab_number }}.{{ 10 + item }}"
    published = f"-p tcp --dport {{{{ 9000 + item }}}} -m addrtype --dst-type LOCAL -j DNAT --to {address}:80"
    container = [
        "[ -e /run/netns/f{{ item }} ] || ip netns add f{{ item }}",
        "ip link show vf{{ item }} >/dev/null 2>&1 || ip link add vf{{ item }} mtu 1450 type veth peer name eth0 mtu 1450 netns f{{ item }}",
        "ip link set vf{{ item }} master cni0 up",
        "ip -n f{{ item }} link set lo up",
        "ip -n f{{ item }} link set eth0 up",
        "ip -n f{{ item }} addr replace 10.8.{{ lab_number }}.{{ 10 + item }}/24 dev eth0",
        "ip -n f{{ item }} route replace default via 10.8.{{ lab_number }}.1",
        "iptables -t nat -C PREROUTING " + published + " 2>/dev/null || iptables -t nat -A PREROUTING " + published,
    ]
    others = "{{ groups['fleet'] | difference([inventory_hostname]) | map('extract', hostvars) | list }}"
    numbers = list(range(containers))
    if loop:
        tasks = [
            *({"name": "Once", "ansible.builtin.shell": line} for line in once),
            *({"name": "A peer", "ansible.builtin.shell": line, "loop": others} for line in peer),
            *({"name": "A container", "ansible.builtin.shell": line, "loop": numbers} for line in container),
        ]
        return {"name": "loop", "gather_facts": False, "tasks": tasks}
    script = "\n".join(
        [
            "set -e",
            *once,
            *(f"{{% for item in others %}}{line}\n{{% endfor %}}" for line in peer),
            *(f"{{% for item in numbers %}}{line}\n{{% endfor %}}" for line in container),
        ]
    )
    told = {"others": others, "numbers": numbers}
    task = {"name": "All", "ansible.builtin.shell": script}
    return {"name": "script", "gather_facts": False, "vars": told, "tasks": [task]}


def plays(hosts: int, containers: int, rounds: int) -> dict[str, Any]:
    """Print the table of plays, and return it."""
    ours = shared("routed", "vxlan", containers)
    rows: list[tuple[str, Play, bool]] = [
        ("ping", PING, True),
        ("ours, one task, first", ours, True),
        ("ours, one task, again", ours, True),
        ("ours, chain, again", ours, False),
        ("commands in a loop, first", flannel(True, containers), True),
        ("commands in a loop, again", flannel(True, containers), True),
        ("commands in a script, again", flannel(False, containers), True),
    ]
    found: dict[str, Any] = {}
    for number in sorted({1, 3, hosts}):
        with fleet(number) as f:
            spent(f, PING)  # connections are made, and Python's files compiled
            print(f"\n{number} host(s), {containers} containers with a port each; seconds for each host, and over ping")
            print(f"{'':30}{'wall, all':>10}{'controller':>12}{'host':>8}{'':4}{'controller':>10}{'host':>8}")
            base = Spent(1, 1, 1)
            for title, play, one_task in rows:
                runs = [spent(f, play, one_task) for dummy in range(1 if "first" in title else rounds)]
                one = Spent(
                    *(statistics.median(getattr(run, name) for run in runs) for name in ("wall", "controller", "host"))
                )
                base = one if title == "ping" else base
                over = (one.controller / base.controller, one.host / base.host)
                print(
                    f"{title:30}{one.wall:10.2f}{one.controller:12.2f}{one.host:8.2f}{'':4}{over[0]:10.1f}{over[1]:8.1f}",
                    flush=True,
                )
                found[f"{number} {title}"] = {**vars(one), "over_ping": over}
    return found


def measured(
    serving: Callable[[str], list[str]], asking: Callable[[str, str, str], list[str]], two: tuple[Any, Any], to: str
) -> tuple[float, float]:
    """Gigabits a second, and the median of microseconds there and back."""
    one, other = two
    pid = other.spawn(serving(TAKE))
    try:
        for port in (5001, 5002):
            until(functools.partial(answering, one, asking(TRY, to, str(port))))
        rates = [float(one.run([*asking(SEND, to, "5001"), str(SECONDS)]).stdout) for dummy in range(3)]
        times = [float(one.run(asking(ECHO, to, "5002")).stdout) for dummy in range(3)]
    finally:
        other.kill(pid)
    return max(rates), min(times)


def answering(who: Any, command: list[str]) -> bool:
    return bool(who.run(command, check=False).rc == 0)


def until(ready: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not ready():
        if time.monotonic() > end:
            raise AssertionError("nobody answers")


def in_namespace(name: str) -> tuple[Callable[[str], list[str]], Callable[[str, str, str], list[str]]]:
    before = ["ip", "netns", "exec", name] if name else []
    return (
        lambda program: [*before, sys.executable, "-c", program],
        lambda program, to, port: [*before, sys.executable, "-c", program, to, port],
    )


def ways(f: Fleet) -> Iterator[tuple[str, tuple[float, float]]]:
    """Measure each way between two hosts."""
    two = (f.hosts[0], f.hosts[1])
    yield "the hosts themselves", measured(*in_namespace(""), two, two[1].data4)
    for title, driver, underlay in (
        ("routed, direct", "routed", "direct"),
        ("routed, by the tunnel", "routed", "vxlan"),
        ("one segment (vxlan)", "vxlan", "auto"),
    ):
        f.play(shared(driver, underlay), **UNDERLAY)
        [to] = [one["local"] for one in two[1].ip("-n c0 -4 addr show dev eth0")[0]["addr_info"]]
        yield title, measured(*in_namespace("c0"), two, to)
        play = shared(driver, underlay)
        f.play({**play, "vars": {**play["vars"], "wiring_state": "absent"}}, **UNDERLAY)
    yield "Docker's overlay", swarm(two)


def swarm(two: tuple[Host, Host]) -> tuple[float, float]:
    """The same between containers of a swarm. They are entered from outside, for they have no Python."""
    engines = [Docker(host, bip=f"172.31.{host.number}.1/24") for host in two]
    try:
        first, second = engines
        first.run(["docker", "swarm", "init", "--advertise-addr", two[0].data4, "--default-addr-pool", "10.99.0.0/16"])
        token = first.run(["docker", "swarm", "join-token", "-q", "worker"]).stdout.strip()
        second.run(
            ["docker", "swarm", "join", "--token", token, "--advertise-addr", two[1].data4, f"{two[0].data4}:2377"]
        )
        first.run(["docker", "network", "create", "--driver", "overlay", "--attachable", "over"])
        pids: list[int] = []
        address = ""
        for engine in engines:
            engine.run(
                [
                    "docker",
                    "run",
                    "--detach",
                    "--name",
                    f"c{len(pids)}",
                    "--pull=never",
                    "--network",
                    "over",
                    "box",
                    "sleep",
                    "1000",
                ]
            )
            shown = json.loads(engine.run(["docker", "inspect", f"c{len(pids)}"]).stdout)[0]
            pids.append(shown["State"]["Pid"])
            address = shown["NetworkSettings"]["Networks"]["over"]["IPAddress"]
        serve = ["nsenter", f"--target={pids[1]}", "--net", sys.executable, "-c"]
        ask = ["nsenter", f"--target={pids[0]}", "--net", sys.executable, "-c"]
        return measured(lambda program: [*serve, program], lambda program, *rest: [*ask, program, *rest], two, address)
    finally:
        for engine in engines:
            engine.close()


def packets() -> dict[str, Any]:
    """Print the table of packets, and return it."""
    found: dict[str, Any] = {}
    with fleet(2) as f:
        print(f"\n{'between two hosts':26}{'Gbit/s':>8}{'over':>7}{'us there and back':>20}{'over':>7}")
        for title, (rate, delay) in ways(f):
            base = found.setdefault("the hosts themselves", (rate, delay))
            found[title] = (rate, delay)
            print(f"{title:26}{rate:8.2f}{rate / base[0]:7.2f}{delay:20.1f}{delay / base[1]:7.2f}", flush=True)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="What a network that hosts share costs, beside what others do.")
    parser.add_argument("--hosts", type=int, default=10)
    parser.add_argument("--containers", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["plays", "packets"])
    given = parser.parse_args()
    if given.only != "packets":
        plays(given.hosts, given.containers, given.rounds)
    if given.only != "plays":
        packets()
    return 0


if __name__ == "__main__":
    sys.exit(main())
