# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the diff of a rule says to who asks for no details: what is published, translated or closed, and not by which means. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._firewall.model import (
    CONFINED,
    EVERYWHERE,
    ISOLATION,
    NAT,
    PORTS,
    SPOOFING,
    TUNNELS,
    UPLINKS,
    VRFS,
    NatRule,
    OwnedRules,
    PortMapping,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._model import addressing
from ansible_collections.linuxnet.containers.plugins.module_utils._model.changes.files import SetSysctl
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.changes import (
    DelRule,
    PutRule,
    SetIsolation,
    SetPortMappings,
    SetSpoofCheck,
    SetTunnel,
    SetUplink,
)
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.fence import FORWARDING
from ansible_collections.linuxnet.containers.plugins.module_utils._resources.nat.port_mapping_plan import joined
from ansible_collections.linuxnet.containers.plugins.module_utils._run.resource import Plan, Sides, brief

# Of what kind the shared rules are, by the option ``type``; source NAT else.
_SHARED = {"dnat": PORTS, "filter": ISOLATION, "spoof_check": SPOOFING, "uplink": UPLINKS, "tunnel": TUNNELS}
_IN_A_VRF = {"dnat": (VRFS,), "filter": (ISOLATION, CONFINED)}  # the same of what is in one
_STEPS = {
    "dnat": SetPortMappings,
    "filter": SetIsolation,
    "spoof_check": SetSpoofCheck,
    "uplink": SetUplink,
    "tunnel": SetTunnel,
}
# What a rule has besides what it does; the header of the diff names its bridge, or its owner.
_MEANS = dict.fromkeys(("netns", "bridge", "owner", "comment", "backend", "fenced", "sysctl_file", "mac"), "type")
_USUAL = {"icc": True, "internal": False, "enforced": True}
_BROKEN = "not in force, for any network: rules are missing, or were changed by hand"  # for they are those of all
# What is said of a published port beside what is published.
_BESIDE = ("backend", "ip_forward", "enforced", "handed_over", "of_gone_containers")


def enforced(kind: str, plan: Plan, owned: OwnedRules, family: int, backend: str) -> Plan:
    """Return a plan for a rule of a ``kind`` (the option ``type``) whose object says whether it is in force: the rules that all of its kind share
    are as they are to be, and so is what else it needs. ``owned`` is what we own in the ``backend`` where it is to be; of another, which it leaves, nothing
    is said."""
    elsewhere = backend not in ("", plan.before.get("backend")) or bool(plan.extra.get("satisfied_by"))
    vrf = (plan.after or plan.before).get("vrf")
    shared = _IN_A_VRF.get(kind, ()) if vrf else (_SHARED.get(kind, NAT),)
    stands = elsewhere or all(owned.whole(one, family) for one in shared)
    stands = stands and not (plan.changed and plan.before == plan.after)
    before = {**plan.before, "enforced": stands} if "type" in plan.before else plan.before
    after = {**plan.after, "enforced": True} if plan.after else {}
    return replace(plan, before=before, after=after)


def effect(kind: str, plan: Plan) -> Sides:
    """Return what a plan for a rule of a ``kind`` (the option ``type``) does."""
    sides = _published(plan) if kind == "dnat" else brief((plan.before, plan.after), _USUAL, _MEANS)
    if kind in ("masquerade", "snat"):
        sides = _translated(sides, [step.rule for step in plan.changes if isinstance(step, DelRule)])
    elif kind == "spoof_check":
        sides = _sending(sides)
    if plan.before.get("enforced") is False and any(
        isinstance(step, _STEPS.get(kind, PutRule)) for step in plan.changes
    ):
        what = "isolation" if kind == "filter" else "rules"
        sides = ({**sides[0], what: _BROKEN}, {**sides[1], what: "in force"} if plan.after else {})
    switches = any(isinstance(step, SetSysctl) and step.key in FORWARDING.values() for step in plan.changes)
    left_out = [
        "enforced",
        *([] if kind in ("masquerade", "snat") else ["type"]),
        *([] if switches else ["ip_forward"]),
    ]
    before, after = (_without(side, *left_out) for side in sides)
    if "by_hand" in plan.before:
        before = {**before, "by_hand": tuple(plan.before["by_hand"])}
    if before == after:  # something beside the rules
        after = {**after, "also": tuple(step.attempt() for step in plan.changes)}
    return before, after


def _sending(sides: Sides) -> Sides:
    """Return the two sides with the addresses that a port lets through named for what they are to its container."""
    found = []
    for side in sides:
        from_ = side.get("addresses")
        said: Dict[str, Any] = {} if from_ is None else {"may_send_from": from_ or "no address"}
        if "no_longer_asked_for" in side:
            said["interface"] = side["no_longer_asked_for"]
        found.append({**_without(side, "addresses", "no_longer_asked_for"), **said})
    return found[0], found[1]


def _translated(sides: Sides, gone: Sequence[NatRule]) -> Sides:
    """Return the two sides with all that an owner has translated in one attribute, whichever rules do so; ``gone`` are those that go."""
    before, after = sides
    if "no_longer_asked_for" not in before:
        return before, after
    was = {"type": gone[0].type, "out_interface": gone[0].out_interface or None} if gone else {}
    listed = [*([before["source"]] if "source" in before else []), *before["no_longer_asked_for"]]
    shown = {name: value for name, value in after.items() if value not in (None, [])}
    return {**was, **_without(before, "no_longer_asked_for"), "source": ", ".join(listed)}, shown


def _published(plan: Plan) -> Sides:
    """Return the two sides with what is published, a text each, in place of the attributes of one port."""
    steps = [step for step in plan.changes if isinstance(step, SetPortMappings)]
    ends = _texts(mapping for step in steps for mapping in step.unpublish)
    begins = _texts(mapping for step in steps for mapping in step.publish)
    before, after = brief((plan.before, plan.after), _USUAL, _MEANS)
    sides = []
    for side, own, others in ((before, ends, begins), (after, begins, ends)):
        told = tuple(text for text in own if text not in others)
        sides.append(
            {**({"published": told} if told else {}), **{name: side[name] for name in _BESIDE if name in side}}
        )
    return sides[0], sides[1]


def _texts(mappings: Iterable[PortMapping]) -> List[str]:
    """Return published ports as texts, a range as one."""
    ranges: Dict[Tuple[str, str, str, int], List[PortMapping]] = {}
    for mapping in mappings:
        shift = (mapping.to_port or mapping.first) - mapping.first
        ranges.setdefault((mapping.host_ip, mapping.protocol, mapping.to, shift), []).append(mapping)
    texts = []
    for (host_ip, protocol, to, shift), found in ranges.items():
        host = "" if host_ip == EVERYWHERE[found[0].family] else "%s:" % addressing.bracketed(host_ip)
        spans = [(mapping.first, mapping.last) for mapping in found]
        goal = joined((first + shift, last + shift) for first, last in spans)
        texts.append("%s%s/%s to %s:%s" % (host, joined(spans), protocol, addressing.bracketed(to), goal))
    return texts


def _without(attributes: Mapping[str, Any], *names: str) -> Dict[str, Any]:
    return {name: value for name, value in attributes.items() if name not in names}
