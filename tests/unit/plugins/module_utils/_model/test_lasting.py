# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stays on a host that brings its wiring back by itself: files, and what the units say."""

from __future__ import annotations

import json
import shlex

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._model import lasting


def settings(text: str) -> dict[str, list[str]]:
    """What a unit says, by key, all lines of a key together."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if "=" in line and not line.startswith("#"):
            key, value = line.split("=", 1)
            found.setdefault(key, []).extend(value.split())
    return found


def test_files_are_written_in_the_order_in_which_they_need_each_other() -> None:
    engines = ("podman", "lxc", "nspawn", "docker")
    of_engines = lasting.files(
        "python3", "abc", "{}", {one: ["web"] for one in engines}, ["firewalld.service"], "tell", True
    )
    assert [*of_engines] == [*lasting.PATHS, lasting.drop_in("firewalld.service")]
    alone = [*lasting.files("python3", "abc", "{}")]
    assert alone == [*lasting.PATHS[: len(alone)]]
    assert alone[-1] == lasting.ENABLED


@pytest.mark.parametrize(
    ("engine", "more"),
    [
        ("docker", [lasting.DOCKER, lasting.FOLLOWED]),
        ("podman", [lasting.PODMAN]),
        ("lxc", [lasting.LXC]),
        ("nspawn", [lasting.NSPAWN]),
        ("systemd", ["/etc/systemd/system/web.service.d/linuxnet-containers.conf"]),
        ("netns", []),
    ],
)
def test_each_engine_has_its_own_files(engine: str, more: list[str]) -> None:
    found = lasting.files("python3", "abc", "{}", {engine: ["web"]})
    assert [path for path in found if path not in lasting.files("python3", "abc", "{}")] == more
    assert all(file.text == lasting.LINKS[path] for path, file in found.items() if file.kind == "link")


@pytest.mark.parametrize("python", ["/usr/bin/python3", "/opt/my python's/python3"])
def test_a_hook_of_an_engine_that_others_use_lets_them_be(python: str) -> None:
    """Who cannot read the program starts containers all the same."""
    document = json.loads(lasting.podman_hook(python))
    assert document["stages"] == ["createRuntime", "poststop"]
    shell = document["hook"]["args"][2]
    values = [line.partition(" = ")[2] for line in lasting.lxc_hook(python).splitlines() if " = " in line]
    assert len(values) == 2
    for text in (shell, *(shlex.split(value)[2] for value in values)):
        guard, command = text.split("; ")
        assert guard == f"[ -r {lasting.PROGRAM} ] || exit 0"
        assert shlex.split(command)[:4] == ["PYTHONUTF8=1", "WIRED_LOG=syslog", "exec", python]
    assert all(shlex.split(value)[2].endswith(' hook lxc "$@"') for value in values), "which hook it is comes behind"


def test_a_unit_of_a_container_is_wired_from_inside_before_its_first_program() -> None:
    text = lasting.files("python3", "abc", "{}", {"systemd": ["web.service"]})[lasting.drop_in("web.service")].text
    said = settings(text)
    assert said["ExecStartPre"] == ["+python3", lasting.PROGRAM, "hook", "systemd", "start", "web.service"]
    assert said["ExecStopPost"] == ["-+python3", lasting.PROGRAM, "hook", "systemd", "stop", "web.service"]
    assert lasting.service("web") == "web.service"


def test_who_takes_rules_with_him_has_the_wiring_repaired() -> None:
    said = settings(lasting.files("python3", "abc", "{}", {}, ["ufw.service"])[lasting.drop_in("ufw.service")].text)
    assert said["ExecStartPost"] == said["ExecReload"]
    assert said["ExecReload"] == ["-/bin/systemctl", "--no-block", "restart", "wired.service"]


def test_a_reload_of_firewalld_is_heard_on_the_bus_however_it_is_told_to() -> None:
    found = lasting.files("python3", "abc", "{}", {}, ["firewalld.service"])
    assert "ExecReload" not in settings(found[lasting.drop_in("firewalld.service")].text)
    text = found[lasting.FIREWALLD].text
    assert settings(text)["ExecStart"][:2] == ["/bin/sh", "-c"]
    assert "member='Reloaded'" in text
    assert "case $$line in" in text
    assert found[lasting.HEARD].text == lasting.FIREWALLD
    assert lasting.FIREWALLD not in lasting.files("python3", "abc", "{}", {}, ["ufw.service"])


def test_a_host_of_routed_networks_looks_again_when_it_has_its_addresses() -> None:
    found = lasting.files("python3", "abc", "{}", late=True)
    said = settings(found[lasting.ONLINE].text)
    assert said["ExecStart"] == ["python3", lasting.PROGRAM, "up"]
    assert said["After"] == ["network-online.target", "wired.service"]
    assert found[lasting.AWAITED].text == lasting.ONLINE
    assert lasting.ONLINE not in lasting.files("python3", "abc", "{}")


@pytest.mark.parametrize(("drift", "command"), [("tell", "diff"), ("repair", "up")])
def test_drift_is_looked_at_now_and_then(drift: str, command: str) -> None:
    found = lasting.files("python3", "abc", "{}", drift=drift)
    assert settings(found[lasting.DRIFT].text)["ExecStart"] == ["python3", lasting.PROGRAM, command]
    assert settings(found[lasting.TIMER].text)["OnUnitActiveSec"] == ["15min"]
    assert lasting.TIMED not in lasting.files("python3", "abc", "{}")


@pytest.mark.parametrize(
    ("path", "made"),
    [
        (lasting.PLAN, [lasting.FOLDER]),
        (lasting.UNIT, []),
        (lasting.ENABLED, ["/etc/systemd/system/multi-user.target.wants"]),
        (lasting.PODMAN, ["/usr/share/containers/oci/hooks.d", "/usr/share/containers/oci"]),
        (lasting.LXC, []),
        (lasting.drop_in("x.service"), ["/etc/systemd/system/x.service.d"]),
    ],
)
def test_folders_that_are_made_for_a_file_go_with_it(path: str, made: list[str]) -> None:
    assert lasting.folders(path) == made


def test_the_command_starts_the_program_with_any_python() -> None:
    text = lasting.files("/opt/my python/python3", "abc", "{}")[lasting.COMMAND].text
    assert text.splitlines()[-1] == f"PYTHONUTF8=1 exec '/opt/my python/python3' {lasting.PROGRAM} \"$@\""


def test_only_root_reads_the_plan() -> None:
    modes = {path: file.mode for path, file in lasting.files("python3", "abc", "{}").items() if file.kind != "link"}
    assert modes[lasting.PLAN] == 0o600
    assert {mode & 0o022 for mode in modes.values()} == {0}


def test_the_unit_is_between_firewalls_and_the_network() -> None:
    said = settings(lasting.unit("/usr/bin/python3"))
    assert {"nftables.service", "firewalld.service", "ufw.service", "systemd-sysctl.service", "local-fs.target"} <= {
        *said["After"]
    }
    assert {"network-pre.target", "docker.service", "machines.target", "shutdown.target"} <= {*said["Before"]}
    assert said["Wants"] == ["network-pre.target"]
    assert said["DefaultDependencies"] == ["no"]
    assert said["WantedBy"] == ["multi-user.target"]
    assert said["ExecStart"] == ["/usr/bin/python3", lasting.PROGRAM, "up"]


def test_the_unit_of_a_container_comes_after_it_and_does_not_need_all_of_it() -> None:
    said = settings(lasting.template("/usr/bin/python3"))
    assert said["Wants"] == ["wired.service"]
    assert "Requires" not in said
    assert said["After"] == ["wired.service"]
    assert said["ExecStart"] == ["/usr/bin/python3", lasting.PROGRAM, "up", "--", "%I"]


def test_each_file_is_known_as_ours_by_its_beginning() -> None:
    engines = ("podman", "lxc", "nspawn", "docker", "systemd")
    found = lasting.files("python3", "abc", "{}", {one: ["web"] for one in engines}, lasting.SPOILERS, "tell")
    texts = [file.text for path, file in found.items() if file.kind == "file" and path != lasting.PLAN]
    assert len(texts) > 10
    assert all(lasting.MARK in text for text in texts)


@pytest.mark.parametrize(
    "word", ["/usr/bin/python3", "/opt/my python/bin/python3", 'a"b', "a'b", "a\\b", "50%", "$HOME", "", "a;b"]
)
def test_words_are_quoted_as_systemd_reads_them(word: str) -> None:
    """Which is nearly as a shell does; % and $ are doubled."""
    quoted = lasting.quoted(word)
    assert shlex.split(quoted)[0].replace("%%", "%").replace("$$", "$") == word
