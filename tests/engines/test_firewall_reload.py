# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host that keeps its wiring beside a real firewalld, whose backend takes all rules of iptables with it when it reads its own again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from boots import Booted, new_disk
from proofs import comes

LISTENER = "/etc/systemd/system/wired-firewalld.service"
UNITS = {
    # As Debian's.
    "firewalld.service": "[Unit]\nAfter=dbus.service\nBefore=network-pre.target\n[Service]\nType=dbus\nBusName=org.fedoraproject.FirewallD1\n"
    "ExecStart=/usr/sbin/firewalld --nofork --nopid\nExecReload=/bin/kill -HUP $MAINPID\nStandardError=null\n",
}
GIVEN: dict[str, Any] = {
    "networks": [{"name": "front", "subnets": ["10.7.0.0/24"]}],
    "containers": [
        {"name": "web", "networks": [{"name": "front", "ipv4_address": "10.7.0.2"}], "published_ports": ["8080:80"]}
    ],
    "persist": True,
    "firewall_backend": "iptables",
}
OURS = "iptables -t nat -S | grep -q 'dport 8080 .*10.7.0.2'"


@pytest.fixture
def host(tmp_path_factory: pytest.TempPathFactory, needs: Callable[..., None]) -> Iterator[Booted]:
    needs("systemd", "firewalld", "iptables")
    with new_disk(tmp_path_factory.mktemp("disk") / "disk.tar", units=UNITS).boots() as host:
        host.lab.run(
            "mkdir -p /etc/firewalld && printf 'DefaultZone=public\\nFirewallBackend=iptables\\n' >/etc/firewalld/firewalld.conf"
        )
        host.lab.run("systemctl start firewalld.service && firewall-cmd --state")
        yield host


@pytest.mark.parametrize(
    "reload", ["firewall-cmd --reload", "firewall-cmd --complete-reload", "systemctl reload firewalld.service"]
)
def test_what_firewalld_takes_when_it_is_told_to_read_its_rules_again_comes_back(host: Booted, reload: str) -> None:
    lab = host.lab
    assert lab.module("wiring", **GIVEN)["changed"]
    assert lab.module("wiring", **GIVEN)["changed"] is False
    assert host.state("wired-firewalld.service") == "active success"
    for dummy in range(2):
        lab.run(OURS)
        wired = host.wired().count("all is wired")
        lab.run(reload)
        comes(lab, f'[ "$(grep -c "all is wired" /run/wired.log)" -gt {wired} ] && {OURS}')
        comes(lab, "! systemctl list-jobs --no-legend | grep -q .")
    assert lab.module("wiring", **GIVEN)["changed"] is False
    lab.module("wiring", **{**GIVEN, "persist": False})
    assert lab.run(f"test -e {LISTENER}", check=False).rc
    assert host.state("wired-firewalld.service").startswith("inactive")
