# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a kernel must do, as cases that the twin and the running kernel pass alike: see tests/module/test_kernel_contract.py.

Each case is given a host on which nothing was made yet. Run as a program inside a lab host, this file tries all cases on
the running kernel, each in a network namespace of its own, and prints what went wrong by case.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import AddNetns
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Address, Link, NsRef

WEB, DB = NsRef("/run/netns/web"), NsRef("/run/netns/db")
Case = Callable[[Any], None]
CASES: dict[str, Case] = {}


def case(function: Case) -> Case:
    """Add a function to the cases."""
    CASES[function.__name__] = function
    return function


# --- small words ---


def refused(kernel: Any, step: Change, code: int) -> KernelError:
    """Apply a change that must be refused with an errno, and return the error."""
    found: KernelError | None = None
    try:
        kernel.apply(step)
    except KernelError as error:
        found = error
    assert found is not None, f"{step} should have been refused with {errno.errorcode[code]}"
    assert errno.errorcode.get(found.code) == errno.errorcode[code], str(found)
    return found


def next_run(kernel: Any) -> Any:
    """End the run, in which what was found is kept open, and return the kernel for another one."""
    if not hasattr(kernel, "__exit__"):
        return kernel
    kernel.__exit__()
    return type(kernel)()


def link(kernel: Any, ref: NsRef, name: str) -> Link:
    found: Link | None = kernel.link(kernel.find(ref), name=name)
    assert found is not None, f"there is no {name} in {ref}"
    return found


def gone(kernel: Any, ref: NsRef, name: str, within: float = 60.0) -> bool:
    """Whether an interface is gone, or goes within so many seconds: namespaces die in the background."""
    end = time.monotonic() + within
    while kernel.link(kernel.find(ref), name=name) is not None:
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def names(kernel: Any, ref: NsRef) -> list[str]:
    return sorted(one.name for one in kernel.links(kernel.find(ref)) if one.name != "lo")


def cidrs(kernel: Any, ref: NsRef, name: str) -> list[str]:
    """The addresses of an interface, without the link-local ones that the kernel makes by itself."""
    index = link(kernel, ref, name).index
    return [one.cidr for where, one in kernel.addresses(kernel.find(ref)) if where == index and one.scope != "link"]


def routes(kernel: Any, ref: NsRef, family: int = 4, table: int = 254) -> list[str]:
    """The routes as `ip route` spells them, without those of link-local addresses."""
    found = kernel.routes(kernel.find(ref), family, table)
    return sorted(str(one) for one in found if not one.destination.startswith("fe80:") and one.type != "multicast")


def pair(kernel: Any, name: str = "web0", ref: NsRef = WEB, peer: str = "eth0", **own: Any) -> None:
    """Make a veth pair, both ends up."""
    if kernel.find(ref) is None:
        kernel.apply(AddNetns(ref.name))
    kernel.apply(AddLink(HOST, name, "veth", {"enabled": True, **own}, ref, peer, {}))
    kernel.apply(SetLink(ref, peer, {"enabled": True}, {"enabled": False}))


def bridge(kernel: Any, name: str = "br0", **attributes: Any) -> None:
    kernel.apply(AddLink(HOST, name, "bridge", {"enabled": True, **attributes}))


def address(kernel: Any, text: str, ref: NsRef = WEB, name: str = "eth0", **more: Any) -> Address:
    """Give an interface an address."""
    ip, prefix = text.split("/")
    one = Address(ip, int(prefix), 6 if ":" in ip else 4, nodad=":" in ip, label="" if ":" in ip else name, **more)
    kernel.apply(PutAddress(ref, name, one))
    return one


# --- the program ---


def tried(function: Case) -> str:
    """Try a case on the running kernel, in a network namespace of its own. Returns what went wrong, empty for nothing."""
    from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import complete, namespaces

    namespaces._call("unshare", namespaces._CLONE_NEWNET)
    try:
        with complete.Kernel() as kernel:
            function(kernel)
    except Exception:
        return traceback.format_exc()
    finally:
        for name in os.listdir("/run/netns"):
            namespaces.remove(name)
    return ""


def main() -> int:
    """Try the cases named in the arguments, or all."""
    with open("/proc/1/cmdline", "rb") as file:
        if b"lab/files/init" not in file.read():
            sys.exit("this changes the kernel: run it in a lab host")
    wanted = sys.argv[1:] or list(CASES)
    print(json.dumps({name: tried(CASES[name]) for name in wanted}))
    return 0
