# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A command line says what it means, whatever its words are: bash reads back exactly those words."""

from __future__ import annotations

import random
import shutil
import subprocess

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.commands import (
    Command,
    Output,
    command,
    quoted,
)

BASH = shutil.which("bash") or "/bin/bash"
HOSTILE = [
    "eth0",
    "a b",
    "",
    ";reboot;",
    "$(id)",
    "`id`",
    "a'b",
    'a"b',
    "!x",
    "*",
    "~",
    "-e",
    "a\nb",
    "\x1b[31m",
    "\t",
    "gr\u00fcn",
    "\u202etxt",
    "a\\b",
    "\udcfc",
    "#",
]


def read_by_bash(line: str) -> list[str]:
    """The words that bash makes of a line."""
    script = "printf '%s\\0' " + line
    done = subprocess.run(
        [BASH, "-c", script],
        capture_output=True,
        timeout=300,
        check=True,
        env={"LC_ALL": "C.UTF-8", "PATH": "/nowhere"},
    )
    return done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]


def test_every_word_is_read_back_as_it_is() -> None:
    assert read_by_bash(str(command(*HOSTILE))) == HOSTILE


def test_random_words_are_read_back_and_can_all_be_seen() -> None:
    chance = random.Random(7)
    alphabet = [chr(number) for number in range(1, 256)] + ["\u2028", "\ufeff", "\U0001f600", "\udc80"]
    for _round in range(20):
        words = ["".join(chance.choices(alphabet, k=chance.randrange(12))) for _number in range(20)]
        line = str(command(*words))
        assert read_by_bash(line) == words
        assert line.isprintable()


def test_what_another_command_prints_is_a_word() -> None:
    words = ("docker", "inspect", "-f", "{{.State.Pid}}", "$(id)")
    assert str(command("ip", "netns", "attach", "web", Output(words))) == (
        "ip netns attach web $(docker inspect -f '{{.State.Pid}}' '$(id)')"
    )


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (Command(("printf", "%s", "a = 1\n"), to="/etc/x y"), "printf %s $'a = 1\\n' > '/etc/x y'"),
        (Command(("conntrack", "-D"), tolerant=True), "conntrack -D || true"),
        (Command(remark="of fe80::1 from e\nth0"), "# of fe80::1 from e\\x0ath0"),
    ],
)
def test_what_is_more_than_words(given: Command, line: str) -> None:
    assert str(given) == line


def test_lists_of_words_are_taken_apart() -> None:
    assert command(["ip", "-n", "web"], "link", ["set", "eth0"]).words == ("ip", "-n", "web", "link", "set", "eth0")
    assert quoted("plain") == "plain"
