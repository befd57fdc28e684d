# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans are carried out: all items are validated first, check mode, failures, roll-back; on the kernel's twin."""

from __future__ import annotations

import errno
import re
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import bridge, netns, ns_address, veth
from ansible_collections.linuxnet.containers.plugins.module_utils._run.execution import execute, locked
from ansible_collections.linuxnet.containers.plugins.module_utils._run.validation import items
from ansible_collections.linuxnet.containers.tests.unit.asked import existing
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

BRIDGE, NETNS, VETH, ADDRESS = bridge.RESOURCE, netns.RESOURCE, veth.RESOURCE, ns_address.RESOURCE


def run(
    kernel: MemoryKernel, resource: Any, aggregate: list[dict[str, Any]], check: bool = False, **top: bool
) -> list[dict[str, Any]]:
    params = dict(top, aggregate=aggregate)
    return execute(resource, items(resource, params), kernel, check)[0]


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        ({"name": "a/b"}, "aggregate item 2: name: 'a/b' is not an interface name"),
        ({"name": "br1", "state": "up"}, "aggregate item 2: state: 'up' is none of present, absent."),
        ({"name": "br1", "mut": 1}, "aggregate item 2: there is no option mut; there are accept_ra, ageing_time,"),
        ({}, "aggregate item 2: missing required arguments: name"),
        ({"name": "br1", "stp": "perhaps"}, "aggregate item 2: stp: 'perhaps' is neither true nor false."),
        ({"name": "br1", "mtu": "67"}, "aggregate item 2: mtu: 67 is out of bounds; it must be from 68 to 65535."),
    ],
)
def test_all_items_are_validated_before_the_first_change(item: dict[str, Any], sentence: str) -> None:
    kernel = MemoryKernel()
    with pytest.raises(Invalid) as caught:
        run(kernel, BRIDGE, [{"name": "br0"}, item])
    assert str(caught.value).startswith(sentence)
    assert kernel.applied == []


def test_one_item_that_fails_is_rolled_back_and_the_others_go_on() -> None:
    kernel = MemoryKernel()
    run(kernel, NETNS, [{"name": "web"}, {"name": "db"}])
    done = len(kernel.applied)
    kernel.fail_at = done + 3  # web: pair, late attributes, peer; db: pair, then this one
    items = [{"peer_netns": name, "alias": f"the {name}"} for name in ("web", "db", "web")]
    items[2]["peer_name"] = "eth1"
    results = run(kernel, VETH, items, peer_enabled=False)
    assert [one.get("failed", False) for one in results] == [False, True, False]
    assert results[1]["msg"].startswith("Could not set alias the db on veth")
    assert results[1]["msg"].endswith(": Input/output error.")
    assert results[1]["item"] == "veth " + results[1]["item"].split()[-1]
    assert sorted(one.name for one in kernel.links(existing(kernel.find(NsRef("/run/netns/db"))))) == ["lo"]
    assert sorted(one.name for one in kernel.links(existing(kernel.find(NsRef("/run/netns/web"))))) == [
        "eth0",
        "eth1",
        "lo",
    ]


def test_g2_what_cannot_be_taken_back_is_named() -> None:
    kernel = MemoryKernel()
    run(kernel, NETNS, [{"name": "web"}])
    run(kernel, VETH, [{"peer_netns": "web", "name": "v0", "peer_name": "eth0"}])
    run(kernel, VETH, [{"peer_netns": "web", "peer_name": "eth1"}, {"peer_netns": "web", "peer_name": "eth2"}])
    kernel.fail_at = len(kernel.applied) + 1
    (result,) = run(kernel, VETH, [{"peer_netns": "web", "name": "v0", "exclusive": True}])
    assert result["failed"]
    assert " Not taken back: delete veth" in result["msg"]


def test_check_mode_changes_nothing_and_has_no_lock_to_itself() -> None:
    kernel = MemoryKernel()
    run(kernel, NETNS, [{"name": "web"}])
    run(kernel, VETH, [{"peer_netns": "web", "name": "v0"}])
    before, done, locks = kernel.snapshot(), len(kernel.applied), kernel.locks
    item = {"netns": "web", "interface": "eth0", "pool": "10.0.0.0/24"}
    (foreseen,) = run(kernel, ADDRESS, [item], check=True)
    assert (kernel.snapshot(), len(kernel.applied), kernel.locks) == (before, done, locks)
    (happened,) = run(kernel, ADDRESS, [item])
    assert kernel.locks == locks + 1
    assert happened == foreseen


@pytest.mark.parametrize(
    ("path", "item", "said"),
    [
        ("/run/netns", {"name": "new"}, "Could not create netns 'new': Read-only file system (/run/netns)."),
        ("/run/netns", {"name": "web", "state": "absent"}, "Could not remove netns 'web': Read-only file system (/run/netns)."),
        ("/proc/sys", {"name": "new", "sysctls": {"net.ipv4.ip_forward": "1"}},
         "Could not set sysctl net.ipv4.ip_forward to '1' in netns 'new': Read-only file system (/proc/sys)."),
    ],
)  # fmt: skip
def test_what_is_read_only_is_said_before_the_first_change(path: str, item: dict[str, Any], said: str) -> None:
    kernel = MemoryKernel()
    run(kernel, NETNS, [{"name": "web"}, {"name": "db"}])
    kernel.fixed.add(path)
    before, done = kernel.snapshot(), len(kernel.applied)
    for check in (True, False):
        refused, other = run(kernel, NETNS, [item, {"name": "db"}], check=check)
        assert (refused["msg"], other["changed"]) == (said, False)
        assert (kernel.snapshot(), len(kernel.applied)) == (before, done)
    kernel.fixed.clear()
    assert run(kernel, NETNS, [item])[0]["changed"]


@pytest.mark.parametrize("error", [OSError(errno.EMFILE, "x"), MemoryError()])
def test_a_host_that_has_no_more_is_a_sentence(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = MemoryKernel()

    def lacks(*dummy: object, **more: object) -> None:
        raise error

    monkeypatch.setattr(kernel, "find", lacks)
    (result,) = run(kernel, VETH, [{"name": "v0", "peer_netns": "web"}])
    assert re.match(
        r"Could not read the state of veth v0: (Too many open files; raise|Cannot allocate memory)", result["msg"]
    )


def test_what_was_done_and_cannot_be_looked_at_was_done(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = MemoryKernel()

    def lacks(*dummy: object) -> None:
        raise MemoryError

    monkeypatch.setattr(NETNS, "observe", lacks)
    (result,) = run(kernel, NETNS, [{"name": "web"}])
    assert result["changed"]
    assert "failed" not in result


def test_later_items_see_what_earlier_ones_do() -> None:
    kernel = MemoryKernel()
    run(kernel, NETNS, [{"name": "web"}])
    results = run(kernel, NETNS, [{"name": "db"}, {"name": "copy", "share": "db"}, {"name": "web", "state": "absent"}])
    assert [one["changed"] for one in results] == [True, True, True]
    assert sorted(kernel.listing()) == ["copy", "db"]
    assert kernel.listing()["copy"].inode == kernel.listing()["db"].inode


def test_an_address_that_an_earlier_item_gives_up_is_free_for_a_later_one() -> None:
    kernel = MemoryKernel()
    run(kernel, NETNS, [{"name": "web"}, {"name": "db"}])
    run(kernel, BRIDGE, [{"name": "br0"}])
    run(kernel, VETH, [{"peer_netns": name, "bridge": "br0"} for name in ("web", "db")])
    mine = {"interface": "eth0", "bridge": "br0", "address": "10.0.0.2/24"}
    run(kernel, ADDRESS, [dict(mine, netns="web")])
    assert run(kernel, ADDRESS, [dict(mine, netns="db")])[0]["failed"]
    moved = run(kernel, ADDRESS, [dict(mine, netns="web", state="absent"), dict(mine, netns="db")])
    assert [one["changed"] for one in moved] == [True, True]


@pytest.mark.parametrize(("outdated", "asked"), [(0, 1), (1, 2), (9, 3)])
def test_engines_are_asked_again_where_a_container_is_started_before_the_lock(outdated: int, asked: int) -> None:
    """In the end it goes on with what they said."""
    kernel = MemoryKernel()
    answers = iter([False] * outdated + [True] * 9)
    said: list[int] = []
    kernel.answers_hold = lambda: next(answers)  # type: ignore[method-assign]
    with locked(kernel, False, lambda: said.append(kernel.locks)):
        assert kernel.locks == asked
    assert said == [*range(asked)], "each time before the lock"
