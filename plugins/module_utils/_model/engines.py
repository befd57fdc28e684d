# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engines that run containers: what their users call things, and the command that prints a container's process ID. Pure."""

from __future__ import annotations

from typing import Mapping, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass


@dataclass(frozen=True)
class Engine:
    """``program`` asks it. ``pid_of`` is a command that prints a container's process ID, but for the name at its end. ``alone``,
    ``on_host`` and ``joined`` say how a container is started without a network, in the host's, and in that of ``%s``."""

    program: str
    pid_of: Tuple[str, ...]
    alone: str
    on_host: str
    joined: str


ENGINES: Mapping[str, Engine] = {
    "docker": Engine(
        "docker",
        ("docker", "container", "inspect", "-f", "{{.State.Pid}}"),
        "--network none",
        "--network host",
        "--network container:%s",
    ),
    "podman": Engine(
        "podman",
        ("podman", "container", "inspect", "-f", "{{.State.Pid}}"),
        "--network none",
        "--network host",
        "--network container:%s",
    ),
    "nspawn": Engine(
        "systemd-nspawn",
        ("machinectl", "show", "-p", "Leader", "--value"),
        "--private-network",
        "no network option",
        "--network-namespace-path=/run/netns/%s",
    ),
    "lxc": Engine(
        "lxc-info",
        ("lxc-info", "-p", "-H", "-n"),
        "lxc.net.0.type = empty",
        "lxc.net.0.type = none",
        "lxc.namespace.share.net = %s",
    ),
    "systemd": Engine(
        "systemctl",
        ("systemctl", "show", "-p", "MainPID", "--value"),
        "PrivateNetwork=yes",
        "PrivateNetwork=no",
        "NetworkNamespacePath=/run/netns/%s",
    ),
}
