# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel that is asked about one packet, on this machine, which it does not change."""

from __future__ import annotations

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import path
from ansible_collections.linuxnet.containers.plugins.module_utils._model.ways import Asked


def test_the_kernel_asks_in_the_namespace_that_is_meant() -> None:
    with path.Kernel() as kernel:
        way = kernel.way(kernel.own, Asked("127.0.0.1"))
        assert (way.type, way.error, kernel.neighbour(kernel.own, way.index, "127.0.0.9")) == ("local", 0, None)
        assert kernel.marks_decide(kernel.own, 4) in (True, False)
        assert kernel.probe(kernel.own, "tcp", "", "127.0.0.1", 1) in ("refused", "answers")
