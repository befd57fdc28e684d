# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Twenty at once for the same thing: one does it, all others find it done; and the lock is nobody's but root's."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from proofs import comes
from wires import Host, together

RUNS = 20
LOCK = "/run/linuxnet-containers.lock"
HOLD = "import fcntl, sys, time; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); time.sleep(100000)"
ITEMS: list[tuple[str, dict[str, Any]]] = [
    ("bridge", {"name": "br0"}),
    ("veth", {"peer_netns": "web", "name": "web0"}),
    ("netns", {"name": "new"}),
    ("bridge_port", {"bridge": "bridge", "interface": "port", "hairpin": True}),
    ("ns_route", {"destination": "10.9.0.0/16", "interface": "bridge"}),
]
TUNNEL = (
    "ns_link",
    {"name": "vx0", "kind": "vxlan", "vni": 42, "local": "10.0.0.1", "peers": ["10.0.0.2", "10.0.0.3"]},
)
# What has to be said of each other kind of link.
KINDS: dict[str, dict[str, Any]] = {
    "dummy": {},
    "ipvlan": {"parent": "port"},
    "macvlan": {"parent": "port"},
    "vlan": {"parent": "port", "vlan_id": 5, "enabled": False},
    "vrf": {"table": 10},
}
LINKS = [
    pytest.param("ns_link", {"name": "m0", "kind": kind, "netns": "web", **more}, marks=pytest.mark.needs(kind))
    for kind, more in KINDS.items()
]
ALL = [
    *ITEMS,
    pytest.param(*TUNNEL, marks=pytest.mark.needs("vxlan")),
    *LINKS,
]
PARENTS = (
    "ip netns add web; ip link add bridge type bridge; ip link set bridge up; ip link add port type veth peer name far"
)


@pytest.mark.parametrize(("module", "item"), ALL)
def test_of_twenty_at_once_exactly_one_changes_it(host: Host, module: str, item: dict[str, Any]) -> None:
    host.run(PARENTS)
    for state in ("present", "absent"):
        done = together(host, module, [{**item, "state": state}] * RUNS)
        assert [one["msg"] for one in done if one.get("failed")] == []
        assert sum(one["changed"] for one in done) == 1, state


@pytest.mark.parametrize(("module", "item"), ALL)
def test_present_against_absent_ends_as_one_of_them(host: Host, module: str, item: dict[str, Any]) -> None:
    host.run(PARENTS)
    done = together(host, module, [{**item, "state": ("present", "absent")[turn % 2]} for turn in range(RUNS)])
    assert [one["msg"] for one in done if one.get("failed")] == []


def test_who_locks_the_namespace_s_own_file_stops_nobody(host: Host) -> None:
    """As anybody may, and a container that shares the host's network."""
    host.run(PARENTS)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    host.spawn([*nobody, sys.executable, "-c", HOLD, "/proc/self/ns/net"])
    comes(host, "grep -q FLOCK /proc/locks")
    for module, item in ITEMS:
        assert host.module(module, **item)["changed"]
    assert host.module("ns_address", interface="br0", address="10.0.0.1/24")["changed"]


def test_nobody_else_can_open_the_lock(host: Host) -> None:
    host.module("bridge", name="br0")
    assert host.run(f"stat -c '%a %u' {LOCK}").stdout == "600 0\n"
    opened = host.run(
        f"setpriv --reuid=65534 --regid=65534 --clear-groups {sys.executable} -c 'open(\"{LOCK}\")'", check=False
    )
    assert "PermissionError" in opened.stderr
