# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fleet itself: who is where in it, that Ansible gets there over SSH, and that nothing of it is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fleet import Beside, Fleet, fleet
from lab import HERE, Lab
from plays import shell

pytestmark = pytest.mark.needs("lab host", "root", "ssh", "sshd", "ping")

# A process of its own that has a fleet of ten, and prints what there is of it, until a line comes.
TEN = """
import json, sys
from fleet import fleet
with fleet(hosts=10) as f:
    spaces = [lab.run("readlink /proc/self/ns/pid").stdout.strip() for lab in (f.stage, *f.hosts)]
    print(json.dumps([f.seconds, str(f.folder), spaces]), flush=True)
    sys.stdin.readline()
"""


def ping(who: Lab | Beside, *addresses: str) -> None:
    for address in addresses:
        who.run(f"ping -n -q -c 1 -W 10 {address}")


def next_hop(who: Lab | Beside, address: str) -> str:
    """By whom it sends to an address, empty where that is on its own segment."""
    (route,) = json.loads(who.run(f"ip -j route get {address}").stdout)
    return str(route.get("gateway", ""))


def test_each_host_is_a_machine_of_its_own(hosts: Fleet) -> None:
    for host in hosts.hosts:
        assert host.run("hostname").stdout == f"{host.name}\n"
        assert [link["ifname"] for link in host.ip("link show")] == ["lo", "mgmt0", "eth0"]
        assert host.run("ls /run/netns").stdout == ""
        host.run(f"ip netns add {host.name} && echo {host.name} >/etc/mine")
    assert [host.run("ls /run/netns; cat /etc/mine").stdout.split() for host in hosts.hosts] == [
        [host.name] * 2 for host in hosts.hosts
    ]
    for host in hosts.hosts:
        assert hosts.stage.run(f"readlink {host.inside(host.name)} || stat -Lc %i {host.inside(host.name)}").stdout == (
            host.run(f"stat -Lc %i /run/netns/{host.name}").stdout
        )
        host.run(f"ip netns del {host.name}")


def test_all_reach_each_other_the_internet_and_the_stranger_over_the_data_network(hosts: Fleet) -> None:
    around = [("198.18.1.200", "2001:db8:1::200"), ("192.0.2.99", "2001:db8::99")]
    known = [*((host.data4, host.data6) for host in hosts.hosts), *around]
    everybody: list[Lab | Beside] = [*hosts.hosts, hosts.stranger, hosts.internet]
    for who in everybody:
        for addresses in known:
            ping(who, *addresses)


def test_who_is_on_whose_segment(hosts: Fleet) -> None:
    first, second, third = hosts.hosts
    assert [next_hop(first, one) for one in (third.data4, third.data6)] == ["", ""]
    assert [next_hop(first, one) for one in (second.data4, second.data6)] == ["198.18.1.254", "2001:db8:1::fe"]
    assert [next_hop(second, one) for one in (first.data4, first.data6)] == ["198.18.2.254", "2001:db8:2::fe"]
    assert [next_hop(hosts.stranger, one) for one in (first.data4, second.data4)] == ["", "198.18.1.254"]
    assert next_hop(first, "192.0.2.99") == "198.18.1.254"


def test_nobody_but_the_controller_is_on_the_management_network(hosts: Fleet) -> None:
    for who in (hosts.internet, hosts.stranger, hosts.router):
        assert who.run("ping -n -q -c 1 -W 1 100.64.0.1", check=False).rc != 0
    assert hosts.internet.run("ip route get 10.1.0.1", check=False).rc != 0, "it should know no network but the hosts'"
    for host in hosts.hosts:
        ping(hosts.stage, host.address)
        assert hosts.stage.run(f"ping -n -q -c 1 -W 1 {host.data4}", check=False).rc != 0
        (listener,) = host.run("ss -Htln sport 22").stdout.splitlines()
        assert listener.split()[3] == f"{host.address}:22"


def test_ansible_gets_to_each_host_over_ssh(hosts: Fleet) -> None:
    done = hosts.play(shell("echo $(hostname) ${SSH_CONNECTION% *}"))
    assert {name: one.stdout.split()[:2] for name, one in done.plays[0].items()} == {
        host.name: [host.name, "100.64.0.254"] for host in hosts.hosts
    }
    assert [done.recap(host.name)["unreachable"] for host in hosts.hosts] == [0, 0, 0]


def test_nobody_gets_in_without_the_key(hosts: Fleet) -> None:
    options = f"-F none -o BatchMode=yes -o UserKnownHostsFile={hosts.folder}/known_hosts"
    login = hosts.stage.run(f"ssh {options} -o IdentityFile=/dev/null root@100.64.0.1 true", check=False)
    assert "Permission denied (publickey)" in login.stderr
    assert hosts.stage.run(f"ssh {options} -i {hosts.folder}/key root@100.64.0.1 hostname").stdout == "h1\n"


def test_a_host_without_its_sshd_is_not_reached_and_later_is_again(hosts: Fleet) -> None:
    play = shell("hostname")
    hosts.play(play)
    with hosts["h2"].unreached():
        done = hosts.play(play, check=False)
    assert {name: one.unreachable for name, one in done.plays[0].items()} == {"h1": False, "h2": True, "h3": False}
    assert (done.recap("h2")["unreachable"], done.done.rc) == (1, 4)
    assert hosts.play(play).plays[0]["h2"].stdout == "h2\n"


def test_two_fleets_on_the_same_addresses_do_not_meet(hosts: Fleet) -> None:
    """Also where connections of the one were kept."""
    hosts.play(shell("true"))
    with fleet(hosts=1) as others:
        others.hosts[0].run("touch /run/other")
        seen = [one.play(shell("ls /run/other || echo mine")).plays[0]["h1"].stdout for one in (others, hosts)]
    assert seen == ["/run/other\n", "mine\n"]


def test_snapshots_tell_which_host_was_changed(hosts: Fleet) -> None:
    with hosts.untouched("h1", "h3"):
        hosts["h2"].run("ip link add br0 type bridge")
    with pytest.raises(AssertionError, match="br0"), hosts.untouched("h1", "h2"):
        hosts["h2"].run("ip link del br0")


def alive(spaces: list[str]) -> set[str]:
    """Which of these pid namespaces still have a process."""
    found = set()
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            found.add(os.readlink(f"/proc/{process}/ns/pid"))
        except OSError:
            continue  # it ended just now
    return found & set(spaces)


@pytest.mark.parametrize("killed", [False, True], ids=["ends", "is killed"])
def test_ten_hosts_are_up_in_seconds_and_nothing_is_left_when_who_has_them(killed: bool, tmp_path: Path) -> None:
    """The machine's network is as before, too."""
    process = subprocess.Popen(
        [str(HERE / "unchanged"), "bash", "-c", 'echo $$; exec "$0" "$@"', sys.executable, "-c", TEN],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path)},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    seconds, folder, spaces = json.loads(process.stdout.readline())
    print(f"10 hosts, each with its sshd: {seconds:.2f} s")
    assert len(alive(spaces)) == 11
    if killed:
        os.kill(pid, signal.SIGKILL)
    said, dummy = process.communicate("\n", timeout=120)
    assert "unchanged: the machine's links" in said
    assert process.returncode == (128 + signal.SIGKILL if killed else 0)
    end = time.monotonic() + 60
    while alive(spaces):
        assert time.monotonic() < end, "processes are left"
        time.sleep(0.02)
    assert Path(folder).exists() is killed


def test_the_demonstration_tells_who_reaches_whom() -> None:
    show = [sys.executable, str(Path(__file__).with_name("show.py")), "--hosts", "2", "--segments", "2"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(show, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    rows = {line[:14].strip(): line[14:].split() for line in done.stdout.splitlines() if line.count("46") > 1}
    assert rows == {
        "web on h1": ["46", "46", "46", "46"],
        "web on h2": ["46", "46", "46", "46"],
        "internet": ["46", "--", "46", "--"],
        "stranger": ["46", "--", "46", "--"],
    }
