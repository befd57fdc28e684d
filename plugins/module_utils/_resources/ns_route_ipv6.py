# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why an interface without any IPv6 address carries no IPv6, so that the kernel takes no route of it. Pure but for the state."""

from __future__ import annotations

from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Link, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._model.values import IPV6_MTU
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State

_DISABLE_IPV6 = "net/ipv6/conf/%s/disable_ipv6"


def lacking(ref: NsRef, ns: int, link: Link, state: State) -> str:
    """Return the sentence that says why an interface of the namespace ``ns`` carries no IPv6, ``""`` where it does.

    In check mode an earlier task may switch it on, of the interfaces where ns_address does so.
    """
    mtu = link.get("mtu")
    if mtu is not None and mtu < IPV6_MTU:
        text = "interface: %s in %s has an MTU of %d bytes, and IPv6 needs %d; raise its MTU first."
        return text % (link.name, ref, mtu, IPV6_MTU)
    key = _DISABLE_IPV6 % link.name
    if link.get("ipv6") or state.sysctl(ns, key) in ((None,) if link.get("ipv6") is False else (None, "0")):
        return ""
    if state.predict and (ref.path or link.kind in ("bridge", "veth")):
        state.foresee("IPv6 on %s in %s" % (link.name, ref))
        return ""
    text = (
        "interface: IPv6 is switched off on %s in %s; give it an IPv6 address first, or set the sysctl %s to 0 there."
    )
    return text % (link.name, ref, key)
