# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host keeps, read and written: here in a folder of the test's."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import basic
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import lasting as kernel
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.complete import Kernel
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs import run
from ansible_collections.linuxnet.containers.plugins.module_utils._model import lasting as model
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.lasting import (
    PutKept,
    ReloadUnits,
    RunUnit,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.lasting import MARK, NOTHING, File


class Place:
    """Our files, in a folder of the test's."""

    def __init__(self, root: Path) -> None:
        self.folder, units = root / "var/lib/kept", root / "etc/units"
        units.mkdir(parents=True)
        self.folder.parent.mkdir(parents=True)
        self.program, self.plan = str(self.folder / "wired.pyz"), str(self.folder / "plan.json")
        self.unit, self.enabled = str(units / "wired.service"), str(units / "lab.target.wants/wired.service")
        self.systemd = f"{units}/"
        self.paths = (self.program, self.plan, self.unit, self.enabled)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    found = Place(tmp_path)
    for name, value in (("FOLDER", str(found.folder)), ("PATHS", found.paths), ("PROGRAM", found.program)):
        monkeypatch.setattr(kernel, name, value)
    monkeypatch.setattr(model, "FOLDER", str(found.folder))
    monkeypatch.setattr(model, "LINKS", {found.enabled: found.unit})
    monkeypatch.setattr(model, "SYSTEMD", found.systemd)
    monkeypatch.setattr(model, "UNIT_FOLDERS", (str(tmp_path / "usr"),))
    monkeypatch.setattr(kernel, "_BOOTED", str(tmp_path / "booted"))
    return found


def programs(monkeypatch: pytest.MonkeyPatch, answer: str | Exception = "") -> list[list[str]]:
    """What is asked of systemctl."""
    asked: list[list[str]] = []

    def answered(path: str, arguments: list[str], *dummy: Any) -> str:
        asked.append(arguments)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(run, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(run, "run", answered)
    return asked


def test_what_is_written_is_read_back_and_goes_again(place: Place) -> None:
    text = f"# {MARK}\n"
    wanted = {
        place.program: File("program", kernel.digest(), 0o755),
        place.plan: File("file", text, 0o600),
        place.unit: File("file", text, 0o644),
        place.enabled: File("link", place.unit),
    }
    for path, file in wanted.items():
        kernel.take(PutKept(path, file))
    assert kernel.read().files == wanted
    assert all(file.ours for file in kernel.read().files.values())
    assert place.folder.stat().st_mode & 0o777 == 0o700
    for path, file in wanted.items():
        kernel.take(PutKept(path, NOTHING, file))
    assert kernel.read().files == {}
    assert not place.folder.exists()
    assert not Path(place.enabled).parent.exists()


def test_a_file_takes_the_place_of_another_at_once(place: Place) -> None:
    kernel.take(PutKept(place.plan, File("file", "old", 0o644)))
    Path(place.folder, ".plan.json.new").write_text("left by a run that was ended", encoding="utf-8")
    kernel.take(PutKept(place.plan, File("file", "new", 0o600)))
    assert [path.name for path in place.folder.iterdir()] == ["plan.json"]
    assert (Path(place.plan).read_text(encoding="utf-8"), os.stat(place.plan).st_mode & 0o777) == ("new", 0o600)


def test_what_others_put_beside_it_stays(place: Place) -> None:
    kernel.take(PutKept(place.plan, File("file", "text", 0o600)))
    (place.folder / "theirs").write_text("x", encoding="utf-8")
    kernel.take(PutKept(place.plan, NOTHING, File("file", "text", 0o600)))
    assert [path.name for path in place.folder.iterdir()] == ["theirs"]
    kernel.take(PutKept(place.plan, NOTHING))  # gone already
    assert kernel.read().empty is False
    (place.folder / "theirs").unlink()
    assert kernel.read().empty is True
    kernel.take(PutKept(place.plan, NOTHING))
    assert not place.folder.exists()


@pytest.mark.parametrize(
    ("make", "kind", "ours"),
    [
        (lambda path: path.write_text("theirs", encoding="utf-8"), "file", False),
        (lambda path: path.write_text("", encoding="utf-8"), "file", True),
        (lambda path: path.write_text(f"#\n# {MARK}\nmore", encoding="utf-8"), "file", True),
        (lambda path: path.mkdir(), "other", False),
        (lambda path: path.symlink_to("/dev/null"), "link", False),
    ],
)
def test_whose_a_file_is(place: Place, make: Any, kind: str, ours: bool) -> None:
    make(Path(place.unit))
    found = kernel.read().files[place.unit]
    assert (found.kind, found.ours) == (kind, ours)


@pytest.mark.parametrize(
    ("target", "ours"),
    [("/etc/systemd/system/wired.service", True), ("../wired.service", True), ("../x.service", False)],
)
def test_whose_a_link_is(place: Place, target: str, ours: bool) -> None:
    Path(place.enabled).parent.mkdir()
    os.symlink(target, place.enabled)
    assert kernel.read().files[place.enabled].ours is ours


def test_drop_ins_of_ours_are_found_and_those_whose_unit_is_here(place: Place) -> None:
    for name, text in (("web", f"# {MARK}\n"), ("theirs", "x")):
        path = model.drop_in(f"{name}.service")
        kernel.take(PutKept(path, File("file", text, 0o644)))
    Path(place.systemd, "nftables.service").write_text("", encoding="utf-8")
    found = kernel.read()
    assert {path: file.ours for path, file in found.files.items()} == {
        model.drop_in("theirs.service"): False,
        model.drop_in("web.service"): True,
    }
    assert found.spoilers == ["nftables.service"]
    kernel.take(PutKept(model.drop_in("web.service"), NOTHING))
    assert not Path(place.systemd, "web.service.d").exists()


def test_units_of_our_names_that_are_somebody_else_s(place: Place, tmp_path: Path) -> None:
    (tmp_path / "usr").mkdir()
    (tmp_path / "usr/wired.service").write_text("x", encoding="utf-8")
    assert kernel.read().elsewhere == [str(tmp_path / "usr/wired.service")]


def blocks(*units: tuple[str, str, str]) -> str:
    """What "systemctl show" prints of units."""
    return "\n\n".join(f"Id={name}\nActiveState={state}\nNeedDaemonReload={unread}" for name, state, unread in units)


@pytest.mark.parametrize(
    ("answer", "unread", "running"),
    [
        (blocks(("wired.service", "active", "no"), ("wired-docker.service", "activating", "no")), False, ["wired-docker.service"]),
        (blocks(("wired.service", "active", "no"), ("wired-drift.timer", "failed", "yes")), True, []),
        ("", False, []),
    ],
)  # fmt: skip
def test_systemd_is_asked_whether_it_has_read_them(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, unread: bool, running: list[str]
) -> None:
    (tmp_path / "booted").mkdir()
    asked = programs(monkeypatch, answer)
    found = kernel.read()
    assert (found.systemd, found.unread, found.running) == (True, unread, running)
    names = [
        "wired.service",
        "wired@*.service",
        "wired-drift.service",
        "wired-online.service",
        "wired-docker.service",
        "wired-firewalld.service",
        "wired-drift.timer",
    ]
    assert asked == [["show", *(f"--property={one}" for one in ("Id", "NeedDaemonReload", "ActiveState")), *names]]
    Kernel.__new__(Kernel).apply(ReloadUnits())
    Kernel.__new__(Kernel).apply(RunUnit("wired-drift.timer"))
    assert asked[1:] == [["daemon-reload"], ["start", "wired-drift.timer"]]


def test_a_host_without_systemd_is_not_asked(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = programs(monkeypatch)
    found = Kernel.__new__(Kernel).lasting()
    kernel.take(ReloadUnits())
    assert (found.systemd, found.unread, asked) == (False, False, [])


def test_systemd_s_refusal_is_a_sentence(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "booted").mkdir()
    programs(monkeypatch, run.ProgramError("Failed to connect to bus"))
    for work in (kernel.read, lambda: kernel.take(ReloadUnits())):
        with pytest.raises(
            KernelError, match=r"Could not .* its units.*: the request failed .Failed to connect to bus"
        ):
            work()
    monkeypatch.setattr(run, "which", lambda name: None)
    assert kernel.read().unread is False


def test_an_unknown_change_is_a_fault_of_ours() -> None:
    with pytest.raises(TypeError):
        kernel.take(Change())


def test_what_cannot_be_read_is_a_sentence(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(place.unit).write_text("x", encoding="utf-8")

    def broken(*dummy: Any) -> Any:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "lstat", broken)
    with pytest.raises(KernelError, match=f"Could not read {place.program}"):
        kernel.read()


# --- the program ---


def test_the_program_is_the_same_for_the_same_files_and_python_starts_it(tmp_path: Path) -> None:
    content = kernel.program()
    assert content == kernel.program()
    path = tmp_path / "wired.pyz"
    path.write_bytes(content)
    done = subprocess.run([sys.executable, path, "--help"], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "usage: wired" in done.stdout
    names = zipfile.ZipFile(path).namelist()
    assert not [name for name in names if "powershell" in name or "/facts/" in name]


def spoiled(content: bytes, name: str, change: Callable[[bytes], bytes | None]) -> bytes:
    """A program in which one file is another one, or is not there."""
    raw = io.BytesIO(content)
    with zipfile.ZipFile(raw) as archive:
        found = {one: archive.read(one) for one in archive.namelist()}
    new = change(found.pop(name))
    return kernel._packed({**found, **({} if new is None else {name: new})})


def test_a_program_is_told_by_its_sources_where_it_is_whole() -> None:
    """Another Python would compile it each time; so it is written anew for that one."""
    content = kernel.program()
    assert kernel.digest_of(content) == kernel.digest()
    names = [name for name in zipfile.ZipFile(io.BytesIO(content)).namelist() if name.endswith("entry.pyc")]
    [compiled] = names
    for other in (
        b"",
        content[:-1],
        content + b"x",
        content[: len(content) // 2],
        spoiled(content, compiled, lambda text: b"\0\0\r\n" + text[4:]),
        spoiled(content, compiled, lambda text: None),
        spoiled(content, "__main__.py", lambda text: text + b"#"),
    ):
        assert kernel.digest_of(other) != kernel.digest()


def test_what_is_compiled_is_what_python_takes(tmp_path: Path) -> None:
    """It is not compiled again: a source that is wrong would be seen."""
    text = b"print('compiled')"
    path = tmp_path / "program.pyz"
    path.write_bytes(kernel._packed({"__main__.py": b"(", "__main__.pyc": kernel._compiled("__main__.py", text)}))
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True)
    assert done.stdout == "compiled\n"


def test_as_a_module_it_is_what_ansible_packed_without_what_is_of_this_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = tmp_path / "payload.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("ansible/a.py", "ansible_collections/b.py", "sitecustomize.py", "__main__.py"):
            archive.writestr(name, "7")
    monkeypatch.setattr(basic, "__file__", f"{packed}/ansible/module_utils/basic.py")
    found = zipfile.ZipFile(io.BytesIO(kernel.program()))
    sources = [name for name in found.namelist() if name.endswith(".py")]
    assert sources == ["__main__.py", "ansible/a.py", "ansible_collections/b.py"]
    assert {*found.namelist()} == {*sources, *(f"{name}c" for name in sources)}
    assert found.read("ansible/a.py") == b"7"
    packed.unlink()
    monkeypatch.setattr(os.path, "isfile", lambda path: True)
    with pytest.raises(KernelError, match="Could not read the program that runs here"):
        kernel.program()


def test_the_python_is_called_by_the_name_that_outlives_an_update(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "python3.11").write_text("", encoding="utf-8")
    (tmp_path / "python3").symlink_to("python3.11")
    monkeypatch.setattr(kernel, "_PYTHON", str(tmp_path / "python3"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python3.11"))
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    assert kernel._python() == str(tmp_path / "python3")
    monkeypatch.setattr(sys, "prefix", "/a/virtual/environment")
    assert kernel._python() == str(tmp_path / "python3.11")
