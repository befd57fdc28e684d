# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# shellcheck shell=bash
# Sourced by the scripts in this folder: where things are, and what more than one of them does.
#
# Everything that is built lives outside the clone, in CACHE: the clone's folder may have any name, but the tools of others
# break on spaces and quotes, and nothing is littered.

set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/linuxnet-containers/$(printf %s "$ROOT" | sha1sum | cut -c1-12)
TOOLS=$ROOT/tests/tools
LAB=$ROOT/roles/lab/files
TREE=$CACHE/tree/ansible_collections/linuxnet/containers # a copy of the sources, at the path that ansible-test wants
export ROOT CACHE TOOLS LAB TREE

say() { printf '== %s\n' "$*"; }
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# The release of Debian that runs here, by its code name; nothing on anything else.
release() (
    # shellcheck source=/dev/null
    [[ ! -r /etc/os-release ]] || source /etc/os-release
    [[ ${ID-} != debian ]] || printf '%s\n' "${VERSION_CODENAME-}"
)

# The packages that bindep.txt names for a release of Debian, one a line.
system_packages() { # CODENAME
    sed -nE "s/^([a-z0-9][^ ]*) \\[([^]]* )?platform:(dpkg|debian-${1:-none})[] ].*/\\1/p" "$ROOT/bindep.txt"
}

# Activates an environment: its programs first on PATH, and Ansible's files in the cache instead of in the user's home.
use_venv() { # newest | oldest
    export VENV=$CACHE/venv-$1
    [[ -x $VENV/bin/python ]] || die "the environment '$1' is missing: run tests/tools/setup $1"
    PATH=$VENV/bin:/usr/sbin:/sbin:$PATH
    export PATH
    export ANSIBLE_HOME=$CACHE/ansible-home ANSIBLE_LOCAL_TEMP=$CACHE/ansible-home/local ANSIBLE_REMOTE_TEMP=$CACHE/ansible-home/remote
    export ANSIBLE_COLLECTIONS_PATH=$CACHE/collections
    export ANSIBLE_LOCALHOST_WARNING=False ANSIBLE_INVENTORY_UNPARSED_WARNING=False ANSIBLE_DEPRECATION_WARNINGS=True
    export ANSIBLE_NOCOWS=1 ANSIBLE_RETRY_FILES_ENABLED=False
    export PYTHONPYCACHEPREFIX=$CACHE/pycache
    # Bytecode goes to the cache; without it each of the many short processes would compile everything anew.
    unset ANSIBLE_CONFIG PYTHONPATH PYTHONDONTWRITEBYTECODE
}

# What git tracks, and what it does not ignore: also a file that was just written is tested.
sources() {
    if git -C "$ROOT" -c safe.directory='*' rev-parse --git-dir >/dev/null 2>&1; then
        git -C "$ROOT" -c safe.directory='*' ls-files -z --cached --others --exclude-standard
    else
        (cd "$ROOT" && find . -type f -not -path './build/*' -print0)
    fi
}

copy_sources() { # FOLDER
    mkdir -p "$1"
    sources | (cd "$ROOT" && while IFS= read -r -d '' file; do [[ -e $file || -L $file ]] && printf '%s\0' "$file"; done) |
        tar -C "$ROOT" --null --files-from=- -cf - | tar -C "$1" -xf -
}
