# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The noun nat: its options, and what its types refuse."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables import IPTABLES_NFT
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import BACKENDS
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, DelLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Lacking
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import bridge, netns, veth
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.resource import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._run import validation
from ansible_collections.linuxnet.containers.tests.unit.asked import made, plan, refusal, want
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"source": "10.0.0.1/24"}, "source: '10.0.0.1/24' is not a network"),
        ({"source": "10.0.0.0/24", "exclude": ["fd00::/64"]}, "exclude: fd00::/64 is not of the same address family"),
        ({"source": "10.0.0.0/24", "to_address": "192.0.2.1"}, "to_address: it belongs to type: snat"),
        ({"source": "10.0.0.0/24", "type": "snat"}, "type is snat but all of the following are missing: to_address"),
        (
            {"source": "fd00::/64", "type": "snat", "to_address": "192.0.2.1"},
            "to_address: 192.0.2.1 is not of the same",
        ),
        ({"source": "10.0.0.0/24", "out_interface": "!"}, "out_interface: '' is not an interface name"),
        ({"source": None}, "source is required with type: masquerade."),
        (
            {"state": "absent", "out_interface": "!br0"},
            "out_interface: it does not go without source, which means all that the owner has.",
        ),
        ({"source": "10.0.0.0/24", "owner": ""}, "owner: '' has a character that"),
        ({"source": "10.0.0.0/24", "comment": 'a"b'}, "comment: 'a\"b' has a character that"),
        ({"source": "10.0.0.0/24", "comment": "x" * 128}, "comment: owner and comment together are too long"),
    ],
)
def test_what_is_refused(params: Any, sentence: Any) -> None:
    assert refusal(RESOURCE, **params).startswith(sentence)


RULE = {"source": "10.0.0.0/24"}
FILTER = {"type": "filter"}
PORT = {"type": "dnat", "host_port": "8080", "to_address": "10.0.0.2"}


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        (
            {**RULE, "out_interface": '!x"drop#'},
            "out_interface: 'x\"drop#' has a character (\") that a firewall rule cannot name here.",
        ),
        ({**FILTER, "bridge": 'x","up0'}, 'bridge: \'x","up0\' has a character (") that a firewall rule'),
        ({**PORT, "bridge": "a|b"}, "bridge: 'a|b' has a character (|) that a firewall rule"),
        ({**FILTER, "bridge": "!br0"}, "bridge: '!br0' has a character (!) that a firewall rule"),
        ({**RULE, "out_interface": "!!br0"}, "out_interface: '!br0' has a character (!)"),
        ({**FILTER, "bridge": "a\\"}, "bridge: 'a\\' has a character (\\)"),
        (
            {**FILTER, "bridge": "lan+"},
            "bridge: 'lan+' would be any interface whose name begins with 'lan' in iptables; name one",
        ),
        (
            {**FILTER, "bridge": "lan*"},
            "bridge: 'lan*' would be any interface whose name begins with 'lan' in nftables; name one",
        ),
        ({**PORT, "bridge": "*"}, "bridge: '*' would be any interface whose name begins with '' in nftables"),
        ({**RULE, "out_interface": "!lan+"}, "out_interface: 'lan+' would be any interface"),
        ({**FILTER, "bridge": "br\udcff"}, "bridge: it is not UTF-8, which a firewall rule cannot carry."),
        ({**RULE, "comment": "\udcff"}, "comment: it is not UTF-8, which a firewall rule cannot carry."),
        ({**RULE, "comment": "a\0b"}, "comment: 'a\\x00b' has a character"),
        ({**FILTER, "bridge": "br0", "source": "10.0.0.0/24"}, "source: it does not go with type: filter."),
        ({**RULE, "isolate": False}, "isolate: it does not go with type: masquerade."),
    ],
)
def test_what_another_language_would_take_for_something_else_is_refused(params: Any, sentence: Any) -> None:
    assert refusal(RESOURCE, **params).startswith(sentence)


@pytest.mark.parametrize(
    "name", ["x;y#z", "a'b", "$(id)", "`id`", "lan+x", "*x", "-f", "é", "{x}", "a,b", "x&y", "br0~", "<x>", "?"]
)
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_other_name_is_written_as_it_is(backend: Any, name: Any) -> None:
    kernel = MemoryKernel()
    kernel.programs = [backend]
    for item in ({**RULE, "out_interface": "!" + name}, {**FILTER, "bridge": name}):
        made(kernel, RESOURCE, comment="it's $(id -un) `x`; # y", **item)
        assert made(kernel, RESOURCE, comment="it's $(id -un) `x`; # y", **item)["changed"] is False
    owned = backend.owned(kernel.ruleset(kernel.find(HOST), backend))  # type: ignore[arg-type]
    assert owned.nat_rules[0].out_interface == "!" + name
    assert [one.bridge for one in owned.isolations] == [name]


def test_what_an_older_version_wrote_can_be_taken_away() -> None:
    assert want(RESOURCE, **FILTER, bridge="lan+", state="absent").isolation.bridge == "lan+"
    assert want(RESOURCE, **RULE, out_interface="lan*", state="absent").rule.out_interface == "lan*"


def test_f11_what_has_to_be_installed_is_said_before_anything_is_read() -> None:
    kernel = MemoryKernel()
    kernel.programs = [NFTABLES]
    wants = validation.items(RESOURCE, {**RULE, "backend": "iptables"})
    with pytest.raises(
        Lacking, match="The program iptables is not installed on this host: install the package iptables"
    ):
        RESOURCE.require(wants, kernel)
    kernel.programs = [IPTABLES_NFT]
    RESOURCE.require(wants, kernel)


def test_a_program_that_is_too_old_is_refused_if_it_is_the_one_to_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = MemoryKernel()
    versions = {NFTABLES: "nftables v0.9.8 (E.D.S.)\n", IPTABLES_NFT: "iptables-restore v1.8.9 (nf_tables)\n"}
    monkeypatch.setattr(kernel, "version", versions.__getitem__)
    old, new = (validation.items(RESOURCE, {**RULE, "backend": name}) for name in ("nftables", "iptables"))
    with pytest.raises(Lacking) as refused:
        RESOURCE.require(old, kernel)
    assert refused.value.missing == "nftables"
    RESOURCE.require(new, kernel)


def test_each_type_names_its_objects() -> None:
    assert [RESOURCE.subject(want(RESOURCE, **one)) for one in (
        RULE, {**RULE, "netns": "web"}, {**FILTER, "bridge": "br0"}, PORT, {**PORT, "to_address": "fd00::2"},
        {**PORT, "host_ip": "192.0.2.1", "host_port": "80-89/udp"}, {"type": "dnat", "owner": "web", "state": "absent"},
    )] == [
        "nat 10.0.0.0/24", "nat 10.0.0.0/24 in netns 'web'", "filter br0", "port 8080/tcp", "port 8080/tcp (IPv6)",
        "port 192.0.2.1:80-89/udp", "ports of web",
    ]  # fmt: skip


def test_what_else_of_a_task_needs_forwarding_is_told_to_each() -> None:
    items = [
        {"source": "10.0.0.0/24"},
        {"source": "fd00::/64", "ip_forward": False},
        {**PORT, "to_address": "fd00::2"},
        {**FILTER, "bridge": "br0"},
    ]
    assert {one.needed for one in validation.items(RESOURCE, {"aggregate": items})} == {frozenset({4, 6})}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("item", [RULE, {**FILTER, "bridge": "br0"}])
def test_a_rule_that_goes_with_a_bridge_stays_while_that_is_needed(backend: Any, item: Any) -> None:
    kernel = MemoryKernel()
    kernel.programs = [backend]
    made(kernel, bridge.RESOURCE, name="br0")
    made(kernel, RESOURCE, **item)
    gone = {**item, "state": "absent", "goes_with": "br0"}
    kernel.apply(AddLink(HOST, "tap0", "veth", {"master": "br0"}, HOST, "tap1", {}))
    there = plan(kernel, RESOURCE, **gone)
    assert (there.changes, there.warnings, there.before) == ((), (), there.after)
    assert there.before["owner"] == plan(kernel, RESOURCE, **item).before["owner"]
    kernel.apply(DelLink(HOST, "tap0"))
    assert plan(kernel, RESOURCE, **gone).changes
    assert plan(kernel, RESOURCE, **{**gone, "goes_with": "nothing"}).changes
    made(kernel, bridge.RESOURCE, name="br0", state="absent")
    made(kernel, RESOURCE, **gone)
    assert plan(kernel, RESOURCE, **gone).changes == ()


def test_what_stays_for_containers_on_somebody_else_s_bridge_is_said() -> None:
    """Nobody else says it: the bridge itself was never to go."""
    kernel = MemoryKernel()
    kernel.apply(AddLink(HOST, "lan", "bridge", {"mac": "02:00:00:00:00:01"}))
    made(kernel, netns.RESOURCE, name="web")
    made(kernel, veth.RESOURCE, peer_netns="web", bridge="lan")
    made(kernel, RESOURCE, **RULE)
    gone = {**RULE, "state": "absent", "goes_with": "lan"}
    assert plan(kernel, RESOURCE, **gone).warnings == (
        "The rules for bridge 'lan' stay, for there are containers on it that nothing here removes: vethzvxkcem3eqk of netns 'web'.",
    )
    assert plan(kernel, RESOURCE, **gone, rewired=["web"]).changes
    assert plan(kernel, RESOURCE, **{**gone, "source": "10.9.0.0/24"}).warnings == ()


def test_goes_with_is_about_going() -> None:
    assert (
        refusal(RESOURCE, **RULE, goes_with="br0") == "goes_with: it says when a rule goes, so it needs state: absent."
    )
    for option in ({"goes_with": "br0"}, {"rewired": ["web"]}):
        assert refusal(RESOURCE, **PORT, **option, state="absent").endswith("it does not go with type: dnat.")
