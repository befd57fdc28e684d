# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The firewall backends that there are. One more is one more here, and its programs in `_kernel/firewall`. Pure."""

from __future__ import annotations

from typing import Callable, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.base import Backend
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables import (
    IPTABLES_LEGACY,
    IPTABLES_NFT,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Lacking, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.requirements import dotted, numbers, too_old

# A backend comes after the one whose tool lists its rules as well.
BACKENDS: Tuple[Backend, ...] = (NFTABLES, IPTABLES_NFT, IPTABLES_LEGACY)
DEFAULT = BACKENDS[0]
AUTO = "auto"
CHOICES = (AUTO, *dict.fromkeys(backend.option for backend in BACKENDS))  # what users choose from


def chosen(option: str, available: Sequence[Backend]) -> Backend:
    """Return the backend that an option means, of those ``available``, the usual ones first. Raises `Lacking`."""
    for backend in available:
        if option in (AUTO, backend.option):
            return backend
    wanted = next(backend for backend in BACKENDS if option in (AUTO, backend.option))
    raise Lacking(
        "The program %s is not installed on this host: install the package %s." % (wanted.program, wanted.package),
        wanted.package,
    )


def required(option: str, available: Sequence[Backend], version: Callable[[Backend], str]) -> Backend:
    """Return the backend that an option means, as `chosen` does, if its program's ``version`` will do. Raises `Lacking`, and `Refused` where it was named and
    its program says none: that is another program, or a broken one."""
    backend = chosen(option, available)
    found = version(backend)
    if option != AUTO and not numbers(found):
        raise Refused(
            "The program %s does not work on this host: it does not say which version it is." % backend.program
        )
    if too_old(found, backend.oldest):
        raise Lacking(
            "The program %s is %s on this host, and %s or newer is needed: upgrade the package %s."
            % (backend.program, dotted(numbers(found)), dotted(backend.oldest), backend.package),
            backend.package,
        )
    return backend
