# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan is checked as a whole: what a module would refuse in the last step is refused before the first."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model import pools
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, Lacking
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.compile import compile_plan
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.steps import KEEP, STEPS
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.validation import RESOURCES, checked

NETWORK = {"name": "docker0", "subnets": ["172.17.0.0/16"]}


def plan(network: dict[str, Any], container: dict[str, Any], state: str = "present") -> Any:
    return compile_plan([dict(NETWORK, **network)], [dict({"name": "web"}, **container)], state)


def test_every_step_has_its_resource() -> None:
    assert {*RESOURCES, KEEP} == {step.name for step in STEPS}


@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_plan_that_is_right_comes_back_as_it_was(state: str) -> None:
    made = plan({}, {"sysctls": {"net.core.somaxconn": 5}}, state)
    assert checked(made) is made


@pytest.mark.parametrize(
    ("network", "container", "message"),
    [
        ({"mtu": "big"}, {}, "wiring_networks: network 'docker0': mtu: 'big' is neither 'auto' nor a number of bytes."),
        (
            {},
            {"networks": [{"name": "docker0", "mac_address": "nonsense"}]},
            "wiring_containers: container 'web': mac_address: 'nonsense' is not a MAC address such as 02:42:ac:11:00:02.",
        ),
        (
            {},
            {"networks": [{"name": "docker0", "host_interface": "a" * 16}]},
            f"wiring_containers: container 'web': host_interface: '{'a' * 16}' is 16 bytes long; an interface name has at most 15.",
        ),
        (
            {},
            {"routes": [{"destination": "10.9.0.1/16"}]},
            "wiring_containers: container 'web': routes: destination: '10.9.0.1/16' is not a network such as 172.17.0.0/16: "
            "10.9.0.1/16 has host bits set.",
        ),
        (
            {},
            {"sysctls": {"kernel.hostname": "x"}},
            "wiring_containers: container 'web': sysctls: 'kernel.hostname' is not a key of a network namespace; "
            "those begin with 'net.'.",
        ),
        (
            {},
            {"networks": [{"name": "docker0", "port": {"hairpim": True}}]},
            "wiring_containers: container 'web': port: there is no option hairpim; did you mean hairpin?",
        ),
        (
            {},
            {"published_ports": ["80800:80"]},
            "wiring_containers: container 'web': published_ports: '80800:80': host_port: '80800' is ",
        ),
        (
            {"outbound_ipv4": "fd00::1"},
            {},
            "wiring_networks: network 'docker0': outbound_ipv4: ",
        ),
        (
            {"exclude": ["172.17.0.0/16"]},
            {},
            "wiring_networks: network 'docker0': subnets: 172.17.0.0/16 has nothing to give: 65534 usable, 65534 excluded, "
            "0 reserved for the gateway.",
        ),
    ],
)
def test_bad_input_is_refused_with_whose_it_is(network: Any, container: Any, message: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked(plan(network, container))
    assert str(refused.value).startswith(message)
    assert message.endswith((".", " ", "?")), "a whole sentence, or its beginning"


def test_a_controller_without_netaddr_leaves_pools_to_the_module(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking() -> None:
        raise Lacking("netaddr", "netaddr")

    monkeypatch.setattr(pools, "require_netaddr", lacking)
    made = plan({}, {})
    assert checked(made) is made
