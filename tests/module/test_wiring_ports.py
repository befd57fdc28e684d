# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ports of a network's bridge that are no container's, with traffic: what an uplink opens, and to whom; VLANs on it, as tagged packets; and what
docs/networks.md tells people to do.
"""

from __future__ import annotations

import sys
from typing import Any

import pages
import pytest
import yaml
from lab import Lab
from proofs import settles, untouched


def blocks(title: str) -> list[Any]:
    """What is in the blocks of YAML of a section."""
    return [block.loaded() for block in pages.blocks("docs/networks.md") if block.section == title]


def lists(title: str) -> dict[str, Any]:
    """The lists of a section's first block, as the module ``wiring`` has them."""
    return {name.partition("_")[2]: value for name, value in blocks(title)[0].items()}


def answers(lab: Lab, client: str, address: str) -> bool:
    """Whether an address answers a ping of a namespace's, ``""`` for the host, soon; who cannot be asked at all answers nobody."""
    where = f"ip netns exec {client} " if client else ""
    return lab.run(f"{where}ping -n -q -c 1 -W 2 {address}", check=False, timeout=300).rc == 0


def switch(lab: Lab) -> None:
    """A host with an uplink eth1, and behind that ``lan``."""
    lab.run(
        "ip netns add lan && ip link add eth1 type veth peer name far netns lan && ip link set eth1 addrgenmode none up && "
        "ip link set lo up && ip -n lan link set lo up && ip -n lan link set far addrgenmode none up"
    )


@pytest.fixture(name="host")
def host_with_an_uplink(lab: Lab) -> Lab:
    switch(lab)
    return lab


PLANT: dict[str, Any] = {"name": "plant", "subnets": ["192.0.2.0/24"], "ports": [{"interface": "eth1"}]}
OTHER: dict[str, Any] = {"name": "other", "subnets": ["10.7.0.0/24"]}
BOX = {"name": "box", "networks": [{"name": "plant", "ipv4_address": "192.0.2.66"}]}
INNER = {"name": "inner", "networks": [{"name": "other", "ipv4_address": "10.7.0.9"}]}


@pytest.mark.needs("ping")
def test_the_page_of_an_uplink(host: Lab) -> None:
    before = host.snapshot()
    told = lists("An uplink as a port")
    done = settles(host, "wiring", **told)
    assert "ip link set eth1 master plant" in done["commands"]
    host.run("ip -n lan addr add 192.0.2.9/24 dev far")
    [address] = host.ip("-n sensor addr show eth0")[0]["addr_info"]
    assert 64 <= int(address["local"].rpartition(".")[2]) < 80
    assert answers(host, "lan", address["local"])
    assert answers(host, "lan", "192.0.2.3")
    assert host.run("ip -n lan addr del 192.0.2.9/24 dev far").rc == 0
    settles(host, "wiring", **told, state="absent")
    assert host.snapshot() == before


@pytest.mark.needs("ping", "nf_nat")
@pytest.mark.parametrize("backend", ["nftables", "iptables"])
def test_what_an_uplink_opens_and_what_not(host: Lab, backend: str) -> None:
    """Who is behind it meets the containers and the host of the network, and no other network; the containers are seen under their own addresses."""
    wired = settles(host, "wiring", networks=[PLANT, OTHER], containers=[BOX, INNER], firewall_backend=backend)
    assert not any("warnings" in one for one in wired["results"])
    host.run("ip -n lan addr add 192.0.2.9/24 dev far && ip -n lan route add default via 192.0.2.1")
    assert answers(host, "lan", "192.0.2.66")
    assert answers(host, "lan", "192.0.2.1")
    assert answers(host, "lan", "10.7.0.1")
    assert not answers(host, "lan", "10.7.0.9")
    assert not answers(host, "inner", "192.0.2.9")
    host.run("ip -n lan addr add 203.0.113.1/32 dev lo && ip route add 203.0.113.1/32 via 192.0.2.9")
    assert not answers(host, "inner", "192.0.2.9"), "another network is closed, whoever is behind its ports"
    seen = host.run(
        f"ip netns exec lan {sys.executable} -c "
        "'import socket; s = socket.create_server((\"192.0.2.9\", 7)); s.settimeout(60); print(s.accept()[1][0])' & "
        "server=$!; while ! ip netns exec box bash -c 'echo > /dev/tcp/192.0.2.9/7' 2> /dev/null; do sleep 0.1; done; wait $server",
        timeout=120,
    )
    assert seen.stdout.strip() == "192.0.2.66"


@pytest.mark.needs("ping", "br_netfilter")
def test_with_icc_off_and_br_netfilter_the_uplink_is_closed_as_well(host: Lab) -> None:
    host.run("sysctl -q -w net.bridge.bridge-nf-call-iptables=1")
    settles(host, "wiring", networks=[{**PLANT, "icc": False}], containers=[BOX])
    host.run("ip -n lan addr add 192.0.2.9/24 dev far")
    assert not answers(host, "lan", "192.0.2.66")
    assert answers(host, "lan", "192.0.2.1")


@pytest.mark.needs("ping")
def test_with_icc_off_containers_meet_the_uplink_and_not_each_other(host: Lab) -> None:
    second = {"name": "second", "networks": [{"name": "plant", "ipv4_address": "192.0.2.67"}]}
    host.run("sysctl -q -w net.bridge.bridge-nf-call-iptables=0", check=False)
    settles(host, "wiring", networks=[{**PLANT, "icc": False}], containers=[BOX, second])
    host.run("ip -n lan addr add 192.0.2.9/24 dev far")
    assert answers(host, "lan", "192.0.2.66")
    assert answers(host, "lan", "192.0.2.67")
    assert not answers(host, "box", "192.0.2.67")
    apart = {**PLANT, "icc": False, "ports": [{"interface": "eth1", "isolated": True}]}
    settles(host, "wiring", networks=[apart], containers=[BOX, second])
    assert not answers(host, "lan", "192.0.2.66")
    assert answers(host, "lan", "192.0.2.1")


def test_a_port_goes_from_one_network_to_another_and_is_free_at_last(host: Lab) -> None:
    before = host.snapshot()
    settles(host, "wiring", networks=[PLANT, OTHER], containers=[])
    bare = {**PLANT, "ports": []}
    done = host.module("wiring", networks=[bare, OTHER], containers=[])
    assert not done["changed"], "who put it there nobody knows"
    gone = {**PLANT, "ports": [{"interface": "eth1", "state": "absent"}]}
    settles(host, "wiring", networks=[gone, {**OTHER, "ports": [{"interface": "eth1"}]}], containers=[])
    assert host.ip("link show eth1")[0]["master"] == "other"
    settles(
        host, "wiring", networks=[bare, {**OTHER, "ports": [{"interface": "eth1", "state": "absent"}]}], containers=[]
    )
    assert "master" not in host.ip("link show eth1")[0]
    settles(host, "wiring", networks=[PLANT, OTHER], containers=[])
    kept = host.module("wiring", networks=[{**bare, "state": "absent"}], containers=[])
    assert "there are ports on it that nothing here removes: eth1." in str(kept["warnings"])
    settles(host, "wiring", networks=[PLANT, OTHER], containers=[], state="absent")
    assert host.snapshot() == before


def test_an_uplink_that_somebody_needs_as_it_is_stays(host: Lab) -> None:
    host.run(
        "ip addr add 198.51.100.77/24 dev eth1 && ip link add vmbr0 type bridge && ip link set vmbr0 up addrgenmode none"
    )
    plan: dict[str, Any] = {"networks": [PLANT], "containers": [BOX]}
    sentence = (
        "Failed: network 'plant' at step bridge_port: bridge port eth1: interface: 'eth1' in the host has the address 198.51.100.77/24, "
        "by which the host is not reached once it is a port; give that to 'plant', or take it away, first."
    )
    for check in (True, False):
        assert host.fails("wiring", check=check, **plan)["msg"] == sentence
    assert answers(host, "box", "192.0.2.1"), "the containers have their network all the same"
    host.run("ip addr del 198.51.100.77/24 dev eth1 && ip link set eth1 master vmbr0")
    assert "is a port of 'vmbr0', which is somebody else's" in host.fails("wiring", **plan)["msg"]
    assert host.ip("link show eth1")[0]["master"] == "vmbr0"
    theirs: dict[str, Any] = {
        "networks": [{"name": "vmbr0", "addressing": "none", "ports": [{"interface": "eth1"}]}],
        "containers": [],
    }
    assert "bridge: 'vmbr0' in the host was here before" in host.fails("wiring", **theirs)["msg"]
    host.module("wiring", **theirs, state="absent")
    assert host.ip("link show eth1")[0]["master"] == "vmbr0"


# --- VLANs ---

# Listens in ``lan`` on the wire itself while the rest of the arguments run, and prints (VLAN or 0, source, destination) of what came of ICMP, once each.
WIRETAP = """
import json, socket, struct, subprocess, sys
tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
tap.bind(("far", 3))
tap.setsockopt(263, 8, 1)  # SOL_PACKET, PACKET_AUXDATA: the tag, which the kernel takes out of a frame
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
seen = set()
tap.setblocking(False)
while True:
    try:
        frame, told, *_ = tap.recvmsg(2048, socket.CMSG_SPACE(20))
    except BlockingIOError:
        break
    status, _, _, _, _, tci, _ = struct.unpack("IIIHHHH", told[0][2])
    tag = tci & 0xFFF if status & 0x10 else 0  # TP_STATUS_VLAN_VALID
    if frame[12:14] == b"\\x08\\0" and frame[23] == 1:
        seen.add((tag, socket.inet_ntoa(frame[26:30]), socket.inet_ntoa(frame[30:34])))
print(json.dumps([done.returncode, sorted(seen)]))
"""


def on_the_wire(lab: Lab, client: str, address: str) -> Any:
    """Whether an address answers, and what was seen behind the uplink meanwhile."""
    ping = f"ip netns exec {client} ping -n -q -c 1 -W 5 {address}".split()
    told = lab.run(["ip", "netns", "exec", "lan", sys.executable, "-c", WIRETAP, *ping], timeout=300).stdout
    code, seen = yaml.safe_load(told)
    return code == 0, seen


@pytest.mark.needs("ping", "vlan", "vlan_filtering")
def test_the_page_of_vlans(host: Lab) -> None:
    there = "ip -br link; ip -br addr; bridge vlan; ip netns; nft list ruleset"
    before = host.run(there).stdout
    told = lists("VLANs")
    settles(host, "wiring", **told)
    host.run("for vid in 10 20 30; do ip -n lan link add link far name far.$vid type vlan id $vid; done")
    host.run(
        "for vid in 10 20 30; do ip -n lan addr add 10.10.0.1$vid/24 dev far.$vid; ip -n lan link set far.$vid up; done"
    )
    host.run("ip -n lan addr add 10.10.0.101/24 dev far")

    def reached(vid: int, address: str) -> bool:
        device = f"far.{vid}" if vid else "far"
        return answers(host, "lan", f"-I {device} {address}")

    assert on_the_wire(host, "red", "10.10.0.110") == (
        True,
        [[10, "10.10.0.10", "10.10.0.110"], [10, "10.10.0.110", "10.10.0.10"]],
    )
    found = {vid: [reached(vid, f"10.10.0.{who}") for who in (10, 20, 1)] for vid in (10, 20, 30, 0)}
    assert found == {10: [True, False, True], 20: [False, True, False], 30: [False] * 3, 0: [False] * 3}
    assert answers(host, "red", "10.10.0.1")
    assert not answers(host, "blue", "10.10.0.1")
    assert not answers(host, "red", "10.10.0.20")
    for task in blocks("VLANs")[1]:
        (module, options) = list(task.items())[1]
        settles(host, module.rpartition(".")[2], **options)
    host.run("ip -n blue addr add 10.20.0.2/24 dev eth0")
    assert answers(host, "blue", "10.20.0.1")
    settles(host, "wiring", **told, state="absent")
    assert host.run(there).stdout == before


@pytest.mark.needs("vlan_filtering")
def test_vlans_that_are_not_listed_any_more_go(host: Lab) -> None:
    told = lists("VLANs")
    settles(host, "wiring", **told)
    told["networks"][0]["ports"][0]["vlans"] = [{"vid": 20}]
    done = settles(host, "wiring", **told)
    assert "bridge vlan del dev eth1 vid 10" in done["commands"]
    host.run("bridge vlan add dev eth1 vid 30; bridge vlan add dev trunk vid 30 self")
    assert {"bridge vlan del dev eth1 vid 30", "bridge vlan del dev trunk vid 30 self"} <= {
        *settles(host, "wiring", **told)["commands"]
    }


@pytest.mark.with_or_without("vlan_filtering")
def test_a_kernel_that_filters_no_vlans_is_said_to_lack_it(host: Lab) -> None:
    works = host.run("ip link add probe type bridge vlan_filtering 1 && ip link del probe", check=False).rc == 0
    told = lists("VLANs")
    if works:
        settles(host, "wiring", **told)
        return
    with untouched(host):
        message = host.fails("wiring", networks=told["networks"], containers=[])["msg"]
    assert "this kernel lacks the feature" in message
