# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lab host for tests: a disposable Linux host made of namespaces, driven through an agent inside it.

with Lab() as lab:
    lab.module("veth", name="web0", peer_netns="web")
    assert lab.ip("-d link show web0")[0]["mtu"] == 1500
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
HOST = ROOT / "roles" / "lab" / "files" / "host"
# How many times longer all may take: an emulated processor is slow.
PATIENCE = float(os.environ.get("LAB_PATIENCE", "1"))

# Seconds that a module may take: a limit for one that hangs, not what it takes.
MODULE_TIMEOUT = 300

Command = str | Sequence[str]


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    rc: int
    stdout: str
    stderr: str


@functools.cache
def collections_root() -> str:
    """A folder that makes the checkout importable as ansible_collections.linuxnet.containers. Gone when Python ends."""
    folder = tempfile.mkdtemp(prefix="collections-")
    parent = Path(folder, "ansible_collections", "linuxnet")
    parent.mkdir(parents=True)
    (parent / "containers").symlink_to(ROOT)
    owner = os.getpid()
    atexit.register(lambda: shutil.rmtree(folder) if os.getpid() == owner else None)
    return folder


class Lab:
    """One lab host. Commands, modules and snapshots run inside; closing it leaves nothing behind."""

    def __init__(self, hostname: str = "lab", env: dict[str, str] | None = None, within: Lab | None = None) -> None:
        """Start the host. ``env`` adds to the environment of everything that runs in it.

        It runs ``within`` another one, and ends with that, as a machine of its own beside others there: see fleet.py.
        """
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8")
        self._agent: subprocess.Popen[str] | None = subprocess.Popen(
            [
                *(within.entering() if within else []),
                str(HOST),
                sys.executable,
                str(HERE / "agent.py"),
                collections_root(),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="utf-8",
            env={**os.environ, **(env or {}), "LAB_HOSTNAME": hostname},
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def entering(self) -> list[str]:
        """The words before a command that has it run in this host, with the streams of who starts it. For root."""
        self.run("true")  # its first process is there
        if self._agent is None:
            raise AssertionError("this lab host is closed")
        # This is "unshare", which is in all of the host's namespaces but that of its processes.
        pid = self._agent.pid
        return ["nsenter", f"--target={pid}", "--mount", "--uts", "--net", f"--pid=/proc/{pid}/ns/pid_for_children"]

    def close(self) -> None:
        """End the host and everything in it."""
        if self._agent is None:
            return
        agent, self._agent = self._agent, None
        for pipe in (agent.stdin, agent.stdout):
            if pipe:
                pipe.close()
        try:
            agent.wait(timeout=60 * PATIENCE)
        except subprocess.TimeoutExpired:
            agent.kill()  # the kernel then ends the whole pid namespace
            agent.wait(timeout=60 * PATIENCE)
        self._log.close()

    def run(
        self,
        cmd: Command,
        check: bool = True,
        input: str | None = None,
        timeout: float = 120,
        env: dict[str, str] | None = None,
    ) -> Result:
        """Run a command, a string through bash, a list as it is.

        Raises AssertionError if it fails (unless ``check`` is false) or takes longer than ``timeout`` seconds.
        """
        answer = self._ask({"op": "run", **_command(cmd), "input": input, "timeout": timeout, "env": env}, timeout)
        result = Result(answer["rc"], answer["stdout"], answer["stderr"])
        if check and result.rc != 0:
            raise AssertionError(f"{cmd}\nended with {result.rc}\n{result.stdout}{result.stderr}")
        return result

    def spawn(self, cmd: Command, env: dict[str, str] | None = None) -> int:
        """Start a command in the background. Returns its pid inside the host."""
        return int(self._ask({"op": "spawn", **_command(cmd), "env": env})["pid"])

    def kill(self, pid: int, sig: int = signal.SIGTERM) -> Result:
        """End a command started by ``spawn``, and return what it wrote."""
        answer = self._ask({"op": "kill", "pid": pid, "signal": int(sig)})
        return Result(answer["rc"], answer["stdout"], answer["stderr"])

    def ip(self, args: str) -> list[dict[str, Any]]:
        """What ``ip -j ARGS`` reports, ``[]`` for nothing. ``-n NETNS`` looks into a namespace."""
        printed = self.run(f"ip -j {args}").stdout.strip()
        return [item for item in json.loads(printed or "[]") if item]

    def result(
        self,
        name: str,
        /,
        check: bool = False,
        diff: bool = True,
        verbosity: int = 1,
        env: dict[str, str] | None = None,
        **args: Any,
    ) -> dict[str, Any]:
        """Run a module and return its result, failed or not, with every attribute in its diff; ``verbosity`` 0: without -v. AssertionError only if it
        printed none. ``env`` is what a task's ``environment`` is."""
        how = {"check": check, "diff": diff, "verbosity": verbosity, "env": env}
        request = {"op": "module", "name": name, "args": args, **how}
        answer = self._ask(request, MODULE_TIMEOUT)
        if answer["result"] is None:
            raise AssertionError(f"{name} returned no result (rc {answer['rc']})\n{answer['stdout']}{answer['stderr']}")
        result: dict[str, Any] = answer["result"]
        return result

    def module(self, name: str, /, check: bool = False, diff: bool = True, **args: Any) -> dict[str, Any]:
        """Run a module that must succeed. Returns its result."""
        result = self.result(name, check=check, diff=diff, **args)
        if result.get("failed"):
            raise AssertionError(f"{name} {args} failed: {result.get('msg')}\n{result.get('exception', '')}")
        return result

    def fails(self, name: str, /, check: bool = False, **args: Any) -> dict[str, Any]:
        """Run a module that must fail. Returns its result."""
        result = self.result(name, check=check, **args)
        if not result.get("failed"):
            raise AssertionError(f"{name} {args} should have failed: {json.dumps(result, indent=1)}")
        return result

    def snapshot(self, all_namespaces: bool = True) -> str:
        """Everything a wiring could touch, as comparable text."""
        answer = self._ask({"op": "snapshot", "all_namespaces": all_namespaces}, MODULE_TIMEOUT)
        if answer["rc"] != 0:
            raise AssertionError(f"no snapshot\n{answer['stderr']}")
        return str(answer["stdout"])

    def strace(self, cmd: Command, timeout: float = 600) -> list[str]:
        """Run a command that must succeed. Lists what it and its children write to the network: see ``writes_in``."""
        result, writes = self._strace(cmd, None, timeout)
        if result.rc != 0:
            raise AssertionError(f"{cmd}\nended with {result.rc}\n{result.stdout}{result.stderr}")
        return writes

    def writes(
        self, name: str, /, check: bool = False, diff: bool = True, **args: Any
    ) -> tuple[dict[str, Any], list[str]]:
        """Run a module, in a process of its own, under strace. Returns its result and its writes."""
        result, trace = self._alone(name, {"args": args, "check": check, "diff": diff})
        return result, writes_in(trace)

    def cut(self, at: int, name: str, /, lost: bool = False, **args: Any) -> dict[str, Any]:
        """Run a module, in a process of its own, that the kernel fails once while it changes things. Returns its result.

        The ``at``-th message after those with which check mode is content fails for want of memory: the kernel never
        gets it, or it is carried out and the answer is ``lost``. Raises AssertionError where there are fewer messages.
        """
        call = "recvfrom" if lost else "sendto"
        dummy, reads = self._alone(name, {"args": args, "check": True, "diff": True}, f"trace={call}")
        fault = f"inject={call}:error=ENOMEM:when={reads.count(call + '(') + at}"
        result, trace = self._alone(name, {"args": args, "check": False, "diff": True}, f"trace={call}", "-e", fault)
        if "(INJECTED)" not in trace:
            raise AssertionError(f"{name} {args} has no message {at}\n{trace}")
        return result

    def changing(self, name: str, /, **args: Any) -> list[int]:
        """Run a module, in a process of its own. Returns which of its messages to the kernel change something, the first one being 1."""
        dummy, trace = self._alone(name, {"args": args, "check": False, "diff": True}, "trace=sendto")
        sent = [line for line in trace.splitlines() if "sendto(" in line]
        return [place for place, line in enumerate(sent, 1) if "NLM_F_ACK" in line]

    def killed(self, at: int, name: str, /, **args: Any) -> None:
        """Run a module, in a process of its own, that is killed before its ``at``-th message to the kernel. Raises AssertionError where it was not."""
        fault = f"inject=sendto:signal=KILL:when={at}"
        done, trace = self._process(name, {"args": args, "check": False, "diff": True}, "trace=sendto", "-e", fault)
        if done.rc == 0:
            raise AssertionError(f"{name} {args} has no message {at}\n{trace}")

    def _process(self, name: str, request: dict[str, Any], *traced: str) -> tuple[Result, str]:
        command = [sys.executable, str(HERE / "agent.py"), collections_root(), "--module", name]
        return self._traced(command, json.dumps(request), 600, *traced)

    def _alone(self, name: str, request: dict[str, Any], *traced: str) -> tuple[dict[str, Any], str]:
        done, trace = self._process(name, request, *traced)
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        if not lines:
            raise AssertionError(f"{name} returned no result (rc {done.rc})\n{done.stdout}{done.stderr}")
        result: dict[str, Any] = json.loads(lines[-1])
        return result, trace

    def _strace(self, cmd: Command, input: str | None, timeout: float) -> tuple[Result, list[str]]:
        result, trace = self._traced(cmd, input, timeout)
        return result, writes_in(trace)

    def _traced(self, cmd: Command, input: str | None, timeout: float, *traced: str) -> tuple[Result, str]:
        """Run a command under strace. Returns what it printed, and the log of its writes, or of what is ``traced``."""
        with tempfile.NamedTemporaryFile("r", encoding="utf-8", errors="replace", suffix=".strace") as trace:
            calls = traced or ("trace=sendto,sendmsg,sendmmsg,setsockopt,openat,unlink,unlinkat,mount,umount2",)
            # -v and a large -s: an abbreviated batch could hide a message.
            quick = [] if any("signal=" in one for one in calls) else ["--seccomp-bpf"]  # with that it sends no signal
            strace = ["strace", "-f", *quick, "-qqv", "-s", "65536", "-o", trace.name, "-e", *calls]
            command = ["bash", "-c", cmd] if isinstance(cmd, str) else list(cmd)
            result = self.run([*strace, *command], check=False, input=input, timeout=timeout)
            return result, trace.read()

    def _ask(self, request: dict[str, Any], timeout: float = 120) -> dict[str, Any]:
        """Send a request to the agent and return its answer."""
        agent = self._agent
        if agent is None or agent.stdin is None or agent.stdout is None:
            raise AssertionError("this lab host is closed")
        try:
            agent.stdin.write(json.dumps(request) + "\n")
            agent.stdin.flush()
            # The agent itself keeps the time limits; this one is for an agent that is stuck.
            limit = (timeout + 15) * PATIENCE
            line = agent.stdout.readline() if select.select([agent.stdout], [], [], limit)[0] else ""
        except BrokenPipeError:
            line = ""
        if not line:
            self._log.seek(0)
            log = self._log.read()
            self.close()
            raise AssertionError(f"the lab host does not answer any more:\n{log}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer


def _command(cmd: Command) -> dict[str, Any]:
    return {"shell": cmd} if isinstance(cmd, str) else {"argv": list(cmd)}


# "ip" asks what the kernel can do with a message that names no link and carries nothing.
PROBE = re.compile(
    r"nlmsg_len=32, nlmsg_type=RTM_NEWLINK, nlmsg_flags=NLM_F_REQUEST\|NLM_F_ACK, [^}]*}, "
    r"{ifi_family=AF_UNSPEC, ifi_type=\w+, ifi_index=0, ifi_flags=0, ifi_change=0}\]"
)
MESSAGE = re.compile(r"nlmsg_type=([\w|<]+)")
WRITE = re.compile(r"RTM_(NEW|DEL|SET)|NFT_MSG_(NEW|DEL|DESTROY)|IPCTNL_MSG_CT_(NEW|DELETE)|IPSET_CMD_(?!GET|LIST)")
# The numbers of messages, for a socket whose protocol strace could not tell (it cannot before the socket is bound).
ROUTE_NOUNS = {
    4: "LINK",
    5: "ADDR",
    6: "ROUTE",
    7: "NEIGH",
    8: "RULE",
    9: "QDISC",
    20: "NETCONF",
    21: "MDB",
    22: "NSID",
}
NFT_MESSAGES = (
    "NEWTABLE GETTABLE DELTABLE NEWCHAIN GETCHAIN DELCHAIN NEWRULE GETRULE DELRULE NEWSET GETSET DELSET "
    "NEWSETELEM GETSETELEM DELSETELEM NEWGEN GETGEN TRACE NEWOBJ GETOBJ DELOBJ GETOBJ_RESET "
    "NEWFLOWTABLE GETFLOWTABLE DELFLOWTABLE GETRULE_RESET"
).split()
OPENED = re.compile(
    r'openat\([^,]+, "(/(?:proc/sys|sys|etc|run)/(?!linuxnet-containers\.lock")[^"]*)", [^)]*O_(?:WRONLY|RDWR|CREAT)'
)
REMOVED = re.compile(r'unlink(?:at)?\((?:[^",]+, )?"(/(?:etc|run)/[^"]*)"')
MOUNTED = re.compile(r'u?mount2?\((?:"[^"]*", )?"(/run/netns[^"]*)"')
XTABLES = re.compile(r"IPT_SO_SET_\w+|IP6T_SO_SET_\w+|ARPT_SO_SET_\w+|EBT_SO_SET_\w+")


def writes_in(trace: str) -> list[str]:
    """The writes to the kernel's network in a strace log, in order.

    Netlink messages by their type (``RTM_NEWLINK``, ``NFT_MSG_NEWRULE``), legacy iptables by its socket option, and
    files opened for writing below /proc/sys, /sys, /etc and /run (but for our lock) as ``write PATH``, ``unlink PATH`` and ``mount PATH``.
    """
    found: list[str] = []
    for line in trace.splitlines():
        found += [f"write {path}" for path in OPENED.findall(line)]
        found += [f"unlink {path}" for path in REMOVED.findall(line)]
        found += [f"mount {path}" for path in MOUNTED.findall(line)]
        found += XTABLES.findall(line)
        found += [kind for kind in map(_written, MESSAGE.findall(PROBE.sub("", line))) if kind]
    return found


def _written(message: str) -> str:
    """The name of a netlink message that writes, empty for one that does not."""
    name = _name(int(message, 16)) if message.startswith("0x") else message.rpartition("|")[2]
    return name if WRITE.search(name) else ""


def _name(number: int) -> str:
    """The name of a message of rtnetlink or nftables by its number; what is neither counts as a write."""
    subsystem, kind = number >> 8, number & 0xFF
    if subsystem == 10 and kind < len(NFT_MESSAGES):
        return f"NFT_MSG_{NFT_MESSAGES[kind]}"
    if subsystem == 0:
        verb = ("NEW", "DEL", "GET", "SET")[kind % 4]
        return f"RTM_{verb}{ROUTE_NOUNS.get(kind // 4, f'_{kind}')}" if kind >= 16 else "control"
    return f"RTM_SET? {number:#x}"
