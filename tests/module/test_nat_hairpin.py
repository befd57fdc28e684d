# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nat, type dnat, on somebody else's bridge: what is switched on in passing goes with the last port, unless it was on before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from wires import BACKENDS, LEGACY, Host

WEB, WEB6, DB = "10.9.0.2", "fd09::2", "10.9.0.3"
PORT: dict[str, Any] = {"type": "dnat", "host_port": "8080", "to_port": "80", "to_address": WEB, "owner": "web"}
PORT6: dict[str, Any] = {**PORT, "to_address": WEB6}
OTHER: dict[str, Any] = {**PORT, "host_port": "8081", "to_address": DB, "owner": "db"}


@pytest.fixture(autouse=True)
def street(host: Host, needs: Callable[..., None]) -> None:
    needs("nft", "nf_tables", "nf_nat")
    host.bridge("br0", "10.9.0.1/24", "fd09::1/64")
    host.container("web", f"{WEB}/24", f"{WEB6}/64")
    host.container("db", f"{DB}/24", "fd09::3/64")


def bent(host: Host) -> list[str]:
    """The ports that have hairpin."""
    return [
        name for name in ("web-eth0", "db-eth0") if "hairpin on" in host.run(f"bridge -d link show dev {name}").stdout
    ]


@pytest.mark.parametrize("backend", [*BACKENDS, LEGACY], indirect=True)
def test_hairpin_goes_with_the_last_port_that_needs_it(host: Host, backend: str) -> None:
    before = host.snapshot()
    for one in (PORT6, PORT, OTHER):
        host.settles("nat", backend=backend, **one)
    assert bent(host) == ["web-eth0", "db-eth0"]
    host.settles("nat", backend=backend, state="absent", **PORT)
    assert bent(host) == ["web-eth0", "db-eth0"], "the other address of the container has a port yet"
    gone = host.settles("nat", backend=backend, state="absent", **PORT6)
    assert "bridge link set dev web-eth0 hairpin off" in gone["commands"]
    assert bent(host) == ["db-eth0"]
    host.settles("nat", state="absent", type="dnat", owner="db")
    assert host.snapshot() == before


@pytest.mark.parametrize("backend", BACKENDS, indirect=True)
def test_hairpin_of_somebody_else_stays_as_it_is(host: Host, backend: str) -> None:
    host.run("bridge link set dev web-eth0 hairpin on")
    before = host.snapshot()
    host.settles("nat", backend=backend, aggregate=[PORT, PORT6, OTHER])
    host.settles("nat", backend=backend, state="absent", aggregate=[PORT, PORT6, OTHER])
    assert host.snapshot() == before
    host.module("nat", backend=backend, aggregate=[PORT, OTHER])
    host.run("bridge link set dev db-eth0 hairpin off")
    assert host.settles("nat", backend=backend, **OTHER)["commands"] == ["bridge link set dev db-eth0 hairpin on"]
    host.settles("nat", backend=backend, state="absent", aggregate=[PORT, OTHER])
    assert host.snapshot() == before


@pytest.mark.parametrize(("first", "second"), [("nftables", "iptables"), ("iptables", "nftables")])
def test_what_is_noted_moves_with_the_ports(host: Host, first: str, second: str) -> None:
    before = host.snapshot()
    host.module("nat", backend=first, aggregate=[PORT, PORT6, OTHER])
    host.settles("nat", backend=second, aggregate=[PORT, PORT6])
    assert bent(host) == ["web-eth0", "db-eth0"]
    host.settles("nat", backend=second, **OTHER)
    host.settles("nat", backend=second, state="absent", aggregate=[PORT, PORT6, OTHER])
    assert host.snapshot() == before


def test_the_commands_leave_nothing_to_do(host: Host) -> None:
    """Those of the second address family know of what the first one noted."""
    host.use("iptables")
    for one in (PORT, OTHER, PORT6):
        for command in host.module("nat", backend="iptables", check=True, **one)["commands"]:
            host.run(command)
        assert host.module("nat", backend="iptables", **one)["changed"] is False
    for command in host.module("nat", state="absent", type="dnat", owner="web", check=True)["commands"]:
        host.run(command)
    assert host.module("nat", state="absent", type="dnat", owner="web")["changed"] is False
    assert bent(host) == ["db-eth0"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("how", ["absent", "purge"])
def test_a_network_on_somebody_else_s_bridge_leaves_it_as_it_was(host: Host, backend: str, how: str) -> None:
    """A container that another engine wired, whose port the role publishes by hand."""
    before = host.snapshot()
    networks = [{"name": "br0", "unmanaged": True, "subnets": ["10.9.0.0/24"]}]
    wiring: dict[str, Any] = {"networks": networks, "containers": [{"name": "c1", "published_ports": ["8082:80"]}]}
    host.module("wiring", firewall_backend=backend, **wiring)
    host.module("nat", backend=backend, **PORT)
    assert bent(host) == ["web-eth0"]
    if how == "absent":
        host.module("wiring", state="absent", **wiring)
    else:
        host.module("wiring", firewall_backend=backend, networks=networks, containers=[], purge=True)
        host.module("wiring", state="absent", networks=networks, containers=[])
    host.module("nat", backend=backend, state="absent", **PORT)
    host.run("ip netns delete c1", check=False)
    assert bent(host) == []
    assert host.snapshot() == before
