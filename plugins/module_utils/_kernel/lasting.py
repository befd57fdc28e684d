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
import importlib.util
import io
import marshal
import os
import stat
import struct
import sys
import zipfile
import zlib
from typing import Dict, Iterator, List, Mapping, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import files
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs import run
from ansible_collections.linuxnet.containers.plugins.module_utils._model import lasting
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.lasting import (
    PutKept,
    ReloadUnits,
    RunUnit,
)
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
_MAIN = """from ansible_collections.linuxnet.containers.plugins.module_utils._wired import entry

entry.main()
"""
# What of Ansible's library no module of ours can need; it is much.
_NOT_NEEDED = ("ansible/module_utils/facts/", "ansible/module_utils/csharp/", "ansible/module_utils/powershell/")


def read() -> Lasting:
    """Return what the host has. Raises `KernelError`."""
    systemd = os.path.isdir(_BOOTED)
    unread, running = _units() if systemd else (False, ())
    found = {path: file for path, file in ((path, _file(path)) for path in (*PATHS, *_drop_ins())) if file.kind}
    names = [os.path.basename(path) for path in PATHS if os.path.dirname(path) + "/" == lasting.SYSTEMD]
    elsewhere = [os.path.join(folder, name) for folder in lasting.UNIT_FOLDERS for name in names]
    return Lasting(
        systemd,
        _python(),
        digest(),
        found,
        [path for path in elsewhere if os.path.lexists(path)],
        [name for name in lasting.SPOILERS if _is_unit(name)],
        unread,
        running,
        os.path.isdir(FOLDER) and not os.listdir(FOLDER),
    )


def _drop_ins() -> List[str]:
    """Return the paths of ours that add to units of others."""
    folders = sorted(os.listdir(lasting.SYSTEMD)) if os.path.isdir(lasting.SYSTEMD) else []
    found = [lasting.drop_in(name[: -len(".d")]) for name in folders if name.endswith(".service.d")]
    return [path for path in found if path not in PATHS and os.path.lexists(path)]


def _is_unit(name: str) -> bool:
    return any(os.path.lexists(os.path.join(folder, name)) for folder in (lasting.SYSTEMD, *lasting.UNIT_FOLDERS))


def _file(path: str) -> File:
    """Return a file of ours as it is."""
    try:
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            target = os.readlink(path)
            name = os.path.basename(path)
            ours = path in lasting.LINKS and os.path.basename(target) == name
            return File("link", target, 0, ours)
        if not stat.S_ISREG(mode):
            return File("other", "", 0, False)
        with open(path, "rb") as file:
            content = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return File()
    except OSError as error:
        raise KernelError(error.errno or 0, "read %s" % path) from error
    if path == PROGRAM:
        return File("program", digest_of(content), stat.S_IMODE(mode), _is_ours(content))
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


def _units() -> Tuple[bool, Sequence[str]]:
    """Return whether systemd has read units of ours that are not as they are by now, and which of those that are to run do."""
    program_path = run.which("systemctl")
    if program_path is None:
        return False, ()
    names = (
        "wired.service",
        "wired@*.service",
        os.path.basename(lasting.DRIFT),
        os.path.basename(lasting.ONLINE),
        *lasting.STARTED.values(),
    )
    asked = ["show", *("--property=" + name for name in ("Id", "NeedDaemonReload", "ActiveState")), *names]
    try:
        blocks = run.run(program_path, asked).split("\n\n")
    except run.ProgramError as error:
        raise KernelError(0, "ask systemd for its units", str(error)) from error
    units = [dict(line.partition("=")[::2] for line in block.splitlines()) for block in blocks]
    ended = ("inactive", "failed", "deactivating")
    return (
        any(unit.get("NeedDaemonReload") == "yes" for unit in units),
        [
            str(unit.get("Id"))
            for unit in units
            if unit.get("Id") in lasting.STARTED.values() and unit.get("ActiveState") not in ended
        ],
    )


# --- the program ---


def program() -> bytes:
    """Return the program: an archive that Python starts, the same bytes for the same files. It has them compiled as well, for this Python: another one
    compiles them each time."""
    sources = _sources()
    return _packed({**sources, **{name + "c": _compiled(name, text) for name, text in sources.items()}})


def digest() -> str:
    """Return the digest of the program, without what is compiled in it."""
    return _digest(_packed(_sources()))


def digest_of(content: bytes) -> str:
    """Return the digest of a program that is there: that of its sources, where it is whole and compiled for this Python; else another one."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            found = {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, OSError):
        return _digest(content)
    sources = {name: text for name, text in found.items() if not name.endswith(".pyc")}
    compiled = {name: text for name, text in found.items() if name not in sources}
    whole = {*compiled} == {name + "c" for name in sources} and _packed(found) == content
    fits = all(text.startswith(importlib.util.MAGIC_NUMBER) for text in compiled.values())
    return _digest(_packed(sources) if whole and fits else content)


def _compiled(name: str, text: bytes) -> bytes:
    """Return a source compiled, as Python finds it in an archive (PEP 552, by an unchecked hash)."""
    code = compile(text, name, "exec", dont_inherit=True)
    return importlib.util.MAGIC_NUMBER + struct.pack("<I", 1) + importlib.util.source_hash(text) + marshal.dumps(code)


def _packed(files_by_name: Mapping[str, bytes]) -> bytes:
    raw = io.BytesIO()
    raw.write(b"#!%s\n# %s\n" % (os.fsencode(_python()), MARK.encode()))
    with zipfile.ZipFile(raw, "w") as archive:
        for name, content in sorted(files_by_name.items()):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, content)
    return raw.getvalue()


def _sources() -> Dict[str, bytes]:
    """Return the files that this process runs from, by their names in an archive, and where it begins. Raises `KernelError`."""
    from ansible.module_utils import basic

    place = str(basic.__file__).rpartition("/ansible/")[0]
    try:
        if os.path.isfile(place):
            with zipfile.ZipFile(place) as archive:
                # Ansible puts a file beside them that names the folder of this run.
                found = {name: archive.read(name) for name in archive.namelist() if name.startswith(_PACKAGES)}
        else:
            found = dict(_installed(place))
    except OSError as error:
        raise KernelError(error.errno or 0, "read the program that runs here, %s" % place) from error
    found["__main__.py"] = _MAIN.encode()
    return {name: text for name, text in found.items() if name.endswith(".py")}


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
        _systemctl(step, "daemon-reload")
    elif isinstance(step, RunUnit):
        _systemctl(step, step.verb, step.name)
    elif isinstance(step, PutKept):
        _put(step)
    else:
        raise TypeError("nothing is known of %s" % type(step).__name__)


def _systemctl(step: Change, *arguments: str) -> None:
    program_path = run.which("systemctl")
    try:
        if program_path is not None and os.path.isdir(_BOOTED):
            run.run(program_path, list(arguments))
    except run.ProgramError as error:
        raise KernelError(0, step.attempt(), str(error)) from error


def _put(step: PutKept) -> None:
    folder, name = os.path.split(step.path)
    if not step.file.kind:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(folder, ".%s.new" % name))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(step.path)
        with contextlib.suppress(OSError):  # others may have put something there
            for one in lasting.folders(step.path):
                os.rmdir(one)
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
