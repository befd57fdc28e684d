# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module netns: namespaces of one's own, attached ones, and what a name may turn out to be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from lab import Lab
from proofs import container, lines, ns_inode, pastes, refuses, says, settles, unchanged, untouched, warnings

HOST = "/proc/1/ns/net"


def loopback(lab: Lab, name: str) -> list[str]:
    flags: list[str] = lab.ip(f"-n {name} link show lo")[0]["flags"]
    return flags


def mounts(lab: Lab) -> list[str]:
    """The mount points at and below /run/netns, as the kernel lists them."""
    listed = lab.run("awk '{print $5}' /proc/self/mountinfo").stdout.split()
    return sorted(point for point in listed if point.startswith("/run/netns"))


def inside(lab: Lab, name: str, command: str) -> str:
    return lab.run(f"ip netns exec {name} {command}").stdout.strip()


@pytest.mark.both_ends
def test_a_namespace_is_made_and_removed(lab: Lab) -> None:
    before = lab.snapshot()
    made = settles(lab, "netns", unforeseen=("inode",), name="web")
    inode = ns_inode(lab, "/run/netns/web")
    assert inode != ns_inode(lab, HOST)
    assert made["before"] == {}
    assert made["after"] == {
        "name": "web",
        "path": "/run/netns/web",
        "inode": inode,
        "pid": None,
        "container": None,
        "engine": None,
        "shared_with": [],
        "loopback": True,
        "sysctls": {},
    }
    assert lines(made) == ([], ["name web", "path /run/netns/web", "loopback true"])
    assert made["diff"]["before_header"] == made["diff"]["after_header"] == "netns web"
    assert made["commands"] == ["ip netns add web", "ip -n web link set lo up"]
    assert "UP" in loopback(lab, "web")
    assert [link["ifname"] for link in lab.ip("-n web link show")] == ["lo"]

    removed = settles(lab, "netns", name="web", state="absent")
    assert (removed["after"], removed["commands"]) == ({}, ["ip netns del web"])
    assert removed["before"]["inode"] == inode
    lab.run("umount /run/netns")  # what the first namespace of a host needs, and keeps
    assert lab.snapshot() == before


@pytest.mark.needs("strace")
def test_a_second_run_writes_nothing(lab: Lab) -> None:
    wanted: dict[str, Any] = {"name": "web", "sysctls": {"net.ipv4.ip_forward": 1}}
    dummy, writes = lab.writes("netns", **wanted)
    assert "write /run/netns/web" in writes
    assert "mount /run/netns/web" in writes
    result, writes = lab.writes("netns", **wanted)
    assert (result["changed"], writes) == (False, [])


def test_the_loopback_is_left_as_it_is_on_request(lab: Lab) -> None:
    made = settles(lab, "netns", unforeseen=("inode",), name="web", loopback=False)
    assert made["after"]["loopback"] is False
    assert "UP" not in loopback(lab, "web")
    assert lines(settles(lab, "netns", name="web")) == (["loopback false"], ["loopback true"])
    assert "UP" in loopback(lab, "web")
    unchanged(lab, "netns", name="web", loopback=False)
    assert "UP" in loopback(lab, "web")


def test_sysctls_are_set_inside(lab: Lab) -> None:
    """Keys of the namespace only; a dot inside an interface's name is a slash, as sysctl has it."""
    host = lab.run("sysctl -n net.ipv4.ip_forward net.ipv4.ip_local_port_range").stdout
    settles(lab, "netns", unforeseen=("inode",), name="web", sysctls={"net.ipv4.ip_forward": True})
    assert inside(lab, "web", "sysctl -n net.ipv4.ip_forward") == "1"
    lab.run("ip -n web link add eth0.5 type veth peer name p && ip -n web link set eth0.5 up")
    changed = settles(
        lab,
        "netns",
        name="web",
        sysctls={
            "net.ipv4.ip_forward": "0",
            "net.ipv4.ip_local_port_range": "20000   30000",
            "net.ipv4.conf.eth0/5.arp_ignore": 1,
        },
    )
    assert lines(changed) == (
        [
            "sysctls net.ipv4.ip_forward 1 net.ipv4.ip_local_port_range 32768 60999 net.ipv4.conf.eth0/5.arp_ignore 0",
        ],
        [
            "sysctls net.ipv4.ip_forward 0 net.ipv4.ip_local_port_range 20000 30000 net.ipv4.conf.eth0/5.arp_ignore 1",
        ],
    )
    assert inside(lab, "web", "cat /proc/sys/net/ipv4/conf/eth0.5/arp_ignore") == "1"
    assert inside(lab, "web", "sysctl -n net.ipv4.ip_local_port_range").split() == ["20000", "30000"]
    assert lab.run("sysctl -n net.ipv4.ip_forward net.ipv4.ip_local_port_range").stdout == host


SYSCTLS: list[tuple[str, Any, list[Any], str | None]] = [
    # key, what is given, other spellings of it, what the kernel has then
    ("net.ipv4.ip_local_reserved_ports", "8080,8081", ["8080-8081", "8081 8080", "8080-8080,8081"], "8080-8081"),
    ("net.ipv4.conf.all.rp_filter", "0x1", [1, True, "01"], "1"),
    ("net.ipv6.conf.default.stable_secret", "2001:db8::1", ["2001:DB8:0::0001"], "2001:0db8:0000:0000:0000:0000:0000:0001"),
    ("net.ipv4.ip_local_port_range", "20000\t30000", ["20000 0x7530", "20000 30000"], "20000 30000"),
    ("net.ipv4.tcp_rmem", "5000", ["5000", "0x1388", "011610"], None),
    ("net.ipv4.ping_group_range", "0 10", ["0x0 0xA"], "0 10"),
    ("net.ipv4.tcp_fastopen_key", "A-B-C-D", ["0xa-0xb-c-0d"], "0000000a-0000000b-0000000c-0000000d"),
    ("net.ipv4.conf.all.forwarding", True, ["1", "0x1"], "1"),
    ("net.ipv4.icmp_ratelimit", 1001, ["1001"], None),
    ("net.ipv4.neigh.default.proxy_delay", 81, ["0x51"], None),
    ("net.core.rps_default_mask", "0", ["00", "0,00000000"], None),
    ("net.bridge.bridge-nf-call-iptables", "2", [1, "0x3", True], "1"),
    ("net.netfilter.nf_conntrack_udp_timeout", "0x20", [32, "040"], "32"),
]  # fmt: skip


def test_a_sysctl_in_any_spelling_is_written_once(lab: Lab) -> None:
    """What the kernel says back is what was asked for: the second run writes nothing, nor does one in other words."""
    lab.module("netns", name="web")
    lab.run("ip -n web link add name eth7.5 type veth peer name p")
    known = [
        one
        for one in SYSCTLS
        if inside(lab, "web", f"sh -c '[ -w /proc/sys/{one[0].replace('.', '/')} ] || echo no'") == ""
    ]
    assert {"net.ipv4.ip_local_reserved_ports", "net.ipv6.conf.default.stable_secret"} < {one[0] for one in known}
    for key, given, others, shown in known:
        made = lab.module("netns", name="web", sysctls={key: given})
        if shown is not None:
            assert inside(lab, "web", f"sysctl -n {key}").split() == shown.split()
            assert made["after"]["sysctls"] == {key: shown}
        for value in [given, *others]:
            again = unchanged(lab, "netns", name="web", sysctls={key: value})
            assert again["commands"] == []
            assert again["before"] == again["after"]
        unchanged(lab, "netns", name="web", sysctls={key.replace(".", "/"): given})
    unchanged(lab, "netns", name="web", sysctls={key: given for key, given, _others, _shown in known})


def test_a_sysctl_that_was_never_set_is_set(lab: Lab) -> None:
    """The kernel answers a read with an error as long as there is no secret."""
    lab.module("netns", name="web")
    key = "net.ipv6.conf.default.stable_secret"
    made = settles(lab, "netns", name="web", sysctls={key: "2001:db8::1"})
    assert made["before"]["sysctls"] == {key: ""}
    assert inside(lab, "web", f"sysctl -n {key}") == made["after"]["sysctls"][key]


def test_the_commands_do_what_the_module_did(lab: Lab) -> None:
    args: dict[str, Any] = {
        "name": "web",
        "sysctls": {"net.ipv4.ip_forward": 1, "net.ipv4.ip_local_port_range": "20000 30000"},
    }
    made = lab.module("netns", **args)
    with Lab() as other:
        pastes(made, other, "netns", **args)


@pytest.mark.both_ends
def test_the_namespace_of_a_process_gets_a_name(lab: Lab) -> None:
    pid = container(lab)
    bound = settles(lab, "netns", name="web", pid=pid)
    inode = ns_inode(lab, f"/proc/{pid}/ns/net")
    assert ns_inode(lab, "/run/netns/web") == inode
    assert (bound["after"]["inode"], bound["after"]["pid"]) == (inode, pid)
    assert bound["commands"][0] == f"ip netns attach web {pid}"
    assert "UP" in loopback(lab, "web")
    lab.kill(pid)
    assert ns_inode(lab, "/run/netns/web") == inode  # the name keeps it alive


def test_a_container_that_was_restarted_is_bound_anew(lab: Lab) -> None:
    first, second = container(lab), container(lab)
    lab.module("netns", name="web", pid=first)
    old, new = ns_inode(lab, f"/proc/{first}/ns/net"), ns_inode(lab, f"/proc/{second}/ns/net")
    lab.kill(first)
    bound = settles(lab, "netns", name="web", pid=second)
    assert lines(bound) == ([f"inode {old}", "pid none"], [f"inode {new}", f"pid {second}"])
    assert bound["commands"] == [
        "ip netns del web",
        f"ip netns attach web {second}",
        "ip -n web link set lo up",
    ]
    assert ns_inode(lab, "/run/netns/web") == new
    assert mounts(lab) == ["/run/netns", "/run/netns/web"]
    assert "UP" in loopback(lab, "web")


@pytest.mark.parametrize("how", ["path", "share"])
def test_two_names_for_one_namespace(lab: Lab, how: str) -> None:
    lab.module("netns", name="pod")
    source: dict[str, Any] = {"path": "/run/netns/pod"} if how == "path" else {"share": "pod"}
    shared = settles(lab, "netns", name="web", **source)
    assert ns_inode(lab, "/run/netns/web") == ns_inode(lab, "/run/netns/pod")
    assert shared["after"]["shared_with"] == ["pod"]
    assert unchanged(lab, "netns", name="pod")["after"]["shared_with"] == ["web"]

    gone = lab.module("netns", name="pod", state="absent")
    assert warnings(gone) == ["Netns 'pod' lives on without its name: the name web holds it."]
    assert loopback(lab, "web")


def test_a_path_may_be_that_of_a_process(lab: Lab) -> None:
    pid = container(lab)
    settles(lab, "netns", name="web", path=f"/proc/{pid}/ns/net")
    assert ns_inode(lab, "/run/netns/web") == ns_inode(lab, f"/proc/{pid}/ns/net")


def test_share_host_is_the_host_and_nothing_is_touched_in_it(lab: Lab) -> None:
    """B2: the host's own namespace only where it is asked for by name."""
    lab.run("ip link set lo down")
    links = lab.run("ip -d link").stdout
    shared = settles(lab, "netns", name="web", share="host")
    assert ns_inode(lab, "/run/netns/web") == ns_inode(lab, HOST)
    assert shared["after"]["shared_with"] == ["host"]
    assert lab.run("ip -d link").stdout == links
    refuses(lab, "netns", "they would be the host's own", name="web", share="host", sysctls={"net.ipv4.ip_forward": 1})

    made = settles(lab, "netns", unforeseen=("inode",), name="web")  # from now on one of its own
    assert made["commands"][:2] == ["ip netns del web", "ip netns add web"]
    assert ns_inode(lab, "/run/netns/web") != ns_inode(lab, HOST)
    lab.module("netns", name="web", share="host")
    assert "warnings" not in settles(lab, "netns", name="web", state="absent")
    assert lab.run("ip -d link").stdout == links


def test_names_and_process_ids_are_never_mixed(lab: Lab) -> None:
    """B3: a name that is a number stays a name."""
    pid = container(lab)
    lab.module("netns", name=str(pid))
    assert ns_inode(lab, f"/run/netns/{pid}") != ns_inode(lab, f"/proc/{pid}/ns/net")
    lab.module("netns", name="box", pid=pid)
    assert ns_inode(lab, "/run/netns/box") == ns_inode(lab, f"/proc/{pid}/ns/net")
    lab.module("veth", name="v0", peer_netns=str(pid))
    assert [link["ifname"] for link in lab.ip(f"-n {pid} link show")] == ["lo", "eth0"]
    assert [link["ifname"] for link in lab.ip("-n box link show")] == ["lo"]
    lab.module("netns", name="copy", share=str(pid))
    assert ns_inode(lab, "/run/netns/copy") == ns_inode(lab, f"/run/netns/{pid}")


def test_a_name_that_begins_like_another_is_another(lab: Lab) -> None:
    """B4"""
    lab.module("netns", name="web1")
    made = lab.module("netns", name="web")
    assert made["changed"]
    assert ns_inode(lab, "/run/netns/web") != ns_inode(lab, "/run/netns/web1")
    lab.module("netns", name="web", state="absent")
    assert os.linesep.join(lab.run("ls /run/netns").stdout.split()) == "web1"
    unchanged(lab, "netns", name="web1")


def test_many_in_one_task_and_one_that_fails(lab: Lab) -> None:
    """One item that fails is taken back and named; the others are done."""
    broken = {"name": "broken", "sysctls": {"net.ipv4.ip_forward": "many"}}
    result = lab.fails("netns", aggregate=[{"name": "web"}, broken, {"name": "db", "loopback": False}])
    assert result["msg"] == (
        "1 of 3 items failed. netns broken: Could not set sysctl net.ipv4.ip_forward to 'many' in netns 'broken': "
        "Invalid argument."
    )
    assert [item["changed"] for item in result["results"]] == [True, False, True]
    assert result["results"][1]["failed"]
    assert lab.run("ls /run/netns").stdout.split() == ["db", "web"]
    assert mounts(lab) == ["/run/netns", "/run/netns/db", "/run/netns/web"]
    settles(lab, "netns", state="absent", aggregate=[{"name": "web"}, {"name": "db"}, {"name": "gone"}])
    assert lab.run("ls /run/netns").stdout == ""


def test_a_namespace_can_share_one_that_the_same_task_makes(lab: Lab) -> None:
    settles(lab, "netns", aggregate=[{"name": "pod"}, {"name": "web", "share": "pod"}, {"name": "db", "share": "web"}])
    assert len({ns_inode(lab, f"/run/netns/{name}") for name in ("pod", "web", "db")}) == 1


def test_what_an_attached_namespace_was_is_kept_when_a_later_step_fails(lab: Lab) -> None:
    """G2: a name that was bound anew is bound back."""
    first, second = container(lab), container(lab)
    lab.module("netns", name="web", pid=first)
    refuses(lab, "netns", "Invalid argument", name="web", pid=second, sysctls={"net.ipv4.ip_forward": "many"})
    assert ns_inode(lab, "/run/netns/web") == ns_inode(lab, f"/proc/{first}/ns/net")


@pytest.fixture(name="quiet", scope="module")
def host_that_nothing_touches(shared_lab: Lab) -> Iterator[Lab]:
    with untouched(shared_lab):
        yield shared_lab


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"name": ""}, "name: '' is not a namespace name"),
        ({"name": "a/b"}, "name: 'a/b' is not a namespace name"),
        ({"name": "../x"}, r"name: '\.\./x' is not a namespace name"),
        ({"name": ".."}, r"name: '\.\.' is not a namespace name"),
        ({"name": " web"}, "is not a namespace name"),
        ({"name": "n" * 256}, "is not a namespace name"),
        ({"name": "web", "share": ""}, "share: '' is not a namespace name"),
        ({"name": "web", "share": "web"}, "share: netns 'web' cannot share itself"),
        ({"name": "web", "share": "nowhere"}, "Netns 'nowhere' does not exist"),
        ({"name": "web", "pid": 0}, "pid: 0 is not a process ID"),
        ({"name": "web", "pid": 4194304}, "there is no process 4194304"),
        ({"name": "web", "pid": 1}, "pid: 1 is in the host's own network namespace; say share: host"),
        ({"name": "web", "path": HOST}, "path: /proc/1/ns/net is the host's own network namespace"),
        ({"name": "web", "path": "ns/web"}, "path: 'ns/web' is not an absolute path"),
        ({"name": "web", "path": "/run/netns/nowhere"}, "path: /run/netns/nowhere does not exist"),
        ({"name": "web", "path": "/proc/1/ns/mnt"}, "/proc/1/ns/mnt is not a network namespace"),
        ({"name": "web", "path": "/etc/passwd"}, "/etc/passwd is not a network namespace"),
        ({"name": "web", "path": "/run"}, "/run is not a network namespace"),
        ({"name": "web", "pid": 1, "container": "db"}, "mutually exclusive"),
        ({"name": "web", "sysctls": {"kernel.hostname": "x"}}, "'kernel.hostname' is not a key of a network namespace"),
        ({"name": "web", "sysctls": {"net.ipv4.ip_forward": ""}}, "'net.ipv4.ip_forward' needs a value"),
        ({"name": "web", "sysctls": {"net.ipv4.ip_forward": "yes"}}, "'net.ipv4.ip_forward' cannot be 'yes'"),
        ({"name": "web", "sysctls": {"net.ipv4.ip_forward": "\u00b2"}}, "has a character that no sysctl has"),
        ({"name": "web", "pid": True}, "pid: the boolean true is not a whole number"),
        ({}, "one of the following is required: name, aggregate"),
        ({"aggregate": [{"name": "web"}, {"loopback": True}]}, "aggregate item 2: missing required arguments: name"),
        ({"aggregate": [{"name": "web"}, {"name": "a/b"}]}, "aggregate item 2: name: 'a/b' is not a namespace name"),
        ({"aggregate": [{"name": "web", "colour": "red"}]}, "aggregate item 1: .*colour"),
    ],
)
def test_bad_input_is_refused_before_anything_is_touched(quiet: Lab, args: dict[str, Any], message: str) -> None:
    says(quiet, "netns", message, **args)


def test_a_sysctl_that_the_kernel_does_not_have(lab: Lab) -> None:
    lab.module("netns", name="web")
    for key, message in (
        ("net.ipv4.conf.all.nonsense", "this kernel has no 'net.ipv4.conf.all.nonsense' in netns 'web'"),
        (
            "net.ipv4.conf.eth7.arp_ignore",
            "'net.ipv4.conf.eth7.arp_ignore': there is no interface 'eth7' in netns 'web'",
        ),
    ):
        refuses(lab, "netns", message, name="web", sysctls={key: 1})
