# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which namespace a name or a process means: processes that go, files that are stale, tools that run at the same time."""

from __future__ import annotations

from typing import Any

import pytest
from lab import Lab
from proofs import comes, container, ns_inode, python, refuses, settles, unchanged, warnings

HOST = "/proc/1/ns/net"

# A host in which process PID ends, and its number is given to a process of the host, just before or after a step.
PID_USED_AGAIN = """
import ctypes, json, os, signal, sys, time
from ansible_collections.linuxnet.containers.plugins.module_utils._run import execution, validation
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import containers as real
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.netns import RESOURCE

moment, host = sys.argv[1], os.stat("/proc/self/ns/net").st_ino
libc = ctypes.CDLL(None)
libc.syscall.restype = ctypes.c_long


def child(pid, own_namespace):
    # clone3, whose arguments can ask for a pid
    wanted = (ctypes.c_int * 1)(pid)
    arguments = (ctypes.c_uint64 * 11)()
    arguments[4] = signal.SIGCHLD
    if pid:
        arguments[8], arguments[9] = ctypes.addressof(wanted), 1
    read, write = os.pipe()
    made = libc.syscall(435, arguments, ctypes.c_size_t(88))
    if made == 0:
        if own_namespace:
            libc.unshare(0x40000000)
        os.write(write, b".")
        signal.alarm(60)
        signal.pause()
    assert made > 0, "clone3 refuses"
    os.read(read, 1)
    return made


container = child(0, True)
inode = os.stat(f"/proc/{container}/ns/net").st_ino
assert inode != host


def used_again():
    os.kill(container, signal.SIGKILL)
    os.waitpid(container, 0)
    time.sleep(0.05)  # start times are told in hundredths of a second
    assert child(container, False) == container
    assert os.stat(f"/proc/{container}/ns/net").st_ino == host


class Kernel(real.Kernel):
    def find(self, ref):
        is_process = ref.path == f"/proc/{container}/ns/net" and ref.path not in self._paths
        if is_process and moment == "before it is opened":
            used_again()
        found = super().find(ref)
        if is_process and moment == "after it is opened":
            used_again()
        return found

    def apply(self, step):
        if moment == "after it was looked at" and type(step).__name__ == "BindNetns":
            used_again()
        super().apply(step)


if moment == "before the module runs":
    used_again()
with Kernel() as kernel:
    wants = validation.items(RESOURCE, {"name": "web", "pid": container})
    results, _warnings = execution.execute(RESOURCE, wants, kernel, False)
bound = os.stat("/run/netns/web").st_ino if os.path.exists("/run/netns/web") else 0
print(json.dumps({"msg": results[0].get("msg", ""), "right": bound == inode, "host": bound == host}))
os.kill(container, signal.SIGKILL)
"""


@pytest.mark.needs("root")
@pytest.mark.parametrize(
    ("moment", "says", "right"),
    [
        ("before the module runs", "is in the host's own network namespace", False),
        ("before it is opened", "ended while its namespace was being opened", False),
        ("after it is opened", "ended while its namespace was being opened", False),
        ("after it was looked at", "", True),
    ],
)
def test_a_process_id_that_is_used_again_never_means_the_host(lab: Lab, moment: str, says: str, right: bool) -> None:
    """B1: the process ends and a process of the host gets its number, at the worst moments."""
    links = lab.run("ip -d link; ip address").stdout
    told = python(lab, PID_USED_AGAIN, moment)
    assert f'"right": {str(right).lower()}, "host": false' in told
    assert says in told
    assert lab.run("ip -d link; ip address").stdout == links


def stale(lab: Lab, content: str = "") -> None:
    lab.run(f"mkdir -p /run/netns && printf '%s' '{content}' > /run/netns/web && chmod 0 /run/netns/web")


@pytest.mark.parametrize(
    ("module", "args"),
    [
        ("netns", {"name": "web"}),
        ("netns", {"name": "web", "share": "host"}),
        ("netns", {"name": "db", "share": "web"}),
        ("bridge", {"name": "br0", "netns": "web"}),
        ("bridge", {"name": "br0", "netns": "web", "state": "absent"}),
        ("veth", {"name": "v0", "peer_netns": "web"}),
        ("veth", {"name": "v0", "peer_name": "v1", "netns": "web"}),
        ("bridge_port", {"bridge": "br0", "interface": "v0", "netns": "web"}),
        ("ns_address", {"interface": "eth0", "address": "192.0.2.2/24", "netns": "web"}),
        ("ns_route", {"gateway": "192.0.2.1", "netns": "web"}),
        ("nat", {"type": "masquerade", "source": "192.0.2.0/24", "netns": "web"}),
    ],
)
def test_every_module_refuses_a_stale_file(lab: Lab, module: str, args: dict[str, Any]) -> None:
    """B5: what somebody put there is no namespace, and nobody else's to remove."""
    stale(lab, "keep me")
    refuses(lab, module, "Netns 'web' is no namespace: /run/netns/web is a file", **args)


@pytest.mark.parametrize("left", ["chmod 0", "chmod 644"])
def test_a_file_that_a_killed_run_left_is_mounted_on(lab: Lab, left: str) -> None:
    """B5: also one of an 'ip netns add' that failed, or of a reboot. To other modules there is no such namespace."""
    stale(lab)
    lab.run(f"{left} /run/netns/web")
    refuses(lab, "veth", "Netns 'web' does not exist", name="v0", peer_netns="web")
    made = settles(lab, "netns", unforeseen=("inode",), name="web")
    assert made["commands"][:2] == ["ip netns del web", "ip netns add web"]
    assert lab.run("ip netns exec web ip -br link").stdout.startswith("lo")
    lab.run("ip netns del web && touch /run/netns/web")
    settles(lab, "netns", name="web", share="host")


def test_a_stale_file_is_removed_by_absent(lab: Lab) -> None:
    """B5"""
    stale(lab)
    removed = settles(lab, "netns", name="web", state="absent")
    assert removed["before"] == {"name": "web", "path": "/run/netns/web", "stale": True}
    assert lab.run("ls /run/netns").stdout == ""
    settles(lab, "netns", unforeseen=("inode",), name="web")


def test_a_file_with_content_is_somebodys(lab: Lab) -> None:
    """B5"""
    stale(lab, "keep me")
    refuses(lab, "netns", "a file of 7 bytes, not a namespace; it is left alone", name="web", state="absent")
    refuses(lab, "netns", "is no namespace", name="web")
    assert lab.run("cat /run/netns/web").stdout == "keep me"


FIFTY_AT_ONCE = """
import os, select, sys
import agent

sys.argv[1:] = []
agent.Agent().preload()
import ansible_collections.linuxnet.containers.plugins.modules.netns
gate, start = os.pipe()
children = {}
for number in range(50):
    output = agent.Output()
    pid = os.fork()
    if pid == 0:
        os.close(start)
        select.select([gate], [], [], 30)
        agent.run_module({"name": "netns", "args": {"name": f"box{number}"}}, output)
    children[pid] = output
os.close(start)
for pid, output in children.items():
    if os.waitpid(pid, 0)[1]:
        print(output.read())
"""


def test_fifty_runs_at_once_on_a_host_that_has_none_yet(lab: Lab) -> None:
    """B6: one mount of /run/netns, one mount a namespace, whoever comes first."""
    assert lab.run("grep -c ' /run/netns' /proc/self/mountinfo", check=False).stdout == "0\n"
    assert python(lab, FIFTY_AT_ONCE) == ""
    points = lab.run("awk '$5 ~ /^.run.netns/ {print $5}' /proc/self/mountinfo").stdout.split()
    assert sorted(points) == sorted(["/run/netns", *(f"/run/netns/box{number}" for number in range(50))])
    inodes = lab.run("stat -Lc %i /run/netns/*").stdout.split()
    assert len(set(inodes)) == 50


def test_the_mount_is_the_one_that_iproute2_makes(lab: Lab) -> None:
    """B6: ip netns and the module may take turns."""
    lab.module("netns", name="one")
    lab.run("ip netns add two")
    lab.module("netns", name="three")
    lab.run("ip netns del one; ip netns exec three true")
    lab.module("netns", name="two", state="absent")
    assert lab.run("ip netns list").stdout.split() == ["three"]
    points = lab.run("awk '$5 ~ /^.run.netns/ {print $5}' /proc/self/mountinfo").stdout.split()
    assert points == ["/run/netns", "/run/netns/three"]


def test_a_symbolic_link_is_understood(lab: Lab) -> None:
    """B7: older tools link /run/netns/NAME to the process; that stays so until a bind is asked for."""
    pid = container(lab)
    lab.run(f"ln -s /proc/{pid}/ns/net /run/netns/web")
    lab.run("ip -n web link set lo up")
    assert unchanged(lab, "netns", name="web")["after"]["symlink"] is True
    lab.module("veth", name="v0", peer_netns="web")
    assert lab.ip("-n web link show eth0")[0]["ifname"] == "eth0"
    assert lab.run("readlink /run/netns/web").stdout == f"/proc/{pid}/ns/net\n"

    bound = settles(lab, "netns", name="web", pid=pid)
    assert "symlink" not in bound["after"]
    assert lab.run("readlink /run/netns/web", check=False).rc == 1
    assert ns_inode(lab, "/run/netns/web") == ns_inode(lab, f"/proc/{pid}/ns/net")


def test_a_symbolic_link_goes_and_what_it_points_at_stays(lab: Lab) -> None:
    """B7"""
    pid = container(lab)
    lab.run(f"ln -s /proc/{pid}/ns/net /run/netns/web")
    inode = ns_inode(lab, f"/proc/{pid}/ns/net")
    settles(lab, "netns", name="web", state="absent")
    assert lab.run("ls -A /run/netns").stdout == ""
    assert ns_inode(lab, f"/proc/{pid}/ns/net") == inode


def test_a_symbolic_link_to_nowhere(lab: Lab) -> None:
    """B7: its process has ended."""
    lab.run("ln -s /proc/4194304/ns/net /run/netns/web")
    refuses(lab, "netns", "is a symbolic link to nowhere; remove it with state: absent", name="web")
    refuses(lab, "veth", "Netns 'web' does not exist", name="v0", peer_netns="web")
    pid = container(lab)
    settles(lab, "netns", name="web", pid=pid)
    assert ns_inode(lab, "/run/netns/web") == ns_inode(lab, f"/proc/{pid}/ns/net")


def test_a_symbolic_link_to_nowhere_is_removed(lab: Lab) -> None:
    """B7"""
    lab.run("ln -s /proc/4194304/ns/net /run/netns/web")
    settles(lab, "netns", name="web", state="absent")
    assert lab.run("ls -A /run/netns").stdout == ""


def test_a_namespace_that_a_process_holds(lab: Lab) -> None:
    """B9: the name goes, and the task says what stays, and until when."""
    lab.module("netns", name="web")
    lab.module("veth", name="v0", peer_netns="web")
    pid = lab.spawn(["nsenter", "--net=/run/netns/web", "sleep", "100000"])
    inode = ns_inode(lab, "/run/netns/web")
    comes(lab, f"[ $(stat -Lc %i /proc/{pid}/ns/net) = {inode} ] && [ $(cat /proc/{pid}/comm) = sleep ]")
    said = (
        f"Netns 'web' lives on without its name: process {pid} (sleep) holds it; its interfaces eth0 stay until then."
    )
    assert warnings(lab.module("netns", check=True, name="web", state="absent")) == [said]
    removed = lab.module("netns", name="web", state="absent")
    assert (removed["changed"], warnings(removed)) == (True, [said])
    assert lab.run("ls /run/netns").stdout == ""
    unchanged(lab, "netns", name="web", state="absent")
    assert lab.ip("link show v0")[0]["ifname"] == "v0"
    lab.kill(pid)
    comes(lab, "! ip link show v0")


@pytest.mark.parametrize("path", ["/proc/1/ns/net", "/run/netns/host"])
def test_the_host_is_never_the_container(lab: Lab, path: str) -> None:
    """B2: a name or a process that turns out to be the host's own namespace gets no eth0."""
    lab.module("netns", name="host", share="host")
    args = {"name": "v0", "peer_netns": path.removeprefix("/run/netns/")}
    refuses(lab, "veth", "is the namespace that the other end is in; a container needs one of its own", **args)
    refuses(lab, "netns", "is the host's own network namespace; say share: host", name="web", path=path)


@pytest.mark.parametrize("process_first", [False, True])
@pytest.mark.parametrize("was", ["nothing", "another"])
def test_a_name_does_not_keep_what_a_process_gives_to_another_item(lab: Lab, process_first: bool, was: str) -> None:
    """In the first run already, whatever the other name means until then: else two containers would share a namespace that has one owner."""
    pid = container(lab)
    lab.run(f"ip netns attach old {pid}")
    if was == "another":
        lab.run("ip netns add new")
    items: list[dict[str, Any]] = [{"name": "old"}, {"name": "new", "pid": pid}]
    lab.module("netns", aggregate=items[::-1] if process_first else items)
    unchanged(lab, "netns", aggregate=items)
    assert ns_inode(lab, "/run/netns/new") == ns_inode(lab, f"/proc/{pid}/ns/net") != ns_inode(lab, "/run/netns/old")
    lab.kill(pid)
