# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options that the modules have alike."""

    DOCUMENTATION = r"""
options:
  state:
    description: Whether the object is to be there.
    type: str
    choices: [present, absent]
    default: present
  aggregate:
    description:
      - Many objects in one task. Each item takes the module's own options.
      - Options that are given beside it are defaults for every item.
      - Two items for one thing are refused, unless they are alike.
      - All items are validated before the first change. An item that fails is rolled back and does not stop the others; the task then
        fails and names each.
      - This is much faster than a loop. The work is done in one process, whatever the number of items.
    type: list
    elements: dict
  netns_anew:
    description:
      - Names of namespaces that an earlier task of a chain would bind or make anew, those whose result of
        M(linuxnet.containers.netns) has C(anew).
      - In check mode what is in them now counts as gone. Without effect otherwise.
      - Leave it out, unless your tasks are such a chain.
    type: list
    elements: str
  links_gone:
    description:
      - Names of interfaces of the host that an earlier task of a chain would remove.
      - In check mode they count as gone, with the other ends of pairs. Without effect otherwise.
    type: list
    elements: str
  step:
    description:
      - Half and name of the step that this task is in the plan of the role P(linuxnet.containers.wiring#role). Leave it out in tasks of yours.
    type: list
    elements: str
  plan:
    description:
      - The plan of the role's run. In check mode the role fills it in, and what the steps before O(step) would do counts as done. Leave it out.
    type: dict
"""

    NETNS = r"""
options:
  netns:
    description:
      - The network namespace to work in.
      - A plain name means C(/run/netns/NAME), also where it is all digits. An absolute path means that file, such as C(/proc/4242/ns/net).
      - Left out, it is the namespace that the module runs in, the host's.
      - Interfaces in it may be named by an alternative name (C(ip link property)) as well, as with C(ip). Results show their own names.
    type: str
"""

    AUTO_MTU = r"""
options:
  mtu_of:
    description:
      - With O(mtu=auto), take the MTU of the interface that has this address of the host, instead of that with the default route. Where none has it, it is the
        latter all the same.
    type: str
    version_added: 0.3.0
  mtu_less:
    description: With O(mtu=auto), take so many bytes less, for what packets are wrapped into on their way. At most 200.
    type: int
    default: 0
    version_added: 0.3.0
"""
