# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors: one family, each a plain sentence with what to do next."""

from __future__ import annotations

import errno

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
            "Could not set it: Operation not permitted; root is needed (CAP_NET_ADMIN and CAP_SYS_ADMIN): "
            "run the task with become: true.",
        ),
    ],
)
def test_the_sentence_of_an_errno(code: int, detail: str, text: str) -> None:
    error = errors.KernelError(code, "set it", detail)
    assert (str(error), error.code, error.attempt, error.detail) == (text, code, "set it", detail)


def test_an_advice_is_no_sentence_of_its_own() -> None:
    for text in errors._ADVICE.values():
        assert not text.endswith(".")
