# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The entries of /run/netns are found by name, and by what they mean."""

from __future__ import annotations

from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsFile
from ansible_collections.linuxnet.containers.plugins.module_utils._run.entries import Entries

WEB, ALIAS, STALE = NsFile("web", "namespace", 7), NsFile("alias", "namespace", 7), NsFile("old", "file")


def entries() -> Entries:
    return Entries({one.name: one for one in (WEB, ALIAS, STALE)})


def test_they_are_a_mapping_by_name() -> None:
    found = entries()
    assert (found["web"], found.get("db"), list(found), len(found)) == (WEB, None, ["web", "alias", "old"], 3)


def test_the_names_of_a_namespace_are_found() -> None:
    found = entries()
    assert (found.of(7), found.of(0), found.of(8)) == ([WEB, ALIAS], [STALE], [])


def test_a_name_that_means_another_namespace_or_none_is_found_there_only() -> None:
    found = entries()
    moved = found["web"] = NsFile("web", "namespace", 8)
    assert (found.of(7), found.of(8)) == ([ALIAS], [moved])
    assert found.pop("alias") == ALIAS
    assert (found.of(7), found.pop("alias", None)) == ([], None)
