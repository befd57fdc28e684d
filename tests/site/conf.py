# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How Sphinx makes the site: see tests/tools/docs.

The pages are those of the clone, in the folders where they are, so each link between them works here as it does on a forge. Besides them
there is "reference", which antsibull-docs writes. What only the site has is not in the pages: the table of contents is contents.md, beside
this file, and where a page names a module or a variable of the role as code, it becomes a link to the reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

HERE = Path(__file__).resolve().parent
COLLECTION = "linuxnet.containers"
# What the reference leads to in Ansible's own documentation, beside modules and plugins.
ANSIBLE = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "ANSIBLE_PIPELINING": "reference_appendices/config.html#envvar-ANSIBLE_PIPELINING",
    "common_return_values": "reference_appendices/common_return_values.html",
}

project = COLLECTION
project_copyright = f"{COLLECTION} contributors, GPL-3.0-or-later"
release = yaml.safe_load((HERE.parents[1] / "galaxy.yml").read_text(encoding="utf-8"))["version"]
html_title = f"{COLLECTION} {release}"
html_short_title = COLLECTION
root_doc = "docs/index"

extensions = ["myst_parser", "sphinx_antsibull_ext", "sphinx_copybutton"]
include_patterns = ["*.md", "docs/**", "roles/*/README.md", "tests/*/README.md"]
exclude_patterns = ["docs/docsite/**"]
myst_heading_anchors = 4  # the levels of headings that links may lead to, by the names that forges give them
smartquotes = False  # a page says what is typed
nitpicky = True

# What is copied of a session is what was typed.
copybutton_prompt_text = r"\$ |> "
copybutton_prompt_is_regexp = True

html_theme = "furo"
html_static_path = [str(HERE / "static")]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_use_index = False


def contents(app: Sphinx, page: str, source: list[str]) -> None:
    """Give the front page the table of contents, which forges would show as code; and take that of a page, which is at its side, out of the reference."""
    source[0] = re.sub(r"^\.\. contents::\n( +:.*\n)*", "", source[0], flags=re.MULTILINE)
    if page == root_doc:
        lines = (HERE / "contents.md").read_text(encoding="utf-8").splitlines(keepends=True)
        there = app.srcdir / "docs"
        source[0] += "\n" + "".join(line for line in lines if "*" not in line or any(there.glob(f"{line.strip()}.md")))


def reference(labels: Iterable[str]) -> dict[str, str]:
    """The reference's labels, by what pages call these things.

    A module has its full name, and its own where that can be nothing else; a variable of the role its name.
    """
    found = {}
    for label in sorted(labels):  # of a module and a role of one name the role is meant
        module = re.fullmatch(rf"ansible_collections\.{COLLECTION}\.(\w+)_(?:module|role|filter|connection)", label)
        if module:
            found[f"{COLLECTION}.{module[1]}"] = label
            if "_" in module[1]:
                found[module[1]] = label
        variable = re.fullmatch(rf"ansible_collections\.{COLLECTION}\.\w+_role__parameter-\w+__(\w+)", label)
        if variable and "_" in variable[1]:
            found[variable[1]] = label
    return found


def link(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Lead from where a section of a page first names something as code to the reference of it."""
    if page.startswith("docs/reference/"):
        return
    labels = app.env.domains.standard_domain.anonlabels
    known, linked = reference(labels), set()
    for code in list(doctree.findall(nodes.literal)):
        label = known.get(re.split("[:=]", code.astext())[0])
        within = list(ancestors(code))
        section = next(node for node in within if isinstance(node, (nodes.section, nodes.document)))
        spared = any(isinstance(node, (nodes.title, nodes.reference)) for node in within)
        if label is None or spared or (id(section), label) in linked:
            continue
        linked.add((id(section), label))
        target, anchor = labels[label]
        uri = f"{app.builder.get_relative_uri(page, target)}#{anchor}"
        code.replace_self(nodes.reference("", "", code.deepcopy(), internal=True, refuri=uri))


def ancestors(node: nodes.Node) -> Iterator[nodes.Node]:
    """What a node is in, from the inside out."""
    while node.parent is not None:
        node = node.parent
        yield node


def elsewhere(app: Sphinx, env: BuildEnvironment, wanted: pending_xref, shown: nodes.Node) -> nodes.Node | None:
    """A link to Ansible's own documentation, for what the reference names of it."""
    target = wanted["reftarget"]
    of = re.fullmatch(r"ansible_collections\.(\w+)\.(\w+)\.(\w+_\w+?)(?:__.*)?", target)
    path = f"collections/{of[1]}/{of[2]}/{of[3]}.html" if of else ANSIBLE.get(target)
    if path is None or target.startswith(f"ansible_collections.{COLLECTION}."):
        return None
    return nodes.reference("", "", shown, internal=False, refuri=f"https://docs.ansible.com/ansible/latest/{path}")


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", contents)
    app.connect("doctree-resolved", link)
    app.connect("missing-reference", elsewhere)
