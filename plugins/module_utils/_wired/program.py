# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command ``wired``: carries out the plan that a host keeps, by the same steps as the module ``wiring``."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import time
from dataclasses import field
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, TextIO, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import complete, files
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs import engines
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs.run import ProgramError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.commands import visible
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused, fault, of_host
from ansible_collections.linuxnet.containers.plugins.module_utils._model.kernel_api import Source
from ansible_collections.linuxnet.containers.plugins.module_utils._model.lasting import PLAN
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Container, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._run import step_runner
from ansible_collections.linuxnet.containers.plugins.module_utils._run.results import readable
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import failing, kept, one_task, standing
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.kept import Kept
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.steps import Plan

DONE, FAILED, DIFFERS = 0, 1, 3  # exit codes; 2 is argparse's, for a command line that is wrong
_CODES = "Exit codes: 0 all is done, or as kept; 1 something failed; 2 the command line is wrong; 3 (status, diff) something is not as kept."
ERROR, WARNING, INFO = 3, 4, 6  # sd-daemon(3), syslog(3)
# By command: what it does, for --help, and what a NAME is.
_HELP = {
    "status": "Say of each network and container whether it is as the host keeps it. Nothing is changed.",
    "up": "Wire what the host keeps. What stands already stays as it is; what has drifted is repaired.",
    "down": "Take down what the host keeps, as the role does with state: absent. The plan stays, so up, or a boot, brings it back.",
    "diff": "Show what up would change, as Ansible's --check --diff does. Nothing is changed.",
}


def say(level: int, text: str) -> None:
    """Print a line; for the journal with its level in front. A hook's goes to the system's log as well: few engines show what it prints."""
    if os.environ.get("WIRED_LOG") == "syslog":
        import syslog

        syslog.openlog("wired", syslog.LOG_PID, syslog.LOG_DAEMON)
        syslog.syslog(level, visible(text))
    front = "<%d>" % level if os.environ.get("JOURNAL_STREAM") else ""
    _write(front + visible(text), sys.stderr if level < INFO else sys.stdout)


def _write(line: str, stream: Optional[TextIO] = None) -> None:
    stream = stream or sys.stdout
    stream.write(line + "\n")
    stream.flush()


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """Be the command: exit with one of the codes above, and a line for each thing that failed."""
    parser = argparse.ArgumentParser(
        prog="wired",
        description="The containers' networks that this host brings back by itself (linuxnet.containers, wiring_persist).",
        epilog=_CODES,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.required = True
    for name, text in _HELP.items():
        command = commands.add_parser(name, help=text, description=text, epilog=_CODES)
        command.add_argument("names", metavar="NAME", nargs="*", help="a container; all there are where none is named")
        command.add_argument("--json", action="store_true", help="print one JSON document in place of lines for people")
        if name == "up":
            text = "the process of the one container that is named, which its engine is starting just now"
            command.add_argument("--pid", type=int, help=text)
    asked = parser.parse_args(arguments)
    pid = getattr(asked, "pid", None)
    if pid is not None and (pid < 1 or len(asked.names) != 1):
        parser.error("--pid is a process ID, for one NAME")
    raise SystemExit(answered(lambda: Command(asked.command, asked.names, asked.json, pid).run()))


def _counted(number: int, noun: str) -> str:
    return "%d %s%s" % (number, noun, "" if number == 1 else "s")


def answered(work: Callable[[], int]) -> int:
    """Return the exit code of some work; whatever is raised is one line."""
    try:
        return work()
    except Refused as error:
        say(ERROR, str(error))
    except (OSError, MemoryError) as error:
        say(ERROR, str(of_host(error, "read the state of this host")))
    except Exception as error:
        say(ERROR, fault(error))
    return FAILED


@dataclass(frozen=True)
class _Engines:
    """Of the containers of engines, the processes of those that run (name, process), those that do not run, and those of which nobody knows, for what is
    ``said``, a sentence each."""

    running: Sequence[Tuple[str, int]] = ()
    resting: Sequence[str] = ()
    unknown: Sequence[str] = ()
    said: Sequence[str] = field(default=(), compare=False)


def _engines(what: Kept) -> _Engines:
    """Ask the engines for their containers that are kept."""
    by_engine: Dict[str, List[str]] = {}
    for container in what.containers:
        if container["engine"] != kept.OWN:
            by_engine.setdefault(container["engine"], []).append(container["name"])
    running: List[Tuple[str, int]] = []
    resting: List[str] = []
    unknown: List[str] = []
    said: List[str] = []
    for engine, names in by_engine.items():
        try:
            # Before its first container runs, docker may not even have started: it would be started to answer, and waits for this.
            known = {} if engines.idle(engine) or not engines.available(engine) else engines.find(engine, names)
        except ProgramError as error:
            unknown.extend(names)
            said.append("%s could not be asked for its containers: %s" % (engine, error))
            continue
        alive = {name: one.pid for name, one in known.items() if one.pid or one.file}
        running.extend(alive.items())
        resting.extend(name for name in names if name not in alive)
    with _kernel(what.identity)() as kernel:
        inhabited = _inhabited(kernel, resting) if resting else ()
    for name in inhabited:
        resting.remove(name)
        unknown.append(name)
        said.append("Container '%s': its engine says that it does not run, but processes are in its namespace." % name)
    return _Engines(running, kept.with_joined(what, resting), kept.with_joined(what, unknown), said)


class _Started(Exception):
    """A container that had ended was started meanwhile."""


def _inhabited(kernel: Source, names: Sequence[str]) -> List[str]:
    """Return those names that mean a namespace with processes in it, other than the host's: whoever says that the container does not run, it does."""
    host, there = kernel.find(HOST), kernel.listing()
    found = {name: kernel.find(NsRef.parse(name)) for name in names if name in there}
    return [name for name, ns in found.items() if ns is not None and ns != host and kernel.processes(ns)]


def _kernel(
    identity: str, ended: Sequence[str] = (), starting: Optional[Container] = None
) -> Callable[[], complete.Kernel]:
    """Return what opens the kernel of this host as it was called when the plan was kept: names and MAC addresses are derived from that. Where one of the
    containers that have ``ended`` runs when the host is locked, that raises `_Started`: its hook was first. ``starting``: one that its engine starts."""

    class Kernel(complete.Kernel):
        def __init__(self) -> None:
            super().__init__()
            if starting is not None:
                self.tell(starting)

        def identity(self) -> str:
            return identity

        @contextlib.contextmanager
        def locked(self, check: bool = False) -> Iterator[None]:
            with super().locked(check):
                if ended and _inhabited(self, ended):
                    raise _Started
                yield

    return Kernel


class _Steps(one_task.Steps):
    """The steps of a plan; a person who watches is told which one is taken."""

    def able(self, half: str, step: str, results: Mapping[str, Mapping[str, Any]]) -> Optional[List[int]]:
        found = super().able(half, step, results)
        if found and sys.stderr.isatty():
            sys.stderr.write("\r\033[K%s: %d" % (step, len(found)))
            sys.stderr.flush()
        return found


class Command:
    """One call of the command."""

    def __init__(
        self,
        command: str,
        names: Sequence[str],
        as_json: bool = False,
        pid: Optional[int] = None,
        file: str = "",
        ended: bool = False,
    ) -> None:
        """``pid`` and ``file``: a process, and the engine's own file of the namespace, of the one container that is named, which is being started;
        ``ended``: it has ended."""
        self._command = command
        self._names = names
        self._json = as_json
        self._pid, self._file, self._ended = pid, file, ended
        self._resting: Sequence[str] = ()
        self._began = time.monotonic()

    def run(self) -> int:
        """Do it, and return the exit code. Raises `Refused`."""
        complete.Kernel.require()
        text = files.read_text(PLAN)
        if not text:
            raise Refused("This host keeps no wiring: there is no %s." % PLAN)
        whole = kept.read(text)
        asked = kept.part(whole, self._names) if self._names else whole
        starting = self._starting(asked)
        for last in (False, False, True):
            told_of = self._told_of(asked)
            self._resting = told_of.resting
            what = kept.without(asked, told_of.unknown)
            try:
                steps, found, warnings, told = self._taken(what, starting)
            except _Started:
                if self._ended:
                    return DONE
                if last:
                    raise Refused("Containers are started all the time; try again later.") from None
                continue
            # A container that was stopped or started meanwhile is nobody's failure.
            if not told or last or self._told_of(asked) == told_of:
                break
        for warning in warnings:
            say(WARNING, warning)
        told = [*told_of.said, *told]
        if not self._looks:
            return self._done(what, found, told)
        return self._looked(what, steps, found, told)

    @property
    def _looks(self) -> bool:
        return self._command in ("status", "diff")

    def _told_of(self, asked: Kept) -> _Engines:
        """Return what engines say of their containers, where that is not said by who calls this."""
        return _Engines() if self._command == "down" or self._pid else _engines(asked)

    def _starting(self, asked: Kept) -> Optional[Container]:
        """Return the container that its engine is starting. Raises `Refused` for one that needs none."""
        if self._pid is None:
            return None
        [name] = self._names
        engine = next(container["engine"] for container in asked.containers if container["name"] == name)
        if engine == kept.OWN:
            raise Refused(
                "Container '%s' has a namespace of its own, whatever is started in it; leave --pid out." % name
            )
        return Container(engine, name, self._pid, "running", file=self._file)

    def _taken(self, what: Kept, starting: Optional[Container]) -> Tuple[_Steps, Any, Sequence[str], Sequence[str]]:
        """Take the steps. Return them, their results, warnings, and a sentence for each thing that failed. Raises `Refused`."""
        steps = _Steps({"firewall_backend": what.backend}, self._plan(what))
        ended = self._names if self._ended else self._resting
        try:
            found, warnings, failed = step_runner.carry_out(
                steps, _kernel(what.identity, ended, starting), self._looks, False
            )
        finally:
            if sys.stderr.isatty():
                sys.stderr.write("\r\033[K")
        return steps, found, warnings, failing.told(steps.plan, found) or ([failed] if failed else [])

    def _plan(self, what: Kept) -> Plan:
        if self._command != "down":
            return kept.compiled(what, self._resting, self._names[0] if self._pid else "")
        return kept.undone(what, self._names)

    def _done(self, what: Kept, found: Any, told: Sequence[str]) -> int:
        """Say what was done."""
        results = [result for listed in found.values() for items in listed.values() for result in items]
        changed = sum(bool(result["changed"]) for result in results)
        if self._json:
            self._print({"changed": changed, "failed": [*told], "results": found})
            return FAILED if told else DONE
        for line in told:
            say(ERROR, line)
        containers = _counted(len(what.containers), "container")
        if self._resting:
            containers += " (%d not running)" % len(self._resting)
        text = "%s, %s: %s %s, %s changed, in %.1f s." % (
            _counted(len(what.networks), "network"),
            containers,
            "not all is" if told else "all is",
            "wired" if self._command == "up" else "down",
            _counted(changed, "thing"),
            time.monotonic() - self._began,
        )
        say(ERROR if told else INFO, text)
        return FAILED if told else DONE

    def _looked(self, what: Kept, steps: _Steps, found: Any, told: Sequence[str]) -> int:
        """Say how the host stands to the plan."""
        stand = standing.standing(what, steps.plan, found, steps.summary(found)["wiring_result"], self._resting)
        if self._json:
            shown: Dict[str, Any] = dict(stand) if self._command == "status" else {"results": found}
            self._print({**shown, "failed": [*told]})
        else:
            for line in standing.text(stand) if self._command == "status" else standing.diff(found):
                _write(visible(line))
            for line in told if self._command == "diff" else ():
                say(ERROR, line)
        if told:
            return FAILED
        return DONE if standing.stands(stand) else DIFFERS

    @staticmethod
    def _print(document: Mapping[str, Any]) -> None:
        _write(json.dumps(readable(dict(document)), indent=1, sort_keys=True))
