# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No text becomes syntax: every character, at every place of every text option, is refused in a sentence that a terminal shows as it is, or
arrives as it is: in what nft and iptables are told, where it is found again and taken away whole, and in the command lines.

The options are those of the argument specs, so one that is new has to be sent here as well. That the real tools do as their twins do is shown by
those files of `tests/module` that use them.

SHARE=7 sends a seventh of the characters to each place, another one to each: for a run whose versions of Python and libraries are the only news.
"""

from __future__ import annotations

import os
import re
import subprocess
import zlib
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST
from ansible_collections.linuxnet.containers.plugins.module_utils._run import validation
from ansible_collections.linuxnet.containers.plugins.module_utils._run.execution import execute
from ansible_collections.linuxnet.containers.plugins.module_utils._run.results import readable
from ansible_collections.linuxnet.containers.plugins.module_utils._run.step_runner import take_steps
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import variables
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.one_task import Steps
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel
from ansible_collections.linuxnet.containers.tests.unit.wired_host import two_containers

pytestmark = pytest.mark.unmeasured  # others run the same lines

RESOURCES = {
    name.partition(".")[0]: import_module(
        f"ansible_collections.linuxnet.containers.plugins.module_utils._resources.{name}"
    ).RESOURCE
    for name in ("bridge", "bridge_port", "nat.resource", "netns", "ns_address", "ns_link", "ns_route", "veth")
}
# All that Latin-1 has but most letters of ASCII, what UTF-8 has not, NUL, and what is long, right to left, of no width, or ends a line elsewhere.
CHARACTERS = [char for char in map(chr, range(256)) if char in "aZ7" or not (char.isascii() and char.isalnum())]
CHARACTERS += [*map(chr, (0xDC80, 0xDCFF, 0xD800, 0x2028, 0x2029, 0x202E, 0x200B, 0xFEFF, 0x4E2D, 0x1F600))]
SHARE = int(os.environ.get("SHARE", "1"))
LETTERS = 4  # letters of Latin-1 are bytes above 127 in UTF-8, wherever they are: each place gets this share of them, another than the next
NAT = {"forward": False, "ip_forward": True}
# Of each module items in which every text option is. A value is what something is put into, so it is nowhere else in a command.
ITEMS: dict[str, list[dict[str, Any]]] = {
    "bridge": [
        {"name": "qbr", "alias": "qalias", "mac": "02:00:00:00:00:07", "mtu": "1500"},
        {"name": "qbr", "netns": "web", "rewired": ["qport"], "released": ["qport"], "listed": ["qport"]},
        {"name": "qbr", "master": "qvrf"},
        {"name": "qbr", "mtu": "auto", "mtu_of": "10.0.0.7"},
    ],
    "bridge_port": [
        {"bridge": "br0", "interface": "vdb", "netns": "host", "vlans": [{"vid": 7}]},
        {"bridge": "br0", "interface": "vdb", "only_ours": True, "optional": True},
        {"bridge": "br0", "interface": "qport", "optional": True, "peer_netns": "qpeer", "peer_name": "qend"},
    ],
    "netns": [
        {"name": "qns", "sysctls": {"net.ipv4.ip_forward": "1"}, "new_sysctls": {"net.core.somaxconn": "7"}},
        {"name": "qns", "path": "/run/netns/web"},
        {"name": "qns", "share": "web"},
        {"name": "qns", "container": "qcontainer"},
    ],
    "veth": [
        {
            **{
                "name": "qhost",
                "netns": "host",
                "peer_name": "qpeer",
                "peer_netns": "web",
                "bridge": "br0",
                "mtu": "1400",
            },
            **{"mac": "02:00:00:00:00:08", "peer_mac": "02:00:00:00:00:09", "alias": "qalias"},
            "peer_sysctls": {"net.ipv4.conf.IFNAME.arp_notify": "1"},
        },
        {
            **{"name": "qhost", "peer_name": "qpeer", "peer_netns": "web", "rate": "17mbit", "delay": "27ms"},
            **{"jitter": "3ms", "loss": "7.5%", "peer_rate": "18mbit", "peer_delay": "28ms", "peer_jitter": "4ms"},
            "peer_loss": "8.5%",
        },
        {"name": "qhost", "peer_name": "qpeer", "peer_netns": "web", "port_of": "qkey"},
        {
            **{"netns": "db", "name": "qend", "peer_name": "qpeer", "peer_netns": "web", "cable": True},
            "sysctls": {"net.ipv4.conf.IFNAME.arp_notify": "1"},
        },
        {"name": "qhost", "peer_name": "qpeer", "peer_netns": "web", "exclusive": True, "keep": ["qkept"]},
        {"name": "qhost", "peer_name": "qpeer", "peer_netns": "web", "mtu": "auto", "mtu_of": "10.0.0.7"},
    ],
    "ns_link": [
        {
            **{
                "name": "qvx",
                "kind": "vxlan",
                "vni": 7,
                "netns": "host",
                "parent": "eth0",
                "parent_netns": "web",
                "mtu": "1400",
            },
            **{
                "mac": "02:00:00:00:00:0c",
                "alias": "qalias",
                "master": "br0",
                "local": "10.0.0.7",
                "peers": ["10.0.0.8"],
            },
        },
        {"name": "qvl", "kind": "vlan", "parent": "eth0", "vlan_id": 7, "vlan_protocol": "802.1ad"},
        {
            **{"name": "qmv", "kind": "macvlan", "parent": "eth0", "mode": "private", "owner": "qowner"},
            **{"exclusive": True, "keep": ["qkept"], "sysctls": {"net.ipv4.conf.IFNAME.arp_notify": "1"}},
            **{"rate": "17mbit", "delay": "27ms", "jitter": "3ms", "loss": "7.5%"},
        },
        {"name": "qrf", "kind": "vrf", "table": "107"},
    ],
    "ns_address": [
        {"interface": "eth0", "netns": "web", "address": "10.0.0.7/24", "label": "eth0:q", "broadcast": "10.0.0.255"},
        {"interface": "eth0", "netns": "web", "address": "10.0.0.7/32", "peer": "10.0.0.8/32"},
        {"interface": "eth0", "netns": "web", "address": "10.0.0.7/24", "valid_lft": "70", "preferred_lft": "60"},
        {
            **{"interface": "eth0", "netns": "web", "pool": "10.0.0.0/24", "bridge": "br0", "range": "10.0.0.64/26"},
            **{"exclude": ["10.0.0.70"], "gateway": "10.0.0.1", "owner": "qowner"},
        },
        {"interface": "eth0", "netns": "web", "pool": "10.0.0.0/24", "parent": "qup"},
        {"interface": "eth0", "netns": "web", "pool": "10.0.0.0/24", "cable": "qns/qend"},
    ],
    "ns_route": [
        {"destination": "10.7.0.0/16", "netns": "web", "gateway": "10.0.0.1", "interface": "eth0", "table": "107"},
        {"destination": "10.7.0.0/16", "netns": "web", "interface": "eth0", "source": "10.0.0.5"},
        {
            **{"destination": "10.7.0.0/16", "netns": "web", "interface": "eth0", "table": "107"},
            "rule_source": "10.9.0.0/24",
        },
        {"destination": "10.7.0.0/16", "netns": "web", "nexthops": [{"gateway": "10.0.0.1", "interface": "eth0"}]},
        {"destination": "10.7.0.0/16", "netns": "web", "interface": "eth0", "direct_gateway": "10.0.0.1"},
        {"state": "absent", "network": "qbr", "interface": "qvx", "keep": ["10.7.0.0/24"]},
    ],
    "nat": [
        {
            **{"type": "masquerade", "source": "10.0.0.0/24", "netns": "host", "out_interface": "qout"},
            **{"exclude": ["10.9.0.0/16"], "owner": "qowner", "comment": "qcomment", **NAT},
        },
        {
            "type": "snat",
            "source": "10.0.0.0/24",
            "to_address": "192.0.2.7",
            "owner": "qowner",
            "comment": "qcomment",
            **NAT,
        },
        {
            **{"type": "dnat", "host_ip": "192.0.2.7", "host_port": "8080", "to_address": "10.0.0.2", "to_port": "80"},
            **{"bridge": "qbr", "owner": "qowner", "comment": "qcomment", **NAT},
        },
        {"type": "filter", "bridge": "qbr", "owner": "qowner", "comment": "qcomment", "forward": False},
        {
            **{"type": "filter", "bridge": "qbr", "forward": False},
            "inside": [{"source": "10.9.0.0/24", "interface": "qway", "only": True, "direct_gateway": "10.0.0.9"}],
        },
        {
            "type": "filter",
            "bridge": "qbr",
            "goes_with": "qother",
            "rewired": ["qport"],
            "listed": ["qport"],
            "forward": False,
        },
        {
            **{"type": "spoof_check", "interface": "qport", "addresses": ["10.0.0.2"], "mac": "02:00:00:00:00:09"},
            **{"owner": "qowner", "comment": "qcomment"},
        },
        {
            **{"type": "spoof_check", "interface": "qport", "peer_netns": "web", "peer_name": "eth0"},
            **{"pools": ["10.0.0.0/24"], "owner": "qowner"},
        },
        {
            **{"type": "uplink", "interface": "qport", "gateways": ["192.0.2.9", "2001:db8::9"]},
            **{"owner": "qowner", "comment": "qcomment"},
        },
        {"type": "tunnel", "vni": 42, "peers": ["192.0.2.9"], "owner": "qowner", "comment": "qcomment"},
    ],
}


def takes_text(option: dict[str, Any]) -> bool:
    """Whether an option takes a text, or what has texts in it."""
    return option["type"] not in ("bool", "int", "float") and "choices" not in option


def paths(value: Any) -> Iterator[tuple[Any, ...]]:
    """The places of texts in a value: keys as well."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if re.search(r"\.", key):
                yield ("key", key)
            for path in paths(inner):
                yield (key, *path)
    elif isinstance(value, list):
        for path in paths(value[0]):
            yield (0, *path)
    else:
        yield ()


def put(value: Any, path: tuple[Any, ...], character: str, place: str) -> Any:
    """A value with a character in the text at a path of it."""
    if not path:
        text = str(value)
        at = {"first": 0, "middle": (len(text) + 1) // 2, "last": len(text)}[place]
        return text[:at] + character + text[at:]
    if path[0] == "key":
        return {put(key, (), character, place) if key == path[1] else key: one for key, one in value.items()}
    if path[0] == 0:
        return [put(value[0], path[1:], character, place), *value[1:]]
    return {**value, path[0]: put(value[path[0]], path[1:], character, place)}


CASES = [
    pytest.param(module, item, option, backend, id=f"{module}-{number}-{option}-{backend}")
    for module, items in ITEMS.items()
    for number, item in enumerate(items)
    for option in item
    for backend in (
        ["nftables", "iptables"] if module == "nat" and item["type"] not in ("spoof_check", "uplink") else [""]
    )
    if option in RESOURCES[module].options and takes_text(RESOURCES[module].options[option])
]


def characters(of: list[str], *place: object) -> list[str]:
    """The characters that are sent to a place."""
    turn = zlib.crc32(repr(place).encode())
    return [
        character
        for number, character in enumerate(of)
        if (number + turn) % (max(SHARE, LETTERS) if "\xa0" < character < "\u0100" else SHARE) == 0
    ]


@pytest.mark.parametrize("module", RESOURCES)
def test_every_option_that_takes_a_text_is_sent(module: str) -> None:
    options = RESOURCES[module].options
    wanted = {name for name, option in options.items() if takes_text(option)}
    assert wanted - {name for item in ITEMS[module] for name in item} == set()


def host() -> MemoryKernel:
    return two_containers()


def ran(kernel: MemoryKernel, module: str, item: dict[str, Any]) -> dict[str, Any]:
    try:
        wants = validation.items(RESOURCES[module], item)
    except Invalid as error:
        return {"failed": True, "msg": str(error)}
    [result], _warnings = execute(RESOURCES[module], wants, kernel, False)
    shown: dict[str, Any] = readable(result)
    return shown


def is_sentence(text: str) -> bool:
    return text.isprintable() and text.endswith((".", "?")) and len(text) < 2000


def words(lines: list[str]) -> list[list[str]]:
    """The words of command lines, as bash reads them, none of them carried out."""
    plain = [re.sub(r" > /etc/sysctl\.d/[\w.-]+$", "", line) for line in lines]
    script = "f() { printf '%s\\0' $# \"$@\"; }\n" + "".join(f"f {line}\n" for line in plain)
    done = subprocess.run(
        ["bash", "-c", "exec bash --norc /dev/stdin"],
        input=script.encode(errors="surrogateescape"),
        capture_output=True,
        check=True,
    )
    assert done.stderr == b"", done.stderr
    parts = iter(done.stdout.decode(errors="surrogateescape").split("\0"))
    return [[next(parts) for _word in range(int(next(parts)))] for _line in plain]


@pytest.mark.parametrize(("module", "item", "option", "backend"), CASES)
def test_every_character_is_refused_or_arrives_as_it_is(
    module: str, item: dict[str, Any], option: str, backend: str
) -> None:
    given = {**item, "backend": backend} if backend else item
    kernel = host()
    lines: list[str] = []
    for path in paths(item[option]):
        for character in characters(CHARACTERS, module, item, option, path):
            for place in ("first", "middle", "last") if character < "\xa1" or character > "\xff" else ("middle",):
                value = put(item[option], path, character, place)
                task = {**given, option: value}
                before = kernel.snapshot()
                done = ran(kernel, module, task)
                if done.get("failed"):
                    assert is_sentence(done["msg"]), (value, done["msg"])
                    assert kernel.snapshot() == before, value
                    continue
                assert not ran(kernel, module, task).get("changed"), (value, "a second run finds it")
                assert all(line.isprintable() for line in done["commands"]), value
                lines += done["commands"]
                gone = ran(kernel, module, {**task, "state": "absent"})
                assert not gone.get("failed"), (value, gone)
                if {"path", "share"} & {*item}:  # the twin ends the namespace that had the other name with the last one
                    kernel = host()
                    continue
                assert kernel.snapshot() == before, (value, "it is taken away whole")
    for line, found in zip(lines, words(lines), strict=True):
        assert found or line.startswith("#"), line


# --- the module wiring, and with it the role ---

NETWORK: dict[str, Any] = {
    **{"name": "qnet", "subnets": ["10.7.0.0/24", "fd07::/64"], "gateways": ["10.7.0.1"], "ranges": ["10.7.0.64/26"]},
    **{"exclude": ["10.7.0.70"], "mtu": "1400", "outbound_ipv4": "192.0.2.7", "outbound_ipv6": "2001:db8::7"},
    "routes": [{"destination": "10.8.0.0/16", "gateway": "10.7.0.9"}],
}
SHARED: dict[str, Any] = {
    **{
        "name": "qpart",
        "subnets": ["10.6.0.0/16"],
        "driver": "routed",
        "host_prefix": ["24"],
        "underlay_address": "192.0.2.7",
    },
    "fleet": [{"name": "q1", "underlay_address": "192.0.2.7"}, {"name": "q2", "underlay_address": "192.0.2.8"}],
}
ATTACHMENT: dict[str, Any] = {
    **{"name": "qnet", "ipv4_address": "10.7.0.66", "ipv6_address": "fd07::7", "mac_address": "02:00:00:00:00:07"},
    **{"interface": "qeth", "host_interface": "qhost", "port": {"hairpin": "true"}, "rate": "17mbit"},
    **{"egress_rate": "18mbit", "ingress_rate": "19mbit", "delay": "27ms", "jitter": "3ms", "loss": "7.5%"},
}
CONTAINER: dict[str, Any] = {
    **{"name": "qbox", "published_ports": ["192.0.2.7:8080:80/tcp"], "sysctls": {"net.ipv4.ip_forward": "1"}},
    "routes": [{"destination": "10.9.0.0/16", "gateway": "10.7.0.9"}],
    "loopback_addresses": ["10.255.0.7/32"],
}
# Each takes a whole run: of the letters of Latin-1 one, and of what UTF-8 makes of them.
FEWER = [
    character for character in CHARACTERS if character < "\x81" or character > "\xff" or character in "\xa0\xad\xe9"
]
ROUTED = {**SHARED, "underlay": "routed", "uplinks": ["qup"]}
PARENT: dict[str, Any] = {
    **{"name": "qlan", "subnets": ["10.5.0.0/16"], "ranges": ["10.5.0.64/26"], "driver": "macvlan", "parent": "eth0"},
    **{"mode": "private", "host_interface": "qhi", "host_addresses": ["10.5.0.9"]},
}
TRUNK = {"name": "qtrunk", "subnets": ["10.5.0.0/24"], "ports": [{"interface": "qup", "hairpin": "true"}]}
INSIDE = {"name": "qinside", "subnets": ["10.4.0.0/24"], "masquerade": False, "vrf": "qvrf", "vrf_table": "10"}
WHERE = {
    **{"networks": NETWORK, "shared": SHARED, "routed": ROUTED, "parent": PARENT, "trunk": TRUNK, "inside": INSIDE},
    **{"attachment": ATTACHMENT, "containers": CONTAINER},
}
# What a network that hosts share, or one on a parent, and so on, has that no other one has.
NEW = {
    "shared": {*SHARED} - {*NETWORK},
    "routed": {*ROUTED} - {*SHARED},
    "parent": {*PARENT} - {*NETWORK, "driver"},
    "trunk": {*TRUNK} - {*NETWORK},
    "inside": {*INSIDE} - {*NETWORK},
}
OPTIONS_OF_LISTS = {
    "networks": variables.NETWORK,
    "shared": variables.NETWORK,
    "routed": variables.NETWORK,
    "parent": variables.NETWORK,
    "trunk": variables.NETWORK,
    "inside": variables.NETWORK,
    "attachment": variables.ATTACHMENT,
    "containers": variables.CONTAINER,
}
# Told apart by `test_every_option_of_the_lists_that_takes_a_text_is_sent`: a reference, which is tried by itself.
FREE = ("name", "interface", "host_interface")  # of which a text is more than a number, an address, or a word
REFERENCES = {("containers", "network_mode"): "container:qbox", ("containers", "networks"): None}
OF_LISTS = [
    pytest.param(where, option, id=f"{where}-{option}")
    for where, entry in WHERE.items()
    for option in entry
    if where not in NEW or option == "name" or option in NEW[where]
    if takes_text(OPTIONS_OF_LISTS[where][option])
]


@pytest.mark.parametrize("where", WHERE)
def test_every_option_of_the_lists_that_takes_a_text_is_sent(where: str) -> None:
    wanted = {name for name, option in OPTIONS_OF_LISTS[where].items() if takes_text(option)}
    kinds = ("networks", *NEW) if where in ("networks", *NEW) else (where,)
    sent = {option for kind in kinds for option in WHERE[kind]}
    assert wanted - sent - {name for place, name in REFERENCES if place == where} == set()


def wired(kernel: MemoryKernel, lists: dict[str, Any], state: str) -> tuple[str, list[dict[str, Any]]]:
    """What failed, and the results."""
    given = {"state": state, "purge": False, "firewall_backend": "auto"}
    try:
        steps = Steps({**given, **variables.converted(lists)})
    except Invalid as error:
        return str(error), []
    results, _warnings, failed = take_steps(steps, kernel, False)
    listed = [item for half in results.values() for step in half.values() for item in step]
    return str(readable(failed)), readable(listed)


def lists_with(where: str, option: str, value: Any) -> dict[str, Any]:
    """Both lists, with a value of one option; what else names the same thing has that name."""
    entries = {name: {**entry} for name, entry in WHERE.items()}
    entries[where][option] = value
    if option == "name" and where in ("networks", "attachment"):
        entries["networks"]["name"] = entries["attachment"]["name"] = value
    return {
        "networks": [entries["networks"], *([entries[where]] if where in NEW else [])],
        "containers": [
            {**entries["containers"], "networks": [entries["attachment"]]},
            {"name": "qside", "network_mode": f"container:{entries['containers']['name']}"},
        ],
    }


@pytest.mark.parametrize(("where", "option"), OF_LISTS)
def test_every_character_in_the_lists_is_refused_or_arrives_as_it_is(where: str, option: str) -> None:
    kernel, lines, wholly = MemoryKernel(), [], 0
    kernel.apply(AddLink(HOST, "eth0", "dummy", {"enabled": True}))  # a parent
    kernel.apply(AddLink(HOST, "qup", "dummy", {"enabled": True}))
    kernel.apply(AddLink(HOST, "qvrf", "vrf", {"table": 10, "enabled": True}))
    if where == "inside":  # a network in a vrf is refused where forwarding is ours
        kernel.apply(SetSysctl(HOST, "net.ipv4.ip_forward", "1", "0"))
        kernel.apply(SetSysctl(HOST, "net.ipv6.conf.all.forwarding", "1", "0"))
    for path in paths(WHERE[where][option]):
        for character in characters(FEWER, where, option, path):
            value = put(WHERE[where][option], path, character, "middle")
            lists, before = lists_with(where, option, value), kernel.snapshot()
            failed, results = wired(kernel, lists, "present")
            if failed:
                assert is_sentence(failed), (value, failed)
            else:
                wholly += 1
                again = wired(kernel, lists, "present")
                assert (again[0], [one for one in again[1] if one["changed"]]) == ("", []), (
                    value,
                    "a second run finds it",
                )
            commands = [line for one in results for line in one.get("commands", ())]
            assert all(line.isprintable() for line in commands), value
            lines += commands
            assert not wired(kernel, lists, "absent")[0] or (failed and not results), value
            assert kernel.snapshot() == before, (value, "it is taken away whole")
    assert wholly * SHARE > 10 or option not in FREE, "it is never taken"
    for line, found in zip(lines, words(lines), strict=True):
        assert found or line.startswith("#"), line
