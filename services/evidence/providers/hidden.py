"""HTML that says one thing to a visitor and another to a program: what no visitor sees is cut out before reading.

Judged is what the page itself states: attributes, inline styles, and the plain rules of its own <style> elements.
Nothing is loaded and no script runs, so that what an outside style sheet or a script hides is not known.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.evidence.domain import hostile
from services.evidence.providers.styles import Style, colour, hiding_rules, parse_style

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

# A page with more is made for machines; its text is then taken as it stands, without looking for the article.
ELEMENTS_MAX = 20_000
# Parsers take time with the square of the depth: 100,000 nested elements in half a megabyte hold one up for minutes.
# Pages made for people stay below a hundred. Who fools the count below meets the time limit of the reading process.
DEPTH_MAX = 1_000
# Selectors times elements, and elements found by selectors: what looking for hidden text may cost (about a second).
MATCHES_MAX = 2_000_000
MATCHED_MAX = 100_000
# Hidden text that is looked through for orders.
HIDDEN_CHARS_MAX = 100_000
# A sentence. Shorter hidden texts are labels for screen readers, counters and the like.
PROSE_WORDS_MIN = 8

_NEVER_TEXT = "script,style,noscript,template,datalist,svg,iframe,object,embed,canvas,audio,video,link,base"
_ATTRIBUTES = ("alt", "title", "aria-label", "aria-description", "placeholder", "summary")
# Parts that sites hide until somebody opens them.
_OPENED_LATER = "nav,header,footer,form,dialog,menu,select,button,aside,details"
_OPENED_ROLES = frozenset({"dialog", "alertdialog", "menu", "navigation", "tooltip", "alert", "tabpanel", "search"})
_OPENED_NAMES = re.compile(
    r"cookie|consent|modal|popup|menu|nav|banner|dropdown|tooltip|drawer|toast|dialog", re.IGNORECASE
)


# Elements without an end tag, or whose end tag may be left out, do not say how deep a page goes.
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_NOT_NESTING = frozenset(
    "area base br col embed hr img input link meta source track wbr param path html head body p li dt dd tr td th "
    "thead tbody tfoot option optgroup colgroup rt rp a b i u s em strong font code small big tt nobr".split()
)


@dataclass(frozen=True)
class Seen:
    """A page as a visitor sees it."""

    html: str
    # Prose was cut out that a visitor does not see and that is no part waiting to be opened, or that gives orders.
    hidden_prose: bool
    # What was cut out gives orders to its reader.
    hidden_orders: bool
    # Characters were taken out that nobody sees, and that honest writing has no use for.
    invisible: bool
    elements: int


def depth(html: str) -> int:
    """How deep the elements of a page nest, roughly and without parsing it."""
    deepest = now = 0
    open_tags: Counter[str] = Counter()
    for match in _TAG.finditer(html):
        name = match[2].lower()
        if name in _NOT_NESTING:
            continue
        if not match[1]:
            open_tags[name] += 1
            now += 1
            deepest = max(deepest, now)
        elif open_tags[name]:
            open_tags[name] -= 1
            now -= 1
    return deepest


def visible_html(html: str) -> Seen:
    """The page without what its visitors do not see, for a page of at most `DEPTH_MAX`."""
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(html)
    elements = tree.css("*")
    hidden = list(_unseen_strings(tree))
    # Without a script nobody sees what these hold; trackers, lazy images and suggestions live there.
    # What a template holds is no child of it, and is seen in its source alone.
    hidden.extend(re.sub(r"<[^>]*>", " ", node.html or "") for node in tree.css("noscript,template,datalist"))
    rules = hiding_rules("\n".join(node.text() or "" for node in tree.css("style")))
    outside_styles = tree.css_first('link[rel~="stylesheet"]') is not None
    _cut(tree.css(_NEVER_TEXT))
    prose = False
    if len(elements) <= ELEMENTS_MAX:
        cloaked = _cloaked(tree, rules, outside_styles)
        inside = {node.mem_id for node in cloaked}
        outermost = [node for node in cloaked if not any(a.mem_id in inside for a in _ancestors(node))]
        hidden.extend(_text(node) for node in outermost)
        prose = any(_is_prose(node) for node in outermost)
        _cut(cloaked)
    else:
        _cut(tree.css("[hidden]"))
    orders = bool(hostile.instructions("\n".join(hidden)[:HIDDEN_CHARS_MAX]))
    html = tree.html or ""
    if html.isascii():
        return Seen(html, prose or orders, orders, False, len(elements))
    # Before others clean up: trafilatura drops such characters without a word.
    invisible = hostile.has_invisible(html)
    return Seen(hostile.without_invisible(html), prose or orders, orders, invisible, len(elements))


def _cut(nodes: list[LexborNode]) -> None:
    """Takes nodes, given in document order, out of the tree: inner ones first, whose memory goes with the outer's."""
    for node in reversed(nodes):
        node.decompose()


def _unseen_strings(tree: LexborHTMLParser) -> Iterator[str]:
    """Comments, attributes and meta descriptions: not in the text of the page, read by some programs all the same."""
    left = HIDDEN_CHARS_MAX
    for name in _ATTRIBUTES:
        for node in tree.css(f"[{name}]"):
            value = node.attributes.get(name) or ""
            left -= len(value)
            if left < 0:
                return
            yield value
    for node in tree.css("meta[content]"):
        yield (node.attributes.get("content") or "")[:1_000]
    comments = re.findall(r"<!--(.{1,2000}?)-->", (tree.html or "")[:2_000_000], re.DOTALL)
    yield from comments[:200]


def _cloaked(tree: LexborHTMLParser, rules: list[tuple[str, Style]], outside_styles: bool) -> list[LexborNode]:
    """The elements that an attribute, their own style or a rule of the page hides, in document order."""
    declared: dict[int, Style] = {}
    nodes: dict[int, LexborNode] = {}
    elements = tree.css("*")
    matched = 0
    for selector, style in rules[: MATCHES_MAX // max(len(elements), 1)]:
        if matched > MATCHED_MAX:
            break
        for node in _select(tree, selector):
            matched += 1
            declared[node.mem_id] = declared.get(node.mem_id, Style()).under(style)
            nodes[node.mem_id] = node
    for node in tree.css("[style]"):
        style = parse_style(node.attributes.get("style") or "")
        declared[node.mem_id] = declared.get(node.mem_id, Style()).under(style)
        nodes[node.mem_id] = node
    for node in tree.css('[aria-hidden="true"],[hidden]'):
        nodes[node.mem_id] = node
    found: set[int] = set()
    for identity, node in nodes.items():
        if node.tag in ("html", "body", "head"):
            continue  # hidden until a script shows it, or no text would be left
        style = declared.get(identity, Style())
        aria = node.attributes.get("aria-hidden") == "true" and _words(node) >= PROSE_WORDS_MIN
        if "hidden" in node.attributes or style.hides or aria or _same_colour(node, style, declared, outside_styles):
            found.add(identity)
    return [node for node in elements if node.mem_id in found]


def _same_colour(node: LexborNode, style: Style, declared: dict[int, Style], outside_styles: bool) -> bool:
    """Whether the element's text has the colour of the ground it stands on."""
    if style.colour is None:
        return False
    ground = style.ground
    for ancestor in _ancestors(node):
        if ground is not None:
            break
        known = declared.get(ancestor.mem_id)
        ground = known.ground if known is not None else None
        if ground is None and (attribute := ancestor.attributes.get("bgcolor")):
            ground = colour(attribute)
    if ground is None:
        if outside_styles:
            return False  # the ground may be any colour
        ground = (255, 255, 255)
    return all(abs(a - b) <= 8 for a, b in zip(style.colour, ground, strict=True))


def _select(tree: LexborHTMLParser, selector: str) -> list[LexborNode]:
    from selectolax.lexbor import SelectolaxError

    try:
        return tree.css(selector)
    except SelectolaxError:  # what the parser does not know as a selector hides nothing
        return []


def _ancestors(node: LexborNode) -> Iterator[LexborNode]:
    parent = node.parent
    for _ in range(200):
        if parent is None:
            return
        yield parent
        parent = parent.parent


def _text(node: LexborNode) -> str:
    return node.text(deep=True, separator=" ")


def _words(node: LexborNode) -> int:
    return len(_text(node).split())


def _is_prose(node: LexborNode) -> bool:
    """A sentence at least, in no part of the page that is opened later."""
    if _words(node) < PROSE_WORDS_MIN:
        return False
    return not any(_opened_later(place) for place in (node, *_ancestors(node)))


def _opened_later(node: LexborNode) -> bool:
    if node.tag in _OPENED_LATER.split(","):
        return True
    attributes = node.attributes
    if (attributes.get("role") or "") in _OPENED_ROLES:
        return True
    return bool(_OPENED_NAMES.search(f"{attributes.get('id') or ''} {attributes.get('class') or ''}"))
