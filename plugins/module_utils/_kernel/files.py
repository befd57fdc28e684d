# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of the kernel and of ours: sysctls, the sysctl.d file, the host's identity, and ethtool's one switch."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import socket
import struct
import tempfile
from typing import Optional

from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused

_SIOCETHTOOL = 0x8946
_GTXCSUM, _STXCSUM = 0x16, 0x17  # include/uapi/linux/ethtool.h


def _path(key: str) -> str:
    """Return the file of a sysctl. Dots and slashes as sysctl(8): the first separator decides which one separates."""
    first = next((char for char in key if char in "./"), ".")
    return "/proc/sys/" + (key if first == "/" else key.translate(str.maketrans("./", "/.")))


def read_sysctl(key: str) -> Optional[str]:
    """Return a sysctl of the namespace the thread is in, white space folded; None where this kernel has no such key, ``""`` where it
    has no value yet. Raises `Refused` for one that can only be written, OSError for other troubles."""
    path = _path(key)
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return " ".join(file.read().split())
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except PermissionError as error:
        if os.stat(path).st_mode & 0o444:
            raise
        raise Refused("The sysctl %s can only be written, so it has no state that could be kept." % key) from error
    except OSError as error:
        if error.errno == errno.EIO:  # stable_secret, as long as none is set
            return ""
        raise


def write_sysctl(key: str, value: str) -> None:
    """Write a sysctl of the namespace the thread is in. Raises OSError."""
    with open(_path(key), "w", encoding="utf-8") as file:
        file.write(value)


def read_text(path: str) -> str:
    """Return a file's text, ``""`` where there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def write_text(path: str, text: str) -> None:
    """Write a file whole, by renaming a finished one over it; an empty text removes it. Raises OSError."""
    if not text:
        os.unlink(path)
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    fd, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix="." + os.path.basename(path))
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def identity() -> str:
    """Return what tells this host from others: its machine-id and its name (clones of an image may share the first)."""
    return read_text("/etc/machine-id").strip() + os.uname().nodename


def _ethtool(name: str, command: int, data: int = 0) -> int:
    buffer = ctypes.create_string_buffer(struct.pack("=II", command, data), 8)
    request = struct.pack("16sP16x", name.encode(), ctypes.addressof(buffer))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, _SIOCETHTOOL, request)
    return int(struct.unpack("=II", buffer.raw)[1])


def read_tx_checksum(name: str) -> Optional[bool]:
    """Return whether an interface here hands checksums to its device, None where it cannot say."""
    try:
        return bool(_ethtool(name, _GTXCSUM))
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.ENODEV):
            return None
        raise


def write_tx_checksum(name: str, value: bool) -> None:
    """Switch transmit checksum offload of an interface here. Raises OSError."""
    _ethtool(name, _STXCSUM, int(value))
