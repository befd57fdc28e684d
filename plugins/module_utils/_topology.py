# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A wiring as a picture in text: the host, its bridges, and who is behind which veth. Pure."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence


def text(wiring: Mapping[str, Mapping[str, Any]], networks: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return the picture of a ``wiring_result``; ``networks`` (the role's list) adds the subnets of the bridges."""
    subnets = {
        one["name"]: ", ".join(one.get("subnets") or ()) for one in networks if one.get("state", "present") != "absent"
    }
    ports: Dict[str, List[str]] = {name: [] for name in subnets}
    alone = []
    for name, box in wiring.items():
        if not box["interfaces"]:
            alone.append("%s  (%s: only lo)" % (name, box["network_mode"]))
        for one in box["interfaces"]:
            line = "%s ─── %s in %s  %s" % (one["host_interface"], one["name"], name, "  ".join(one["addresses"]))
            ports.setdefault(one["bridge"], []).append(line.rstrip())
    lines = ["host"]
    trunk = list(ports.items())
    for place, (bridge, entries) in enumerate(trunk):
        last = place == len(trunk) - 1
        lines.append("%s─ %s  %s" % ("└" if last else "├", bridge, subnets.get(bridge, "")))
        for number, entry in enumerate(entries):
            lines.append("%s  %s─ %s" % (" " if last else "│", "└" if number == len(entries) - 1 else "├", entry))
    lines.extend(alone)
    return "\n".join(line.rstrip() for line in lines) + "\n"
