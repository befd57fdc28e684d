# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host with a container of an engine that loses its power: the engine starts the container again, which is wired as it was. A story for each engine."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import restarted
from boots import Booted, new_disk
from engines import STATE, Engine
from lab import Lab
from proofs import comes
from restarted import AGAIN, KINDS, NAME

PROBED = [f"10.7.0.{n}" for n in range(2, 30)]
GIVEN: dict[str, Any] = {
    "networks": [{"name": "front", "subnets": ["10.7.0.0/24", "fd00:7::/64"], "ranges": ["10.7.0.2-10.7.0.29"]}],
    "persist": True,
}
# What of an engine is on its disk; what it has in /run is not.
DISK = (
    "usr/share/containers/oci usr/share/lxc/config etc/lxc run/engines/rootfs run/engines/lxc run/engines/docker/data "
    + " ".join(
        f"run/engines/podman/{one}" for one in ("root", "volumes", "networks", "containers.conf", "storage.conf")
    )
)


@dataclass
class Seen:
    """What was seen of a host that is up."""

    wired: list[str]
    status: dict[str, str]
    first: str
    noticed: dict[str, int]
    probed: int
    changed: bool


def attached(kind: str, lab: Lab, environment: dict[str, str]) -> Engine:
    """An engine that is there already."""
    engine = KINDS[kind].__new__(KINDS[kind])
    engine.lab, engine.state, engine.rootfs = lab, f"{STATE}/{engine.name}", f"{STATE}/rootfs"
    engine.environment = environment
    return engine


def seen(host: Booted, engine: Engine, kind: str) -> Seen:
    """All that is of interest. The container answers from outside by then, and has been probed for a while."""
    restarted.asked(host.lab)
    wired = restarted.settled(engine)
    before = int(host.lab.run("cat /run/prober", check=False).stdout or 0)
    comes(host.lab, f'[ "$(cat /run/prober)" -gt {before + 40} ]')
    changed = restarted.module(engine, **GIVEN, containers=[container(kind)])["changed"]
    noticed = {name: host.noticed(name) for name in ("outside", "beyond", NAME)}
    return Seen(wired, restarted.status(engine), restarted.first(engine), noticed, host.probed(), changed)


def container(kind: str) -> dict[str, Any]:
    return {"name": NAME, "engine": kind, "published_ports": [f"{restarted.PORT}:80"]}


def at_boot(lab: Lab, kind: str, engine: Engine) -> None:
    """Have the host start the engine, and the container, when it boots: with units of the disk."""
    lab.run(
        "cd /run/systemd/system && for one in *.service *.service.d; do [ ! -e $one ] || cp -a $one /etc/systemd/system/; done"
    )
    environment = "".join(f"Environment={name}={value}\n" for name, value in engine.environment.items())
    started = {"nspawn": "systemd-nspawn@web.service", "systemd": "web.service"}.get(kind, "start-web.service")
    needs = "After=network.target\n" + ("Requires=docker.service\nAfter=docker.service\n" if kind == "docker" else "")
    unit = f"[Unit]\n{needs}[Service]\nType=oneshot\nRemainAfterExit=yes\nKillMode=process\n{environment}ExecStart=/bin/sh -c {shlex.quote(AGAIN[kind])}\n"
    lab.run("cat >/etc/systemd/system/start-web.service", input=unit)
    wants = f"[Unit]\nWants={started}\n"
    folder = "/etc/systemd/system/multi-user.target.d"
    lab.run(f"mkdir -p {folder} && cat >{folder}/web.conf && systemctl daemon-reload", input=wants)


@pytest.fixture(scope="module", params=list(KINDS))
def story(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, needs: Callable[..., None]
) -> dict[str, Seen]:
    kind = request.param
    needs("systemd", "nft", "machined" if kind == "nspawn" else kind)
    disk = new_disk(tmp_path_factory.mktemp("disk") / "disk.tar", probed=PROBED, also=DISK)
    found = {}
    with disk.boots() as host:
        engine = KINDS[kind](host.lab)
        engine.start(NAME, command=restarted.command(engine))
        restarted.elsewhere(engine)
        at_boot(host.lab, kind, engine)
        restarted.module(engine, **GIVEN, containers=[container(kind)])
        found["wired"] = seen(host, engine, kind)
        if kind == "docker":  # which has its files open
            host.lab.run("systemctl stop docker.service wired-docker.service; sync")
        environment = engine.environment
    for boot in ("boot", "another boot"):
        with disk.boots() as host:
            engine = attached(kind, host.lab, environment)
            found[boot] = seen(host, engine, kind)
            if kind == "docker":
                host.lab.run("systemctl stop docker.service wired-docker.service; sync")
    return found


@pytest.mark.parametrize("boot", ["boot", "another boot"])
def test_it_is_as_it_was_and_the_role_has_nothing_to_do(story: dict[str, Seen], boot: str) -> None:
    """Addresses, MAC addresses, names, rules and sysctls; but for the cables, which get new addresses of their own."""
    before, after = (
        [line for line in story[one].wired if ' address "' not in line or not line.startswith(CABLES)]
        for one in ("wired", boot)
    )
    assert after == before
    assert story[boot].status == {"front": "as kept", NAME: "as kept"}
    assert story[boot].changed is False


CABLES = ("link lan", "link uplink", "[outside] link eth0", "[beyond] link eth0")


@pytest.mark.parametrize("boot", ["wired", "boot", "another boot"])
def test_nobody_got_in_at_any_moment(story: dict[str, Seen], boot: str) -> None:
    assert story[boot].probed > 40
    assert set(story[boot].noticed.values()) == {0}
