# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A network in a VRF, with traffic: what docs/networks.md tells people to do, and that the firewall keeps its word there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from lab import Lab
from proofs import settles, unchanged, untouched
from wires import eventually

PAGE = Path(__file__).resolve().parents[2] / "docs" / "networks.md"
[TEXT] = re.findall(r"^## In a VRF\n(.*?)(?=^## |\Z)", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
LISTS, TASKS = (yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL))
LISTED: dict[str, Any] = {name.partition("_")[2]: value for name, value in LISTS.items()}
[TENANT], [APP] = LISTED["networks"], LISTED["containers"]
BACK: dict[str, Any] = {"name": "back", "subnets": ["10.2.0.0/24"]}
DB = {"name": "db", "networks": [{"name": "back", "ipv4_address": "10.2.0.9"}]}
INNER = {"name": "inner", "subnets": ["10.3.0.0/24"], "vrf": "blue", "vrf_table": 10, "internal": True}
PAIR = [
    {"name": name, "networks": [{"name": "inner", "ipv4_address": f"10.3.0.{number}"}]}
    for name, number in (("one", 7), ("two", 8))
]
FORWARDS = "sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1"
THERE = (
    "ip -br link; ip -br addr show dev eth1; ip route show table 10; ip -6 route show table 10; ip rule; ip netns; nft list ruleset; "
    "sysctl net.ipv4.ip_forward"
)
# Says who asks to each who asks port 80, over either family.
SERVER = (
    "import socket\ns = socket.create_server(('::', 80), family=socket.AF_INET6, dualstack_ipv6=True)\n"
    "while True:\n    c, who = s.accept()\n    c.sendall(who[0].encode())\n    c.close()\n"
)
CLIENT = "import socket, sys\ns = socket.create_connection((sys.argv[1], int(sys.argv[2])), float(sys.argv[3]))\nprint(s.recv(99).decode())\n"


def answers(lab: Lab, client: str, address: str) -> bool:
    return lab.run(f"ip netns exec {client} ping -n -q -c 1 -W 2 {address}", check=False, timeout=300).rc == 0


def seen_as(lab: Lab, client: str, address: str, port: int = 8080, patience: float = 20) -> str:
    """As whom the container behind a port sees a client, ``""`` where nobody answers."""
    done = lab.run(
        ["ip", *client.split(), "python3", "-c", CLIENT, address, str(port), str(patience)], check=False, timeout=300
    )
    return str(done.stdout).strip().removeprefix("::ffff:")


def outside(lab: Lab) -> None:
    """A host that forwards by itself, with an uplink eth1, behind which is ``out``, and eth0, behind which is ``lan``."""
    lab.run("sysctl -q -w net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 && ip link set lo up")
    for number, (name, other) in enumerate((("lan", "192.0.2"), ("out", "198.51.100"))):
        lab.run(
            f"ip netns add {name} && ip link add eth{number} type veth peer name far netns {name} && ip link set eth{number} up && "
            f"ip -n {name} link set far up && ip -n {name} addr add {other}.2/24 dev far && ip -n {name} route add default via {other}.1"
        )
    lab.run(
        "ip addr add 192.0.2.1/24 dev eth0 && ip -n out addr add 2001:db8::2/64 dev far nodad && ip -n out -6 route add default via 2001:db8::1"
    )
    lab.run(FORWARDS)
    # The rule by which VRFs are looked up, which the kernel never takes away, is there.
    lab.run("ip link add probe type vrf table 99 && ip link del probe")


@pytest.mark.needs("ping", "vrf", "nf_nat")
@pytest.mark.parametrize("backend", ["nftables", "iptables"])
def test_the_page_of_a_vrf(lab: Lab, backend: str) -> None:
    """The VRF is made, ports are published in it, an internal network in it is kept in, and all of that goes again."""
    outside(lab)
    before = lab.run(THERE).stdout
    plan: dict[str, Any] = {
        "networks": [TENANT, BACK, INNER],
        "containers": [APP, DB, *PAIR],
        "firewall_backend": backend,
    }
    settles(lab, "wiring", **plan)
    for task in TASKS:
        ((module, options),) = task.items()
        lab.module(module.rpartition(".")[2], **options)
    unchanged(lab, "wiring", **plan)
    assert "10.1.0.0/24 dev tenant" in lab.run("ip route show table 10").stdout
    assert "10.1.0.0/24" not in lab.run("ip route").stdout
    for client, address in [
        *(("app", one) for one in ("10.1.0.1", "fd00:1::1", "198.51.100.2", "2001:db8::2")),
        *(("one", one) for one in ("10.3.0.1", "10.3.0.8")),
    ]:
        assert answers(lab, client, address), (client, address)
    for client, address in (
        *(("out", one) for one in ("10.1.0.9", "fd00:1::9", "10.2.0.9", "10.3.0.7")),
        *(("app", one) for one in ("10.2.0.9", "10.3.0.7")),
        *(("one", one) for one in ("198.51.100.2", "192.0.2.2", "10.1.0.9", "10.2.0.9")),
        ("db", "10.1.0.9"),
    ):
        assert not answers(lab, client, address), (client, address)
    server = lab.spawn(["ip", "netns", "exec", "app", "python3", "-c", SERVER])
    assert eventually(lambda: seen_as(lab, "netns exec app", "127.0.0.1", 80) == "127.0.0.1", 60)
    assert seen_as(lab, "netns exec out", "198.51.100.1") == "198.51.100.2"
    assert eventually(lambda: seen_as(lab, "netns exec out", "2001:db8::1", patience=5) == "2001:db8::2", 60)
    assert seen_as(lab, "netns exec lan", "192.0.2.1", patience=2) == ""
    assert seen_as(lab, "vrf exec blue", "198.51.100.1", patience=2) == ""
    drifts(lab, backend, plan)
    lab.kill(server)
    gone = lab.module("wiring", **plan, state="absent")
    assert "'blue' in the host stays, for br1 is in it." in str(gone["warnings"])
    lab.run("ip link del br1")
    lab.module("ns_route", state="absent", **TASKS[-1]["linuxnet.containers.ns_route"])
    settles(lab, "wiring", **plan, state="absent")
    assert lab.run(THERE).stdout == before


def drifts(lab: Lab, backend: str, plan: dict[str, Any]) -> None:
    """What somebody takes out of our rules for VRFs by hand is seen and put back."""
    by_hand = ["iptables -t nat -F LINUXNET-VRF", "iptables -F LINUXNET-CONFINE"]
    if backend == "nftables":
        table = "inet linuxnet_containers"
        by_hand = [f"nft flush chain {table} vrf_ports", f"nft flush set {table} vrf_internal"]
    for command in by_hand:
        rules = lab.run("nft -s list ruleset").stdout
        lab.run(command)
        settles(lab, "wiring", **plan)
        assert lab.run("nft -s list ruleset").stdout == rules, command
    assert seen_as(lab, "netns exec out", "198.51.100.1") == "198.51.100.2"
    assert not answers(lab, "one", "198.51.100.2")


@pytest.mark.needs("ping", "vrf", "nf_nat")
def test_a_network_goes_into_a_vrf_and_out_again_and_purge_takes_that(lab: Lab) -> None:
    """In place, so the bridge loses its IPv6 addresses on the way, and the steps behind that give them back."""
    outside(lab)
    lab.run("ip link add blue type vrf table 10 && ip link set blue up")
    network = {name: value for name, value in TENANT.items() if not name.startswith("vrf")}
    plan: dict[str, Any] = {"containers": [{**APP, "published_ports": ["198.51.100.1:8080:80"]}]}
    settles(lab, "wiring", networks=[network], **plan)
    for vrf in ("blue", ""):
        done = settles(lab, "wiring", networks=[{**network, "vrf": vrf}], **plan)
        steps = {one["step"] for one in done["results"] if one["changed"]}
        assert steps == {"bridge", "gateway", "publish"}
        assert [answers(lab, "app", address) for address in ("10.1.0.1", "fd00:1::1")] == [True, True]
        assert lab.ip("link show tenant")[0].get("master", "") == vrf
    settles(lab, "wiring", networks=[{**network, "vrf": "red", "vrf_table": "11"}], **plan)
    assert lab.ip("-d link show red")[0]["linkinfo"]["info_data"] == {"table": 11}
    settles(lab, "wiring", networks=[], containers=[], purge=True)
    assert [one["ifname"] for one in lab.ip("link show type vrf")] == ["blue"]  # which is somebody's


@pytest.mark.needs("vrf", "nf_nat")
@pytest.mark.parametrize("backend", ["nftables", "iptables"])
def test_where_forwarding_would_be_ours_it_is_refused(lab: Lab, backend: str) -> None:
    """The fence could not tell the network from what others have in the VRF. Nor is one let in where a fence stands."""
    lab.run("ip link add blue type vrf table 10 && ip link set blue up")
    plan = {**LISTED, "firewall_backend": backend}
    sentence = (
        "'tenant' in the host is in the vrf 'blue', where nothing is kept apart that was before: have the host itself switch forwarding on first "
        "(net.ipv4.ip_forward = 1)."
    )
    for check in (True, False):
        assert sentence in lab.fails("wiring", check=check, **plan)["msg"]
    assert lab.ip("link show type veth") == []
    assert lab.run("sysctl -n net.ipv4.ip_forward").stdout.strip() == "0"
    lab.module("wiring", networks=[BACK], containers=[DB], firewall_backend=backend)
    assert sentence in lab.fails("wiring", **plan)["msg"]
    lab.module("wiring", networks=[BACK, TENANT], containers=[DB, APP], state="absent")
    assert lab.ip("link show type bridge") == []
    assert [one["ifname"] for one in lab.ip("link show type vrf")] == ["blue"]


def test_a_vrf_that_is_not_there_is_named(lab: Lab) -> None:
    network = {name: value for name, value in TENANT.items() if name != "vrf_table"}
    with untouched(lab):
        failed = lab.fails("wiring", networks=[network], containers=[])["msg"]
    assert "bridge tenant: master: there is no vrf 'blue' in the host; linuxnet.containers.ns_link makes one." in failed
