# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The step `keep`: what a host needs to bring its wiring back by itself. A noun like others, with one object a host. Pure."""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import replace
from typing import Any, Collection, Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._model import lasting
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.base import Change
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import PutFile
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.lasting import (
    PutKept,
    ReloadUnits,
    RunUnit,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.deferred import dataclass
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.lasting import (
    COMMAND,
    NOTHING,
    PATHS,
    PLAN,
    PROGRAM,
    STARTED,
    File,
    Lasting,
    of_systemd,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import PROTOCOL
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.link import is_own_link
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.forwarding import (
    SYSCTL_FILE,
    at_boot,
    set_aside,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._run.prediction import advance
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan, Resource
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring import kept
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.compile import compile_plan
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.kept import Asked, Kept
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.steps import WIRE
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.variables import ON_PARENT, OPTIONS, entries

_NAMES: Dict[str, Any] = {"type": "list", "elements": "str", "default": []}
_LISTS: Dict[str, Any] = {"type": "list", "elements": "dict", "default": []}


@dataclass(frozen=True)
class Want:
    """``asked``: what the run asks to be kept. ``keeps``: it does ask for something, in this step or a later one, so that the host has to be able to."""

    asked: Asked
    keeps: bool
    backend: str

    def __hash__(self) -> int:
        return 0  # there is one


@dataclass(frozen=True)
class Have:
    """``files`` of ours by path as they are, ``found`` what else is known of the host, ``kept`` the plan of earlier runs, ``after`` that after this one with
    what the host has of it by now. ``forwarding``: the text of the file of sysctls. ``bare``: no command can be put where people look for it."""

    files: Mapping[str, File]
    found: Lasting
    kept: Kept
    after: Kept
    warnings: Tuple[str, ...]
    forwarding: str
    bare: bool = False


class Files:
    """The files of a host as they are, and as they are foreseen to be."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._found: Optional[Lasting] = None
        self._put: Dict[str, File] = {}
        self._read = False
        self._ran: Dict[str, bool] = {}

    @property
    def found(self) -> Lasting:
        if self._found is None:
            self._found = self._state.source.lasting()
        return self._found

    def now(self) -> Dict[str, File]:
        """Return the files by path: each that is there in any case."""
        return {
            path: self._put.get(path, self.found.files.get(path, NOTHING))
            for path in (*PATHS, *self.found.files, *self._put)
        }

    @property
    def unread(self) -> bool:
        """Return whether systemd has not read them."""
        return self.found.unread and not self._read

    @property
    def running(self) -> List[str]:
        """Return which of the units that are to run do."""
        return [name for name in STARTED.values() if self._ran.get(name, name in self.found.running)]

    def put(self, path: str, file: File) -> None:
        self._put[path] = file

    def reload(self) -> None:
        self._read = True

    def ran(self, name: str, runs: bool) -> None:
        self._ran[name] = runs

    def link_deleted(self) -> None:
        """Nothing of it has to do with interfaces."""

    def outdate(self, touched: Set[int], steps: Sequence[Change]) -> None:
        """Note that changes were carried out."""
        if any(isinstance(step, (PutKept, ReloadUnits, RunUnit)) for step in steps):
            self._found, self._put, self._read, self._ran = None, {}, False, {}


@advance.register(PutKept)
def _put_kept(step: PutKept, state: State) -> None:
    state.extension(Files).put(step.path, step.file)


@advance.register(ReloadUnits)
def _reload(dummy: ReloadUnits, state: State) -> None:
    state.extension(Files).reload()


@advance.register(RunUnit)
def _run_unit(step: RunUnit, state: State) -> None:
    state.extension(Files).ran(step.name, step.runs)


class LastingResource(Resource[Want, Have]):
    """What is kept of a host's wiring."""

    noun = "wiring"
    options: Dict[str, Any] = {
        "networks": _LISTS,
        "containers": _LISTS,
        "forget_networks": _NAMES,
        "forget_containers": _NAMES,
        "only": {"type": "bool", "default": False},
        "stay_networks": _NAMES,
        "stay_containers": _NAMES,
        "keeps": {"type": "bool", "default": False},
        "backend": OPTIONS["firewall_backend"],
        "drift": {"type": "str", "choices": list(lasting.DRIFTS)},
    }
    identity = ()

    def parse(self, params: Mapping[str, Any]) -> Want:
        asked = Asked(
            entries("networks", params["networks"]),
            entries("containers", params["containers"]),
            frozenset(params["forget_networks"]),
            frozenset(params["forget_containers"]),
            params["only"],
            frozenset(params["stay_networks"]),
            frozenset(params["stay_containers"]),
            params["drift"],
        )
        return Want(asked, params["keeps"], params["backend"])

    def subject(self, want: Want) -> str:
        return "what is kept on the host"

    def require(self, wants: Sequence[Want], source: Any) -> None:
        """Raise `Refused` where the host cannot bring anything back by itself, or has files of others in the places of ours."""
        if not any(want.keeps for want in wants):
            return
        found = source.lasting()
        if not found.systemd:
            raise Refused(
                "wiring_persist: this host was not started by systemd, which is needed to bring the wiring back; "
                "leave wiring_persist out."
            )
        foreign = [*found.elsewhere, *(path for path, file in found.files.items() if not file.ours)]
        if foreign:
            raise Refused(
                "wiring_persist: %s is there and is not ours; move it away, or leave wiring_persist out." % foreign[0]
            )
        state = State(source)
        for name in dict.fromkeys(name for want in wants for name in want.asked.stay_networks):
            link = state.link(state.need(HOST), name)
            if (
                link is not None
                and link.kind == "bridge"
                and not is_own_link(link, "bridge", HOST.path, link.name, state.identity())
            ):
                raise Refused(
                    "wiring_persist: network '%s': %s was here before, and would not be there yet when the wiring is brought back at boot."
                    % (name, link.describe())
                )

    def look(self, want: Want, state: State) -> Have:
        files = state.extension(Files)
        now, said = files.now(), ()  # type: Tuple[Dict[str, File], Tuple[str, ...]]
        try:
            before = kept.read(now[PLAN].text if now[PLAN].ours else "")
        except Invalid as error:
            before, said = Kept(), ("%s It is written anew; what earlier runs kept is not in it." % error,)
        after, warnings = kept.merged(before, want.asked)
        if want.asked.networks or want.asked.containers:
            after = _filled(replace(after, backend=want.backend, identity=state.identity()), state)
        found = replace(files.found, unread=files.unread, running=files.running)
        forwarding, bare = state.text(SYSCTL_FILE), not now[COMMAND].kind and state.read_only(COMMAND)
        return Have(now, found, before, after, (*said, *warnings), forwarding, bare)

    def plan(self, want: Want, have: Have) -> Plan:
        text = kept.text_of(have.after)
        wanted = _wanted(have, text) if text else {}
        paths = list(dict.fromkeys((*have.files, *wanted)))
        steps: List[Change] = []
        for path in paths if text else reversed(paths):
            now, then = have.files.get(path, NOTHING), wanted.get(path, NOTHING)
            if now.kind and not now.ours and not then.kind:
                continue  # somebody else's
            if now != then or (path == PLAN and not text and have.found.empty):
                steps.append(PutKept(path, then, now))
        units = [step for step in steps if isinstance(step, PutKept) and of_systemd(step.path)]
        if units or have.found.unread:
            steps.insert(len(steps) if text else steps.index(units[-1]) + 1 if units else 0, ReloadUnits())
        ended, begun = _runs(wanted, have.found.running, steps)
        steps = [*ended, *steps, *begun]
        forwarding = set_aside(have.forwarding) if text else at_boot(have.forwarding)
        if forwarding != have.forwarding:
            # What lets the host forward at boot goes first, and comes last.
            steps.insert(0 if text else len(steps), PutFile(SYSCTL_FILE, forwarding, have.forwarding))
        before = _shown(have.kept, have.files)
        after = _shown(have.after, wanted)
        return Plan(before, after, tuple(steps), have.warnings)


RESOURCE = LastingResource()


def _runs(
    wanted: Mapping[str, File], running: Collection[str], steps: Sequence[Change]
) -> Tuple[List[Change], List[Change]]:
    """Return which units are to be ended before the files are changed, and which to be started, or started again, behind that."""
    put = {step.path for step in steps if isinstance(step, PutKept)}
    ended: List[Change] = []
    begun: List[Change] = []
    for path, name in STARTED.items():
        runs = name in running
        if path not in wanted:
            ended.extend([RunUnit(name, "stop", True)] if runs else [])
        elif not runs or put & {path, PROGRAM}:
            begun.append(RunUnit(name, "restart" if runs else "start", runs))
    return ended, begun


def _wanted(have: Have, text: str) -> Dict[str, File]:
    """Return the files that are to be there for a plan, in the order in which they are written."""
    by_engine: Dict[str, List[str]] = {}
    for container in have.after.containers:
        by_engine.setdefault(container["engine"], []).append(container["name"])
    late = any(network["driver"] in ("routed", *ON_PARENT) or network["ports"] for network in have.after.networks)
    wanted = lasting.files(
        have.found.python, have.found.program, text, by_engine, have.found.spoilers, have.after.drift, late
    )
    if have.bare:
        wanted.pop(COMMAND, None)
    return wanted


def _shown(what: Kept, files: Mapping[str, File]) -> Dict[str, Any]:
    """Return the object as results have it, ``{}`` where nothing is there."""
    there = {path: file for path, file in files.items() if file.kind}
    if not there:
        return {}
    given = [
        "%s/%s %s" % (name, interface, address)
        for name, by_interface in what.addresses.items()
        for interface, addresses in by_interface.items()
        for address in addresses
    ]
    given.sort()
    return {
        "networks": [network["name"] for network in what.networks],
        "containers": [container["name"] for container in what.containers],
        "addresses": given,
        **{path: _file(file) for path, file in there.items()},
    }


def _file(file: File) -> str:
    """Return a file in a few words: what it is, and which text it has."""
    if file.kind == "link":
        return "-> " + file.text
    digest = (
        file.text if file.kind == "program" else hashlib.sha256(file.text.encode(errors="surrogateescape")).hexdigest()
    )
    return "%s %04o %s" % (file.kind, file.mode, digest[:16])


# --- what the host made of it ---


def _filled(what: Kept, state: State) -> Kept:
    """Return what is kept with the addresses that the containers have now, and the MTUs of the bridges; what is not there now stays as it was."""
    host = state.need(HOST)
    mtus = dict(what.mtus)
    for network in what.networks:
        link = state.link(host, network["name"]) if network["mtu"] == "auto" else None
        if link is not None and link.kind == "bridge":
            mtus[network["name"]] = int(link.get("mtu"))
        elif network["mtu"] != "auto":
            mtus.pop(network["name"], None)
    pools = _pools(what)
    addresses: Dict[str, Dict[str, List[str]]] = {}
    for (name, interface), nets in pools.items():
        given = [*_addresses(name, interface, state), *what.addresses.get(name, {}).get(interface, ())]
        found = [next((one for one in given if _inside(one, net)), None) for net in nets]
        texts = [one for one in found if one is not None]
        if texts:
            addresses.setdefault(name, {})[interface] = texts
    return replace(what, addresses=addresses, mtus=mtus)


def _pools(what: Kept) -> Dict[Tuple[str, str], List[str]]:
    """Return the pools that addresses of containers come from, by container and interface."""
    found: Dict[Tuple[str, str], List[str]] = {}
    for item in compile_plan(what.networks, what.containers)[WIRE]["address"]:
        if "pool" in item:
            found.setdefault((item["netns"], item["interface"]), []).append(item["pool"])
    return found


def _addresses(name: str, interface: str, state: State) -> Iterable[str]:
    """Return the addresses of an interface, those of ours first."""
    ns = state.find(NsRef.parse(name))
    link = state.link(ns, interface) if ns is not None else None
    if ns is None or link is None:
        return []
    own = sorted(state.addresses_of(ns, link), key=lambda address: address.protocol != PROTOCOL)
    return [address.cidr for address in own if address.scope == "global"]


def _inside(address: str, net: str) -> bool:
    found, pool = ipaddress.ip_interface(address), ipaddress.ip_network(net)
    return found.version == pool.version and found.ip in pool
