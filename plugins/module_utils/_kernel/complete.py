# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The running kernel with all that this collection asks it: firewalls, engines and neighbours."""

from __future__ import annotations

from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import containers, firewall


class Kernel(firewall.Kernel, containers.Kernel):
    """The running kernel."""
