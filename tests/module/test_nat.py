# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nat: every option is set, read back from nftables, repeated, changed in its place and removed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from wires import BACKENDS, Host, warnings

NET: dict[str, Any] = {"source": "172.17.0.0/16"}
TABLE = "inet linuxnet_containers"


@pytest.fixture(autouse=True)
def bridge(host: Host, needs: Callable[..., None]) -> None:
    needs("nft", "nf_tables", "nf_nat")
    host.bridge("br0", "172.17.0.1/16", "fd00:17::1/64")


def ruleset(host: Host, netns: str = "") -> str:
    return host.run(f"{f'ip netns exec {netns} ' * bool(netns)}nft -a list ruleset").stdout


def rules(host: Host) -> list[str]:
    """The rules of our chain as nft prints them, without their handles."""
    printed = host.run(f"nft list chain {TABLE} postrouting", check=False).stdout
    return [line.strip() for line in printed.splitlines() if "saddr" in line or "comment" in line]


def handles(host: Host) -> list[int]:
    """The handles of the rules of our chain, and then of their stops."""
    objects = json.loads(host.run("nft -j -a list ruleset").stdout)["nftables"]
    listed = [item["rule"] for item in objects if "rule" in item]
    return [rule["handle"] for rule in listed if rule["chain"] in ("postrouting", "untranslated")]


def stops(host: Host) -> list[str]:
    """The stops as nft prints them, without their handles."""
    printed = host.run(f"nft list chain {TABLE} untranslated", check=False).stdout
    return [line.strip() for line in printed.splitlines() if "saddr" in line or "comment" in line]


@pytest.mark.both_ends
def test_a_rule_is_set_and_removed(host: Host) -> None:
    before = host.snapshot()
    done = host.settles("nat", **NET, out_interface="!br0")
    assert done["before"] == {}
    assert done["after"] == {
        "type": "masquerade",
        "source": "172.17.0.0/16",
        "netns": None,
        "out_interface": "!br0",
        "exclude": [],
        "to_address": None,
        "owner": "ansible",
        "comment": None,
        "backend": "nftables",
        "enforced": True,
        "ip_forward": True,
        "fenced": True,
        "sysctl_file": "/etc/sysctl.d/99-zz-linuxnet-containers.conf",
    }
    assert (done["satisfied_by"], done["blocked_by"]) == (None, [])
    assert done["diff"]["after_header"] == "nat 172.17.0.0/16"
    assert rules(host) == [
        'ip saddr 172.17.0.0/16 oifname != "br0" ip daddr != { 172.17.0.0/16, 224.0.0.0/4, 255.255.255.255 } '
        'masquerade comment "linuxnet:ansible"'
    ]
    assert stops(host) == [
        'ip saddr 172.17.0.0/16 oifname != "br0" ip daddr != { 172.17.0.0/16, 224.0.0.0/4, 255.255.255.255 } '
        'ct state invalid counter packets 0 bytes 0 drop comment "linuxnet!ansible"'
    ]
    assert "type nat hook postrouting priority srcnat; policy accept;" in ruleset(host)
    assert "type filter hook postrouting priority filter; policy accept;" in ruleset(host)
    gone = host.settles("nat", **NET, out_interface="!br0", state="absent")
    assert (gone["before"], gone["after"]) == (done["after"], {})
    assert host.snapshot() == before, "nothing is left, not even the table"


@pytest.mark.both_ends
def test_a_rule_of_ipv6(host: Host) -> None:
    before = host.snapshot()
    host.settles("nat", source="fd00:17::/64", out_interface="!br0")
    assert rules(host) == [
        'ip6 saddr fd00:17::/64 oifname != "br0" ip6 daddr != { fd00:17::/64, ff00::/8 } masquerade '
        'comment "linuxnet:ansible"'
    ]
    host.settles("nat", source="fd00:17::/64", state="absent")
    assert host.snapshot() == before


@pytest.mark.needs("strace")
def test_a1_a_second_run_writes_nothing_and_leaves_the_rule_set_byte_identical(host: Host) -> None:
    items = [
        {**NET, "exclude": ["10.8.0.0/16", "10.9.0.0/16"], "comment": "two words", "owner": "docker0"},
        {"source": "fd00:17::/64", "out_interface": "!br0"},
        {"source": "10.1.0.0/24", "type": "snat", "to_address": "198.51.100.7"},
    ]
    result, writes = host.writes("nat", check=True, aggregate=items)
    assert (result["changed"], writes) == (True, [])
    host.module("nat", aggregate=items)
    before = ruleset(host)
    result, writes = host.writes("nat", aggregate=items)
    assert (result["changed"], writes) == (False, [])
    assert ruleset(host) == before


@pytest.mark.parametrize(
    ("option", "first", "second", "words"),
    [
        ("out_interface", "!br0", "up0", ('oifname != "br0"', 'oifname "up0"')),
        ("out_interface", "up0", None, ('oifname "up0"', "172.17.0.0/16 ip daddr")),
        ("exclude", ["10.8.0.0/16"], ["10.9.0.0/16"], ("{ 10.8.0.0/16, 172.17", "{ 10.9.0.0/16, 172.17")),
        ("exclude", ["10.8.0.0/16"], [], ("{ 10.8.0.0/16, 172.17", "{ 172.17")),
        ("comment", "one", "two", ('"linuxnet:ansible|one"', '"linuxnet:ansible|two"')),
        ("comment", "two words", None, ('"linuxnet:ansible|two words"', '"linuxnet:ansible"')),
    ],
)
def test_an_attribute_is_set_and_changed_in_its_place(
    host: Host, option: str, first: Any, second: Any, words: tuple[str, str]
) -> None:
    host.module("nat", source="10.1.0.0/24")
    host.settles("nat", **NET, **{option: first})
    host.module("nat", source="10.2.0.0/24")
    assert words[0] in rules(host)[1]
    done = host.settles("nat", **NET, **{option: second})
    assert [line.split()[0] for line in done["diff"]["after"].splitlines()] == [option]
    assert [command.split()[1] for command in done["commands"]] == ["'add", "'add", "'delete", "'delete"]
    assert words[1] in rules(host)[1]
    assert words[1].replace("linuxnet:", "linuxnet!") in stops(host)[1]
    assert [rule.split()[2] for rule in rules(host)] == ["10.1.0.0/24", "172.17.0.0/16", "10.2.0.0/24"]


def test_snat_takes_the_given_address(host: Host) -> None:
    done = host.settles("nat", **NET, type="snat", to_address="198.51.100.7")
    assert (done["after"]["type"], done["after"]["to_address"]) == ("snat", "198.51.100.7")
    assert "snat ip to 198.51.100.7 comment" in rules(host)[0]
    host.settles("nat", **NET, type="snat", to_address="198.51.100.8")
    assert "snat ip to 198.51.100.8 comment" in rules(host)[0]
    changed = host.settles("nat", **NET, type="masquerade")
    assert changed["diff"]["before"] == "type snat\nto_address 198.51.100.8\n"
    host.settles("nat", source="fd00:17::/64", type="snat", to_address="2001:DB8::7")
    assert "snat ip6 to 2001:db8::7 comment" in rules(host)[1]


def test_rules_are_known_by_owner_and_source(host: Host) -> None:
    host.settles("nat", **NET, owner="one")
    host.settles("nat", **NET, owner="two", out_interface="!br0")
    assert [rule.split()[-1] for rule in rules(host)] == ['"linuxnet:one"', '"linuxnet:two"']
    host.settles("nat", **NET, owner="one", state="absent")
    assert [rule.split()[-1] for rule in rules(host)] == ['"linuxnet:two"']
    assert host.settles("nat", **NET, owner="three", state="absent")["changed"] is False


def test_order_and_handles_are_stable(host: Host) -> None:
    sources = [f"10.{number}.0.0/24" for number in range(4)]
    host.settles("nat", aggregate=[{"source": one} for one in sources])
    before = handles(host)
    host.settles("nat", aggregate=[{"source": one} for one in reversed(sources)])
    assert handles(host) == before
    host.settles("nat", source=sources[1], state="absent")
    assert handles(host) == [before[number] for number in (0, 2, 3, 4, 6, 7)]


def test_in_a_namespace(host: Host) -> None:
    """The rule works in the namespace; forwarding is its own there and no file is written for it."""
    host.container("web", "172.17.0.2/16")
    outside = ruleset(host)
    done = host.settles("nat", netns="web", source="10.1.0.0/24", out_interface="eth0")
    assert (done["after"]["netns"], done["after"]["ip_forward"]) == ("web", True)
    assert "sysctl_file" not in done["after"]
    assert done["commands"][-1] == "ip netns exec web sysctl -w net.ipv4.ip_forward=1"
    assert 'ip saddr 10.1.0.0/24 oifname "eth0"' in ruleset(host, "web")
    assert ruleset(host) == outside
    assert host.run("sysctl -n net.ipv4.ip_forward; ip netns exec web sysctl -n net.ipv4.ip_forward").stdout == "0\n1\n"
    host.settles("nat", netns="web", source="10.1.0.0/24", state="absent")
    assert ruleset(host, "web") == ""


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"source": "172.17.0.0/255.255.0.0"}, {"source": "172.17.0.0/16"}),
        ({"source": "FD00:17:0::/64"}, {"source": "fd00:17::/64", "backend": "nftables"}),
        ({**NET, "exclude": ["10.9.0.0/16", "10.8.0.0/16"]}, {**NET, "exclude": ["10.8.0.0/15"]}),
        ({**NET, "exclude": ["10.8.0.1"]}, {**NET, "exclude": ["10.8.0.1/32", "172.17.4.0/24", "239.0.0.0/8"]}),
        ({**NET, "comment": ""}, NET),
        ({"source": "10.0.0.7"}, {"source": "10.0.0.7/32"}),
        ({**NET, "exclude": ["172.0.0.0/8"]}, {**NET, "exclude": ["172.0.0.0/9", "172.128.0.0/9"]}),
    ],
)
def test_a5_equivalent_spellings_are_no_change(host: Host, first: dict[str, Any], second: dict[str, Any]) -> None:
    done = host.settles("nat", **first)
    again = host.settles("nat", **second)
    assert (done["changed"], again["changed"]) == (True, False)
    assert again["after"] == done["after"]


@pytest.mark.parametrize(
    "edited",
    [
        'ip saddr 172.17.0.0/16 masquerade comment "linuxnet:ansible"',
        'ip saddr 172.17.0.0/16 oifname "other" ip daddr != { 172.17.0.0/16, 224.0.0.0/4, 255.255.255.255 } masquerade comment "linuxnet:ansible"',
        'ip saddr 172.17.0.0/16 ip daddr != { 172.17.0.0/16, 224.0.0.0/4 } masquerade comment "linuxnet:ansible"',
        'ip saddr 172.17.0.0/16 ip daddr != { 172.17.0.0/16, 224.0.0.0/4, 255.255.255.255 } masquerade random comment "linuxnet:ansible"',
        'ip saddr 172.17.0.0/16 tcp dport 80 ip daddr != { 172.17.0.0/16, 224.0.0.0/4, 255.255.255.255 } masquerade comment "linuxnet:ansible"',
        'ip saddr 172.17.0.0/16 ip daddr != { 172.17.0.0/16, 224.0.0.0/4, 255.255.255.255 } accept comment "linuxnet:ansible"',
    ],
)
def test_f13_a_rule_that_was_edited_by_hand_is_repaired_in_its_place(host: Host, edited: str) -> None:
    items = [{"source": "10.1.0.0/24"}, NET, {"source": "10.2.0.0/24"}]
    host.module("nat", aggregate=items)
    before, order = rules(host), handles(host)
    where = f"rule {TABLE} postrouting handle {order[1]}"
    host.run(["nft", f"add {where} {edited}; delete {where}"])
    assert rules(host) != before
    done = host.settles("nat", aggregate=items)
    assert [result["changed"] for result in done["results"]] == [False, True, False]
    assert done["results"][1]["diff"]["before"] != "", "the drift is shown"
    assert rules(host) == before


def test_elements_and_rules_put_among_ours_are_shown_with_the_command_that_removes_them(host: Host) -> None:
    """Each command does so, and then nothing is left to be said."""
    host.module("nat", **NET)
    host.module("nat", type="dnat", host_port="8080", to_address="172.17.0.2", owner="web")
    host.module("nat", type="filter", bridge="br0", owner="br0")
    host.run(f"nft 'add element {TABLE} publish_ip {{ tcp . 192.0.2.1 . 81 : 172.17.0.9 }}'")
    host.run(f"nft 'add element {TABLE} closed {{ \"br7\" }}'")
    host.run(f"nft 'add rule {TABLE} forward ip saddr 192.0.2.7 accept'")
    host.run(f"nft 'add rule {TABLE} forward meta skuid 0 accept'")
    [said] = warnings(host.module("nat", **NET))
    assert "In chain forward: ip saddr 192.0.2.7 accept, which " in said
    assert '; in set closed: "br7", which \'nft delete element ' in said
    commands = re.findall(r"which '([^']*)' removes", said)
    assert len(commands) == 4
    for command in commands:
        host.run(["sh", "-c", f"nft '{command.removeprefix('nft ')}'"])
    assert warnings(host.module("nat", **NET)) == []


def test_f13_a_rule_of_somebody_else_in_our_table_is_reported_and_kept(host: Host) -> None:
    host.module("nat", **NET)
    host.run(f"nft add rule {TABLE} postrouting ip saddr 192.0.2.0/24 accept comment hand")
    handle = max(handles(host))
    reported = host.module("nat", **NET)
    assert reported["changed"] is False
    assert warnings(reported) == [
        "Among our rules are some without the mark of this collection; they are left alone. In chain postrouting: "
        f"ip saddr 192.0.2.0/24 accept comment \"hand\", which 'nft delete rule {TABLE} postrouting handle {handle}' removes. "
        "An exclusive item of nat takes them away, and wiring_purge does."
    ]
    host.settles("nat", **NET, state="absent")
    assert [rule.split()[2] for rule in rules(host)] == ["192.0.2.0/24"], "with it the table stays"
    host.settles("nat", **NET)
    assert [rule.split()[2] for rule in rules(host)] == ["192.0.2.0/24", "172.17.0.0/16"]


def test_f4_after_a_flush_the_next_run_restores_everything(host: Host) -> None:
    items = [NET, {"source": "fd00:17::/64"}]
    host.module("nat", aggregate=items)
    before = rules(host)
    host.run("nft flush ruleset")
    done = host.settles("nat", aggregate=items)
    assert [result["before"] for result in done["results"]] == [{}, {}]
    assert rules(host) == before


@pytest.mark.parametrize("after", BACKENDS)
def test_what_is_no_longer_asked_for_goes_by_its_owner(host: Host, backend: str, after: str) -> None:
    """A network with another subnet, one family less, and at last with nothing; what another owner has stays, and nothing else."""
    pristine = host.snapshot()
    common: dict[str, Any] = {"owner": "br0", "out_interface": "!br0", "exclusive": True}
    host.settles("nat", **common, backend=backend, aggregate=[NET, {"source": "fd00:17::/64"}])
    host.module("nat", source="10.9.0.0/24", owner="other", backend=backend)
    done = host.settles("nat", **common, backend=after, aggregate=[{"source": "172.18.0.0/16"}])
    assert "no_longer_asked_for 172.17.0.0/16, fd00:17::/64" in done["diff"][0]["before"]
    switches = host.run("sysctl -n net.ipv4.ip_forward net.ipv6.conf.all.forwarding").stdout.split()
    assert switches == ["1", "0"]
    held = [one["source"] for one in host.module("wiring_info", gather=["nat"])["wiring"]["nat"]]
    assert sorted(held) == ["10.9.0.0/24", "172.18.0.0/16"]
    host.module("nat", source="10.9.0.0/24", owner="other", state="absent")
    gone = host.settles("nat", owner="br0", state="absent", backend=backend)
    assert gone["before"]["source"] == "172.18.0.0/16"
    assert host.snapshot() == pristine


def test_any_name_is_an_owner_s(host: Host) -> None:
    """What a comment cannot carry is shown as ``_``, and a hash tells owners apart that then look alike."""
    pristine = host.snapshot()
    names = ["two words", "two|words", 'two"words', "two\\words", "two_words", "w" * 200, "w" * 201]
    for name in names:
        host.settles("nat", **NET, owner=name)
    shown = [rule.split('comment "linuxnet:')[1].split('"')[0] for rule in rules(host)]
    assert len(set(shown)) == len(names)
    assert [one.split("~")[0] for one in shown[:5]] == ["two_words"] * 5
    for number, name in enumerate(names, 1):
        host.settles("nat", owner=name, state="absent")
        assert len(rules(host)) == len(names) - number
    assert host.snapshot() == pristine


BAD: list[tuple[dict[str, Any], str]] = [
    ({"source": "172.17.0.5/16"}, "source: '172.17.0.5/16' is not a network such as 172.17.0.0/16"),
    ({"source": "nonsense"}, "source: 'nonsense' is not a network"),
    ({"type": "snat"}, "type is snat but all of the following are missing: to_address"),
    ({"to_address": "198.51.100.7"}, "to_address: it belongs to type: snat;"),
    ({"type": "snat", "to_address": "2001:db8::7"}, "to_address: 2001:db8::7 is not of the same address family"),
    ({"exclude": ["fd00::/8"]}, "exclude: fd00::/8 is not of the same address family as the source 172.17.0.0/16."),
    ({"out_interface": "!sixteen-bytes-xx"}, "out_interface: 'sixteen-bytes-xx' is 16 bytes long"),
    ({"out_interface": "a/b"}, "out_interface: 'a/b' is not an interface name"),
    ({"out_interface": "!"}, "out_interface: '' is not an interface name"),
    ({"comment": 'a "quote"'}, "has a character that a rule's comment cannot carry here."),
    ({"comment": "x" * 120}, "comment: owner and comment together are too long; nftables keeps 117 bytes."),
    ({"netns": "../x"}, "netns: '../x' is not a namespace name"),
]  # fmt: skip


def test_bad_input_changes_nothing(host: Host) -> None:
    host.all_refused("nat", NET, BAD)


def test_one_bad_item_stops_the_task_before_the_first_change(host: Host) -> None:
    message = "aggregate item 2: source: 'nonsense' is not a network"
    host.refuses("nat", message, aggregate=[NET, {"source": "nonsense"}])


def test_one_item_that_fails_does_not_stop_the_others(host: Host) -> None:
    failed = host.fails("nat", aggregate=[NET, {**NET, "netns": "nope"}, {"source": "10.1.0.0/24"}])
    assert failed["msg"] == (
        "1 of 3 items failed. nat 172.17.0.0/16 in netns 'nope': Netns 'nope' does not exist (no /run/netns/nope); "
        "linuxnet.containers.netns with name: nope makes it."
    )
    assert [one.get("failed", False) for one in failed["results"]] == [False, True, False]
    assert [rule.split()[2] for rule in rules(host)] == ["172.17.0.0/16", "10.1.0.0/24"]
