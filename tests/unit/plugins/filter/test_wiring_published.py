# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter wiring_published: addresses in place of the references of a plan."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.linuxnet.containers.plugins.filter.wiring_published import FilterModule

published = FilterModule().filters()["wiring_published"]
ITEMS = [{"type": "dnat", "to_address": "web/eth0/ipv4"}, {"source": "10.0.0.0/24"}]


def test_addresses_are_filled_in() -> None:
    address = {"netns": "web", "interface": "eth0", "family": "ipv4", "ip": "10.0.0.2"}
    assert published(ITEMS, [{"after": address}]) == [{"type": "dnat", "to_address": "10.0.0.2"}, ITEMS[1]]


def test_a_container_without_an_address_is_ansible_s_error() -> None:
    with pytest.raises(AnsibleFilterError, match=r"^published_ports: container 'web' got no ipv4 address on eth0\.$"):
        published(ITEMS, [])


def test_where_not_all_got_one_the_others_are_filled_in() -> None:
    items = [*ITEMS, {"type": "dnat", "to_address": "db/eth0/ipv6"}]
    address = {"netns": "web", "interface": "eth0", "family": "ipv4", "ip": "10.0.0.2"}
    found = published(items, [{"after": address}, {"failed": True, "msg": "No."}], partly=True)
    assert [one.get("to_address") for one in found] == ["10.0.0.2", None, "db/eth0/ipv6"]
