# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The twin in memory and the running kernel pass the very same cases, so that what holds for the one holds for the other.

The cases are in tests/unit/contract_*.py. For the running kernel that program is run in a lab host.
"""

from __future__ import annotations

import functools
import json
import re
import sys
from collections.abc import Callable

import pytest
from ansible_collections.linuxnet.containers.tests.unit import (
    contract_addresses,
    contract_links,
    contract_parents,
    contract_shapes,
    contract_tunnels,
)
from ansible_collections.linuxnet.containers.tests.unit.kernel_contract import CASES
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel
from lab import Lab, collections_root

pytestmark = pytest.mark.both_ends
# Importing them adds their cases.
CONTRACTS = (contract_addresses, contract_links, contract_parents, contract_shapes, contract_tunnels)
NEEDS = {
    "a_rule_is_replaced_in_its_place": ["nft", "nf_nat"],
    "vlans_of_a_port": ["vlan_filtering"],
    **{case: ["vxlan"] for case in vars(contract_tunnels) if "tunnel_" in case},
    **{
        case: [
            kind for kind in ("dummy", "ipvlan", "macvlan", "vlan", "vrf") if re.search(rf"(^|_){kind}s?(_|$)", case)
        ]
        for case in vars(contract_parents)
    },
    **{
        case: ["tbf", *(["netem"] if "netem" in case else [])] for case in vars(contract_shapes) if "tbf_" in f"{case}_"
    },
}
WITHOUT_VLANS = "vlans_need_a_kernel_that_filters_them"
PROGRAM = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from ansible_collections.linuxnet.containers.tests.unit import contract_addresses, contract_links, contract_parents, contract_shapes
from ansible_collections.linuxnet.containers.tests.unit import contract_tunnels, kernel_contract
sys.exit(kernel_contract.main())
"""


@functools.cache
def on_the_running_kernel() -> dict[str, str]:
    """What went wrong on the running kernel, by case."""
    with Lab() as lab:
        return dict(json.loads(lab.run([sys.executable, "-c", PROGRAM, collections_root()], timeout=600).stdout))


@pytest.mark.parametrize("case", CASES)
def test_the_twin_keeps_the_contract(case: str) -> None:
    CASES[case](MemoryKernel(lacks=() if case == "vlans_of_a_port" else ("vlan_filtering",)))


@pytest.mark.parametrize("case", [name for name in CASES if name != WITHOUT_VLANS])
def test_the_running_kernel_keeps_the_contract(case: str, needs: Callable[..., None]) -> None:
    needs("lab host", "bridge", *NEEDS.get(case, []))
    assert on_the_running_kernel()[case] == ""


@pytest.mark.with_or_without("vlan_filtering")
def test_a_kernel_filters_vlans_or_says_that_it_cannot() -> None:
    """C12."""
    went_wrong = on_the_running_kernel()
    assert (went_wrong["vlans_of_a_port"] == "") != (went_wrong[WITHOUT_VLANS] == "")
