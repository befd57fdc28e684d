# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a change is: a step with its words, its commands and its inverse; and that each has a subject's file of its own."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model import changes
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change

SUBJECTS = ["addresses", "base", "files", "lasting", "links", "namespaces", "routes"]


def test_what_a_change_need_not_say() -> None:
    plain = Change()
    assert (plain.writes, plain.partial, plain.final, plain.edit, plain.undo()) == (True, False, False, None, ())
    for question in (plain.attempt, plain.commands):
        with pytest.raises(NotImplementedError):
            question()


def test_every_change_is_in_the_file_of_its_subject() -> None:
    assert sorted(module.name for module in pkgutil.iter_modules(changes.__path__)) == SUBJECTS
    for subject in SUBJECTS[:1] + SUBJECTS[2:]:
        module = importlib.import_module(f"{changes.__name__}.{subject}")
        assert [one for one in Change.__subclasses__() if one.__module__ == module.__name__]
