# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the collection asks of a kernel: the twin of the tests and the real one answer all of it, by the same names."""

from __future__ import annotations

import inspect

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import complete
from ansible_collections.linuxnet.containers.plugins.module_utils._model import kernel_api
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel

VERBS = sorted(
    name for part in (kernel_api.Source, kernel_api.Kernel) for name in vars(part) if not name.startswith("_")
)


def parameters(found: object) -> list[str]:
    return [name for name in inspect.signature(found).parameters if name != "self"]  # type: ignore[arg-type]


@pytest.mark.parametrize("name", VERBS)
@pytest.mark.parametrize("kernel", [MemoryKernel, complete.Kernel], ids=["twin", "real"])
def test_a_kernel_answers_all_that_is_asked(kernel: type, name: str) -> None:
    assert parameters(getattr(kernel, name)) == parameters(getattr(kernel_api.Kernel, name))
