#!/usr/bin/python
# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: bridge
short_description: x
description: [x]
author: [x]
options: {}
"""

from ansible_collections.linuxnet.containers.plugins.module_utils import _runner
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.bridge import RESOURCE


def main() -> None:
    _runner.run(RESOURCE)


if __name__ == "__main__":
    main()
