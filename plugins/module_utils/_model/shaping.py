# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the root queueing discipline of an interface does to what leaves by it: tbf holds it to a rate, netem delays and drops as well. Pure.

One discipline does all that is asked, so that a change is one message: there is no moment without a limit.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

from ansible_collections.linuxnet.containers.plugins.module_utils._model import values
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.values import MTU_HIGH

# By their handles ours are known. One each: the kernel puts one kind in the place of another only where the handle differs.
HANDLES = {"tbf": 0x4C4E0000, "netem": 0x4C4F0000}
_HEADER = 22  # bytes of Ethernet in front of a packet, with two VLAN tags
# tc-tbf(8): the bucket has to hold a packet, and what the rate lets through between two ticks of the clock, of which the slowest kernels have 100 a second.
_TICKS = 100
# What waits longer is dropped. With 50 ms TCP lost 8 % of 512kbit, with 100 none (docs/links.md).
_LATENCY = 100000  # microseconds
_TICK_BYTES = 64e-9  # seconds; the kernel tells the size of the bucket as a time, in units of so many
# Packets that netem holds: as many as are on their way at the rate, without one at a gigabit a second. At most so many, since nobody pays for that memory.
_NO_RATE, _LEAST, _MOST = 10**9, 64, 10000


@dataclass(frozen=True)
class Shape:
    """A queueing discipline; one without a kind stands for what the kernel gives by itself. ``rate`` in bits a second, ``delay`` and ``jitter`` in
    microseconds, ``loss`` in ten-thousandths of a percent, 0 for none. ``burst`` is tbf's bucket in bytes, ``limit`` what may wait: bytes with tbf,
    packets with netem.
    """

    kind: str = ""
    handle: int = 0
    rate: int = 0
    delay: int = 0
    jitter: int = 0
    loss: int = 0
    burst: int = 0
    limit: int = 0

    @property
    def ours(self) -> bool:
        """Return whether it bears our handle."""
        return self.handle != 0 and self.handle == HANDLES.get(self.kind)

    @property
    def name(self) -> str:
        """Return the words by which ``tc`` names it."""
        return "%s %x:" % (self.kind, self.handle >> 16)

    def fits(self, mtu: int) -> bool:
        """Return whether the bucket is of use with that MTU: it drops what it cannot hold, and lets all of a large one through at once."""
        slack = self.rate / 8 * _TICK_BYTES + 1
        return self.kind != "tbf" or burst(0, mtu) - slack <= self.burst <= burst(self.rate, MTU_HIGH) + slack

    def attributes(self, mtu: int) -> Dict[str, str]:
        """Return it as attributes of an interface with that MTU. Where it is ours, a rate whose bucket is of no use has that beside it, so that it is none
        that is asked for."""
        rate = values.rate_text(self.rate)
        return {
            "rate": rate if self.fits(mtu) or not self.ours else "%s burst %db" % (rate, self.burst),
            "delay": values.time_text(self.delay),
            "jitter": values.time_text(self.jitter),
            "loss": values.loss_text(self.loss),
        }

    def words(self) -> List[str]:
        """Return the words by which ``tc qdisc`` makes it."""
        rate = ["rate", values.rate_text(self.rate)] if self.rate else []
        if self.kind == "tbf":
            return ["tbf", *rate, "burst", "%db" % self.burst, "limit", "%db" % self.limit]
        words = ["netem", "limit", "%d" % self.limit]
        if self.delay:
            words += ["delay", values.time_text(self.delay)] + [values.time_text(self.jitter)] * bool(self.jitter)
        return words + (["loss", values.loss_text(self.loss)] if self.loss else []) + rate


NONE = Shape()


def burst(rate: int, mtu: int) -> int:
    """Return the bytes that the bucket holds for a rate in bits a second."""
    return rate // 8 // _TICKS + mtu + _HEADER


def wanted(asked: Mapping[str, Any], now: Shape, mtu: int) -> Shape:
    """Return what does what is ``asked``, attributes by name in canonical spelling, and besides what ``now`` does, on an interface with that MTU: `NONE`
    for nothing."""
    rate = values.bits(asked["rate"]) if "rate" in asked else now.rate
    delay = values.microseconds(asked["delay"]) if "delay" in asked else now.delay
    jitter = values.microseconds(asked["jitter"]) if "jitter" in asked else now.jitter
    loss = values.lost(asked["loss"]) if "loss" in asked else now.loss
    if delay or jitter or loss:
        on_their_way = (rate or _NO_RATE) // 8 * (delay + jitter + _LATENCY) // 10**6 // (mtu + _HEADER)
        limit = min(max(on_their_way, _LEAST), _MOST)
        return Shape("netem", HANDLES["netem"], rate, delay, jitter, loss, limit=limit)
    if not rate:
        return NONE
    bucket = burst(rate, mtu)
    return Shape("tbf", HANDLES["tbf"], rate, burst=bucket, limit=rate // 8 * _LATENCY // 10**6 + bucket)
