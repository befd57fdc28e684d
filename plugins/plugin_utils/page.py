# Copyright (c) 2026 linuxnet.containers contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A wiring as one HTML file that needs no network: the picture, a search, filters, and what is known of what is clicked."""

from __future__ import annotations

import html
import json

from ansible_collections.linuxnet.containers.plugins.module_utils._wiring.graph import (
    CONTAINER,
    HOST,
    MARKS,
    NETWORK,
    Graph,
)

_STYLE = """
:root { color-scheme: light dark; --bg: #fff; --fg: #1b222c; --dim: #5b6470; --line: #8a94a3; --panel: #f4f6f9; --host: #dfe7f3; --network: #d8efe0;
  --container: #fff; --orphan: #fbd9c6; --unlisted: #fbeebd; --alarm: #b4451a; --chosen: #1a6fd4 }
@media (prefers-color-scheme: dark) { :root { --bg: #14181e; --fg: #e4e9f0; --dim: #9aa5b4; --line: #6b7685; --panel: #1d232c; --host: #2b3a52;
  --network: #1f4630; --container: #222a34; --orphan: #5e2f1b; --unlisted: #544511; --alarm: #f0906a; --chosen: #6db0ff } }
* { box-sizing: border-box }
body { margin: 0; background: var(--bg); color: var(--fg); font: 15px/1.45 system-ui, sans-serif }
header { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; padding: .6rem 1rem;
  background: var(--panel); border-bottom: 1px solid var(--line) }
h1 { font-size: 1.05rem; margin: 0 auto 0 0 }
input, select, button { font: inherit; color: inherit; background: var(--bg); border: 1px solid var(--line); border-radius: 6px; padding: .25rem .5rem }
label { color: var(--dim) }
main { display: grid; grid-template-columns: minmax(0, 1fr) 20rem }
#picture { overflow: auto; padding: 1rem }
#picture svg { max-width: none; height: auto }
aside { border-left: 1px solid var(--line); padding: 1rem; background: var(--panel) }
aside > div { position: sticky; top: 4.5rem; max-height: calc(100vh - 6rem); overflow: auto }
aside h2 { font-size: 1rem; margin: 0; overflow-wrap: anywhere }
aside dl { margin: .5rem 0; display: grid; grid-template-columns: auto 1fr; gap: .15rem .7rem }
dt { color: var(--dim) } dd { margin: 0; overflow-wrap: anywhere }
.key span { display: inline-block; margin: 0 .5rem .3rem 0; padding: 0 .4rem; border: 1px solid var(--line); border-radius: 6px }
svg > g.graph > polygon { fill: none } svg text { fill: var(--fg) } svg .cluster path, svg .cluster polygon { stroke: var(--line); fill: none }
svg .node path, svg .node polygon, svg .node ellipse, svg .node polyline { stroke: var(--line) } svg .edge path { stroke: var(--line) }
svg .node { cursor: pointer } svg .node:focus { outline: none }
svg .host polygon { fill: var(--host) } svg .network ellipse { fill: var(--network) } svg .container path { fill: var(--container) }
svg .interface text { fill: var(--dim) } svg .orphan path { fill: var(--orphan); stroke: var(--alarm) }
svg .unlisted path { fill: var(--unlisted) } svg .missing path { stroke: var(--alarm) } svg .missing text { fill: var(--alarm) }
svg .near path, svg .near ellipse, svg .near polygon, svg .node:focus path, svg .node:focus ellipse { stroke: var(--chosen); stroke-width: 2 }
svg .faint { opacity: .13 } svg .away { display: none }
table { border-collapse: collapse; margin: 0 1rem 2rem; font-size: .9rem } caption { text-align: left; font-weight: 600; padding: .3rem 0 }
th, td { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0; border-bottom: 1px solid var(--line) } tr.away { display: none }
@media (max-width: 45rem) { main { display: block } aside { border-left: 0; border-top: 1px solid var(--line) }
  aside > div { position: static; max-height: none }
  header { position: static } table { display: block; overflow-x: auto } }
@media print { header label, header input, header select, header button, aside { display: none } main { display: block } body { background: #fff }
  #picture { overflow: visible } #picture svg { max-width: 100% } }
"""

_SCRIPT = """
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const by = id => document.getElementById(id);
const nodes = new Map(data.nodes.map(node => [node.key, node]));
const beside = new Map(data.nodes.map(node => [node.key, []]));
for (const edge of data.edges) { beside.get(edge.near).push(edge.far); beside.get(edge.far).push(edge.near); }
const folded = new Set();
let chosen = null;
const behind = key => data.edges.filter(edge => edge.near === key).map(edge => edge.far);
const reach = key => { const seen = new Set([key]); const left = [key];
  while (left.length) for (const next of behind(left.pop())) if (!seen.has(next)) { seen.add(next); left.push(next); } return seen; };

function shown() {
  const host = by("host").value, network = by("network").value;
  const kept = new Set();
  for (const node of data.nodes) if (!host || node.host === host) kept.add(node.key);
  if (network) {
    const wanted = new Set();
    for (const node of data.nodes) if (node.kind === "network" && node.name === network && kept.has(node.key)) {
      for (const key of reach(node.key)) wanted.add(key);
      for (const key of beside.get(node.key)) if (nodes.get(key).kind === "host") wanted.add(key);
    }
    for (const key of [...kept]) if (!wanted.has(key)) kept.delete(key);
  }
  for (const key of folded) for (const far of behind(key)) if (!beside.get(far).some(near => near !== key && !folded.has(near))) kept.delete(far);
  return kept;
}

function draw() {
  const words = by("search").value.toLowerCase().split(/\\s+/).filter(Boolean);
  const kept = shown();
  let hits = 0;
  for (const node of data.nodes) {
    const text = [node.name, node.host, ...node.lines, ...node.facts.flat()].join(" ").toLowerCase();
    const hit = words.every(word => text.includes(word));
    hits += words.length && hit && kept.has(node.key) ? 1 : 0;
    const element = by(node.key);
    element.classList.toggle("away", !kept.has(node.key));
    element.classList.toggle("faint", !hit);
    element.classList.toggle("near", node.key === chosen);
    element.classList.toggle("folded", folded.has(node.key));
    const row = by("row-" + node.key);
    if (row) row.classList.toggle("away", !kept.has(node.key) || !hit);
  }
  data.edges.forEach((edge, number) => {
    const element = by("e" + number), faint = key => by(key).classList.contains("faint");
    element.classList.toggle("away", !kept.has(edge.near) || !kept.has(edge.far));
    element.classList.toggle("faint", faint(edge.near) || faint(edge.far));
    element.classList.toggle("near", edge.near === chosen || edge.far === chosen);
  });
  by("hits").textContent = words.length ? hits + (hits === 1 ? " hit" : " hits") : "";
}

function choose(key) {
  chosen = key;
  const node = nodes.get(key), panel = by("told");
  panel.replaceChildren();
  const add = (tag, text, to = panel) => { const one = document.createElement(tag); one.textContent = text; to.append(one); return one; };
  add("h2", node.name);
  add("div", node.mark ? node.kind + ", " + data.marks[node.mark] : node.kind);
  const list = add("dl", "");
  for (const [what, text] of [["host", node.host], ...node.facts]) { add("dt", what, list); add("dd", text, list); }
  const others = beside.get(key).map(other => nodes.get(other).name);
  if (others.length) { add("dt", "joined to", list); add("dd", others.join(", "), list); }
  if (behind(key).length && node.kind !== "container") {
    const button = add("button", folded.has(key) ? "Unfold " + behind(key).length : "Fold");
    button.onclick = () => { folded.has(key) ? folded.delete(key) : folded.add(key); choose(key); };
  }
  draw();
}

for (const node of data.nodes) {
  const element = by(node.key);
  element.setAttribute("tabindex", "0");
  element.setAttribute("role", "button");
  element.onclick = () => choose(node.key);
  element.onkeydown = event => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(node.key); } };
  const row = by("row-" + node.key);
  if (row) row.onclick = () => { choose(node.key); element.scrollIntoView({ block: "center", inline: "center" }); };
}
for (const id of ["search", "host", "network"]) by(id).oninput = draw;
by("all").onclick = () => { by("search").value = by("host").value = by("network").value = ""; folded.clear(); chosen = null; draw(); };
draw();
"""


def page(found: Graph, drawing: str, title: str) -> str:
    """Return the page of a graph; ``drawing`` is the same as an SVG element, whose ids are the keys of the nodes."""
    data = {
        "nodes": [node._asdict() for node in found.nodes],
        "edges": [edge._asdict() for edge in found.edges],
        "marks": MARKS,
    }
    script = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")  # no tag in it, whatever names there are
    hosts = [node.name for node in found.nodes if node.kind == HOST]
    networks = list(dict.fromkeys(node.name for node in found.nodes if node.kind == NETWORK))
    rows = [
        '<tr id="row-%s"><td>%s<td>%s<td>%s<td>%s'
        % (
            node.key,
            html.escape(node.name),
            html.escape(node.host),
            "<br>".join(html.escape(text) for what, text in node.facts if what == "address"),
            "<br>".join(html.escape(text) for what, text in node.facts if what == "published"),
        )
        for node in found.nodes
        if node.kind == CONTAINER
    ]
    return "".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n',
            "<title>%s</title>\n<style>%s</style>\n" % (html.escape(title), _STYLE),
            "<header><h1>%s</h1>\n" % html.escape(title),
            '<label>Search <input id="search" type="search" placeholder="name, address, port"></label> <span id="hits"></span>\n',
            _select("Host", "host", hosts),
            _select("Network", "network", networks),
            '<button id="all">Show all</button></header>\n',
            '<main><div id="picture">%s</div>\n' % drawing,
            '<aside><div><div id="told"><p>Click what you want to know of.</p></div><p class="key">',
            *(
                '<span style="background: var(--%s)">%s</span>' % (kind, word)
                for kind, word in (
                    ("host", "host"),
                    ("network", "network"),
                    ("container", "container"),
                    ("orphan", "orphan"),
                    ("unlisted", "not listed"),
                )
            ),
            "</p></div></aside></main>\n",
            "<table><caption>Containers</caption><thead><tr><th>Name<th>Host<th>Addresses<th>Published ports<tbody>%s</table>\n"
            % "\n".join(rows),
            '<script type="application/json" id="data">%s</script>\n<script>%s</script>\n</html>\n' % (script, _SCRIPT),
        ]
    )


def _select(label: str, key: str, names: list[str]) -> str:
    options = "".join('<option value="%s">%s</option>' % (html.escape(name), html.escape(name)) for name in names)
    return '<label>%s <select id="%s"><option value="">all</option>%s</select></label>\n' % (label, key, options)
