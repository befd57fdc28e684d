# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deferred data classes are data classes: the same class, made both ways, does the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model import deferred

Maker = Callable[..., Any]


def pair(dataclass: Maker) -> tuple[Any, Any]:
    """A class and one that is derived from it, as `dataclass` makes them."""

    @dataclass(frozen=True, order=True)
    class Address:
        """What is here."""

        ip: str
        prefix: int = 24
        hidden: str = dataclasses.field(default="", compare=False)

        def text(self) -> str:
            return f"{self.ip}/{self.prefix}"

    @dataclass(frozen=True)
    class Lease(Address):
        """An address, and for whom."""

        owners: list[str] = dataclasses.field(default_factory=list, hash=False)

    return Address, Lease


@pytest.mark.parametrize("dataclass", [dataclasses.dataclass, deferred.dataclass])
def test_a_class_does_what_a_data_class_does(dataclass: Maker) -> None:
    address, lease = pair(dataclass)
    one = address("10.0.0.1")
    assert (one.ip, one.prefix, one.text()) == ("10.0.0.1", 24, "10.0.0.1/24")
    assert repr(one).endswith("Address(ip='10.0.0.1', prefix=24, hidden='')")
    assert one == address("10.0.0.1", 24, hidden="x") != address("10.0.0.2")
    assert one < address("10.0.0.2")
    assert {one, address("10.0.0.1")} == {one}
    assert dataclasses.replace(one, prefix=16) == address("10.0.0.1", prefix=16)
    assert [field.name for field in dataclasses.fields(lease("10.0.0.1"))] == ["ip", "prefix", "hidden", "owners"]
    assert lease("10.0.0.1").owners == []
    assert lease("10.0.0.1").owners is not lease("10.0.0.1").owners
    assert lease("10.0.0.1") != one
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.ip = "10.0.0.9"
    with pytest.raises(TypeError, match=r"missing 1 required positional argument: 'ip'"):
        address()


@pytest.mark.parametrize("dataclass", [dataclasses.dataclass, deferred.dataclass])
def test_a_derived_class_may_come_first(dataclass: Maker) -> None:
    address, lease = pair(dataclass)
    assert hash(lease("10.0.0.1", owners=["web"])) == hash(lease("10.0.0.1"))
    assert address("10.0.0.1").text() == lease("10.0.0.1").text()


@pytest.mark.parametrize("dataclass", [dataclasses.dataclass, deferred.dataclass])
def test_a_plain_class_may_be_derived_and_a_data_class_may_change(dataclass: Maker) -> None:
    @dataclass()
    class Counter:
        """What is counted."""

        seen: int = 0

    class Loud(Counter):
        """One without fields of its own."""

    loud = Loud(3)
    loud.seen += 1
    assert loud == Loud(4) != Counter(4)
    assert "seen=4" in repr(loud)


def test_nothing_is_made_before_the_first_instance() -> None:
    address, lease = pair(deferred.dataclass)
    assert not dataclasses.is_dataclass(address)
    assert not dataclasses.is_dataclass(lease)
    address("10.0.0.1")
    assert dataclasses.is_dataclass(address)
    assert not hasattr(address, "_deferred")
    assert "_deferred" in vars(lease)
