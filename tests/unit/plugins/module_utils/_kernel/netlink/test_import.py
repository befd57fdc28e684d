# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How pyroute2 is imported: without all that it would import itself, and so that nobody else sees it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

NETLINK = (
    "from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import links as rtnetlink\n"
)


def python(script: str) -> str:
    """Run a script in an interpreter of its own, with this one's paths."""
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-c", "import sys\n" + script],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_only_what_is_needed_is_imported_and_nothing_of_it_stays_visible():
    pytest.importorskip("pyroute2")
    show = "print(rtnetlink.IMPORT_ERROR, [name for name in sys.modules if name.startswith('pyroute2')], 'asyncio' in sys.modules)"
    assert python(NETLINK + show) == "None [] False"


def test_who_imports_pyroute2_afterwards_gets_all_of_it():
    pytest.importorskip("pyroute2")
    script = (
        "import pyroute2, pyroute2.netlink.rtnl\nprint(pyroute2.IPRoute.__name__, pyroute2.netlink.rtnl.RTM_NEWLINK)"
    )
    assert python(NETLINK + script) == "IPRoute 16"


def test_where_pyroute2_is_there_already_it_is_used():
    pytest.importorskip("pyroute2")
    script = "import pyroute2\nfrom pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg\n"
    assert python(script + NETLINK + "print(rtnetlink.ifinfmsg is ifinfmsg)") == "True"


def test_a_version_whose_modules_need_the_package_is_imported_whole(tmp_path):
    """Stands in for one: its modules ask the package for a name."""
    folder = tmp_path / "pyroute2" / "netlink" / "rtnl"
    folder.mkdir(parents=True)
    (tmp_path / "pyroute2" / "__init__.py").write_text("name = 1\n", encoding="utf-8")
    for one in (folder.parent, folder):
        (one / "__init__.py").write_text("", encoding="utf-8")
    for name in ("fibmsg", "ifaddrmsg", "ifinfmsg", "ndmsg", "nsidmsg", "rtmsg"):
        text = f"from pyroute2 import name\nclass {name}:\n    nla_map = ()\n"
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    script = f"sys.path.insert(0, {str(tmp_path)!r})\n{NETLINK}print(rtnetlink.IMPORT_ERROR, 'pyroute2' in sys.modules)"
    assert python(script) == "None True"
