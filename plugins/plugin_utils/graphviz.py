# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The layout of pictures on the controller, by Graphviz."""

from __future__ import annotations

import re
import subprocess

from ansible.errors import AnsibleFilterError

_SECONDS = 120  # 300 containers take less than one


def svg(graph: str) -> str:
    """Return a graph in Graphviz's language as an SVG element, without a prologue, the same each time. Raises `AnsibleFilterError`."""
    try:
        done = subprocess.run(
            ["dot", "-Tsvg"], input=graph.encode(), capture_output=True, timeout=_SECONDS, check=False
        )
    except FileNotFoundError:
        raise AnsibleFilterError(
            "The picture is laid out by the program dot of Graphviz, which the controller does not have; install the package graphviz, or "
            "ask for one of the formats text, mermaid or dot."
        ) from None
    except subprocess.TimeoutExpired:
        raise AnsibleFilterError(
            "The program dot of Graphviz took more than %d s for the picture; draw fewer hosts, or ask for one of the formats text, mermaid or dot."
            % _SECONDS
        ) from None
    if done.returncode:
        raise AnsibleFilterError(
            "The program dot of Graphviz failed: %s" % done.stderr.decode(errors="replace").strip()
        )
    text = done.stdout.decode()
    return re.sub(r"<!--.*?-->\s*", "", text[text.index("<svg") :], flags=re.DOTALL)
