# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the diff of a rule says to who asks for no details."""

from __future__ import annotations

from typing import Any

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    FAMILIES,
    ISOLATION,
    PORTS,
    Isolation,
    OwnedRules,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.changes import SetIsolation
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.resource import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.told import effect, enforced
from ansible_collections.linuxnet.containers.plugins.module_utils._run.execution import execute
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan
from ansible_collections.linuxnet.containers.tests.unit.asked import want
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

PORT = {"type": "dnat", "owner": "web", "to_address": "10.0.0.2", "exclusive": True}
NET = {"owner": "br0", "out_interface": "!br0", "exclusive": True}


def told(kernel: MemoryKernel, **params: Any) -> tuple[str, str, str]:
    """The diff of a task without -v: header, before, after."""
    (result,), dummy = execute(RESOURCE, [want(RESOURCE, **params)], kernel, False, details=False)
    diff = result["diff"]
    return diff["before_header"], diff["before"], diff["after"]


def test_a_published_port_is_a_line_and_so_is_what_it_takes_the_place_of() -> None:
    kernel = MemoryKernel()
    header, before, after = told(kernel, host_port="8080", to_port="80", **PORT)
    assert (header, before) == ("port 8080/tcp (of web)", "")
    assert after == "published 8080/tcp to 10.0.0.2:80\nip_forward true\n"
    assert told(kernel, host_port="9000-9009", to_port="9100-9109", **PORT)[1:] == (
        "published 8080/tcp to 10.0.0.2:80\n",
        "published 9000-9009/tcp to 10.0.0.2:9100-9109\n",
    )
    assert told(kernel, host_port="9000-9009", to_port="9100-9109", **{**PORT, "to_address": "10.0.0.3"})[1:] == (
        "published 9000-9009/tcp to 10.0.0.2:9100-9109\n",
        "published 9000-9009/tcp to 10.0.0.3:9100-9109\n",
    )
    gone = told(kernel, type="dnat", owner="web", state="absent")
    assert gone == ("ports of web", "published 9000-9009/tcp to 10.0.0.3:9100-9109\nip_forward true\n", "")


def test_what_is_translated_is_a_line_whichever_rule_does_so() -> None:
    kernel = MemoryKernel()
    assert told(kernel, source="10.0.0.0/24", **NET)[2] == (
        "type masquerade\nsource 10.0.0.0/24\nout_interface !br0\nip_forward true\n"
    )
    assert told(kernel, source="10.0.0.0/23", **NET) == (
        "nat 10.0.0.0/23 (of br0)",
        "source 10.0.0.0/24\n",
        "source 10.0.0.0/23\n",
    )


def test_whether_it_is_in_force_is_an_attribute_and_its_repair_is_told() -> None:
    """Rules that all of a kind share are nobody's own: what is repaired of them changes no other attribute."""
    there = {"type": "filter", "bridge": "br0", "isolate": True}
    repair = (SetIsolation(HOST, Isolation("br0")),)
    whole = OwnedRules(static=frozenset((ISOLATION, family) for family in FAMILIES))
    plan = enforced("filter", Plan(there, there, repair), OwnedRules(), 0, "")
    assert (plan.before["enforced"], plan.after["enforced"]) == (False, True)
    assert effect("filter", plan)[1]["isolation"] == "in force"
    assert effect("filter", plan)[0]["isolation"].startswith("not in force, for any network: ")
    assert enforced("filter", Plan(there, there), whole, 0, "").before["enforced"] is True
    assert enforced("filter", Plan({}, there, repair), OwnedRules(), 0, "").before == {}


def test_what_is_set_right_beside_a_rule_is_told_as_well() -> None:
    there = {"type": "dnat", "host_port": "80", "to_address": "10.0.0.2"}
    whole = OwnedRules(static=frozenset((PORTS, family) for family in FAMILIES))
    plan = enforced("dnat", Plan(there, there, (SetSysctl(HOST, "net.a", "1", "0"),)), whole, 4, "")
    assert effect("dnat", plan)[1] == {"also": ("set sysctl net.a to '1' in the host",)}
