# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What every module of the collection promises."""

    DOCUMENTATION = r"""
options: {}
requirements:
  - python >= 3.8 (on the host)
  - pyroute2 >= 0.7.2
  - "root (C(CAP_NET_ADMIN) and C(CAP_SYS_ADMIN))"
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying the target.
    support: full
    details:
      - A namespace, interface or bridge that does not exist yet counts as made by an earlier task, with one warning, so that a whole chain
        can be predicted.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    support: full
    details:
      - One line an effect, as C(attribute value); what follows from another line, and what is as usual, is left out. With C(-v) one line for each
        attribute that changes.
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
    support: full
    details:
      - The second run sends no write to the kernel, runs no firewall transaction and writes no file.
  platform:
    description: Target OS or families that can be operated against.
    support: full
    platforms: posix/linux
"""

    ACTIONGROUP = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/linuxnet.containers.in_netns) in C(module_defaults) to set C(netns) or C(state) for the modules that have them.
    details:
      - These are M(linuxnet.containers.bridge), M(linuxnet.containers.veth), M(linuxnet.containers.bridge_port), M(linuxnet.containers.ns_link),
        M(linuxnet.containers.ns_address), M(linuxnet.containers.ns_route) and M(linuxnet.containers.nat). Do not set it for a play that also runs the role.
      - C(group/linuxnet.containers.all) has every module of the collection. They have no option in common, so a default for it fails in some.
    support: full
    membership:
      - linuxnet.containers.all
"""
