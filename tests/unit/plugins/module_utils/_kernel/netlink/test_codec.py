# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages by struct are those that pyroute2 makes, and say what pyroute2 reads in them; and how pyroute2 is imported."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import codec
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink.transport import (
    NetlinkError,
    attribute,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import name_bytes
from pyroute2.netlink.rtnl.fibmsg import fibmsg
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

PEER = {"attrs": [("IFLA_IFNAME", "eth0"), ("IFLA_MTU", 1400), ("IFLA_NET_NS_FD", 7)]}
PAIR = [("IFLA_INFO_KIND", "veth"), ("IFLA_INFO_DATA", {"attrs": [("VETH_INFO_PEER", PEER)]})]
BRIDGE_DATA = [("IFLA_BR_STP_STATE", 1), ("IFLA_BR_AGEING_TIME", 30000), ("IFLA_BR_VLAN_FILTERING", 0)]
BRIDGE = [("IFLA_INFO_KIND", "bridge"), ("IFLA_INFO_DATA", {"attrs": BRIDGE_DATA})]
PORT_DATA = [("IFLA_BRPORT_MODE", 1), ("IFLA_BRPORT_COST", 2), ("IFLA_BRPORT_PRIORITY", 32)]
PORT = [("IFLA_INFO_SLAVE_KIND", "bridge"), ("IFLA_INFO_SLAVE_DATA", {"attrs": PORT_DATA})]
TIMES = {"ifa_preferred": 60, "ifa_valid": 4294967295, "cstamp": 0, "tstamp": 0}
INET4, INET6 = socket.AF_INET, socket.AF_INET6
VLAN = [("IFLA_BRIDGE_VLAN_INFO", {"vid": 10, "flags": 6})]
HOP = {"flags": 0, "hops": 1, "oif": 2, "family": INET4, "attrs": [("RTA_GATEWAY", "10.0.0.1")]}

Message = tuple[Any, dict[str, int], list[tuple[str, Any]]]  # pyroute2's class, fields, attributes
MESSAGES: dict[str, Message] = {
    "a link by name": (ifinfmsg, {}, [("IFLA_IFNAME", "x"), ("IFLA_EXT_MASK", 8)]),
    "a link by index": (ifinfmsg, {"index": 12}, []),
    "a pair": (
        ifinfmsg,
        {"flags": 1, "change": 1},
        [
            ("IFLA_IFNAME", "web0"),
            ("IFLA_ADDRESS", "02:0a:00:00:00:ff"),
            ("IFLA_TXQLEN", 1000),
            ("IFLA_LINKINFO", {"attrs": PAIR}),
            ("IFLA_MASTER", 3),
        ],
    ),
    "a bridge": (ifinfmsg, {}, [("IFLA_IFNAME", "br0"), ("IFLA_LINKINFO", {"attrs": BRIDGE})]),
    "a port": (ifinfmsg, {"index": 4}, [("IFLA_LINKINFO", {"attrs": PORT}), ("IFLA_IFALIAS", "vers l'été")]),
    "an address": (
        ifaddrmsg,
        {"family": INET4, "prefixlen": 24, "index": 2},
        [("IFA_LOCAL", "10.0.0.2"), ("IFA_ADDRESS", "10.0.0.2"), ("IFA_LABEL", "eth0"), ("IFA_CACHEINFO", TIMES)],
    ),
    "an IPv6 address": (
        ifaddrmsg,
        {"family": INET6, "prefixlen": 64, "scope": 0, "index": 2},
        [("IFA_LOCAL", "fd00::2"), ("IFA_ADDRESS", "fd00::2"), ("IFA_FLAGS", 0x202)],
    ),
    "a route": (
        rtmsg,
        {"family": INET4, "dst_len": 8, "table": 254, "proto": 76, "scope": 0, "type": 1},
        [
            ("RTA_TABLE", 254),
            ("RTA_DST", "10.0.0.0"),
            ("RTA_GATEWAY", "10.1.0.1"),
            ("RTA_OIF", 2),
            ("RTA_METRICS", {"attrs": [("RTAX_MTU", 1400), ("RTAX_ADVMSS", 1360)]}),
        ],
    ),
    "a rule": (fibmsg, {"family": INET6, "src_len": 64, "action": 1}, [("FRA_SRC", "fd00::"), ("FRA_PRIORITY", 100)]),
}
# Of types that are left to pyroute2.
OTHERS: dict[str, Message] = {
    "a route with two next hops": (rtmsg, {"family": INET4, "type": 1}, [("RTA_MULTIPATH", [HOP, HOP])]),
    "VLANs": (ifinfmsg, {"family": socket.AF_BRIDGE, "index": 4}, [("IFLA_AF_SPEC", {"attrs": VLAN})]),
}


def by_pyroute2(cls: Any, fields: dict[str, Any], attributes: list[Any]) -> bytes:
    message = cls()
    for name, value in fields.items():
        message[name] = value
    message["attrs"] = attributes
    message.encode()
    return bytes(message.data)


@pytest.mark.parametrize("what", [*MESSAGES, *OTHERS])
def test_a_body_is_the_one_that_pyroute2_makes(what: str) -> None:
    cls, fields, attributes = {**MESSAGES, **OTHERS}[what]
    assert codec.encode(cls, fields, attributes) == by_pyroute2(cls, fields, attributes)[16:]


@pytest.mark.parametrize("what", MESSAGES)
def test_none_of_these_is_left_to_pyroute2(what: str) -> None:
    cls, fields, attributes = MESSAGES[what]
    assert codec.codec_of(cls).encode(fields, attributes)


@pytest.mark.parametrize("what", OTHERS)
def test_what_is_of_another_type_is_left_to_pyroute2(what: str) -> None:
    cls, fields, attributes = OTHERS[what]
    with pytest.raises(codec.Unknown):
        codec.codec_of(cls).encode(fields, attributes)


def same(ours: Any, theirs: Any, attributes: list[Any]) -> None:
    """Whether a message says the same to both readers, as deep as it goes."""
    for name, value in attributes:
        mine, other = ours.get_attr(name), theirs.get_attr(name)
        if isinstance(value, dict) and "attrs" in value:
            same(mine, other, value["attrs"])
        elif isinstance(value, dict):
            assert mine == value
        else:
            assert mine == other == value


@pytest.mark.parametrize("what", MESSAGES)
def test_a_message_is_read_as_pyroute2_reads_it(what: str) -> None:
    cls, fields, attributes = MESSAGES[what]
    data = by_pyroute2(cls, fields, attributes)
    theirs = cls(data)
    theirs.decode()
    ours = codec.decode(cls, data)
    assert {name: ours[name] for name in fields} == {name: theirs[name] for name in fields} == fields
    same(ours, theirs, attributes)


def test_what_a_message_has_not_is_none() -> None:
    data = by_pyroute2(ifinfmsg, {"index": 1}, [("IFLA_IFNAME", "lo")])
    assert codec.decode(ifinfmsg, data).get_attr("IFLA_MASTER") is None


def test_an_address_of_another_length_is_read_by_pyroute2() -> None:
    """That of a tunnel has four bytes."""
    data = bytearray(by_pyroute2(ifinfmsg, {"index": 5}, [("IFLA_ADDRESS", "0a:00:00:01:00:00")]))
    data[32:34] = (8).to_bytes(2, "little")
    short = bytes(data[:40])
    assert len(short) == 40
    theirs = ifinfmsg((40).to_bytes(4, "little") + short[4:])
    theirs.decode()
    ours = codec.decode(ifinfmsg, (40).to_bytes(4, "little") + short[4:])
    assert ours.get_attr("IFLA_ADDRESS") == theirs.get_attr("IFLA_ADDRESS")


def test_next_hops_are_read_by_pyroute2() -> None:
    cls, fields, attributes = OTHERS["a route with two next hops"]
    data = by_pyroute2(cls, fields, attributes)
    hops = codec.decode(cls, data).get_attr("RTA_MULTIPATH")
    assert [(hop["oif"], hop.get_attr("RTA_GATEWAY")) for hop in hops] == [(2, "10.0.0.1")] * 2


def test_bytes_that_are_no_attributes_end_the_reading() -> None:
    data = by_pyroute2(ifinfmsg, {"index": 1}, [("IFLA_IFNAME", "lo")]) + b"\x01\x00\x00\x00"
    assert codec.decode(ifinfmsg, data).get_attr("IFLA_IFNAME") == "lo"


# --- bytes that are not what the class says, and names that are no UTF-8 ---


def test_a_number_that_is_cut_short_is_an_error_in_a_sentence() -> None:
    message = codec.decode(ifinfmsg, bytes(32) + attribute(4, b"\1\2"))
    with pytest.raises(NetlinkError, match="Bad message") as caught:
        message.get_attr("IFLA_MTU")
    assert caught.value.detail == "IFLA_MTU of ifinfmsg is not as expected"


def test_so_is_one_inside_another_attribute() -> None:
    info = attribute(1, b"bridge\0") + attribute(2, attribute(4, b"\1"))
    data = codec.decode(ifinfmsg, bytes(32) + attribute(18, info)).get_attr("IFLA_LINKINFO").get_attr("IFLA_INFO_DATA")
    with pytest.raises(NetlinkError, match="Bad message"):
        data.get_attr("IFLA_BR_AGEING_TIME")


def test_and_a_message_without_its_header() -> None:
    with pytest.raises(NetlinkError, match="Bad message"):
        codec.decode(ifinfmsg, bytes(20))["index"]


def test_a_number_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(NetlinkError, match="out of range"):
        codec.encode(ifinfmsg, {}, [("IFLA_MTU", 1 << 32)])


@pytest.mark.parametrize("raw", [b"eth0", b"\xff\xfe", "l'\u00e9t\u00e9".encode()])
def test_a_name_of_any_bytes_is_read_and_written_as_it_is(raw: bytes) -> None:
    body = bytes(16) + attribute(3, raw + b"\0")
    name = codec.decode(ifinfmsg, bytes(16) + body).get_attr("IFLA_IFNAME")
    assert name_bytes(name) == raw
    assert codec.encode(ifinfmsg, {}, [("IFLA_IFNAME", name)]) == body


def test_the_bytes_of_an_attribute_may_be_had() -> None:
    message = codec.decode(ifinfmsg, bytes(32) + attribute(26, b"spec"))
    assert (message.raw("IFLA_AF_SPEC"), message.raw("IFLA_MTU")) == (b"spec", b"")


def test_attributes_that_pyroute2_does_not_know_have_no_name() -> None:
    message = codec.decode(ifinfmsg, bytes(32) + attribute(4, bytes(4)) + attribute(9999, b""))
    assert message.names() == ["IFLA_MTU", "UNKNOWN"]


def test_a_scope_without_a_word_is_its_number() -> None:
    assert [codec.scope_name(number) for number in (0, 253, 77)] == ["global", "link", "77"]


# --- pyroute2 is imported without all that it would import itself, and so that nobody else sees it ---

NETLINK = "from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import codec\n"


def python(script: str) -> str:
    """Run a script in an interpreter of its own, with this one's paths."""
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-c", "import sys\n" + script],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_only_what_is_needed_is_imported_and_nothing_of_it_stays_visible() -> None:
    pytest.importorskip("pyroute2")
    show = (
        "print(codec.PROBLEM, [name for name in sys.modules if name.startswith('pyroute2')], 'asyncio' in sys.modules)"
    )
    assert python(NETLINK + show) == "None [] False"


def test_who_imports_pyroute2_afterwards_gets_all_of_it() -> None:
    pytest.importorskip("pyroute2")
    script = (
        "import pyroute2, pyroute2.netlink.rtnl\nprint(pyroute2.IPRoute.__name__, pyroute2.netlink.rtnl.RTM_NEWLINK)"
    )
    assert python(NETLINK + script) == "IPRoute 16"


def test_where_pyroute2_is_there_already_it_is_used() -> None:
    pytest.importorskip("pyroute2")
    script = "import pyroute2\nfrom pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg\n"
    assert python(script + NETLINK + "print(codec.ifinfmsg is ifinfmsg)") == "True"


def test_a_version_whose_modules_need_the_package_is_imported_whole(tmp_path: Path) -> None:
    """Stands in for one: its modules ask the package for a name."""
    folder = tmp_path / "pyroute2" / "netlink" / "rtnl"
    folder.mkdir(parents=True)
    (tmp_path / "pyroute2" / "__init__.py").write_text("name = 1\n", encoding="utf-8")
    for one in (folder.parent, folder):
        (one / "__init__.py").write_text("", encoding="utf-8")
    for name in ("fibmsg", "ifaddrmsg", "ifinfmsg", "ndmsg", "nsidmsg", "rtmsg"):
        text = f"from pyroute2 import name\nclass {name}:\n    nla_map = ()\n"
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    script = f"sys.path.insert(0, {str(tmp_path)!r})\n{NETLINK}print(codec.PROBLEM, 'pyroute2' in sys.modules)"
    assert python(script) == "None True"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "pyroute2"),
        (
            {"config/version.py": "__version__ = '0.5.14'"},
            "The Python library pyroute2 is 0.5.14, and 0.7.2 or newer is needed.",
        ),
        (
            {"__init__.py": "__version__ = '0.6.13'"},
            "The Python library pyroute2 is 0.6.13, and 0.7.2 or newer is needed.",
        ),
        (
            {"config/version.py": "__version__ = '0.9.2'", "netlink/rtnl/fibmsg.py": "x: type[int]\nint[1]"},
            "The Python library pyroute2 is installed but cannot be imported: TypeError: type 'int' is not subscriptable (FOLDER/netlink/rtnl/fibmsg.py).",
        ),
        (
            {"config/version.py": "__version__ = '0.9.2'", "netlink/rtnl/fibmsg.py": "x ="},
            "The Python library pyroute2 is installed but cannot be imported: SyntaxError: invalid syntax (FOLDER/netlink/rtnl/fibmsg.py).",
        ),
    ],
    ids=["absent", "old", "old and whole", "broken", "of another Python"],
)
def test_what_is_wrong_with_pyroute2_is_a_sentence(tmp_path: Path, files: dict[str, str], said: str) -> None:
    package = tmp_path / "pyroute2"
    for name, text in files.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text, encoding="utf-8")
    hidden = "import importlib.machinery\nsys.path = [p for p in sys.path if 'site-packages' not in p]\n"
    script = f"{hidden}sys.path.insert(0, {str(tmp_path)!r})\n{NETLINK}print(codec.PROBLEM)"
    assert python(script) == said.replace("FOLDER", str(package))
