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
from proofs import settles, untouched

PAGE = Path(__file__).resolve().parents[2] / "docs" / "networks.md"
[TEXT] = re.findall(r"^## In a VRF\n(.*?)(?=^## |\Z)", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
TASKS, LISTS = (yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL))
LISTED: dict[str, Any] = {name.partition("_")[2]: value for name, value in LISTS.items()}
BACK: dict[str, Any] = {"name": "back", "subnets": ["10.2.0.0/24"]}
DB = {"name": "db", "networks": [{"name": "back", "ipv4_address": "10.2.0.9"}]}


def answers(lab: Lab, client: str, address: str) -> bool:
    return lab.run(f"ip netns exec {client} ping -n -q -c 1 -W 2 {address}", check=False, timeout=300).rc == 0


def outside(lab: Lab) -> None:
    """A host with an uplink eth1, that forwards by itself; behind the uplink is ``out``."""
    lab.run(
        "sysctl -q -w net.ipv6.conf.default.addr_gen_mode=1 && ip netns add out && ip link add eth1 type veth peer name far netns out && "
        "ip link set eth1 up && ip link set lo up"
    )
    lab.run(
        "ip -n out link set far up && ip -n out addr add 198.51.100.2/24 dev far && ip -n out addr add 2001:db8::2/64 dev far nodad"
    )
    lab.run("ip -n out route add default via 198.51.100.1 && ip -n out -6 route add default via 2001:db8::1")


FORWARDS = "sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1"


@pytest.mark.needs("ping", "vrf", "nf_nat")
@pytest.mark.parametrize("backend", ["nftables", "iptables"])
def test_the_page_of_a_vrf(lab: Lab, backend: str) -> None:
    outside(lab)
    lab.run(FORWARDS)
    for task in TASKS:
        ((module, options),) = task.items()
        settles(lab, module.rpartition(".")[2], **options)
    there = "ip -br link; ip -br addr show dev eth1; ip route show table 10; ip rule; ip netns; nft list ruleset; sysctl net.ipv4.ip_forward"
    before = lab.run(there).stdout
    plan = {
        **LISTED,
        "networks": [*LISTED["networks"], BACK],
        "containers": [*LISTED["containers"], DB],
        "firewall_backend": backend,
    }
    settles(lab, "wiring", **plan)
    assert "10.1.0.0/24 dev tenant" in lab.run("ip route show table 10").stdout
    assert "10.1.0.0/24" not in lab.run("ip route").stdout
    for address in ("10.1.0.1", "fd00:1::1", "198.51.100.2", "2001:db8::2"):
        assert answers(lab, "app", address), address
    for client, address in (
        ("out", "10.1.0.9"),
        ("out", "fd00:1::9"),
        ("app", "10.2.0.9"),
        ("db", "10.1.0.9"),
        ("out", "10.2.0.9"),
    ):
        assert not answers(lab, client, address), (client, address)
    settles(lab, "wiring", **plan, state="absent")
    assert lab.run(there).stdout == before


@pytest.mark.needs("ping", "vrf", "nf_nat")
def test_a_network_goes_into_a_vrf_and_out_again(lab: Lab) -> None:
    """In place, so the bridge loses its IPv6 addresses on the way, and the steps behind that give them back."""
    outside(lab)
    lab.run(FORWARDS)
    lab.run("ip link add blue type vrf table 10 && ip link set blue up")
    [network] = LISTED["networks"]
    plan: dict[str, Any] = {"containers": LISTED["containers"]}
    settles(lab, "wiring", networks=[{**network, "vrf": None}], **plan)
    for vrf in ("blue", ""):
        done = settles(lab, "wiring", networks=[{**network, "vrf": vrf}], **plan)
        steps = {one["step"]: one["changed"] for one in done["results"] if one["changed"]}
        assert set(steps) == {"bridge", "gateway"}
        assert [answers(lab, "app", address) for address in ("10.1.0.1", "fd00:1::1")] == [True, True]
        assert lab.ip("link show tenant")[0].get("master", "") == vrf


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
    lab.module("wiring", networks=[BACK, *LISTED["networks"]], containers=[DB, *LISTED["containers"]], state="absent")
    assert lab.ip("link show type bridge") == []


def test_a_vrf_that_is_not_there_is_named(lab: Lab) -> None:
    with untouched(lab):
        failed = lab.fails("wiring", networks=LISTED["networks"], containers=[])["msg"]
    assert "bridge tenant: master: there is no vrf 'blue' in the host; linuxnet.containers.ns_link makes one." in failed
