# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.linuxnet.containers.plugins.plugin_utils import packing


class ActionModule(packing.ActionModule):
    """Runs the module of this name."""
