# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether each link within the built site leads to something, and whether the site needs nobody else to be shown.

python resolves.py FOLDER
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ASKS = {"script": "src", "img": "src", "link": "href", "iframe": "src"}  # what a browser fetches by itself
CALLED = {"canonical", "search", "next", "prev", "index"}  # links that are no more than told


class Page(HTMLParser):
    """The anchors of a page, and where its links lead."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[tuple[str, bool]] = []  # and whether a browser asks for it
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called for each element."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        for name in {"href", "src"} & set(given):
            self.links.append((given[name], ASKS.get(tag) == name and given.get("rel") not in CALLED))


def wrong(folder: Path) -> Iterator[str]:
    """A sentence for each link that is not right."""
    pages = {file: Page(file) for file in folder.rglob("*.html")}
    if not pages:
        yield f"there are no pages in {folder}"
    for file, page in pages.items():
        for link, asked in page.links:
            parts = urlsplit(link)
            if parts.scheme == "data":
                continue
            if parts.scheme or parts.netloc:
                if asked:
                    yield f"{file.relative_to(folder)} asks the network for {link}"
                continue
            there = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            if not there.exists():
                yield f"{file.relative_to(folder)} leads to {link}, which is not there"
            elif parts.fragment and there in pages and unquote(parts.fragment) not in pages[there].anchors:
                yield f"{file.relative_to(folder)} leads to {link}, where there is no such section"


if __name__ == "__main__":
    found = sorted(set(wrong(Path(sys.argv[1]).resolve())))
    print(*found, sep="\n", end="\n" if found else "")
    sys.exit(1 if found else 0)
