# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command ``wired``: carries out the plan that a host keeps, by the same steps as the module ``wiring``."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, TextIO

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import complete, files
from ansible_collections.linuxnet.containers.plugins.module_utils._model.commands import visible
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused, fault, of_host
from ansible_collections.linuxnet.containers.plugins.module_utils._model.lasting import PLAN
from ansible_collections.linuxnet.containers.plugins.module_utils._run import step_runner
from ansible_collections.linuxnet.containers.plugins.module_utils._run.results import readable
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import failing, kept, one_task, standing
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.kept import Kept
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.steps import Plan

DONE, FAILED, DIFFERS = 0, 1, 3  # exit codes; 2 is argparse's, for a command line that is wrong
_CODES = "Exit codes: 0 all is done, or as kept; 1 something failed; 2 the command line is wrong; 3 (status, diff) something is not as kept."
_ERROR, _WARNING, _INFO = 3, 4, 6  # sd-daemon(3)
# By command: what it does, for --help, and what a NAME is.
_HELP = {
    "status": "Say of each network and container whether it is as the host keeps it. Nothing is changed.",
    "up": "Wire what the host keeps. What stands already stays as it is; what has drifted is repaired.",
    "down": "Take down what the host keeps, as the role does with state: absent. The plan stays, so up, or a boot, brings it back.",
    "diff": "Show what up would change, as Ansible's --check --diff does. Nothing is changed.",
}


def say(level: int, text: str) -> None:
    """Print a line; for the journal with its level in front."""
    front = "<%d>" % level if os.environ.get("JOURNAL_STREAM") else ""
    _write(front + visible(text), sys.stderr if level < _INFO else sys.stdout)


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
    asked = parser.parse_args(arguments)
    raise SystemExit(_answered(lambda: _Command(asked.command, asked.names, asked.json).run()))


def _counted(number: int, noun: str) -> str:
    return "%d %s%s" % (number, noun, "" if number == 1 else "s")


def _answered(work: Callable[[], int]) -> int:
    """Return the exit code of some work; whatever is raised is one line."""
    try:
        return work()
    except Refused as error:
        say(_ERROR, str(error))
    except (OSError, MemoryError) as error:
        say(_ERROR, str(of_host(error, "read the state of this host")))
    except Exception as error:
        say(_ERROR, fault(error))
    return FAILED


def _kernel(identity: str) -> Callable[[], complete.Kernel]:
    """Return what opens the kernel of this host as it was called when the plan was kept: names and MAC addresses are derived from that."""

    class Kernel(complete.Kernel):
        def identity(self) -> str:
            return identity

    return Kernel


class _Steps(one_task.Steps):
    """The steps of a plan; a person who watches is told which one is taken."""

    def able(self, half: str, step: str, results: Mapping[str, Mapping[str, Any]]) -> Optional[List[int]]:
        found = super().able(half, step, results)
        if found and sys.stderr.isatty():
            sys.stderr.write("\r\033[K%s: %d" % (step, len(found)))
            sys.stderr.flush()
        return found


class _Command:
    """One call of the command."""

    def __init__(self, command: str, names: Sequence[str], as_json: bool) -> None:
        self._command = command
        self._names = names
        self._json = as_json
        self._began = time.monotonic()

    def run(self) -> int:
        """Do it, and return the exit code. Raises `Refused`."""
        complete.Kernel.require()
        text = files.read_text(PLAN)
        if not text:
            raise Refused("This host keeps no wiring: there is no %s." % PLAN)
        whole = kept.read(text)
        what = kept.part(whole, self._names) if self._names else whole
        steps = _Steps({"firewall_backend": what.backend}, self._plan(what))
        check = self._command in ("status", "diff")
        try:
            found, warnings, failed = step_runner.carry_out(steps, _kernel(what.identity), check)
        finally:
            if sys.stderr.isatty():
                sys.stderr.write("\r\033[K")
        for warning in warnings:
            say(_WARNING, warning)
        told = failing.told(steps.plan, found) or ([failed] if failed else [])
        if not check:
            return self._done(what, found, told)
        return self._looked(what, steps, found, told)

    def _plan(self, what: Kept) -> Plan:
        if self._command != "down":
            return kept.compiled(what)
        return kept.undone(what, self._names)

    def _done(self, what: Kept, found: Any, told: Sequence[str]) -> int:
        """Say what was done."""
        results = [result for listed in found.values() for items in listed.values() for result in items]
        changed = sum(bool(result["changed"]) for result in results)
        if self._json:
            self._print({"changed": changed, "failed": [*told], "results": found})
            return FAILED if told else DONE
        for line in told:
            say(_ERROR, line)
        text = "%s, %s: %s %s, %s changed, in %.1f s." % (
            _counted(len(what.networks), "network"),
            _counted(len(what.containers), "container"),
            "not all is" if told else "all is",
            "wired" if self._command == "up" else "down",
            _counted(changed, "thing"),
            time.monotonic() - self._began,
        )
        say(_ERROR if told else _INFO, text)
        return FAILED if told else DONE

    def _looked(self, what: Kept, steps: _Steps, found: Any, told: Sequence[str]) -> int:
        """Say how the host stands to the plan."""
        stand = standing.standing(what, steps.plan, found, steps.summary(found)["wiring_result"])
        if self._json:
            shown: Dict[str, Any] = dict(stand) if self._command == "status" else {"results": found}
            self._print({**shown, "failed": [*told]})
        else:
            for line in standing.text(stand) if self._command == "status" else standing.diff(found):
                _write(visible(line))
            for line in told if self._command == "diff" else ():
                say(_ERROR, line)
        if told:
            return FAILED
        return DONE if standing.stands(stand) else DIFFERS

    @staticmethod
    def _print(document: Mapping[str, Any]) -> None:
        _write(json.dumps(readable(dict(document)), indent=1, sort_keys=True))
