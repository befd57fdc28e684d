# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was found, in words for people. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Tuple

from ansible_collections.linuxnet.containers.plugins.module_utils._path import question as asked
from ansible_collections.linuxnet.containers.plugins.module_utils._path.question import Question
from ansible_collections.linuxnet.containers.plugins.module_utils._path.stops import Obstacle, Record

if TYPE_CHECKING:
    from ansible_collections.linuxnet.containers.plugins.module_utils._path.report import Findings

PROBED = {"answers": "it was answered", "refused": "it was refused", "silent": "nothing came back"}


def text(question: Question, sends: str, record: Record, stops: str, remedy: str) -> str:
    """Return all of it: what was asked, the hops, and in the last two lines what stops it and what to do."""
    what, where = asked.shown(question)
    lines = ["%s > %s: %s%s" % (question.source, where, what, ", " + sends if sends else "")]
    width = max([len(hop.where) + 5 * hop.answer for hop in record.hops], default=0)
    for hop in record.hops:
        name = ("back " if hop.answer else "") + hop.where
        lines.append("  %s  %s%s" % (name.ljust(width), hop.what, "  [%s]" % hop.by if hop.by else ""))
    return "\n".join([*lines, stops, remedy])


def ending(found: Findings) -> Tuple[str, str]:
    """Return what stops it and what to do, a line each."""
    if found.obstacle is not None:
        return _two("Stopped", found.obstacle)
    if found.open:
        return _two("Not known", found.open[0])
    if found.large is not None:
        return _two("It gets through, but large ones do not", found.large)
    return "Nothing stops it%s." % (": " + found.taker if found.taker else ""), "Nothing is to be done."


def _two(how: str, obstacle: Obstacle) -> Tuple[str, str]:
    return "%s: %s." % (how, obstacle.what), "%s. To see it: %s" % (
        obstacle.remedy[:1].upper() + obstacle.remedy[1:],
        obstacle.command,
    )


def sentence(found: Findings) -> str:
    """Return the answer in one sentence."""
    what, where = asked.shown(found.question)
    whom = (
        "%s of %s" % (what, where)
        if not found.question.published and what != "ping"
        else what
        if found.question.published
        else where
    )
    if found.obstacle is not None:
        return "%s does not answer %s: %s." % (_capital(whom), found.question.source, found.obstacle.what)
    if found.open:
        return "It cannot be told whether %s answers %s: %s." % (whom, found.question.source, found.open[0].what)
    if found.large is not None:
        return "%s answers %s, but %s." % (_capital(whom), found.question.source, found.large.what)
    return "%s answers %s%s." % (_capital(whom), found.question.source, ": " + found.taker if found.taker else "")


def _capital(text_: str) -> str:
    return text_ if not text_.startswith("the ") else "T" + text_[1:]
