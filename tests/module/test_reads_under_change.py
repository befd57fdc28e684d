# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists are read whole while others change them: a read converges, or says why it does not."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

from lab import Lab, collections_root

# Reads links and addresses of the host while another process makes and deletes some, PAUSE seconds after every few of them.
# Prints what was found beside the STABLE ones that stay, how often a dump was interrupted, and the errors.
PROGRAM = """
import json, os, signal, sys, time
root, pause, patience = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
sys.path.insert(0, root)
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import addresses, links, transport
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import Address

STABLE, READS, INTERRUPTED, SECONDS = 400, 6, 3, 60
ADDRESSES = 3000  # so many that the kernel sends them in several parts
sock = transport.Socket(transport.ROUTE)
for number in range(STABLE // 2):
    links.add(sock, f"stable{number}", "veth", {}, peer=(f"stablepeer{number}", {}, None))
home = links.index_of(sock, "stable0")
for number in range(ADDRESSES):
    addresses.put(sock, home, Address(f"10.{number >> 8}.{number & 255}.1", 32, 4), replace=False)
child = os.fork()
if not child:
    sock = transport.Socket(transport.ROUTE)
    number = 0
    while os.getppid() != 1:
        number += 1
        links.add(sock, f"flap{number}", "bridge", {})
        index = links.index_of(sock, f"flap{number}")
        for last in range(10):
            addresses.put(sock, index, Address(f"10.255.0.{last}", 32, 4), replace=False)
            addresses.delete(sock, index, Address(f"10.255.0.{last}", 32, 4))
        links.delete(sock, index)
        if not number % 3:
            time.sleep(pause)
    os._exit(0)

found, errors, interrupted = [], [], 0
request = transport.Socket.request

def counting(self, *arguments):
    global interrupted
    try:
        return request(self, *arguments)
    except transport.NetlinkError as error:
        interrupted += error.errno == transport.errno.EINTR
        raise

transport.Socket.request = counting
transport._DUMPING = patience
end = time.monotonic() + SECONDS
try:
    while len(found) < READS or (interrupted < INTERRUPTED and time.monotonic() < end):
        try:
            names = sorted(link.name for link, dummy in links.read_all(sock) if link.name.startswith("stable"))
            known = sorted(one.ip for index, one in addresses.read_all(sock) if index == home and one.family == 4)
            found.append([len(names), len(set(names)), len(known), len(set(known))])
        except transport.NetlinkError as error:
            errors.append([error.errno, error.detail])
            found.append(None)
finally:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
whole = [STABLE, STABLE, ADDRESSES, ADDRESSES]
print(json.dumps({"wrong": [one for one in found if one not in (None, whole)], "read": len(found), "errors": errors,
                  "interrupted": interrupted}))
"""


def read_while_others_change(pause: float, patience: float) -> dict[str, object]:
    with Lab() as lab:
        command = [sys.executable, "-c", PROGRAM, collections_root(), str(pause), str(patience)]
        found: dict[str, object] = json.loads(lab.run(command, timeout=180).stdout)
        return found


def test_what_stays_is_read_once_and_whole_while_others_come_and_go(needs: Callable[..., None]) -> None:
    needs("lab host")
    found = read_while_others_change(pause=0.05, patience=60)
    assert (found["wrong"], found["errors"]) == ([], [])
    assert found["interrupted"] != 0  # else nothing was shown


def test_a_list_that_never_rests_is_read_whole_or_not_at_all(needs: Callable[..., None]) -> None:
    needs("lab host")
    found = read_while_others_change(pause=0, patience=0.2)
    assert found["wrong"] == []
    errors = found["errors"]
    assert isinstance(errors, list)
    for _code, detail in errors:
        assert detail.startswith("the list was changed each of the ")
