# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a library or a program must be: there, new enough, and whole. The sentences for what is not. Pure."""

from __future__ import annotations

import re
from typing import Mapping, Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Lacking

LIBRARIES: Mapping[str, Tuple[int, ...]] = {
    "pyroute2": (0, 7, 2),
    "netaddr": (0, 7, 19),
}  # each with its oldest version

_VERSION = 200  # characters of what a program says of itself, in which its version is


def numbers(version: str) -> Tuple[int, ...]:
    """Return the first version number in a text, such as (1, 0, 6); nothing where there is none."""
    found = re.search(r"[0-9]{1,9}(\.[0-9]{1,9})+", version[:_VERSION])
    return tuple(map(int, found.group().split("."))) if found else ()


def dotted(version: Tuple[int, ...]) -> str:
    """Return a version as it is written."""
    return ".".join(map(str, version))


def too_old(version: str, oldest: Tuple[int, ...]) -> bool:
    """Return whether a version is older than the oldest that will do. What names no version will do."""
    return () < numbers(version) < oldest


def old_library(name: str, version: str) -> Optional[Lacking]:
    """Return the error for a version of a library that is too old, None for one that will do."""
    oldest = LIBRARIES[name]
    if not too_old(version, oldest):
        return None
    return Lacking("The Python library %s is %s, and %s or newer is needed." % (name, version, dotted(oldest)), name)


def unusable_library(name: str, error: Exception) -> Lacking:
    """Return the error for a library whose import failed. Where it is not there, the text is but its name: the runner knows the words."""
    if isinstance(error, ModuleNotFoundError) and (error.name or name).partition(".")[0] == name:
        return Lacking(name, name)
    file = error.filename if isinstance(error, SyntaxError) else _where(error)
    reason = str(error.msg if isinstance(error, SyntaxError) else error).strip().partition("\n")[0].rstrip(".")
    kind = type(error).__name__
    why = "%s: %s" % (kind, reason) if reason else kind
    return Lacking("The Python library %s is installed but cannot be imported: %s (%s)." % (name, why, file), name)


def _where(error: Exception) -> str:
    """Return the file that raised an error."""
    file, trace = "", error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if not code.co_filename.startswith("<"):  # Python's own importing
            file = code.co_filename
        trace = trace.tb_next
    return file
