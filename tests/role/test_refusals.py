# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables that make no sense are refused before anything is touched, in a sentence that names the item and the option."""

from __future__ import annotations

from typing import Any

import pytest
from lab import Lab
from plays import Play, Playbook, refused, wiring

NET = {"name": "docker0", "subnets": ["172.17.0.0/24"]}
OTHER = {"name": "other", "subnets": ["172.18.0.0/24"]}
OMITTED = "{{ nobody_defines_this | default(omit) }}"


def networks(*items: dict[str, Any]) -> Play:
    """A play with networks only."""
    return refused(networks=list(items))


def web(**options: Any) -> Play:
    """A play with the container web on docker0."""
    return refused(networks=[NET, OTHER], containers=[{"name": "web", **options}])


def on(*attachments: dict[str, Any]) -> Play:
    """A play with the container web, attached to docker0 as said."""
    return web(networks=[{"name": "docker0", **one} for one in attachments])


# What the role's argument_specs refuse, in Ansible's own words.
SPECIFIED: list[tuple[Play, str]] = [
    (refused(networks=[NET], state="gone"), "value of wiring_state must be one of: present, absent, got: gone"),
]

# What the role refuses in its own words: a few of each kind, and what needs Ansible to be a mistake. `tests/unit/recorded/mistakes.txt` has
# the others.
COMPILED: list[tuple[Play, str]] = [
    (networks({"subnets": ["10.0.0.0/24"]}), "wiring_networks: item 1 has no name."),
    (
        networks({**NET, "gatewy": "10.0.0.1"}),
        "wiring_networks: network 'docker0': there is no option gatewy; did you mean gateways?",
    ),
    (
        web(engine="runc"),
        "wiring_containers: container 'web': engine: 'runc' is none of netns, docker, podman, nspawn, lxc, systemd, pid.",
    ),
    (
        refused(networks="docker0"),
        "wiring_networks: item 1: a dict is needed, not 'docker0'; write it as {name: docker0}.",
    ),
    (
        refused(networks="[]"),
        "wiring_networks: it is the text '[]', not a list; -e takes lists as JSON: -e '{\"wiring_networks\": []}'.",
    ),
    (
        refused(networks=[NET], container=[{"name": "web"}]),
        "wiring_container: the role has no such variable; did you mean wiring_containers?",
    ),
    (
        refused(networks=[NET], topology_file="wiring.png"),
        "wiring_topology_file: 'wiring.png' ends with none of .html, .svg, .mmd, .dot and .txt, which say what the picture is made of.",
    ),
    (
        networks({"name": "docker0"}),
        "wiring_networks: network 'docker0': it needs at least one subnet in subnets, or addressing: none.",
    ),
    (
        networks({**NET, "name": "a-name-that-is-too-long"}),
        "wiring_networks: 'a-name-that-is-too-long' is 23 bytes long; an interface name has at most 15.",
    ),
    (
        networks({"name": "docker0", "subnets": ["10.0.0.5/24"]}),
        "wiring_networks: network 'docker0': subnets: '10.0.0.5/24' is not a network such as 172.17.0.0/16: "
        "10.0.0.5/24 has host bits set.",
    ),
    (
        networks({**NET, "gateways": ["10.1.0.1"]}),
        "wiring_networks: network 'docker0': gateways: 10.1.0.1 is in none of its subnets.",
    ),
    (
        networks({**NET, "gateways": ["172.17.0.255"]}),
        "wiring_networks: network 'docker0': the gateway 172.17.0.255 is not an address a host can have in 172.17.0.0/24.",
    ),
    (
        networks(NET, {"name": "other", "subnets": ["172.17.0.128/25"]}),
        "wiring_networks: 172.17.0.128/25 of network 'other' overlaps 172.17.0.0/24 of network 'docker0'.",
    ),
    (networks(NET, NET), "wiring_networks: 'docker0' is listed twice."),
    (
        refused(networks=[NET], containers=[{"name": "web"}, {"name": "web"}]),
        "wiring_containers: 'web' is listed twice.",
    ),
    (
        refused(containers=[{"name": "web"}]),
        "wiring_containers: container 'web': there is no network to attach it to; wiring_networks is empty.",
    ),
    (
        refused(networks=[NET], containers=[{"name": "a/b"}]),
        "wiring_containers: 'a/b' is not a namespace name: it must be a file name for /run/netns, so not empty and without '/'.",
    ),
    (
        web(networks=[{"name": "nope"}]),
        "wiring_containers: container 'web': network 'nope' is not in wiring_networks.",
    ),
    (web(engine="pid"), "wiring_containers: container 'web': pid and engine: pid go together."),
    (
        refused(networks=[{**NET, "state": "absent"}], containers=[{"name": "web"}]),
        "wiring_containers: container 'web': network 'docker0' is to be absent.",
    ),
    (
        on({"ipv4_address": "10.0.0.1"}),
        "wiring_containers: container 'web': ipv4_address: 10.0.0.1 is in none of the subnets of network 'docker0'.",
    ),
    (
        on({"ipv4_address": "fd00::1"}),
        "wiring_containers: container 'web': ipv4_address: fd00::1 is not an IPv4 address.",
    ),
    (
        on({"ipv6_address": "fd00::1"}),
        "wiring_containers: container 'web': ipv6_address: fd00::1 is in none of the subnets of network 'docker0'.",
    ),
    (
        on({"ipv4_address": "172.17.0.5/16"}),
        "wiring_containers: container 'web': ipv4_address: 172.17.0.5/16 has not the prefix length of its subnet 172.17.0.0/24; leave it out.",
    ),
    (on({}, {}), "wiring_containers: container 'web': network 'docker0' is listed twice."),
    (
        on({}, {"name": "other", "interface": "eth0"}),
        "wiring_containers: container 'web': two of its networks use the interface eth0.",
    ),
    (
        on({"default_route": True}, {"name": "other", "default_route": "yes"}),
        "wiring_containers: container 'web': more than one of its networks has default_route: true.",
    ),
    (
        on({"mac_address": "02:42"}),
        "wiring_containers: container 'web': mac_address: '02:42' is not a MAC address such as 02:42:ac:11:00:02.",
    ),
    (
        networks({**NET, "subnets": ["10.0.0.1"]}),
        "wiring_networks: network 'docker0': subnets: '10.0.0.1' has no prefix length; write it as 172.17.0.0/16.",
    ),
    (
        networks({**NET, "name": False}),
        "wiring_networks: network 'False': name: false is a boolean in YAML, as no, off, yes and on are; write it in quotes.",
    ),
    (
        refused(networks=[NET], containers=[{"name": "host"}]),
        "wiring_containers: container 'host': its name means the host's own network; call it something else.",
    ),
    (
        web(network_mode="overlay"),
        "wiring_containers: container 'web': network_mode 'overlay' is none of bridge, host, none, container:NAME.",
    ),
    (
        web(network_mode="container:"),
        "wiring_containers: container 'web': network_mode 'container:' is none of bridge, host, none, container:NAME.",
    ),
    (
        web(network_mode="container:db"),
        "wiring_containers: container 'web': network_mode: there is no container 'db' in wiring_containers.",
    ),
    (
        web(network_mode="container:web"),
        "wiring_containers: container 'web': network_mode goes round in a circle: web -> web.",
    ),
    (
        refused(
            networks=[NET],
            containers=[
                {"name": "a", "network_mode": "container:b"},
                {"name": "b", "network_mode": "container:c"},
                {"name": "c", "network_mode": "container:b"},
            ],
        ),
        "wiring_containers: container 'a': network_mode goes round in a circle: a -> b -> c -> b.",
    ),
    (
        refused(
            networks=[NET],
            containers=[{"name": "a", "network_mode": "container:b"}, {"name": "b", "state": "absent"}],
        ),
        "wiring_containers: container 'a': network_mode: container 'b' is to be absent.",
    ),
    (
        web(network_mode="host", sysctls={"net.ipv4.ip_forward": 1}),
        "wiring_containers: container 'web': sysctls would be the host's own; set those with ansible.posix.sysctl.",
    ),
    (
        web(network_mode="none", routes=[{"destination": "10.0.0.0/8", "type": "blackhole"}]),
        "wiring_containers: container 'web': routes need network_mode: bridge, not none.",
    ),
]


THROUGH_THE_ROLE = 7


@pytest.fixture(scope="module")
def messages(shared_lab: Lab, playbook: Playbook) -> list[str]:
    """What was said to each, and nothing on the host was touched by any.

    In one task the role hands its variables to the module as they are: after the first refusals, which need the role, the module itself
    is asked.
    """
    before = shared_lab.snapshot()
    plays = [play for play, _message in SPECIFIED + COMPILED]
    through = len(SPECIFIED) + THROUGH_THE_ROLE if playbook.one_task else len(plays)
    found = playbook.run(*plays[:through])
    assert [outcome.modules for outcome in found] == [[]] * through
    said = [message for outcome in found for message in outcome.failures]
    for play in plays[through:]:
        options = {
            name: play["vars"][f"wiring_{name}"]
            for name in ("networks", "containers")
            if f"wiring_{name}" in play["vars"]
        }
        said.append(shared_lab.fails("wiring", **options)["msg"])
    assert shared_lab.snapshot() == before
    assert len(said) == len(plays)
    return said


@pytest.mark.parametrize("number", range(len(SPECIFIED)))
def test_the_argument_specs_refuse(messages: list[str], number: int) -> None:
    assert SPECIFIED[number][1] in messages[number]


@pytest.mark.parametrize("number", range(len(COMPILED)))
def test_what_makes_no_sense_is_refused_in_one_sentence(messages: list[str], number: int) -> None:
    """And nothing else is in the message: no words of Ansible's in front."""
    assert messages[len(SPECIFIED) + number] == COMPILED[number][1]


def test_other_spellings_mean_the_same(playbook: Playbook) -> None:
    """A5: what argument_specs accept for a list, a boolean or nothing is understood, not taken letter by letter."""
    plain = {"name": "docker0", "subnets": ["10.8.0.0/24", "10.9.0.0/24"], "internal": False, "masquerade": False}
    spelled = {
        "name": "docker0",
        "subnets": "10.8.0.0/24, 10.9.0.0/24",
        "internal": "no",
        "masquerade": "false",
        "metric": None,
    }
    box = {"name": "web", "networks": [{"name": "docker0", "default_route": False}]}
    spelled_box = {"name": "web", "pid": None, "networks": [{"name": "docker0", "default_route": "no"}]}
    shop = {
        "name": "shop",
        "networks": [{"name": "docker0", "host_interface": "shop0", "port": {"hairpin": True}}],
        "published_ports": ["8080:80", "81:81"],
        "sysctls": {"net.core.somaxconn": "100"},
    }
    spelled_shop = {
        "name": "shop",
        "networks": "name=docker0 host_interface=shop0 port='hairpin=yes'",
        "published_ports": "8080:80, 81:81",
        "sysctls": "net.core.somaxconn=100",
    }
    one, other = playbook.run(
        wiring(networks=[plain], containers=[box, shop]),
        wiring(networks=[spelled], containers=[spelled_box, spelled_shop]),
        options=("--check", "--diff"),
    )
    assert one.drift() == other.drift()
    assert list(one.drift()) == [
        "netns web",
        "netns shop",
        "bridge docker0",
        "filter docker0",
        "spoof_check vethzvxkcem3eqk",
        "spoof_check shop0",
        "address 10.8.0.1/24 on docker0",
        "address 10.9.0.1/24 on docker0",
        "veth vethzvxkcem3eqk",
        "veth shop0",
        "bridge port shop0",
        "address from 10.8.0.0/24 on eth0 in netns 'web'",
        "address from 10.9.0.0/24 on eth0 in netns 'web'",
        "address from 10.8.0.0/24 on eth0 in netns 'shop'",
        "address from 10.9.0.0/24 on eth0 in netns 'shop'",
        "route default in netns 'shop'",
        "port 8080/tcp",
        "port 81/tcp",
    ]


def test_what_is_omitted_is_left_out_in_both_ways(playbook: Playbook) -> None:
    """Else isolation, masquerading and the default route would be off: an omitted value counts for nothing that is false."""
    flags = dict.fromkeys(("isolate", "icc", "masquerade", "internal", "unmanaged"), OMITTED)
    network = {**NET, **flags, "metric": OMITTED, "mtu": OMITTED, "gateways": OMITTED, "exclude": [OMITTED]}
    attachment = {"name": "docker0", "default_route": OMITTED, "ipv4_address": OMITTED, "port": {"hairpin": OMITTED}}
    box = {"name": "web", "pid": OMITTED, "engine": OMITTED, "routes": OMITTED, "networks": [attachment]}
    plain = {"networks": [NET], "containers": [{"name": "web"}]}
    omitting = {"networks": [network], "containers": [box], "state": OMITTED}
    one, other = playbook.run(wiring(**plain), wiring(**omitting), options=("--check", "--diff"))
    assert (one.failures, other.failures) == ([], [])
    assert one.drift() == other.drift()
    assert "filter docker0" in one.drift()
