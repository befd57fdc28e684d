# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Works inside a lab host: one JSON request a line on stdin, one JSON answer a line on stdout.

    {"op": "run", "argv": [...] | "shell": "...", "input": null, "timeout": 120, "env": {}}  -> {rc, stdout, stderr}
    {"op": "spawn", "argv": [...] | "shell": "...", "env": {}}                              -> {pid}
    {"op": "kill", "pid": 5, "signal": 15}                                                  -> {rc, stdout, stderr}
    {"op": "snapshot", "all_namespaces": true}                                               -> {rc, stdout, stderr}
    {"op": "module", "name": "veth", "args": {}, "check": false, "diff": true, "env": {}}   -> {result, rc, ...}

Any request may be answered with {"error": "..."} instead. The end of stdin ends the agent, and with it the host.

A module runs in a fork of the agent, so that the imports of Ansible and pyroute2 are paid once. It is the collection's
own module, with a real AnsibleModule around it. The first argument is the folder that holds "ansible_collections".

    agent.py FOLDER --module NAME     runs one module on its own, with a "module" request on stdin
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from typing import IO, Any

import snapshot

COLLECTION = "ansible_collections.linuxnet.containers"
PATIENCE = float(os.environ.get("LAB_PATIENCE", "1"))  # as in lab.py
MODULE_TIMEOUT = 300 * PATIENCE

Request = dict[str, Any]
Answer = dict[str, Any]


class Output:
    """A child's stdout and stderr, in files: they do not fill up, and need not be closed by a daemon that holds them."""

    def __init__(self) -> None:
        self.stdout: IO[bytes] = tempfile.TemporaryFile()
        self.stderr: IO[bytes] = tempfile.TemporaryFile()

    def read(self) -> Answer:
        """What was written so far. The child shares the file offset, so it is left alone."""
        return {"stdout": self._text(self.stdout), "stderr": self._text(self.stderr)}

    @staticmethod
    def _text(file: IO[bytes]) -> str:
        size = os.fstat(file.fileno()).st_size
        return os.pread(file.fileno(), size, 0).decode("utf-8", "replace")


def ended(pid: int, timeout: float) -> bool:
    """Wait for a child to end, without reaping it. False if it has not within so many seconds."""
    handle = os.pidfd_open(pid)
    try:
        return bool(select.select([handle], [], [], timeout)[0])
    finally:
        os.close(handle)


def end_group(pid: int) -> None:
    """Kill a child and what it started, as far as it stayed in its session."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def start(request: Request, output: Output) -> subprocess.Popen[bytes]:
    """Start the command of a "run" or "spawn" request."""
    stdin: IO[bytes] | int = subprocess.DEVNULL
    if request.get("input") is not None:
        stdin = tempfile.TemporaryFile()
        stdin.write(request["input"].encode())
        stdin.seek(0)
    command = request["argv"] if "argv" in request else ["bash", "-c", request["shell"]]
    return subprocess.Popen(
        command,
        stdin=stdin,
        stdout=output.stdout,
        stderr=output.stderr,
        env={**os.environ, **(request.get("env") or {})},
        start_new_session=True,
    )


class Agent:
    """Answers requests, one after the other."""

    def __init__(self) -> None:
        self.background: dict[int, tuple[subprocess.Popen[bytes], Output]] = {}
        self.preloaded: set[str] = set()

    def answer(self, request: Request) -> Answer:
        """The answer to one request. Whatever goes wrong is an answer, too."""
        operations: dict[str, Callable[[Request], Answer]] = {
            "run": self.run,
            "spawn": self.spawn,
            "kill": self.kill,
            "module": self.module,
            "snapshot": self.snapshot,
        }
        try:
            return operations[request["op"]](request)
        except Exception:
            return {"error": traceback.format_exc()}

    def run(self, request: Request) -> Answer:
        """Run a command to its end."""
        output = Output()
        timeout = (request.get("timeout") or 120) * PATIENCE
        process = start(request, output)
        in_time = ended(process.pid, timeout)
        if not in_time:
            end_group(process.pid)
        answer = {"rc": process.wait(), **output.read()}
        if not in_time:
            answer["error"] = f"no end after {timeout:g} s; it wrote: {answer['stdout']}{answer['stderr']}"
        return answer

    def spawn(self, request: Request) -> Answer:
        """Start a command and leave it running."""
        output = Output()
        process = start(request, output)
        self.background[process.pid] = (process, output)
        return {"pid": process.pid}

    def kill(self, request: Request) -> Answer:
        """End a command that was spawned here, by force after ten seconds, and tell what it wrote."""
        process, output = self.background.pop(request["pid"])
        if process.poll() is None:
            process.send_signal(request.get("signal") or signal.SIGTERM)
            if not ended(process.pid, 10):
                end_group(process.pid)
        return {"rc": process.wait(), **output.read()}

    def module(self, request: Request) -> Answer:
        """Run a module of the collection in a fork."""
        self.preload(request["name"])
        answer = forked(f"module {request['name']}", run_module, request)
        answer["result"] = parsed(answer["stdout"])
        return answer

    def snapshot(self, request: Request) -> Answer:
        """Print a snapshot, in a fork: cheaper than a Python of its own."""
        return forked("the snapshot", run_snapshot, request)

    def preload(self, *modules: str) -> None:
        """Import what every module imports, and these modules, once. What is missing is for the module to complain about."""
        ours = [f"{COLLECTION}.plugins.module_utils.{name}" for name in ("_run.runner", "_kernel.writer")]
        theirs = [f"{COLLECTION}.plugins.modules.{name}" for name in modules]
        for name in ("ansible.module_utils.basic", "pyroute2", "netaddr", *ours, *theirs):
            if name not in self.preloaded:
                with contextlib.suppress(ImportError):
                    importlib.import_module(name)
                self.preloaded.add(name)


def forked(what: str, act: Callable[[Request, Output], None], request: Request) -> Answer:
    """Do something in a fork, and tell how it ended and what it wrote."""
    output = Output()
    pid = os.fork()
    if pid == 0:
        act(request, output)
    in_time = ended(pid, MODULE_TIMEOUT)
    if not in_time:
        end_group(pid)
    answer: Answer = {"rc": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), **output.read()}
    if not in_time:
        answer["error"] = f"{what}: no end after {MODULE_TIMEOUT:g} s: {answer['stderr']}"
    return answer


def run_module(request: Request, output: Output) -> None:
    """The child's part: never returns."""
    os.environ.update(request.get("env") or {})
    run(lambda: call_module(request), output)


def run_snapshot(request: Request, output: Output) -> None:
    """The child's part: never returns."""
    run(lambda: snapshot.main(bool(request["all_namespaces"])), output)


def run(call: Callable[[], int | None], output: Output) -> None:
    """Call a function with stdout and stderr of its own, and exit with what it returns: never returns itself."""
    status = 1
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output.stdout.fileno(), 1)
        os.dup2(output.stderr.fileno(), 2)
        # The agent's own sys.stdout is not stdout, see main().
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
        status = call() or 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def call_module(request: Request) -> int:
    """Call main() of a module as Ansible does, or of the ``package`` that holds it. Returns its exit status."""
    basic: Any = importlib.import_module("ansible.module_utils.basic")
    internal = {
        "_ansible_check_mode": bool(request.get("check")),
        "_ansible_diff": bool(request.get("diff", True)),
        "_ansible_verbosity": request.get("verbosity", 1),
        "_ansible_keep_remote_files": False,
        "_ansible_module_name": f"linuxnet.containers.{request['name']}",
        "_ansible_remote_tmp": tempfile.gettempdir(),
    }
    arguments = {"ANSIBLE_MODULE_ARGS": {**(request.get("args") or {}), **internal}}
    basic._ANSIBLE_ARGS = json.dumps(arguments).encode()
    if hasattr(basic, "_ANSIBLE_PROFILE"):  # ansible-core 2.19 and later
        basic._ANSIBLE_PROFILE = "legacy"
    package = request.get("package", request["name"])
    module: Any = importlib.import_module(f"{COLLECTION}.plugins.modules.{package}")
    try:
        module.main()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return 0


def parsed(stdout: str) -> dict[str, Any] | None:
    """The result a module printed, None where it printed none."""
    for line in reversed(stdout.splitlines()):
        try:
            result = json.loads(line)
        except ValueError:
            continue
        if isinstance(result, dict):
            return result
    return None


def main() -> int:
    """Serve until stdin ends."""
    sys.path.insert(0, sys.argv[1])
    if sys.argv[2:3] == ["--module"]:
        return call_module({**json.load(sys.stdin), "name": sys.argv[3]})
    # The protocol keeps the real stdout to itself; a stray print goes to stderr.
    protocol = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    agent = Agent()
    for line in sys.stdin:
        protocol.write(json.dumps(agent.answer(json.loads(line))) + "\n")
        protocol.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
