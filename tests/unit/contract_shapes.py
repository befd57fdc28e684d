# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a kernel must do with what holds up what leaves by an interface."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import Any

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import (
    MoveLink,
    SetLink,
    SetShape,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST
from ansible_collections.linuxnet.containers.plugins.module_utils._model.shaping import NONE, Shape, wanted
from ansible_collections.linuxnet.containers.tests.unit.kernel_contract import WEB, case, link, pair, refused

TBF = wanted({"rate": "10mbit"}, NONE, 1500)
NETEM = wanted({"delay": "10ms", "jitter": "1ms", "loss": "0.5%"}, TBF, 1500)


def shape(kernel: Any, name: str = "web0", ref: Any = HOST) -> Shape:
    found: Shape = kernel.shape(kernel.find(ref), link(kernel, ref, name).index)
    return replace(found, burst=found.burst and -(-found.burst // 10) * 10)  # it is told as a time, and so rounded


def told(one: Shape) -> Shape:
    return replace(one, burst=-(-one.burst // 10) * 10)


@case
def a_tbf_is_given_changed_and_taken_away(kernel: Any) -> None:
    pair(kernel)
    assert shape(kernel) == NONE
    kernel.apply(SetShape(HOST, "web0", TBF, NONE))
    assert (shape(kernel), link(kernel, HOST, "web0").get("qdisc")) == (told(TBF), "tbf")
    slow = wanted({"rate": "1mbit"}, NONE, 1500)
    kernel.apply(SetShape(HOST, "web0", slow, TBF))
    assert shape(kernel) == told(slow)
    kernel.apply(SetLink(HOST, "web0", {"name": "w0", "mtu": 1400}))
    assert shape(kernel, "w0") == told(slow)
    kernel.apply(SetShape(HOST, "w0", NONE, slow))
    assert shape(kernel, "w0") == NONE
    kernel.apply(SetShape(HOST, "w0", NONE, slow))  # gone already
    refused(kernel, SetShape(HOST, "web0", TBF, NONE), errno.ENODEV)


@case
def a_tbf_does_not_move_along(kernel: Any) -> None:
    pair(kernel)
    kernel.apply(SetShape(WEB, "eth0", TBF, NONE))
    assert shape(kernel, "eth0", WEB) == told(TBF)
    kernel.apply(MoveLink(WEB, "eth0", HOST, "x0"))
    assert shape(kernel, "x0") == NONE


@case
def a_netem_takes_the_place_of_a_tbf(kernel: Any) -> None:
    pair(kernel)
    kernel.apply(SetShape(HOST, "web0", TBF, NONE))
    kernel.apply(SetShape(HOST, "web0", NETEM, TBF))
    assert (shape(kernel), link(kernel, HOST, "web0").get("qdisc")) == (NETEM, "netem")
    kernel.apply(SetShape(HOST, "web0", TBF, NETEM))
    assert shape(kernel) == told(TBF)
