# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A wiring as a picture in text."""

from __future__ import annotations

from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.report import result, text


def interface(bridge, host, *addresses):
    return {"name": "eth0", "host_interface": host, "bridge": bridge, "addresses": list(addresses)}


def test_the_picture():
    wiring = {
        "web": {"network_mode": "bridge", "interfaces": [interface("docker0", "v0", "172.17.0.2/16", "fd00:17::2/64")]},
        "db": {"network_mode": "bridge", "interfaces": [interface("docker0", "v1", "172.17.0.3/16")]},
        "job": {"network_mode": "bridge", "interfaces": [interface("other", "v2")]},
        "alone": {"network_mode": "none", "interfaces": []},
    }
    networks = [
        {"name": "docker0", "subnets": ["172.17.0.0/16", "fd00:17::/64"]},
        {"name": "empty", "subnets": ["10.1.0.0/24"]},
        {"name": "gone", "subnets": ["10.2.0.0/24"], "state": "absent"},
    ]
    assert text(wiring, networks) == (
        "host\n"
        "├─ docker0  172.17.0.0/16, fd00:17::/64\n"
        "│  ├─ v0 ─── eth0 in web  172.17.0.2/16  fd00:17::2/64\n"
        "│  └─ v1 ─── eth0 in db  172.17.0.3/16\n"
        "├─ empty  10.1.0.0/24\n"
        "└─ other\n"
        "   └─ v2 ─── eth0 in job\n"
        "alone  (none: only lo)\n"
    )


def test_nothing_is_a_host():
    assert text({}) == "host\n"


def test_the_result_is_put_together_by_container():
    results = {
        "netns": [{"after": {"name": "web", "path": "/run/netns/web"}}, {"after": {"name": "alone", "path": "/run/netns/alone"}}],
        "veth": [
            {"after": {"peer_netns": "web", "peer_name": "eth0", "name": "v0", "bridge": "br0", "peer_mac": "m", "peer_mtu": 1500}},
            {"after": {}},
        ],
        "address": [
            {"after": {"netns": "web", "interface": "eth0", "address": "10.0.0.2/24", "gateway": "10.0.0.1"}},
            {"failed": True},
        ],
        "route": [
            {"after": {"netns": "web", "destination": "default", "gateway": "10.0.0.1", "interface": "eth0", "metric": 0, "table": "main"}}
        ],
    }  # fmt: skip
    found = result(results)
    assert found["web"] == {
        "netns": "web",
        "path": "/run/netns/web",
        "network_mode": "bridge",
        "interfaces": [
            {
                "name": "eth0", "host_interface": "v0", "bridge": "br0", "mac": "m", "mtu": 1500,
                "addresses": ["10.0.0.2/24"], "gateways": ["10.0.0.1"],
            }
        ],
        "routes": [{"destination": "default", "gateway": "10.0.0.1", "interface": "eth0", "metric": 0}],
        "published_ports": [],
    }  # fmt: skip
    assert (found["alone"]["network_mode"], found["alone"]["interfaces"]) == ("none", [])
