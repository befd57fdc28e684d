# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which namespace a name is to be bound to: that of a path, another name, a process or a container. Pure but for the state."""

from __future__ import annotations

from typing import List, Optional, Sequence, Set

from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.engines import ENGINES
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Container, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.netns_want import Want
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State


@dataclass(frozen=True)
class Binding:
    """What a name is to be bound to: the namespace ``ref``, its ``inode``, 0 where the name gets a namespace of its own, and the
    ``process`` that is said to run in it. ``file`` is another file of that namespace, to which the name is to be a link, so as not to
    keep a container's namespace alive when that ends."""

    ref: NsRef = HOST
    inode: int = 0
    process: Optional[Container] = None
    file: str = ""


class Given:
    """The namespaces that processes give to items of a task; a part of the state, since all of its items ask."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._asked: Sequence[Want] = ()
        self._found: Set[int] = set()

    def inodes(self, wants: Sequence[Want]) -> Set[int]:
        """Return the inodes of the namespaces that the processes of ``wants`` are in."""
        if wants is not self._asked:
            self._asked, self._found = wants, {inode for want in wants for inode in self._of(want)}
        return self._found

    def _of(self, want: Want) -> List[int]:
        if want.container:
            known = self._state.containers(want.engine, want.asked or (want.container,))[0]
            return [container.inode for container in known.get(want.container, ())]
        try:
            found = self._state.find(NsRef("/proc/%d/ns/net" % (want.pid or 0)))
        except PermissionError:  # said where that item is looked at
            return []
        return [] if found is None else [found]

    def outdate(self, touched: Set[int], changes: Sequence[Change]) -> None:
        """Changes of ours move no process."""

    def link_deleted(self) -> None:
        """Nor does the end of an interface."""


def binding(want: Want, host: int, state: State) -> Binding:
    """Return what a name is to be bound to. Raises `Refused`; ``host`` is the inode of the host's namespace."""
    if want.own:
        return Binding()
    process = _process(want, state) if want.pid or want.container else None
    if want.source is not None:
        return Binding(want.source, _named(want, want.source, process, host, state), process, _shared_file(want, state))
    if process is None:
        ref = NsRef("/proc/%s:%s/ns/net" % (want.engine, want.container))  # of no process yet
        return Binding(ref, state.foreseen(ref, "container '%s'" % want.container))
    if process.inode == host:
        raise Refused(
            "%s is in the host's own network namespace; %ssay share: host where that is what you want."
            % (_who(process), "start it with %s, or " % ENGINES[process.engine].alone if process.engine else "")
        )
    if not process.pid:
        return Binding(NsRef.parse(process.file), process.inode, process)
    return Binding(NsRef("/proc/%d/ns/net" % process.pid), process.inode, process, process.file)


def _named(want: Want, source: NsRef, process: Optional[Container], host: int, state: State) -> int:
    """Return the inode of a namespace that the options name."""
    try:
        found = state.find(source)
    except PermissionError as error:
        raise Refused("%s: the namespace may not be opened: %s." % (want.says, error.strerror)) from error
    shares = want.says.startswith("share")
    if found is None:
        if not shares:
            raise Refused("%s does not exist." % want.says)
        found = state.need(source)
    if found == host and source != HOST and not shares:
        raise Refused(
            "%s is the host's own network namespace; say share: host where that is what you want." % want.says
        )
    if process is not None and process.inode != found and found > 0:
        raise _elsewhere(source, process)
    return found


def _shared_file(want: Want, state: State) -> str:
    """Return what the name that is to be shared is a link to, ``""`` where it is none: the engine's own file of a namespace."""
    if want.source is None or not want.says.startswith("share"):
        return ""
    owner = state.entries().get(want.source.name)
    return owner.target if owner is not None and owner.kind == "namespace" else ""


def _process(want: Want, state: State) -> Optional[Container]:
    """Return the process of a container or with a PID, its namespace open from here on: a PID used again does no harm.

    None: check mode foresees a container that an earlier task would have started.
    """
    if not want.container:
        return _by_pid(want.pid or 0, state)
    known, silent = state.containers(want.engine, want.asked or (want.container,))
    found = known.get(want.container, ())
    alive = {container.inode: container for container in found if container.pid or container.inode}
    if found and not alive and found[0].status == "active":
        raise Refused(
            "container: unit '%s' is active, but has no process that could be entered, and no NetworkNamespacePath=; give it one of them."
            % found[0].name
        )
    if not alive and state.predict:
        return None
    if not found and silent and want.engine != "auto":
        raise Refused("container: '%s' cannot be looked up: %s." % (want.container, "; ".join(silent)))
    if not found:
        text = (
            "no engine on this host knows a container '%s'" if want.engine == "auto" else want.engine + " knows no '%s'"
        )
        next_step = "start it first, if that is its name"
        raise Refused("container: %s." % "; ".join([text % want.container, *(silent or [next_step])]))
    if not alive:
        raise Refused(
            "container: '%s' of %s does not run (%s); start it first."
            % (found[0].name, found[0].engine, found[0].status or "stopped")
        )
    if len(alive) > 1:
        raise Refused(
            "container: '%s' runs in %s; say which with engine."
            % (want.container, " and in ".join(container.engine for container in alive.values()))
        )
    return next(iter(alive.values()))


def _by_pid(pid: int, state: State) -> Container:
    """Return the process with a PID, which must not end while its namespace is opened."""
    started = state.start_time(pid)
    if started is None:
        raise Refused("pid: there is no process %d on this host; a stopped container has none." % pid)
    inode = state.find(NsRef("/proc/%d/ns/net" % pid))
    if inode is None or state.start_time(pid) != started:
        raise Refused(
            "pid: process %d ended while its namespace was being opened; look up the container's process again." % pid
        )
    return Container("", "", pid, inode=inode)


def _who(process: Container) -> str:
    return "container: '%s' of %s" % (process.name, process.engine) if process.engine else "pid: %d" % process.pid


def _elsewhere(source: NsRef, process: Container) -> Refused:
    """Return the error for a process that is not in the namespace it has to be in: nobody can move it there from outside."""
    if source == HOST:
        text = "%s is in another network namespace than the host's own" % _who(process)
    else:
        text = "%s is in another network namespace than that of '%s'" % (_who(process), source.name)
        text += ", perhaps the one that this name meant before it was made anew"
    if not process.engine:
        return Refused(text + "; it has to be started anew there.")
    engine = ENGINES[process.engine]
    how = engine.on_host if source == HOST else engine.joined % source.name
    return Refused("%s; only %s can put it there: start it anew with %s." % (text, process.engine, how))
