# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The running kernel with all that this collection asks it: firewalls, engines and neighbours; and what a host keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import containers, firewall
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change

if TYPE_CHECKING:
    from ansible_collections.linuxnet.containers.plugins.module_utils._model.lasting import Lasting


class Kernel(firewall.Kernel, containers.Kernel):
    """The running kernel."""

    def lasting(self) -> Lasting:
        # Here and not above: of use to few tasks.
        from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import lasting

        return lasting.read()

    def _other(self, step: Change) -> None:
        from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import lasting

        lasting.take(step)
