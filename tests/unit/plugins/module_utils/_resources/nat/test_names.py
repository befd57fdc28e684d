# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names and texts that become part of firewall rules. What the module refuses with them is in test_resource."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import BACKENDS
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.names import commented, interface


@pytest.mark.parametrize("name", ["br0", "a'b", "x;y", "br+0", "*", "+"])
def test_what_is_taken_away_may_be_called_anything_that_can_be_written(name: Any) -> None:
    assert interface(name, "bridge", written=False) == name


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_wildcard_of_any_backend_is_no_name(backend: Any) -> None:
    with pytest.raises(Invalid, match=f"would be any interface whose name begins with 'br' in {backend.option}"):
        interface("br" + backend.wildcard, "bridge")


@pytest.mark.parametrize("written", [True, False])
@pytest.mark.parametrize("name", ['a"b', "a|b", "a\\b", "!br0", "", "a b", "a/b", "x" * 128, "a\0b", "a\udcffb"])
def test_what_cannot_be_written_is_refused_also_where_it_is_taken_away(name: Any, written: Any) -> None:
    with pytest.raises(Invalid, match=r"^bridge: "):
        interface(name, "bridge", written)


@pytest.mark.parametrize(("owner", "comment"), [("a", ""), ("net/eth0", "it's $(id) `x` \t #;"), ("é", "\u2028")])
def test_comments_that_can_be_carried(owner: Any, comment: Any) -> None:
    commented(owner, comment, with_bridge=True)


@pytest.mark.parametrize("text", ['a"', "a|b", "a\\", "a\nb", "a\0b", "\udcff"])
def test_comments_that_cannot(text: Any) -> None:
    for owner, comment in ((text, ""), ("a", text)):
        with pytest.raises(Invalid, match=r"^(owner|comment): "):
            commented(owner, comment, with_bridge=False)


def test_a_published_port_s_comment_has_room_for_the_bridge() -> None:
    commented("a", "x" * 116, with_bridge=False)
    with pytest.raises(Invalid, match="nftables keeps 101 bytes"):
        commented("a", "x" * 101, with_bridge=True)
    commented("a", "x" * 100, with_bridge=True)
    with pytest.raises(Invalid, match="too long"):
        commented("a", "é" * 60, with_bridge=False)
