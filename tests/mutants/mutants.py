# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes one protection after another out of a copy of the collection, and prints which tests with real traffic fail for that, and with what.

    mutants.py [--only WORDS] [--list]

A test that a mutant passes would not see that the protection is gone: that is a failure here. The same tests pass on what was not changed: all of them are in
``make test``, but for the whole of tests/faults/closed.py.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PLUGINS = "plugins/module_utils/"
BACKENDS = PLUGINS + "_firewall/backends/"
NFT, STEPS = BACKENDS + "nftables_static.py", PLUGINS + "_wiring/steps.py"
SPOOFING = "tests/module/test_nat_spoof_check.py -- -vvv -k what_is_not_the_container"
ADVERTISING = "tests/role/test_advertisements.py -- -vvv -k neither"
FENCE = "tests/module/test_nat_fence.py -- -vvv -k 'what_was_apart and {}'"
INVALID = "tests/module/test_nat_invalid.py -- -vvv -k 'conntrack_calls and {}'"
UNPUBLISHED = "tests/module/test_nat_filter.py -- -vvv -k 'not_published and {}'"
CLOSED = "closed --kinds ended"
LIMIT = 900  # seconds for the tests of a mutant on a busy machine, not what they take


@dataclass(frozen=True)
class Mutant:
    """What is lost where a text of ``file`` is another one, and the tests that have to see it, as ``tests/tools/tests`` takes them, or ``tests/tools/faults``.
    ``says`` is a pattern of what they say."""

    lost: str
    file: str
    old: str
    new: str
    tests: str
    says: str


def _moved(file: str, line: str, to: str) -> tuple[str, str]:
    """The stretch of a file in which a line has to be moved behind another one, each told by a text that it has: as it is and would be."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines(keepends=True)
    first, last = (next(number for number, text in enumerate(lines) if name in text) for name in (line, to))
    return "".join(lines[first : last + 1]), "".join([*lines[first + 1 : last + 1], lines[first]])


def _mutants() -> list[Mutant]:
    drop, accept = "counter drop", "counter accept"
    found = [
        Mutant(
            "the host hears no router advertisement",
            PLUGINS + "_wiring/networks.py",
            ", accept_ra=False)",
            ")",
            ADVERTISING,
            "default via fe80::",
        ),
        Mutant(
            "no sibling hears a router advertisement",
            PLUGINS + "_wiring/attachments.py",
            'item["accept_ra"] = False',
            'item.pop("accept_ra", None)',
            ADVERTISING,
            "default via fe80::",
        ),
        Mutant(
            "127.0.0.0/8 stays closed when rules are flushed",
            PLUGINS + "_resources/nat/port_mapping_plan.py",
            "if not guarded and localhost and",
            'if want.backend == "" and',
            "tests/module/test_loopback_guard.py -- -vvv -k services_of_the_host",
            "secret",
        ),
    ]
    for what, rule, says in (
        ("a source of IPv4", '("from_ipv4", "other-source", "counter drop")', "the source of a sibling"),
        ("a source of IPv6", '("from_ipv6", "other-source6", "counter drop")', "the source of IPv6 of a sibling"),
        ("ARP for the gateway and a sibling", '("from_arp_mac", "other-arp-source", "counter drop")', "an answer for the gateway"),
        ("an advertisement of a neighbour", '("advertised", "other-target", "counter drop")', "an advertisement of the gateway"),
        ("the MAC address of a sibling", '("port", "mac", "iifname . ether saddr != @macs counter drop")', "the MAC address of a sibling"),
        ("a router advertisement at the port", '"icmpv6 type { nd-router-advert, nd-redirect } counter drop"', "a router advertisement"),
    ):  # fmt: skip
        found.append(Mutant(f"a port does not take {what}", NFT, rule, rule.replace(drop, accept), SPOOFING, says))
    for backend, file, old, new in (
        ("nftables", NFT, "iifname @fence_ip oifname @fence_ip counter drop", "iifname @fence_ip oifname @fence_ip counter"),
        ("iptables", BACKENDS + "iptables_rules.py", '[("-o", name, *note, "-j", "DROP") for', '[("-o", name, *note, "-j", "RETURN") for'),
    ):  # fmt: skip
        found.append(
            Mutant(
                f"interfaces of others stay apart, {backend}",
                file,
                old,
                new,
                FENCE.format(backend),
                "to lan|to outside",
            )
        )
    for backend, file, old, new in (
        ("nftables", BACKENDS + "nftables_snat.py", "ct state invalid counter drop", "ct state invalid counter accept"),
        ("iptables", BACKENDS + "iptables_snat.py", '(*apart, ("-j", "DROP"))', '(*apart, ("-j", "RETURN"))'),
    ):
        found.append(
            Mutant(
                f"INVALID does not leave, {backend}", file, old, new, INVALID.format(backend), "172.17.0.2|fd00:17::2"
            )
        )
    for backend, file, old, new in (
        (
            "nftables",
            NFT,
            '("closed_to", "unpublished", "counter drop")',
            '("closed_to", "unpublished", "counter accept")',
        ),
        ("iptables", BACKENDS + "iptables_rules.py", '(*note, "-j", "DROP")]', '(*note, "-j", "RETURN")]'),
    ):
        found.append(
            Mutant(
                f"what is not published is not reached, {backend}",
                file,
                old,
                new,
                UNPUBLISHED.format(backend),
                "assert not (reached|True)",
            )
        )
    for backend in ("nftables", "iptables"):
        moved = _moved(STEPS, 'Step(WIRE, "nat"', 'Step(WIRE, "publish"')
        tests = f"{CLOSED} --part 1/8 --only 'present, one task, {backend}, router'"
        found.append(Mutant(f"isolation before the first pair, {backend}", STEPS, *moved, tests, "10.1.0.10 to"))
    return found


MUTANTS = _mutants()


def main() -> int:
    """Return 0 if each mutant was seen."""
    parser = argparse.ArgumentParser(description="Tests of traffic against a collection without one of its protections")
    parser.add_argument("--only", default="", help="mutants with these words in what is lost")
    parser.add_argument("--list", action="store_true", help="only name the mutants")
    given = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS if given.only in mutant.lost]
    if given.list:
        print(*(mutant.lost for mutant in chosen), sep="\n")
        return 0
    print(f"{'what is lost':55} {'failed':>7} {'passed':>7} {'seconds':>8}  what is seen", flush=True)
    seen = [_seen(mutant) for mutant in chosen]
    return int(not seen or not all(seen))


def _seen(mutant: Mutant) -> bool:
    """Run the tests of a mutant, and print a line. Returns whether they say what they have to."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "copy")
        text = _changed(mutant, copy)
        said = _said(mutant, copy, Path(folder, "cache"))
    failed, passed = (sum(map(int, re.findall(rf"(\d+) {word}", said))) for word in ("failed", "passed"))
    if mutant.tests.startswith("closed"):
        failed, passed = said.count("OPEN "), 0
    begins = "    " if mutant.tests.startswith("closed") else "E "
    told = re.search(rf"^{begins}.*({mutant.says}).*$", said, re.MULTILINE)
    seen = said[max(told.start(), told.start(1) - 50) : told.end()].strip()[:120] if told else "NOTHING"
    print(f"{mutant.lost:55} {failed:7} {passed:7} {time.monotonic() - started:8.0f}  {seen}", flush=True)
    if not (failed and told):
        print(f"--- {text}", said[-3000:], "---", sep="\n", flush=True)
    return bool(failed and told)


def _changed(mutant: Mutant, copy: Path) -> str:
    """Copy the sources, and change the one text. Returns the file's path."""
    script = 'source "$1/tests/tools/common.sh" && copy_sources "$2"'
    subprocess.run(["bash", "-c", script, "-", ROOT, copy], check=True, stdin=subprocess.DEVNULL)
    path = copy / mutant.file
    text = path.read_text(encoding="utf-8")
    assert text.count(mutant.old) == 1, f"{mutant.file} has {mutant.old!r} {text.count(mutant.old)} times"
    path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    return mutant.file


def _said(mutant: Mutant, copy: Path, cache: Path) -> str:
    """What the tests of a mutant print."""
    home = cache / "linuxnet-containers" / hashlib.sha1(str(copy).encode()).hexdigest()[:12]
    home.mkdir(parents=True)
    (home / "venv-newest").symlink_to(os.environ["VENV"])
    tests = (
        f"faults newest {mutant.tests}" if mutant.tests.startswith("closed") else f"tests newest mutant {mutant.tests}"
    )
    done = subprocess.run(
        ["bash", "-c", f"tests/tools/build && tests/tools/{tests}"],
        cwd=copy,
        env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
