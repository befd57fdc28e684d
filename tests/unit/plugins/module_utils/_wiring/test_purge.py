# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is ours and not listed goes, what cannot be told to be ours stays; on the kernel's twin. The same on the running kernel:
tests/role/test_purge.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.backends.nftables import NFTABLES
from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import FENCES, ISOLATION, PORTS, Edit
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.links import AddLink, DelLink, SetLink
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.namespaces import DropNetns
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.naming import host_interface
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import HOST, Container, NsFile, NsRef
from ansible_collections.linuxnet.containers.plugins.module_utils._resources import bridge, netns
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat import resource as nat
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.state import firewalls
from ansible_collections.linuxnet.containers.plugins.module_utils._run.state import State
from ansible_collections.linuxnet.containers.plugins.module_utils._run.step_runner import take_steps
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.compile import compile_plan
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.one_task import Steps
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.purge import GATHER, purged
from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.survey import SUBSETS, gathered
from ansible_collections.linuxnet.containers.tests.unit.asked import made, whatever_its_owner
from ansible_collections.linuxnet.containers.tests.unit.memory_kernel import MemoryKernel
from ansible_collections.linuxnet.containers.tests.unit.plans import NO_CHECKS
from ansible_collections.linuxnet.containers.tests.unit.surveyed import inode_of

ROLE_TASKS = Path(__file__).resolve().parents[5] / "roles/wiring/tasks/purge.yml"
FRONT = {"name": "front", "subnets": ["10.1.0.0/24"]}
BACK = {"name": "back", "subnets": ["10.2.0.0/24"]}
WEB = {"name": "web", "published_ports": ["8080:80"]}
V_WEB = host_interface("/run/netns/web", "eth0")
CHECKED = [("web", "eth0"), ("db", "eth0"), ("db", "eth1")]
CHECK_WEB = f"spoof_check {V_WEB}"


def role(kernel: MemoryKernel, networks: Any = (), containers: Any = (), purge: bool = True, **options: Any) -> Any:
    """Do what the role does in one task. Returns what went, by subject, and the warnings of purge and of what stays for it."""
    params = {
        "networks": networks,
        "containers": containers,
        "state": "present",
        "firewall_backend": "auto",
        "purge": purge,
    }
    steps = Steps({**params, **options})
    warnings = steps.survey(kernel) if steps.needs_survey else []
    results, said, ended = take_steps(steps, kernel, False)
    assert not ended, ended
    gone = [one for step in results.get("teardown", {}).values() for one in step if one["changed"]]
    return [whatever_its_owner(one["diff"]["before_header"]) for one in gone], [
        *warnings,
        *(line for line in said if line.startswith("Bridge")),
    ]


def wired(*containers: Any, networks: Any = (FRONT,)) -> MemoryKernel:
    """A host that the role wired."""
    kernel = MemoryKernel()
    role(kernel, list(networks), list(containers), purge=False)
    return kernel


def names(kernel: MemoryKernel) -> list[str]:
    return sorted(kernel.listing())


def test_everything_goes_and_then_there_is_nothing_to_do() -> None:
    kernel = wired(WEB, {"name": "db", "networks": [{"name": "front"}, {"name": "back"}]}, networks=[FRONT, BACK])
    gone, warnings = role(kernel)
    assert warnings == []
    assert gone == [
        *(
            "ports of web",
            f"veth {V_WEB}",
            f"veth {host_interface('/run/netns/db', 'eth0')}",
            f"veth {host_interface('/run/netns/db', 'eth1')}",
        ),
        *("netns web", "netns db", "bridge front", "bridge back"),
        *("nat 10.1.0.0/24", "nat 10.2.0.0/24", "filter front", "filter back"),
        *(f"spoof_check {host_interface(f'/run/netns/{name}', port)}" for name, port in CHECKED),
    ]
    assert kernel.snapshot() == MemoryKernel().snapshot()
    assert role(kernel) == ([], [])


def test_a_plan_for_a_host_with_nothing_else_is_as_it_was() -> None:
    plan = compile_plan([FRONT], [WEB])
    kernel = wired(WEB)
    assert purged(plan, [FRONT], [WEB], gathered(kernel, GATHER)[0]) == (plan, [])
    assert purged(plan, [FRONT], [WEB], gathered(MemoryKernel(), GATHER)[0]) == (plan, [])


@pytest.mark.parametrize("ports", [["8080:80"], ["8080:80", "5000-5009:6000-6009/udp"]])
def test_ports_of_a_container_that_is_gone_go_whoever_has_its_address_by_now(ports: list[str]) -> None:
    """``ip netns del web``: its pair went with it, and by that purge knew it; what it published may lead to somebody else."""
    dual = {"name": "front", "subnets": ["10.1.0.0/24", "fd00:1::/64"]}
    kernel = wired({**WEB, "published_ports": ports}, {"name": "db"}, networks=[dual])
    kernel.apply(DropNetns("web"))
    gone, warnings = role(kernel, [dual], [{"name": "db"}])
    assert ({one.split()[0] for one in gone}, warnings) == ({"port", "spoof_check"}, [])
    assert not firewalls(State(kernel)).index(kernel.find(HOST) or 0, NFTABLES).port_mappings
    assert role(kernel, [dual], [{"name": "db"}]) == ([], [])


@pytest.mark.parametrize("theirs", [False, True])
def test_ports_of_a_container_that_is_gone_go_though_its_network_went_before_them(theirs: bool) -> None:
    """With it went that the role isolates the bridge, which is gone, or is not ours any more. That its port is checked tells that the role wired it."""
    kernel = wired(WEB)
    if theirs:
        kernel.apply(SetLink(HOST, "front", {"mac": "02:00:00:00:00:0e"}, {"mac": ""}))
    kernel.apply(DropNetns("web"))
    role(kernel, [FRONT], state="absent", purge=False)
    gone, warnings = role(kernel)
    assert ({one.split()[0] for one in gone}, warnings) == ({"port", "spoof_check"}, [])
    if theirs:
        kernel.apply(DelLink(HOST, "front"))
    assert kernel.snapshot() == MemoryKernel().snapshot()


@pytest.mark.parametrize("other", ["a port that is not ours", "no owner", "the name is there"])
def test_ports_stay_that_may_be_somebody_s(other: str) -> None:
    kernel = wired({"name": "db"})
    owner = {} if other == "no owner" else {"owner": "vm"}
    made(kernel, nat.RESOURCE, type="dnat", host_port="8080", to_address="10.1.0.9", bridge="front", **owner)
    if other == "a port that is not ours":
        kernel.apply(AddLink(HOST, "tap0", "dummy", {"master": "front"}))
    elif other == "the name is there":
        made(kernel, netns.RESOURCE, name="vm")
    assert role(kernel, [FRONT], [{"name": "db"}]) == ([], [])


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_a_running_container_of_an_engine_loses_its_wiring_and_runs_on(engine: str) -> None:
    kernel = MemoryKernel()
    inode = kernel._state.fresh_namespace()
    kernel._state.known.paths["/proc/42/ns/net"] = inode
    kernel.pids = {42: inode}
    file = "/run/docker/netns/0123" if engine == "docker" else ""
    if file:
        kernel._state.known.paths[file] = inode
    kernel.started = [Container(engine, "web", 42, file=file)]
    rules = [{"table": "100", "rule_source": "10.1.0.0/24", "gateway": "10.1.0.1"}]
    web = {**WEB, "engine": engine, "routes": rules, "loopback_addresses": ["10.255.0.1/32"]}
    role(kernel, [FRONT], [web], purge=False)
    assert "10.255.0.1" in [address.ip for dummy, address in kernel.addresses(inode)]
    assert bool(kernel.listing()["web"].target) == bool(file)
    gone, warnings = role(kernel, [FRONT])
    assert (warnings, kernel.pids) == ([], {42: inode})
    assert gone == [
        "ports of web",
        "routes that are not asked for in netns 'web'",
        "address of ours on lo in netns 'web'",
        f"veth {V_WEB}",
        "netns web",
        CHECK_WEB,
    ]
    assert [one.name for one in kernel.links(inode)] == ["lo"]
    assert "10.255.0.1" not in [address.ip for dummy, address in kernel.addresses(inode)]
    assert kernel.policies(inode, 4) == []


def test_a_process_in_it_keeps_a_name() -> None:
    kernel = wired(WEB)
    inode = inode_of(kernel, NsRef("/run/netns/web"))
    kernel.pids = {42: inode}
    kernel.started = [Container("docker", "other", 42)]
    gone, (warning,) = role(kernel, [FRONT])
    assert gone == ["ports of web", f"veth {V_WEB}", CHECK_WEB]
    assert warning.startswith("Netns 'web' is not listed any more and loses its wiring, but the name stays")
    assert "process 42 (sleep)" in warning
    assert role(kernel, [FRONT]) == ([], [])
    assert names(kernel) == ["web"]


@pytest.mark.parametrize(("interface", "stays"), [("wg0", True), ("sit0", False)])
def test_an_interface_of_others_in_it_keeps_a_name_one_of_the_kernel_does_not(interface: str, stays: bool) -> None:
    kernel = wired(WEB)
    kernel.apply(AddLink(NsRef("/run/netns/web"), interface, "bridge", {}))
    dummy, warnings = role(kernel, [FRONT])
    assert names(kernel) == (["web"] if stays else [])
    assert [interface in warning for warning in warnings] == [True] * stays


def test_names_without_a_pair_stay() -> None:
    modes = {"lone": "none", "proxy": "host", "side": "container:web"}
    kernel = wired(WEB, *({"name": name, "network_mode": mode} for name, mode in modes.items()))
    made(kernel, netns.RESOURCE, name="by-hand")
    gone, warnings = role(kernel, [FRONT])
    assert gone == ["ports of web", f"veth {V_WEB}", "netns web", CHECK_WEB]
    assert warnings == []
    assert names(kernel) == ["by-hand", "lone", "proxy", "side"]


def test_pairs_of_others_stay() -> None:
    kernel = wired(WEB)
    made(kernel, netns.RESOURCE, name="vm")
    kernel.apply(AddLink(HOST, "v0", "veth", {}, NsRef("/run/netns/vm"), "eth0", {}))
    kernel.apply(AddLink(HOST, "vethabcdefghijk", "veth", {}, NsRef("/run/netns/vm"), "eth1", {}))
    kernel.apply(AddLink(HOST, "a", "veth", {}, HOST, "b", {}))
    role(kernel)
    assert sorted(link.name for link in kernel.links(inode_of(kernel, HOST))) == [
        "a",
        "b",
        "lo",
        "v0",
        "vethabcdefghijk",
    ]
    assert names(kernel) == ["vm"]


def test_a_pair_whose_namespace_lost_its_name_stays_and_so_does_its_bridge() -> None:
    kernel = wired(WEB)
    inode = inode_of(kernel, NsRef("/run/netns/web"))
    kernel.pids = {42: inode}
    kernel.apply(DropNetns("web", inode))
    gone, warnings = role(kernel)
    assert gone == []
    assert warnings == [
        f"Bridge 'front' in the host stays with its addresses and rules, for there are ports on it that nothing here removes: {V_WEB}."
    ]


def test_a_pair_that_is_ours_by_its_address_goes() -> None:
    kernel = wired({"name": "web", "networks": [{"name": "front", "host_interface": "web0"}]})
    assert role(kernel, [FRONT])[0] == ["veth web0", "netns web", "spoof_check web0"]


def test_a_listed_container_is_left_alone_also_where_its_engine_has_stopped_it() -> None:
    kernel = wired(WEB)
    plan = compile_plan([FRONT], [{**WEB, "engine": "docker"}])
    assert purged(plan, [FRONT], [{**WEB, "engine": "docker"}], gathered(kernel, GATHER)[0]) == (plan, [])


def test_a_listed_container_without_any_network_loses_its_pair_and_keeps_its_name() -> None:
    kernel = wired(WEB)
    assert role(kernel, [FRONT], [{"name": "web", "networks": []}]) == ([f"veth {V_WEB}"], [])
    assert names(kernel) == ["web"]
    assert role(kernel, [FRONT], [{"name": "web", "networks": []}]) == ([], [])


@pytest.mark.parametrize("listed", [False, True])
def test_a_link_that_docker_s_container_left_goes_with_its_ports(listed: bool) -> None:
    kernel = wired(WEB)
    kernel.apply(DropNetns("web", inode_of(kernel, NsRef("/run/netns/web"))))
    for name, target in (("web", "/var/run/docker/netns/0123"), ("other", "/nowhere"), ("cni", "/run/netns/docker/x")):
        kernel._state.entries()[name] = NsFile(name, "dangling", target=target)
    containers = [{**WEB, "engine": "docker"}] if listed else []
    plan, warnings = purged(compile_plan([FRONT], containers), [FRONT], containers, gathered(kernel, GATHER)[0])
    assert warnings == []
    going = [] if listed else [{"type": "dnat", "owner": "web", "state": "absent"}]
    ended = [] if listed else [{**NO_CHECKS, "interface": V_WEB}]
    assert (plan["teardown"]["publish"], plan["teardown"]["nat"]) == (going, ended)
    assert plan["teardown"]["netns"] == ([] if listed else [{"name": "web", "state": "absent"}])


def test_rules_of_other_owners_stay_and_so_does_what_the_role_wrote_for_what_is_listed() -> None:
    kernel = wired(WEB)
    made(kernel, nat.RESOURCE, source="10.7.0.0/24", owner="vpn", out_interface="!front")
    made(kernel, nat.RESOURCE, source="10.8.0.0/24", out_interface="!ansible0")
    made(kernel, nat.RESOURCE, type="dnat", owner="vm", host_port="9000", to_address="10.1.0.99")
    kernel.apply(AddLink(HOST, "tap0", "dummy", {"master": "front"}))
    made(kernel, nat.RESOURCE, type="filter", owner="vpn", bridge="hand0")
    made(kernel, nat.RESOURCE, type="tunnel", owner="front", vni=42, peers=["192.0.2.2"])
    assert role(kernel, [FRONT], [WEB]) == (
        ["tunnels of front"],
        [],
    )  # as the role makes them for a network that hosts share
    kernel.apply(DelLink(HOST, "tap0"))
    role(kernel)
    left = [(one["type"], one["owner"]) for one in gathered(kernel, ["nat"])[0]["nat"]]
    assert left == [("masquerade", "vpn"), ("masquerade", "ansible"), ("filter", "vpn")]


@pytest.mark.parametrize("purge", [False, True])
def test_a_subnet_that_a_listed_network_has_no_more_is_not_masqueraded(purge: bool) -> None:
    kernel = wired(networks=[{**FRONT, "subnets": ["10.1.0.0/24", "10.3.0.0/24"]}])
    assert role(kernel, [FRONT], purge=purge) == ([], [])  # with purge or without: the plan itself has it removed
    index = firewalls(State(kernel)).index(inode_of(kernel, HOST), NFTABLES)
    assert [rule.source for rule in index.nat_of("front")] == ["10.1.0.0/24"]


def test_somebody_else_s_bridge_stays_and_the_rules_that_we_wrote_for_it_go() -> None:
    kernel = MemoryKernel()
    made(kernel, bridge.RESOURCE, name="docker0", mac="02:42:00:00:00:01")
    theirs = {"name": "docker0", "subnets": ["172.17.0.0/16"], "unmanaged": True}
    role(kernel, [theirs], [WEB], purge=False)
    gone, warnings = role(kernel)
    assert warnings == []
    assert gone == ["ports of web", f"veth {V_WEB}", "netns web", "nat 172.17.0.0/16", CHECK_WEB]
    assert [link.name for link in kernel.links(inode_of(kernel, HOST))] == ["lo", "docker0"]


def test_a_bridge_that_was_here_before_is_given_back() -> None:
    """Not even listed as unmanaged: the guard of ours on it tells that the role was here."""
    kernel = MemoryKernel()
    made(kernel, bridge.RESOURCE, name="front", mac="02:42:00:00:00:01")
    before = kernel.snapshot()
    role(kernel, [FRONT], [WEB], purge=False)
    gone, (warning,) = role(kernel)
    assert gone == [
        *("ports of web", f"veth {V_WEB}", "netns web", "bridge front", "nat 10.1.0.0/24", "filter front", CHECK_WEB)
    ]
    assert "was not made by this collection: it stays" in warning
    assert kernel.snapshot() == before
    assert role(kernel) == ([], [])


def test_a_bridge_of_ours_that_somebody_renamed_goes_as_well() -> None:
    kernel = wired()
    kernel.apply(SetLink(HOST, "front", {"name": "lan"}, {"name": "front"}))
    role(kernel)
    assert kernel.snapshot() == MemoryKernel().snapshot()


def test_a_bridge_with_ports_of_others_stays_with_its_rules() -> None:
    kernel = wired(WEB)
    kernel.apply(AddLink(HOST, "v0", "veth", {"master": "front"}, HOST, "v1", {}))
    gone, warnings = role(kernel)
    assert gone == ["ports of web", f"veth {V_WEB}", "netns web", CHECK_WEB]
    assert [warning.endswith("for there are ports on it that nothing here removes: v0.") for warning in warnings] == [
        True
    ]
    kernel.apply(DelLink(HOST, "v0"))
    assert role(kernel) == (["bridge front", "nat 10.1.0.0/24", "filter front"], [])


def test_a_network_of_another_name_takes_over_its_containers_with_their_addresses() -> None:
    """In one run: the new bridge is made, the pairs become ports of it, and what they have is taken there."""
    kernel = wired(WEB)
    role(kernel, [{**FRONT, "name": "lan"}], [WEB])
    assert role(kernel, [{**FRONT, "name": "lan"}], [WEB]) == ([], [])
    assert [link.name for link in kernel.links(inode_of(kernel, HOST)) if link.kind == "bridge"] == ["lan"]


def test_what_is_listed_as_absent_goes_as_ever_and_the_rest_with_it() -> None:
    kernel = wired(WEB, {"name": "db"}, networks=[FRONT, BACK])
    gone, warnings = role(kernel, [FRONT], [WEB], state="absent")
    assert warnings == []
    assert sorted(gone) == sorted({*gone}), "each thing once"
    assert kernel.snapshot() == MemoryKernel().snapshot()


def test_what_is_read_is_what_is_gathered() -> None:
    """By the module `wiring`, and by the role's task."""
    lists, dummy = gathered(wired(WEB), SUBSETS)
    read = set()

    class Recorded(dict[str, Any]):
        def __getitem__(self, name: str) -> Any:
            read.add(name)
            return super().__getitem__(name)

    purged(compile_plan([], []), [], [], Recorded(lists))
    assert read == set(GATHER)
    assert [name for name in SUBSETS if name in GATHER] == GATHER
    tasks = yaml.safe_load(ROLE_TASKS.read_text(encoding="utf-8"))[0]["block"]
    assert tasks[0]["linuxnet.containers.wiring_info"] == {"gather": GATHER}
    assert tasks[0]["register"] == "wiring_there"


def test_without_purge_nothing_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = wired(WEB)
    monkeypatch.setattr(kernel, "namespaces", None)
    assert role(kernel, [], [], purge=False) == ([], [])
    assert names(kernel) == ["web"]


def flushed(kernel: MemoryKernel, fence: bool) -> None:
    """Somebody took all rules of ours out; the ``fence`` stays where only the chains were flushed."""
    index = firewalls(kernel._state).index(kernel.find(HOST) or 0, NFTABLES)
    edit = Edit(
        drop=tuple(index.nat_rules),
        unpublish=tuple(index.port_mappings),
        unisolate=tuple(index.isolations),
        unfence=() if fence else tuple(index.fences),
        kinds=(PORTS, ISOLATION, FENCES),
    )
    index.advance(edit)


def test_a_container_whose_ports_nobody_can_read_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """nft does not work: what web published would outlive it."""
    kernel = wired(WEB)
    ruleset = kernel.ruleset

    def broken(ns: int, backend: Any) -> Any:
        if backend is NFTABLES:
            raise KernelError(0, "list the nftables rule set", "it ended with 3")
        return ruleset(ns, backend)

    monkeypatch.setattr(kernel, "ruleset", broken)
    steps = Steps({"networks": [], "containers": [], "state": "present", "firewall_backend": "auto", "purge": True})
    warnings = steps.survey(kernel)
    ended = take_steps(steps, kernel, False)[2]
    assert "What is in nftables is left out." in warnings[0]
    assert "ports of web: Could not list the nftables rule set" in ended
    assert names(kernel) == ["web"]
    assert [one.name for one in kernel.links(inode_of(kernel, NsRef("/run/netns/web")))] == ["lo", "eth0"]


@pytest.mark.parametrize("fence", [True, False])
def test_forwarding_goes_though_somebody_took_the_rules_out(fence: bool) -> None:
    kernel = wired(WEB)
    flushed(kernel, fence)
    found, dummy = gathered(kernel, ["orphans"])
    assert [(one["kind"], one["name"]) for one in found["orphans"]] == [("forwarding", "ipv4")]
    gone, warnings = role(kernel)
    assert warnings == []
    assert "nat of forwarding-left-over" in gone
    assert kernel.snapshot() == MemoryKernel().snapshot()
    assert role(kernel) == ([], [])


def test_forwarding_goes_on_where_the_plan_has_rules_again() -> None:
    kernel = wired(WEB)
    before = kernel.snapshot()
    flushed(kernel, False)
    start = len(kernel.applied)
    role(kernel, [FRONT], [WEB])
    assert "SetSysctl" not in [type(step).__name__ for step in kernel.applied[start:]]
    assert kernel.snapshot() == before


@pytest.mark.parametrize(("purge", "gone"), [(False, []), (True, ["nat of what-was-put-by-hand"])])
def test_what_people_put_among_our_rules_goes_by_purge_only(purge: bool, gone: list[str]) -> None:
    kernel = wired(WEB)
    put = {"family": "inet", "table": "linuxnet_containers", "chain": "forward", "handle": 99, "expr": [{"drop": None}]}
    kernel.foreign_rules = [{"rule": put}]
    orphan = {
        "kind": "by_hand",
        "name": "chain forward: drop",
        "netns": None,
        "why": "somebody put it among our rules; 'nft delete rule inet linuxnet_containers forward handle 99' removes it",
    }
    assert gathered(kernel, ["orphans"])[0]["orphans"] == [orphan]
    assert role(kernel, [FRONT], [WEB], purge=purge)[0] == gone
    assert gathered(kernel, ["orphans"])[0]["orphans"] == ([] if purge else [orphan])


def test_check_mode_foresees_a_fence_without_what_goes_with_a_namespace() -> None:
    """A pair of somebody else ends in a namespace that the run removes, before the interfaces of others are looked for."""
    found = []
    for check in (True, False):
        kernel = wired({"name": "db"}, networks=[{**FRONT, "masquerade": False}])
        kernel.apply(AddLink(HOST, "up0", "dummy"))
        kernel.apply(AddLink(HOST, "theirs0", "veth", {}, NsRef("/run/netns/db"), "lo1", {}))
        lists = {"networks": [{**FRONT, "state": "present"}], "containers": [{"name": "db", "state": "absent"}]}
        steps = Steps({**lists, "state": "present", "firewall_backend": "auto", "purge": False})
        results, dummy, ended = take_steps(steps, kernel, check)
        assert not ended, ended
        found.append([(one["after"], one["commands"]) for one in results["wire"]["nat"]])
    assert found[0] == found[1]
    commands = " ".join(line for dummy, lines in found[1] for line in lines)
    assert ('"up0"' in commands, "theirs0" in commands) == (True, False)


# --- links of other kinds ---

LAN = {"name": "lan", "driver": "macvlan", "parent": "eth1.10", "subnets": ["10.3.0.0/24"]}
ON_LAN = [{"name": name, "networks": [{"name": "lan"}]} for name in ("web", "db")]


def on_lan(*containers: Any, **network: Any) -> MemoryKernel:
    """A host that the role wired on the VLAN 10 of its eth1."""
    kernel = MemoryKernel()
    kernel.apply(AddLink(HOST, "eth1", "veth", {"enabled": True}, HOST, "far1", {"enabled": True}))
    role(kernel, [{**LAN, **network}], list(containers), purge=False)
    return kernel


def left(kernel: MemoryKernel) -> list[str]:
    """The links of the kinds of ns_link that are on the host."""
    return sorted(link.name for link in kernel.links(inode_of(kernel, HOST)) if link.kind not in ("", "veth", "bridge"))


@pytest.mark.parametrize("driver", ["macvlan", "ipvlan"])
def test_links_in_containers_go_and_then_what_they_were_made_on(driver: str) -> None:
    kernel = on_lan(*ON_LAN, driver=driver)
    gone, warnings = role(kernel)
    assert gone == [f"{driver} eth0", f"{driver} eth0", "vlan eth1.10", "netns db", "netns web"]
    assert (warnings, names(kernel), left(kernel)) == ([], [], [])
    assert role(kernel) == ([], [])


def test_of_what_is_listed_nothing_goes() -> None:
    host = {"host_interface": "lan0", "host_addresses": ["10.3.0.9"], "ranges": ["10.3.0.128/25"]}
    kernel = on_lan(*ON_LAN, **host)
    assert left(kernel) == ["eth1.10", "lan0"]
    assert role(kernel, [{**LAN, **host}], ON_LAN) == ([], [])
    assert role(kernel, [LAN], ON_LAN[:1])[0] == ["macvlan lan0", "macvlan eth0", "netns db"]
    assert role(kernel, [{**LAN, "unmanaged": True}], ON_LAN[:1]) == ([], []), (
        "one that is used stays, whoever is to make it"
    )
    assert (names(kernel), left(kernel)) == (["web"], ["eth1.10"])


def test_a_namespace_that_others_share_is_known_by_each_of_its_names() -> None:
    """The survey may call it by the other one's."""
    beside = {"name": "aside", "network_mode": "container:web"}
    kernel = on_lan(*ON_LAN, beside)
    assert role(kernel, [LAN], [*ON_LAN, beside]) == ([], [])


def test_what_somebody_else_is_on_stays_and_says_for_whom() -> None:
    kernel = on_lan(*ON_LAN)
    kernel.apply(AddLink(HOST, "their0", "macvlan", {}, parent="eth1.10", parent_ns=HOST))
    text = "Interface 'eth1.10' in the host, a vlan of ours that is not listed any more, stays, for others use it: their0 of the host."
    for gone in (["macvlan eth0", "macvlan eth0", "netns db", "netns web"], []):
        assert role(kernel) == (gone, [text])
    kernel.apply(DelLink(HOST, "their0"))
    assert role(kernel) == (["vlan eth1.10"], [])


def test_so_does_one_on_which_is_somebody_whose_namespace_has_no_name() -> None:
    """Docker's containers have none: only the survey sees them."""
    kernel = on_lan()
    inode = kernel._state.fresh_namespace()
    kernel._state.known.paths["/proc/42/ns/net"] = inode
    kernel.pids = {42: inode}
    where = NsRef("/proc/42/ns/net")
    kernel.apply(AddLink(where, "eth0", "macvlan", {}, parent="eth1.10", parent_ns=HOST))
    kernel.apply(AddLink(HOST, "eth1.11", "vlan", {"vlan_id": 11, "link_group": 76}, parent="eth1", parent_ns=HOST))
    gone, (warning,) = role(kernel)
    assert gone == ["vlan eth1.11"]
    assert warning.endswith("stays, for others use it: eth0 of process 42 (sleep).")


def test_a_port_of_somebody_else_s_bridge_stays_and_a_vrf_that_has_ports() -> None:
    kernel = on_lan()
    kernel.apply(AddLink(HOST, "br9", "bridge", {"mac": "02:00:00:00:00:0e"}))
    kernel.apply(SetLink(HOST, "eth1.10", {"master": "br9"}, {"master": ""}))
    kernel.apply(AddLink(HOST, "red", "vrf", {"table": 10, "link_group": 76}))
    kernel.apply(SetLink(HOST, "far1", {"master": "red"}, {"master": ""}))
    gone, warnings = role(kernel)
    assert gone == []
    assert [one.rpartition(": ")[2] for one in warnings] == ["bridge br9.", "its port far1."]


def test_what_others_made_stays_and_so_does_the_name_of_a_namespace_with_it() -> None:
    kernel = on_lan(*ON_LAN[:1])
    kernel.apply(AddLink(HOST, "dummy9", "dummy", {}))
    kernel.apply(AddLink(NsRef("/run/netns/web"), "dummy9", "dummy", {}))
    gone, warnings = role(kernel)
    assert gone == ["macvlan eth0", "vlan eth1.10"]
    assert (names(kernel), left(kernel)) == (["web"], ["dummy9"])
    assert "what is in it is not ours: interface dummy9." in warnings[0]


def test_a_container_that_goes_on_with_a_pair_has_its_link_no_more() -> None:
    kernel = on_lan(*ON_LAN)
    gone, warnings = role(kernel, [FRONT], [{"name": "web"}, {"name": "db"}])
    assert gone == ["macvlan eth0", "macvlan eth0", "vlan eth1.10"]
    assert (warnings, names(kernel)) == ([], ["db", "web"])
    assert role(kernel, [FRONT], [{"name": "web"}, {"name": "db"}]) == ([], [])
