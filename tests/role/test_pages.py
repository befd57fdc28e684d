# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pages whose every block is typed as it stands, and the right side of the pages that say what commands of others are here.

| block | is |
|---|---|
| variables of the role | wired: check mode foresees it, a second run has nothing to do. One without lists is about those of the block before it |
| tasks | the same, one after the other |
| plays | the same, by ansible-playbook |
| commands | typed; what stands below them is printed. ``ansible HOST -b -m MODULE -a OPTIONS`` prints what the module says to people |

When the section is over, what it wired goes, and all is as it was before that. Comments right above a block, which nobody sees who reads the page, say
what a host has besides (``<!-- before: COMMAND -->``), what is tidied up (``after``), what a machine or a kernel may lack (``<!-- needs: vlan -->``),
and why one is not typed (``untyped``).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.splitter import parse_kv
from lab import Lab
from pages import EXAMPLES_RUN, PAGES_TEST, Block, asked, blocks, lists, pages, tables
from plays import LIMIT, Playbook, checked
from proofs import numbered

MODULES = "netns bridge veth bridge_port ns_link ns_address ns_route nat wiring wiring_info path_info".split()
# An uplink, and somebody behind it who knows the host's addresses only.
AROUND = (
    "ip link set lo up && ip netns add out && ip link add eth0 type veth peer name eth0 netns out && ip link set eth0 up && ip -n out link set eth0 up && "
    "ip -n out link set lo up && ip addr add 192.0.2.1/24 dev eth0 && ip addr add 2001:db8::1/64 dev eth0 nodad && "
    "ip -n out addr add 192.0.2.99/24 dev eth0 && ip -n out addr add 2001:db8::99/64 dev eth0 nodad && "
    "ip route add default via 192.0.2.99 && ip route add default via 2001:db8::99"
)
AD_HOC = re.compile(r"ansible HOSTS? -b -m linuxnet\.containers\.(\w+) +-a '(.*)'(?: +# .*)?")
ENDED = (
    "for name in $(ls /run/netns); do [ $name = out ] || [ /run/netns/$name -ef /proc/1/ns/net ] || "
    "kill -KILL $(ip netns pids $name) 2>/dev/null; done; true"
)
OTHERS = re.compile(r"(\bprocess |\bhandle |@if)\d+")  # numbers that are others each time


def options(words: str) -> dict[str, Any]:
    """The options of an ad hoc command, as Ansible reads them."""
    if words.startswith("{"):
        found: dict[str, Any] = yaml.safe_load(words)
        return found
    return dict(parse_kv(words))


def comes_to_rest(lab: Lab, module: str, **wanted: Any) -> None:
    """Check mode foresees the run, and the run after it has nothing to do. That check mode touches nothing is held by the tests of each module."""
    foreseen = lab.module(module, check=True, **wanted)
    done, again = (lab.module(module, **wanted) for _time in range(2))
    assert (foreseen["changed"], done["changed"], again["changed"]) == (True, True, False), again["diff"]
    assert foreseen["diff"] == done["diff"]


def alike(text: str) -> list[str]:
    """Lines, without what is another each time, and without columns."""
    return [" ".join(line.split()) for line in OTHERS.sub(r"\g<1>7", text).strip().splitlines()]


class Reader:
    """Types the blocks of a section on a host."""

    def __init__(self, lab: Lab, folder: Path, page: str) -> None:
        self.lab = lab
        self.page = page
        self.folder = folder
        self.wired: dict[str, Any] = {}
        self.before = ""  # the snapshot before the first wiring
        self.printed = ""
        self.wrong: list[str] = []

    def types(self, section: list[Block]) -> None:
        """Type a section, and see that it leaves nothing behind."""
        for command in (command for block in section for command in block.told("before")):
            self.lab.run(command)
        for block in section:
            if not block.told("untyped"):
                getattr(self, block.language)(block)
        for command in (ENDED, *(command for block in section for command in block.told("after"))):
            self.lab.run(command)
        if self.wired:
            self.lab.module("wiring", **{**self.wired, "state": "absent"})
            assert self.lab.snapshot() == self.before

    def yaml(self, block: Block) -> None:
        """Variables of the role, tasks, or plays."""
        given = block.loaded()
        variables = lists(given)
        if variables is not None:
            self.wire({**({} if {"networks", "containers", "links"} & set(variables) else self.wired), **variables})
        elif "hosts" in given[0]:
            self.plays(given)
        else:
            for task in given:
                module, wanted = asked(task) or ("", {})
                comes_to_rest(self.lab, module, **wanted)

    def wire(self, variables: dict[str, Any]) -> None:
        self.before = self.before or self.lab.snapshot()
        comes_to_rest(self.lab, "wiring", **variables)
        self.wired = {name: value for name, value in variables.items() if name not in ("state", "purge")}

    def plays(self, given: list[dict[str, Any]]) -> None:
        """Run plays in check mode, then in fact, then again, and take down what their lists say."""
        plays = [{**play, "hosts": "localhost"} for play in given]
        gone = [{**play, "vars": {"wiring_state": "absent"}} for play in plays if "roles" in play]
        book = Playbook(self.lab, self.folder, one_task=True)
        before = self.lab.snapshot()
        # A play without the role is about what the page's role was given.
        given_before = {} if gone else dict(self.listed())
        command = book.command(
            [*map(checked, plays), *plays, *plays, *gone],
            "--diff",
            "-v",
            wiring_install_dependencies=False,
            **given_before,
        )
        self.lab.run(["env", "-C", str(self.folder), *command[1:]], timeout=LIMIT)  # relative paths are in the folder
        done = book.outcomes()
        foreseen, made, again = (
            [one.changed for one in done[number * len(plays) :][: len(plays)]] for number in range(3)
        )
        assert foreseen == made
        assert again == [[]] * len(plays)
        assert self.lab.snapshot() == before

    def listed(self) -> Iterator[tuple[str, Any]]:
        """The variables of the page's plays of the role."""
        for play in (
            play
            for block in blocks(self.page)
            if block.language == "yaml"
            for play in block.loaded()
            if "roles" in play
        ):
            for role in play["roles"]:
                yield from ((name, value) for name, value in role.items() if name.startswith("wiring_"))

    def sh(self, block: Block) -> None:
        """Commands. One that looks by a module of ours runs that."""
        found = AD_HOC.fullmatch(block.text.strip())
        if found:
            said = self.lab.module(found[1], **options(found[2]))
            self.printed = next(said[key] for key in ("text", "msg", "picture") if said.get(key))
        else:
            self.printed = self.lab.run(["bash", "-euc", block.text]).stdout

    def indented(self, block: Block) -> None:
        """A line a module."""
        for line in block.text.splitlines():
            found = AD_HOC.fullmatch(line)
            assert found, line
            comes_to_rest(self.lab, found[1], **options(found[2]))

    def text(self, block: Block) -> None:
        """What the commands before it printed."""
        printed, said = (alike(text) for text in (self.printed, block.text))
        if printed != said:
            self.wrong.append(f"{block.page}:{block.line}\n{self.printed}")


def sections() -> Iterator[tuple[str, tuple[str, ...]]]:
    """The pages that are typed here, a part for each set of features that a kernel may lack."""
    for page, run in EXAMPLES_RUN.items():
        wanted = (
            {needed(part) for part in parts(page)} if PAGES_TEST in {test for test, _count in run.values()} else set()
        )
        yield from ((page, needs) for needs in sorted(wanted))


def parts(page: str) -> list[list[Block]]:
    """The sections of a page that are typed here."""
    run = EXAMPLES_RUN[page]
    mine = [block for block in blocks(page) if run.get(block.section, run.get("", ("", 0)))[0] == PAGES_TEST]
    return [list(group) for _title, group in itertools.groupby(mine, lambda block: block.section)]


def needed(section: list[Block]) -> tuple[str, ...]:
    return tuple(word for block in section for text in block.told("needs") for word in text.split())


def programs(page: str, needs: tuple[str, ...]) -> list[str]:
    """The programs that those parts type and that a machine may lack."""
    typed = "\n".join(block.text for part in parts(page) if needed(part) == needs for block in part)
    return [name for name in ("curl", "ping") if f"{name} " in typed]


@pytest.mark.parametrize(
    ("page", "needs_of_it"),
    [
        pytest.param(page, needs, marks=pytest.mark.needs("nft", "nf_nat", *programs(page, needs), *needs))
        for page, needs in sections()
    ],
)
def test_every_block_works_as_it_stands(lab: Lab, tmp_path: Path, page: str, needs_of_it: tuple[str, ...]) -> None:
    lab.run(AROUND)
    wrong = []
    for section in parts(page):
        if needed(section) == needs_of_it:
            reader = Reader(lab, tmp_path, page)
            reader.types(section)
            wrong += reader.wrong
    assert not wrong, "\n\n".join(wrong)


def excerpts(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key with its value, at any depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, inner
            yield from excerpts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from excerpts(inner)


@pytest.mark.parametrize("page", [page for page in pages() if page.startswith("docs/from-")])
def test_the_right_side_is_run(lab: Lab, page: str) -> None:
    """Each code in the second column is a module with its options, which are run from the top to the bottom; or what one of the page's blocks has.

    The page's first lists are wired before, so that there is something to see.
    """
    lab.run(AROUND)
    numbered(lab, 4242)
    wired = [found for block in blocks(page) if block.language == "yaml" and (found := lists(block.loaded()))]
    for variables in wired[:1]:
        lab.module("wiring", **variables)
    given = list(excerpts([block.loaded() for block in blocks(page) if block.language == "yaml"]))
    typed = "\n".join(block.text for block in blocks(page) if block.language == "sh")
    strangers = []
    for row in tables(page):
        for code in re.findall(r"`([^`]+)`", row[1]):
            module, _blank, words = code.partition(" ")
            if module in ("wiring_info", "path_info"):
                assert not lab.module(module, **options(words))["changed"]
            elif module in MODULES:
                comes_to_rest(lab, module, **options(words))
            elif code not in typed:
                pair = yaml.safe_load(code)
                if not (isinstance(pair, dict) and all(one in given for one in pair.items())):
                    strangers.append(code)
    assert strangers == []
