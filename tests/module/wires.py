# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab host with a bridge and containers on it, wired by hand, for tests of what comes after the wires."""

from __future__ import annotations

import json
import re
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from lab import HERE, PATIENCE, Lab, collections_root
from proofs import has_read

BACKENDS = ["nftables", "iptables"]
LEGACY = "iptables-legacy"
LIMIT = 60.0  # seconds to wait at most for what is to come: on a busy machine all takes longer
MOMENT = 0.5  # seconds to wait for what is not to come

# Runs a module for each of the arguments that it reads, a process each, which all start at the same moment, and prints what each printed.
# Arguments: the module, the folder of the agent, and the one that it imports from.
TOGETHER = """
import importlib, json, os, sys
sys.path[:0] = sys.argv[2:]
import agent
agent.Agent().preload()
importlib.import_module(agent.COLLECTION + ".plugins.modules." + sys.argv[1])
started = []
gate, opened = os.pipe()
for args in json.load(sys.stdin):
    output = agent.Output()
    pid = os.fork()
    if pid == 0:
        os.close(opened)
        os.read(gate, 1)
        agent.run_module({"name": sys.argv[1], "args": args}, output)
    started.append((pid, output))
os.close(opened)
for pid, _output in started:
    if not agent.ended(pid, 600):
        agent.end_group(pid)
    os.waitpid(pid, 0)
print(json.dumps([output.read() for _pid, output in started]))
"""


class Host(Lab):
    """A lab host, and short ways to say what these tests say often."""

    backend = "nftables"  # what nat writes with
    place = "nftables"  # what it says of that
    _legacy = False

    def use(self, backend: str) -> None:
        """Have nat write with a backend; ``iptables-legacy``: with iptables, on a host where that is the older kind."""
        self.place = {"iptables": "iptables-nft"}.get(backend, backend)
        self.backend = backend.partition("-")[0]
        if backend == LEGACY:
            self._legacy = True
            self._alternative("legacy")

    def _alternative(self, kind: str) -> None:
        """Make the plain programs those of one kind. The lab's /etc is its own."""
        names = ["iptables", "ip6tables"]
        self.run(
            " && ".join(
                f"ln -sf $(dirname $(command -v iptables))/{name}-{kind}{what} /etc/alternatives/{name}{what}"
                for name in names
                for what in ("", "-save", "-restore")
            )
        )

    def held(self) -> str:
        """All rules of ours as the backend's tool prints them, without handles and counts, and without the note that a bridge's
        route_localnet, or a port's hairpin, was off before, which goes with a flush."""
        if self.backend == "nftables":
            text = self.run("nft list table inet linuxnet_containers", check=False).stdout
            text = re.sub(r"(handle|packets|bytes) \d+", "", text)
            return re.sub(r"(set localnet {[^}]*?)\s*elements = {[^}]*}", r"\1", text)
        kind = self.place.partition("-")[2]
        text = self.run(f"iptables-{kind}-save; echo '# IPv6'; ip6tables-{kind}-save").stdout
        lines = [
            line
            for line in text.splitlines(keepends=True)
            if not {"linuxnet-localnet", "linuxnet-hairpin"} & set(re.findall(r"linuxnet-\w+", line))
        ]
        return "".join(line for line in lines if "LINUXNET" in line or line.startswith("*"))

    def take_out(self, chain: str) -> None:
        """Flush a chain of ours, as somebody who does not know it would: ``raw``, ``publish`` or ``closed``."""
        if self.backend == "nftables":
            name = {"closed": "closed_to"}.get(chain, chain)
            self.run(f"nft flush chain inet linuxnet_containers {name}")
            return
        table = {"raw": "raw", "closed": "filter"}.get(chain, "nat")
        self.run(f"iptables-{self.place.partition('-')[2]} -t {table} -F LINUXNET-{chain.upper()}")

    def clear(self) -> None:
        """Take away all that tests make, so that the next one starts on a bare host."""
        if self._legacy:
            self._alternative("nft")
            self.run(
                "for ip in iptables ip6tables; do for table in raw mangle nat filter; do "
                "$ip-legacy -t $table -F && $ip-legacy -t $table -X; done; done; iptables-legacy -P FORWARD ACCEPT"
            )
        self.use("nftables")
        self._legacy = False
        self.run(
            "ip -all netns delete; "
            "for link in $(ls /sys/class/net); do [ $link = lo ] || ip link set $link group 7; done; "
            "ip link delete group 7 2>/dev/null; nft flush ruleset; rm -f /etc/sysctl.d/*linuxnet*; "
            "while ip rule | grep -q 'prohibit proto 76' && ip rule del protocol 76 prohibit; do :; done; "
            "sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0"
        )

    def bridge(self, name: str = "br0", *addresses: str) -> None:
        """Make a bridge that is up, with these addresses."""
        self.run(
            f"ip link add {name} type bridge && ip link set {name} up"
            + "".join(f" && ip addr add {one} dev {name} {'nodad' * (':' in one)}" for one in addresses)
        )

    def container(self, name: str, *addresses: str, bridge: str = "br0", interface: str = "eth0") -> None:
        """Make a namespace (unless it is there) with an interface on a bridge, and give it these addresses."""
        self.run(
            f"ip netns list | grep -qw {name} || ip netns add {name}; "
            f"ip link add {name}-{interface} type veth peer name {interface} netns {name} && "
            f"ip link set {name}-{interface} master {bridge} up && ip -n {name} link set lo up && "
            f"ip -n {name} link set {interface} up"
            + "".join(f" && ip -n {name} addr add {one} dev {interface} {'nodad' * (':' in one)}" for one in addresses)
        )

    def addresses(self, netns: str, interface: str = "eth0") -> list[str]:
        """The addresses of an interface, in the kernel's order, as CIDR, link-local ones left out."""
        return [f"{one['local']}/{one['prefixlen']}" for one in self.details(netns, interface)]

    def details(self, netns: str, interface: str = "eth0") -> list[dict[str, Any]]:
        """What ``ip -j`` says of the addresses of an interface, those of scope link left out."""
        where = f"-n {netns} " if netns else ""
        links = self.ip(f"{where}addr show dev {interface}")
        return [one for one in links[0]["addr_info"] if one["scope"] != "link"]

    def settles(self, module: str, /, **args: Any) -> dict[str, Any]:
        """Run a module: check mode says beforehand what it does, and a second run finds nothing to do.

        Returns the result of the run that counts.
        """
        foreseen = self.module(module, check=True, **args)
        done = self.module(module, **args)
        again = self.module(module, **args)
        assert foreseen["changed"] == done["changed"]
        assert (again["changed"], again["commands"]) == (False, []), again["commands"]
        items = [result.get("results", [result]) for result in (foreseen, done, again)]
        for before, real, later in zip(*items, strict=True):
            for key in ("changed", "before", "after", "diff", "commands"):
                assert before[key] == real[key], f"{key} in check mode: {before[key]}\nand for real: {real[key]}"
            assert later["before"] == later["after"] == real["after"]
            assert later["diff"]["before"] == later["diff"]["after"] == ""
        return done

    def refuses(self, module: str, message: str, /, **options: Any) -> None:
        """Run a module that must fail with this message, in check mode and for real, and change nothing at all."""
        self.all_refused(module, {}, [(options, message)])

    def all_refused(self, module: str, common: dict[str, Any], cases: list[tuple[dict[str, Any], str]]) -> None:
        """Run a module with each of these options, on top of the common ones, as ``refuses`` does."""
        before = self.snapshot()
        for options, message in cases:
            for check in (True, False):
                said = self.fails(module, check=check, **{**common, **options})["msg"]
                assert message in said, f"{options}\nexpected: {message}\nmessage:  {said}"
        assert self.snapshot() == before

    def misses(self, module: str, message: str, foreseen: str, /, **options: Any) -> None:
        """Run a module whose parent is missing: for real that is an error, in check mode a warning (A3)."""
        before = self.snapshot()
        assert message in self.fails(module, **options)["msg"]
        predicted = self.module(module, check=True, **options)
        assert predicted["changed"] is True
        assert warnings(predicted) == [f"Check mode: {foreseen} does not exist yet; taken as made by an earlier task."]
        assert self.snapshot() == before

    def ping(self, netns: str, address: str, within: float = LIMIT) -> bool:
        """Whether an address answers a ping from a namespace, tried again for so many seconds."""
        return eventually(
            lambda: self.run(f"ip netns exec {netns} ping -nqc1 -W1 {address}", check=False).rc == 0, within
        )

    def listens(self, netns: str, port: int) -> None:
        """Wait until a server in a namespace listens on a TCP port."""
        look = f"ip netns exec {netns} ss -Hltn sport = {port}"
        assert eventually(lambda: self.run(look).stdout != ""), f"nobody listens on port {port} in {netns}"

    def captured(self, netns: str, interface: str, condition: str, act: Callable[[], Any]) -> str:
        """What tcpdump prints of the packets that an interface sees while ``act`` runs."""
        where = f"ip netns exec {netns} " if netns else ""
        log = f"/run/{interface}.tcpdump"
        pid = self.spawn(f"exec {where}tcpdump -Unnle --immediate-mode -i {interface} '{condition}' >{log} 2>&1")
        assert eventually(lambda: "listening on" in self.run(f"cat {log}", check=False).stdout), (
            "tcpdump does not start"
        )
        act()
        has_read(self, pid)
        self.kill(pid, signal.SIGINT)
        return self.run(f"cat {log}; rm {log}").stdout


# Prints what a server says. Until the time is over it is asked again: neighbours may not be found at once. Arguments: address, port, seconds.
CALLER = """
import socket, sys, time
end = time.monotonic() + float(sys.argv[3])
while (left := end - time.monotonic()) > 0:
    try:
        print(socket.create_connection((sys.argv[1], int(sys.argv[2])), left).recv(99).decode())
        break
    except OSError:
        time.sleep(0.05)
"""


def called(host: Host, netns: str, address: str, port: int, seconds: float) -> str:
    """What a server says to a caller in a namespace, or on the host, within so many seconds; empty for nothing."""
    where = ["ip", "netns", "exec", netns] if netns else []
    caller = [*where, sys.executable, "-c", CALLER, address, str(port), str(seconds)]
    return host.run(caller, timeout=seconds + LIMIT).stdout.strip()


def warnings(result: dict[str, Any]) -> list[str]:
    """The warnings of a result; ansible-core 2.19 wraps each."""
    return [one if isinstance(one, str) else one["event"]["msg"] for one in result.get("warnings", [])]


def eventually(holds: Callable[[], bool], within: float = LIMIT) -> bool:
    """Whether something becomes true within so many seconds."""
    end = time.monotonic() + within * PATIENCE
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def together(host: Host, module: str, runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Run a module for each of these arguments, all at once. Their results."""
    command = [sys.executable, "-c", TOGETHER, module, str(HERE), collections_root()]
    done = json.loads(host.run(command, input=json.dumps(runs), timeout=900).stdout)
    for one in done:
        assert one["stdout"].strip(), one["stderr"]
    return [json.loads(one["stdout"].strip().splitlines()[-1]) for one in done]
