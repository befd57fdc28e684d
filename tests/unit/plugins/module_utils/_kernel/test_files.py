# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of the kernel and of the collection: what each errno of a read means, and that files are written whole."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import struct
from pathlib import Path

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import files
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError, Refused

# --- sysctls ---


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("net.ipv4.ip_forward", "net/ipv4/ip_forward"),
        ("net/ipv4/ip_forward", "net/ipv4/ip_forward"),
        ("net/ipv4/conf/eth0.5/forwarding", "net/ipv4/conf/eth0.5/forwarding"),
        ("net.ipv4.conf.eth0/5.forwarding", "net/ipv4/conf/eth0.5/forwarding"),
        ("plain", "plain"),
    ],
)
def test_a_key_is_spelled_as_for_sysctl(key: str, path: str) -> None:
    assert files._path(key) == f"/proc/sys/{path}"


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of /proc/sys."""
    monkeypatch.setattr(files, "_path", lambda key: str(tmp_path / key.replace(".", "/")))
    return tmp_path


def refusing(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """Have every file refuse to be opened."""

    def refuse(*_args: object, **_options: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("builtins.open", refuse)


def test_a_value_is_read_with_its_white_space_folded_and_written(proc: Path) -> None:
    (proc / "key").write_text("4096\t0x10  7\n", encoding="utf-8")
    assert files.read_sysctl("key") == "4096 0x10 7"
    files.write_sysctl("key", "1")
    assert (proc / "key").read_text(encoding="utf-8") == "1"


def test_a_value_may_have_any_bytes(proc: Path) -> None:
    (proc / "key").write_bytes(b"\xff")
    value = files.read_sysctl("key")
    assert value == "\udcff"
    files.write_sysctl("key", value)
    assert (proc / "key").read_bytes() == b"\xff"


@pytest.mark.parametrize("key", ["missing", "folder", "file.below", "nul\0"])
def test_what_is_no_key_has_no_value(proc: Path, key: str) -> None:
    (proc / "folder").mkdir()
    (proc / "file").write_text("1", encoding="utf-8")
    assert files.read_sysctl(key) is None


def test_eio_is_a_value_that_was_never_set(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing(monkeypatch, errno.EIO)
    assert files.read_sysctl("net.ipv6.conf.default.stable_secret") == ""


@pytest.mark.parametrize(
    ("mode", "code"), [(0o200, 0), (0o644, errno.EACCES)], ids=["only to be written", "not for us"]
)
def test_eacces_has_two_meanings(proc: Path, monkeypatch: pytest.MonkeyPatch, mode: int, code: int) -> None:
    (proc / "key").touch()
    (proc / "key").chmod(mode)
    refusing(monkeypatch, errno.EACCES)
    with pytest.raises(Refused) as caught:
        files.read_sysctl("key")
    assert getattr(caught.value, "code", 0) == code
    assert str(caught.value).startswith(
        "Could not read the sysctl key: Permission denied" if code else "The sysctl key can only be written"
    )


def test_any_other_errno_names_the_key(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing(monkeypatch, errno.ENOMEM)
    with pytest.raises(KernelError, match=r"^Could not read the sysctl a\.b: Cannot allocate memory\.$"):
        files.read_sysctl("a.b")


# --- texts ---


def test_a_text_that_is_not_there_is_empty(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert files.read_text(str(tmp_path / "missing")) == files.read_text(str(tmp_path / "file" / "below")) == ""


def test_what_is_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(KernelError, match=f"^Could not read {tmp_path}: Is a directory"):
        files.read_text(str(tmp_path))


@pytest.mark.parametrize("code", [errno.EACCES, errno.EIO, errno.ELOOP])
def test_a_text_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    refusing(monkeypatch, code)
    with pytest.raises(KernelError, match=r"^Could not read /etc/some: ") as caught:
        files.read_text("/etc/some")
    assert caught.value.code == code


def test_a_text_of_any_bytes_is_read_and_written_back(tmp_path: Path) -> None:
    """It may be of somebody else, and an undo has to bring it back."""
    path = tmp_path / "file"
    path.write_bytes(b"\xe9t\xe9\n")
    text = files.read_text(str(path))
    files.write_text(str(path), "other")
    files.write_text(str(path), text)
    assert path.read_bytes() == b"\xe9t\xe9\n"


def test_a_text_is_written_whole_with_its_folder(folder: Path) -> None:
    path = folder / "sysctl.d" / "file.conf"
    files.write_text(str(path), "one\n")
    files.write_text(str(path), "two\n")
    assert path.read_text(encoding="utf-8") == "two\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [entry.name for entry in path.parent.iterdir()] == ["file.conf"]


NAMELESS, NAMED = "a file system that has files without a name", "one that has none"


@pytest.fixture(params=[NAMELESS, NAMED])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on either kind of file system."""
    if request.param == NAMED:
        opened = os.open

        def refusing(path: str, flags: int, mode: int = 0o777) -> int:
            if flags & os.O_TMPFILE == os.O_TMPFILE:
                raise OSError(errno.EOPNOTSUPP, "Operation not supported")
            return opened(path, flags, mode)

        monkeypatch.setattr(os, "open", refusing)
    return tmp_path


@pytest.mark.parametrize("call", ["fchmod", "rename"])
def test_where_writing_fails_the_old_text_stays_and_nothing_else(
    folder: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = folder / "file"
    path.write_text("old", encoding="utf-8")

    def full(_path: str, _mode: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(OSError, match="No space"):
        files.write_text(str(path), "new")
    assert [(entry.name, entry.read_text(encoding="utf-8")) for entry in folder.iterdir()] == [("file", "old")]


@pytest.mark.parametrize("text", ["new", ""])
def test_what_a_run_that_was_ended_left_beside_a_file_goes_with_the_next_writing(folder: Path, text: str) -> None:
    path = folder / "file"
    path.write_text("old", encoding="utf-8")
    (folder / ".file.new").write_text("ne", encoding="utf-8")
    files.write_text(str(path), text)
    left = [(entry.name, entry.read_text(encoding="utf-8")) for entry in folder.iterdir()]
    assert left == ([("file", text)] if text else [])


def test_a_file_that_nobody_finished_was_never_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the run is ended there: nothing of it has a name."""
    seen: list[str] = []
    monkeypatch.setattr(os, "fchmod", lambda _fd, _mode: seen.extend(entry.name for entry in tmp_path.iterdir()))
    files.write_text(str(tmp_path / "file"), "text")
    assert not seen
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_an_empty_text_removes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    files.write_text(str(path), "")
    assert not path.exists()
    with pytest.raises(FileNotFoundError):
        files.write_text(str(path), "")


def test_the_identity_has_the_host_s_name() -> None:
    assert files.identity().endswith(os.uname().nodename)


# --- checksum offload ---


@pytest.fixture
def ethtool(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """The ioctl: what it is asked, and (``code``) what it refuses with."""
    told: dict[str, object] = {"code": 0, "name": b""}

    def ioctl(_sock: object, number: int, request: bytes) -> bytes:
        assert number == 0x8946
        told["name"] = struct.unpack("16sP16x", request)[0].rstrip(b"\0")
        if told["code"]:
            raise OSError(told["code"], os.strerror(int(str(told["code"]))))
        return request

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    return told


@pytest.mark.parametrize("code", [errno.EOPNOTSUPP, errno.EINVAL, errno.ENODEV])
def test_a_device_that_cannot_say_has_no_value(ethtool: dict[str, object], code: int) -> None:
    ethtool["code"] = code
    assert files.read_tx_checksum("eth0") is None
    with pytest.raises(OSError, match=os.strerror(code)):
        files.write_tx_checksum("eth0", True)


def test_another_refusal_is_an_error_that_names_the_interface(ethtool: dict[str, object]) -> None:
    ethtool["code"] = errno.EPERM
    with pytest.raises(KernelError, match=r"^Could not read the checksum offload of eth0: Operation not permitted"):
        files.read_tx_checksum("eth0")


def test_a_name_of_any_bytes_is_asked_for_as_it_is(ethtool: dict[str, object]) -> None:
    assert files.read_tx_checksum("\udcffeth") is False
    assert ethtool["name"] == b"\xffeth"


def test_a_name_that_is_too_long_is_that_of_no_interface(ethtool: dict[str, object]) -> None:
    assert files.read_tx_checksum("n" * 16) is None
    assert ethtool["name"] == b""


def test_the_loopback_of_this_machine_can_say() -> None:
    assert files.read_tx_checksum("lo") in (True, False)
    assert files.read_tx_checksum("no such") is None
