# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter topology; what it draws is tested in module_utils/_wiring/test_report.py."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.linuxnet.containers.plugins.filter.topology import FilterModule

topology = FilterModule().filters()["topology"]


def test_it_draws() -> None:
    assert topology({}) == "host\n"
    assert topology({}, [{"name": "br0", "subnets": ["10.0.0.0/24"]}]) == "host\n└─ br0  10.0.0.0/24\n"


def test_the_subnets_are_those_of_the_networks_however_they_are_spelled() -> None:
    networks = [{"name": "br0", "subnets": "10.0.0.0/24, fd00::/64", "state": None}]
    assert topology({}, networks) == "host\n└─ br0  10.0.0.0/24, fd00::/64\n"
    assert topology({}, None) == topology({}, []) == "host\n"


def test_networks_that_are_none_are_ansible_s_error() -> None:
    with pytest.raises(AnsibleFilterError, match=r"^wiring_networks: "):
        topology({}, ["br0"])
