# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Root queueing disciplines over route netlink: tbf and netem whole, of others the name and the handle.

The options of both are structures of include/uapi/linux/pkt_sched.h with attributes behind or around them, which are packed here: pyroute2's module for
them imports those of all disciplines that there are.
"""

from __future__ import annotations

import errno
import struct
from typing import Dict

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import codec
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink.transport import (
    ACK,
    CREATE,
    REPLACE,
    NetlinkError,
    Socket,
    attribute,
    attributes,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.shaping import NONE, Shape
from ansible_collections.linuxnet.containers.plugins.module_utils._model.values import LOSS_WHOLE, U32

_NEWQDISC, _DELQDISC, _GETQDISC = 36, 37, 38
_ECHO = 0x8  # NLM_F_ECHO: without it the answer goes to those only who watch all changes (tc monitor)
_ROOT = 0xFFFFFFFF  # TC_H_ROOT
_TICK = 64  # nanoseconds, PSCHED_TICKS2NS of include/net/pkt_sched.h
_RATE = struct.Struct(
    "=BBHhHI"
)  # struct tc_ratespec: cell_log, linklayer, overhead, cell_align, mpu, rate in bytes a second
_ETHERNET = 1  # TC_LINKLAYER_ETHERNET
_NO_PEAK = bytes(_RATE.size)
_TBF = struct.Struct("=12s12sIII")  # struct tc_tbf_qopt: rate, peakrate, limit, buffer in ticks, mtu
_TBF_PARMS, _TBF_RATE64, _TBF_BURST = 1, 4, 6
_NETEM = struct.Struct(
    "=IIIIII"
)  # struct tc_netem_qopt: latency in ticks, limit, loss of U32, gap, duplicate, jitter in ticks
_NETEM_RATE, _NETEM_RATE64, _NETEM_LATENCY64, _NETEM_JITTER64 = 6, 8, 10, 11
_NETEM_RATESPEC = struct.Struct(
    "=IiIi"
)  # struct tc_netem_rate: rate in bytes a second, and what is added to each packet
_U64 = struct.Struct("=Q")


class tcmsg:
    """struct tcmsg of include/uapi/linux/rtnetlink.h, in the words of pyroute2. Its attributes count from 0."""

    fields = (
        ("family", "B"),
        ("pad", "3x"),
        ("index", "i"),
        ("handle", "I"),
        ("parent", "I"),
        ("info", "I"),
    )
    nla_map = (("TCA_UNSPEC", "none"), ("TCA_KIND", "asciiz"), ("TCA_OPTIONS", "cdata"))


def read(sock: Socket, index: int) -> Shape:
    """Return what the interface of that index has at its root, `NONE` where that is what the kernel gave it. Raises `NetlinkError`."""
    try:
        found = codec.request(sock, tcmsg, _GETQDISC, ACK | _ECHO, {"index": index, "parent": _ROOT})
    except NetlinkError as error:
        if error.errno not in (errno.ENOENT, errno.EINVAL):  # none that it shows
            raise
        return NONE
    return _shape(found[0]) if found else NONE


def _shape(message: codec.Message) -> Shape:
    kind, handle, options = message.get_attr("TCA_KIND") or "", message["handle"], message.raw("TCA_OPTIONS")
    try:
        if kind == "tbf":
            return _tbf(handle, attributes(options))
        if kind == "netem":
            return _netem(handle, options)
    except struct.error as error:
        raise NetlinkError(errno.EBADMSG, "the options of %s are not as expected" % kind) from error
    return Shape(kind, handle) if handle else NONE


def _number(found: Dict[int, bytes], type_: int, otherwise: int) -> int:
    return int(_U64.unpack(found[type_])[0]) if type_ in found else otherwise


def _tbf(handle: int, found: Dict[int, bytes]) -> Shape:
    rate, _peak, limit, buffer, _mtu = _TBF.unpack(found.get(_TBF_PARMS, b""))
    bytes_a_second = _number(found, _TBF_RATE64, _RATE.unpack(rate)[-1])
    burst = bytes_a_second * buffer * _TICK // 10**9
    return Shape("tbf", handle, bytes_a_second * 8, burst=burst, limit=limit)


def _netem(handle: int, options: bytes) -> Shape:
    latency, limit, loss, _gap, _duplicate, jitter = _NETEM.unpack_from(options)
    found = attributes(options[_NETEM.size :])
    times = (_number(found, _NETEM_LATENCY64, latency * _TICK), _number(found, _NETEM_JITTER64, jitter * _TICK))
    spec = found.get(_NETEM_RATE)
    rate = _number(found, _NETEM_RATE64, _NETEM_RATESPEC.unpack(spec)[0] if spec else 0)
    delay, varies = (round(nanoseconds / 1000) for nanoseconds in times)
    return Shape("netem", handle, rate * 8, delay, varies, round(loss * LOSS_WHOLE / U32), limit=limit)


def put(sock: Socket, index: int, shape: Shape) -> None:
    """Give the interface of that index a tbf or a netem, in place of what it has, or change that. Raises `NetlinkError`, EOPNOTSUPP where the
    kernel has none."""
    options = _tbf_options(shape) if shape.kind == "tbf" else _netem_options(shape)
    fields = {"index": index, "parent": _ROOT, "handle": shape.handle}
    attrs: codec.Attributes = [("TCA_KIND", shape.kind), ("TCA_OPTIONS", options)]
    try:
        codec.request(sock, tcmsg, _NEWQDISC, ACK | CREATE | REPLACE, fields, attrs)
    except NetlinkError as error:
        if error.errno != errno.ENOENT:
            raise
        raise NetlinkError(
            errno.EOPNOTSUPP, "there is no %s, of the module sch_%s" % (shape.kind, shape.kind)
        ) from error


def _tbf_options(shape: Shape) -> bytes:
    speed = shape.rate // 8
    rate = _RATE.pack(0, _ETHERNET, 0, -1, 0, min(speed, U32))
    buffer = min(shape.burst * 10**9 // speed // _TICK, U32)
    found = attribute(_TBF_PARMS, _TBF.pack(rate, _NO_PEAK, min(shape.limit, U32), buffer, 0))
    found += attribute(_TBF_BURST, struct.pack("=I", shape.burst))
    return found + attribute(_TBF_RATE64, _U64.pack(speed)) if speed > U32 else found


def _netem_options(shape: Shape) -> bytes:
    speed, loss = shape.rate // 8, round(shape.loss * U32 / LOSS_WHOLE)
    found = _NETEM.pack(0, shape.limit, loss, 0, 0, 0)
    found += attribute(_NETEM_RATE, _NETEM_RATESPEC.pack(min(speed, U32), 0, 0, 0))
    found += attribute(_NETEM_RATE64, _U64.pack(speed)) if speed > U32 else b""
    found += attribute(_NETEM_LATENCY64, _U64.pack(shape.delay * 1000))
    return found + attribute(_NETEM_JITTER64, _U64.pack(shape.jitter * 1000))


def delete(sock: Socket, index: int, handle: int) -> None:
    """Take away what the interface of that index has at its root, where it has that handle; another is left alone. Raises `NetlinkError`."""
    try:
        codec.request(sock, tcmsg, _DELQDISC, ACK, {"index": index, "parent": _ROOT, "handle": handle})
    except NetlinkError as error:
        if error.errno not in (errno.ENOENT, errno.EINVAL):  # gone already
            raise
