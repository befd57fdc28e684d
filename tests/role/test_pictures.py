# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`wiring_topology_file`: the picture that the role writes, and the page of it in a browser. Screenshots are kept in build/pictures."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.filter.topology import topology
from plays import Playbook, checked, wiring

WRITES = "Write the picture on the controller"
ENDINGS = {"html": "<!DOCTYPE html>", "mmd": "flowchart LR"}  # of each the filter has its tests
NETWORKS = [{"name": "front", "subnets": ["10.1.0.0/24"]}, {"name": "back", "subnets": ["10.2.0.0/24"]}]
CONTAINERS = [
    {"name": "web", "networks": [{"name": "front"}, {"name": "back"}], "published_ports": ["8080:80"]},
    {"name": "db", "networks": [{"name": "back"}]},
]


def test_the_role_writes_it(playbook: Playbook, tmp_path: Path) -> None:
    files = {ending: tmp_path / f"wiring.{ending}" for ending in ENDINGS}
    plays = [wiring(networks=NETWORKS, containers=CONTAINERS, topology_file=str(file)) for file in files.values()]
    foreseen, first, *others, again = playbook.run(checked(plays[0]), *plays, plays[0])
    assert foreseen.failures == []
    assert WRITES in first.changed
    assert [one.changed for one in others] == [[WRITES]] * len(others)
    assert again.changed == []
    for ending, begins in ENDINGS.items():
        text = files[ending].read_text(encoding="utf-8")
        assert re.match(begins, text)
        assert [word for word in ("web", "db", "front", "back", "8080/tcp") if word not in text] == [], text


# --- in a browser ---


def wired(containers: int, networks: int) -> dict[str, Any]:
    """A wiring as the role returns it, of so many containers and networks."""
    found: dict[str, Any] = {"agent": {"network_mode": "host", "interfaces": []}}
    for number in range(containers):
        net = number % networks
        address = f"172.{16 + net}.0.{2 + number // networks}"
        port = {
            "name": "eth0",
            "host_interface": f"veth{number}",
            "bridge": f"net{net}",
            "addresses": [address + "/16"],
        }
        published = {
            "host_ip": "",
            "host_port": str(8000 + number),
            "to_address": address,
            "to_port": "80",
            "protocol": "tcp",
        }
        found[f"c{number}"] = {
            "network_mode": "bridge",
            "interfaces": [port],
            "published_ports": [published] if number % 3 == 0 else [],
        }
    return found


def nets(count: int) -> list[dict[str, Any]]:
    return [{"name": f"net{net}", "subnets": [f"172.{16 + net}.0.0/16"]} for net in range(count)]


SIZES = {
    "three": {"one": (wired(3, 1), nets(1))},
    "thirty": {"one": (wired(30, 4), nets(4))},
    "three-hundred": {"one": (wired(300, 8), nets(8))},
    "ten-hosts": {f"host{number}": (wired(12, 2), nets(2)) for number in range(10)},
}
# What a user does on the page, and what is seen of it then: how many containers are there, and how many of them not faint; the words beside.
ACTS = """
<script>
const seen = () => { const all = [...document.querySelectorAll("svg .container:not(.away)")];
  return [all.length, all.filter(one => !one.classList.contains("faint")).length]; };
const type = (id, text) => { by(id).value = text; by(id).oninput(); };
const told = { start: seen() };
type("search", "172.16.0.2/16"); told.search = seen(); told.hits = by("hits").textContent; type("search", "");
type("network", "net0"); told.network = seen(); type("network", "");
type("host", data.nodes[0].host); told.host = seen(); by("all").onclick(); told.all = seen();
by(data.nodes.find(node => node.name === "net0").key).onclick(); told.panel = by("told").innerText;
by("told").querySelector("button").onclick(); told.folded = seen(); by("all").onclick();
const box = by(data.nodes.find(node => node.name === "c0").key); box.onkeydown({ key: "Enter", preventDefault() {} }); told.box = by("told").innerText;
document.body.dataset.told = JSON.stringify(told);
</script>
"""


def browser(page: Path, *options: str) -> str:
    argv = [
        "chromium",
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        f"--user-data-dir={page.parent}/browser",
    ]
    argv += ["--virtual-time-budget=2000", "--host-resolver-rules=MAP * ~NOTFOUND", *options, page.as_uri()]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=True)
    return done.stdout


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium")
@pytest.mark.parametrize("size", SIZES)
def test_the_page_in_a_browser(size: str, tmp_path: Path) -> None:
    """It finds, filters, folds and tells; it asks nobody for anything."""
    hosts = SIZES[size]
    text = topology(
        {name: one for name, (one, dummy) in hosts.items()}, {name: own for name, (dummy, own) in hosts.items()}, "html"
    )
    page = tmp_path / "page.html"
    page.write_text(text.replace("</html>", ACTS + "</html>"), encoding="utf-8")
    found = browser(page, "--dump-dom").partition('data-told="')[2].partition('"')[0]
    told = json.loads(found.replace("&quot;", '"').replace("&amp;", "&").replace("&gt;", ">"))
    every = sum(len(one) for one, dummy in hosts.values())
    inside = sum(
        1
        for one, dummy in hosts.values()
        for box in one.values()
        if any(port["bridge"] == "net0" for port in box["interfaces"])
    )
    assert told["start"] == told["all"] == [every, every]
    assert told["search"] == [every, len(hosts)]
    assert told["hits"].startswith(f"{len(hosts)} hit")
    assert told["network"] == [inside, inside]
    assert told["host"] == [len(next(iter(hosts.values()))[0])] * 2
    assert "172.16.0.0/16" in told["panel"]
    assert told["folded"][0] == every - inside // len(hosts)
    assert "8000/tcp → 172.16.0.2:80" in told["box"]
    page.write_text(text, encoding="utf-8")
    kept = Path(os.environ.get("PICTURES") or tmp_path)
    kept.mkdir(parents=True, exist_ok=True)
    for name, options in {
        "wide": ("--window-size=1300,900",),
        "narrow-dark": ("--window-size=420,900", "--force-dark-mode", "--blink-settings=preferredColorScheme=0"),
    }.items():
        picture = kept / f"{size}-{name}.png"
        browser(page, f"--screenshot={picture}", *options)
        assert picture.stat().st_size > 5000
