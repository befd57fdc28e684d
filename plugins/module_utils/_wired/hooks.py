# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What engines run when a container starts and when it has ended: ``wired hook ENGINE``. Which container it is, each of them says in its own way.

An engine runs this for all its containers, also for those that are not kept here, so until that is known nothing is imported that takes long.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Dict, List, Mapping, Optional, Sequence, TextIO, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import KEPT_PLAN

# A container, its process, 0 where it has ended, and the engine's own file of its namespace, ``""`` where there is none.
Called = Tuple[str, int, str]


def main(arguments: Sequence[str]) -> None:
    """Be the command; ``arguments`` are those behind ``hook``. Exit with 0 at once where the container is not kept here."""
    engine, rest = (arguments[0] if arguments else ""), arguments[1:]
    if engine not in _CALLED:
        raise SystemExit("usage: wired hook %s" % "|".join(_CALLED))
    names = kept(engine)
    called = _CALLED[engine](rest, os.environ, sys.stdin) if names else None
    if called is None or called[0] not in names:
        raise SystemExit(0)
    from ansible_collections.linuxnet.containers.plugins.module_utils._wired import start

    raise SystemExit(start.called(engine, *called))


def kept(engine: str) -> List[str]:
    """Return the containers of an engine that are kept here, none where nobody can tell: others' containers start all the same."""
    try:
        with open(KEPT_PLAN, encoding="utf-8") as file:
            containers = json.load(file)["containers"]
        return [one["name"] for one in containers if one["engine"] == engine]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _podman(dummy: Sequence[str], env: Mapping[str, str], stdin: TextIO) -> Optional[Called]:
    """Of the state of a container as its runtime writes it (OCI runtime specification, "State"), and of the names in podman's storage, which is where its
    bundle is: podman itself does not answer now."""
    try:
        state: Dict[str, Any] = json.load(stdin)
        place = os.path.dirname(os.path.dirname(state["bundle"].rstrip("/")))
        with open(os.path.join(place, "containers.json"), encoding="utf-8") as file:
            listed = json.load(file)
        names = [name for one in listed if one["id"] == state["id"] for name in one["names"]]
        if not names or state["status"] == "stopped":
            return (names[0], 0, "") if names else None
        with open(os.path.join(state["bundle"], "config.json"), encoding="utf-8") as file:
            namespaces = json.load(file)["linux"]["namespaces"]
        files = [one.get("path") or "" for one in namespaces if one["type"] == "network"]
        return names[0], int(state["pid"]), files[0] if files else ""
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _lxc(words: Sequence[str], env: Mapping[str, str], dummy: TextIO) -> Optional[Called]:
    """Of what LXC sets for a hook (lxc.container.conf(5))."""
    name, pid = env.get("LXC_NAME", ""), env.get("LXC_PID", "")
    kinds = (env.get("LXC_HOOK_TYPE", ""), *words)
    if "start-host" in kinds and pid.isdigit():
        return name, int(pid), ""
    return (name, 0, "") if "post-stop" in kinds else None


def _unit(words: Sequence[str], env: Mapping[str, str], dummy: TextIO) -> Optional[Called]:
    """Of the words ``start`` or ``stop`` and a name. The process is this: a unit's are all in one namespace."""
    if len(words) != 2 or words[0] not in ("start", "stop"):
        return None
    return words[1], 0 if words[0] == "stop" else os.getpid(), ""


_CALLED = {"podman": _podman, "lxc": _lxc, "nspawn": _unit, "systemd": _unit}
