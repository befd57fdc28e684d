# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Python on the host. Every module imports this first, and it compiles on Pythons on which nothing else of ours does: keep to the
syntax of Python 2.7 here, and in the modules.

ansible-core 2.16 runs modules with Python 2.7 and from 3.6 on, 2.17 from 3.7 on; with later ones Ansible's own part fails before ours is reached.
"""

import json
import sys

OLDEST = (3, 8)


def require():  # type: () -> None
    """End the module in a sentence where the Python that runs it is too old. Called before anything else of ours is imported."""
    if sys.version_info[:2] < OLDEST:
        message = "linuxnet.containers needs Python %s or newer on the host, and %s is Python %s: %s." % (
            ".".join(map(str, OLDEST)),
            sys.executable,
            ".".join(map(str, sys.version_info[:3])),
            "set ansible_python_interpreter to a newer one",
        )
        sys.stdout.write(json.dumps({"failed": True, "changed": False, "msg": message}) + "\n")
        raise SystemExit(1)
