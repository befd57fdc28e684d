# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/troubleshooting.md: what it says is printed is printed."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from paths import Town, ask

PAGE = Path(__file__).resolve().parents[2] / "docs" / "troubleshooting.md"
EXAMPLE = re.compile(
    r"(?:<!-- broken: (?P<broken>.*?) -->\n<!-- right: (?P<right>.*?) -->\n)?"
    r"```sh\nansible HOST -b -m linuxnet.containers.path_info -a '(?P<asked>.*?)'\n```\n+```text\n(?P<printed>.*?)\n```",
    re.DOTALL,
)
NUMBERS = re.compile(r"\b(process|handle) \d+")  # that are others each time


def printed(town: Town, asked: str) -> str:
    """What path_info says to people."""
    words = (word.partition("=") for word in shlex.split(asked))
    options = {
        name: int(value) if name == "port" else value == "true" if name == "probe" else value
        for name, _sign, value in words
    }
    text: str = ask(town, **options)["text"]
    return text


@pytest.mark.needs("lab host", "bridge", "ip", "nft", "nf_nat")
def test_the_page(needs: Callable[..., None]) -> None:
    examples = list(EXAMPLE.finditer(PAGE.read_text(encoding="utf-8")))
    assert len(examples) >= 12
    wrong = []
    with Town() as town:
        town.build()
        for example in examples:
            town.run(example["broken"] or "true")
            found = printed(town, example["asked"])
            town.run(example["right"] or "true")
            if NUMBERS.sub(r"\1 7", found) != NUMBERS.sub(r"\1 7", example["printed"]):
                wrong.append(f"{example['asked']}\n{found}")
    assert not wrong, "\n\n".join(wrong)
