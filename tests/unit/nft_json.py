# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Short ways to write what `nft -j list ruleset` prints."""

from __future__ import annotations

from typing import Any

Node = dict[str, Any]


def prefix(text: str) -> Node:
    address, length = text.split("/")
    return {"prefix": {"addr": address, "len": int(length)}}


def match(field: str, operator: str, right: Any, protocol: str = "ip") -> Node:
    left = {"payload": {"protocol": protocol, "field": field}} if field.endswith("addr") else {"meta": {"key": field}}
    return {"match": {"op": operator, "left": left, "right": right}}


def rule(table: str, chain: str, *expr: Any, **more: Any) -> Node:
    family, name = table.split()
    return {
        "rule": {
            "family": family,
            "table": name,
            "chain": chain,
            "handle": more.pop("handle", 9),
            "expr": list(expr),
            **more,
        }
    }


def chain(table: str, name: str, **hook: Any) -> Node:
    family, table_name = table.split()
    return {"chain": {"family": family, "table": table_name, "name": name, "handle": 1, **hook}}
