"""The pages that the replayed world's records lead to: an article with everything around it that a page has."""

from __future__ import annotations

import html

from aiohttp import web

from bench.replay.world import Record, World

ROBOTS = "User-agent: *\nDisallow: /private/\n"

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title} | The Replay</title>
<meta name="author" content="{author}"><meta property="article:published_time" content="{time}">
<script>window.tracker = function () {{ return "not the article"; }};</script></head>
<body><header><nav><ul><li><a href="/">Home</a></li><li><a href="/page/1">Most read</a></li>
<li><a href="/subscribe">Subscribe to our newsletter</a></li></ul></nav></header>
<aside><h2>Related</h2><p><a href="/page/2">Ten things to know before you go</a></p></aside>
<main><article><h1>{title}</h1><p class="byline">By <span rel="author">{author}</span>,
<time datetime="{time}">{date}</time></p>
{paragraphs}
</article></main>
<footer><p>Copyright The Replay. All rights reserved. <a href="/privacy">Privacy</a></p></footer></body></html>
"""


class Pages:
    """Shows records; a page that was read `change_after` times changes its text (0: never)."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._reads: dict[int, int] = {}
        self.change_after = 0

    async def show(self, request: web.Request) -> web.Response:
        record = self._world.record(int(request.match_info["number"]))
        if record is None:
            return web.Response(status=404, text="no such page")
        if request.method == "GET":
            self._reads[record.number] = self._reads.get(record.number, 0) + 1
        changed = 0 < self.change_after < self._reads.get(record.number, 0)
        return web.Response(text=page(record, changed=changed), content_type="text/html")

    async def robots(self, _: web.Request) -> web.Response:
        return web.Response(text=ROBOTS)


def page(record: Record, *, changed: bool = False) -> str:
    """The record as HTML; `changed`: its first sentence was taken back."""
    sentences = [part.strip() for part in record.text.split(". ") if part.strip()]
    if changed:
        sentences[0] = "The editors have withdrawn what stood here"
    body = [f"{sentence.rstrip('.')}." for sentence in sentences]
    body.append("The people who wrote this talked to everybody involved and kept their notes for later reading.")
    return _PAGE.format(
        title=html.escape(record.title),
        author=html.escape(record.author),
        time=record.published.isoformat(),
        date=f"{record.published:%d %B %Y}",
        paragraphs="\n".join(f"<p>{html.escape(sentence)}</p>" for sentence in body),
    )
