# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two lists on one host that share a network: who changes it for the other one's containers is told so, and nobody is cut off."""

from __future__ import annotations

import pytest
from lab import Lab
from plays import Play, Playbook, checked, pings, silent, talk, wiring

NET = {"name": "net0", "subnets": ["172.30.0.0/24"]}
OPEN = {"name": "net2", "subnets": ["172.32.0.0/24"], "isolate": False}
MOVED = {"name": "c", "published_ports": ["8081:80"], "networks": [{"name": "net2"}]}


def first() -> Play:
    on = [{"name": "net2"}]
    return wiring(networks=[NET, OPEN], containers=[{"name": "a"}, {"name": "x", "networks": on}])


def second(state: str = "present", **options: object) -> Play:
    return wiring(networks=[{**NET, **options}], containers=[{"name": "b"}], state=state)


def of_others(warnings: list[str]) -> list[str]:
    """The containers that warnings say are on a network that changes."""
    text = "Network 'net0' changes also for who is on it and not so in this list: "
    return [warning.partition("netns ")[2].partition(".")[0] for warning in warnings if warning.startswith(text)]


@pytest.mark.needs("nft")
def test_two_lists(shared_lab: Lab, playbook: Playbook) -> None:
    pristine = shared_lab.snapshot()
    opened = second(isolate=False)
    plays = first(), second(), first(), checked(opened), opened, first()
    _a, alike, again, foreseen, opens, closes = playbook.run(*plays)
    assert of_others([*alike.warnings, *again.warnings]) == again.changed == []
    assert of_others(foreseen.warnings) == of_others(opens.warnings) == ["'a'"]
    assert opens.drift()["filter net0"] == ["-isolate true", "+isolate false"]
    assert of_others(closes.warnings) == ["'b'"]
    a = shared_lab.ip("-n a -4 addr show eth0")[0]["addr_info"][0]["local"]
    assert talk(shared_lab, "b", "a", a)
    assert silent(shared_lab, "x", "a", a)
    # Each thing that is of all on it.
    smaller, _back = playbook.run(second(mtu="1400", masquerade=False), first())
    assert len(smaller.warnings) == len(set(smaller.warnings)) == 1
    assert of_others(smaller.warnings) == ["'a'"]
    gone, again = playbook.run(second("absent", masquerade=False), first())
    assert "Remove bridges" not in gone.changed
    assert "the host stays with its addresses and rules" in gone.warnings[0]
    assert again.changed == []
    assert pings(shared_lab, "a", "172.30.0.1")
    # A container in two lists is as the last one says; alone on its network, nobody else is named.
    _one, other = playbook.run(
        wiring(networks=[NET], containers=[{"name": "c", "published_ports": ["8080:80"]}]),
        wiring(networks=[OPEN], containers=[MOVED]),
    )
    assert [line for line in other.drift()["port 8081/tcp"] if "no_longer" in line] == ["-no_longer_published 8080/tcp"]
    playbook.run(wiring(networks=[OPEN], containers=[MOVED], state="absent"), wiring(**_lists(first()), state="absent"))
    assert shared_lab.snapshot() == pristine


def _lists(play: Play) -> dict[str, object]:
    return {name: play["vars"][f"wiring_{name}"] for name in ("networks", "containers")}
