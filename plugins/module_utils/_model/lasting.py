# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stays on a host that brings its wiring back by itself: which files there are, and what the units of systemd say. Pure."""

from __future__ import annotations

import json
import os.path
import shlex
from dataclasses import field
from typing import Collection, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import KEPT_FOLDER, KEPT_PLAN

FOLDER, PLAN = KEPT_FOLDER, KEPT_PLAN
SYSTEMD = "/etc/systemd/system/"
UNIT = SYSTEMD + "wired.service"
PROGRAM = FOLDER + "/wired.pyz"
TEMPLATE = SYSTEMD + "wired@.service"
COMMAND = "/usr/local/sbin/wired"
ENABLED = SYSTEMD + "multi-user.target.wants/wired.service"
# Where engines look for what they run when a container starts and stops.
PODMAN = "/usr/share/containers/oci/hooks.d/99-linuxnet-containers.json"  # containers.conf(5), hooks_dir: the default, and no other
LXC = "/usr/share/lxc/config/common.conf.d/99-linuxnet-containers.conf"
NSPAWN = SYSTEMD + "systemd-nspawn@.service.d/linuxnet-containers.conf"
DOCKER = SYSTEMD + "wired-docker.service"
FIREWALLD = SYSTEMD + "wired-firewalld.service"
DRIFT = SYSTEMD + "wired-drift.service"
ONLINE = SYSTEMD + "wired-online.service"
TIMER = SYSTEMD + "wired-drift.timer"
# Where else systemd looks for units: one of our names there is somebody else's.
UNIT_FOLDERS = (
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)

DRIFTS = ("ignore", "tell", "repair")
_DOCUMENTATION = "https://github.com/linuxnet/containers/blob/main/docs/lasting.md"
_DROP_IN = "linuxnet-containers.conf"
MARK = "Written by linuxnet.containers"  # of each of our files, by which they are known as ours
_HEADING = "# %s: it is put back as it is here whenever the role runs.\n" % MARK

# Who loads rules before the network is up, and would flush or not know ours; and who needs what we make.
_FIREWALLS = "nftables netfilter-persistent iptables ip6tables ufw firewalld"
_ENGINES = "docker podman podman-restart lxc"
# Who takes rules of ours with it when it starts, or reads its own again.
SPOILERS = tuple(name + ".service" for name in "docker firewalld netfilter-persistent nftables ufw".split())

# At boot this is one with the start that waits for it.
_AGAIN = "-/bin/systemctl --no-block restart wired.service\n"
# `firewall-cmd --reload` asks firewalld by the system bus, and systemd never hears of it. What busctl prints of a signal has lines, and this is in one.
_RELOADED = (
    "busctl --system --match=\"type='signal',interface='org.fedoraproject.FirewallD1',member='Reloaded'\" monitor | "
    "while read -r line; do case $line in *Member=Reloaded*) systemctl --no-block restart wired.service ;; esac; done"
)
_COMMAND = """#!/bin/sh
# %s: wired --help says what it does.
PYTHONUTF8=1 exec %s %s "$@"
"""
_START = """[Unit]
Description=%(description)s
Documentation=%(documentation)s
RequiresMountsFor=%(folder)s
%(order)s
[Service]
%(kind)sSyslogIdentifier=wired
Environment=PYTHONUTF8=1
ExecStart=%(start)s
"""
_EARLY = "DefaultDependencies=no\nStartLimitIntervalSec=0\n%sConflicts=shutdown.target\nBefore=shutdown.target\n"
_ONCE = "Type=oneshot\nRemainAfterExit=yes\n"


@dataclass(frozen=True)
class File:
    """A file as it is, or is to be. ``kind``: ``file``, ``program`` (``text`` is its digest), ``link`` (to ``text``), ``other`` (a folder, say),
    ``""`` where there is none. ``ours``: it has our mark."""

    kind: str = ""
    text: str = ""
    mode: int = 0
    ours: bool = field(default=True, compare=False)


NOTHING = File()


@dataclass(frozen=True)
class Lasting:
    """What a host has of it. ``systemd``: it is what runs here. ``python``: what runs this process, under a name that lasts. ``program``: the
    digest of the program that this process runs from. ``files`` by path, those that are there; ``elsewhere``: units of our names that are not
    ours; ``spoilers``: which of `SPOILERS` are here; ``unread``: systemd has not read what the files say by now;
    ``running``: those of `STARTED` that run; ``empty``: our folder is left, with nothing in it."""

    systemd: bool
    python: str
    program: str
    files: Mapping[str, File]
    elsewhere: Sequence[str] = ()
    spoilers: Sequence[str] = ()
    unread: bool = False
    running: Collection[str] = ()
    empty: bool = False


FOLLOWED = SYSTEMD + "docker.service.wants/wired-docker.service"
HEARD = SYSTEMD + "multi-user.target.wants/wired-firewalld.service"
AWAITED = SYSTEMD + "multi-user.target.wants/wired-online.service"
TIMED = SYSTEMD + "timers.target.wants/wired-drift.timer"
# Those that run from then on; a link to each has systemd start them in future.
STARTED = {path: os.path.basename(path) for path in (DOCKER, FIREWALLD, TIMER)}
LINKS = {ENABLED: UNIT, FOLLOWED: DOCKER, HEARD: FIREWALLD, TIMED: TIMER, AWAITED: ONLINE}
# In the order in which they are written, and removed in the other one: as long as there is anything there is the plan, which says so.
PATHS: Tuple[str, ...] = (
    *(PLAN, PROGRAM, COMMAND, UNIT, TEMPLATE, ENABLED),
    *(PODMAN, LXC, NSPAWN, DOCKER, FOLLOWED, FIREWALLD, HEARD, DRIFT, TIMER, TIMED, ONLINE, AWAITED),
)


def of_systemd(path: str) -> bool:
    """Return whether a file is one that systemd reads."""
    return path.startswith(SYSTEMD)


def folders(path: str) -> List[str]:
    """Return the folders of a file that are made for it, and go with the last one in them, the inner one first."""
    folder = os.path.dirname(path)
    if path == PODMAN:
        return [folder, os.path.dirname(folder)]
    made = folder == FOLDER or (folder.endswith((".wants", ".d")) and path != LXC)
    return [folder] if made else []


def drop_in(unit: str) -> str:
    """Return the path of ours that adds to a unit of somebody's."""
    return "%s%s.d/%s" % (SYSTEMD, unit, _DROP_IN)


def files(
    python: str,
    program: str,
    plan: str,
    containers: Optional[Mapping[str, Sequence[str]]] = None,
    spoilers: Sequence[str] = (),
    drift: str = "ignore",
    late: bool = False,
) -> Dict[str, File]:
    """Return the files of a host that keeps a plan, by path, in the order in which they are written. ``containers``: those of engines, by engine;
    ``spoilers``: those of `SPOILERS` that are here; ``drift``: one of `DRIFTS`; ``late``: there are networks whose ways are known, or whose
    uplinks are there, only once the host has its own network."""
    containers = containers or {}
    found = {
        PLAN: File("file", plan, 0o600),
        PROGRAM: File("program", program, 0o755),
        COMMAND: File("file", _COMMAND % (MARK, shlex.quote(python), PROGRAM), 0o755),
        UNIT: File("file", unit(python), 0o644),
        TEMPLATE: File("file", template(python), 0o644),
        ENABLED: File("link", UNIT),
    }
    if "podman" in containers:
        found[PODMAN] = File("file", podman_hook(python), 0o644)
    if "lxc" in containers:
        found[LXC] = File("file", lxc_hook(python), 0o644)
    if "nspawn" in containers:
        found[NSPAWN] = File("file", nspawn_hook(python), 0o644)
    if "docker" in containers:
        found.update({DOCKER: File("file", follower(python), 0o644), FOLLOWED: File("link", DOCKER)})
    if "firewalld.service" in spoilers:
        found.update({FIREWALLD: File("file", listener(), 0o644), HEARD: File("link", FIREWALLD)})
    if drift != "ignore":
        units = {DRIFT: drift_service(python, drift), TIMER: drift_timer()}
        found.update({path: File("file", text, 0o644) for path, text in units.items()})
        found[TIMED] = File("link", TIMER)
    if late:
        found.update({ONLINE: File("file", online(python), 0o644), AWAITED: File("link", ONLINE)})
    for name in containers.get("systemd", ()):
        found[drop_in(service(name))] = File("file", unit_hook(python, name), 0o644)
    found.update((drop_in(name), File("file", behind(name), 0o644)) for name in spoilers)
    return found


def behind(name: str) -> str:
    """Return what has all wired again behind one of `SPOILERS`, when it starts, and when it reads its rules again. Of firewalld `listener` hears that,
    which has not read them yet when systemd has told it to."""
    settings = ("ExecStartPost",) if name == "firewalld.service" else ("ExecStartPost", "ExecReload")
    return _HEADING + "[Service]\n" + "".join("%s=%s" % (setting, _AGAIN) for setting in settings)


def service(name: str) -> str:
    """Return the unit that a container of systemd's is."""
    return name if name.endswith(".service") else name + ".service"


def unit(python: str) -> str:
    """Return the unit that wires all at boot: after those who load rules, before any interface is up, so also before whoever needs the network."""
    order = "Wants=network-pre.target\nAfter=local-fs.target systemd-modules-load.service systemd-sysctl.service\n"
    order += "After=%s\nBefore=network-pre.target\nBefore=%s machines.target\n" % (
        _services(_FIREWALLS),
        _services(_ENGINES),
    )
    what = "Containers' networks, as linuxnet.containers wired them"
    return "%s\n[Install]\nWantedBy=multi-user.target\n" % _unit(what, _EARLY % order, _ONCE, _started(python, "up"))


def online(python: str) -> str:
    """Return the unit that looks once more when the host has its addresses: before that nobody can say who is a neighbour, and not all interfaces are there."""
    order = "Wants=network-online.target\nAfter=network-online.target wired.service\n"
    text = _unit("Containers' networks, once the host has its addresses", order, _ONCE, _started(python, "up"))
    return text + "\n[Install]\nWantedBy=multi-user.target\n"


def template(python: str) -> str:
    """Return the unit for one container, which others can require: it fails where the container is not wired."""
    order = _EARLY % "Wants=wired.service\nAfter=wired.service\n"
    return _unit("Network of container %I", order, _ONCE, _started(python, "up", "--") + " %I")


def follower(python: str) -> str:
    """Return the unit that wires containers of docker when they start, which has no hook for that."""
    order = "After=docker.service wired.service\nPartOf=docker.service\nStartLimitIntervalSec=0\n"
    kind = "Restart=always\nRestartSec=1\n"
    text = _unit("Networks of containers that docker starts", order, kind, _started(python, "follow", "docker"))
    return text + "\n[Install]\nWantedBy=docker.service\n"


def listener() -> str:
    """Return the unit that has all wired again when firewalld has read its rules again. It runs whether firewalld does or not: who starts it later says so."""
    order = "After=dbus.service wired.service\nStartLimitIntervalSec=0\n"
    start = " ".join(map(quoted, ("/bin/sh", "-c", _RELOADED)))
    text = _unit("Containers' networks, behind firewalld", order, "Restart=always\nRestartSec=5\n", start)
    return text + "\n[Install]\nWantedBy=multi-user.target\n"


def drift_service(python: str, drift: str) -> str:
    """Return the unit that looks whether all is as kept: it fails where it is not, or repairs that."""
    what, command = {"tell": ("looked at", "diff"), "repair": ("repaired", "up")}[drift]
    start = _started(python, command)
    return _unit("Containers' networks, %s" % what, "After=wired.service\n", "Type=oneshot\n", start)


def drift_timer() -> str:
    """Return the timer of that unit. Hosts that started together do not look together."""
    text = (
        "[Unit]\nDescription=Containers' networks, looked at now and then\nDocumentation=%s\n\n[Timer]\n"
        % _DOCUMENTATION
    )
    often = "OnActiveSec=15min\nOnUnitActiveSec=15min\nRandomizedDelaySec=1min\n"
    return "%s%s%s\n[Install]\nWantedBy=timers.target\n" % (_HEADING, text, often)


def podman_hook(python: str) -> str:
    """Return what podman's runtime runs before the first program of a container, and behind the last one (oci-hooks(5)), for all of them: which are kept
    the program knows. As podman reads one command for all stages of a file, it is the runtime that says which it is: there is no process in the end."""
    document = {
        "#": MARK,
        "version": "1.0.0",
        "hook": {"path": "/bin/sh", "args": ["sh", "-c", _guarded(python, "podman")]},
        "when": {"always": True},
        "stages": ["createRuntime", "poststop"],
    }
    return json.dumps(document, indent=1) + "\n"


def lxc_hook(python: str) -> str:
    """Return what LXC runs before a container's first program, and behind the last one (lxc.container.conf(5)): it puts "exec" in front of it, for a shell,
    and words behind it that say which it is."""
    command = "/bin/sh -c %s wired" % shlex.quote(_guarded(python, "lxc") + ' "$@"')
    return _HEADING + "".join("lxc.hook.%s = %s\n" % (hook, command) for hook in ("start-host", "post-stop"))


def _guarded(python: str, engine: str) -> str:
    """Return a shell's command for a hook of an engine that others than root use as well, who cannot read the program."""
    command = " ".join(map(shlex.quote, (python, PROGRAM, "hook", engine)))
    return "[ -r %s ] || exit 0; PYTHONUTF8=1 WIRED_LOG=syslog exec %s" % (PROGRAM, command)


def nspawn_hook(python: str) -> str:
    """Return what is run with each machine that systemd-nspawn@.service starts."""
    return _run_with(python, "nspawn", "%i", "ExecStartPost=", "ExecStopPost=-")


def unit_hook(python: str, name: str) -> str:
    """Return what is run with a unit that has a network namespace of its own: in that namespace, before its first program."""
    return _run_with(python, "systemd", quoted(name), "ExecStartPre=+", "ExecStopPost=-+")


def _run_with(python: str, engine: str, name: str, start: str, stop: str) -> str:
    """Return what adds a hook to a unit, by the settings with which it is run when that starts, and when it has ended."""
    hook = _started(python, "hook", engine)
    return "%s[Service]\n%s%s start %s\n%s%s stop %s\n" % (_HEADING, start, hook, name, stop, hook, name)


def _unit(description: str, order: str, kind: str, start: str) -> str:
    return _HEADING + _START % {
        "description": description,
        "documentation": _DOCUMENTATION,
        "folder": FOLDER,
        "order": order,
        "kind": kind,
        "start": start,
    }


def _started(python: str, *words: str) -> str:
    """Return the command line, as systemd reads it, that starts the program."""
    return " ".join(map(quoted, (python, PROGRAM, *words)))


def _services(names: str) -> str:
    return " ".join(name + ".service" for name in names.split())


def quoted(word: str) -> str:
    """Return a word of a command line as systemd reads it (systemd.service(5))."""
    word = word.replace("%", "%%").replace("$", "$$")
    if word and not set(word) & set(" \t\n\"'\\;"):
        return word
    for char, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t")):
        word = word.replace(char, escaped)
    return '"%s"' % word
