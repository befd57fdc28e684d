# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wires a fleet over SSH, asks who reaches whom across its hosts, and prints that: see "make fleet".

    python show.py [--hosts N] [--segments N] [--driver routed|vxlan] [--shell]

With --shell there is then a shell on the controller, before all ends. The exit status is 1 where somebody reaches who should be closed, or the other way round.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fleet import Beside, Fleet, Host, Played, answers, fleet, serve
from plays import wiring

SHOWN = 8  # hosts in the table, and lines about what is wrong
# Each other host asks the next ones. If all asked all, thirty would have more neighbours than the kernel keeps, for all its namespaces together;
# with the network that they share so have fifty in any case.
NEXT = 3
PUBLISHED, OWN = "8080", "80"
LIMIT = 5  # seconds for an answer
PLAY = wiring(
    networks=[{"name": "front", "subnets": ["10.7.0.0/16", "fd00:7::/48"], "driver": "{{ driver }}"}],
    containers=[
        {
            "name": "web",
            "published_ports": [f"{PUBLISHED}:{OWN}"],
            "networks": [
                {
                    "name": "front",
                    "ipv4_address": "10.7.{{ lab_number }}.9",
                    "ipv6_address": "fd00:7:0:{{ '%x' % lab_number }}::9",
                }
            ],
        }
    ],
    fleet="fleet",
)
Reached = set[tuple[str, str]]  # address and port


def own(host: Host) -> list[str]:
    """The addresses of a host's container."""
    return [f"10.7.{host.number}.9", f"fd00:7:0:{host.number:x}::9"]


def whom(f: Fleet, who: Host | Beside) -> list[Host]:
    """The hosts that somebody asks: all, but for a host in a large fleet."""
    if not isinstance(who, Host):
        return f.hosts
    nearby = {(who.number - 1 + one) % len(f.hosts) for one in range(NEXT + 1)}
    return [
        f.hosts[one] for one in sorted(nearby | (set(range(len(f.hosts[:SHOWN]))) if who.number <= SHOWN else set()))
    ]


def asked(f: Fleet, who: Host | Beside) -> Reached:
    """Whom somebody gets to; a host's container asks, not the host."""
    inside = "web" if isinstance(who, Host) else ""
    data = [one for host in whom(f, who) for one in (host.data4, host.data6)]
    containers = [one for host in whom(f, who) for one in own(host)]
    found = [
        *answers(who, data, PUBLISHED, limit=LIMIT, inside=inside),
        *answers(who, containers, OWN, limit=LIMIT, inside=inside),
    ]
    return {(address, port) for dummy, address, port in found}


def due(f: Fleet, who: Host | Beside) -> Reached:
    """Whom somebody has to get to: all published ports, and containers' own addresses from the same network only."""
    data = {(one, PUBLISHED) for host in whom(f, who) for one in (host.data4, host.data6)}
    return data | ({(one, OWN) for host in whom(f, who) for one in own(host)} if isinstance(who, Host) else set())


def cell(reached: Reached, host: Host) -> str:
    """By which families somebody gets to the published port of a host, and to the container's own address."""
    pairs = [[(host.data4, PUBLISHED), (host.data6, PUBLISHED)], [(one, OWN) for one in own(host)]]
    return "  ".join(
        "".join(family if one in reached else "-" for family, one in zip("46", pair, strict=True)) for pair in pairs
    )


def name(who: Host | Beside) -> str:
    return f"web on {who.name}" if isinstance(who, Host) else who.name


def told(title: str, done: Played) -> None:
    """A line for a run, with what it was on each host."""
    counts: dict[int, int] = {}
    for count in done.changed.values():
        counts[count] = counts.get(count, 0) + 1
    each = ", ".join(f"changed={count} on {hosts}" for count, hosts in sorted(counts.items()))
    print(f"{title:12} {done.seconds:6.1f} s   {each}")


def table(f: Fleet, reached: dict[str, Reached]) -> None:
    shown = f.hosts[:SHOWN]
    print("\n" + " " * 14 + "".join(f"{'web on ' + host.name:12}" for host in shown).rstrip())
    everybody: list[Host | Beside] = [*shown, f.internet, f.stranger]
    for who in everybody:
        print(f"{name(who):14}" + "".join(f"{cell(reached[name(who)], host):12}" for host in shown).rstrip())
    print("\n46: reached over IPv4 and IPv6. First the port published at the host's addresses, then the")
    print("container's own addresses, which are for containers of the same network, on any host.")


def show(f: Fleet, driver: str) -> int:
    """Print it, and return how many were not as they should be."""
    variables: dict[str, Any] = {"driver": driver, "wiring_underlay_address": "{{ lab_data4 }}"}
    print(f"{'up':12} {f.seconds:6.1f} s   {len(f.hosts)} hosts with sshd on {f.segments} segment(s)")
    first, again = f.play(PLAY, **variables), f.play(PLAY, **variables)
    told("first run", first)
    told("second run", again)
    begun = time.monotonic()
    for host in f.hosts:
        serve(host, "web", int(OWN))
    with ThreadPoolExecutor(len(f.hosts) + 1) as pool:
        at_once = [pool.submit(asked, f, host) for host in f.hosts]
        reached = {name(who): asked(f, who) for who in (f.internet, f.stranger)}
        reached |= {name(host): one.result() for host, one in zip(f.hosts, at_once, strict=True)}
    everybody: list[Host | Beside] = [*f.hosts, f.internet, f.stranger]
    wrong = {name(who): reached[name(who)] ^ due(f, who) for who in everybody}
    count, pairs = sum(map(len, wrong.values())), 4 * sum(len(whom(f, who)) for who in everybody)
    done = f"{pairs} connections asked for, {count} not as they should be"
    print(f"{'traffic':12} {time.monotonic() - begun:6.1f} s   {done}")
    table(f, reached)
    lines = [
        f"WRONG: {who} to {address}, port {port}: {'open' if (address, port) in reached[who] else 'closed'}"
        for who, some in wrong.items()
        for address, port in sorted(some)
    ]
    for line in [*lines[:SHOWN], f"and {count - SHOWN} more"] if count > SHOWN else lines:
        print(line)
    return count + any(again.changed.values())


def main() -> int:
    parser = argparse.ArgumentParser(description="Wires a fleet of lab hosts over SSH, and prints who reaches whom.")
    parser.add_argument("--hosts", type=int, default=3)
    parser.add_argument("--segments", type=int, default=1, help="more than one: some hosts are behind a router")
    parser.add_argument("--driver", choices=["routed", "vxlan"], default="routed", help="of the network they share")
    parser.add_argument("--shell", action="store_true", help="then a shell on the controller")
    given = parser.parse_args()
    with fleet(given.hosts, given.segments) as f:
        wrong = show(f, given.driver)
        if given.shell:
            print("\na shell on the controller, which has the others as namespaces: ansible fleet -m ping, ip netns")
            environment = {**os.environ, "ANSIBLE_INVENTORY": str(f.inventory)}
            subprocess.run([*f.stage.entering(), "bash"], env=environment, check=False)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
