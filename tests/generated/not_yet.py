# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is not generated yet, each with the reason: a kind of input or of start state that is known not to hold what is promised.

Take a line away, and it is generated; ``make soak ARGS='--with NAME'`` tries one. The aim is an empty table.
"""

from __future__ import annotations

NOT_YET: dict[str, str] = {
    # Whose a bridge is.
    "their bridge of a network's name": "it is adopted, and deleted with the network",
    "their bridge of a network's name, with a port": "the same",
    "their port in our bridge": "the bridge is deleted though somebody else uses it",
    "their eth0 in a container's namespace": "absent deletes the namespace of a listed container with all that is in it",
    # What is no longer asked for goes.
    "a network's other subnets": "the NAT of a former subnet stays",
    "renamed networks": "the old bridge is refused for its subnet, or stays",
    # Whose an address is.
    "another address of the pool": "it is taken for ours",
    # Check mode of the chain: a task knows of the earlier ones which namespaces they would make anew and which links they would remove, not
    # which they would rename or put in the place of others.
    # What the plan does not know.
    "an MTU of an unmanaged network": "a bridge of others takes the MTU of its least port, and keeps it",
    "a gateway out of reach": "in a namespace that is yet to be made check mode foresees the route, and the run fails",
    "a change without a diff, foreseen by the chain": "hairpin of a port that an earlier task would make is not foreseen by the chain's nat",
    "interface renamed": "later tasks take the interface as missing, and foresee its address as new",
}
_tried: set[str] = set()


def also(*names: str) -> None:
    """Generate these, too. Raises KeyError where the table has no such line."""
    for name in names:
        NOT_YET[name]
        _tried.add(name)


def generated(name: str) -> bool:
    """Whether a kind is generated."""
    return name not in NOT_YET or name in _tried
