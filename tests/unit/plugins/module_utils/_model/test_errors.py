# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors: one family, each a plain sentence with what to do next."""

from __future__ import annotations

import errno
import os

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model import errors


def test_one_family() -> None:
    for kind in (errors.Invalid, errors.Lacking, errors.KernelError):
        assert issubclass(kind, errors.Refused)
    assert errors.Lacking("Give me netaddr.", "netaddr").missing == "netaddr"


@pytest.mark.parametrize(
    ("code", "detail", "text"),
    [
        (errno.EIO, "", "Could not set it: Input/output error."),
        (errno.EIO, " it broke. ", "Could not set it: Input/output error (it broke)."),
        (0, "it broke", "Could not set it: the request failed (it broke)."),
        (
            errno.EPERM,
            "",
            "Could not set it: Operation not permitted; root has no right to that here: a capability is missing, "
            "it belongs to another user namespace, or a security module forbids it.",
        ),
    ],
)
def test_the_sentence_of_an_errno(code: int, detail: str, text: str) -> None:
    error = errors.KernelError(code, "set it", detail)
    assert (str(error), error.code, error.attempt, error.detail) == (text, code, "set it", detail)


def test_an_advice_is_no_sentence_of_its_own() -> None:
    for text in errors._ADVICE.values():
        assert not text.endswith(".")


def test_the_words_of_an_errno_are_not_those_of_the_host_s_language(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ansible's module code sets the locale, as which strerror(3) then speaks."""
    monkeypatch.setattr(os, "strerror", lambda dummy: "Eingabe-/Ausgabefehler")
    assert errors.sentence(errno.EIO, "set it") == "Could not set it: Input/output error."


@pytest.mark.parametrize(
    ("name", "clause"),
    [
        ("hairpim", "there is no option hairpim; did you mean hairpin?"),
        ("ip_address", "there is no option ip_address; did you mean ipv4_address or ipv6_address?"),
        ("image", "there is no option image; there are hairpin, ipv4_address, ipv6_address."),
        (8080, "there is no option 8080; there are hairpin, ipv4_address, ipv6_address."),
    ],
)
def test_an_option_that_there_is_not_is_refused_with_the_one_that_is_meant(name: object, clause: str) -> None:
    assert errors.no_option(name, ["ipv6_address", "ipv4_address", "hairpin"]) == clause
