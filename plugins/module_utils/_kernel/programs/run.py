# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running programs, and rewriting rules that other programs write as well. The one file that starts processes."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import time
from typing import Any, Callable, Dict, List, Optional, Tuple

_PATH = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_TIMEOUT = 60  # seconds
_WANTS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN)
_NOT_AGAIN = 600  # seconds; as long as a task takes that meets a program that hangs in each of its items
_AFTER_KILL = 1  # seconds; a process that waits for a disk ends when that answers
_READ = 65536  # bytes
_TRIES = 10  # where other programs change the rules each time between reading and writing


class ProgramError(Exception):
    """A program's own words about what it refused, or why it could not be run."""


class NotStarted(ProgramError):
    """No program can be started: for want of files, of memory or of processes, which ``code``, an errno, says."""

    def __init__(self, code: int) -> None:
        super().__init__(os.strerror(code))
        self.code = code


class Hung(ProgramError):
    """A program did not end in time. To ask it again would take as long once more."""


class _GivenUp:
    """Programs that did not end in time, and what is said of that: they are not asked again for a while, whoever asks for whatever.

    By the file that it is: iptables-nft-save and ip6tables-nft-restore are one program.
    """

    def __init__(self) -> None:
        self._until: Dict[str, Tuple[float, str]] = {}

    def add(self, path: str, said: str) -> Hung:
        """Give a program up. Return the error that says so."""
        self._until[os.path.realpath(path)] = (time.monotonic() + _NOT_AGAIN, said)
        return Hung(said)

    def refuse(self, path: str) -> None:
        """Raise `Hung` for a program that was given up."""
        until, said = self._until.get(os.path.realpath(path), (0.0, ""))
        if time.monotonic() < until:
            raise Hung(said)


_GIVEN_UP = _GivenUp()


def which(name: str) -> Optional[str]:
    """Return the path of a program, None where it is not installed; sbin folders count, whatever PATH says."""
    return shutil.which(name, path=_PATH)


def _refused(error: BaseException) -> ProgramError:
    """Return the error for a program that could not be started, or spoken to."""
    code = errno.ENOMEM if isinstance(error, MemoryError) else getattr(error, "errno", 0)
    return NotStarted(code) if code in _WANTS else ProgramError(str(error))


def output(path: str, arguments: List[str], text: str = "", seconds: float = 0) -> Tuple[str, str]:
    """Run a program that reads ``text``, for so many ``seconds`` at most, or (0) as many as are usual. Return its output and, where it failed,
    its complaint. Raises `ProgramError`, `Hung` at once for a program that did not end in time before."""
    import subprocess  # takes a while, and most tasks run no program

    _GIVEN_UP.refuse(path)
    pipe, environment = subprocess.PIPE, dict(os.environ, LC_ALL="C")
    try:
        process = subprocess.Popen([path, *arguments], stdin=pipe, stdout=pipe, stderr=pipe, env=environment)
    except (OSError, MemoryError) as error:
        raise _refused(error) from error
    except ValueError as error:  # a NUL in an argument
        raise ProgramError(str(error)) from error
    limit = seconds or _TIMEOUT
    try:
        # Bytes up to here: where text is asked for, Python takes a carriage return for the end of a line.
        done = process.communicate(text.encode(errors="replace"), limit)
    except subprocess.TimeoutExpired as error:
        raise _GIVEN_UP.add(path, "%s did not end within %g seconds" % (os.path.basename(path), limit)) from error
    except (OSError, MemoryError) as error:
        raise _refused(error) from error
    finally:
        if process.poll() is None:
            process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_AFTER_KILL)
        for end in filter(None, (process.stdin, process.stdout, process.stderr)):
            with contextlib.suppress(OSError):  # what it did not read is lost
                end.close()
    printed, complaint = (one.decode(errors="replace") for one in done)
    return printed, (complaint.strip() or "it ended with %d" % process.returncode) if process.returncode else ""


def run(path: str, arguments: List[str], text: str = "", seconds: float = 0) -> str:
    """Return the output of a program, as `output` runs it. Raises `ProgramError` with the first line that it complains with, and the next where that
    is but a heading."""
    printed, complaint = output(path, arguments, text, seconds)
    if complaint:
        lines = [line.strip() for line in complaint.splitlines() if line.strip()]
        raise ProgramError(" ".join(lines[:2] if lines[0].endswith(":") else lines[:1]))
    return printed


class Followed:
    """A program that prints a line for each thing that happens, as long as it runs; it ends with the block. Raises `ProgramError`."""

    def __init__(self, path: str, arguments: List[str]) -> None:
        import subprocess

        null, pipe, environment = subprocess.DEVNULL, subprocess.PIPE, dict(os.environ, LC_ALL="C")
        try:
            self._process = subprocess.Popen([path, *arguments], stdin=null, stdout=pipe, stderr=pipe, env=environment)
        except (OSError, MemoryError) as error:
            raise _refused(error) from error
        self._left = b""

    def __enter__(self) -> Followed:
        return self

    def __exit__(self, *dummy: object) -> None:
        self._process.kill()
        self._process.communicate()

    def lines(self) -> List[str]:
        """Return the lines that it has printed, once there are any."""
        printed, complaint = self._process.stdout, self._process.stderr
        while printed and complaint and b"\n" not in self._left:
            found = os.read(printed.fileno(), _READ)
            if not found:
                said = complaint.read().decode(errors="replace").strip().splitlines()
                raise ProgramError(said[-1] if said else "it ended")
            self._left += found
        whole, dummy, self._left = self._left.rpartition(b"\n")
        return whole.decode(errors="replace").splitlines()


def rewrite(compute: Callable[[], Any], write: Callable[[Any], None]) -> bool:
    """Write what ``compute`` returns from what it reads; what is empty is nothing to do. Return whether there was anything.

    The tools do not tell the kernel for which generation of the rules their lines are meant, and they need not: the lines name
    nothing but what is ours. Where that was changed meanwhile, as by a flush of all, they are computed again. Raises `ProgramError`.
    """
    wanted = compute()
    for left in reversed(range(_TRIES)):
        try:
            if wanted:
                write(wanted)
            break
        except ProgramError:
            again = compute()
            if again == wanted or not left:
                raise
            wanted = again
    return bool(wanted)
