# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of a packet's way, on the kernel's twin. The same with real traffic: tests/module/test_path_info.py."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.iptables import IPTABLES_LEGACY
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.listeners import Listener
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.addresses import DelAddress, PutAddress
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import AddNetns
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.routes import DelRoute, PutRoute
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    Address,
    Container,
    NsRef,
    Route,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._path.report import OPTIONS, report
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import resource as nat
from ansible_collections.linuxnet.containers.tests.unit.asked import made
from ansible_collections.linuxnet.containers.tests.unit.memory_ways import WayKernel
from ansible_collections.linuxnet.containers.tests.unit.nft_json import chain, rule

WEB, DB, FAR, OUT = (NsRef(f"/run/netns/{name}") for name in ("web", "db", "far", "out"))


def inode(kernel: WayKernel, ref: NsRef) -> int:
    found = kernel.find(ref)
    assert found is not None
    return found


def town() -> WayKernel:
    """web and db on br0, far on br1, out behind eth9; web publishes 8080, and listens."""
    kernel = WayKernel()
    for bridge, net in (("br0", "172.17.0"), ("br1", "172.18.0")):
        kernel.apply(AddLink(HOST, bridge, "bridge", {"enabled": True}))
        kernel.apply(PutAddress(HOST, bridge, Address(f"{net}.1", 16, 4, label=bridge)))
    for ref, bridge, ip, gateway in (
        (WEB, "br0", "172.17.0.2", "172.17.0.1"),
        (DB, "br0", "172.17.0.3", "172.17.0.1"),
        (FAR, "br1", "172.18.0.2", "172.18.0.1"),
    ):
        kernel.apply(AddNetns(ref.name))
        kernel.apply(AddLink(HOST, "v" + ref.name, "veth", {"enabled": True, "master": bridge}, ref, "eth0", {}))
        kernel.apply(SetLink(ref, "eth0", {"enabled": True}, {}))
        kernel.apply(PutAddress(ref, "eth0", Address(ip, 16, 4, label="eth0")))
        kernel.apply(PutRoute(ref, Route(4, "0.0.0.0/0", gateway=gateway, interface="eth0")))
    kernel.apply(AddNetns("out"))
    kernel.apply(AddLink(HOST, "eth9", "veth", {"enabled": True}, OUT, "eth0", {}))
    kernel.apply(SetLink(OUT, "eth0", {"enabled": True}, {}))
    kernel.apply(PutAddress(HOST, "eth9", Address("192.0.2.1", 24, 4, label="eth9")))
    kernel.apply(PutAddress(OUT, "eth0", Address("192.0.2.7", 24, 4, label="eth0")))
    for bridge, net in (("br0", "172.17.0.0/16"), ("br1", "172.18.0.0/16")):
        made(kernel, nat.RESOURCE, type="filter", bridge=bridge, owner=bridge)
        made(kernel, nat.RESOURCE, source=net, out_interface="!" + bridge, owner=bridge)
    made(kernel, nat.RESOURCE, type="dnat", host_port="8080", to_port="80", to_address="172.17.0.2", owner="web")
    made(
        kernel,
        nat.RESOURCE,
        type="dnat",
        host_port="3000",
        to_port="80",
        to_address="172.17.0.2",
        owner="web",
        host_ip="127.0.0.1",
    )
    kernel._state.known.sysctls[inode(kernel, HOST), "net.ipv4.conf.br0.route_localnet"] = "1"
    kernel.heard = {
        inode(kernel, WEB): [Listener("tcp", "0.0.0.0", 80)],
        inode(kernel, OUT): [Listener("tcp", "::", 80, True)],
    }
    return kernel


def told(kernel: WayKernel, **question: Any) -> dict[str, Any]:
    """What is said, having changed nothing."""
    before = (kernel.snapshot(), len(kernel.applied), kernel.locks)
    params = {name: question.get(name, spec.get("default")) for name, spec in OPTIONS.items()}
    found, warnings = report(kernel, params)
    assert (kernel.snapshot(), len(kernel.applied), kernel.locks) == before
    assert warnings == question.get("warnings", [])
    return found


PORT = {"source": "out", "destination": "8080/tcp"}


@pytest.mark.parametrize(
    ("question", "listens"),
    [
        (PORT, "in web listens on 0.0.0.0:80"),
        ({"source": "eth9", "destination": "8080"}, "in web"),
        ({"source": "192.0.2.7", "destination": "192.0.2.1", "port": 8080}, "in web"),
        ({"source": "198.51.100.7", "destination": "8080"}, "in web"),
        ({"destination": "8080/tcp"}, "in web"),
        ({"source": "db", "destination": "web", "port": 80}, "in web"),
        ({"source": "db", "destination": "8080"}, "in web"),
        ({"source": "web", "destination": "8080"}, "in web"),
        ({"source": "far", "destination": "8080"}, "in web"),
        ({"source": "web", "destination": "web", "port": 80}, "in web"),
        ({"source": "web", "destination": "out", "port": 80}, "in out listens on [::]:80"),
        ({"destination": "3000"}, "in web"),
        ({"destination": "host"}, ""),
        ({"source": "web", "destination": "out"}, ""),
        ({"source": "/run/netns/web", "destination": "db"}, ""),
        ({"source": "vweb", "destination": "db"}, ""),
    ],
)
def test_what_reaches(question: dict[str, Any], listens: str) -> None:
    kernel = town()
    kernel.apply(PutRoute(HOST, Route(4, "198.51.100.0/24", gateway="192.0.2.7", interface="eth9")))
    found = told(kernel, **question)
    assert (found["verdict"], found["blocked_by"], found["maybe_blocked_by"]) == ("reaches", None, []), found["text"]
    assert found["listening"] is (True if listens else None)
    assert listens in found["msg"]
    assert found["text"].splitlines()[-1] == "Nothing is to be done."
    assert [set(hop) for hop in found["hops"]] == [{"where", "what", "by"}] * len(found["hops"])


def stopped(kernel: WayKernel, **question: Any) -> dict[str, str]:
    """What surely stops it."""
    found = told(kernel, **question)
    assert found["verdict"] == "blocked", found["text"]
    assert found["blocked_by"]["what"] in found["msg"]
    assert found["text"].splitlines()[-1].endswith("To see it: " + found["blocked_by"]["command"])
    stops: dict[str, str] = found["blocked_by"]
    return stops


def test_nobody_listens_or_not_there() -> None:
    kernel = town()
    web = inode(kernel, WEB)
    for listeners, what in (
        ([], "nobody in web listens on tcp port 80"),
        ([Listener("tcp", "127.0.0.1", 80)], "listens on tcp port 80 of 127.0.0.1 only"),
        ([Listener("tcp", "::", 80)], "listens on tcp port 80 by IPv6 only ([::]:80)"),
        ([Listener("tcp", "172.17.0.9", 80)], "listens on tcp port 80 of another address only (172.17.0.9:80)"),
        ([Listener("udp", "0.0.0.0", 80)], "nobody in web listens on tcp port 80"),
    ):
        kernel.heard[web] = listeners
        stops = stopped(kernel, **PORT)
        assert what in stops["what"]
        assert stops["command"] == "ip netns exec web ss -ltnp 'sport = :80'"


def test_a_port_of_the_host_that_nobody_has() -> None:
    kernel = town()
    assert (
        "tcp port 3000 is published on 127.0.0.1 only, and not on 192.0.2.1"
        in stopped(kernel, source="out", destination="3000")["what"]
    )
    assert stopped(kernel, source="out", destination="9/tcp")["what"] == "nobody on the host listens on tcp port 9"
    kernel.heard[inode(kernel, HOST)] = [Listener("tcp", "0.0.0.0", 9)]
    assert told(kernel, source="out", destination="9/tcp")["msg"].endswith("; nobody publishes that port.")


def test_what_is_isolated_icc_and_internal() -> None:
    kernel = town()
    assert (
        "the network br0 is isolated: from br1 it lets in published ports only"
        in stopped(kernel, source="far", destination="web", port=80)["what"]
    )
    made(kernel, nat.RESOURCE, type="filter", bridge="br0", owner="br0", internal=True)
    assert "the network br0 is internal" in stopped(kernel, source="web", destination="out", port=80)["what"]
    for name in ("vweb", "vdb"):
        kernel.apply(SetLink(HOST, name, {"isolated": True}, {"isolated": False}))
    stops = stopped(kernel, source="db", destination="web", port=80)
    assert "vdb and vweb are isolated ports of br0" in stops["what"]
    assert stops["command"] == "bridge -d link show dev vdb"


FORWARD = chain("inet fw", "f", type="filter", hook="forward", prio=0, policy="accept")


def fw(*exprs: Any, **more: Any) -> list[dict[str, Any]]:
    return [{**FORWARD, "chain": {**FORWARD["chain"], **more}}, rule("inet fw", "f", *exprs, handle=7)]


def test_rules_of_others() -> None:
    kernel = town()
    kernel.foreign_rules = fw({"accept": None}, policy="drop")
    assert told(kernel, **PORT)["verdict"] == "reaches"
    kernel.foreign_rules = [fw(policy="drop")[0]]
    stops = stopped(kernel, **PORT)
    assert stops["what"] == "another firewall on the host drops it on its way from eth9 to br0: inet fw f (policy drop)"
    assert stops["command"] == "nft -a list chain inet fw f"
    kernel.foreign_rules = fw({"reject": None})
    assert "refuses it on its way from eth9 to br0: inet fw f (rule handle 7)" in stopped(kernel, **PORT)["what"]
    kernel.foreign_rules = fw(
        {"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "br0"}}, {"drop": None}
    )
    assert "drops the answer on its way from br0 to eth9" in stopped(kernel, **PORT)["what"]
    kernel.foreign_rules = fw({"drop": None}, hook="input")
    assert "as it comes in by eth9" in stopped(kernel, source="out", destination="host")["what"]
    kernel.foreign_rules = fw({"drop": None}, hook="output")  # in every namespace of the twin
    assert (
        "the firewall inside out drops it as it leaves by eth0"
        in stopped(kernel, source="out", destination="host")["what"]
    )
    kernel.foreign_rules = []
    kernel.foreign_saved = {IPTABLES_LEGACY: "*filter\n:FORWARD DROP [0:0]\nCOMMIT\n"}
    stops = stopped(kernel, **PORT)
    assert "iptables-legacy filter FORWARD (policy drop)" in stops["what"]
    assert stops["command"] == "iptables-legacy -t filter -S FORWARD"


@pytest.mark.parametrize("table", ["inet firewalld", "ip ufw"])
def test_tools_are_told_in_their_own_words(table: str) -> None:
    kernel = town()
    name = "ufw-user-forward" if "ufw" in table else "f"
    kernel.foreign_rules = [chain(table, name, type="filter", hook="forward", prio=0, policy="drop")]
    said = stopped(kernel, **PORT)["remedy"]
    assert ("--change-interface=br0" if "firewalld" in table else "ufw route allow out on br0") in said


def test_what_is_not_understood_is_not_known_until_a_packet_is_sent() -> None:
    kernel = town()
    kernel.foreign_rules = fw({"match": {"op": "==", "left": {"meta": {"key": "cpu"}}, "right": 1}}, {"drop": None})
    found = told(kernel, **PORT)
    assert (found["verdict"], found["blocked_by"]) == ("unknown", None)
    assert [one["what"] for one in found["maybe_blocked_by"]] == [
        "it cannot be told whether inet fw f (rule handle 7) drops it"
    ]
    assert kernel.sent == []
    web = inode(kernel, OUT)
    for said, verdict, listening in (
        ("answers", "reaches", True),
        ("refused", "blocked", False),
        ("silent", "blocked", True),
    ):
        kernel.said = said
        found = told(kernel, **PORT, probe=True)
        assert (found["verdict"], found["listening"]) == (verdict, listening)
    assert kernel.sent == [(web, "tcp", "", "192.0.2.1", 8080)] * 3
    assert "it seems that inet fw f (rule handle 7) drops it" in found["msg"]
    kernel.said = "silent"
    assert told(kernel, source="web", destination="out", protocol="udp", port=53, probe=True)["verdict"] == "blocked"
    kernel.fails = OSError(errno.ENOBUFS, "x")
    found, warnings = report(
        kernel, {"source": "out", "destination": "8080", "protocol": None, "port": None, "family": None, "probe": True}
    )
    assert found["verdict"] == "unknown"
    assert "send a packet to 192.0.2.1" in warnings[0]
    warning = "probe: nothing was sent, since who asks is not on this host."
    assert told(kernel, source="eth9", destination="8080", probe=True, warnings=[warning])["verdict"] == "unknown"


def test_what_is_stopped_for_sure_behind_a_doubt_is_stopped() -> None:
    kernel = town()
    unsure = {"match": {"op": "==", "left": {"meta": {"key": "cpu"}}, "right": 1}}
    kernel.foreign_rules = fw(unsure, {"drop": None})
    kernel.heard = {}
    assert told(kernel, **PORT)["verdict"] == "blocked"
    nat_chain = chain("ip x", "p", type="nat", hook="prerouting", prio=-110, policy="accept")
    kernel.foreign_rules = [nat_chain, rule("ip x", "p", unsure, {"dnat": {"addr": "172.17.0.3"}}, handle=9)]
    found = told(kernel, **PORT)
    assert found["verdict"] == "unknown", "it may have gone elsewhere"
    assert "whether ip x p (rule handle 9) sends it elsewhere" in found["msg"]


def nat_rule(target: Any, **more: Any) -> list[dict[str, Any]]:
    where = {"type": "nat", "hook": "prerouting", "prio": -110, "policy": "accept", **more}
    return [chain("ip x", "p", **where), rule("ip x", "p", target, handle=9)]


def test_others_translate_as_well() -> None:
    kernel = town()
    kernel.foreign_rules = nat_rule({"dnat": {"addr": "172.17.0.3", "port": 81}})
    assert stopped(kernel, **PORT)["what"] == "nobody in db listens on tcp port 81"
    kernel.foreign_rules = nat_rule({"dnat": {"addr": "172.17.0.3"}}, prio=-100)
    found = told(kernel, **PORT)
    assert found["verdict"] == "unknown"
    assert "it is not known which is asked first" in found["maybe_blocked_by"][0]["what"]
    kernel.foreign_rules = nat_rule({"dnat": {"addr": {"x": 1}}})
    assert "whether ip x p (rule handle 9) sends it elsewhere" in told(kernel, **PORT)["msg"]
    kernel.foreign_rules = nat_rule({"redirect": {"port": 99}})
    assert stopped(kernel, **PORT)["what"] == "nobody on the host listens on tcp port 99"
    kernel.foreign_rules = nat_rule({"snat": {"addr": "192.0.2.1"}}, hook="postrouting", prio=90)
    assert "gives it the source 192.0.2.1" in told(kernel, source="far", destination="out", port=80)["text"]
    kernel.foreign_rules = nat_rule({"snat": {"addr": "192.0.2.9-192.0.2.10"}}, hook="postrouting", prio=90)
    assert "which source" in told(kernel, source="far", destination="out", port=80)["msg"]


def test_routes() -> None:
    kernel = town()
    default = Route(4, "0.0.0.0/0", gateway="172.17.0.1", interface="eth0")
    kernel.apply(DelRoute(WEB, default))
    stops = stopped(kernel, **PORT)
    assert stops["what"] == "web has no route to 192.0.2.7"
    assert stops["command"] == "ip -n web route get 192.0.2.7 from 172.17.0.2"
    for type_ in ("blackhole", "unreachable", "prohibit"):
        way = Route(4, "192.0.2.0/24", type=type_)
        kernel.apply(PutRoute(WEB, way))
        assert (
            f"web has a route that sends nothing to 192.0.2.7: {type_} 192.0.2.0/24" in stopped(kernel, **PORT)["what"]
        )
        kernel.apply(DelRoute(WEB, way))
    kernel.apply(PutRoute(WEB, default))
    kernel.errors[inode(kernel, HOST), "172.17.0.2"] = errno.EACCES
    stops = stopped(kernel, **PORT)
    assert "a policy rule of the host prohibits what goes to 172.17.0.2" in stops["what"]
    assert stops["command"] == "ip rule"


def test_forwarding_and_rp_filter() -> None:
    kernel = town()
    host = inode(kernel, HOST)
    known = kernel._state.known.sysctls  # what the twin has no rules for
    known[host, "net.ipv4.conf.eth9.forwarding"] = "0"
    stops = stopped(kernel, **PORT)
    assert "the host forwards nothing that comes in by eth9 (net.ipv4.conf.eth9.forwarding = 0)" in stops["what"]
    assert "sysctl -w net.ipv4.ip_forward=1" in stops["remedy"]
    known[host, "net.ipv4.conf.eth9.forwarding"] = "1"
    known[host, "net.ipv4.conf.eth9.rp_filter"] = "1"
    kernel.apply(PutRoute(HOST, Route(4, "198.51.100.0/24", interface="br1", scope="link")))
    kernel.apply(PutAddress(OUT, "lo", Address("198.51.100.7", 32, 4, label="lo")))
    stops = stopped(kernel, source="198.51.100.7", destination="8080")
    assert (
        "rp_filter of the host drops it: from 198.51.100.7 it comes in by eth9, and an answer would leave by br1"
        in stops["what"]
    )


def test_127_without_route_localnet_and_martians() -> None:
    kernel = town()
    kernel.foreign_rules = nat_rule({"dnat": {"addr": "172.18.0.2", "port": 80}}, hook="output", prio=-110)
    stops = stopped(kernel, destination="127.0.0.1", port=9)
    assert "the host sends nothing from 127.0.0.1 out by br1 (net.ipv4.conf.br1.route_localnet = 0)" in stops["what"]
    kernel.foreign_rules = []
    for code, source, what in (
        (errno.EINVAL, "172.17.0.3", "which is an address of the host itself"),
        (errno.EINVAL, "", "the host takes nothing from 172.17.0.3 by br0"),
    ):
        kernel.errors[inode(kernel, HOST), "192.0.2.1"] = code
        if source:
            kernel.apply(PutAddress(HOST, "lo", Address(source, 32, 4, label="lo")))
        else:
            kernel.apply(DelAddress(HOST, "lo", Address("172.17.0.3", 32, 4, label="lo")))
        assert what in stopped(kernel, source="db", destination="192.0.2.1")["what"]


def test_links_that_are_down_and_wires_that_lead_nowhere() -> None:
    kernel = town()
    db_to_web = {"source": "db", "destination": "172.17.0.2", "port": 80}
    for ref, name, where in ((HOST, "vweb", "the host"), (WEB, "eth0", "web"), (HOST, "br0", "the host")):
        kernel.apply(SetLink(ref, name, {"enabled": False}, {"enabled": True}))
        stops = stopped(kernel, **db_to_web)
        assert stops["what"] == f"{name} of {where} is down"
        kernel.apply(SetLink(ref, name, {"enabled": True}, {"enabled": False}))
    kernel.apply(SetLink(DB, "eth0", {"enabled": False}, {"enabled": True}))
    assert stopped(kernel, **db_to_web)["what"] == "db has no route to 172.17.0.2: none of its interfaces is up"
    kernel.apply(SetLink(DB, "eth0", {"enabled": True}, {"enabled": False}))
    kernel.apply(PutRoute(DB, Route(4, "0.0.0.0/0", gateway="172.17.0.1", interface="eth0")))
    assert "nobody on eth0 of db has 172.17.0.88" in stopped(kernel, source="db", destination="172.17.0.88")["what"]
    kernel.apply(PutAddress(FAR, "eth0", Address("172.17.0.88", 16, 4, label="eth0")))
    assert (
        "eth0 of far has it, which is not on that wire"
        in stopped(kernel, source="db", destination="172.17.0.88")["what"]
    )
    kernel.written = {"172.17.0.2": "02:00:00:00:00:99"}
    kernel.apply(SetLink(WEB, "eth0", {"mac": "02:00:00:00:00:01"}, {}))
    assert "has the MAC address 02:00:00:00:00:99 written down for 172.17.0.2" in stopped(kernel, **db_to_web)["what"]


def test_an_address_that_is_there_twice() -> None:
    kernel = town()
    kernel.apply(PutAddress(DB, "eth0", Address("172.17.0.2", 16, 4, label="eth0")))
    found = told(kernel, destination="172.17.0.2", port=80)
    assert found["verdict"] == "unknown"
    assert "172.17.0.2 is there twice: eth0 of web and eth0 of db have it" in found["msg"]


def test_what_leaves_the_host_cannot_be_told() -> None:
    kernel = town()
    kernel.apply(AddLink(HOST, "tun0", "tun", {"enabled": True}))
    kernel.apply(PutRoute(HOST, Route(4, "203.0.113.0/24", interface="tun0", scope="link")))
    found = told(kernel, source="web", destination="203.0.113.5")
    assert found["verdict"] == "unknown"
    assert "it leaves the host by tun0, and what is behind that cannot be seen from here" in found["msg"]
    kernel.said = "silent"
    assert "nothing came back" in told(kernel, source="web", destination="203.0.113.5", probe=True)["msg"]
    kernel.apply(AddLink(HOST, "dum0", "dummy", {"enabled": True}))
    kernel.apply(PutRoute(HOST, Route(4, "203.0.113.5/32", interface="dum0", scope="link")))
    assert stopped(kernel, source="web", destination="203.0.113.5")["what"] == "dum0 is a dummy, behind which is nobody"


def test_a_container_that_was_started_again() -> None:
    kernel = town()
    kernel.heard = {}
    kernel.pids = {77: inode(kernel, OUT)}
    kernel.started = [Container("docker", "web", 77, "running")]
    kernel._state.known.paths["/proc/77/ns/net"] = inode(kernel, OUT)
    stops = stopped(kernel, source="db", destination="web", port=80)
    assert "the container web of docker was started again: it runs in another namespace by now" in stops["what"]
    assert stops["command"] == "ls -Li /run/netns/web /proc/77/ns/net"
    kernel.pids[78] = inode(kernel, WEB)
    assert stopped(kernel, source="db", destination="web", port=80)["what"] == "nobody in web listens on tcp port 80"


def test_containers_by_the_names_that_engines_have() -> None:
    kernel = town()
    kernel.pids = {77: inode(kernel, WEB)}
    kernel.started = [Container("docker", "shop", 77, "running"), Container("docker", "old", 0, "exited")]
    kernel._state.known.paths["/proc/77/ns/net"] = inode(kernel, WEB)
    assert told(kernel, source="db", destination="shop", port=80)["verdict"] == "reaches"
    assert stopped(kernel, destination="old")["what"] == "the container old of docker does not run (exited)"
    with pytest.raises(Refused, match="no running container called 'nobody'"):
        told(kernel, destination="nobody")
    with pytest.raises(Refused, match="nor an interface of the host"):
        told(kernel, source="nobody", destination="web")
    with pytest.raises(Refused, match="the host has no route to it"):
        told(kernel, source="203.0.113.9", destination="web")


def test_a_container_without_an_address() -> None:
    kernel = town()
    kernel.apply(DelAddress(WEB, "eth0", Address("172.17.0.2", 16, 4, label="eth0")))
    assert stopped(kernel, destination="web", port=80)["what"] == "web has no IPv4 address"
    kernel._state.known.sysctls[inode(kernel, WEB), "net.ipv6.conf.eth0.disable_ipv6"] = "1"
    assert (
        "IPv6 is off on eth0 (net.ipv6.conf.eth0.disable_ipv6 = 1)"
        in stopped(kernel, destination="web", port=80, family="ipv6")["what"]
    )
    assert "the host has no IPv6 address" in stopped(kernel, source="web", destination="8080", family="ipv6")["what"]


def test_what_does_not_fit() -> None:
    kernel = town()
    kernel.apply(SetLink(HOST, "vweb", {"mtu": 1400}, {"mtu": 1500}))
    found = told(kernel, source="db", destination="web")
    assert found["verdict"] == "reaches"
    assert (
        "packets of more than 1400 bytes do not fit through vweb of the host, and up to 1500 are sent: they are dropped"
        in found["too_large"]["what"]
    )
    assert found["too_large"]["what"] in found["msg"]
    kernel.apply(SetLink(HOST, "vweb", {"mtu": 1500}, {"mtu": 1400}))
    kernel.apply(SetLink(HOST, "eth9", {"mtu": 1300}, {"mtu": 1500}))
    assert (
        "the sender is told so by ICMP" in told(kernel, source="web", destination="out", port=80)["too_large"]["what"]
    )
    assert told(kernel, source="db", destination="web")["too_large"] is None


def test_a_spoof_check() -> None:
    kernel = town()
    kernel.apply(SetLink(DB, "eth0", {"mac": "02:00:00:00:00:03"}, {}))
    made(
        kernel,
        nat.RESOURCE,
        type="spoof_check",
        interface="vdb",
        mac="02:00:00:00:00:03",
        addresses=["172.17.0.3"],
        owner="db",
    )
    assert told(kernel, source="db", destination="web", port=80)["verdict"] == "reaches"
    kernel.apply(PutAddress(DB, "eth0", Address("172.17.0.9", 32, 4, label="eth0")))
    assert (
        "vdb lets nothing in from 172.17.0.9"
        in stopped(kernel, source="172.17.0.9", destination="web", port=80)["what"]
    )
    kernel.apply(SetLink(DB, "eth0", {"mac": "02:00:00:00:00:04"}, {}))
    assert "from the MAC address 02:00:00:00:00:04" in stopped(kernel, source="db", destination="web", port=80)["what"]


def test_br_netfilter_shows_what_is_bridged_to_the_rules_for_ip() -> None:
    kernel = town()
    kernel.foreign_rules = fw({"drop": None})
    assert told(kernel, source="db", destination="web", port=80)["verdict"] == "reaches"
    kernel._state.known.sysctls[inode(kernel, HOST), "net.bridge.bridge-nf-call-iptables"] = "1"
    assert "on its way from br0 to br0: inet fw f" in stopped(kernel, source="db", destination="web", port=80)["what"]
    kernel.foreign_rules = nat_rule({"dnat": {"addr": "192.0.2.7"}})
    assert "192.0.2.7:80 leaves by eth9" in told(kernel, source="db", destination="172.17.0.2", port=80)["text"]
    kernel.foreign_rules = [chain("bridge x", "f", type="filter", hook="forward", prio=0, policy="drop")]
    assert "bridge x f (policy drop)" in stopped(kernel, source="db", destination="web", port=80)["what"]
    kernel.foreign_rules = [chain("netdev x", "f", type="filter", hook="ingress", prio=0, policy="drop", dev="eth9")]
    assert "netdev x f (policy drop)" in stopped(kernel, **PORT)["what"]
    assert told(kernel, source="db", destination="web", port=80)["verdict"] == "reaches"


def test_a_ping_that_is_not_answered() -> None:
    kernel = town()
    kernel._state.known.sysctls[inode(kernel, WEB), "net.ipv4.icmp_echo_ignore_all"] = "1"
    assert "web answers no ping" in stopped(kernel, destination="web")["what"]


def test_where_marks_decide_the_way_back_is_not_known() -> None:
    kernel = town()
    kernel.marked_rules = True
    assert told(kernel, **PORT)["verdict"] == "reaches"
