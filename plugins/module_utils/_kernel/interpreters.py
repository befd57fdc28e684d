# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running the module again with another Python, where the one that runs it lacks a library: that of the system has its packages. Or with
the same one, in another encoding.

With Ansible in a virtual environment and ``localhost``, modules run with the environment's Python.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
from typing import Iterator, List, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.requirements import LIBRARIES

_CANDIDATES = (
    "/usr/bin/python3",
    "/usr/libexec/platform-python",
    "/usr/local/bin/python3",
    *("/usr/bin/python3.%d" % minor for minor in range(16, 7, -1)),
)
_TIMEOUT = 30  # seconds; importing takes a tenth of one
# Ends well where a Python has what is named. What that is, only this collection's own files know, which are in the module's archive.
_PROBE = """
import sys
from ansible_collections.linuxnet.containers.plugins.module_utils._run import python
python.require()
import ansible.module_utils.basic
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import codec
if codec.PROBLEM is not None:
    raise codec.PROBLEM
if "netaddr" in sys.argv:
    from ansible_collections.linuxnet.containers.plugins.module_utils._model import pools
    pools.require_netaddr()
"""
_F_SETPIPE_SZ = 1031  # include/uapi/linux/fcntl.h; Python has it since 3.10
_PIPE_BYTES = 32768  # a pipe holds twice that


def with_utf8() -> None:
    """Run the module again, and end, where Python takes file names for anything else than UTF-8, which the host's locale says; return where
    it does not.

    Names come from Ansible as text, and those of interfaces are UTF-8 in any locale, so a namespace's name has to be that too. Called before
    the module did anything.
    """
    main = sys.modules["__main__"]
    if sys.getfilesystemencoding() != "utf-8" and hasattr(main, "_module_fqn") and not hasattr(main, "_respawned"):
        os.environ["PYTHONUTF8"] = "1"
        _respawn(sys.executable)


def run_again(missing: str) -> None:
    """Run the module with a Python that has the libraries, and end; return where there is none, or where ``missing`` is no library.

    Called before the module did anything. Its arguments, check mode and all that Ansible told it go along.
    """
    main = sys.modules["__main__"]
    if missing not in LIBRARIES or hasattr(main, "_respawned") or not hasattr(main, "_module_fqn"):
        return
    needed = sorted({missing, "pyroute2", *(name for name in LIBRARIES if name in sys.modules)})
    for candidate in _others():
        if _has(candidate, needed):
            _respawn(candidate)


def _others() -> List[str]:
    """Return the other Pythons of the system, each once."""
    plain = sys.prefix == sys.base_prefix  # in a virtual environment the same program has other libraries
    seen = {os.path.realpath(sys.executable)} if plain and sys.executable else set()
    found = []
    for candidate in _CANDIDATES:
        real = os.path.realpath(candidate)
        if os.path.exists(candidate) and real not in seen:
            seen.add(real)
            found.append(candidate)
    return found


def _has(interpreter: str, libraries: List[str]) -> bool:
    import subprocess

    from ansible.module_utils import basic

    archive = str(basic.__file__).rpartition("/ansible/")[0]  # it has our own files as well
    path = ":".join(filter(None, [archive, os.environ.get("PYTHONPATH", "")]))
    try:
        done = subprocess.run(
            [interpreter, "-c", _PROBE, *libraries],
            env=dict(os.environ, PYTHONPATH=path),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _respawn(interpreter: str) -> None:
    """Be the module in another Python, by Ansible's own means, and end; return where the arguments are too long for that."""
    from ansible.module_utils import basic
    from ansible.module_utils.common.respawn import respawn_module

    with contextlib.suppress(OSError), _pipes_of(4 * len(getattr(basic, "_ANSIBLE_ARGS", None) or b"") + _PIPE_BYTES):
        respawn_module(interpreter)


@contextlib.contextmanager
def _pipes_of(size: int) -> Iterator[None]:
    """A block in which pipes are made that hold ``size`` bytes. Raises OSError in it where the kernel gives none.

    Ansible writes all arguments, as a Python literal, to a pipe that nobody reads yet: without this a list of some hundred containers
    would wait for ever.
    """
    pipe = os.pipe

    def wide() -> Tuple[int, int]:
        ends = pipe()
        if size > 2 * _PIPE_BYTES:
            fcntl.fcntl(ends[1], _F_SETPIPE_SZ, size)
        return ends

    os.pipe = wide
    try:
        yield
    finally:
        os.pipe = pipe
