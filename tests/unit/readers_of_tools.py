# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Readers of what programs print: nft, iptables, and the engines' own. Texts are recorded, or as those programs print them."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any
from unittest import mock

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.registry import BACKENDS
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs import engines, iptables, run
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs.nft import Nft
from ansible_collections.linuxnet.containers.plugins.module_utils._model import requirements
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.tests.unit.fuzz import Reader
from ansible_collections.linuxnet.containers.tests.unit.test_rule_sets_from_outside import swallowed

RECORDED = Path(__file__).parent / "recorded"
ID = "4f" * 32
BROKEN = '{"nftables": [{"table": {"flags":'
TOOL = (Refused, run.ProgramError)  # the latter becomes a `KernelError`, or a warning


def lines(name: str, every: int = 1, first: int = 0) -> str:
    """A recorded listing, or some of its lines."""
    return "\n".join((RECORDED / name).read_text(encoding="utf-8").split("\n")[first::every])


@contextlib.contextmanager
def printing(text: str, failing: bool = False, **others: str) -> Generator[None, None, None]:
    """A block in which every program prints a text, but for ``others`` by one of its arguments, or complains; and there is every program."""

    def output(_path: str, arguments: list[str], *dummy: Any, **more: Any) -> tuple[str, str]:
        words = " ".join(arguments)
        said = next((other for word, other in others.items() if word.replace("_", " ") in words), text)
        return ("", said.strip() or "it ended with 1") if failing else (said, "")

    with (
        mock.patch.object(run, "output", output),
        mock.patch.object(run, "which", lambda name: f"/usr/sbin/{name}"),
        mock.patch(
            "ansible_collections.linuxnet.containers.plugins.module_utils._kernel.programs.nft.which", lambda name: name
        ),
        mock.patch.object(iptables, "which", lambda name: f"/nowhere/{name}"),
    ):
        yield


def rule_set(text: str) -> None:
    with printing(text):
        found = Nft().read()
    swallowed(found)


def in_parts(value: Any) -> None:
    """As nft 1.0.6 prints a table with a flag: broken, so that it is asked for each thing by itself, of which ``value`` is what all have."""
    text = json.dumps({"nftables": value})
    with printing(text, t_list="table ip x {\n\tflags dormant\n}\ntable inet y {\n}\n", list_ruleset=BROKEN):
        found = Nft().read()
    swallowed(found)


def tables(text: str) -> None:
    with printing('{"nftables": []}', t_list=text, list_ruleset=BROKEN):
        Nft().read()


def saved(kind: str) -> Callable[[str], None]:
    def read(text: str) -> None:
        with printing(text):
            found = iptables.Iptables(kind).read()
        swallowed(found)

    return read


def objects(value: Any) -> None:
    """JSON of which some is not as it should be; what is no JSON at all is `rule_set`'s."""
    rule_set(json.dumps({"nftables": value}))


def version(text: str) -> None:
    with printing(text):
        iptables.usual_kind()
        for said in (Nft().version(), iptables.Iptables("nft").version()):
            for backend in BACKENDS:
                requirements.too_old(said, backend.oldest)
                requirements.dotted(requirements.numbers(said))


LISTED = json.loads(lines("nft.txt"))["nftables"]
SOME = [LISTED[at : at + 12] for at in range(0, len(LISTED), 12)]
FIREWALLS = [
    Reader("nft: a listing", rule_set, [json.dumps({"nftables": part}) for part in SOME[:6]], TOOL, 0.3),
    Reader("nft: objects", objects, SOME, TOOL, 0.3),
    Reader("nft 1.0.6: in parts", in_parts, SOME, TOOL, 0.2),
    Reader(
        "nft 1.0.6: names of tables",
        tables,
        ['table ip x {\n\tcomment "y"\n\tflags dormant\n\tchain c {\n\t}\n}\ntable inet y {\n}\n'],
        TOOL,
    ),
    Reader("nft 1.1.3: a listing", rule_set, [lines("newer/nft.txt")], TOOL, 0.1),
    Reader("iptables-nft-save", saved("nft"), [lines("iptables-nft.txt"), lines("ip6tables-nft.txt")], TOOL, 0.2),
    Reader(
        "iptables-legacy-save",
        saved("legacy"),
        [lines("iptables-legacy.txt"), lines("ip6tables-legacy.txt")],
        TOOL,
        0.2,
    ),
    Reader(
        "versions",
        version,
        ["nftables v1.0.6 (Lester Gooch #5)", "iptables v1.8.9 (nf_tables)", "iptables v1.8.9 (legacy)"],
        TOOL,
    ),
]


# --- engines ---


def asked(engine: str, failing: bool = False, **others: str) -> Callable[[str], None]:
    """Ask an engine for containers by name, and for those that run."""

    def read(text: str) -> None:
        with printing(text, failing, **others), mock.patch.object(os.path, "isdir", return_value=True):
            with contextlib.suppress(run.ProgramError):
                engines.find(engine, ["web", ID[:12], "a b"])
            engines.running(engine)

    return read


INSPECTED = f"{ID} 70 running /web /var/run/docker/netns/0a1b\n{ID[::-1]} 0 exited /db \n"
SHOWN = "Id=web.service\nMainPID=70\nLoadState=loaded\nActiveState=active\nControlGroup=/system.slice/web.service\nNetworkNamespacePath=\n"
ENGINES = [
    Reader("docker", asked("docker", ps=ID), [INSPECTED], TOOL),
    Reader("docker: identities", asked("docker", container_inspect=INSPECTED), [f"{ID}\n{ID[::-1]}\n"], TOOL),
    Reader("podman", asked("podman"), [INSPECTED.replace("/web", "web")], TOOL),
    Reader("systemctl", asked("systemd"), [SHOWN, SHOWN.replace("70", "0") + "\n" + SHOWN], TOOL),
    Reader("machinectl", asked("nspawn"), ["Leader=70\nState=running\n"], TOOL),
    Reader("lxc-info", asked("lxc"), ["State: RUNNING\n70\n", "RUNNING\n70\n"], TOOL),
    *(
        Reader(
            f"{engine}: complaints",
            asked(engine, failing=True),
            ["Error: No such container: web\n", "Cannot connect to the daemon.\nIs it running?"],
            TOOL,
        )
        for engine in ("docker", "podman", "systemd", "nspawn", "lxc")
    ),
]
TOOLS = [*FIREWALLS, *ENGINES]
