# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tables and a plot of what the bench measured. Pure: from its JSON to text."""

from __future__ import annotations

import math
import statistics
from functools import partial
from typing import Any
from xml.sax.saxutils import escape

Results = dict[str, Any]
PHASES = {"wire": "Wire", "again": "Run again, nothing to do", "unwire": "Take down"}
OURS = ("one", "one-plain", "chain", "chain-plain", "play", "play-one", "play-module")
MISSING = "not measured"


def seconds(results: Results, name: str, size: int, phase: str) -> float | None:
    """A contender's median, None where there is none."""
    sizes = results["contenders"].get(name, {}).get("sizes", {})
    found = sizes.get(str(size), {}).get(phase)
    return found["median"] if found else None


def sizes_of(results: Results) -> list[int]:
    return sorted({int(size) for one in results["contenders"].values() for size in one["sizes"]})


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [_row(head), "|" + "---|" * len(head), *map(_row, rows), ""]


def _phase(results: Results, phase: str) -> list[str]:
    """The table of one phase: milliseconds a container, and how many times the floor's that is."""
    sizes = sizes_of(results)
    rows = []
    for name, one in results["contenders"].items():
        cells = []
        for size in sizes:
            value = seconds(results, name, size, phase)
            # A second run is measured against the wiring that it does not have to do.
            base = seconds(results, "floor", size, "wire" if phase == "again" else phase)
            ratio = f" ({value / base:.1f} x)" if value is not None and base else ""
            cells.append(f"{value / size * 1000:.2f}{ratio}" if value is not None else "")
        if any(cells):
            rows.append([one["says"], *cells])
    title = f"### {PHASES[phase]}: ms a container (times the floor{' of wiring' if phase == 'again' else ''})"
    return [title, "", *_table(["", *(f"N={size}" for size in sizes)], rows)]


def _steps(results: Results) -> list[str]:
    """Where the time of our modules goes, by step."""
    lines = []
    for name in ("chain", "chain-plain"):
        for size, one in results["contenders"].get(name, {}).get("sizes", {}).items():
            for phase, steps in one.get("steps", {}).items():
                shown = ", ".join(f"{step} {value / int(size) * 1000:.2f}" for step, value in steps.items())
                lines.append(f"- {name}, N={size}, {phase}: {shown}")
    return ["### Our modules by step: ms a container", "", *lines, ""] if lines else []


def bars(results: Results) -> list[tuple[str, str, str]]:
    """The bars: (what is compared, the bar, what was measured)."""

    def over(name: str, size: int, phase: str, base: str, base_phase: str = "") -> float | None:
        mine, theirs = (
            seconds(results, name, size, phase),
            seconds(results, base, size, base_phase or phase),
        )
        return mine / theirs if mine is not None and theirs else None

    def times(value: float | None) -> str:
        return MISSING if value is None else f"{value:.2f}"

    def faster(name: str, size: int, base: str) -> str:
        value = over(base, size, "wire", name)
        if value is not None:
            return f"{value:.1f}"
        # The cost of a loop is the same for each item: where N is too many to wait for, that of a smaller N is scaled up.
        mine = seconds(results, name, size, "wire")
        scaled = [
            (count, theirs)
            for count in sizes_of(results)
            for theirs in [seconds(results, base, count, "wire")]
            if theirs
        ]
        if mine is None or not scaled:
            return MISSING
        count, theirs = scaled[-1]
        return f"{theirs * size / count / mine:.1f} (scaled up from N={count})"

    rows = []
    ways = {"chain-plain": "chain", "one-plain": "one task"}
    for size in (100, 1000):
        for name, way in ways.items():
            rows.append(
                (
                    f"in-module wiring, N={size}, over the floor ({way})",
                    "≤ 2.0",
                    times(over(name, size, "wire", "floor")),
                )
            )
    for name, way in ways.items():
        value = over(name, 1000, "again", "floor", "wire")
        rows.append((f"in-module no-change, N=1000, over the floor of wiring ({way})", "≤ 0.5", times(value)))
    peers = [
        name
        for name, one in results["contenders"].items()
        if name not in (*OURS, "floor") and one["scope"] == "programs"
    ]
    for name, way in ways.items():
        rows.append(
            (f"in-module teardown, N=100, over the floor ({way})", "≤ 2.0", times(over(name, 100, "unwire", "floor")))
        )
        others = [(value, peer) for peer in peers for value in [over(peer, 100, "unwire", name)] if value is not None]
        best = f"{min(others)[0]:.2f} ({min(others)[1]})" if others else MISSING
        rows.append(
            (
                f"the fastest peer's teardown, N=100, over ours ({way})",
                "> 1",
                best if over(name, 100, "unwire", "floor") else MISSING,
            )
        )
    rows.append(
        (
            "whole play, chain, N=100, a port each: times faster than CNI bridge + masquerade + portmap",
            "≥ 2",
            faster("play", 100, "cni-ports"),
        )
    )
    rows.append(
        ("whole play, one task, N=100: times faster than the same", "≥ 5", faster("play-one", 100, "cni-ports"))
    )
    rows.append(
        ("whole play, chain, N=100: times faster than the loop of command: ip", "≥ 50", faster("play", 100, "loops"))
    )
    rows.append(("whole play, one task, N=100: times faster than the same", "≥ 50", faster("play-one", 100, "loops")))
    for name, way in {"play-module": "the module", "play-one": "the role in one task"}.items():
        value = over(name, 1, "wire", "docker-play")
        rows.append((f"whole play, N=1, {way}, over docker network connect in a task", "≤ 1.5", times(value)))
    extras = results["extras"]
    adhoc = extras.get("adhoc", [])
    value = statistics.median([one["bridge"] / one["ping"] for one in adhoc]) if adhoc else None
    rows.append(("one ad-hoc module call over ansible.builtin.ping", "≤ 1.4", times(value)))
    ports = extras.get("ports", [])
    value = statistics.median([one["rules"] / one["ours"] for one in ports]) if ports else None
    rows.append(("10 000 published ports: times faster than a rule a port", "≥ 20", times(value)))
    crowd = extras.get("crowd", [])
    for name in ("wiring", "purge", "wiring_info"):
        value = (
            statistics.median([one["crowd"]["task " + name] / one["nothing"]["task " + name] for one in crowd])
            if crowd
            else None
        )
        what = "a container's root made 20 000 routes, 3 000 addresses and 1 000 links: over without, nothing to do"
        alone = statistics.median([one["crowd"][name] / one["nothing"][name] for one in crowd]) if crowd else None
        rows.append((f"{what} ({name}, a task)", "≤ 1.2", times(value)))
        rows.append((f"the same ({name}, the module's process alone)", "told", times(alone)))
    spoof = extras.get("spoof", [])
    for name, what in {
        "wiring": "wiring, one task, N=100",
        "again": "the same again",
        "packets": "64-byte packets between two",
    }.items():
        value = statistics.median([one["on"][name] / one["off"][name] for one in spoof]) if spoof else None
        rows.append((f"with spoof_check over without: {what}", "told", times(value)))
    return rows


def tables(results: Results) -> str:
    """All of it, as Markdown."""
    machine = results["machine"]
    lines = [f"Kernel {machine['kernel']}, Python {machine['python']}, {machine['cpus']} CPUs.", ""]
    for phase in PHASES:
        lines += _phase(results, phase)
    lines += _steps(results)
    lines += ["### The bars", "", *_table(["ratio", "bar", "measured"], [list(row) for row in bars(results)])]
    if results["left_out"]:
        lines += ["### Not measured", "", *(f"- {name}: {why}" for name, why in results["left_out"].items()), ""]
    return "\n".join(lines)


WIDTH, HEIGHT, MARGIN, LEGEND = 420, 380, 50, 330
COLOURS = (
    "#000000",
    "#d62728",
    "#ff9896",
    "#e6550d",
    "#fdae6b",
    "#1f77b4",
    "#17becf",
    "#9467bd",
    "#2ca02c",
    "#98df8a",
    "#8c564b",
    "#7f7f7f",
    "#bcbd22",
    "#e377c2",
    "#aec7e8",
    "#c5b0d5",
    "#c49c94",
)


def _across(left: float, last: float, size: float) -> float:
    """Where a number of containers is; ``last`` is the logarithm of the greatest one."""
    return left + math.log10(size) / last * (WIDTH - MARGIN - 20)


def _down(low: int, high: int, value: float) -> float:
    """Where a value is, between two powers of ten."""
    return HEIGHT - MARGIN - (math.log10(value) - low) / max(high - low, 1) * (HEIGHT - 2 * MARGIN)


def plot(results: Results) -> str:
    """An SVG: milliseconds a container over N, both logarithmic, a panel a phase. Ours are drawn thick, plays dashed."""
    found = {
        phase: {
            name: [
                (size, value / size * 1000)
                for size in sizes_of(results)
                for value in [seconds(results, name, size, phase)]
                if value
            ]
            for name in results["contenders"]
        }
        for phase in PHASES
    }
    values = [value for lines in found.values() for points in lines.values() for _size, value in points] or [1]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    sizes = sizes_of(results) or [1]
    last = math.log10(max(sizes[-1], 10))
    colours = {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(results["contenders"])}

    def style(name: str) -> str:
        dash = ' stroke-dasharray="6 3"' if results["contenders"][name]["scope"] == "play" else ""
        return f'stroke="{colours[name]}" stroke-width="{3 if name in (*OURS, "floor") else 1.5}"{dash}'

    parts = []
    for number, (phase, title) in enumerate(PHASES.items()):
        left = number * WIDTH + MARGIN
        across = partial(_across, left, last)
        down = partial(_down, low, high)
        parts.append(f'<text x="{left}" y="28" font-size="15" font-weight="bold">{title}</text>')
        for power in range(low, high + 1):
            y = down(10**power)
            parts.append(
                f'<line x1="{left}" x2="{left + WIDTH - MARGIN - 20}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
            )
            parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{10**power:g}</text>')
        for size in sizes:
            parts.append(f'<text x="{across(size):.1f}" y="{HEIGHT - MARGIN + 18}" text-anchor="middle">{size}</text>')
        for name, points in found[phase].items():
            spots = [(across(size), down(value)) for size, value in points]
            line = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
            parts.append(f'<polyline points="{line}" fill="none" {style(name)}/>')
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colours[name]}"/>' for x, y in spots]
    parts.append(f'<text x="{MARGIN}" y="{HEIGHT - 8}">ms a container, over the number of containers N</text>')
    left = 3 * WIDTH + 10
    for number, (name, one) in enumerate(results["contenders"].items()):
        y = 50 + number * 18
        parts.append(f'<line x1="{left}" x2="{left + 30}" y1="{y}" y2="{y}" {style(name)}/>')
        parts.append(f'<text x="{left + 38}" y="{y + 4}">{escape(one["says"])}</text>')
    extent = f'width="{left + LEGEND}" height="{HEIGHT}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {extent} font-family="sans-serif" font-size="11">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>", ""])
