# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the reader of the running kernel remembers, and forgets. What it reads is in the contract of kernels."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel import files, namespaces, reader
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink import codec, links, routes
from ansible_collections.linuxnet.containers.plugins.module_utils._kernel.netlink.transport import NetlinkError
from ansible_collections.linuxnet.containers.plugins.module_utils._model.errors import KernelError, Lacking, Refused
from ansible_collections.linuxnet.containers.plugins.module_utils._model.network import (
    HOST,
    Link,
    NsFile,
    NsRef,
)
from ansible_collections.linuxnet.containers.tests.unit.netlink_wire import MESSAGES, Answering

WEB, DB = NsRef("/run/netns/web"), NsRef("/run/netns/db")


@pytest.fixture(autouse=True)
def unprivileged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is moved into another namespace, which needs privileges: what is read here is this process's own."""
    monkeypatch.setattr(namespaces, "entered", lambda _fd: contextlib.nullcontext())


@pytest.fixture
def kernel() -> Iterator[reader.Reader]:
    with reader.Reader() as found:
        yield found


def opened(kernel: reader.Reader, ref: NsRef, inode: int) -> reader.Namespace:
    """Have a namespace open that is not there."""
    namespace = kernel._open[inode] = reader.Namespace(os.open("/dev/null", os.O_RDONLY))
    namespace._socket = Answering()
    kernel._paths[ref.path] = inode
    return namespace


# --- what every module needs ---


def test_without_pyroute2_it_is_lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "PROBLEM", Lacking("pyroute2", "pyroute2"))
    with pytest.raises(Lacking) as caught:
        reader.Reader.require()
    assert caught.value.missing == "pyroute2"


@pytest.mark.parametrize(
    ("effective", "missing"),
    [(1 << 12 | 1 << 21, ""), (1 << 12, "(CAP_SYS_ADMIN missing)"), (0, "(CAP_NET_ADMIN, CAP_SYS_ADMIN missing)")],
)
def test_without_privileges_it_says_which(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, effective: int, missing: str
) -> None:
    (tmp_path / "status").write_text(f"Name:\tpython\nCapEff:\t{effective:016x}\n", encoding="utf-8")
    real = open
    monkeypatch.setattr("builtins.open", lambda _path, **options: real(tmp_path / "status", **options))
    said = ""
    try:
        reader.Reader.require()
    except Lacking as error:
        said = str(error)
    assert missing in said
    assert bool(said) == bool(missing)


def test_a_limit_that_cannot_be_raised_is_not_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hard limit may be above what the kernel takes by now (fs.nr_open)."""

    def refuse(_which: int, _limits: tuple[int, int]) -> None:
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(resource, "setrlimit", refuse)
    with reader.Reader() as kernel:
        assert kernel.find(HOST) == kernel.own


def test_everything_is_closed_at_the_end() -> None:
    before = os.listdir("/proc/self/fd")
    with reader.Reader() as kernel:
        kernel.link(kernel.own, "lo")
        kernel.find(NsRef("/proc/self/ns/net"))
    assert os.listdir("/proc/self/fd") == before


def test_a_host_that_cannot_be_looked_at_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is wrong with /proc, or with the number of open files."""
    monkeypatch.setattr(namespaces, "OWN", "/nowhere")
    with pytest.raises(KernelError, match=r"^Could not open the host's network namespace: No such file"):
        reader.Reader()


# --- finding namespaces ---


def test_two_paths_of_one_namespace_are_one(kernel: reader.Reader) -> None:
    assert kernel.find(NsRef("/proc/self/ns/net")) == kernel.find(HOST) == kernel.own
    assert list(kernel._open) == [kernel.own]


def test_one_that_is_not_there_is_looked_for_each_time(kernel: reader.Reader, tmp_path: Path) -> None:
    ref = NsRef(str(tmp_path / "web"))
    assert kernel.find(ref) is None
    (tmp_path / "web").symlink_to("/proc/self/ns/net")
    assert kernel.find(ref) == kernel.own


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/etc/passwd", "/etc/passwd is not a network namespace; name one, or its file, such as /proc/PID/ns/net."),
        ("/etc/passwd/below", "Could not open netns '/etc/passwd/below': Not a directory."),
        ("/nul\0", "'/nul\\x00' is not a path."),
        ("/" + "n" * 300, "File name too long"),
    ],
)
def test_what_is_no_namespace_is_said(kernel: reader.Reader, path: str, message: str) -> None:
    with pytest.raises(Refused) as caught:
        kernel.find(NsRef(path))
    assert message in str(caught.value)


def refusing(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def refuse(_path: str) -> tuple[int, int]:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(namespaces, "open_namespace", refuse)


@pytest.mark.parametrize("empty", [True, False])
def test_a_name_that_is_somebody_s_file_is_refused_and_one_to_mount_on_is_none(
    kernel: reader.Reader, monkeypatch: pytest.MonkeyPatch, empty: bool
) -> None:
    refusing(monkeypatch, errno.EINVAL)
    monkeypatch.setattr(namespaces, "is_empty", lambda path: empty)
    if empty:
        assert kernel.find(WEB) is None
        return
    with pytest.raises(Refused, match=r"^Netns 'web' is no namespace: /run/netns/web is a file that somebody put"):
        kernel.find(WEB)


def test_a_link_to_what_an_engine_left_is_none(kernel: reader.Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing(monkeypatch, errno.EINVAL)
    monkeypatch.setattr(os.path, "islink", lambda _path: True)
    assert kernel.find(WEB) is None


@pytest.mark.parametrize("code", [errno.EACCES, errno.EMFILE, errno.ELOOP])
def test_other_troubles_have_their_errno(kernel: reader.Reader, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    refusing(monkeypatch, code)
    with pytest.raises(KernelError, match=r"^Could not open netns 'web': ") as caught:
        kernel.find(WEB)
    assert caught.value.code == code


# --- what belongs to a namespace is forgotten with it ---


def ended(kernel: reader.Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the namespace WEB, in which an interface was looked at, end."""
    monkeypatch.setattr(namespaces, "seen", dict)
    monkeypatch.setattr(links, "read_all", lambda _sock, _kind: [(Link(2, "eth0", "veth", peer_index=7), 0)])
    monkeypatch.setattr(links, "name_of", lambda _sock, _index: "")
    monkeypatch.setattr(links, "nsid", lambda _sock, _fd: 0)
    kernel._unnamed.add(100)
    kernel.close_unnamed()


@pytest.mark.parametrize("code", [errno.EACCES, errno.EPERM])
def test_the_namespace_of_another_s_process_needs_a_capability(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with reader.Reader() as kernel:

        def refused(path: str) -> tuple[int, int]:
            raise OSError(code, "x")

        monkeypatch.setattr(namespaces, "open_namespace", refused)
        with pytest.raises(Refused, match=r"^Could not open netns '/proc/1/ns/net': CAP_SYS_PTRACE is missing, "):
            kernel.find(NsRef("/proc/1/ns/net"))


@pytest.mark.parametrize(
    ("kind", "require", "said"),
    [
        ("net", reader.Reader.require, "network namespace"),
        ("mnt", reader.Reader.require_mounts, "mount namespace"),
    ],
)
def test_root_of_another_user_namespace_is_not_root_here(
    kind: str, require: Callable[[], None], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(namespaces, "governed", lambda asked: asked != kind)
    monkeypatch.setattr(files, "read_text", lambda path: "CapEff:\t000001ffffffffff\n")
    with pytest.raises(Lacking, match=rf"to which the {said} does not belong"):
        require()


def test_an_inode_that_is_used_again_is_another_namespace(
    kernel: reader.Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    namespace, host = opened(kernel, WEB, 100), kernel._open[kernel.own]
    kernel._remember(namespace, "eth0", 2)
    namespace.names[2] = "eth0"
    host.nsids[5] = 100
    host.asked.add(100)
    kernel._processes = {100: [os.getpid()]}
    ended(kernel, monkeypatch)
    assert kernel.find(WEB) is None
    assert (host.nsids, host.asked) == ({}, set())
    again = opened(kernel, WEB, 100)
    assert (again.indexes, again.names, again.nsids, again.asked) == ({}, {}, {}, set())
    assert kernel.processes(100) == []


def test_it_waits_for_the_host_s_ends_of_its_pairs(kernel: reader.Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(kernel, WEB, 100)
    going = iter(["web0", "web0", ""])
    asked = []

    def name_of(_sock: object, index: int) -> str:
        asked.append(index)
        return next(going)

    monkeypatch.setattr(namespaces, "seen", dict)
    end = Link(2, "eth0", "veth", peer_index=7)
    monkeypatch.setattr(links, "read_all", lambda _sock, _kind: [(end, 0), (Link(1, "lo", ""), None)])
    monkeypatch.setattr(links, "nsid", lambda _sock, _fd: 0)
    monkeypatch.setattr(links, "name_of", name_of)
    kernel._unnamed.add(100)
    kernel.close_unnamed()
    assert asked == [7, 7, 7]


def test_where_it_cannot_be_read_it_is_closed_all_the_same(
    kernel: reader.Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise NetlinkError(errno.ENOBUFS)

    opened(kernel, WEB, 100)
    monkeypatch.setattr(namespaces, "seen", dict)
    monkeypatch.setattr(links, "read_all", refuse)
    kernel._unnamed.add(100)
    kernel.close_unnamed()
    assert list(kernel._open) == [kernel.own]


def test_one_that_somebody_holds_stays_and_so_does_what_is_known(
    kernel: reader.Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    namespace = opened(kernel, WEB, 100)
    monkeypatch.setattr(namespaces, "seen", lambda: {100: ([], [1])})
    kernel._unnamed.update({100, 200})
    kernel.close_unnamed()
    assert kernel._open[100] is namespace
    assert kernel._unnamed == set()


# --- ids of namespaces ---


def test_the_peer_s_namespace_is_asked_for_once(kernel: reader.Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    web, db = opened(kernel, WEB, 100), opened(kernel, DB, 200)
    ids = {web.fd: 3, db.fd: 4}
    asked = []

    def nsid(_sock: object, fd: int) -> int:
        asked.append(fd)
        return ids.get(fd, -1)

    monkeypatch.setattr(links, "nsid", nsid)
    host = kernel._open[kernel.own]
    assert [kernel._peer_namespace(host, number) for number in (3, 4, 4, 9)] == [100, 200, 200, None]
    assert sorted(asked) == sorted([host.fd, web.fd, db.fd])


def test_a_veth_s_peer_is_in_its_own_namespace_where_no_id_says_otherwise(
    kernel: reader.Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "read", lambda _sock, _name, _index: (Link(2, "a", "veth", peer_index=3), None))
    found = kernel.link(kernel.own, "a")
    assert found is not None
    assert found.peer_ns == kernel.own


def test_a_tunnel_s_packets_go_by_its_own_namespace_where_no_id_says_otherwise(
    kernel: reader.Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(kernel, WEB, 100)
    monkeypatch.setattr(links, "nsid", lambda _sock, _fd: -1)
    kernel._open[kernel.own].nsids[3] = 100
    for nsid, ns in ((None, kernel.own), (3, 100), (4, None)):
        answer = Link(2, "a", "vxlan", parent_index=3), nsid
        monkeypatch.setattr(links, "read", lambda _sock, _name, _index, answer=answer: answer)
        found = kernel.link(kernel.own, "a")
        assert found is not None
        assert (found.parent_index, found.parent_ns, found.peer_ns) == (3, ns, None)


def test_where_a_tunnel_floods_to_is_read_in_its_namespace(kernel: reader.Reader) -> None:
    opened(kernel, WEB, 100)._socket = Answering(MESSAGES["fdb"])
    assert [str(one) for one in kernel.flooded(100, 4)] == ["10.0.0.2", "10.0.0.3 port 99 vni 7 via if3"]


def test_a_namespace_has_the_name_that_run_netns_knows(kernel: reader.Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file there may have any name; such a one is no name of a namespace that a module takes."""
    entries = [NsFile(" \udcff", "namespace", 100), NsFile("stale", "file"), NsFile("link", "namespace", 200, "/x")]
    monkeypatch.setattr(namespaces, "listing", lambda: {entry.name: entry for entry in entries})
    opened(kernel, NsRef("/run/netns/ \udcff"), 100)
    kernel._open[kernel.own].nsids.update({3: 100, 4: 300})
    monkeypatch.setattr(links, "nsid", lambda _sock, _fd: -1)
    assert kernel.namespace_label(kernel.own, 3) == "netns ' \udcff'"
    assert kernel.namespace_label(kernel.own, 4) == "a namespace without a name (id 4)"


def test_namespaces_that_went_meanwhile_are_left_out(kernel: reader.Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {kernel.own: (["/run/netns/host"], [1]), 100: (["/etc/passwd", "/proc/self/ns/net"], [4194304])}
    monkeypatch.setattr(namespaces, "seen", lambda: seen)
    assert kernel.namespaces() == [(kernel.own, "", [1])]


# --- links, addresses, routes ---


def test_what_was_looked_at_is_known_by_index(kernel: reader.Reader) -> None:
    host = kernel._open[kernel.own]
    assert kernel.link(kernel.own, "no such") is None
    found = kernel.link(kernel.own, "lo")
    assert found == kernel.link(kernel.own, index=1)
    assert (host.indexes, host.names) == ({"lo": 1}, {1: "lo"})


def test_routes_have_names_for_indexes(kernel: reader.Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        routes, "read_all", lambda _sock, _family, _table, name, _protocol: [name(0), name(1), name(77)]
    )
    assert kernel.routes(kernel.own, 4, 254) == ["", "lo", "77"]  # type: ignore[comparison-overlap]


def test_files_are_read_in_the_namespace(kernel: reader.Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    entered = []

    @contextlib.contextmanager
    def enter(fd: int) -> Iterator[None]:
        entered.append(fd)
        yield

    monkeypatch.setattr(namespaces, "entered", enter)
    monkeypatch.setattr(files, "read_sysctl", lambda key: key)
    namespace = opened(kernel, WEB, 100)
    assert (kernel.sysctl(100, "a"), kernel.sysctl(kernel.own, "b")) == ("a", "b")
    assert entered == [namespace.fd]


def test_processes_are_those_that_still_are_there(kernel: reader.Reader) -> None:
    own = namespaces.command(os.getpid())
    assert (os.getpid(), own) in kernel.processes(kernel.own)
    kernel._processes = {100: [os.getpid(), 4194304]}
    assert kernel.processes(100) == [(os.getpid(), own)]


def test_a_kernel_has_what_its_module_needs_and_says_what_it_has_not(kernel: reader.Reader) -> None:
    for ask in (lambda: kernel.containers("auto", []), kernel.running, lambda: kernel.who_has(1, "", "", "")):
        with pytest.raises(TypeError, match=r"^this kernel "):
            ask()
