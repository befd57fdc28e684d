# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking the engines for their containers, each by its own tool. The one file that runs docker, podman, lxc-info and the like.

Which daemon or storage is asked is said by the environment, as for the tools themselves (DOCKER_HOST, CONTAINER_HOST,
CONTAINERS_STORAGE_CONF and so on), so by a task's ``environment:``.
"""

from __future__ import annotations

import contextlib
import os
import re
from typing import Callable, ContextManager, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs import run
from ansible_collections.linuxnet.containers.plugins.module_utils._model.engines import ENGINES
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import understood
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Container

_AT_ONCE = 200  # names on one command line
_BESIDE = {
    "docker": "containerd-shim",
    "podman": "conmon",
}  # the process beside each container that runs, proc(5), comm


def available(engine: str) -> bool:
    """Return whether the program that asks the engine is on this host."""
    return run.which(ENGINES[engine].program) is not None


def idle(engine: str) -> bool:
    """Return whether it is certain, without asking it, that no container of the engine runs."""
    return engine in _BESIDE and _BESIDE[engine] not in (comm for dummy, dummy, comm in _processes())


def find(engine: str, names: Sequence[str]) -> Dict[str, Container]:
    """Return what the engine knows of the containers called ``names``; those that it does not know are left out.

    Raises `ProgramError` where the engine cannot be asked.
    """
    found: Dict[str, Container] = {}
    with _understood(engine):
        for start in range(0, len(names), _AT_ONCE):
            found.update(_ASKED[engine][0](engine, names[start : start + _AT_ONCE]))
    return found


def running(engine: str) -> List[Container]:
    """Return the running containers of the engine. Raises `ProgramError` where it cannot be asked."""
    with _understood(engine):
        return [container for container in _ASKED[engine][1](engine) if container.pid]


def _understood(engine: str) -> ContextManager[None]:
    """A block that reads what programs print, which may be anything. Raises `ProgramError`."""
    return understood(run.ProgramError, "what %s printed" % ENGINES[engine].program)


def _run(program: str, *arguments: str) -> Tuple[str, str]:
    """Return what a program says: its output and, where it failed, its complaint. Raises `ProgramError`."""
    path = run.which(program)
    if path is None:
        raise run.ProgramError("the program %s is not installed" % program)
    return run.output(path, list(arguments))


def _last(complaint: str) -> run.ProgramError:
    """Return the error for a complaint; its last line says what it came to."""
    return run.ProgramError(complaint.splitlines()[-1].rstrip("."))


# --- docker and podman ----------------------------------------------------------------------------------------------

_FORMAT = "{{.Id}} {{.State.Pid}} {{.State.Status}} {{.Name}} {{.NetworkSettings.SandboxKey}}"


def _inspected(engine: str, names: Sequence[str]) -> Dict[str, Container]:
    output, complaint = _run(engine, "container", "inspect", "--format", _FORMAT, *names)
    wrong = [line for line in complaint.splitlines() if "no such container" not in line.lower()]
    rows = [[*line.split(), ""][:5] for line in output.splitlines() if len(line.split()) >= 4]
    if wrong and not rows:
        raise _last(wrong[-1])
    found = {}
    for name in names:
        for identity, pid, status, own, file in rows:
            # A name goes before the beginning of an identity, as for docker and podman themselves.
            if own.lstrip("/") == name or (name not in found and identity.startswith(name)):
                # That of a process, as podman 5 has it, may be another one's when this has ended.
                own_file = "" if file.startswith("/proc/") else file
                found[name] = Container(engine, name, int(pid), status, file=own_file)
    return found


def _inspected_running(engine: str) -> List[Container]:
    if engine == "podman" and idle(engine):
        return []  # podman writes files whatever it is asked
    output, complaint = _run(engine, "ps", "--quiet", "--no-trunc")
    if complaint:
        raise _last(complaint)
    identities = output.split()
    found: List[Container] = []
    for start in range(0, len(identities), _AT_ONCE):
        rows = _run(engine, "container", "inspect", "--format", _FORMAT, *identities[start : start + _AT_ONCE])[0]
        for line in rows.splitlines():
            dummy, pid, status, name = line.split()[:4]
            found.append(Container(engine, name.lstrip("/"), int(pid), status))
    return found


def followed(engine: str, since: int) -> run.Followed:
    """Follow an engine from a moment on (seconds since 1970): a line is the name of a container that has started, or ended. Raises `ProgramError`."""
    path = run.which(ENGINES[engine].program)
    if path is None:
        raise run.ProgramError("the program %s is not installed" % ENGINES[engine].program)
    filters = [word for one in ("type=container", "event=start", "event=die") for word in ("--filter", one)]
    return run.Followed(path, ["events", "--since", str(since), *filters, "--format", "{{.Actor.Attributes.name}}"])


# --- systemd units --------------------------------------------------------------------------------------------------

_PROPERTIES = tuple(
    "--property=" + name
    for name in ("Id", "MainPID", "LoadState", "ActiveState", "ControlGroup", "NetworkNamespacePath")
)
_CGROUPS = ("/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified")  # cgroup v2, v1, both


def _units(*arguments: str) -> List[Mapping[str, str]]:
    """Return the properties of units, a block each, in the order they were named."""
    if not os.path.isdir("/run/systemd/system"):  # sd_booted(3)
        raise run.ProgramError("this host was not booted with systemd")
    output, complaint = _run("systemctl", "show", *_PROPERTIES, *arguments)
    if complaint:
        raise _last(complaint)
    return [dict(line.partition("=")[::2] for line in block.splitlines()) for block in output.split("\n\n")]


def _units_called(engine: str, names: Sequence[str]) -> Dict[str, Container]:
    found = {}
    for name, unit in zip(names, _units("--", *names)):
        if unit.get("LoadState") == "not-found":
            continue
        pid, status, file = int(unit.get("MainPID") or 0), unit.get("ActiveState", ""), ""
        if not pid and status == "active":  # of Type=oneshot, and the like
            pid, file = _in_cgroup(unit.get("ControlGroup", "")), unit.get("NetworkNamespacePath", "")
        found[name] = Container(engine, name, pid, status, file="" if pid else file)
    return found


def _in_cgroup(path: str) -> int:
    """Return a process in a control group or one below it, 0 where there is none."""
    for root in _CGROUPS if path.strip("/") and ".." not in path.split("/") else ():
        for folder, dummy, files in os.walk(root + path):
            if "cgroup.procs" in files:
                with contextlib.suppress(OSError), open(folder + "/cgroup.procs", encoding="ascii") as file:
                    pids = file.read().split()
                    if pids:
                        return int(pids[0])
    return 0


def _running_units(engine: str) -> List[Container]:
    return [
        Container(engine, unit["Id"], int(unit["MainPID"] or 0), unit["ActiveState"])
        for unit in _units("--type=service", "--state=running", "*")
        if "Id" in unit and "MainPID" in unit
    ]


# --- systemd-nspawn -------------------------------------------------------------------------------------------------


def _machines(engine: str, names: Sequence[str]) -> Dict[str, Container]:
    """Ask systemd-machined; what is not registered there (``--register=no``) is found by systemd-nspawn's own processes."""
    found = {machine.name: machine for machine in _running_machines(engine) if machine.name in names}
    for name in names:
        if name not in found and os.path.isdir("/run/systemd/machines"):
            output = _run("machinectl", "show", "--property=Leader", "--property=State", name)[0]
            shown = dict(line.partition("=")[::2] for line in output.splitlines())
            if shown.get("Leader"):
                found[name] = Container(engine, name, int(shown["Leader"]), shown.get("State", ""))
    return found


def _running_machines(engine: str) -> List[Container]:
    """Return the machines that systemd-nspawn processes run. A machine's leader is the child in a pid namespace of its own."""
    parents: Dict[int, List[int]] = {}
    nspawns = []
    for pid, parent, comm in _processes():
        parents.setdefault(parent, []).append(pid)
        if comm == "systemd-nspawn":
            nspawns.append(pid)
    found = []
    for nspawn in nspawns:
        name = _machine_name(nspawn)
        for child in sorted(parents.get(nspawn, ())):
            if name and _pid_namespace(child) != _pid_namespace(nspawn):
                found.append(Container(engine, name, child, "running"))
                break
    return found


_STAT = re.compile(r"\d+ \((.*)\) \S+ (\d{1,9}) ", re.ASCII | re.DOTALL)  # proc(5): command and parent


def _processes() -> Iterator[Tuple[int, int, str]]:
    """Yield (pid, its parent's, command) of all processes."""
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open("/proc/%s/stat" % entry, encoding="utf-8", errors="replace", newline="\n") as file:
                    found = _STAT.match(file.read())
            except OSError:  # it ended meanwhile
                continue
            if found:
                yield int(entry), int(found.group(2)), found.group(1)


def _pid_namespace(pid: int) -> str:
    try:
        return os.readlink("/proc/%d/ns/pid" % pid)
    except OSError:
        return ""


def _machine_name(pid: int) -> Optional[str]:
    """Return the machine's name as systemd-nspawn(1) has it: ``--machine``, else the last part of its directory or image."""
    try:
        with open("/proc/%d/cmdline" % pid, encoding="utf-8", errors="replace") as file:
            words = file.read().split("\0")
    except OSError:
        return None
    given: Dict[str, str] = {}
    for word, following in zip(words, words[1:]):
        for option, short in (("machine", "-M"), ("directory", "-D"), ("image", "-i")):
            if word in ("--" + option, short):
                given.setdefault(option, following)
            elif word.startswith("--%s=" % option):
                given.setdefault(option, word.split("=", 1)[1])
            elif word.startswith(short) and not word.startswith("--"):
                given.setdefault(option, word[2:])
    tree = os.path.basename((given.get("directory") or given.get("image") or "").rstrip("/"))
    return given.get("machine") or (tree[: -len(".raw")] if tree.endswith(".raw") else tree) or None


# --- LXC ------------------------------------------------------------------------------------------------------------


def _lxc(engine: str, names: Sequence[str]) -> Dict[str, Container]:
    found = {}
    for name in names:
        output, complaint = _run("lxc-info", "--state", "--pid", "--no-humanize", "--name", name)
        if complaint and "doesn't exist" not in complaint:
            raise _last(complaint)
        words = output.split()
        if not complaint and words:
            pid = next((int(word) for word in words if word.isdigit()), 0)
            found[name] = Container(engine, name, pid, next(word for word in words if word.isupper()).lower())
    return found


def _running_lxc(engine: str) -> List[Container]:
    output, complaint = _run("lxc-ls", "-1", "--running")
    if complaint:
        raise _last(complaint)
    return list(_lxc(engine, output.split()).values())


# By engine: (its containers by name, its running containers).
_ASKED: Dict[str, Tuple[Callable[[str, Sequence[str]], Dict[str, Container]], Callable[[str], List[Container]]]] = {
    "docker": (_inspected, _inspected_running),
    "podman": (_inspected, _inspected_running),
    "nspawn": (_machines, _running_machines),
    "lxc": (_lxc, _running_lxc),
    "systemd": (_units_called, _running_units),
}
