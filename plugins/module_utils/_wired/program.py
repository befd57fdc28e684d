# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command ``wired``: carries out the plan that a host keeps, by the same steps as the module ``wiring``."""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import Callable, Optional, Sequence

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import complete, files
from ansible_collections.linuxnet.containers.plugins.module_utils._model.commands import visible
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused, fault, of_host
from ansible_collections.linuxnet.containers.plugins.module_utils._model.lasting import PLAN
from ansible_collections.linuxnet.containers.plugins.module_utils._run import step_runner
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import failing, kept, one_task

DONE, FAILED = 0, 1  # exit codes; 2 is argparse's, for a command line that is wrong
_ERROR, _WARNING, _INFO = 3, 4, 6  # sd-daemon(3)


def say(level: int, text: str) -> None:
    """Print a line; for the journal with its level in front."""
    stream = sys.stderr if level < _INFO else sys.stdout
    front = "<%d>" % level if os.environ.get("JOURNAL_STREAM") else ""
    print(front + visible(text), file=stream, flush=True)


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """Be the command: exit with 0 where all is done, with 1 and a line each for what is not."""
    parser = argparse.ArgumentParser(
        prog="wired", description="The containers' networks that this host brings back by itself (linuxnet.containers)."
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.required = True
    up = commands.add_parser("up", help="wire what the host keeps, or some containers of it", description=_up.__doc__)
    up.add_argument("names", metavar="NAME", nargs="*", help="a container; all there are where none is named")
    asked = parser.parse_args(arguments)
    raise SystemExit(_answered(lambda: _up(asked.names)))


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


def _up(names: Sequence[str]) -> int:
    """Wire what the host keeps. What stands already stays as it is; what has drifted is repaired."""
    began = time.monotonic()
    complete.Kernel.require()
    text = files.read_text(PLAN)
    if not text:
        raise Refused("This host keeps no wiring: there is no %s." % PLAN)
    whole = kept.read(text)
    what = kept.part(whole, names) if names else whole
    steps = one_task.Steps({"firewall_backend": what.backend}, kept.compiled(what))
    found, warnings, failed = step_runner.carry_out(steps, _kernel(what.identity), False)
    for warning in warnings:
        say(_WARNING, warning)
    results = [result for listed in found.values() for items in listed.values() for result in items]
    changed = sum(bool(result["changed"]) for result in results)
    told = failing.told(steps.plan, found)
    for line in [*told] if told else [failed] if failed else []:
        say(_ERROR, line)
    text = "%d networks, %d containers: %s, %d things changed, in %.1f s." % (
        len(what.networks),
        len(what.containers),
        "not all is wired" if failed else "all is wired",
        changed,
        time.monotonic() - began,
    )
    say(_ERROR if failed else _INFO, text)
    return FAILED if failed else DONE
