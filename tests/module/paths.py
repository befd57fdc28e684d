# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab host with two networks, an uplink and published ports, all of which answer, for tests of what path_info says when something is broken."""

from __future__ import annotations

import sys
from typing import Any

from lab import PATIENCE
from proofs import warnings
from wires import LIMIT, Host, eventually

# Listens on each of its arguments, ADDRESS/PORT, and answers whoever connects.
SERVER = """
import socket, sys, threading
def serve(place):
    address, _slash, port = place.partition("/")
    both = address == "::"
    server = socket.create_server((address, int(port)), family=socket.AF_INET6 if ":" in address else socket.AF_INET, dualstack_ipv6=both)
    while True:
        peer = server.accept()[0]
        peer.sendall(b"x")
        peer.close()
threads = [threading.Thread(target=serve, args=(place,)) for place in sys.argv[1:]]
[one.start() for one in threads]
"""
# Prints whether it is answered. Until the time is over it asks again. Arguments: its own address or "", address, port, seconds.
CALLER = """
import socket, sys, time
end = time.monotonic() + float(sys.argv[4])
while (left := end - time.monotonic()) > 0:
    try:
        own = (sys.argv[1], 0) if sys.argv[1] else None
        if socket.create_connection((sys.argv[2], int(sys.argv[3])), left, own).recv(9) == b"x":
            print("x")
            break
    except OSError:
        time.sleep(0.05)
"""


class Town(Host):
    """web and db on br0, far and near on br1, out behind the uplink eth9; web publishes ports. Each has IPv4 and IPv6."""

    def build(self) -> None:
        self.bridge("br0", "172.17.0.1/16", "fd00:17::1/64")
        self.bridge("br1", "172.18.0.1/16", "fd00:18::1/64")
        self.container("web", "172.17.0.2/16", "fd00:17::2/64")
        self.container("db", "172.17.0.3/16", "fd00:17::3/64")
        self.container("far", "172.18.0.2/16", "fd00:18::2/64", bridge="br1")
        self.container("near", "172.18.0.3/16", "fd00:18::3/64", bridge="br1")
        self.run(
            "ip netns add out && ip link add eth9 type veth peer name eth0 netns out && ip link set eth9 up && ip -n out link set lo up && "
            "ip address add 192.0.2.1/24 dev eth9 && ip address add 2001:db8::1/64 dev eth9 nodad && ip -n out link set eth0 up && "
            "ip -n out address add 192.0.2.7/24 dev eth0 && ip -n out address add 2001:db8::7/64 dev eth0 nodad && "
            "for ns in web db; do ip -n $ns route add default via 172.17.0.1 && ip -n $ns route add default via fd00:17::1; done && "
            "for ns in far near; do ip -n $ns route add default via 172.18.0.1 && ip -n $ns route add default via fd00:18::1; done"
        )
        self.serves("web", "::/80", "127.0.0.1/82", "0.0.0.0/83")
        for name in ("out", "near"):
            self.serves(name, "::/80")
        self.serves("", "::/9000")
        nets = {"br0": ("172.17.0.0/16", "fd00:17::/64"), "br1": ("172.18.0.0/16", "fd00:18::/64")}
        items: list[dict[str, Any]] = [{"type": "filter", "bridge": name, "owner": name} for name in nets]
        items += [
            {"source": net, "out_interface": "!" + name, "owner": name} for name, both in nets.items() for net in both
        ]
        ports = [("8080", "80", None), ("8081", "81", None), ("3000", "80", "127.0.0.1")]
        for ip in ("172.17.0.2", "fd00:17::2"):
            for port, to_port, host_ip in ports:
                if host_ip is None or ":" not in ip:
                    items.append(
                        {
                            "type": "dnat",
                            "host_port": port,
                            "to_port": to_port,
                            "to_address": ip,
                            "owner": "web",
                            "bridge": "br0",
                        }
                        | ({"host_ip": host_ip} if host_ip else {})
                    )
        self.module("nat", backend=self.backend, aggregate=items)
        assert self.answers("out", "192.0.2.1", 8080, LIMIT)

    def serves(self, netns: str, *places: str) -> None:
        """Have somebody in a namespace listen on each ADDRESS/PORT."""
        where = ["ip", "netns", "exec", netns] if netns else []
        self.spawn([*where, sys.executable, "-c", SERVER, *places])
        for place in places:
            look = " ".join([*where, f"ss -Hltn sport = {place.rpartition('/')[2]}"])
            assert eventually(lambda look=look: self.run(look).stdout != ""), f"nobody listens on {place}"  # type: ignore[misc]

    def answers(self, netns: str, address: str, port: int, seconds: float = 0.4) -> bool:
        """Whether somebody is answered: from a namespace, the host where it is empty, or with an address of its own as NETNS/ADDRESS."""
        netns, _slash, own = netns.partition("/")
        where = ["ip", "netns", "exec", netns] if netns else []
        command = [
            *where,
            sys.executable,
            "-c",
            CALLER,
            own,
            address,
            str(port),
            str(seconds * PATIENCE if seconds > 1 else seconds),
        ]
        return self.run(command, timeout=seconds * PATIENCE + LIMIT).stdout.strip() == "x"


def ask(host: Host, **question: Any) -> dict[str, Any]:
    """What path_info says, having changed nothing and without a warning."""
    found = host.module("path_info", **question)
    assert (found["changed"], warnings(found)) == (False, [])
    return found
