# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Namespaces as files and processes show them. That they are made, bound and entered is in the contract of kernels and in tests/module."""

from __future__ import annotations

import errno
import fcntl
import io
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import files, namespaces
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsFile

OWN = os.stat("/proc/self/ns/net").st_ino


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of /run/netns."""
    monkeypatch.setattr(namespaces, "NETNS_DIRECTORY", str(tmp_path))
    return tmp_path


# --- files ---


def test_a_namespace_is_opened_by_any_file_of_it(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/proc/self/ns/net")
    for path in (namespaces.OWN, str(tmp_path / "link")):
        fd, inode = namespaces.open_namespace(path)
        assert (inode, os.get_inheritable(fd)) == (OWN, False)
        os.close(fd)


@pytest.mark.parametrize("path", ["/proc/self/ns/mnt", "/proc/self/ns/uts", "/etc/passwd", "/proc/self", "/dev/null"])
def test_what_is_something_else_is_refused_and_closed_again(path: str) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError, match="Invalid argument") as caught:
        namespaces.open_namespace(path)
    assert caught.value.errno == errno.EINVAL
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_pipe_does_not_hold_it_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="Invalid argument"):
        namespaces.open_namespace(str(tmp_path / "pipe"))


def test_entries_are_told_apart(folder: Path) -> None:
    assert namespaces.listing() == {}
    (folder / "stale").write_text("text", encoding="utf-8")
    (folder / "empty").touch()
    (folder / "alias").symlink_to(folder / "empty")
    (folder / "web").symlink_to("/proc/self/ns/net")
    (folder / "gone").symlink_to("/var/run/docker/netns/gone")
    (folder / "round").symlink_to("round")
    (folder / "folder").mkdir()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(folder / "socket"))
    assert namespaces.listing() == {
        "alias": NsFile("alias", "file", target=str(folder / "empty")),
        "empty": NsFile("empty", "empty"),
        "folder": NsFile("folder", "file", size=(folder / "folder").stat().st_size),
        "gone": NsFile("gone", "dangling", target="/var/run/docker/netns/gone"),
        "round": NsFile("round", "dangling", target="round"),
        "socket": NsFile("socket", "file"),
        "stale": NsFile("stale", "file", size=4),
        "web": NsFile("web", "namespace", OWN, "/proc/self/ns/net"),
    }


def test_where_nothing_was_ever_named_nothing_is_listed(folder: Path) -> None:
    folder.rmdir()
    assert namespaces.listing() == {}
    with pytest.raises(FileNotFoundError):
        namespaces.entry_of("web")


def test_a_file_in_place_of_the_folder_is_refused_by_its_name(folder: Path) -> None:
    folder.rmdir()
    folder.touch()
    with pytest.raises(KernelError, match=f"^Could not list {folder}: Not a directory"):
        namespaces.listing()
    folder.unlink()


def test_names_of_any_bytes_are_listed(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff ")).touch()
    assert list(namespaces.listing()) == ["\udcff "]


# --- what can be seen ---

MOUNTINFO = """\
22 1 0:21 / /proc rw,nosuid - proc proc rw
90 30 0:4 net:[4026532201] /run/netns/web rw shared:12 - nsfs nsfs rw
91 30 0:4 net:[4026532201] /run/docker/netns/a\\040b rw shared:12 - nsfs nsfs rw
92 30 0:4 mnt:[4026532202] /run/mnt rw - nsfs nsfs rw
93 30 0:4 net:[4026532203]//deleted /run/netns/odd rw - nsfs nsfs rw
94 30 0:4 net:[what] /run/netns/never rw - nsfs nsfs rw
95 30 0:4 net:[4026532204] /run/netns/c\rd rw - nsfs nsfs rw
96 30
"""


def test_namespaces_are_seen_where_they_are_mounted_and_in_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    real = open

    def opened(path: str, *args: Any, **options: Any) -> Any:
        return (
            io.StringIO(MOUNTINFO, options["newline"]) if path.endswith("/mountinfo") else real(path, *args, **options)
        )

    monkeypatch.setattr("builtins.open", opened)
    monkeypatch.setattr(namespaces, "_each_process", lambda: iter([(5, 4026532201), (6, 4026532299)]))
    assert namespaces.seen() == {
        4026532201: (["/run/netns/web", "/run/docker/netns/a b"], [5]),
        4026532203: (["/run/netns/odd"], []),
        4026532204: (["/run/netns/c\rd"], []),
        4026532299: ([], [6]),
    }


def test_this_process_is_seen_in_its_namespace() -> None:
    assert os.getpid() in namespaces.seen()[OWN][1]
    assert os.getpid() in namespaces.processes()[OWN]


# --- processes ---


def test_a_process_has_a_command_and_a_start() -> None:
    with open("/proc/self/comm", encoding="utf-8") as file:
        assert namespaces.command(os.getpid()) == file.read().strip()
    started = namespaces.start_time(os.getpid())
    assert started is not None
    assert started.isdigit()


def test_one_that_is_gone_has_neither() -> None:
    assert (namespaces.command(4194304), namespaces.start_time(4194304)) == ("", None)


@pytest.mark.parametrize("stat", ["", "7 (a) b) S 1", "7 (no end"])
def test_a_stat_that_is_cut_short_is_that_of_a_process_that_is_gone(monkeypatch: pytest.MonkeyPatch, stat: str) -> None:
    monkeypatch.setattr("builtins.open", lambda *_args, **_options: io.StringIO(stat))
    assert namespaces.start_time(7) is None


def test_a_command_with_brackets_is_no_field(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = " ".join(str(number) for number in range(3, 53))
    monkeypatch.setattr("builtins.open", lambda *_args, **_options: io.StringIO(f"7 (a) 1 (b) {fields}"))
    assert namespaces.start_time(7) == "22"


# --- system calls that are refused ---


def test_a_system_call_s_refusal_has_its_errno() -> None:
    with pytest.raises(OSError, match="Bad file descriptor") as caught:
        namespaces._call("setns", -1, 0)
    assert caught.value.errno == errno.EBADF


def test_a_name_is_taken_away_again_where_it_cannot_be_bound(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str, *_arguments: object) -> None:
        raise OSError(errno.EPERM, name)

    monkeypatch.setattr(namespaces, "_call", refuse)
    makes: list[Callable[[], object]] = [
        lambda: namespaces.create("web", lambda: None, known=True),
        lambda: namespaces.bind("web", 0, known=True),
    ]
    for make in makes:
        with pytest.raises(OSError, match=r"unshare|mount"):
            make()
    assert list(folder.iterdir()) == []


def test_a_name_that_is_taken_is_left_alone(folder: Path) -> None:
    (folder / "web").write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError):
        namespaces.bind("web", 0, known=True)
    assert (folder / "web").read_text(encoding="utf-8") == "mine"


def test_a_link_is_removed_and_what_it_points_at_left(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namespaces, "_call", lambda name, *_arguments: pytest.fail(name))
    (folder / "file").touch()
    (folder / "web").symlink_to(folder / "file")
    namespaces.remove("web")
    assert [entry.name for entry in folder.iterdir()] == ["file"]


def test_a_stale_file_is_removed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def call(name: str, path: bytes, _flags: int) -> None:
        asked.append((name, path))
        raise OSError(errno.EINVAL, "not a mount point")

    monkeypatch.setattr(namespaces, "_call", call)
    name = "\udcff"
    Path(os.path.join(folder, name)).touch()
    namespaces.remove(name)
    assert asked == [("umount2", os.fsencode(folder) + b"/\xff")]
    assert list(folder.iterdir()) == []


# --- the host's lock ---

HOLD = "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); sys.stdin.read()"


@pytest.fixture
def lock_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lock of the test's own."""
    monkeypatch.setattr(namespaces, "LOCK", str(tmp_path / "lock"))
    return tmp_path / "lock"


def taken(lock_path: Path) -> bool:
    """Whether somebody holds the lock."""
    with lock_path.open(encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_one_run_at_a_time_holds_it(lock_path: Path) -> None:
    for dummy in range(2):
        with namespaces.locked():
            assert taken(lock_path)
        assert not taken(lock_path)


@pytest.mark.parametrize("before", [None, 0o644, 0o600])
def test_nobody_but_root_can_open_it(lock_path: Path, before: int | None) -> None:
    if before is not None:
        lock_path.touch(before)
        lock_path.chmod(before)
    with namespaces.locked():
        assert lock_path.stat().st_mode & 0o777 == 0o600


def test_who_has_it_too_long_is_named(lock_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namespaces, "LOCK_SECONDS", 0)
    lock_path.touch(0o600)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        command = Path(f"/proc/{holder.pid}/comm").read_text(encoding="utf-8").strip()
        with pytest.raises(Refused) as refused, namespaces.locked():
            pytest.fail("it is held by somebody else")
        holder.communicate()
    assert str(refused.value) == (
        f"Process {holder.pid} ({command}) holds this host's lock, {lock_path}, for 0 seconds already; end that, or try again later."
    )
    with namespaces.locked():
        assert taken(lock_path)


def test_whoever_waits_gets_it(lock_path: Path) -> None:
    lock_path.touch(0o600)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "held\n"
        holder.stdin.close()
        with namespaces.locked():
            assert taken(lock_path)


def test_those_who_only_look_have_it_together_and_make_none(lock_path: Path) -> None:
    with namespaces.locked(check=True):
        assert not lock_path.exists()
    lock_path.touch(0o644)
    with namespaces.locked(check=True), namespaces.locked(check=True):
        assert taken(lock_path)
    assert lock_path.stat().st_mode & 0o777 == 0o644


def test_who_only_looks_waits_for_who_changes_things(lock_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namespaces, "LOCK_SECONDS", 0)
    with namespaces.locked(), pytest.raises(Refused, match="holds this host's lock"), namespaces.locked(check=True):
        pytest.fail("it is held")


def test_who_only_looks_says_that_no_lock_can_be_made(lock_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "read_only", lambda path: path == str(lock_path))
    with (
        pytest.raises(KernelError, match=r"^Could not lock this host by .*: Read-only file system"),
        namespaces.locked(check=True),
    ):
        pytest.fail("there is none")


def test_this_process_governs_its_own_namespaces() -> None:
    assert namespaces.governed("net")
    assert namespaces.governed("mnt")


@pytest.mark.parametrize(("code", "governs"), [(errno.EPERM, False), (errno.ENOTTY, True)])
def test_whose_namespace_it_is_the_kernel_says(code: int, governs: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(fd: int, request: int) -> int:
        raise OSError(code, "x")

    monkeypatch.setattr(fcntl, "ioctl", refused)
    assert namespaces.governed("net") is governs


def test_who_has_it_may_be_unknown(lock_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock_path.touch()
    fd = os.open(lock_path, os.O_RDONLY)
    try:
        assert namespaces.lock_holder(fd) == "A process that cannot be seen from here"
        fcntl.flock(fd, fcntl.LOCK_EX)
        monkeypatch.setattr(namespaces, "command", lambda pid: "")
        assert namespaces.lock_holder(fd) == "A process that has ended, or one started by it,"
    finally:
        os.close(fd)


def test_a_lock_that_cannot_be_opened_is_a_sentence(lock_path: Path) -> None:
    lock_path.symlink_to("/dev/null")
    with pytest.raises(KernelError, match=r"^Could not lock this host by .*: "), namespaces.locked():
        pytest.fail("it is not locked")


def test_a_process_is_left_behind_and_the_others_go_in(monkeypatch: pytest.MonkeyPatch) -> None:
    pid = namespaces.left_behind()
    assert os.readlink(f"/proc/{pid}/ns/net") == os.readlink("/proc/self/ns/net")
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    called: list[tuple[object, ...]] = []
    monkeypatch.setattr(namespaces, "_call", lambda *words: called.append(words))
    namespaces.enter("/proc/self/ns/mnt")
    assert [(words[0], words[2]) for words in called] == [("setns", 0)]
