# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds of differences from Docker, each with its judgement. Why is said in docs/docker.md, under the same names."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from twins import HOST_PORT, LOOPBACK, Compared, Scenario

PURPOSE, QUIRK, DAEMON, WRONG = "ours on purpose", "Docker's quirk", "nothing of ours runs", "ours is wrong"
OUTSIDE = ("internet", "lan")


@dataclass(frozen=True)
class Difference:
    """One cell, or one attribute (then ``asker`` is whose, and ``address`` which). ``owner``: who has the address."""

    scenario: Scenario
    asker: str
    protocol: str
    address: str
    port: int
    owner: str
    theirs: str
    ours: str
    backend: str = "nftables"

    def __str__(self) -> str:
        what = f"{self.protocol} {self.address} {self.port or ''}".strip()
        return f"{self.scenario.name}: {self.asker}, {what} of {self.owner}: Docker '{self.theirs}', ours '{self.ours}'"

    @property
    def answered(self) -> tuple[bool, bool]:
        """Whether Docker's answered, and ours."""
        return tuple(text == "answers" or " saw " in text for text in (self.theirs, self.ours))  # type: ignore[return-value]

    @property
    def answerers(self) -> tuple[str, str]:
        return self.theirs.partition(" saw ")[0], self.ours.partition(" saw ")[0]

    @property
    def published(self) -> bool:
        """Whether a host port is asked for that a container publishes."""
        return self.port in self.scenario.asked

    @property
    def four_only(self) -> bool:
        """Whether no network of the container has IPv6; of the asker that is none, no network of the scenario."""
        mine = next((each.networks for each in self.scenario.alive if each.name == self.asker), None)
        networks = [one for one in self.scenario.networks if mine is None or one.name in mine]
        return not any(":" in subnet for network in networks for subnet in network.subnets)


@dataclass(frozen=True)
class Class:
    """A kind of difference: its name in the documentation, the judgement, and what belongs to it."""

    name: str
    judgement: str
    holds: Callable[[Difference], bool]


def _attribute(pattern: str) -> Callable[[Difference], bool]:
    return lambda one: one.protocol == "attribute" and re.fullmatch(pattern, one.address) is not None


def _internal(one: Difference) -> bool:
    """Whether the asker is in internal networks only."""
    networks = {network.name: network.internal for network in one.scenario.networks}
    mine = next((each for each in one.scenario.alive if each.name == one.asker and each.mode == "bridge"), None)
    return mine is not None and all(networks[name] for name in mine.networks)


def _several(one: Difference) -> bool:
    """Whether a container of the scenario is in several networks."""
    return any(len(each.networks) > 1 for each in one.scenario.alive)


def _same_answerer(one: Difference) -> bool:
    return one.answered == (True, True) and one.answerers[0] == one.answerers[1]


# The first that holds counts.
CLASSES = [
    Class("Internal, and no default route", PURPOSE, lambda one: _internal(one) and one.ours == "unreachable"),
    Class("Internal, and no default route", PURPOSE, lambda one: _internal(one) and _attribute(r"IPv\d routes")(one)),
    Class(
        "Internal, and IPv6 among its containers",
        QUIRK,
        lambda one: _internal(one) and ":" in one.address and one.answered == (False, True),
    ),
    Class(
        "IPv6 that a router forwards for others",
        QUIRK,
        lambda one: ":" in one.address and {one.asker, one.owner} == {*OUTSIDE} and one.answered == (False, True),
    ),
    Class(
        "Which network has the default route",
        PURPOSE,
        lambda one: _several(one) and (_same_answerer(one) or _attribute(r"IPv\d routes")(one)),
    ),
    Class(
        "Access from outside to a container's own address",
        PURPOSE,
        lambda one: one.asker in OUTSIDE and one.owner not in (*OUTSIDE, "host") and one.answered == (True, False),
    ),
    Class(
        "127.0.0.1 asked from outside",
        PURPOSE,
        lambda one: one.asker in OUTSIDE and one.address == LOOPBACK[0] and one.answered == (True, False),
    ),
    Class(
        "The host asks itself at a gateway address",
        QUIRK,
        lambda one: "host" in (one.asker, _mode(one)) and one.port == HOST_PORT and one.ours.startswith("host saw"),
    ),
    Class(
        "The host asks [::1]",
        DAEMON,
        lambda one: one.asker == "host" and one.address == LOOPBACK[1] and one.published and one.ours == "refused",
    ),
    Class(
        "IPv6 addresses of the host, and a container without IPv6",
        DAEMON,
        lambda one: one.published and ":" in one.address and one.four_only and one.ours == "refused",
    ),
    Class(
        "::1 of a container without IPv6",
        PURPOSE,
        lambda one: one.address == LOOPBACK[1] and one.theirs == "unreachable",
    ),
    Class("::1 of a container without IPv6", PURPOSE, _attribute(r"lo addresses|net\.ipv6\.conf\.lo\.disable_ipv6")),
    Class(
        "UDP by the proxy process",
        QUIRK,
        lambda one: one.protocol == "udp" and one.published and one.answered == (False, True),
    ),
    Class("Published, and INPUT drops", QUIRK, lambda one: _input_drops(one) and one.answered == (False, True)),
    Class("The source that is seen", DAEMON, _same_answerer),
    Class(
        "No communication, published, br_netfilter on, and iptables",
        PURPOSE,
        lambda one: (
            one.backend == "iptables"
            and not all(each.icc for each in one.scenario.networks)
            and one.answered == (True, False)
        ),
    ),
    Class("A container that ended", DAEMON, lambda one: bool(one.scenario.stop) and one.published),
    Class("net.ipv6.conf.all.disable_ipv6", QUIRK, _attribute(r"net\.ipv6\.conf\.all\.disable_ipv6")),
]


def _mode(one: Difference) -> str:
    return next((each.mode for each in one.scenario.alive if each.name == one.asker), "")


def _input_drops(one: Difference) -> bool:
    return one.published and "INPUT DROP" in one.scenario.before


def differences(scenario: Scenario, compared: Compared, backend: str) -> list[Difference]:
    """Return the cells and attributes in which ours is not as Docker's."""
    theirs, ours = compared.theirs, compared.ours[backend]
    found = [
        Difference(scenario, *question, theirs.owners.get(question[2], "host"), answer, ours.answers[question], backend)
        for question, answer in theirs.answers.items()
        if answer != ours.answers[question]
    ]
    for name in sorted({*theirs.attributes, *ours.attributes}):
        pair = theirs.attributes.get(name, "none"), ours.attributes.get(name, "none")
        if pair[0] != pair[1]:
            whose, dummy, which = name.partition(" ")
            found.append(Difference(scenario, whose, "attribute", which, 0, whose, *pair, backend))
    return found


def judged(one: Difference) -> Class | None:
    """Return the class of a difference, None where it belongs to none."""
    return next((kind for kind in CLASSES if kind.holds(one)), None)
