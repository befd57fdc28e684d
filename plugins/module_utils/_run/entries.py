# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is in /run/netns, as far as it is known: by name, and found by the namespace that a name means. Pure."""

from __future__ import annotations

from typing import Dict, Iterator, List, Mapping, MutableMapping

from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import NsFile


class Entries(MutableMapping[str, NsFile]):
    """The entries of /run/netns by name. To find the names of a namespace takes the time of how many it has."""

    def __init__(self, entries: Mapping[str, NsFile]) -> None:
        self._by_name: Dict[str, NsFile] = {}
        self._by_inode: Dict[int, Dict[str, None]] = {}
        self.update(entries)

    def __getitem__(self, name: str) -> NsFile:
        return self._by_name[name]

    def __setitem__(self, name: str, entry: NsFile) -> None:
        if name in self._by_name:
            del self._by_inode[self._by_name[name].inode][name]
        self._by_name[name] = entry
        self._by_inode.setdefault(entry.inode, {})[name] = None

    def __delitem__(self, name: str) -> None:
        del self._by_inode[self._by_name.pop(name).inode][name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def of(self, inode: int) -> List[NsFile]:
        """Return the entries that mean a namespace."""
        return [self._by_name[name] for name in self._by_inode.get(inode, ())]
