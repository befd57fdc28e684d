# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names and texts of users that become part of firewall rules: what a backend's language cannot carry is refused. Pure.

An item may move from one backend to another, so a name has to mean the same in each.
"""

from __future__ import annotations

import re

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import COMMENT_BYTES, MARK
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import BACKENDS
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import (
    INTERFACE_NAME_BYTES,
    known_name,
)


def interface(name: str, option: str, written: bool = True) -> str:
    """Return the name of an interface that a rule can name, as it is. ``written`` False: rules that name it are only taken away.

    Raises `Invalid`: nft has no way to write a quote in a name, ``|`` separates what our comments say, ``!`` in front means any
    other interface, and a last ``+`` or ``*`` any whose name begins so.
    """
    _encodable(name, option)
    known_name(name, option)
    bad = re.search(r'["|\\]|^!', name)
    if bad:
        raise Invalid("%s: '%s' has a character (%s) that a firewall rule cannot name here." % (option, name, bad[0]))
    for backend in BACKENDS:
        if written and name.endswith(backend.wildcard):
            raise Invalid(
                "%s: '%s' would be any interface whose name begins with '%s' in %s; name one interface."
                % (option, name, name[:-1], backend.option)
            )
    return name


def commented(owner: str, comment: str, with_bridge: bool) -> None:
    """Raise `Invalid` where a rule's comment cannot carry an owner and a text; a published port's has the bridge as well."""
    for option, text, pattern in (("owner", owner, r'[^\s"|\\\0]+'), ("comment", comment, r'[^"|\\\n\0]*')):
        if not re.fullmatch(pattern, text):
            raise Invalid("%s: '%s' has a character that a rule's comment cannot carry here." % (option, text))
        _encodable(text, option)
    spare = len(MARK) + 1 + (INTERFACE_NAME_BYTES + 1 if with_bridge else 0)
    if len((owner + comment).encode()) > COMMENT_BYTES - spare:
        raise Invalid(
            "comment: owner and comment together are too long; nftables keeps %d bytes." % (COMMENT_BYTES - spare)
        )


def _encodable(text: str, option: str) -> None:
    """Raise `Invalid` for bytes that are no UTF-8, as Python's surrogateescape keeps them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Invalid("%s: it is not UTF-8, which a firewall rule cannot carry." % option) from None
