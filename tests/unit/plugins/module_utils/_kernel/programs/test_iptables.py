# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The programs of iptables, found and run: with programs that stand in for them."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs import iptables, run
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs.iptables import Iptables

NFT, LEGACY = Iptables("nft"), Iptables("legacy")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Make programs; nothing else is on the path."""
    monkeypatch.setattr(run, "_PATH", str(tmp_path))
    monkeypatch.setattr(iptables, "families", lambda: [4, 6])

    def make(*names: str, script: str = "exit 0") -> Path:
        for name in names:
            path = tmp_path / name
            path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return tmp_path

    return make


def test_without_programs_nothing_is_available(programs: Callable[..., Any]) -> None:
    assert iptables.usual_kind() == ""
    assert not NFT.available()
    assert not LEGACY.usual
    with pytest.raises(run.ProgramError, match="iptables-nft-save is not installed"):
        NFT.read()
    with pytest.raises(run.ProgramError, match="iptables-nft-restore is not installed"):
        NFT.write({"iptables-nft": "*nat\n"})


def test_the_version_is_that_of_what_writes(programs: Callable[..., Any]) -> None:
    programs("iptables-nft-restore", script='echo "iptables-restore v1.8.9 (nf_tables)"')
    assert NFT.version() == "iptables-restore v1.8.9 (nf_tables)\n"


@pytest.mark.parametrize(
    ("says", "kind"),
    [("iptables v1.8.9 (nf_tables)", "nft"), ("iptables v1.8.9 (legacy)", "legacy"), ("iptables v1.6.1", "legacy")],
)
def test_f11_the_plain_program_says_of_which_kind_it_is(programs: Callable[..., Any], says: str, kind: str) -> None:
    programs("iptables", script=f"echo '{says}'")
    programs("iptables-save", "iptables-restore", "ip6tables-save", "ip6tables-restore")
    assert iptables.usual_kind() == kind
    assert [one.available() for one in (NFT, LEGACY)] == [kind == "nft", kind == "legacy"]


def test_f11_or_its_name_does(programs: Callable[..., Any]) -> None:
    folder = programs("xtables-legacy-multi", script="exit 3")
    (folder / "iptables").symlink_to("xtables-legacy-multi")
    assert (NFT.usual, LEGACY.usual) == (False, True)


@pytest.mark.parametrize(
    "script", ["exit 3", "echo oops >&2; exit 1", "kill -9 $$", "exit 0", "echo foo bar", "printf '\\377\\0'"]
)
def test_a_plain_program_that_does_not_run_is_of_no_kind(programs: Callable[..., Any], script: str) -> None:
    programs("iptables", "iptables-save", "iptables-restore", script=script)
    assert iptables.usual_kind() == ""
    assert not NFT.usual
    assert not LEGACY.usual
    assert not NFT.available()
    programs("iptables-nft-restore")
    assert NFT.available(), "its own programs may do"


def test_each_family_has_its_program(programs: Callable[..., Any], tmp_path: Path) -> None:
    programs("iptables-nft-save", "ip6tables-nft-save", script='echo "# $0"')
    assert {name: text.rpartition("/")[2] for name, text in NFT.read().items()} == {
        "iptables-nft": "iptables-nft-save\n",
        "ip6tables-nft": "ip6tables-nft-save\n",
    }
    programs("iptables-nft-restore", "ip6tables-nft-restore", script=f'(echo "$*"; cat) >{tmp_path}/given-${{0##*/}}')
    NFT.write({"iptables-nft": "*nat\nCOMMIT\n", "ip6tables-nft": ""})
    given = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("given-*")}
    assert given == {"given-iptables-nft-restore": "--noflush --wait 30\n*nat\nCOMMIT\n"}


def test_a_kernel_without_ipv6_has_one_family(programs: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    programs("iptables-nft-save", script="echo four")
    monkeypatch.setattr(iptables, "families", lambda: [4])
    assert NFT.read() == {"iptables-nft": "four\n"}


def test_looking_makes_no_tables_of_iptables_legacy(
    programs: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    programs("iptables-legacy-save", "ip6tables-legacy-save", script="echo '*nat'")
    names = {family: str(tmp_path / f"names{family}") for family in (4, 6)}
    monkeypatch.setattr(iptables, "_IN_USE", names)
    assert LEGACY.read() == {"iptables-legacy": "", "ip6tables-legacy": ""}
    (tmp_path / "names6").write_text("nat\n", encoding="ascii")
    assert LEGACY.read() == {"iptables-legacy": "", "ip6tables-legacy": "*nat\n"}
    programs("ip6tables-legacy-save")
    with pytest.raises(run.ProgramError, match="it printed nothing"):
        LEGACY.read()


def test_what_a_program_complains_of_is_the_error(programs: Callable[..., Any]) -> None:
    programs(
        "iptables-nft-save", script="echo 'iptables-save v1.8.9: Could not fetch rule set generation id' >&2; exit 4"
    )
    with pytest.raises(run.ProgramError, match="Could not fetch rule set generation id"):
        NFT.read()
