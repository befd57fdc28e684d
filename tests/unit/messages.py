# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every message of the collection, as it was said, by the test that provokes it: what fails, is refused, or is warned of.

`recorded/messages.txt` has them, for people to read: by the file that says it, the test and the sentence. What `mistakes.txt` has is not there a second
time. `texts` finds in the code what is said, as far as that can be seen without running it; what no unit test provokes has another test's name, or a
reason, in `elsewhere.txt`.

    MESSAGES=FILE tests/tools/tests newest unit tests/unit       writes down what is said in each test
    python -m ….tests.unit.messages FILE                         prints recorded/messages.txt as it would have to be
"""

from __future__ import annotations

import ast
import contextlib
import functools
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from ansible_collections.linuxnet.containers.plugins.module_utils._model import errors
from ansible_collections.linuxnet.containers.tests.unit import mistakes

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FILE, ELSEWHERE = HERE / "recorded/messages.txt", HERE / "recorded/elsewhere.txt"
PLUGINS = ROOT / "plugins"
FAMILY = {"Refused", "Invalid", "Lacking", "KernelError"}
# What is raised and said to nobody as it is: what cannot happen, and path_info's answers, which are results.
_UNSAID = {"TypeError", "NotImplementedError", "SystemExit", "IndexError", "Stopped", "Unknown"}
_SAID = re.compile(r"%(?:\(\w+\))?[-#0-9.]*[srdg%]")
_ENDED = re.compile(r"[a-z)'s]\.$")
_DOCUMENTED = {"DOCUMENTATION", "EXAMPLES", "RETURN"}
SHORTEST = 12  # of a text that is worth a line


@dataclass(frozen=True, order=True)
class Text:
    """What a file (from ``plugins``) says, with its placeholders."""

    file: str
    text: str

    def told_by(self, message: str) -> bool:
        """Whether a message was made of it."""
        return _pattern(self.text).search(message) is not None


@functools.cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, _SAID.split(text))), re.DOTALL)


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else str(getattr(node, "id", ""))


def _makers(trees: list[ast.Module]) -> set[str]:
    """The family of exceptions, and the functions that return one of it."""
    found = set(FAMILY)
    nodes = [node for tree in trees for node in ast.walk(tree)]
    found |= {
        node.name for node in nodes if isinstance(node, ast.ClassDef) and FAMILY & {_name(base) for base in node.bases}
    }
    for node in nodes:
        if isinstance(node, ast.FunctionDef) and node.returns is not None:
            returned = re.fullmatch(r"(?:Optional\[)?(\w+)\]?", ast.unparse(node.returns))
            if returned and returned[1] in FAMILY:
                found.add(node.name)
    return found


def _constants(node: ast.AST, known: dict[str, ast.expr]) -> Iterator[str]:
    """The texts in an expression, also by the name of a constant of the file."""
    for one in ast.walk(node):
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value
        elif isinstance(one, ast.Name) and isinstance(known.get(one.id), (ast.Constant, ast.BinOp)):
            yield from _constants(known[one.id], {})


@functools.cache
def texts() -> list[Text]:
    """All texts of messages: in what is raised, in what makes an exception of the family, and sentences anywhere but in documentation."""
    files = {
        str(path.relative_to(PLUGINS)): ast.parse(path.read_text(encoding="utf-8")) for path in PLUGINS.rglob("*.py")
    }
    makers = _makers([*files.values()])
    found = set()
    for file, tree in files.items():
        known = {_name(one.targets[0]): one.value for one in tree.body if isinstance(one, ast.Assign)}
        said: set[str] = set()
        for node in ast.walk(tree):
            raised = node.exc if isinstance(node, ast.Raise) else None
            if isinstance(raised, ast.Call) and _name(raised.func) in _UNSAID:
                continue
            if raised is not None or (isinstance(node, ast.Call) and _name(node.func) in makers):
                said |= {text for text in _constants(node, known) if " " in text and len(text) >= SHORTEST}
        said |= {text for text in _sentences(tree) if " " in text}
        found |= {Text(file, text) for text in said}
    return sorted(found)


def _sentences(tree: ast.Module) -> Iterator[str]:
    """The constants that are whole sentences, and no documentation."""
    nodes = [node for node in tree.body if not (isinstance(node, ast.Assign) and _name(node.targets[0]) in _DOCUMENTED)]
    for top in nodes:
        documented = {
            id(node.value)
            for node in ast.walk(top)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(top):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in documented:
                continue
            if len(node.value) >= 2 * SHORTEST and node.value[0] not in "#:" and _ENDED.search(node.value):
                yield node.value


@contextlib.contextmanager
def heard() -> Iterator[list[str]]:
    """What is said by exceptions of the family in a block."""
    found: list[str] = []
    made = errors.Refused.__init__

    def listening(self: errors.Refused, *given: object) -> None:
        made(self, *given)
        found.append(str(self))

    with mock.patch.object(errors.Refused, "__init__", listening):
        yield found


@dataclass(frozen=True)
class Entry:
    """A message, the file that says it, and the test that provokes it."""

    file: str
    message: str
    test: str


def recorded() -> list[Entry]:
    """All of the file, in order."""
    found = []
    file = test = ""
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            file = line[2:]
        elif line.startswith("=> "):
            found.append(Entry(file, line[3:], test))
        elif line:
            test = line
    return found


@functools.cache
def by_test() -> dict[str, list[str]]:
    """The messages that each test provokes, by its name from the root."""
    found: dict[str, list[str]] = {}
    for entry in recorded():
        found.setdefault(entry.test, []).append(entry.message)
    return found


@functools.cache
def mistaken() -> tuple[str, ...]:
    """What is said to the mistakes of the alphabet."""
    return tuple(one.sentence for one in mistakes.recorded())


def elsewhere() -> dict[Text, str]:
    """What no unit test provokes, with the test elsewhere or the reason why there is none."""
    found = {}
    file = text = ""
    for line in ELSEWHERE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            file = line[3:]
        elif line.startswith("=> "):
            found[Text(file, text)] = line[3:]
        elif line and not line.startswith("# "):
            text = json.loads(line)
    return found


def fragment(text: str) -> str:
    """The longest part of a text without placeholders."""
    return max(_SAID.split(text), key=len).strip(" .;:,'")


@functools.cache
def said_in(test: str) -> str:
    """What the constants of a test's file say."""
    tree = ast.parse((ROOT / test.partition("::")[0]).read_text(encoding="utf-8"))
    return "\n".join(
        node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def write(test: str, said: list[str]) -> None:
    """Add what was said in a test to the file $MESSAGES."""
    with open(os.environ["MESSAGES"], "a", encoding="utf-8") as file:
        file.write("".join(json.dumps([test, one]) + "\n" for one in dict.fromkeys(said)))


def as_it_is(record: Path) -> str:
    """The file of messages, of what was written down: an entry that is there and still holds stays."""
    said: dict[str, set[str]] = {}
    for line in record.read_text(encoding="utf-8").splitlines():
        test, message = json.loads(line)
        if "\n" not in message and message.isprintable():
            said.setdefault(message, set()).add(test)
    kept = {
        (entry.file, entry.message): entry.test for entry in recorded() if entry.test in said.get(entry.message, ())
    }
    chosen: dict[str, dict[str, dict[str, None]]] = {}
    for text in texts():
        if any(map(text.told_by, mistaken())):
            continue
        # What is near to who says it first; then what is short.
        having = sorted(
            (message for message in said if text.told_by(message)),
            key=lambda message: (
                (text.file, message) not in kept,
                not _near(text.file, said[message]),
                len(message),
                message,
            ),
        )
        having = [
            message for message in having if "/tmp/" not in message and "0x" not in message
        ]  # other ones each time
        if having:
            message = having[0]
            test = kept.get((text.file, message)) or min(
                said[message], key=lambda test: (not _near(text.file, {test}), len(test), test)
            )
            chosen.setdefault(text.file, {}).setdefault(test, {})[message] = None
    lines = []
    for file, tests in chosen.items():
        lines += [f"# {file}", ""]
        for test, messages in sorted(tests.items()):
            lines += [test, *(f"=> {message}" for message in sorted(messages)), ""]
    return "\n".join(lines)


def _near(file: str, tests: set[str]) -> bool:
    """Whether any of the tests is the file's own."""
    return any(test.startswith(f"tests/unit/plugins/{Path(file).parent}/test_{Path(file).stem}") for test in tests)


if __name__ == "__main__":
    sys.stdout.write(as_it_is(Path(sys.argv[1])))
