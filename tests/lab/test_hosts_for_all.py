# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role lab, as anybody uses it: hosts started and entered by Ansible, what a platform may have, and who reaches whom."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from lab import HOST, ROOT, Lab, collections_root
from proofs import comes

FILES = HOST.parent
WEAK = ("setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin")
INVENTORY = """
lab1 ansible_connection=linuxnet.containers.lab
lab2 ansible_connection=linuxnet.containers.lab
beside ansible_connection=local
"""
PLAY = """
- hosts: lab1, lab2
  gather_facts: false
  tasks:
    - ansible.builtin.command: sh -c 'hostname; id -u'
      become: true # is root already
      register: who
      failed_when: who.stdout_lines != [inventory_hostname, '0']
    - ansible.builtin.copy: {content: "h\u00e4\\n", dest: /run/a file}
    - ansible.builtin.fetch: {src: /run/a file, dest: FOLDER/fetched}
    - linuxnet.containers.netns: {name: web, new_sysctls: {net.ipv4.ping_group_range: 0 2147483647}}
    - ansible.builtin.include_role: {name: linuxnet.containers.lab, tasks_from: reaches}
      vars:
        lab_reaches:
          - {from: lab2, to: host, port: 80, seen_as: 192.0.2.2}
          - {from: host, to: internet, port: 53, protocol: udp, seen_as: 192.0.2.1}
          - {from: web, to: internet, port: 80, expect: blocked}
      when: inventory_hostname == 'lab1'
"""


class Controller:
    """Runs Ansible with a folder of its own, in which the lab hosts are noted."""

    def __init__(self, folder: Path, *before: str) -> None:
        self.folder, self.before = folder, before
        self.inventory = folder / "inventory.ini"
        self.inventory.write_text(INVENTORY)
        self.environment = {
            **os.environ,
            "ANSIBLE_HOME": str(folder / "ansible"),
            "ANSIBLE_COLLECTIONS_PATH": collections_root(),
            "MOLECULE_EPHEMERAL_DIRECTORY": str(folder),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }

    def plays(self, playbook: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Run a playbook, ours or the text of one."""
        if "\n" in playbook:
            file = self.folder / "play.yml"
            file.write_text(playbook)
            playbook = str(file)
        argv = [*self.before, "ansible-playbook", "-i", str(self.inventory), playbook, *options]
        return subprocess.run(argv, env=self.environment, capture_output=True, text=True, timeout=600, check=False)


@pytest.mark.needs("lab host", "nf_tables")
def test_a_host_takes_a_line_of_the_inventory(tmp_path: Path) -> None:
    """Root does it without the capabilities, as a plain user does. Molecule's stages have it with them."""
    controller = Controller(tmp_path, *(WEAK if os.geteuid() == 0 else ()))
    created = controller.plays("linuxnet.containers.lab_create")
    assert created.returncode == 0, created.stdout + created.stderr
    try:
        done = controller.plays(PLAY.replace("FOLDER", str(tmp_path)))
        assert done.returncode == 0, done.stdout + done.stderr
        assert (tmp_path / "fetched/lab2/run/a file").read_text(encoding="utf-8") == "h\u00e4\n"
        assert not Path("/run/a file").exists()
    finally:
        destroyed = controller.plays("linuxnet.containers.lab_destroy")
    assert destroyed.returncode == 0, destroyed.stdout + destroyed.stderr
    gone = controller.plays(PLAY)
    assert (
        f"The lab host lab1 is not running, going by {tmp_path}/lab1: the playbook linuxnet.containers.lab_create starts it."
        in gone.stdout
    )


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of three hosts."""
    folder = tmp_path_factory.mktemp("hosts")
    subprocess.run(
        [FILES / "start", folder, "600", "lab1 internet lan", "lab2 lan dmz", "lab3 internet"], check=True, timeout=300
    )
    yield folder
    subprocess.run([FILES / "stop", folder], check=True, timeout=300)


def inside(folder: Path, name: str, command: str) -> str:
    done = subprocess.run(
        [folder / name / "enter", "bash", "-c", command], capture_output=True, text=True, timeout=300, check=False
    )
    return done.stdout + done.stderr


def addresses(folder: Path, name: str) -> dict[str, list[str]]:
    shown = json.loads(inside(folder, name, "ip -j addr show scope global"))
    return {link["ifname"]: [one["local"] for one in link["addr_info"] if one] for link in shown if link}


@pytest.mark.needs("lab host")
def test_platforms_have_their_networks(started: Path) -> None:
    assert addresses(started, "lab1") == {
        "uplink": ["192.0.2.1", "2001:db8::1"],
        "lan": ["198.18.1.1", "2001:db8:1::1"],
    }
    assert addresses(started, "lab2") == {
        "lan": ["198.18.1.2", "2001:db8:1::2"],
        "dmz": ["198.18.2.2", "2001:db8:2::2"],
    }
    assert addresses(started, "lab3") == {"uplink": ["192.0.2.3", "2001:db8::3"]}
    assert inside(started, "lab1", "ls /run/netns").split() == ["internet", "lab2", "lab3"]
    for host, reached in (("lab1", "lab2 lab3 internet"), ("lab2", "lab1")):
        assert (
            inside(started, host, f"for one in {reached}; do ping -q -c 1 -W 60 $one >/dev/null || echo $one; done")
            == ""
        )
    assert "unreachable" in inside(started, "lab2", "ping -c 1 -W 1 192.0.2.99")


# A datagram to where a name would be asked: the answer is an error of the socket, and no wait.
ASK = "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(('127.0.0.1', 53)); s.send(b'?'); s.recv(9)"


@pytest.mark.needs("lab host")
@pytest.mark.parametrize("where", ["", "ip netns exec new "])
def test_whoever_looks_up_a_name_hears_at_once(lab: Lab, where: str) -> None:
    lab.run("ip netns add new")
    assert lab.run("cat /etc/resolv.conf").stdout == "nameserver 127.0.0.1\n"
    told = lab.run(f'{where}{sys.executable} -c "{ASK}"', check=False).stderr
    assert "Connection refused" in told or "Network is unreachable" in told
    assert lab.run("getent hosts lab").stdout.split() == ["127.0.1.1", "lab"]


@pytest.mark.needs("lab host")
def test_what_is_missing_is_said(tmp_path: Path) -> None:
    closed = 'echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin "$@"'
    argv = [
        "unshare",
        "--user",
        "--map-root-user",
        "bash",
        "-c",
        closed,
        "closed",
        str(FILES / "start"),
        str(tmp_path),
        "60",
        "lab1 internet",
    ]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False)
    assert done.stderr == (
        "Root without CAP_SYS_ADMIN, CAP_NET_ADMIN and CAP_SYS_CHROOT needs a user namespace for a lab host, "
        "and the sysctl user.max_user_namespaces=0 forbids it.\n"
    )
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("platforms", "told"),
    [
        ([], "There have to be 1 to 98 platforms, in a list."),
        ([{"segments": ["lan"]}], "Platform 1 of the list has no name."),
        (
            [{"name": "a", "intrenet": True}],
            "Platform a has a key intrenet: a lab host has name, internet, segments, groups, children and no other.",
        ),
        ([{"name": "a", "internet": "yes"}], 'Platform a has internet: "yes", which is to be true or false.'),
        (
            [{"name": "a", "segments": "lan"}],
            'Platform a has segments: "lan", which is to be a list of different names.',
        ),
        (
            [{"name": "a", "segments": ["lan", "lan"]}],
            'Platform a has segments: ["lan", "lan"], which is to be a list of different names.',
        ),
        (
            [{"name": "a", "segments": ["a b"]}],
            'A platform has the segment "a b": an interface is called so: small letters, digits and dashes, up to 15.',
        ),
        ([{"name": "a/b"}], 'A platform has the name "a/b": letters, digits, dots, dashes and underlines, up to 63.'),
        (
            [{"name": "internet"}],
            "A platform has the name internet, which means something else in a lab: host, internet, localhost, stage do.",
        ),
        ([{"name": "a"}, {"name": "a"}], "Two platforms are called a."),
    ],
)
def test_a_platform_that_is_no_good(platforms: Any, told: str) -> None:
    argv = [sys.executable, str(FILES / "platforms.py"), json.dumps(platforms), "/bin/echo"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", told + "\n")


def test_platforms_become_words() -> None:
    given = [{"name": "a", "groups": ["web"]}, {"name": "b", "internet": False, "segments": ["lan", "dmz"]}]
    argv = [sys.executable, str(FILES / "platforms.py"), json.dumps(given), "/usr/bin/printf", "%s\\n"]
    assert (
        subprocess.run(argv, capture_output=True, text=True, timeout=300, check=True).stdout
        == "a internet\nb lan dmz\n"
    )


def test_role_and_plugin_look_in_one_folder() -> None:
    defaults = yaml.safe_load((ROOT / "roles/lab/defaults/main.yml").read_text(encoding="utf-8"))
    plugin = (ROOT / "plugins/connection/lab.py").read_text(encoding="utf-8")
    option = yaml.safe_load(plugin.split('DOCUMENTATION = r"""')[1].split('"""')[0])["options"]["folder"]
    assert option["default"] in defaults["lab_folder"]
    assert option["env"][0]["name"] in defaults["lab_folder"]
    assert option["vars"] == [{"name": "lab_folder"}]


# --- who reaches whom ---

TWO = """
ip link add br0 type bridge && ip addr add 10.0.0.1/24 dev br0 && ip addr add fd00::1/64 dev br0 nodad && ip link set br0 up
number=2
for name in web db; do
    ip netns add $name && ip link add v$name type veth peer name eth0 netns $name && ip link set v$name master br0 up
    ip -n $name addr add 10.0.0.$number/24 dev eth0 && ip -n $name link set lo up && ip -n $name link set eth0 up
    number=3
done
ip -n web addr add fd00::2/64 dev eth0 nodad
"""


@pytest.fixture(scope="module")
def two(shared_lab: Lab) -> Lab:
    """A host with two containers; somebody listens in db at 8080, and db drops what comes to 9 over UDP."""
    shared_lab.run(TWO)
    shared_lab.spawn(["ip", "netns", "exec", "db", sys.executable, "-m", "http.server", "8080", "--bind", "::"])
    comes(shared_lab, "ip netns exec db ss -Htln sport 8080 | grep -q .")
    return shared_lab


def reaches(lab: Lab, *calls: dict[str, Any]) -> list[str]:
    """What the script says, as the role starts it."""
    asked = json.dumps({"calls": calls, "within": 60, "blocked_for": 0.5})
    return lab.run(
        [sys.executable, "-", asked], input=(FILES / "reaches.py").read_text(encoding="utf-8")
    ).stdout.splitlines()


def call(client: str, to: str, port: Any = 80, **more: str) -> dict[str, Any]:
    return {"from": client, "to": to, "port": port, **more}


@pytest.mark.needs("lab host")
def test_what_is_as_expected_says_nothing_and_leaves_nothing(two: Lab) -> None:
    said = reaches(
        two,
        call("web", "db", seen_as="10.0.0.2"),
        call("host", "db", seen_as="10.0.0.1"),
        call("web", "db", 53, protocol="udp", seen_as="10.0.0.2"),
        call("host", "web", family="ipv6", seen_as="fd00::1"),
        call("host", "fd00::2", listener="web:80", seen_as="fd00::1"),
        call("web", "127.0.0.1", 81, listener="web", seen_as="127.0.0.1"),
        call("web", "db", 8080, seen_as="10.0.0.2"),  # somebody else's listener
        call("host", "10.0.0.3", 8080),
        call("web", "127.0.0.1", 80, listener="db", expect="blocked"),
        call("host", "web", 82, listener="db:82", expect="blocked"),
    )
    assert said == []
    for where in ("", "ip netns exec web", "ip netns exec db"):
        assert two.run(f"{where} ss -Htanu | grep -v :8080 || true").stdout == ""


@pytest.mark.needs("lab host")
@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (call("web", "db", expect="blocked"), "web reaches db at 10.0.0.3 port 80/tcp, which should be blocked."),
        (
            call("web", "db", protocol="udp", expect="blocked"),
            "web reaches db at 10.0.0.3 port 80/udp, which should be blocked.",
        ),
        (
            call("web", "db", seen_as="10.0.0.9"),
            "web reaches db at 10.0.0.3 port 80/tcp, but is seen as 10.0.0.2 there instead of 10.0.0.9.",
        ),
        (call("web", "10.0.0.3", 81), "web does not reach 10.0.0.3 port 81/tcp: Connection refused."),
        (call("web", "db", 81, listener="web"), "web does not reach db at 10.0.0.3 port 81/tcp: Connection refused."),
        (call("web", "192.0.2.9", 81), "web does not reach 192.0.2.9 port 81/tcp: Network is unreachable."),
        (call("web", "cache"), "There is no cache on lab, only host, db, web."),
        (call("web", "db", family="ipv6"), "db has no IPv6 address that could be called."),
        (
            call("web", "db", 8080, protocol="udp", listener="nobody"),
            "There is no nobody on lab, only host, db, web.",
        ),
        (
            call("web", "10.0.0.3", 53, protocol="udp"),
            "Whether web reaches 10.0.0.3 port 53/udp is not to be told: no listener is named. Only a listener of its own answers over UDP.",
        ),
        (
            call("web", "10.0.0.3", 8080, seen_as="10.0.0.2"),
            "Who answers web at 10.0.0.3 port 8080/tcp is not known, so not whom that sees either: name the listener.",
        ),
        (
            call("web", "db", expect="blocked", seen_as="10.0.0.2"),
            "Nobody sees web call db at 10.0.0.3 port 80/tcp, which is to be blocked: leave seen_as out.",
        ),
        (call("web", "db", seen_as="web"), "The call of web to db has seen_as: web, which is no address."),
        (call("web", "db", "http"), "The call of web to db has port: http, which is to be a number from 1 to 65535."),
        (
            call("web", "db", expect="open"),
            "The call of web to db has expect: open, which is to be reaches or blocked.",
        ),
        (
            call("web", "db", prot="tcp"),
            "A call has a key prot: it has from, to, port, protocol, family, listener, expect, seen_as and no other.",
        ),
        ({"from": "web", "port": 80}, 'A call does not say to: {"from": "web", "port": 80}.'),
    ],
)
def test_what_is_not_is_a_sentence(two: Lab, asked: dict[str, Any], told: str) -> None:
    assert reaches(two, asked) == [told]


@pytest.mark.needs("lab host", "nf_tables")
def test_an_answer_that_does_not_come_back(two: Lab) -> None:
    two.run(
        "ip netns exec db nft 'add table inet t; add chain inet t out { type filter hook output priority 0; }; add rule inet t out udp sport 9 drop'"
    )
    asked = json.dumps({"calls": [call("web", "db", 9, protocol="udp")], "within": 0.5, "blocked_for": 0.5})
    done = two.run([sys.executable, "-", asked], input=(FILES / "reaches.py").read_text(encoding="utf-8"))
    assert (
        done.stdout
        == "What web sends arrives at db at 10.0.0.3 port 9/udp, but no answer comes back: nobody answers within 0.5 seconds.\n"
    )
