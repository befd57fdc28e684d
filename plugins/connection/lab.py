# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: lab
short_description: Work in a lab host
version_added: 0.3.0
author:
  - linuxnet.containers contributors (@linuxnet)
description:
  - Runs commands in a lab host and copies files into it and out of it. That is a host made of namespaces of this machine, which the playbook
    C(linuxnet.containers.lab_create) starts; see R(the role lab,ansible_collections.linuxnet.containers.lab_role).
  - Needs neither a server in it nor keys. Whoever started the lab host is root in it, and no machine is touched where there is none.
  - Asked to become root, it does nothing, as one is; it asks no C(sudo), which a plain user's lab host has no use for.
  - Where no Python is named, that of Ansible itself is taken, with all that it can import.
options:
  host:
    description: The lab host's name.
    type: str
    default: inventory_hostname
    vars:
      - name: inventory_hostname
      - name: ansible_host
  folder:
    description: Where C(lab_create) notes which lab hosts are up, and C(lab_destroy) looks for them. Under Molecule the scenario's own folder.
    type: path
    default: ~/.ansible/linuxnet-lab
    env:
      - name: MOLECULE_EPHEMERAL_DIRECTORY
    vars:
      - name: lab_folder
  pipelining:
    description: Whether modules are handed over with the command that runs them, and not as files before. Nothing speaks against it in a lab host.
    type: boolean
    default: true
    env:
      - name: ANSIBLE_PIPELINING
    vars:
      - name: ansible_pipelining
"""

EXAMPLES = r"""
# An inventory, which the playbook lab_create makes the hosts of: ansible-playbook -i lab.yml linuxnet.containers.lab_create
all:
  hosts:
    lab1: {ansible_connection: linuxnet.containers.lab}
    lab2: {ansible_connection: linuxnet.containers.lab}
"""

import os
import shlex
import subprocess
import sys
from typing import Any, BinaryIO, Dict, List, Optional, Tuple, Union

from ansible.errors import AnsibleConnectionFailure, AnsibleError, AnsibleFileNotFound
from ansible.plugins.connection import ConnectionBase
from ansible.utils.display import Display

display = Display()


class Connection(ConnectionBase):  # type: ignore[misc]
    """Everything goes through the command ``enter`` that is in the lab host's folder."""

    transport = "linuxnet.containers.lab"
    has_pipelining = True

    def _connect(self) -> Connection:
        """Make sure that the lab host runs. Raises AnsibleConnectionFailure if it does not."""
        self._running()
        self._connected = True
        return self

    def close(self) -> None:
        """Nothing is kept open."""
        self._connected = False

    def reset(self) -> None:
        """The next command enters anew, as each does."""

    def set_become_plugin(self, plugin: Any) -> None:
        """Whoever enters is root, so only another user is one to become."""
        super().set_become_plugin(None if self._play_context.become_user in (None, "", "root") else plugin)

    def update_vars(self, variables: Dict[str, Any]) -> None:
        """The lab host has this machine's files, so the modules' Python is the one that runs here unless another one is named."""
        super().update_vars(variables)
        variables.setdefault("ansible_python_interpreter", sys.executable)

    def exec_command(
        self, cmd: str, in_data: Optional[bytes] = None, sudoable: bool = True
    ) -> Tuple[int, bytes, bytes]:
        """Run a command line in the lab host. Returns its exit status, stdout and stderr."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        display.vvv("EXEC %s" % cmd, host=self._name())
        return self._run(cmd, stdin=in_data or b"")

    def put_file(self, in_path: str, out_path: str) -> None:
        """Copy a file of this side into the lab host."""
        super().put_file(in_path, out_path)
        display.vvv("PUT %s TO %s" % (in_path, out_path), host=self._name())
        try:
            with open(in_path, "rb") as file:
                self._copied("cat >%s" % shlex.quote(out_path), stdin=file)
        except FileNotFoundError:
            raise AnsibleFileNotFound("There is no file %s here." % in_path)

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Copy a file of the lab host to this side."""
        super().fetch_file(in_path, out_path)
        display.vvv("FETCH %s TO %s" % (in_path, out_path), host=self._name())
        with open(out_path, "wb") as file:
            self._copied("cat %s" % shlex.quote(in_path), stdout=file)

    def _name(self) -> str:
        return str(self.get_option("host"))

    def _running(self) -> str:
        """The command that enters the lab host."""
        name = self._name()
        folder = os.path.join(self.get_option("folder"), name)
        try:
            with open(os.path.join(folder, "pid"), encoding="ascii") as pid, open(
                os.path.join(folder, "uts"), encoding="ascii"
            ) as uts:
                # A number alone could be another process's by now.
                there = os.readlink("/proc/%s/ns/uts" % pid.read().strip()) == uts.read().strip()
        except OSError:
            there = False
        if not there:
            raise AnsibleConnectionFailure(
                "The lab host %s is not running, going by %s: the playbook linuxnet.containers.lab_create starts it."
                % (name, folder)
            )
        return os.path.join(folder, "enter")

    def _run(
        self, cmd: str, stdin: Union[bytes, BinaryIO] = b"", stdout: Union[int, BinaryIO] = subprocess.PIPE
    ) -> Tuple[int, bytes, bytes]:
        argv: List[str] = [self._running(), "/bin/sh", "-c", cmd]
        given: Dict[str, Any] = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin}
        done = subprocess.run(argv, stdout=stdout, stderr=subprocess.PIPE, check=False, **given)
        return done.returncode, done.stdout or b"", done.stderr

    def _copied(self, cmd: str, **streams: Any) -> None:
        rc, dummy, stderr = self._run(cmd, **streams)
        if rc != 0:
            raise AnsibleError(
                "No file was copied, as in the lab host %s %s"
                % (self._name(), stderr.decode("utf-8", "replace").strip())
            )
