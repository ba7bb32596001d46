"""Build the starter directory from the public lists of software.

    python -m services.evidence.build_data SOURCE_FOLDER [--vectors]

`SOURCE_FOLDER` holds openalternative.jsonl, awesome_selfhosted.jsonl and awesome_oss_alternatives.jsonl. Only
facts are taken over: name, address, repository, categories, what a product is an alternative to, licence, stars,
date of the last update. The lists' descriptions are their authors' prose and stay behind. See data/NOTICE.

`--vectors` also writes the vectors of data/topics.tsv, so that a run does not have to embed them.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

DATA = Path(__file__).parent / "data"
SELFHOSTED, OPENALTERNATIVE, RUNA = "awesome-selfhosted", "openalternative", "awesome-oss-alternatives"

Row = dict[str, Any]


def main(arguments: list[str]) -> int:
    """Write data/directory.jsonl (and the vectors); return the exit code."""
    folders = [argument for argument in arguments if not argument.startswith("--")]
    if len(folders) != 1:
        print("usage: python -m services.evidence.build_data SOURCE_FOLDER [--vectors]", file=sys.stderr)
        return 2
    products = merge(Path(folders[0]))
    lines = [json.dumps(product, ensure_ascii=False, sort_keys=True) for product in products]
    (DATA / "directory.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(products)} products")
    if "--vectors" in arguments:
        asyncio.run(write_vectors())
    return 0


def merge(folder: Path) -> list[Row]:
    """Return the products of the three lists, each once, sorted by name."""
    products: list[Row] = []
    for row in _rows(folder / "awesome_selfhosted.jsonl"):
        licences = [licence.removeprefix("⊘ ") for licence in row["licenses"]]
        products.append(
            {
                "name": row["name"].strip(),
                "url": row["website"],
                "source_url": row["source"],
                "categories": row["tags"],
                "license": ", ".join(licences),
                "stars": row.get("stars") or 0,
                "updated": row.get("updated") or "",
                "listed_by": [SELFHOSTED],
            }
        )
    for row in _rows(folder / "awesome_oss_alternatives.jsonl"):
        known = _by_repository(products, row.get("github") or "") or _by_name(products, row["name"], None)
        rivals = [rival["name"].strip() for rival in row["alternative_to"]]
        _add(
            products,
            known,
            {
                "name": row["name"].strip(),
                "url": row["url"],
                "source_url": row.get("github") or "",
                "categories": [row["category"]],
                "alternative_to": rivals,
                "listed_by": [RUNA],
            },
        )
    for row in _rows(folder / "openalternative.jsonl"):
        stars = _stars(row["stars"])
        _add(
            products,
            _by_name(products, row["name"], stars),
            {
                "name": row["name"].strip(),
                "url": row["url"],
                "categories": [row["subcategory"]],
                "license": row["license"] or "",
                "stars": stars,
                "listed_by": [OPENALTERNATIVE],
            },
        )
    kept = [product for product in products if urlsplit(product["url"]).scheme in ("http", "https")]
    for product in kept:
        for field in [field for field, value in product.items() if not value]:
            del product[field]
    return sorted(kept, key=lambda product: (product["name"].casefold(), product["url"]))


def _rows(path: Path) -> Iterable[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold().removesuffix(" community edition"))


def _repository(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}".casefold().strip("/").removesuffix(".git") if url else ""


def _by_repository(products: list[Row], url: str) -> Row | None:
    wanted = _repository(url)
    return next((p for p in products if wanted and _repository(p.get("source_url", "")) == wanted), None)


def _by_name(products: list[Row], name: str, stars: int | None) -> Row | None:
    """Find a product of the same name. Names collide ("Helium" is a planner and a browser): where both lists
    give stars, they must be of the same size."""
    for product in products:
        if _key(product["name"]) != _key(name):
            continue
        known = product.get("stars", 0)
        if stars is None or (known and 0.6 <= stars / known <= 1.6) or product["listed_by"] == [OPENALTERNATIVE]:
            return product
        if not known and product["listed_by"] == [RUNA]:
            return product
    return None


def _add(products: list[Row], known: Row | None, new: Row) -> None:
    if known is None:
        products.append(new)
        return
    for field in ("categories", "alternative_to", "listed_by"):
        known[field] = list(dict.fromkeys([*known.get(field, []), *new.get(field, [])]))
    for field in ("source_url", "license", "stars", "updated"):
        if not known.get(field) and new.get(field):
            known[field] = new[field]


def _stars(text: str) -> int:
    """Return "4.8K" as 4800."""
    number = float(text.upper().rstrip("K").replace(",", ""))
    return round(number * 1000) if text.upper().endswith("K") else round(number)


async def write_vectors() -> None:
    """Embed the topics and write them as int8 (rows scaled to 127) with the digest of their text."""
    import numpy as np

    from chassis.models.embedding import MiniLmEmbedder
    from services.evidence.domain.topics import topics_digest
    from services.evidence.providers.directory import load_topics

    topics = load_topics()
    embedder = MiniLmEmbedder()
    try:
        vectors = await embedder.embed([topic.text for topic in topics])
        np.save(DATA / "topics.npy", np.round(vectors * 127).astype(np.int8))
        about = {"model": embedder.name, "dimensions": embedder.dimensions, "sha256": topics_digest(topics)}
        (DATA / "topics.meta.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
        print(f"{len(topics)} topic vectors")
    finally:
        await embedder.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
