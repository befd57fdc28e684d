# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/tutorial.md and docs/concepts.md, typed as they stand there: all that they say is printed is printed.

With PAGES=write in the environment a page that says something else gets what was printed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from lab import ROOT, collections_root
from typed import Shell, typed

pytestmark = pytest.mark.needs("lab host", "nft", "nf_nat", "ping", "tcpdump", "curl")
# What this machine has already; and what a lab host could install to is the machine's.
INSTALLS = ("pip ", "ansible-galaxy ")
ENTER = "~/.ansible/linuxnet-lab/lab1/enter"


def environment(home: Path) -> dict[str, str]:
    return {
        "HOME": str(home),
        "PATH": f"{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        "ANSIBLE_COLLECTIONS_PATH": os.environ.get("ANSIBLE_COLLECTIONS_PATH", collections_root()),
        "ANSIBLE_NOCOLOR": "1",
    }


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
    if os.environ.get("PAGES") == "write":
        page.write_text(found, encoding="utf-8")
    assert found == text
