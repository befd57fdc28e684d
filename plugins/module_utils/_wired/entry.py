# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the command ``wired`` begins. What its part needs is imported by that part: a hook is run for containers of others, too."""

from __future__ import annotations

import sys


def main() -> None:
    """Be the command."""
    from ansible_collections.linuxnet.containers.plugins.module_utils._wired import hooks

    if sys.argv[1:2] == ["hook"]:
        hooks.main(sys.argv[2:])
    if sys.argv[1:] == ["follow", "docker"]:
        from ansible_collections.linuxnet.containers.plugins.module_utils._wired import start

        start.follow()
    from ansible_collections.linuxnet.containers.plugins.module_utils._wired import program

    program.main()
