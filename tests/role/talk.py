# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One TCP exchange between two namespaces of this host: a client calls, a server answers.

    python3 talk.py CLIENT SERVER ADDRESS PORT SECONDS

CLIENT and SERVER are names in /run/netns, paths, or "host". Prints the address that the server saw the client come from. A socket
stays in the namespace it was opened in, so one process is both ends.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys

CLONE_NEWNET = 0x40000000
QUESTION, ANSWER = b"question", b"answer"


def enter(handle: int) -> None:
    """Move this process to a network namespace."""
    if ctypes.CDLL(None, use_errno=True).setns(handle, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def namespace(name: str) -> int:
    """Open a namespace."""
    return os.open("/proc/self/ns/net" if name == "host" else os.path.join("/run/netns", name), os.O_RDONLY)


def talk(client: str, server: str, address: str, port: int, seconds: float) -> str:
    """Let the two talk, and return where the client came from. Raises OSError if they cannot within so many seconds."""
    here, there = namespace(client), namespace(server)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    enter(there)
    with socket.create_server(("", port), family=family) as listener:
        listener.settimeout(seconds)
        enter(here)
        with socket.create_connection((address, port), seconds) as caller:
            answerer, source = listener.accept()
            with answerer:
                answerer.settimeout(seconds)
                caller.sendall(QUESTION)
                if answerer.recv(100) != QUESTION:
                    raise OSError("the question was garbled")
                answerer.sendall(ANSWER)
                if caller.recv(100) != ANSWER:
                    raise OSError("the answer was garbled")
    return str(source[0])


if __name__ == "__main__":
    try:
        print(talk(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5])))
    except OSError as error:
        sys.exit(f"{sys.argv[1]} cannot talk to {sys.argv[2]} at {sys.argv[3]}: {error}")
