# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stays on a host that brings its wiring back by itself: files, and what the units say."""

from __future__ import annotations

import shlex

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model import lasting


def settings(text: str) -> dict[str, list[str]]:
    """What a unit says, by key, all lines of a key together."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if "=" in line and not line.startswith("#"):
            key, value = line.split("=", 1)
            found.setdefault(key, []).extend(value.split())
    return found


def test_files_are_written_in_the_order_in_which_they_need_each_other() -> None:
    assert [*lasting.files("python3", "abc", "{}")] == [*lasting.PATHS]


def test_the_command_starts_the_program_with_any_python() -> None:
    text = lasting.files("/opt/my python/python3", "abc", "{}")[lasting.COMMAND].text
    assert text.splitlines()[-1] == f"PYTHONUTF8=1 exec '/opt/my python/python3' {lasting.PROGRAM} \"$@\""


def test_only_root_reads_the_plan() -> None:
    modes = {path: file.mode for path, file in lasting.files("python3", "abc", "{}").items() if file.kind != "link"}
    assert modes[lasting.PLAN] == 0o600
    assert {mode & 0o022 for mode in modes.values()} == {0}


def test_the_unit_is_between_firewalls_and_the_network() -> None:
    said = settings(lasting.unit("/usr/bin/python3"))
    assert {"nftables.service", "firewalld.service", "ufw.service", "systemd-sysctl.service", "local-fs.target"} <= {
        *said["After"]
    }
    assert {"network-pre.target", "docker.service", "machines.target", "shutdown.target"} <= {*said["Before"]}
    assert said["Wants"] == ["network-pre.target"]
    assert said["DefaultDependencies"] == ["no"]
    assert said["WantedBy"] == ["multi-user.target"]
    assert said["ExecStart"] == ["/usr/bin/python3", lasting.PROGRAM, "up"]


def test_the_unit_of_a_container_comes_after_it_and_does_not_need_all_of_it() -> None:
    said = settings(lasting.template("/usr/bin/python3"))
    assert said["Wants"] == ["wired.service"]
    assert "Requires" not in said
    assert said["After"] == ["wired.service"]
    assert said["ExecStart"] == ["/usr/bin/python3", lasting.PROGRAM, "up", "--", "%I"]


def test_each_file_is_known_as_ours_by_its_beginning() -> None:
    assert all(text.startswith("# " + lasting.MARK) for text in (lasting.unit("python3"), lasting.template("python3")))
    assert lasting.MARK in lasting.files("python3", "abc", "{}")[lasting.COMMAND].text


@pytest.mark.parametrize(
    "word", ["/usr/bin/python3", "/opt/my python/bin/python3", 'a"b', "a'b", "a\\b", "50%", "$HOME", "", "a;b"]
)
def test_words_are_quoted_as_systemd_reads_them(word: str) -> None:
    """Which is nearly as a shell does; % and $ are doubled."""
    quoted = lasting.quoted(word)
    assert shlex.split(quoted)[0].replace("%%", "%").replace("$$", "$") == word
