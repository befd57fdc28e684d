# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Short ways to write what `nft -j list ruleset` prints."""

from __future__ import annotations


def prefix(text):
    address, length = text.split("/")
    return {"prefix": {"addr": address, "len": int(length)}}


def match(field, operator, right, protocol="ip"):
    left = {"payload": {"protocol": protocol, "field": field}} if field.endswith("addr") else {"meta": {"key": field}}
    return {"match": {"op": operator, "left": left, "right": right}}


def rule(table, chain, *expr, **more):
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


def chain(table, name, **hook):
    family, table_name = table.split()
    return {"chain": {"family": family, "table": table_name, "name": name, "handle": 1, **hook}}
