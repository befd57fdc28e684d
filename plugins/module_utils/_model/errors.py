# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one family of exceptions of the collection: what was attempted, what was found, what to do next."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
from typing import Any, Callable, Iterable, Iterator, Tuple, Type, TypeVar

Called = TypeVar("Called", bound=Callable[..., Any])
ISSUES = "https://github.com/linuxnet/containers/issues"  # as galaxy.yml has it
FAULT = "This is a fault of linuxnet.containers, not of yours"

from ansible_collections.linuxnet.containers.plugins.module_utils._model.commands import visible


class Refused(Exception):
    """A request that is not carried out. Its text is one or two plain sentences for the user."""


class Invalid(Refused):
    """Bad input: found before anything was read or changed. What of it no terminal shows as it is shows as its number."""

    def __init__(self, message: str) -> None:
        super().__init__(visible(message))


class Lacking(Refused):
    """Something the host must have first: a library, a program, a privilege, a kernel feature.

    ``missing`` names it in one word, for callers that can install it.
    """

    def __init__(self, message: str, missing: str) -> None:
        super().__init__(message)
        self.missing = missing


class KernelError(Refused):
    """The kernel (or a program that speaks to it) refused a request.

    ``code`` is an errno value, ``attempt`` says what was tried in words that follow "Could not",
    ``detail`` is the kernel's or the program's own sentence where it gave one.
    """

    def __init__(self, code: int, attempt: str, detail: str = "") -> None:
        self.code = code
        self.attempt = attempt
        self.detail = detail
        super().__init__(sentence(code, attempt, detail))


def of_host(error: BaseException, attempt: str) -> KernelError:
    """Return the error for an OSError, or for memory that was not to be had, as something was attempted."""
    if isinstance(error, MemoryError):
        return KernelError(errno.ENOMEM, attempt)
    return KernelError(getattr(error, "errno", 0) or 0, attempt, getattr(error, "detail", ""))


# The words of each errno. They are taken when this is loaded, before Ansible's module code sets the locale of the host: ours are English.
_WORDS = {code: os.strerror(code) for code in errno.errorcode}
# What an errno most likely means here, and the next step. Sources: the kernel's rtnetlink, bridge and
# fib code; each was seen by the tests that name it.
_ADVICE = {
    errno.EPERM: "root has no right to that here: a capability is missing, it belongs to another user namespace, or a security module forbids it",
    errno.EMFILE: "raise the limit of open files of this process (ulimit -n)",
    errno.ENFILE: "raise the limit of open files of the host (the sysctl fs.file-max)",
    errno.EACCES: "IPv6 is switched off there (disable_ipv6), or the privilege is missing",
    errno.EXFULL: "the bridge is full (1023 ports): use another bridge",
    errno.EOPNOTSUPP: "this kernel lacks the feature",
    errno.EAFNOSUPPORT: "this kernel lacks the address family or the feature",
    errno.EPFNOSUPPORT: "this kernel lacks the address family or the feature",
    errno.ENODEV: "the interface is gone: something else removed it during this run; run the task again",
    errno.ELOOP: "a bridge cannot be a port of another bridge",
    errno.EBUSY: "the interface is in use by another master, or busy; release it first",
}


def sentence(code: int, attempt: str, detail: str = "") -> str:
    """Return the sentence for an errno: attempt, what was found, the likely cause or next step."""
    found = (_WORDS.get(code) or os.strerror(code)) if code else "the request failed"
    if detail:
        found += " (%s)" % detail.strip().rstrip(".")
    advice = _ADVICE.get(code)
    return "Could not %s: %s%s." % (attempt, found, "; " + advice if advice else "")


def no_option(name: object, options: Iterable[str]) -> str:
    """Return the clause that refuses an option that there is not, with the one that is meant, or else with all ``options``."""
    known = sorted(options)
    return "there is no option %s; %s" % (name, meant(name, known) or "there are %s." % ", ".join(known))


def meant(name: object, known: Iterable[str]) -> str:
    """Return the question for the known name that is nearest to one that is not known, ``""`` where none is near."""
    from difflib import SequenceMatcher  # of use where something is refused only

    ratios = {other: SequenceMatcher(None, str(name), other).ratio() for other in known}
    near = [other for other, ratio in ratios.items() if ratio == max(ratios.values()) and ratio > 0.7]
    return "did you mean %s?" % " or ".join(near) if near else ""


# What Python raises where something is not what it is taken for.
_NOT_AS_EXPECTED = (ValueError, TypeError, LookupError, AttributeError, RecursionError, StopIteration)


@contextlib.contextmanager
def understood(raised: Type[Exception], what: str) -> Iterator[None]:
    """A block that reads what came from outside, which may be anything. Where it is not as expected ``raised`` is raised: ``what``, in words that
    begin a sentence, was not understood."""
    try:
        yield
    except _NOT_AS_EXPECTED as error:
        end = "." if issubclass(raised, Refused) else ""  # what a program's error says is put into another sentence
        raise raised("%s was not understood%s" % (what, end)) from error


def fault(error: BaseException) -> str:
    """Return the sentence for an exception that is no refusal: whatever caused it, we should have known it."""
    trace, where = error.__traceback__, ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if "linuxnet" in code.co_filename:
            where = ", in %s of %s" % (code.co_name, os.path.basename(code.co_filename))
        trace = trace.tb_next
    said = "%s: %s" % (type(error).__name__, error) if str(error) else type(error).__name__
    return "%s: %s%s. Please report it at %s, with the task and the traceback, which -vvv shows." % (
        FAULT,
        said.rstrip("."),
        where,
        ISSUES,
    )


def in_sentences(raised: Type[Exception], passed: Tuple[Type[Exception], ...]) -> Callable[[Called], Called]:
    """Return a decorator that has a function raise nothing but ``raised``, which says what is refused or that it is a fault of ours, and those that
    may be ``passed`` on."""

    def decorator(function: Called) -> Called:
        @functools.wraps(function)
        def called(*given: Any, **named: Any) -> Any:
            try:
                return function(*given, **named)
            except passed:
                raise
            except Refused as error:
                raise raised(str(error)) from None  # else Ansible says it once for every cause
            except Exception as error:
                raise raised(fault(error)) from error

        return called  # type: ignore[return-value]

    return decorator
