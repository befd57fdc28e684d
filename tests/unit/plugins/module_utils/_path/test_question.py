# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be asked, and what is refused, whatever the text is."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._path.question import OPTIONS, Question, parse, shown


def parsed(**given: Any) -> Question:
    return parse({name: given.get(name, spec.get("default")) for name, spec in OPTIONS.items()})


@pytest.mark.parametrize(
    ("given", "question", "words"),
    [
        ({"destination": "web"}, Question("host", "web", "icmp", 0), ("ping", "web")),
        ({"destination": "web", "port": 80}, Question("host", "web", "tcp", 80), ("tcp port 80", "web")),
        ({"destination": "8080"}, Question("host", "8080", "tcp", 8080, published=True), ("tcp port 8080", "8080")),
        ({"destination": "53/UDP"}, Question("host", "53/UDP", "udp", 53, published=True), ("udp port 53", "53/UDP")),
        (
            {"destination": "53", "protocol": "udp"},
            Question("host", "53", "udp", 53, published=True),
            ("udp port 53", "53"),
        ),
        (
            {"source": " FD00::2 ", "destination": "fd00:0::3", "port": 1, "protocol": "sctp", "probe": True},
            Question("FD00::2", "fd00:0::3", "sctp", 1, 6, "fd00::2", "fd00::3", probe=True),
            ("sctp port 1", "fd00:0::3"),
        ),
        ({"destination": "host", "family": "ipv6"}, Question("host", "host", "icmp", 0, 6), ("ping", "the host")),
        (
            {"source": "/proc/1/ns/net", "destination": "web"},
            Question("/proc/1/ns/net", "web", "icmp", 0),
            ("ping", "web"),
        ),
    ],
)
def test_what_is_asked(given: Any, question: Question, words: Any) -> None:
    assert parsed(**given) == question
    assert shown(question) == words


@pytest.mark.parametrize("option", ["source", "destination"])
@pytest.mark.parametrize("char", [*map(chr, range(1, 32)), "\0", "\x7f", "\udc80", "\u202e", "/"])
def test_whatever_a_name_is_it_is_taken_or_refused_in_a_sentence(option: str, char: str) -> None:
    refused = ""
    try:
        asked = parsed(**{"destination": "web", option: f"a{char}b"})
    except Invalid as error:
        refused = str(error)
    if refused:
        assert refused.isprintable()
        assert refused.startswith(f"{option}: ")
    else:
        assert getattr(asked, option) == f"a{char}b"
