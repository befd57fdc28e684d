# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The firewall backends that there are, and that nothing else knows them by name."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall import registry
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables import (
    IPTABLES_LEGACY,
    IPTABLES_NFT,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import (
    BACKENDS,
    CHOICES,
    chosen,
    required,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import firewall
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Lacking, Refused

UTILS = Path(registry.__file__).resolve().parents[1]
NAMES = {text for backend in BACKENDS for text in (backend.name, backend.option)}
# A table of the role's and the module's options, which a test holds against the texts.
ELSEWHERE = {"_wiring/variables.py"}


def test_names_are_told_apart_and_each_backend_has_its_programs() -> None:
    assert [backend.name for backend in BACKENDS] == ["nftables", "iptables-nft", "iptables-legacy"]
    assert CHOICES == ("auto", "nftables", "iptables")
    assert set(firewall.PROGRAMS) == set(BACKENDS)
    for number, backend in enumerate(BACKENDS):
        assert backend.within is None or backend.within in BACKENDS[:number]


@pytest.mark.parametrize(
    ("option", "available", "found"),
    [
        ("auto", BACKENDS, NFTABLES),
        ("auto", [IPTABLES_LEGACY, IPTABLES_NFT], IPTABLES_LEGACY),
        ("iptables", BACKENDS, IPTABLES_NFT),
        ("iptables", [NFTABLES, IPTABLES_LEGACY, IPTABLES_NFT], IPTABLES_LEGACY),
        ("nftables", BACKENDS, NFTABLES),
    ],
)
def test_f11_the_option_means_the_usual_one_that_is_here(option: Any, available: Any, found: Any) -> None:
    assert chosen(option, available) is found


@pytest.mark.parametrize(
    ("option", "available", "program", "package"),
    [
        ("auto", [], "nft", "nftables"),
        ("nftables", [IPTABLES_NFT], "nft", "nftables"),
        ("iptables", [NFTABLES], "iptables", "iptables"),
    ],
)
def test_what_has_to_be_installed_is_named(option: Any, available: Any, program: Any, package: Any) -> None:
    with pytest.raises(
        Lacking, match=f"The program {program} is not installed on this host: install the package {package}"
    ):
        chosen(option, available)


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("nftables v1.0.6 (Lester Gooch #5)", ""),
        ("nftables v1.1", ""),
        ("", ""),
        (
            "nftables v0.9.8 (E.D.S.)",
            "The program nft is 0.9.8 on this host, and 1.0.6 or newer is needed: upgrade the package nftables.",
        ),
    ],
)
def test_a_version_that_is_too_old_is_named_with_what_is_needed(version: str, said: str) -> None:
    found = ""
    try:
        assert required("auto", BACKENDS, lambda _backend: version) is NFTABLES
    except Lacking as error:
        found = str(error)
    assert found == said


@pytest.mark.parametrize("said", ["", "foo bar", "it works"])
def test_a_program_that_was_named_and_says_no_version_does_not_work(said: str) -> None:
    with pytest.raises(
        Refused, match="The program iptables does not work on this host: it does not say which version it is"
    ):
        required("iptables", BACKENDS, lambda _backend: said)


def places(wanted: Callable[[ast.AST], bool]) -> set[str]:
    """The files in which something is."""
    return {
        str(path.relative_to(UTILS))
        for path in UTILS.rglob("*.py")
        if any(map(wanted, ast.walk(ast.parse(path.read_text(encoding="utf-8")))))
    }


def test_nothing_but_a_backend_and_its_programs_knows_it_by_name() -> None:
    found = places(
        lambda node: (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and (node.value in NAMES or node.value.startswith(("iptables-", "ip6tables-")))
        )
    )
    known = {path for path in found if path.startswith("_firewall/backends/")}
    assert found - known - ELSEWHERE == {"_kernel/programs/iptables.py", "_kernel/programs/nft.py"}


def test_nothing_but_the_registry_and_the_table_of_programs_knows_which_there_are() -> None:
    found = places(
        lambda node: (
            isinstance(node, ast.ImportFrom)
            and any(alias.name in {"NFTABLES", "IPTABLES_NFT", "IPTABLES_LEGACY"} for alias in node.names)
        )
    )
    assert found == {"_firewall/registry.py", "_firewall/backends/iptables.py", "_kernel/firewall.py"}
