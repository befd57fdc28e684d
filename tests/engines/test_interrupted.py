# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs with a container of a real dockerd in their list that are killed, or refused, at a few of their writes: as tests/faults/README.md says.

``make faults-docker`` tries all places, with both backends.
"""

from __future__ import annotations

import beside_docker
import pytest

PART = "7/66"  # a place of each story


@pytest.mark.needs("engine host", "docker", "strace", "nft", "nf_tables", "nf_nat")
def test_what_is_interrupted_comes_to_the_same_with_a_container_of_docker() -> None:
    done = beside_docker.done(["--only", "nftables", "--part", PART])
    print(done.stdout)
    assert done.rc == 0, f"{done.stdout}\n{done.stderr}"
