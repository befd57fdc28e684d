# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/tutorial.md and docs/concepts.md, typed as they stand there: all that they say is printed is printed.

And docs/wiring.svg is the picture of the play of docs/index.md.

With PAGES=write in the environment a page that says something else gets what was printed, and the picture is drawn.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
import yaml
from lab import ROOT, collections_root
from plays import Playbook, wiring
from typed import Shell, typed

# What this machine has already; and what a lab host could install to is the machine's.
INSTALLS = ("pip ", "ansible-galaxy ")
WRITES = os.environ.get("PAGES") == "write"


def environment(home: Path) -> dict[str, str]:
    return {
        "HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        "ANSIBLE_COLLECTIONS_PATH": os.environ.get("ANSIBLE_COLLECTIONS_PATH", collections_root()),
        "ANSIBLE_NOCOLOR": "1",
    }


@pytest.mark.needs("lab host", "conntrack", "curl", "nf_nat", "nft", "ping", "tcpdump")
@pytest.mark.parametrize("name", ["tutorial", "concepts"])
def test_the_page(name: str, tmp_path: Path) -> None:
    page = ROOT / "docs" / f"{name}.md"
    text = page.read_text(encoding="utf-8")
    with Shell(tmp_path, environment(tmp_path)) as shell:
        try:
            found = typed(text, shell, tmp_path, lambda command: None if command.startswith(INSTALLS) else command)
        finally:
            with Shell(tmp_path, environment(tmp_path)) as other:
                other.type("ansible-playbook -i lab.ini linuxnet.containers.lab_destroy")
    if WRITES:
        page.write_text(found, encoding="utf-8")
    assert found == text


def test_the_front_page_s_picture(playbook: Playbook, tmp_path: Path) -> None:
    kept, drawn = ROOT / "docs" / "wiring.svg", tmp_path / "wiring.svg"
    text = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ((play,),) = (yaml.safe_load(block),)
    asked = {name.removeprefix("wiring_"): value for name, value in play["roles"][0]["vars"].items()}
    playbook.run(wiring(**asked, topology_file=str(drawn)))
    if WRITES:
        kept.write_bytes(drawn.read_bytes())
    words = [re.findall(r"<text [^>]*>(.*?)</text>", one.read_text(encoding="utf-8")) for one in (kept, drawn)]
    assert words[0] == words[1] != []
