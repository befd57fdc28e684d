# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sentences about libraries and programs that are not there, too old, or broken."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model import requirements


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("nftables v1.0.6 (Lester Gooch #5)", (1, 0, 6)),
        ("iptables-save v1.8.9 (nf_tables)", (1, 8, 9)),
        ("0.7.12", (0, 7, 12)),
    ],
)
def test_a_version_is_the_first_number_with_dots(text: str, found: Any) -> None:
    assert requirements.numbers(text) == found
    assert requirements.dotted(found) in text


@pytest.mark.parametrize(
    ("version", "old"),
    [("0.7.1", True), ("0.7.2", False), ("0.7.2.post1", False), ("0.10", False), ("unknown", False), ("", False)],
)
def test_what_names_no_version_is_not_too_old(version: str, old: bool) -> None:
    assert requirements.too_old(version, (0, 7, 2)) is old


def test_a_library_that_is_too_old_is_named_with_what_is_needed() -> None:
    found = requirements.old_library("pyroute2", "0.5.14")
    assert str(found) == "The Python library pyroute2 is 0.5.14, and 0.7.2 or newer is needed."
    assert found is not None
    assert found.missing == "pyroute2"
    assert requirements.old_library("pyroute2", "0.9.7") is None


@pytest.mark.parametrize("name", ["netaddr", "netaddr.ip", None])
def test_one_that_is_not_there_is_only_named(name: Any) -> None:
    found = requirements.unusable_library("netaddr", ModuleNotFoundError("No module", name=name))
    assert (str(found), found.missing) == ("netaddr", "netaddr")


def failure(code: str) -> Exception:
    """What a piece of code raises that says it is in a file."""
    try:
        exec(compile(code, "/lib/netaddr/broken.py", "exec"), {})
    except Exception as error:
        return error
    raise AssertionError("it raises nothing")


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import no_such_module_of_mine", "ModuleNotFoundError: No module named 'no_such_module_of_mine'"),
        ("raise RuntimeError('first line.\\nsecond line')", "RuntimeError: first line"),
        ("raise ValueError", "ValueError"),
        ("x ==", "SyntaxError: invalid syntax"),
    ],
)
def test_a_broken_one_is_named_with_the_reason_and_the_file(code: str, why: str) -> None:
    found = requirements.unusable_library("netaddr", failure(code))
    assert (
        str(found) == f"The Python library netaddr is installed but cannot be imported: {why} (/lib/netaddr/broken.py)."
    )
    assert found.missing == "netaddr"
