# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/three-in-the-morning.md: its play is run, and then each of its lines, which prints what stands below it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lab import ROOT, Lab
from pages import who_types
from plays import LIMIT

PAGE = (ROOT / "docs" / "three-in-the-morning.md").read_text(encoding="utf-8")
[PLAY] = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
LINES = re.findall(r"^```sh\n([^\n]*)\n```\n\n```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.needs("nft", "ping")
def test_each_line_of_the_page(lab: Lab, tmp_path: Path) -> None:
    assert len(LINES) == PAGE.count("```sh")
    (tmp_path / "wire.yml").write_text(PLAY, encoding="utf-8")
    env = who_types(tmp_path)
    installed = "-e wiring_install_dependencies=false"
    lab.run(f"cd {tmp_path} && ansible-playbook wire.yml {installed}", env=env, timeout=LIMIT)
    for line, said in LINES:
        line = line.replace("wire.yml", f"wire.yml {installed}")
        printed = lab.run(f"cd {tmp_path} && {line}", env=env, timeout=LIMIT).stdout
        missing = [text for text in said.splitlines() if text.strip() not in printed]
        assert not missing, f"{line}\n{printed}"
