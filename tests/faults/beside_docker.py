# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runs of `faults.py` with a container of a real dockerd among what is wired, in a sealed lab host; dockerd's own network is beside it.

beside_docker.py [--only WORDS] [--part K/N] [--error ERRNO] [--kinds ended,taken-back,refused]
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "generated"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "engines"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "lab"))

from engines import Docker, engine_host
from lab import Result, collections_root

HERE = Path(__file__).resolve().parent
LIMIT = 7200  # seconds for all of it on a busy machine, not what it takes


def done(arguments: list[str]) -> Result:
    """Start dockerd with a network of its own and two containers, of which one has none yet, and run `faults.py` beside it."""
    import by_hand

    with engine_host() as lab, Docker(lab, bip="172.30.0.1/28") as docker:
        lab.run(by_hand.HOST)
        docker.start("theirs", network="bridge")
        docker.start("web")
        beside = ",".join(f"{name}={docker.pid(name)}" for name in ("theirs", "web"))
        command = [sys.executable, str(HERE / "faults.py"), collections_root(), "--beside", beside, *arguments]
        found = lab.run(command, check=False, timeout=LIMIT, env=docker.environment)
        docker.run_in("theirs", ["ping", "-c", "1", "-W", "20", "172.30.0.1"])
        return found


if __name__ == "__main__":
    result = done(sys.argv[1:])
    print(result.stdout, result.stderr, sep="", end="")
    sys.exit(result.rc)
