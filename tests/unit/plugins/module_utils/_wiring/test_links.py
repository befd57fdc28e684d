# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a link of the role's list, a cable between two containers, asks of the modules, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.links import Link
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.variables import entries

SYSCTLS: dict[str, dict[str, Any]] = {"r1": {}, "r2": {}}
ENDS = ["r1:eth1", "r2:eth2"]
PAIR = {"netns": "r1", "name": "eth1", "cable": True, "peer_netns": "r2", "peer_name": "eth2"}


def link(**spec: Any) -> Link:
    """A link as the role's filter makes it of an entry."""
    return Link(entries("links", [{"endpoints": ENDS, **spec}])[0], 1)


def end(name: str, **more: Any) -> dict[str, Any]:
    container, interface = name.split(":")
    return {"name": container, "interface": interface, **more}


def test_a_link_is_the_same_one_spelt_the_other_way_round() -> None:
    there, back = link(), link(endpoints=ENDS[::-1])
    assert there.name == back.name == "r1:eth1 -- r2:eth2"
    assert there.pair(SYSCTLS) == back.pair(SYSCTLS) == {**PAIR, "mtu": "1500"}
    assert there.no_pair() == back.no_pair() == {**PAIR, "state": "absent"}


def test_who_is_listed_first_is_asked_first() -> None:
    found = [item["netns"] for item in link(endpoints=ENDS[::-1], subnets=["10.0.12.0/31"]).addresses()]
    assert found == ["r2", "r1"]


def test_addresses_are_of_each_subnet_and_what_else_an_end_has_of_us_goes() -> None:
    own = link(endpoints=[end(ENDS[0], ipv4_address="10.0.12.1"), ENDS[1]], subnets=["10.0.12.0/31", "2001:db8::/127"])
    common = {"supersede": True, "gateway": "none", "strategy": "lowest"}
    found = [{name: item[name] for name in item if name != "broadcast"} for item in own.addresses()]
    assert found == [
        {"netns": "r1", "interface": "eth1", "supersede": True, "address": "10.0.12.1/31"},
        {"netns": "r1", "interface": "eth1", **common, "pool": "2001:db8::/127", "cable": "r2/eth2"},
        {
            "netns": "r2",
            "interface": "eth2",
            **common,
            "pool": "10.0.12.0/31",
            "cable": "r1/eth1",
            "exclude": ["10.0.12.1"],
        },
        {"netns": "r2", "interface": "eth2", **common, "pool": "2001:db8::/127", "cable": "r1/eth1"},
    ]
    assert [item["state"] for item in link().addresses()] == ["absent", "absent"]
    alone = link(endpoints=[end(ENDS[0], ipv6_address="fd00::1/64"), ENDS[1]])
    assert [item.get("address", item.get("state")) for item in alone.addresses()] == ["fd00::1/64", "absent"]


def test_each_end_has_its_own_sysctls_and_addresses_of_its_own_shut_out_a_neighbour_s() -> None:
    heard = {"net.ipv6.conf.eth1.accept_ra": 1, "net.ipv4.ip_forward": 1}
    pair = link(subnets=["10.0.12.0/31"]).pair({"r1": heard, "r2": {"net/ipv4/conf/eth2/rp_filter": 2}})
    assert pair["sysctls"] == {"net.ipv6.conf.eth1.accept_ra": 1}
    assert pair["peer_sysctls"] == {"net/ipv4/conf/eth2/rp_filter": 2}
    assert ("accept_ra" in pair, pair["peer_accept_ra"]) == (False, False)


def test_what_holds_up_is_of_both_ends_and_a_mac_address_of_one() -> None:
    given = [end(ENDS[0], mac_address="02-00-00-00-00-07"), ENDS[1]]
    pair = link(endpoints=given, rate="10 Mbit", mtu=9000).pair(SYSCTLS)
    assert (pair["mac"], "peer_mac" in pair, pair["mtu"]) == ("02:00:00:00:00:07", False, "9000")
    assert pair["rate"] == pair["peer_rate"] == "10mbit"
    assert not {"delay", "jitter", "loss"} & set(pair)


def both(**options: Any) -> dict[str, Any]:
    """Both ends with the same options."""
    return {"endpoints": [end(one, **options) for one in ENDS]}


WHERE = "wiring_links: link 'r1:eth1 -- r2:eth2': "
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"endpoints": ENDS[:1]}, "wiring_links: item 1: endpoints: a link has two, not 1."),
    ({"endpoints": [*ENDS, "r3:eth1"]}, "wiring_links: item 1: endpoints: a link has two, not 3."),
    ({"endpoints": ["r1", "r2:eth2"]}, "wiring_links: item 1: endpoints: 'r1' is not NAME:INTERFACE, such as r1:eth1."),
    (
        {"endpoints": ["r1:eth1", "r1:eth2"]},
        "wiring_links: link 'r1:eth1 -- r1:eth2': both ends are in 'r1'; a link is between two containers.",
    ),
    ({"subnets": ["10.0.12.0"]}, WHERE + "subnets: '10.0.12.0' has no prefix length; write it as 10.0.12.0/31."),
    ({"subnets": ["10.0.12.0/32"]}, WHERE + "subnets: 10.0.12.0/32 has one address, and a link has two ends."),
    ({"subnets": ["10.0.0.0/24", "10.0.0.0/31"]}, WHERE + "its subnets 10.0.0.0/24 and 10.0.0.0/31 overlap."),
    (both(mac_address="02:00:00:00:00:07"), WHERE + "mac_address: both ends are to have 02:00:00:00:00:07; give them one each."),
    (both(ipv4_address="10.0.0.1/24"), WHERE + "both ends are to have 10.0.0.1; give them one each."),
    ({"subnets": ["fd00::/127"], "mtu": 1000}, WHERE + "mtu: 1000 is less than the 1280 bytes that IPv6 needs."),
]  # fmt: skip
REFUSED += [
    ({"subnets": subnets, "endpoints": [end(ENDS[0], **options), ENDS[1]]}, WHERE + said)
    for subnets, options, said in (
        ([], {"ipv4_address": "10.0.0.1"}, "ipv4_address: 10.0.0.1 needs its prefix length, as 10.0.0.1/31, for the link has no IPv4 subnet."),
        ([], {"ipv6_address": "10.0.0.1/24"}, "ipv6_address: 10.0.0.1 is not an IPv6 address."),
        (["10.0.12.0/31"], {"ipv4_address": "10.0.0.1"}, "ipv4_address: 10.0.0.1 is in none of its subnets."),
        (["10.0.12.0/31"], {"ipv4_address": "10.0.12.1/24"}, "ipv4_address: 10.0.12.1/24 has not the prefix length of its subnet 10.0.12.0/31; leave it out."),
    )
]  # fmt: skip


@pytest.mark.parametrize(("spec", "said"), REFUSED, ids=[said.rpartition(": ")[2][:30] for _spec, said in REFUSED])
def test_what_no_link_can_be_is_refused(spec: dict[str, Any], said: str) -> None:
    with pytest.raises(Invalid) as error:
        list(link(**spec).addresses())
    assert str(error.value) == said


@pytest.mark.parametrize(
    ("mode", "joined", "present", "said"),
    [
        ("host", "", True, "the network of 'r1' is the host's own (network_mode: host)."),
        ("container", "r9", True, "'r1' has the namespace of 'r9'; the link is that one's."),
        ("bridge", "", False, "container 'r1' is to be absent; give the link state: absent as well."),
    ],
)
def test_who_can_have_no_link(mode: str, joined: str, present: bool, said: str) -> None:
    with pytest.raises(Invalid) as error:
        link().near.check_container(mode, joined, present)
    assert str(error.value) == WHERE + said
    link().near.check_container("none", "", True)


def test_one_that_is_to_be_gone_may_say_what_it_likes() -> None:
    gone = link(state="absent", **both(ipv4_address="10.0.0.1/24"))
    assert (gone.present, gone.no_pair()["state"]) == (False, "absent")
