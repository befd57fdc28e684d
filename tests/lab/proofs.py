# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tests of modules prove again and again, once each."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab import HERE, Lab, collections_root

Result = dict[str, Any]

# A program that is the router of whoever listens behind the interface argv[1]: it advertises itself and a prefix (RFC 4861), until argv[2] others
# there have answered an echo that came after, and so have heard it before. It ends with an error where they do not in a minute.
ADVERTISE = """
import socket, struct, sys, time
index, others = socket.if_nametoindex(sys.argv[1]), int(sys.argv[2])
sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
for option, value in ((socket.IPV6_MULTICAST_HOPS, 255), (socket.IPV6_MULTICAST_IF, index), (socket.IPV6_MULTICAST_LOOP, 0)):
    sock.setsockopt(socket.IPPROTO_IPV6, option, value)
sock.settimeout(0.1)
prefix = struct.pack("!BBBBIII", 3, 4, 64, 0xC0, 3600, 3600, 0) + socket.inet_pton(socket.AF_INET6, "fd99::")
advertisement, echo = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + prefix, struct.pack("!BBHHH", 128, 0, 0, 7, 7)
answered, end, bound = set(), time.monotonic() + 60, False
while len(answered) < others:
    assert time.monotonic() < end, answered
    try:
        if not bound:  # nobody believes one that is not sent from a link-local address
            mine = [line.split()[0] for line in open("/proc/net/if_inet6") if line.split()[5] == sys.argv[1] and line.startswith("fe80")]
            sock.bind((":".join(mine[0][at : at + 4] for at in range(0, 32, 4)), 0, 0, index))
            bound = True
        for message in (advertisement, echo):
            sock.sendto(message, ("ff02::1", 0, 0, index))
        while len(answered) < others:
            message, sender = sock.recvfrom(1500)
            if message[0] == 129:
                answered.add(sender[0])
    except (IndexError, OSError):  # nobody yet, or no address of our own to send from
        time.sleep(0.01)
"""


# A program that is in a network namespace of its own, as the process argv[1] of its PID namespace: clone3(2) with "set_tid".
NUMBERED = """
import ctypes, struct, sys, time
number = (ctypes.c_int * 1)(int(sys.argv[1]))
asked = struct.pack("11Q", 0x40000000, 0, 0, 0, 17, 0, 0, 0, ctypes.addressof(number), 1, 0)
kernel = ctypes.CDLL(None, use_errno=True)
pid = kernel.syscall(435, asked, len(asked))
if pid < 0:
    sys.exit(f"clone3 failed: {ctypes.get_errno()}")
time.sleep(100000)
"""


def passes(lab: Lab, program: Path, *arguments: str, limit: float) -> None:
    """Run a program of the tests in a lab host, which has to end well within so many seconds."""
    done = lab.run([sys.executable, str(program), collections_root(), *arguments], check=False, timeout=limit)
    print(done.stdout)
    assert done.rc == 0, f"{done.stdout}\n{done.stderr}"


def settles(lab: Lab, module: str, /, unforeseen: tuple[str, ...] = (), **args: Any) -> Result:
    """Run a module that has something to do, and return its result.

    Check mode foresees the run without touching anything, but for the attributes ``unforeseen``; the run after it finds
    all as ``after`` says and has nothing to do.
    """
    with untouched(lab):
        foreseen = lab.module(module, check=True, **args)
    done: Result = lab.module(module, **args)
    again = lab.module(module, **args)
    assert (foreseen["changed"], done["changed"], again["changed"]) == (True, True, False), again["diff"]
    assert foreseen["diff"] == done["diff"]
    assert foreseen["commands"] == done["commands"] != []
    if "results" not in done:
        assert foreseen["before"] == done["before"]
        assert _without(foreseen["after"], unforeseen) == _without(done["after"], unforeseen)
        assert again["before"] == again["after"] == done["after"]
        assert again["diff"]["before"] == again["diff"]["after"] == ""
    assert again["commands"] == []
    return done


def unchanged(lab: Lab, module: str, /, **args: Any) -> Result:
    """Run a module that finds everything as it should be. Returns its result."""
    result: Result = lab.module(module, **args)
    assert not result["changed"], result["diff"]
    return result


def says(lab: Lab, module: str, message: str, /, **args: Any) -> Result:
    """Run a module that must fail with a message that matches, and no traceback. Returns its result."""
    result: Result = lab.fails(module, **args)
    assert re.search(message, result["msg"]), result["msg"]
    assert "Traceback" not in f"{result['msg']} {result.get('exception')}"
    return result


@contextmanager
def untouched(lab: Lab) -> Iterator[Lab]:
    """A block after which the host is as it was before."""
    host = lab.snapshot()
    yield lab
    left = "\n".join(difflib.unified_diff(host.splitlines(), lab.snapshot().splitlines(), "before", "after", "", "", 0))
    assert not left, left


def refuses(lab: Lab, module: str, message: str, /, **args: Any) -> Result:
    """Run a module that must fail with a message that matches, and without touching anything. Returns its result."""
    with untouched(lab):
        return says(lab, module, message, **args)


def pastes(made: Result, other: Lab, module: str, /, **args: Any) -> None:
    """Type the commands of a result on another host: there the module then has nothing to do."""
    for command in made["commands"]:
        other.run(command)
    unchanged(other, module, **args)


def lines(result: Result) -> tuple[list[str], list[str]]:
    """The two sides of a result's diff, as lines."""
    return result["diff"]["before"].splitlines(), result["diff"]["after"].splitlines()


def ns_inode(lab: Lab, path: str) -> int:
    """The inode of the namespace at a path."""
    return int(lab.run(f"stat -Lc %i {path}").stdout)


def container(lab: Lab) -> int:
    """Start a process in a network namespace of its own, as a container has. Returns its pid, once it is there."""
    pid: int = lab.spawn(["unshare", "--net", "sleep", "100000"])
    host = ns_inode(lab, "/proc/1/ns/net")
    comes(lab, f"[ $(stat -Lc %i /proc/{pid}/ns/net) != {host} ] && [ $(cat /proc/{pid}/comm) = sleep ]")
    return pid


def numbered(lab: Lab, pid: int) -> None:
    """Start a process with that number, in a network namespace of its own."""
    lab.spawn([sys.executable, "-c", NUMBERED, str(pid)])
    comes(lab, f"[ -e /proc/{pid}/ns/net ]")


def comes(lab: Lab, condition: str) -> None:
    """Wait until a command succeeds, for a minute at most."""
    lab.run(f"while [ $SECONDS -lt 60 ]; do {condition} && exit 0; sleep 0.01; done; exit 1", timeout=120)


def ended(lab: Lab, *names: str) -> None:
    """Delete namespaces, and wait until the pairs that led there are gone: the kernel takes them away some time later."""
    lab.run(
        f"ends=$(ip -o link | grep -E ' link-netns ({'|'.join(names)})( |$)' | cut -d ' ' -f 2 | cut -d @ -f 1); "
        "for name in " + " ".join(names) + "; do ip netns del $name || exit 1; done; "
        "for end in $ends; do while ip link show dev $end >/dev/null 2>&1; do [ $SECONDS -lt 60 ] || exit 1; sleep 0.01; done; done",
        timeout=120,
    )


def has_read(lab: Lab, pid: int) -> None:
    """Wait until a capture has read what has come by now: it sleeps again."""
    comes(lab, f"sleep 0.05; [ $(cut -d ')' -f 2 /proc/{pid}/stat | cut -c 2) = S ]")


def python(lab: Lab, script: str, *arguments: str, timeout: float = 600) -> str:
    """Run a script inside the host, with the collection and the lab's own files importable. Returns what it prints."""
    paths = f"{collections_root()}:{HERE}"
    command = [sys.executable, "-c", script, *arguments]
    printed: str = lab.run(command, env={"PYTHONPATH": paths}, timeout=timeout).stdout
    return printed


def warnings(result: Result) -> list[str]:
    """The warnings of a result, as text, however this ansible-core wraps them."""
    return [one if isinstance(one, str) else one["event"]["msg"] for one in result.get("warnings", [])]


def _without(attributes: Result, names: tuple[str, ...]) -> Result:
    return {name: value for name, value in attributes.items() if name not in names}
