# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/debugging.md, typed into one shell of a lab host from the top to the bottom, but for what boots another kernel: what it shows is printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lab import ROOT, Lab
from pages import blocks, who_types
from plays import LIMIT

PAGE = [block for block in blocks("docs/debugging.md") if block.section not in ("On another kernel", "Tests")]
# What is another each time: moments, numbers, ports, and what the page leaves out.
VARIES = re.compile(r"\[[\d:T.-]+\]|trace id \w+|\b[0-9]+\b|\.\.\.")


# Where a person waits a second, all that runs beside has to sleep: it is ready, or has read what came.
WAIT = """
sleep() {
    local quiet=0 pid
    command sleep "$1"
    while [ $quiet -lt 3 ]; do
        quiet=$((quiet + 1))
        for pid in $(jobs -rp); do grep -q '^State:.S' "/proc/$pid/status" 2>/dev/null || quiet=0; done
        command sleep 0.1
    done
}
"""


@pytest.mark.needs("root", "nft", "nf_nat", "strace", "tcpdump", "conntrack", "nc")
def test_the_page_is_typed(lab: Lab, tmp_path: Path) -> None:
    env = who_types(tmp_path)
    typed, expected = [], []
    for number, block in enumerate(PAGE):
        if block.language == "bash":
            typed.append(f"echo @{number}\n{block.text}")
        else:
            expected.append((number, block.text))
    done = lab.run(["bash", "-mc", f"{WAIT}cd {ROOT}\n" + "\n".join(typed)], check=False, timeout=LIMIT, env=env)
    parts = re.split(r"^@(\d+)$", done.stdout, flags=re.MULTILINE)
    printed = {int(number): text for number, text in zip(parts[1::2], parts[2::2], strict=True)}
    missing = []
    for number, text in expected:
        there = [" ".join(line.split()) for line in printed[number - 1].splitlines()]
        for line in text.splitlines():
            pieces = [re.escape(piece) for piece in VARIES.split(" ".join(line.split()))]
            if not any(re.search(".*?".join(pieces), one) for one in there):
                missing.append(f"{line}\n  of\n{printed[number - 1]}")
    assert not missing, "\n".join(missing) + done.stderr[-2000:]
