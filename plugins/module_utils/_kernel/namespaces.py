# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Network namespaces: entering them, /run/netns, and who holds them. System calls through ctypes, as Python 3.11 has no setns."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import re
import stat
import time
from typing import Callable, Dict, Iterator, List, Optional, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import files
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import NETNS_DIRECTORY
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsFile

_libc = ctypes.CDLL(None, use_errno=True)

_CLONE_NEWNET = 0x40000000
_MS_BIND, _MS_REC, _MS_SHARED = 0x1000, 0x4000, 0x100000
_MNT_DETACH = 2
_NS_GET_USERNS, _NS_GET_NSTYPE = 0xB701, 0xB703  # include/uapi/linux/nsfs.h

# Root's own, so that nobody else can hold it: a file of a namespace can be opened, and locked, by whoever is in it.
LOCK = "/run/linuxnet-containers.lock"
LOCK_SECONDS = 300.0  # what the largest of runs takes, several times over
_LOCK_PAUSE = 0.02  # seconds
OWN = "/proc/thread-self/ns/net"
# Of a process that has another user, or more rights than this one.
UNSEEN = "CAP_SYS_PTRACE is missing, without which nobody sees the namespaces of others' processes"
_MOUNTED = re.compile(r"(?:[^ ]+ ){3}net:\[([0-9]{1,20})\][^ ]* ([^ ]+) ")  # proc(5): root and path of a mount


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _mount(source: str, target: str, flags: int) -> None:
    _call("mount", os.fsencode(source), os.fsencode(target), b"none", ctypes.c_ulong(flags), None)


def open_namespace(path: str) -> Tuple[int, int]:
    """Return (fd, inode) of the network namespace at ``path``.

    Raises OSError: ENOENT, EACCES, or EINVAL where the file is something other than a network namespace.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if fcntl.ioctl(fd, _NS_GET_NSTYPE) != _CLONE_NEWNET:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    except OSError as error:
        os.close(fd)
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL)) from error
    return fd, os.fstat(fd).st_ino


def governed(kind: str) -> bool:
    """Return whether this process's namespace of a ``kind`` (``net``, ``mnt``) belongs to its user namespace, or to one below: else root here has no
    rights over it, whatever capabilities there are."""
    fd = os.open("/proc/thread-self/ns/" + kind, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.close(fcntl.ioctl(fd, _NS_GET_USERNS))
    except OSError as error:
        return error.errno != errno.EPERM  # others: a kernel that cannot say
    finally:
        os.close(fd)
    return True


def enter(path: str) -> None:
    """Move this process, which has one thread, into the namespace at a path, for good. Raises OSError."""
    with open(path, "rb") as file:
        _call("setns", file.fileno(), 0)


def left_behind() -> int:
    """Return a process that stays in the network namespace of this one as long as this runs. Raises OSError."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(write)  # the last one that has it open is this process's parent
        os.read(read, 1)
        os._exit(0)
    os.close(read)
    return pid


@contextlib.contextmanager
def entered(fd: int) -> Iterator[None]:
    """Run a block in the namespace open at ``fd``; the caller's namespace is restored, whatever happens.

    Only the calling thread moves. What is opened inside (a socket) stays in that namespace.
    """
    own = os.open(OWN, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _call("setns", fd, _CLONE_NEWNET)
        try:
            yield
        finally:
            _call("setns", own, _CLONE_NEWNET)
    finally:
        os.close(own)


def listing() -> Dict[str, NsFile]:
    """Return the entries of /run/netns by name."""
    found: Dict[str, NsFile] = {}
    try:
        entries = sorted(os.scandir(NETNS_DIRECTORY), key=lambda entry: entry.name)
    except FileNotFoundError:
        return found
    except OSError as error:  # a file of that name, for one
        raise KernelError(error.errno or 0, "list %s" % NETNS_DIRECTORY) from error
    for entry in entries:
        with contextlib.suppress(FileNotFoundError):  # it went meanwhile
            found[entry.name] = entry_of(entry.name)
    return found


def entry_of(name: str) -> NsFile:
    """Return what /run/netns/NAME is. Raises FileNotFoundError where there is nothing."""
    path = os.path.join(NETNS_DIRECTORY, name)
    target = os.readlink(path) if stat.S_ISLNK(os.lstat(path).st_mode) else ""
    try:
        fd, inode = open_namespace(path)
    except OSError as error:
        if target and not os.path.exists(path):
            return NsFile(name, "dangling", target=target)
        if error.errno not in (errno.EINVAL, errno.EACCES, errno.ENXIO):
            raise
        kind = "empty" if not target and is_empty(path) else "file"
        return NsFile(name, kind, target=target, size=os.stat(path).st_size)
    os.close(fd)
    return NsFile(name, "namespace", inode, target)


def is_empty(path: str) -> bool:
    """Return whether a path is a file without anything in it, as one is that a namespace is to be mounted on."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and not found.st_size


@contextlib.contextmanager
def _prepared_directory(known: bool = False) -> Iterator[None]:
    """Hold the lock that iproute2 holds, with /run/netns a shared mount of its own (once, however many run at a time).

    ``known``: this run has seen to that. To do it again takes the longer the more is mounted there.

    A shared mount lets namespaces made here be unmounted from mount namespaces that were cloned meanwhile: see
    create_netns_dir() and netns_add() of iproute2's ip/ipnetns.c for the protocol, which the tools of a host must share.
    """
    os.makedirs(NETNS_DIRECTORY, 0o755, exist_ok=True)
    directory = os.open(NETNS_DIRECTORY, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        wait_for(directory, "the lock of iproute2, %s," % NETNS_DIRECTORY)
        if known:
            yield
            return
        try:
            _mount("", NETNS_DIRECTORY, _MS_SHARED | _MS_REC)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            _mount(NETNS_DIRECTORY, NETNS_DIRECTORY, _MS_BIND | _MS_REC)
            _mount("", NETNS_DIRECTORY, _MS_SHARED | _MS_REC)
        yield
    finally:
        os.close(directory)


@contextlib.contextmanager
def _new_entry(name: str, known: bool) -> Iterator[str]:
    """Make the file that a namespace is mounted on; take it away again where the block fails."""
    path = os.path.join(NETNS_DIRECTORY, name)
    with _prepared_directory(known):
        os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL, 0))
        try:
            yield path
        except BaseException:
            os.unlink(path)
            raise


def create(name: str, inside: Callable[[], None], known: bool = False) -> None:
    """Make a fresh namespace, call ``inside`` in it, and bind it to /run/netns/NAME: what has the name is whole, whenever this ends.

    Raises OSError (EEXIST where the name is taken), and what ``inside`` raises."""
    with _new_entry(name, known) as path:
        own = os.open(OWN, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _call("unshare", _CLONE_NEWNET)
            try:
                inside()
                _mount(OWN, path, _MS_BIND)
            finally:
                _call("setns", own, _CLONE_NEWNET)
        finally:
            os.close(own)


def bind(name: str, fd: int, known: bool = False) -> None:
    """Bind the namespace open at ``fd`` to /run/netns/NAME, which must be free."""
    with _new_entry(name, known) as path:
        _mount("/proc/self/fd/%d" % fd, path, _MS_BIND)


def link(name: str, target: str) -> None:
    """Make /run/netns/NAME, which must be free, a symbolic link: it does not keep the namespace alive."""
    with _prepared_directory():
        os.symlink(target, os.path.join(NETNS_DIRECTORY, name))


def remove(name: str, mounted: bool = True) -> None:
    """Take /run/netns/NAME away: unmount, then unlink. A symbolic link is unlinked and what it points at left alone. ``mounted`` False: it was a file
    without a namespace; where somebody made one of it since, OSError (EBUSY) is raised."""
    path = os.path.join(NETNS_DIRECTORY, name)
    if mounted and not os.path.islink(path):
        try:
            _call("umount2", os.fsencode(path), _MNT_DETACH)
        except OSError as error:
            if error.errno != errno.EINVAL:  # EINVAL: not a mount point, a stale file
                raise
    os.unlink(path)


def _each_process() -> Iterator[Tuple[int, int]]:
    """Yield (pid, inode of its network namespace) of all processes, in order."""
    for pid in sorted(int(entry) for entry in os.listdir("/proc") if entry.isdigit()):
        try:
            inode = os.stat("/proc/%d/ns/net" % pid).st_ino
        except OSError:  # it ended meanwhile
            continue
        yield pid, inode


def processes() -> Dict[int, List[int]]:
    """Return the processes (PIDs, in order) that live in each network namespace, by inode."""
    found: Dict[int, List[int]] = {}
    for pid, inode in _each_process():
        found.setdefault(inode, []).append(pid)
    return found


def command(pid: int) -> str:
    """Return the command name of a process, ``""`` where it is gone."""
    try:
        with open("/proc/%d/comm" % pid, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def seen() -> Dict[int, Tuple[List[str], List[int]]]:
    """Return by inode the network namespaces that can be seen: the files they are mounted on, and the processes in them.

    A file may be covered by another mount, so it has to be opened before it is believed.
    """
    found: Dict[int, Tuple[List[str], List[int]]] = {}
    # A carriage return in a path is written as it is, and no end of a line.
    with open("/proc/thread-self/mountinfo", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        for line in file:
            mounted = _MOUNTED.match(line)
            if mounted:
                files = found.setdefault(int(mounted.group(1)), ([], []))[0]
                files.append(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal.group(1), 8)), mounted.group(2)))
    for pid, inode in _each_process():
        found.setdefault(inode, ([], []))[1].append(pid)
    return found


def start_time(pid: int) -> Optional[str]:
    """Return the start time of a process in clock ticks since boot (field 22 of proc(5)'s stat), None where it is gone. Raises OSError."""
    try:
        with open("/proc/%d/stat" % pid, encoding="utf-8", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[19]
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return None


# --- the host's lock ---


@contextlib.contextmanager
def locked(check: bool = False) -> Iterator[None]:
    """Hold this host's lock: a run at a time decides what is free. ``check``: with others that only look, so that nothing is looked at that is half done; of a
    lock that there is not yet it is seen that it could be made. Raises `KernelError`, and `Refused` where somebody has it all the time."""
    try:
        fd = _opened_lock(check)
    except OSError as error:
        code = errno.EPERM if error.errno == errno.EACCES else error.errno or 0
        raise _unlockable(code) from error
    if fd is None:
        yield
        return
    try:
        wait_for(fd, "this host's lock, %s," % LOCK, fcntl.LOCK_SH if check else fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _unlockable(code: int) -> KernelError:
    return KernelError(code, "lock this host by %s" % LOCK)


def wait_for(fd: int, what: str, how: int = fcntl.LOCK_EX) -> None:
    """Lock an open file, once others let it go. Raises `Refused` where they do not in time; ``what`` it is begins that sentence's object."""
    end = None
    while True:
        try:
            fcntl.flock(fd, how | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            now = time.monotonic()
            end = now + LOCK_SECONDS if end is None else end
            if now >= end:
                text = "%s holds %s for %d seconds already; end that, or try again later."
                raise Refused(text % (lock_holder(fd), what, LOCK_SECONDS)) from error
        time.sleep(_LOCK_PAUSE)


def lock_holder(fd: int) -> str:
    """Return who has a file locked, in words, as far as the kernel says (/proc/locks)."""
    wanted = os.fstat(fd).st_ino
    with contextlib.suppress(OSError, ValueError, IndexError), open("/proc/locks", encoding="ascii") as file:
        for line in file:
            words = line.split()
            if words[1] == "FLOCK" and int(words[5].rpartition(":")[2]) == wanted:
                pid = int(words[4])
                name = command(pid) if pid > 0 else ""
                return "Process %d (%s)" % (pid, name) if name else "A process that has ended, or one started by it,"
    return "A process that cannot be seen from here"


def _opened_lock(check: bool) -> Optional[int]:
    """Return the lock's file, open. It is made where it is missing, which is after the host has started: nobody has run then, and None is what who only looks
    gets. Raises OSError."""
    try:
        fd = os.open(LOCK, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        if check and files.read_only(LOCK):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        if check:
            return None
        fd = os.open(LOCK, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        if os.fstat(fd).st_mode & 0o077 and not check:
            os.fchmod(fd, 0o600)
    except OSError:
        os.close(fd)
        raise
    return fd
