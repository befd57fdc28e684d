# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host keeps to bring its wiring back by itself: the program, the plan and units of systemd, read and written.

The program is an archive of the very files that this process runs from, ours and those of Ansible that they need. As a module these are
in an archive that Ansible packed; else (in tests, say) they are files of an installed collection.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import stat
import sys
import zipfile
from typing import Dict, Iterator, List, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import files
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs import run
from ansible_collections.linuxnet.containers.plugins.module_utils._model import lasting
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.lasting import PutKept, ReloadUnits
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.lasting import (
    FOLDER,
    MARK,
    PATHS,
    PROGRAM,
    File,
    Lasting,
)

_BOOTED = "/run/systemd/system"  # sd_booted(3)
_PYTHON = "/usr/bin/python3"  # a name that outlives an update of Python
_HEAD = 8192  # bytes in which the mark is
_EPOCH = (1980, 1, 1, 0, 0, 0)  # of all files of an archive: the same files are the same archive
_PACKAGES = ("ansible/", "ansible_collections/")
_OURS = "ansible_collections/linuxnet/containers/plugins/"
_MAIN = """from ansible_collections.linuxnet.containers.plugins.modules import wiring

wiring.wired()
"""
# What of Ansible's library no module of ours can need; it is much.
_NOT_NEEDED = ("ansible/module_utils/facts/", "ansible/module_utils/csharp/", "ansible/module_utils/powershell/")


def read() -> Lasting:
    """Return what the host has. Raises `KernelError`."""
    systemd = os.path.isdir(_BOOTED)
    found = {path: file for path, file in ((path, _file(path)) for path in PATHS) if file.kind}
    names = [os.path.basename(path) for path in (lasting.UNIT, lasting.TEMPLATE)]
    elsewhere = [os.path.join(folder, name) for folder in lasting.UNIT_FOLDERS for name in names]
    return Lasting(
        systemd,
        _python(),
        _digest(program()),
        found,
        [path for path in elsewhere if os.path.lexists(path)],
        systemd and _unread(),
        os.path.isdir(FOLDER) and not os.listdir(FOLDER),
    )


def _file(path: str) -> File:
    """Return a file of ours as it is."""
    try:
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            target = os.readlink(path)
            name = os.path.basename(path)
            return File("link", target, 0, path == lasting.ENABLED and os.path.basename(target) == name)
        if not stat.S_ISREG(mode):
            return File("other", "", 0, False)
        with open(path, "rb") as file:
            content = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return File()
    except OSError as error:
        raise KernelError(error.errno or 0, "read %s" % path) from error
    if path == PROGRAM:
        return File("program", _digest(content), stat.S_IMODE(mode), _is_ours(content))
    text = content.decode("utf-8", "surrogateescape")
    return File("file", text, stat.S_IMODE(mode), _is_ours(content))


def _is_ours(content: bytes) -> bool:
    """Return whether a file says that it is ours, at its beginning; or nothing, as a disk may leave one that lost its power."""
    return not content or MARK.encode() in content[:_HEAD]


def _python() -> str:
    """Return the Python that runs this, by the name that the system keeps for it."""
    plain = sys.prefix == sys.base_prefix  # in a virtual environment the same program has other libraries
    same = plain and os.path.exists(_PYTHON) and os.path.realpath(_PYTHON) == os.path.realpath(sys.executable)
    return _PYTHON if same else sys.executable


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _unread() -> bool:
    """Return whether systemd has read units of ours that are not as they are by now."""
    program_path = run.which("systemctl")
    if program_path is None:
        return False
    asked = ["show", "--property=NeedDaemonReload", "--value", "wired.service", "wired@*.service"]
    try:
        return "yes" in run.run(program_path, asked).split()
    except run.ProgramError as error:
        raise KernelError(0, "ask systemd for its units", str(error)) from error


# --- the program ---


def program() -> bytes:
    """Return the program: an archive that Python starts, the same bytes for the same files."""
    raw = io.BytesIO()
    raw.write(b"#!%s\n# %s\n" % (os.fsencode(_python()), MARK.encode()))
    with zipfile.ZipFile(raw, "w") as archive:
        for name, content in sorted([*_sources().items(), ("__main__.py", _MAIN.encode())]):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, content)
    return raw.getvalue()


def _sources() -> Dict[str, bytes]:
    """Return the files that this process runs from, by their names in an archive. Raises `KernelError`."""
    from ansible.module_utils import basic

    place = str(basic.__file__).rpartition("/ansible/")[0]
    try:
        if os.path.isfile(place):
            with zipfile.ZipFile(place) as archive:
                # Ansible puts a file beside them that names the folder of this run.
                return {name: archive.read(name) for name in archive.namelist() if name.startswith(_PACKAGES)}
        return dict(_installed(place))
    except OSError as error:
        raise KernelError(error.errno or 0, "read the program that runs here, %s" % place) from error


def _installed(place: str) -> Iterator[Tuple[str, bytes]]:
    """Yield the files of an installed Ansible and collection, as Ansible would pack them."""
    own = __file__.rpartition("/plugins/")[0]
    from ansible.module_utils.ansible_release import __version__

    package = "from pkgutil import extend_path\n__path__=extend_path(__path__,__name__)\n"
    yield "ansible/__init__.py", (package + '__version__="%s"\n__author__="Ansible, Inc."\n' % __version__).encode()
    for name, path in _below(place, "ansible/module_utils"):
        if not name.startswith(_NOT_NEEDED):
            yield name, _content(path)
    folders = _OURS.split("/")[:-1]
    for depth in range(1, len(folders) + 1):
        yield "/".join([*folders[:depth], "__init__.py"]), b""
    yield _OURS + "modules/__init__.py", b""
    yield _OURS + "modules/wiring.py", _content(own + "/plugins/modules/wiring.py")
    yield _OURS + "module_utils/__init__.py", b""
    for name, path in _below(own, "plugins/module_utils"):
        yield _OURS + name[len("plugins/") :], _content(path)


def _below(place: str, folder: str) -> List[Tuple[str, str]]:
    """Return (name, path) of the sources in a folder, names from ``place`` on."""
    found: List[Tuple[str, str]] = []
    for inside, dummy, names in os.walk(os.path.join(place, folder)):
        paths = [os.path.join(inside, name) for name in names if name.endswith(".py")]
        found.extend((os.path.relpath(path, place), path) for path in paths)
    return found


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


# --- changes ---


def take(step: Change) -> None:
    """Take a change of what the host keeps. Raises OSError, `KernelError`."""
    if isinstance(step, ReloadUnits):
        _reload(step)
    elif isinstance(step, PutKept):
        _put(step)
    else:
        raise TypeError("nothing is known of %s" % type(step).__name__)


def _reload(step: ReloadUnits) -> None:
    program_path = run.which("systemctl")
    try:
        if program_path is not None and os.path.isdir(_BOOTED):
            run.run(program_path, ["daemon-reload"])
    except run.ProgramError as error:
        raise KernelError(0, step.attempt(), str(error)) from error


def _put(step: PutKept) -> None:
    folder, name = os.path.split(step.path)
    if not step.file.kind:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(folder, ".%s.new" % name))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(step.path)
        if folder == FOLDER or step.old.kind == "link":
            with contextlib.suppress(OSError):  # others may have put something there
                os.rmdir(folder)
        return
    os.makedirs(folder, 0o700 if folder == FOLDER else 0o755, exist_ok=True)
    if step.file.kind == "link":
        beside = os.path.join(folder, ".%s.new" % name)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside)
        os.symlink(step.file.text, beside)
        os.replace(beside, step.path)
        return
    content = program() if step.file.kind == "program" else step.file.text.encode("utf-8", "surrogateescape")
    files.write_bytes(step.path, content, step.file.mode)
