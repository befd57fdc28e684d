# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of the kernel and of this collection: sysctls, the sysctl.d file, the host's identity; and ethtool's one switch."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import socket
import struct
from typing import Dict, Optional

from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import (
    INTERFACE_NAME_BYTES,
    KEPT_FOLDER,
    name_bytes,
)

_SIOCETHTOOL = 0x8946
_GTXCSUM, _STXCSUM = 0x16, 0x17  # include/uapi/linux/ethtool.h
_ETHTOOL_VALUE = struct.Struct("=II")  # command, data


def _path(key: str) -> str:
    """Return the file of a sysctl. Dots and slashes as sysctl(8): the first separator decides which one separates."""
    first = next((char for char in key if char in "./"), ".")
    return "/proc/sys/" + (key if first == "/" else key.translate(str.maketrans("./", "/.")))


def read_sysctl(key: str) -> Optional[str]:
    """Return a sysctl of the namespace the thread is in, white space folded; None where this kernel has no such key, ``""`` where it
    has no value yet. Raises `Refused` for one that can only be written, `KernelError` for other troubles."""
    path = _path(key)
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return " ".join(file.read().split())
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError):  # ValueError: a NUL in it
        return None
    except PermissionError as error:
        if os.stat(path).st_mode & 0o444:
            raise _unreadable("the sysctl %s" % key, error) from error
        raise Refused("The sysctl %s can only be written, so it has no state that could be kept." % key) from error
    except OSError as error:
        if error.errno == errno.EIO:  # stable_secret, as long as none is set
            return ""
        raise _unreadable("the sysctl %s" % key, error) from error


def _unreadable(what: str, error: OSError) -> KernelError:
    return KernelError(error.errno or 0, "read %s" % what)


def write_sysctl(key: str, value: str) -> None:
    """Write a sysctl of the namespace the thread is in. Raises OSError, and then it was not written: Python's files try a second time when they are closed."""
    with open(_path(key), "wb", buffering=0) as file:
        file.write(value.encode(errors="surrogateescape"))


def write_sysctl_of_link(key: str, value: str) -> None:
    """Write a sysctl of an interface. Raises OSError, but not where ``value`` switches off what the interface lacks the protocol for."""
    try:
        write_sysctl(key, value)
    except FileNotFoundError:
        if value != ("1" if key.endswith("/disable_ipv6") else "0"):
            raise


def read_text(path: str) -> str:
    """Return a file's text, ``""`` where there is none; bytes that are no UTF-8 as surrogates. Raises `KernelError` for what is no
    file, or cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise _unreadable(path, error) from error


def kept() -> Dict[str, bool]:
    """Return what a result says besides where this host keeps a plan, to bring its wiring back by itself; else nothing."""
    return {"kept": True} if os.path.lexists(KEPT_FOLDER) else {}


def write_text(path: str, text: str) -> None:
    """Write a file whole; an empty text removes it. Raises OSError.

    A new file has no name before it is finished. One that takes the place of another is called ``.NAME.new`` for a moment: where a run was ended then, the next
    one that writes, or removes, the file takes that away.
    """
    folder, name = os.path.split(path)
    beside = os.path.join(folder, ".%s.new" % name)
    if os.path.lexists(beside):
        os.unlink(beside)
    if not text:
        os.unlink(path)
        return
    os.makedirs(folder, exist_ok=True)
    _put(folder, path, beside, text.encode("utf-8", "surrogateescape"), 0o644, False)


def write_bytes(path: str, content: bytes, mode: int) -> None:
    """Write a file of a folder that is there whole, as `write_text` does; it is on the disk when this returns. Raises OSError."""
    folder, name = os.path.split(path)
    beside = os.path.join(folder, ".%s.new" % name)
    if os.path.lexists(beside):
        os.unlink(beside)
    _put(folder, path, beside, content, mode, True)


def _put(folder: str, path: str, beside: str, content: bytes, mode: int, sync: bool) -> None:
    try:
        with os.fdopen(_nameless(folder, beside), "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            if sync:
                os.fsync(file.fileno())
            if not os.path.lexists(beside):
                new = beside if os.path.lexists(path) else path
                # With src_dir_fd, which means nothing here, Python calls linkat, which follows the link in /proc; link(2) does not.
                os.link("/proc/self/fd/%d" % file.fileno(), new, src_dir_fd=file.fileno())
        if os.path.lexists(beside):
            os.rename(beside, path)
    except BaseException:
        if os.path.lexists(beside):
            os.unlink(beside)
        raise


def _nameless(folder: str, beside: str) -> int:
    """Return the fd of a file without a name, or of one with the name ``beside`` where the file system has none without. Raises OSError."""
    try:
        return os.open(folder, os.O_WRONLY | os.O_TMPFILE | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR):  # EISDIR: a kernel that does not know the flag
            raise
        return os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def read_only(path: str) -> bool:
    """Return whether a file, or what there is of the folders that it is in, is on a file system that is mounted read-only."""
    while path != "/":
        try:
            return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
        except FileNotFoundError:
            path = os.path.dirname(path)
        except OSError:  # what cannot be told shows when it is written
            break
    return False


def identity() -> str:
    """Return what tells this host from others: its machine-id and its name (clones of an image may share the first)."""
    return read_text("/etc/machine-id").strip() + os.uname().nodename


def _ethtool(name: str, command: int, data: int = 0) -> int:
    """Send a command of ethtool, a struct ethtool_value, for an interface of the namespace the thread is in. Return its data.

    Raises OSError.
    """
    raw = name_bytes(name)
    if len(raw) > INTERFACE_NAME_BYTES:  # the ioctl would cut it short
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
    buffer = ctypes.create_string_buffer(_ETHTOOL_VALUE.pack(command, data), _ETHTOOL_VALUE.size)
    request = struct.pack("16sP16x", raw, ctypes.addressof(buffer))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        fcntl.ioctl(sock, _SIOCETHTOOL, request)
    return int(_ETHTOOL_VALUE.unpack(buffer.raw)[1])


# Of a read: the device has no such switch, or there is no such interface (any more).
_NO_SWITCH = (errno.EOPNOTSUPP, errno.EINVAL, errno.ENODEV)


def read_tx_checksum(name: str) -> Optional[bool]:
    """Return whether an interface here hands checksums to its device, None where it cannot say. Raises `KernelError`."""
    try:
        return bool(_ethtool(name, _GTXCSUM))
    except OSError as error:
        if error.errno in _NO_SWITCH:
            return None
        raise _unreadable("the checksum offload of %s" % name, error) from error


def write_tx_checksum(name: str, value: bool) -> None:
    """Switch transmit checksum offload of an interface here. Raises OSError."""
    _ethtool(name, _STXCSUM, int(value))
