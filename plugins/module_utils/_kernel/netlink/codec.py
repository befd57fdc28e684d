# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Route netlink's messages, and sending them. The one file that imports pyroute2, whose classes say what a message is.

They are encoded and decoded here by `struct`, some forty times as fast as they do it themselves. What a message has, with which
number and of which type, is read from the class (``fields``, ``nla_map``); only what is asked for is decoded. What this cannot do
(types that few messages have) is left to the class itself.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import importlib.util
import socket
import struct
import sys
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink.transport import (
    ATTRIBUTE_BYTES,
    FAMILIES,
    HEADER_BYTES,
    NetlinkError,
    Socket,
    attribute,
    headers,
    spans,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Lacking
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import name_bytes
from ansible_collections.linuxnet.containers.plugins.module_utils._model.requirements import (
    old_library,
    unusable_library,
)

Attributes = List[Tuple[str, Any]]
_LENGTH_BYTES = 4  # of a message's own length, with which it begins


@contextlib.contextmanager
def _alone(package: str) -> Iterator[None]:
    """A block in which modules of a package are imported without the package itself, which for pyroute2 imports all there is
    (0.1 s). Afterwards nobody sees that they were: who imports the package later gets it whole. One that is there is used."""
    spec = importlib.util.find_spec(package) if package not in sys.modules else None
    if spec is not None:
        sys.modules[package] = importlib.util.module_from_spec(spec)
    try:
        yield
    finally:
        for name in [name for name in sys.modules if spec is not None and name.partition(".")[0] == package]:
            del sys.modules[name]


def _classes() -> Tuple[Any, ...]:
    from pyroute2.netlink.rtnl.fibmsg import fibmsg
    from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
    from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
    from pyroute2.netlink.rtnl.ndmsg import ndmsg
    from pyroute2.netlink.rtnl.nsidmsg import nsidmsg
    from pyroute2.netlink.rtnl.rtmsg import rtmsg

    return fibmsg, ifaddrmsg, ifinfmsg, ndmsg, nsidmsg, rtmsg


def _version() -> str:
    """Return the version of pyroute2, of whatever it has of itself."""
    try:
        from pyroute2.config.version import __version__ as version
    except ImportError:  # where 0.6 has it
        from pyroute2 import __version__ as version
    return str(version)


def _imported() -> Tuple[Any, ...]:
    """Return the classes. Raises `Lacking` for a version that is too old, and whatever a broken one raises."""
    try:
        with _alone("pyroute2"):
            old = old_library("pyroute2", _version())
            if old is None:
                return _classes()
    except ImportError:  # a version whose modules need the package, or none at all
        version = ""
        with contextlib.suppress(ImportError):
            version = _version()
        old = old_library("pyroute2", version)
    if old is not None:
        raise old
    return _classes()


PROBLEM: Optional[Lacking] = None  # why there is no pyroute2 to be used
try:
    fibmsg, ifaddrmsg, ifinfmsg, ndmsg, nsidmsg, rtmsg = _imported()
except Lacking as error:
    PROBLEM = error
except Exception as error:  # a broken release raises anything
    PROBLEM = unusable_library("pyroute2", error)
else:

    class addressmsg(ifaddrmsg):  # type: ignore[misc, valid-type]
        """ifaddrmsg with the attributes that pyroute2 lacks (0.7) or has with another type (0.9)."""

        nla_map = (
            *ifaddrmsg.nla_map[:9],
            ("IFA_RT_PRIORITY", "uint32"),
            ("IFA_TARGET_NETNSID", "int32"),
            ("IFA_PROTO", "uint8"),
        )

    class routemsg(rtmsg):  # type: ignore[misc, valid-type]
        """rtmsg with the attributes that pyroute2 lacks, and RTA_VIA (struct rtvia) as bytes. Its attributes count from 0."""

        nla_map = (
            *[(name, "cdata" if name == "RTA_VIA" else kind) for name, kind in rtmsg.nla_map[:24]],
            *[("RTA_%d" % number, "none") for number in range(24, 27)],
            ("RTA_IP_PROTO", "uint8"),
            ("RTA_SPORT", "be16"),
            ("RTA_DPORT", "be16"),
            ("RTA_NH_ID", "uint32"),
        )

    class netnsidmsg(nsidmsg):  # type: ignore[misc, valid-type]
        """nsidmsg with a signed id: -1 says that the namespace has none here."""

        nla_map = (("NETNSA_NONE", "none"), ("NETNSA_NSID", "int32"), ("NETNSA_PID", "uint32"), ("NETNSA_FD", "uint32"))


class Unknown(Exception):
    """A type that is left to pyroute2."""


def _ip(data: bytes) -> str:
    if len(data) not in (4, 16):
        raise struct.error
    return socket.inet_ntop(socket.AF_INET if len(data) == 4 else socket.AF_INET6, data)


def address_text(data: bytes) -> str:
    """Return an address of either family, ``""`` for what is none."""
    return _ip(data) if len(data) in (4, 16) else ""


def _packed_ip(value: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in value else socket.AF_INET, value)


def _mac(data: bytes) -> str:
    if len(data) != 6:
        raise Unknown
    return "%02x:%02x:%02x:%02x:%02x:%02x" % tuple(data)


def _number(form: str) -> Tuple[Callable[[Any], bytes], Callable[[bytes], Any]]:
    packer = struct.Struct(form)
    return packer.pack, lambda data: packer.unpack_from(data)[0]


def text(data: bytes) -> str:
    """Return the kernel's name, up to the closing NUL, as `name_bytes` takes it."""
    return data.partition(b"\0")[0].decode(errors="surrogateescape")


# What encodes and decodes each type.
_SIMPLE: Dict[str, Tuple[Callable[[Any], bytes], Callable[[bytes], Any]]] = {
    "asciiz": (lambda value: value if isinstance(value, bytes) else name_bytes(value) + b"\0", text),
    **dict.fromkeys(("ipaddr", "ip4addr", "ip6addr", "target"), (_packed_ip, _ip)),
    "cdata": (bytes, bytes),
    "uint8": _number("=B"),
    "uint16": _number("=H"),
    "be16": _number(">H"),
    "uint32": _number("=I"),
    "uint64": _number("=Q"),
    "int32": _number("=i"),
    "netns_fd": _number("=I"),
    **dict.fromkeys(("l2addr", "lladdr"), (lambda value: bytes.fromhex(value.replace(":", "")), _mac)),
}


class Codec:
    """Encodes and decodes the messages, or the nested attributes, of a class of pyroute2."""

    def __init__(self, cls: Any) -> None:
        self.cls = cls
        self._fields = [name for name, form in cls.fields if "x" not in form]
        self._header = struct.Struct("=" + "".join(form for dummy, form in cls.fields))
        self.header_bytes = (self._header.size + 3) & ~3
        self.is_number = self._fields == ["value"] and not cls.nla_map  # one for which the class has words
        # name: (number, type); where a class gives no numbers, it counts from 0
        self.attributes: Dict[str, Tuple[int, str]] = {}
        for number, entry in enumerate(cls.nla_map or ()):
            self.attributes[entry[-2]] = (entry[0] if len(entry) == 3 else number, entry[-1])
        # name: (number, what decodes it by itself)
        self.simple = {
            name: (number, _SIMPLE[kind][1]) for name, (number, kind) in self.attributes.items() if kind in _SIMPLE
        }

    def encode(self, fields: Mapping[str, Any], attributes: Iterable[Tuple[str, Any]]) -> bytes:
        """Return a body: header and attributes. Raises `Unknown`."""
        given = list(attributes)
        parts = [self._header.pack(*[fields.get(name, 0) for name in self._fields])]
        parts[0] += bytes(self.header_bytes - self._header.size)
        for name, value in given:
            if name not in self.attributes:
                raise Unknown
            number, kind = self.attributes[name]
            parts.append(attribute(number, self._encoded(kind, value, given)))
        return b"".join(parts)

    def _encoded(self, kind: str, value: Any, given: List[Tuple[str, Any]]) -> bytes:
        if kind in _SIMPLE:
            return _SIMPLE[kind][0](value)
        codec = self._nested(kind, lambda name: dict(given).get(name))
        if codec.attributes:
            return codec.encode(value, value.get("attrs", ()))
        if codec.is_number:
            return codec._header.pack(value)
        return codec._header.pack(*[value[name] for name in codec._fields])

    def decoded(self, kind: str, data: bytes, sibling: Callable[[str], Any]) -> Any:
        """Return the value of an attribute; ``sibling`` gives the value of another beside it. Raises `Unknown`, struct.error."""
        if kind in _SIMPLE:
            return _SIMPLE[kind][1](data)
        codec = self._nested(kind, sibling)
        if codec.is_number:
            return codec.header(data)["value"]
        return Message(codec, data) if codec.attributes else codec.header(data)

    def header(self, data: bytes) -> Dict[str, Any]:
        """Return the fields at the start of a body. Raises struct.error."""
        return dict(zip(self._fields, self._header.unpack_from(data)))

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

    ``whole`` is the message with its netlink header, for what is left to pyroute2. Both raise `NetlinkError` (EBADMSG) for bytes
    that are not what the class says.
    """

    __slots__ = ("_codec", "_data", "_fields", "_spans", "_whole")

    def __init__(self, codec: Codec, data: bytes, whole: bytes = b"") -> None:
        self._codec = codec
        self._data = data
        self._whole = whole
        self._fields: Optional[Dict[str, Any]] = None
        self._spans: Optional[Dict[int, Tuple[int, int]]] = None

    def __getitem__(self, name: str) -> Any:
        if self._fields is None:
            try:
                self._fields = self._codec.header(self._data)
            except struct.error:
                raise self._malformed("header")
        return self._fields[name]

    def _found(self) -> Dict[int, Tuple[int, int]]:
        if self._spans is None:
            self._spans = spans(self._data, self._codec.header_bytes)
        return self._spans

    def places(self) -> int:
        """Return which bits of the message with its header, taken as a number, say where its attributes are: its length, and their headers."""
        others = bytearray(b"\xff" * len(self._whole))
        others[:_LENGTH_BYTES] = bytes(_LENGTH_BYTES)
        for offset in headers(self._data, self._codec.header_bytes):
            others[HEADER_BYTES + offset : HEADER_BYTES + offset + ATTRIBUTE_BYTES] = bytes(ATTRIBUTE_BYTES)
        return ~int.from_bytes(others[: len(self._whole)], "little")

    def placed_as(self, other: Message) -> None:
        """Take over where the attributes are of a message whose are in the same places."""
        self._spans = other._found()

    def names(self) -> List[str]:
        """Return the names of the attributes that are there, ``UNKNOWN`` for what pyroute2 does not know."""
        known = {number: name for name, (number, dummy) in self._codec.attributes.items()}
        return [known.get(number, "UNKNOWN") for number in self._found()]

    def get_attr(self, name: str) -> Any:
        """Return the value of an attribute, None where there is none."""
        number, decoded = self._codec.simple.get(name) or (self._codec.attributes[name][0], None)
        span = (self._found() if self._spans is None else self._spans).get(number)
        if span is None:
            return None
        data = self._data[span[0] : span[1]]
        try:
            if decoded is not None:
                return decoded(data)
            return self._codec.decoded(self._codec.attributes[name][1], data, self.get_attr)
        except Unknown:
            return self._by_pyroute2(name)
        except struct.error:
            raise self._malformed(name)

    def mask(self, differ: Mapping[str, int]) -> int:
        """Return which bits of the message with its header, taken as a number, are not in the values of these attributes, from some byte on; those of
        longer messages are none of them."""
        bits = bytearray(len(self._whole))
        for name, skipped in differ.items():
            start, end = self.span(name)
            bits[start + skipped : end] = b"\xff" * max(end - start - skipped, 0)
        return ~int.from_bytes(bits, "little")

    def span(self, name: str) -> Tuple[int, int]:
        """Return where the value of an attribute begins and ends in the message with its header; at its start where it is not there."""
        start, end = self._found().get(self._codec.attributes[name][0], (0, 0))
        return (start + HEADER_BYTES, min(end, len(self._data)) + HEADER_BYTES) if start else (0, 0)

    def raw(self, name: str) -> bytes:
        """Return the bytes of an attribute, none where it is not there."""
        start, end = self._found().get(self._codec.attributes[name][0], (0, 0))
        return self._data[start:end]

    def _by_pyroute2(self, name: str) -> Any:
        """Return an attribute as pyroute2 decodes it, which can do so with a whole message only."""
        try:
            message = self._codec.cls(self._whole)
            message.decode()
            return message.get_attr(name)
        except Exception:  # whatever it raises for bytes that it does not understand
            raise self._malformed(name)

    def _malformed(self, what: str) -> NetlinkError:
        return NetlinkError(errno.EBADMSG, "%s of %s is not as expected" % (what, self._codec.cls.__name__))


def decode(cls: Any, data: bytes) -> Message:
    """Return a message with its netlink header."""
    return Message(codec_of(cls), data[HEADER_BYTES:], data)


def encode(cls: Any, fields: Mapping[str, Any], attributes: Iterable[Tuple[str, Any]]) -> bytes:
    """Return the body of a message, without its netlink header. Raises `NetlinkError` (ERANGE) for a number that does not fit."""
    given = list(attributes)
    try:
        return codec_of(cls).encode(fields, given)
    except Unknown:
        message = cls()
        for name, value in fields.items():
            message[name] = value
        message["attrs"] = given
        message.encode()
        return bytes(message.data[HEADER_BYTES:])
    except struct.error as error:
        raise NetlinkError(errno.ERANGE, str(error))


class MessageRun:
    """Messages that follow each other and differ in nothing but some attributes: the ``first``, the ``data`` of all, and what is ``alike`` in them
    as a number, which is that of any other such run."""

    __slots__ = ("alike", "data", "first")

    def __init__(self, first: Message, alike: int) -> None:
        self.first, self.alike = first, alike
        self.data: List[bytes] = []

    def values(self, name: str) -> List[bytes]:
        """Return the bytes of an attribute of each, none where it is not there."""
        start, end = self.first.span(name)
        return [data[start:end] for data in self.data]


def dump_in_runs(
    sock: Socket,
    cls: Any,
    type_: int,
    fields: Mapping[str, Any],
    attrs: Sequence[Tuple[str, Any]],
    differ: Mapping[str, int],
) -> List[MessageRun]:
    """Return the messages of a dump in runs of those that differ in the values of the attributes ``differ`` only, each from some byte on.

    A container's root can make thousands of routes, and mostly makes them alike: to see that takes a fraction of decoding each.
    """
    runs: List[MessageRun] = []
    alike, mask, run = -1, 0, None
    for data in sock.dump(type_, encode(cls, fields, attrs)):
        number = int.from_bytes(data, "little")
        if run is None or number & mask != alike:
            first = decode(cls, data)
            mask = first.mask(differ)
            alike = number & mask
            run = MessageRun(first, alike)
            runs.append(run)
        run.data.append(data)
    return runs


VERSIONS = {family: version for version, family in FAMILIES.items()}
# What addresses and routes have alike: include/uapi/linux/rtnetlink.h, enum rt_scope_t.
SCOPES = {"global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255}
_SCOPE_NAMES = {value: name for name, value in SCOPES.items()}


def scope_name(scope: int) -> str:
    """Return iproute2's word for a scope, the number where it has none."""
    return _SCOPE_NAMES.get(scope, str(scope))


def request(
    sock: Socket, cls: Any, type_: int, flags: int, fields: Mapping[str, Any], attrs: Sequence[Tuple[str, Any]] = ()
) -> List[Message]:
    """Send a message and return the decoded answers. Raises `NetlinkError` where the kernel refuses."""
    return [decode(cls, data) for data in sock.request(type_, flags, encode(cls, fields, attrs))]


def dump(
    sock: Socket, cls: Any, type_: int, fields: Mapping[str, Any], attrs: Sequence[Tuple[str, Any]] = ()
) -> List[Message]:
    """Return the messages of a dump, see `Socket.dump`. Where the attributes of one are in the places of those of the one before, they are not
    looked for again: of a link it would be the most work."""
    found: List[Message] = []
    like, alike, mask = None, 0, 0
    for data in sock.dump(type_, encode(cls, fields, attrs)):
        message, number = decode(cls, data), int.from_bytes(data, "little")
        if like is not None and number & mask == alike:
            message.placed_as(like)
        else:
            like, mask = message, message.places()
            alike = number & mask
        found.append(message)
    return found
