# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task wants of network namespaces."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.netns import RESOURCE
from ansible_collections.linuxnet.containers.plugins.module_utils._run import validation
from ansible_collections.linuxnet.containers.tests.unit.asked import refusal, want

WEB = NsRef("/run/netns/web")


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"pid": 0}, "pid: 0 is not a process ID."),
        ({"path": "ns/net"}, "path: 'ns/net' is not an absolute path."),
        ({"share": "web"}, "share: netns 'web' cannot share itself."),
        ({"share": "host", "sysctls": {"net.a": 1}}, "sysctls: with share: host they would be the host's own"),
        ({"sysctls": {"kernel.a": 1}}, "sysctls: 'kernel.a' is not a key of a network namespace"),
        ({"sysctls": {"net.../a": 1}}, "sysctls: 'net.../a' is not a key of a network namespace"),
        ({"sysctls": {"net.a": None}}, "sysctls: 'net.a' needs a value, a number or a text."),
        ({"sysctls": {"net.a": [1]}}, "sysctls: 'net.a' needs a value, a number or a text."),
        ({"pid": 1, "container": "db"}, "parameters are mutually exclusive: pid|container."),
    ],
)
def test_what_is_refused(params: dict[str, Any], sentence: str) -> None:
    assert refusal(RESOURCE, name="web", **params).startswith(sentence)


def test_only_the_host_s_own_namespace_is_called_host() -> None:
    """Else ``share: host`` would mean the one or the other. What somebody else called so can still be removed."""
    sentence = "name: 'host' means the host's own network (share: host); call the namespace something else."
    assert refusal(RESOURCE, name="host") == sentence
    assert want(RESOURCE, name="host", state="absent").name == "host"
    assert want(RESOURCE, name="host", share="host").source == HOST, "there it means nothing else"


def test_a5_spellings_of_a_sysctl_s_value() -> None:
    values = {"net.a": True, "net.b": "1  2\t3", "net.c": 7}
    assert want(RESOURCE, name="web", sysctls=values).sysctls == {"net.a": "1", "net.b": "1 2 3", "net.c": "7"}


def test_b3_a_number_is_a_name_and_a_pid_is_a_pid() -> None:
    assert want(RESOURCE, name="1234").ref == NsRef("/run/netns/1234")
    assert want(RESOURCE, name="web", share="1234").source == NsRef("/run/netns/1234")
    assert (want(RESOURCE, name="web", pid=1234).pid, want(RESOURCE, name="web", pid=1234).source) == (1234, None)
    assert want(RESOURCE, name="web", path="/var/run/netns/x").source == NsRef("/run/netns/x")


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"pid": True}, "pid: the boolean true is not a whole number."),
        ({"path": "/run/netns/a\0"}, "path: a path has no NUL."),
        ({"container": ""}, "container: '' is not a namespace name: it must be a file name for /run/netns, so not empty and without '/'."),
        ({"sysctls": {"net.a": "yes"}}, "sysctls: 'net.a' cannot be 'yes'; the kernel's switches are 1 and 0."),
        ({"sysctls": {"net.a": "\u00b2"}}, "sysctls: 'net.a' has a character that no sysctl has: '\\xb2'."),
        ({"sysctls": {"net.ipv4.a": 1, "net/ipv4/a": 0}}, "sysctls: 'net.ipv4.a' and 'net/ipv4/a' are the same key."),
    ],
)  # fmt: skip
def test_what_only_looks_like_a_value(params: dict[str, object], sentence: str) -> None:
    assert refusal(RESOURCE, name="web", **params) == sentence


@pytest.mark.parametrize(
    "spellings",
    [
        [{"path": text} for text in ("/run/netns/db", "/var/run/netns/db", "//run/./netns//db")],
        [{"sysctls": {"net.ipv4.ip_forward": value}} for value in (1, True, "1", "0x1", " 01\n")],
    ],
)
def test_a5_all_spellings_are_one_want(spellings: list[dict[str, object]]) -> None:
    first, *others = (want(RESOURCE, name="web", **params) for params in spellings)
    assert all((other.source, other.sysctls) == (first.source, first.sysctls) for other in others)


def test_a_want_knows_the_others_of_its_task() -> None:
    items = [
        {"name": "web", "container": "a"},
        {"name": "db", "container": "b"},
        {"name": "pod"},
        {"name": "x", "share": "pod"},
    ]
    wants = validation.items(RESOURCE, {"aggregate": items})
    assert [one.asked for one in wants] == [("a", "b")] * 4
    assert wants[0].owners == {"web": True, "db": True, "pod": False}
    assert [[given.name for given in one.given] for one in wants] == [[], [], ["web", "db"], []]
