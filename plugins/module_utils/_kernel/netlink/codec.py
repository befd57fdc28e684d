# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pyroute2's message classes, encoded and decoded by `struct`: some forty times as fast as they do it themselves. Pure.

What a message has, with which number and of which type, is read from the class (``fields``, ``nla_map``). Only what is
asked for is decoded. What this cannot do (types that few messages have) is left to the class itself.
"""

from __future__ import annotations

import functools
import socket
import struct
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Tuple

Attributes = Iterable[Tuple[str, Any]]

_ATTRIBUTE = struct.Struct("=HH")
_TYPE_MASK = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER
_MESSAGE_HEADER = 16


class Unknown(Exception):
    """A type that is left to pyroute2."""


def _ip(data: bytes) -> str:
    if len(data) not in (4, 16):
        raise Unknown
    return socket.inet_ntop(socket.AF_INET if len(data) == 4 else socket.AF_INET6, data)


def _packed_ip(value: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in value else socket.AF_INET, value)


def _mac(data: bytes) -> str:
    if len(data) != 6:
        raise Unknown
    return "%02x:%02x:%02x:%02x:%02x:%02x" % tuple(data)


def _text(data: bytes) -> str:
    try:
        return data.rstrip(b"\0").decode()
    except UnicodeDecodeError:
        raise Unknown


def _number(form: str) -> Tuple[Callable[[Any], bytes], Callable[[bytes], Any]]:
    packer = struct.Struct(form)
    return packer.pack, lambda data: packer.unpack_from(data)[0]


# What encodes and decodes each type.
_SIMPLE: Dict[str, Tuple[Callable[[Any], bytes], Callable[[bytes], Any]]] = {
    "asciiz": (lambda value: value.encode() + b"\0", _text),
    "ipaddr": (_packed_ip, _ip),
    "target": (_packed_ip, _ip),
    "uint8": _number("=B"),
    "uint16": _number("=H"),
    "uint32": _number("=I"),
    "uint64": _number("=Q"),
    "int32": _number("=i"),
    "netns_fd": _number("=I"),
    "l2addr": (lambda value: bytes.fromhex(value.replace(":", "")), _mac),
}


class Codec:
    """What encodes and decodes the messages, or the nested attributes, of one of pyroute2's classes."""

    def __init__(self, cls: Any) -> None:
        self.cls = cls
        self._fields = [name for name, form in cls.fields if "x" not in form]
        self._header = struct.Struct("=" + "".join(form for dummy, form in cls.fields))
        self._size = (self._header.size + 3) & ~3
        # name: (number, type); where a class gives no numbers, it counts from 0
        self.attributes: Dict[str, Tuple[int, str]] = {}
        for place, entry in enumerate(cls.nla_map or ()):
            self.attributes[entry[-2]] = (entry[0] if len(entry) == 3 else place, entry[-1])

    def encode(self, fields: Mapping[str, Any], attributes: Attributes) -> bytes:
        """Return a body: header and attributes. Raises `Unknown`."""
        given = list(attributes)
        parts = [self._header.pack(*[fields.get(name, 0) for name in self._fields])]
        parts[0] += bytes(self._size - self._header.size)
        for name, value in given:
            if name not in self.attributes:
                raise Unknown
            number, kind = self.attributes[name]
            data = self._encoded(kind, value, given)
            parts.append(_ATTRIBUTE.pack(len(data) + 4, number) + data + bytes(-len(data) % 4))
        return b"".join(parts)

    def _encoded(self, kind: str, value: Any, given: List[Tuple[str, Any]]) -> bytes:
        if kind in _SIMPLE:
            return _SIMPLE[kind][0](value)
        codec = self._nested(kind, lambda name: dict(given).get(name))
        if codec.attributes:
            return codec.encode(value, value.get("attrs", ()))
        return codec._header.pack(*[value[name] for name in codec._fields])

    def decoded(self, kind: str, data: bytes, sibling: Callable[[str], Any]) -> Any:
        """Return the value of an attribute; ``sibling`` gives one of those beside it. Raises `Unknown`."""
        if kind in _SIMPLE:
            return _SIMPLE[kind][1](data)
        codec = self._nested(kind, sibling)
        return Message(codec, data) if codec.attributes else codec.header(data)

    def header(self, data: bytes) -> Dict[str, Any]:
        """Return the fields at the start of a body."""
        return dict(zip(self._fields, self._header.unpack_from(data)))

    def places(self, data: bytes) -> Dict[int, Tuple[int, int]]:
        """Return where the attributes of a body are, by their numbers; the first, where there are several of one number."""
        found: Dict[int, Tuple[int, int]] = {}
        offset, end = self._size, len(data)
        unpack = _ATTRIBUTE.unpack_from
        while offset + 4 <= end:
            length, number = unpack(data, offset)
            if length < 4:
                break
            found.setdefault(number & _TYPE_MASK, (offset + 4, offset + length))
            offset += (length + 3) & ~3
        return found

    def _nested(self, kind: str, sibling: Callable[[str], Any]) -> Codec:
        """Return the codec of a type that is a class of its own, or a function that chooses one. Raises `Unknown`."""
        found = getattr(self.cls, kind, None)
        if found is not None and not isinstance(found, type):
            found = found(_Owner(self.cls, sibling))
        if not isinstance(found, type):
            raise Unknown
        structure, attributes = found.fields, found.nla_map  # type: ignore[attr-defined]
        if not (structure or attributes) or (attributes and not isinstance(attributes, (tuple, list))):
            raise Unknown
        return codec_of(found)


class _Owner:
    """What pyroute2's functions that choose a type look at: the class, and the attributes beside."""

    def __init__(self, cls: Any, get_attr: Callable[[str], Any]) -> None:
        self._cls = cls
        self.get_attr = get_attr

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cls, name)

    def __getitem__(self, name: str) -> Any:
        raise Unknown  # it chooses by a field


@functools.lru_cache(maxsize=None)
def codec_of(cls: Any) -> Codec:
    """Return the codec of a class of pyroute2."""
    return Codec(cls)


class Message:
    """A decoded message, or a nested attribute: fields by subscript, attributes by `get_attr`, as in pyroute2.

    ``whole`` is the message with its netlink header, for what is left to pyroute2.
    """

    __slots__ = ("_codec", "_data", "_fields", "_places", "_whole")

    def __init__(self, codec: Codec, data: bytes, whole: bytes = b"") -> None:
        self._codec = codec
        self._data = data
        self._whole = whole
        self._fields: Optional[Dict[str, Any]] = None
        self._places: Optional[Dict[int, Tuple[int, int]]] = None

    def __getitem__(self, name: str) -> Any:
        if self._fields is None:
            self._fields = self._codec.header(self._data)
        return self._fields[name]

    def _found(self) -> Dict[int, Tuple[int, int]]:
        if self._places is None:
            self._places = self._codec.places(self._data)
        return self._places

    def names(self) -> List[str]:
        """Return the names of the attributes that are there, ``UNKNOWN`` for one that pyroute2 does not know."""
        known = {number: name for name, (number, dummy) in self._codec.attributes.items()}
        return [known.get(number, "UNKNOWN") for number in self._found()]

    def get_attr(self, name: str) -> Any:
        """Return the value of an attribute, None where there is none."""
        number, kind = self._codec.attributes[name]
        place = self._found().get(number)
        if place is None:
            return None
        try:
            return self._codec.decoded(kind, self._data[place[0] : place[1]], self.get_attr)
        except Unknown:
            if not self._whole:
                raise
            return self._by_pyroute2(name)

    def _by_pyroute2(self, name: str) -> Any:
        message = self._codec.cls(self._whole)
        message.decode()
        return message.get_attr(name)


def decode(cls: Any, data: bytes) -> Message:
    """Return a message with its netlink header."""
    return Message(codec_of(cls), data[_MESSAGE_HEADER:], data)


def encode(cls: Any, fields: Mapping[str, Any], attributes: Attributes) -> bytes:
    """Return the body of a message, without its netlink header."""
    given = list(attributes)
    try:
        return codec_of(cls).encode(fields, given)
    except Unknown:
        message = cls()
        for name, value in fields.items():
            message[name] = value
        message["attrs"] = given
        message.encode()
        return bytes(message.data[_MESSAGE_HEADER:])
