# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Containers of every engine on the segment of an interface of the host: wired, started again, taken down; and a host that keeps such a wiring."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import restarted
from boots import new_disk
from engines import Engine
from lab import Lab

FAR, ROUTER = "198.51.100.9", "10.255.0.1/32"
DRIVERS = ["macvlan", pytest.param("ipvlan", marks=pytest.mark.needs("ipvlan"))]


def segment(lab: Lab) -> None:
    """An interface on a segment with one machine, which is the gateway as well."""
    lab.run(
        f"ip netns add far && ip link add eth1 type veth peer name eth0 netns far && ip -n far addr add {FAR}/24 dev eth0 && "
        "ip -n far link set eth0 up && ip link set eth1 up"
    )


def network(driver: str, parent: str = "eth1", gateway: str = FAR) -> dict[str, Any]:
    subnet = gateway.rpartition(".")[0] + ".0/24"
    return {"name": "lan", "driver": driver, "parent": parent, "subnets": [subnet], "gateways": [gateway]}


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_container_of_each_engine_is_on_the_segment(engine: Engine, driver: str) -> None:
    lab = engine.lab
    segment(lab)
    before = lab.snapshot()
    for name in ("web", "db"):
        engine.start(name)
    kind = {"machined": "nspawn"}.get(engine.name, engine.name)
    given: dict[str, Any] = {
        "networks": [network(driver)],
        "containers": [
            {"name": "web", "engine": kind, "loopback_addresses": [ROUTER]},
            {"name": "db", "engine": kind},
        ],
    }

    def wired(**more: Any) -> dict[str, Any]:
        return restarted.module(engine, **given, **more)

    assert wired()["changed"]
    assert not wired()["changed"]
    for name in ("web", "db"):
        assert engine.run_in(name, ["ping", "-c1", "-W20", FAR]).rc == 0
    had = engine.run_in("web", ["ip", "addr", "show", "eth0"]).stdout.split("inet ")[1].split()[0]
    assert ROUTER in engine.run_in("web", ["ip", "addr", "show", "lo"]).stdout
    assert engine.run_in("db", ["ping", "-c1", "-W20", had.partition("/")[0]]).rc == 0
    engine.restart("web")
    assert wired()["changed"]
    assert had in engine.run_in("web", ["ip", "addr", "show", "eth0"]).stdout, "it has its address again"
    assert ROUTER in engine.run_in("web", ["ip", "addr", "show", "lo"]).stdout
    assert engine.run_in("web", ["ping", "-c1", "-W20", FAR]).rc == 0
    assert not wired()["changed"]
    assert wired(state="absent")["changed"]
    assert not wired(state="absent")["changed"]
    left = engine.run_in("web", ["ip", "addr"]).stdout
    assert "eth0" not in left
    assert ROUTER not in left
    for name in ("web", "db"):
        engine.remove(name)
    assert lab.snapshot() == before
    lab.run("ip netns del far")


def test_a_host_keeps_it(tmp_path: Path, needs: Callable[..., None]) -> None:
    """The parent is there when the host has started, and so is what is on it."""
    needs("systemd")
    disk = new_disk(tmp_path / "disk.tar")
    given: dict[str, Any] = {
        "networks": [network("macvlan", "uplink", "192.0.2.99")],
        "containers": [{"name": "web"}],
        "persist": True,
    }
    with disk.boots() as booted:
        booted.lab.module("wiring", **given)
        had = booted.lab.ip("-n web addr show eth0")[0]["addr_info"][0]["local"]
    with disk.boots() as booted:
        status = booted.lab.run("wired status").stdout.splitlines()
        assert [line.split()[:4] for line in status] == [
            ["network", "lan", "as", "kept"],
            ["container", "web", "as", "kept"],
        ]
        assert booted.lab.ip("-n web addr show eth0")[0]["addr_info"][0]["local"] == had
        assert booted.lab.run("ip netns exec web ping -n -q -c 1 -W 20 192.0.2.99", check=False).rc == 0
        assert booted.lab.run("wired diff").stdout == ""
