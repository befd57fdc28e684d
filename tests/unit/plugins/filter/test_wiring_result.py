# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter wiring_result; what it sums up is tested in module_utils/_wiring/test_report.py."""

from __future__ import annotations

from ansible_collections.linuxnet.containers.plugins.filter.wiring_result import FilterModule

result = FilterModule().filters()["wiring_result"]


def test_it_sums_up_by_container() -> None:
    netns = {"netns": [{"after": {"name": "web", "path": "/run/netns/web"}}]}
    join = {"join": [{"after": {"name": "side", "path": "/run/netns/side"}}]}
    assert {name: one["network_mode"] for name, one in result(netns).items()} == {"web": "none"}
    both = result({**netns, **join}, [{"name": "side", "share": "web"}])
    assert {name: one["network_mode"] for name, one in both.items()} == {"web": "none", "side": "container:web"}
