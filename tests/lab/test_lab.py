# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab itself: what happens in a host stays there, and what it reports is true."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest
from lab import HERE, HOST, Lab, writes_in
from proofs import comes


def outside(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout


def test_links_and_namespaces_stay_inside(lab: Lab) -> None:
    links = outside("ip", "-o", "link")
    named = sorted(os.listdir("/run/netns")) if os.path.isdir("/run/netns") else None
    lab.run("ip netns add web && ip link add web0 type veth peer name eth0 netns web")
    assert lab.ip("link show web0")[0]["ifname"] == "web0"
    assert lab.ip("-n web link show eth0")[0]["ifname"] == "eth0"
    assert outside("ip", "-o", "link") == links
    assert (sorted(os.listdir("/run/netns")) if os.path.isdir("/run/netns") else None) == named


def test_two_hosts_do_not_see_each_other(lab: Lab) -> None:
    with Lab(hostname="other") as other:
        other.run("ip netns add web && ip link add br0 type bridge")
        assert other.run("hostname").stdout == "other\n"
        assert lab.run("ls /run/netns").stdout == ""
        assert [link["ifname"] for link in lab.ip("link show type bridge")] == []


@pytest.mark.parametrize("path", ["/etc/sysctl.d/99-lab.conf", "/etc/netns/web/resolv.conf", "/run/lab"])
def test_files_stay_inside(lab: Lab, path: str) -> None:
    lab.run(f"mkdir -p $(dirname {path}) && echo yes > {path}")
    assert lab.run(f"cat {path}").stdout == "yes\n"
    assert not Path(path).exists()


@pytest.mark.needs("root")
def test_the_machines_own_sysctls_cannot_be_set(lab: Lab) -> None:
    """Those of the network are the lab host's own; all others would be the machine's."""
    own = outside("sysctl", "-n", "vm.swappiness")
    assert "Read-only file system" in lab.run("echo 1 >/proc/sys/vm/swappiness", check=False).stderr
    assert outside("sysctl", "-n", "vm.swappiness") == own
    assert lab.run("sysctl -qw net.ipv4.ip_forward=1 && sysctl -n net.ipv4.ip_forward").stdout == "1\n"


def test_the_machines_etc_is_readable(lab: Lab) -> None:
    assert lab.run("cat /etc/passwd").stdout == Path("/etc/passwd").read_text(encoding="utf-8")


def test_a_fresh_host_is_bare(lab: Lab) -> None:
    assert [link["ifname"] for link in lab.ip("link show")] == ["lo"]
    assert "UP" in lab.ip("link show lo")[0]["flags"]
    assert lab.run("ls /sys/class/net").stdout == "lo\n"
    assert lab.run("ls -A /run/netns").stdout == ""
    assert lab.run("mountpoint -q /run/netns", check=False).rc != 0


def test_a_host_costs_well_under_a_second_of_the_processor() -> None:
    assert min(cost() for dummy in range(3)) < 1


def cost() -> float:
    """The processor's time that a host takes from its start to its end, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with Lab() as lab:
        lab.run("true")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_the_command_decides_the_exit_status() -> None:
    assert subprocess.run([HOST, "bash", "-c", "exit 7"], timeout=300, check=False).returncode == 7
    assert (
        subprocess.run([HOST, "cat"], input="through", capture_output=True, text=True, check=True, timeout=300).stdout
        == "through"
    )


def test_daemons_end_with_their_host() -> None:
    with Lab() as lab:
        name = f"{time.time_ns()}"
        lab.run(f"setsid bash -c 'exec -a {name} sleep 100000' >/dev/null 2>&1 &")
        assert name in outside("ps", "-eo", "args")
    assert name not in outside("ps", "-eo", "args")


def test_a_command_that_hangs_is_ended(lab: Lab) -> None:
    with pytest.raises(AssertionError, match=r"no end after 0\.2 s"):
        lab.run("sleep 60", timeout=0.2)
    assert lab.run("echo alive").stdout == "alive\n"


def test_a_failing_command_is_told(lab: Lab) -> None:
    with pytest.raises(AssertionError, match="Cannot find device"):
        lab.run("ip link show nothing 2>&1; ip link set nothing up")
    assert lab.run("exit 3", check=False).rc == 3


def test_background_commands(lab: Lab) -> None:
    pid = lab.spawn("echo started; touch /run/started; exec sleep 100000")
    comes(lab, "[ -e /run/started ]")
    result = lab.kill(pid)
    assert (result.rc, result.stdout) == (-15, "started\n")


def test_a_module_that_cannot_be_imported_does_not_end_the_agent(lab: Lab) -> None:
    with pytest.raises(AssertionError, match="no_such_module"):
        lab.result("no_such_module")
    assert lab.run("echo alive").stdout == "alive\n"


def test_snapshots_are_repeatable_and_see_changes(lab: Lab) -> None:
    lab.run(
        "ip netns add web && ip link add br0 type bridge && ip link set br0 up && "
        "ip link add web0 type veth peer name eth0 netns web && ip link set web0 master br0 up && "
        "ip -n web link set eth0 up && ip -n web addr add 192.0.2.2/24 dev eth0 && "
        "ip -n web addr add 2001:db8::2/64 dev eth0"
    )
    first = lab.snapshot()
    comes(lab, '[ -z "$(ip -6 addr show tentative; ip -n web -6 addr show tentative)" ]')  # duplicate address detection
    assert lab.snapshot() == first
    for change in (
        "ip -n web link set eth0 mtu 1400",
        "ip -n web route add default via 192.0.2.1",
        "bridge link set dev web0 hairpin on",
        "sysctl -qw net.ipv4.ip_forward=1",
        "ip netns exec web sysctl -qw net.ipv4.conf.eth0.arp_ignore=1",
        "echo net.ipv4.ip_forward=1 > /etc/sysctl.d/90-lab.conf",
        "ip netns add db",
        "ip netns delete db",
    ):
        before = lab.snapshot()
        lab.run(change)
        assert lab.snapshot() != before, change


@pytest.mark.needs("nft")
def test_snapshots_see_the_firewall(lab: Lab) -> None:
    before = lab.snapshot()
    lab.run("nft add table inet lab")
    assert lab.snapshot() != before


def test_unchanged_tells_a_change(lab: Lab) -> None:
    unchanged = HERE / "unchanged"
    assert lab.run([str(unchanged), "sh", "-c", "exit 3"], check=False).rc == 3
    assert lab.run([str(unchanged), "true"]).rc == 0
    changed = lab.run([str(unchanged), "ip", "netns", "add", "web"], check=False)
    assert changed.rc == 1
    assert "+netns web" in changed.stdout


@pytest.mark.needs("strace")
@pytest.mark.parametrize(
    ("command", "writes"),
    [
        ("ip link add br0 type bridge", ["RTM_NEWLINK"]),
        ("ip link show; ip addr; ip route; ip rule; ip neigh; bridge link", []),
        ("ip addr add 192.0.2.1/24 dev lo; ip addr del 192.0.2.1/24 dev lo", ["RTM_NEWADDR", "RTM_DELADDR"]),
        ("echo 1 > /proc/sys/net/ipv4/ip_forward", ["write /proc/sys/net/ipv4/ip_forward"]),
        ("cat /proc/sys/net/ipv4/ip_forward", []),
        ("ip netns add web", [*["mount /run/netns"] * 3, "write /run/netns/web", "mount /run/netns/web"]),
    ],
)
def test_strace_finds_the_writes(lab: Lab, command: str, writes: list[str]) -> None:
    assert lab.strace(command) == writes


@pytest.mark.needs("strace")
@pytest.mark.parametrize("lost", [False, True])
def test_a_module_can_be_cut_off_in_the_middle(lab: Lab, lost: bool) -> None:
    cut = lab.cut(1, "bridge", lost=lost, name="br0")
    assert cut["msg"] == "Could not create bridge br0 in the host: Cannot allocate memory."
    assert [one["ifname"] for one in lab.ip("link show type bridge")] == ["br0"] * lost
    with pytest.raises(AssertionError, match="has no message 9"):
        lab.cut(9, "bridge", name="br1")


@pytest.mark.needs("strace", "nft", "nf_tables")
def test_strace_finds_firewall_writes(lab: Lab) -> None:
    assert lab.strace("nft list ruleset") == []
    assert lab.strace("nft add table inet lab") == ["NFT_MSG_NEWTABLE"]
    batch = "add chain inet lab c; " + "add rule inet lab c accept; " * 50
    assert lab.strace(["nft", batch]) == ["NFT_MSG_NEWCHAIN", *["NFT_MSG_NEWRULE"] * 50]
    assert lab.strace("nft list ruleset; nft -j list ruleset; nft list table inet lab") == []


@pytest.mark.needs("strace")
def test_strace_finds_what_pyroute2_writes(lab: Lab) -> None:
    read = "from pyroute2 import IPRoute; ip = IPRoute(); list(ip.get_links()); list(ip.get_routes())"
    assert lab.strace([sys.executable, "-c", read]) == []
    write = f"{read}; ip.link('add', ifname='br0', kind='bridge'); ip.close()"
    assert lab.strace([sys.executable, "-c", write]) == ["RTM_NEWLINK"]


@pytest.mark.parametrize(
    ("number", "writes"),
    [
        ("0xa10", []),
        ("0xa06", ["NFT_MSG_NEWRULE"]),
        ("0x12", []),
        ("0x10", ["RTM_NEWLINK"]),
        ("0x19", ["RTM_DELROUTE"]),
    ],
)
def test_messages_that_strace_cannot_name(number: str, writes: list[str]) -> None:
    assert writes_in(f"sendto(3, [{{nlmsg_len=20, nlmsg_type={number} /* NLMSG_??? */, nlmsg_flags=0") == writes
