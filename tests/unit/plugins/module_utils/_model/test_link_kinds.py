# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables of attributes: each row is an option, a word of iproute2, and a line of the documentation."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
import yaml
from ansible_collections.linuxnet.containers.plugins.module_utils._model import link_kinds
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import Invalid

MADE = link_kinds.made_by("ns_link")
TABLES = {
    "bridge": link_kinds.rows("bridge"),
    "veth": link_kinds.rows("veth"),
    "bridge_port": dict(link_kinds.PORT),
    "ns_link": {name: row for kind in MADE for name, row in link_kinds.rows(kind).items()},
}
OPTIONS = {name: row for name, row in link_kinds.LINK.items() if not row.mark}
ALL = [OPTIONS, *(rows for kind in link_kinds.KINDS.values() for rows in (kind.fields, kind.ports) if rows)]


@pytest.mark.parametrize("noun", sorted(TABLES))
def test_every_row_is_an_option_of_its_module_and_documented(noun: str) -> None:
    options_of_rows = link_kinds.specs(TABLES[noun], pair=noun == "veth")
    module = importlib.import_module("ansible_collections.linuxnet.containers.plugins.modules." + noun)
    documented = yaml.safe_load(module.DOCUMENTATION)["options"]
    options = module.RESOURCE.options
    for name, spec in options_of_rows.items():
        assert options[name] == spec
        assert {key: documented[name].get(key) for key in ("type", "default")} == {"default": None, **spec}


def find(name: str) -> link_kinds.Field:
    """The row called ``name`` of any table."""
    return {key: row for rows in ALL for key, row in rows.items()}[name]


def test_every_row_is_used_by_a_module() -> None:
    assert {name for rows in TABLES.values() for name in rows} == {name for rows in ALL for name in rows}


def test_a_row_is_known_by_one_name() -> None:
    names = [name for rows in ALL for name in rows]
    assert len(names) == len(set(names))
    attributes = [one for row in map(find, names) for one in (row.attribute, row.attribute6) if one]
    assert len(attributes) == len(set(attributes))
    assert find("hairpin").attribute == "IFLA_BRPORT_MODE"
    with pytest.raises(KeyError):
        find("hair")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("mtu", 1400, "mtu 1400"),
        ("mac", "02:00:00:00:00:01", "address 02:00:00:00:00:01"),
        ("stp", True, "stp_state 1"),
        ("vlan_filtering", False, "vlan_filtering 0"),
        ("hairpin", True, "hairpin on"),
        ("learning", False, "learning off"),
        ("fast_leave", True, "fastleave on"),
        ("vni", 42, "id 42"),
        ("local", "fd00::1", "local fd00::1"),
        ("port", 4789, "dstport 4789"),
        ("tunnel_learning", True, "learning"),
        ("tunnel_learning", False, "nolearning"),
        ("vlan_id", 5, "id 5"),
        ("vlan_protocol", "802.1ad", "protocol 802.1ad"),
        ("macvlan_mode", "bridge", "mode bridge"),
        ("ipvlan_mode", "l3s", "mode l3s"),
        ("table", 10, "table 10"),
        ("cost", 7, "cost 7"),
    ],
)
def test_a_row_in_iproute2_s_words(name: str, value: int | str, words: str) -> None:
    assert find(name).spell(value) == words.split()


@pytest.mark.parametrize(("name", "low", "high"), [("mtu", 68, 65535), ("cost", 1, 65535), ("priority", 0, 63)])
def test_bounds(name: str, low: int, high: int) -> None:
    field = find(name)
    assert [field.canonical(low), field.canonical(high)] == [low, high]
    for value in (low - 1, high + 1):
        with pytest.raises(Invalid, match=f"{name}: {value} is out of bounds; it must be from {low} to {high}."):
            field.canonical(value)


SPELLINGS: dict[str, list[list[Any]]] = {
    "mtu": [["1400", 1400, " 1400", "01400"], ["auto", " auto "]],
    "mac": [["02:AB:00:00:00:01", "02-ab-00-00-00-01", " 02:ab:00:00:00:01\n"]],
    "alias": [[""], ["the bridge \u00e9"], ["a" * 255]],
    "vlan_protocol": [["802.1Q", "802.1q", " 802.1Q"], ["802.1ad", "802.1AD"]],
    "macvlan_mode": [["bridge", "Bridge "], ["private"], ["vepa"], ["passthru"]],
    "ipvlan_mode": [["l2", "L2"], ["l3"], ["l3s", "L3S"]],
    "table": [["10", 10, " 010"], ["main", 254]],
    "rate": [
        ["10mbit", "10 Mbit", "10000kbit", " 0.01gbit", "1.25mbps", "10000000bit"],
        ["1500kbit", "1.5mbit", "1500001bit"],
        ["1048576bit", "1mibit", "128kibps"],
        ["1tbit"],
        ["8kbit", "1kbps"],
        ["", " "],
    ],
    "delay": [["10ms", "10 MS", "10000us", "0.01s"], ["1500us", "1.5ms"], ["3600s"], ["", "0", "0ms"]],
    "jitter": [["2s", "2000ms"], ["500us"], [""]],
    "loss": [["0.5%", "0.5", " 0.50 ", 0.5], ["100%", 100], ["0.0001%"], ["", "0", 0, "0.0%"]],
    "local": [["10.0.0.1", " 10.0.0.1"], ["fd00::1", "FD00:0:0::0001"]],
    "group_fwd_mask": [[16384], [0]],
    "port_fwd_mask": [[16389], [0]],
}


@pytest.mark.parametrize("name", [name for rows in ALL for name in rows])
def test_every_spelling_of_a_value_is_one_value_and_the_kernel_s_is_that(name: str) -> None:
    """What a row makes of an option is canonical: it stays as it is, also by way of the kernel."""
    row = find(name)
    samples = SPELLINGS.get(name) or ([[True], [False]] if isinstance(row.default, bool) else [[7], [row.default]])
    for spellings in samples:
        found = {row.canonical(spelling) for spelling in spellings}
        (canonical,) = found
        assert row.canonical(canonical) == canonical
        assert row.from_kernel(row.to_kernel(canonical)) == canonical
        assert type(row.from_kernel(row.to_kernel(canonical))) is type(canonical)


@pytest.mark.parametrize("name", [name for rows in ALL for name, row in rows.items() if row.spec["type"] == "int"])
def test_a_boolean_is_no_number(name: str) -> None:
    row = find(name)
    with pytest.raises(Invalid, match=f"^{row.shown}: it must be a number from [0-9]+ to [0-9]+, not a boolean"):
        row.canonical(True)


@pytest.mark.parametrize(("name", "refused", "those"), [("group_fwd_mask", 4, 65528), ("port_fwd_mask", 2, 65533)])
def test_bits_that_the_kernel_refuses(name: str, refused: int, those: int) -> None:
    for value in (refused, refused | 0x4000):
        with pytest.raises(
            Invalid, match=f"^group_fwd_mask: {value} has bits that the kernel refuses; those of {those} can"
        ):
            find(name).canonical(value)
    with pytest.raises(Invalid, match=r"^group_fwd_mask: 65536 is out of bounds"):
        find(name).canonical(65536)


def test_what_is_given_is_what_counts() -> None:
    rows = link_kinds.rows("veth")
    params = {"mtu": "1400", "mac": None, "peer_mac": "02-AB-00-00-00-01", "bridge": "br0"}
    assert link_kinds.given(params, rows) == {"mtu": 1400}
    assert link_kinds.given(params, {"mac": rows["mac"]}, "peer_") == {"mac": "02:ab:00:00:00:01"}
    assert link_kinds.late(rows) == ["alias", "tx_checksum", "accept_ra", "ipv6", *link_kinds.SHAPES]
    with pytest.raises(Invalid, match=r"^peer_mac: 'x' is not a MAC address"):
        link_kinds.given({"peer_mac": "x"}, {"mac": rows["mac"]}, "peer_")


def test_a_row_whose_name_another_has_is_called_as_its_option_is() -> None:
    rows = link_kinds.rows("vxlan")
    assert [name for name, row in rows.items() if row.shown != name] == ["tunnel_learning"]
    assert link_kinds.given({"mode": "L3"}, link_kinds.rows("ipvlan")) == {"ipvlan_mode": "l3"}
    assert link_kinds.given({"learning": True}, rows) == {"tunnel_learning": True}
    assert {"learning", "vni"} < set(link_kinds.specs(rows))
    with pytest.raises(Invalid, match=r"^learning: "):
        link_kinds.given(
            {"learning": 7}, {"x": link_kinds.Field("x", "", "", 0, sanitizer=refusing, called="learning")}
        )


def refusing(dummy: Any, option: str) -> Any:
    raise Invalid(option + ": no")


def test_a_module_of_several_kinds_makes_those_of_its_entries() -> None:
    assert MADE == ["dummy", "ipvlan", "macvlan", "vlan", "vrf", "vxlan"]
    own = {kind: [row.shown for row in link_kinds.rows(kind).values()] for kind in MADE}
    shapes = ["rate", "delay", "jitter", "loss"]
    assert own == {
        "dummy": ["mtu", "mac", "enabled", "alias"],
        "ipvlan": ["mtu", "mode", "enabled", "alias", "accept_ra", "ipv6", *shapes],
        "macvlan": ["mtu", "mac", "mode", "enabled", "alias", "accept_ra", "ipv6", *shapes],
        "vlan": ["mtu", "mac", "vlan_protocol", "vlan_id", "enabled", "alias", *shapes],
        "vrf": ["mtu", "mac", "table", "enabled", "alias"],
        "vxlan": ["mtu", "mac", "vni", "local", "port", "learning", "enabled", "alias", *shapes],
    }


def test_the_kernel_s_number_of_a_word() -> None:
    mode = find("macvlan_mode")
    assert (mode.to_kernel("bridge"), mode.from_kernel(8), mode.from_kernel(16)) == (4, "passthru", "source")
    assert mode.from_kernel(99) == "99"
    with pytest.raises(Invalid, match=r"^mode: 'source' is none of bridge, private, vepa, passthru\.$"):
        mode.canonical("source")


def test_what_a_new_link_has_by_itself() -> None:
    assert [link_kinds.born(kind)["mtu"] for kind in ("dummy", "vrf")] == [1500, 65575]
    assert link_kinds.born("macvlan")["macvlan_mode"] == "vepa"


def test_the_rows_of_a_kind_nobody_knows_are_none() -> None:
    assert (link_kinds.kind("gre").described, dict(link_kinds.kind("gre").fields)) == ("an interface of type gre", {})
    assert link_kinds.kind("bridge") is link_kinds.KINDS["bridge"]
