# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Types docs/molecule.md into an empty folder, where nothing is known of this clone: the collection is installed from the built tarball, offline.

    python outside.py CACHE [--all]

CACHE has "dist", with the tarball, and the environments. One Molecule, as the user who runs it; with --all also the one of a year before, and as root,
as a plain user, and as root without CAP_SYS_ADMIN. Prints a table, and what Molecule printed where it failed.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "molecule.md"
SOMEBODY = 54321  # who has no other home than HOME
LIMIT = 900  # seconds
MOLECULES = ("venv-newest", "venv-molecule")
# Each is what comes before a command. The home folder of whoever runs this may be closed to others, who have to get to the environments: {open} opens it.
WAYS = {
    "root": "",
    "a plain user": "unshare --mount bash -c {open} "
    + f"setpriv --reuid={SOMEBODY} --regid={SOMEBODY} --clear-groups --inh-caps=-all",
    "root without CAP_SYS_ADMIN": "setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin",
}
# In a mount namespace of its own: a home folder that others may pass through, with nothing in it but the folders that are named.
OPEN = """
set -eu
home=$0 kept=$(mktemp -d)
count=0 folders=()
until [[ $1 == -- ]]; do
    count=$((count + 1))
    folders+=("$1")
    mkdir "$kept/$count"
    mount --bind "$1" "$kept/$count"
    shift
done
shift
mount -t tmpfs -o mode=755 tmpfs "$home"
for number in $(seq "$count"); do
    mkdir -p "${folders[number - 1]}"
    mount --move "$kept/$number" "${folders[number - 1]}"
    rmdir "$kept/$number"
done
rmdir "$kept"
exec "$@"
"""


@dataclass(frozen=True)
class Typed:
    """One time that the page was typed."""

    versions: str
    way: str
    seconds: float
    work: float  # the processor's time, in seconds
    failed: str  # what was printed, empty if all went well


def worked() -> float:
    """The processor's time of all that was started and has ended, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def files() -> Iterator[tuple[str, str]]:
    """The files of the page: blocks whose first line says which one it is."""
    for path, text in re.findall(
        r"^```yaml\n# (\S+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    ):
        yield path, f"---\n{text}"


def commands() -> list[str]:
    """What the page has at a prompt up to "molecule test", without remarks."""
    blocks = re.findall(r"^```console\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    lines = [re.sub(r"\s+#.*", "", line.removeprefix("$ ")) for block in blocks for line in block.splitlines()]
    return lines[: lines.index("molecule test") + 1]


def before(way: str, environment: Path) -> list[str]:
    """The words that have a command run in this way, with the programs of an environment."""
    home = Path.home()
    needed = sorted(
        {path for path in (environment, environment.resolve(), Path(sys.base_prefix)) if home in path.parents}
    )
    opened = shlex.join([OPEN, str(home), *map(str, needed), "--"]) if needed else "'exec \"$@\"' open"
    return shlex.split(WAYS[way].format(open=opened))


def typed(cache: Path, molecule: str, way: str) -> Typed:
    """Type the page."""
    tarball = next((cache / "dist").glob("*.tar.gz"))
    programs = cache / molecule / "bin"
    with tempfile.TemporaryDirectory(prefix="outside-") as name:
        folder = Path(name)
        (folder / "shop").mkdir()
        for path, text in files():
            file = folder / "shop" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        (folder / tarball.name).write_bytes(tarball.read_bytes())
        if way == "a plain user":
            for one in (folder, *folder.rglob("*")):
                os.chown(one, SOMEBODY, SOMEBODY)
        script = ["set -e", f"cd {folder}/shop"]
        for command in commands():
            if command.startswith("ansible-galaxy collection install"):
                command = f"ansible-galaxy collection install --offline {folder}/{tarball.name}"
            if not command.startswith("pip "):  # the environment has it all
                script.append(command)
        environment = {"HOME": name, "PATH": f"{programs}:{os.environ['PATH']}", "LANG": "C.UTF-8", "TMPDIR": name}
        start, work = time.monotonic(), worked()
        done = subprocess.run(
            [*before(way, cache / molecule), "bash", "-c", "\n".join(script)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        seconds, work = time.monotonic() - start, worked() - work
    shown = ["molecule", "ansible-core"]
    asked = "from importlib.metadata import version; import sys; print(*(f'{name} {version(name)}' for name in sys.argv[1:]), sep=', ')"
    versions = subprocess.run(
        [str(programs / "python"), "-c", asked, *shown], capture_output=True, text=True, check=True
    )
    proved = re.search(
        r"Compare with what is expected\] \*+\s+ok: \[lab1\]", re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    )
    return Typed(
        versions.stdout.strip(),
        way,
        seconds,
        work,
        "" if done.returncode == 0 and proved else done.stdout or "it printed nothing",
    )


def main() -> int:
    """Type it as often as is asked for."""
    parser = argparse.ArgumentParser(description="Types docs/molecule.md from the built tarball.")
    parser.add_argument("cache", type=Path)
    parser.add_argument("--all", action="store_true", help="both Molecules, in every way")
    given = parser.parse_args()
    ways = list(WAYS) if given.all else ["root"]
    if given.all and os.geteuid() != 0:
        parser.error("only root can take every way")
    failed = 0
    print("| Molecule | as | takes | of the processor |\n|---|---|---|---|", flush=True)
    for molecule in MOLECULES if given.all else MOLECULES[:1]:
        for way in ways:
            one = typed(given.cache, molecule, way)
            what = way if os.geteuid() == 0 else "a plain user"
            took = "FAILED | -" if one.failed else f"{one.seconds:.0f} s | {one.work:.0f} s"
            print(f"| {one.versions} | {what} | {took} |", flush=True)
            if one.failed:
                failed += 1
                print(one.failed, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
