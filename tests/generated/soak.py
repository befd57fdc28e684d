# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lives through sequences made by chance, in a lab host, and prints those of which something does not hold, made small, as JSON.

    soak.py COLLECTIONS [--seed S] [--count N] [--seconds T] [--replay FILE] [--quick]

Sequence number N of the seed S is that of ``S N``. It ends after so many sequences, or with the first that begins after so many seconds.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

NOUNS = ("bridge", "bridge_port", "nat", "netns", "ns_address", "ns_link", "ns_route", "veth", "wiring", "wiring_info")


def main() -> int:
    """Return 0 if all holds."""
    parser = argparse.ArgumentParser(description="Sequences made by chance")
    parser.add_argument("collections")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--first", type=int, default=0, help="number of the first sequence")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--shrink", type=float, default=60, help="seconds to make a sequence that fails smaller")
    parser.add_argument("--replay", help="a file with sequences, a line each, as they were printed")
    parser.add_argument("--tell", action="store_true", help="tell what each run of a sequence did, in one task")
    given = parser.parse_args()
    sys.path.insert(0, given.collections)
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    preload()
    import sequences

    if given.replay:
        listed = [json.loads(line) for line in Path(given.replay).read_text(encoding="utf-8").splitlines() if line]
        given.first, given.count = 0, len(listed)
    begun, failed = time.monotonic(), 0
    kinds: Counter[str] = Counter()
    lived: Counter[str] = Counter()
    number = given.first
    while number < given.first + given.count and time.monotonic() - begun < given.seconds:
        sequence = listed[number] if given.replay else sequences.made(f"{given.seed} {number}")
        if given.tell:
            for manner in sequences.MANNERS:
                print(f"--- {manner}")
                _tell(sequences.told(sequence, manner))
        found = sequences.failures(sequence, lived)
        if found:
            failed += 1
            kinds[found[0]["kind"]] += 1
            _show(sequences, sequence, found[0], given.shrink)
        number += 1
    runs = ", ".join(f"{count} {what}" for what, count in lived.most_common())
    print(
        f"{number - given.first} sequences from '{given.seed} {given.first}' on, {failed} failed, {time.monotonic() - begun:.0f} s; "
        f"runs in each manner: {runs}"
    )
    for kind, count in kinds.most_common():
        print(f"  {count:4} {kind}")
    return 1 if failed else 0


def _show(sequences: Any, sequence: dict[str, Any], first: dict[str, Any], seconds: float) -> None:
    """Print a sequence that fails, made small, and in which way it does."""
    from shrink import shrunk

    def same(found: list[dict[str, Any]]) -> dict[str, Any] | None:
        return next((one for one in found if (one["kind"], one["manner"]) == (first["kind"], first["manner"])), None)

    small = shrunk(sequence, lambda one: same(sequences.failures(one)) is not None, seconds)
    told = same(sequences.failures(small)) or first
    print(f"FAILED seed '{sequence.get('seed')}': {told['kind']} (run {told['run']}, {told['manner']})")
    print(json.dumps(small, ensure_ascii=False))
    detail = told["detail"]
    for line in detail if isinstance(detail, list) else str(detail).splitlines():
        print("   ", line if isinstance(line, str) else json.dumps(line, ensure_ascii=False))
    print(flush=True)


def _tell(life: list[dict[str, Any]]) -> None:
    """Print what was done, run by run."""
    for run in life:
        for what in ("foreseen", "done", "again"):
            outcome = run[what]
            print(f"run {run['number']}, {what}: {outcome['msg'] or 'ok'}", *outcome["warnings"], sep="\n    ")
            for title, items in outcome["steps"]:
                for one in items:
                    if one["changed"] or one.get("failed"):
                        diff = one.get("diff") or {}
                        print(f"  {title}: {one.get('msg') or diff.get('before_header')}")
                        sides = [("-", diff.get("before", "")), ("+", diff.get("after", ""))]
                        print(*(f"      {sign} {line}" for sign, text in sides for line in text.splitlines()), sep="\n")
                        print(*(f"      # {line}" for line in one.get("commands", [])), sep="\n")


# Something of everything, for a run that is only foreseen.
WARM: dict[str, Any] = {
    "networks": [{"name": "front", "subnets": ["10.1.0.0/24", "fd00:1::/64"]}, {"name": "back", "state": "absent"}],
    "containers": [
        {"name": "web", "networks": [{"name": "front", "port": {"hairpin": True}}], "published_ports": ["8080:80"]},
        {"name": "joined", "network_mode": "container:web"},
        {"name": "old", "state": "absent"},
    ],
    "purge": True,
}


def preload() -> None:
    """Import and make what a run needs, once for all forks, which share what is there."""
    import manners

    plugins = manners.PLUGINS
    for name in NOUNS:
        importlib.import_module(f"{plugins}.modules.{name}")
    for name in (
        *manners.nouns(),
        "_kernel.complete",
        "_wiring.one_task",
        "_wiring.survey",
        "_wiring.purge",
        "_wiring.validation",
    ):
        importlib.import_module(f"{plugins}.module_utils.{name}")
    for manner in (manners.one_task, manners.chain):
        outcome = manner(WARM, True)
        assert not outcome["msg"], outcome["msg"]
    gc.freeze()


if __name__ == "__main__":
    sys.exit(main())
