# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stays on a host that brings its wiring back by itself: which files there are, and what the units of systemd say. Pure."""

from __future__ import annotations

import shlex
from dataclasses import field
from typing import Dict, Mapping, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import KEPT_FOLDER, KEPT_PLAN

FOLDER, PLAN = KEPT_FOLDER, KEPT_PLAN
UNIT = "/etc/systemd/system/wired.service"
PROGRAM = FOLDER + "/wired.pyz"
TEMPLATE = "/etc/systemd/system/wired@.service"
COMMAND = "/usr/local/sbin/wired"
ENABLED = "/etc/systemd/system/multi-user.target.wants/wired.service"
# Where else systemd looks for units: one of our names there is somebody else's.
UNIT_FOLDERS = (
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)

MARK = "Written by linuxnet.containers"  # of each of our files, by which they are known as ours
_HEADING = "# %s: it is put back as it is here whenever the role runs.\n" % MARK

# Who loads rules before the network is up, and would flush or not know ours; and who needs what we make.
_FIREWALLS = "nftables netfilter-persistent iptables ip6tables ufw firewalld"
_ENGINES = "docker podman podman-restart lxc"

_COMMAND = """#!/bin/sh
# %s: wired --help says what it does.
PYTHONUTF8=1 exec %s %s "$@"
"""
_START = """[Unit]
Description=%(description)s
Documentation=https://github.com/linuxnet/containers/blob/main/docs/lasting.md
DefaultDependencies=no
RequiresMountsFor=%(folder)s
%(order)sConflicts=shutdown.target
Before=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
SyslogIdentifier=wired
Environment=PYTHONUTF8=1
ExecStart=%(start)s
"""


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
    ours; ``unread``: systemd has not read what the files say by now; ``empty``: our folder is left, with nothing in it."""

    systemd: bool
    python: str
    program: str
    files: Mapping[str, File]
    elsewhere: Sequence[str] = ()
    unread: bool = False
    empty: bool = False


# In the order in which they are written, and removed in the other one: as long as there is anything there is the plan, which says so.
PATHS: Tuple[str, ...] = (PLAN, PROGRAM, COMMAND, UNIT, TEMPLATE, ENABLED)
UNITS = (UNIT, TEMPLATE, ENABLED)  # those that systemd reads


def files(python: str, program: str, plan: str) -> Dict[str, File]:
    """Return the files of a host that keeps a plan, by path, in the order in which they are written."""
    return {
        PLAN: File("file", plan, 0o600),
        PROGRAM: File("program", program, 0o755),
        COMMAND: File("file", _COMMAND % (MARK, shlex.quote(python), PROGRAM), 0o755),
        UNIT: File("file", unit(python), 0o644),
        TEMPLATE: File("file", template(python), 0o644),
        ENABLED: File("link", UNIT),
    }


def unit(python: str) -> str:
    """Return the unit that wires all at boot: after those who load rules, before any interface is up, so also before whoever needs the network."""
    order = "Wants=network-pre.target\nAfter=local-fs.target systemd-modules-load.service systemd-sysctl.service\n"
    order += "After=%s\nBefore=network-pre.target\nBefore=%s machines.target\n" % (
        _services(_FIREWALLS),
        _services(_ENGINES),
    )
    start = _START % {
        "description": "Containers' networks, as linuxnet.containers wired them",
        "folder": FOLDER,
        "order": order,
        "start": " ".join(map(quoted, (python, PROGRAM, "up"))),
    }
    return "%s%s\n[Install]\nWantedBy=multi-user.target\n" % (_HEADING, start)


def template(python: str) -> str:
    """Return the unit for one container, which others can require: it fails where the container is not wired."""
    start = _START % {
        "description": "Network of container %I",
        "folder": FOLDER,
        "order": "Wants=wired.service\nAfter=wired.service\n",
        "start": "%s %%I" % " ".join(map(quoted, (python, PROGRAM, "up", "--"))),
    }
    return _HEADING + start


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
