# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What docs/links.md tells people to do, kind by kind: each task settles, and the shell says that it is so."""

from __future__ import annotations

import pages
import pytest
import yaml
from lab import Lab
from proofs import settles

PAGE = pages.blocks("docs/links.md")
SECTIONS = list(dict.fromkeys(block.section for block in PAGE))
NEEDS = {"vrf": ["vrf", "dummy"]}


def blocks(kind: str, language: str) -> str:
    return "\n".join(block.text for block in PAGE if (block.section, block.language) == (kind, language))


@pytest.mark.needs("ping")
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.needs(*NEEDS.get(kind, [kind]))) for kind in SECTIONS]
)
def test_the_page_of_a_kind(lab: Lab, kind: str) -> None:
    lab.run("ip netns add web; ip netns add db; ip netns add wire; ip link set lo up; ip -n wire link set lo up")
    lab.run("ip link add eth1 type veth peer name far netns wire && ip link set eth1 up && ip -n wire link set far up")
    lab.run("ip addr add 192.0.2.2/24 dev eth1; ip -n wire addr add 192.0.2.1/24 dev far")
    tasks = yaml.safe_load(blocks(kind, "yaml"))
    for task in tasks:
        ((name, options),) = task.items()
        settles(lab, name.rpartition(".")[2], **options)
    for command in blocks(kind, "sh").splitlines():
        lab.run(command, timeout=120)
