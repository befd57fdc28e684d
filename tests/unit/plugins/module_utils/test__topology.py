# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A wiring as a picture in text."""

from __future__ import annotations

from ansible_collections.linuxnet.containers.plugins.module_utils._topology import text


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
