"""How often Python packages are downloaded, from pypistats.org.

`GET {base}/api/packages/{package}/recent` (pypistats.org/api). Auth: none. No paging, and no search: a package must be
named. Rate: limited by address, no figure published; the data changes once a day, and the operator asks not to fetch
the same more than once a day. Errors: 404 for an unknown package, 429 for floods.
An answer: `{"data": {"last_day", "last_week", "last_month"}, "package", "type": "recent_downloads"}`; mirrors are not
counted.

Which packages? Only ideas for people who build software are asked about, and only packages that the idea or the claim
names (`NAMES`, "pip install x"), or that are what Python programs use for a job that it names (`JOBS`, by the packages'
own summaries). A word that merely happens to be somebody's package name is not one: "invoice" is not.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from chassis.pool import HttpPool
from pipeline.errors import PipelineError
from pipeline.v1 import common_pb2
from services.evidence.domain.model import Found, Query
from services.evidence.domain.technical import is_technical
from services.evidence.domain.words import PhraseIndex, phrase
from services.evidence.providers.base import Access, Source, Terms
from services.evidence.providers.reading import count
from services.evidence.providers.refusals import malformed

PROVIDER = "pypistats"
# Each package is a call.
PACKAGES_MAX = 2
KINDS = frozenset({common_pb2.CLAIM_KIND_COMPETITION, common_pb2.CLAIM_KIND_FEASIBILITY, common_pb2.CLAIM_KIND_TIMING})

# Names that mean the package and nothing else, in ideas for people who build software.
NAMES = frozenset(
    """
    airflow ansible anthropic boto3 celery chromadb dagster dask django fastapi flask gradio
    huggingface jax jupyter jupyterlab keras langchain langgraph llamaindex matplotlib mlflow mypy nltk numpy openai
    opencv pandas playwright plotly polars pydantic pyspark pytest pytorch scikit-learn scipy scrapy selenium spacy
    sqlalchemy streamlit tensorflow transformers
    """.split()
)
# Where the package is called otherwise than the project.
CALLED = {
    "airflow": "apache-airflow",
    "huggingface": "huggingface-hub",
    "llamaindex": "llama-index",
    "opencv": "opencv-python",
    "pytorch": "torch",
}
# A job, and what Python programs do it with.
JOBS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("spreadsheet", ("openpyxl", "pandas")),
    ("data validation", ("pydantic", "pandera")),
    ("data pipeline", ("apache-airflow", "dagster")),
    ("web scraping", ("scrapy", "beautifulsoup4")),
    ("browser automation", ("playwright", "selenium")),
    ("unit test", ("pytest", "hypothesis")),
    ("code review", ("ruff", "pylint")),
    ("static analysis", ("mypy", "ruff")),
    ("llm agent", ("langchain", "openai")),
    ("language model", ("transformers", "openai")),
    ("prompt", ("openai", "langchain")),
    ("vector search", ("faiss-cpu", "chromadb")),
    ("embedding", ("sentence-transformers", "faiss-cpu")),
    ("speech recognition", ("openai-whisper", "vosk")),
    ("image recognition", ("opencv-python", "torchvision")),
    ("machine learning", ("scikit-learn", "torch")),
    ("dashboard", ("streamlit", "plotly")),
    ("job queue", ("celery", "rq")),
    ("tracing", ("opentelemetry-sdk", "sentry-sdk")),
    ("observability", ("opentelemetry-sdk", "prometheus-client")),
    ("secret scanning", ("detect-secrets", "bandit")),
    ("rest api", ("fastapi", "flask")),
    ("graphql", ("graphene", "strawberry-graphql")),
    ("pdf", ("pypdf", "pdfplumber")),
    ("ocr", ("pytesseract", "easyocr")),
    ("kubernetes", ("kubernetes", "ansible")),
)
_INSTALL = re.compile(r"\bpip3? install ([A-Za-z0-9](?:[A-Za-z0-9._-]{0,60}[A-Za-z0-9])?)")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


class PypiStatsProvider:
    """Reads one address in the shape of pypistats.org."""

    name = PROVIDER
    offline = False

    def __init__(self, pool: HttpPool, access: Access) -> None:
        self._pool = pool
        self._url = f"{access.url.rstrip('/')}/api/packages/"
        self._clock = access.clock

    def covers(self, query: Query) -> bool:
        return query.kind in KINDS and bool(packages_of(query))

    def key(self, query: Query) -> str:
        return f"{self._url}|{','.join(packages_of(query))}"

    async def search(self, query: Query) -> Sequence[Found]:
        answers = await asyncio.gather(*(self._recent(name, query.reuse_connections) for name in packages_of(query)))
        return [found for found in answers if found is not None]

    async def _recent(self, package: str, reuse: bool) -> Found | None:
        try:
            answer = await self._pool.get_json(f"{self._url}{package}/recent", reuse_connections=reuse)
        except PipelineError as error:
            if error.metadata.get("status") == "404":
                return None
            raise
        data = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(data, dict):
            raise malformed(PROVIDER, "without data")
        month, week = count(data.get("last_month")), count(data.get("last_week"))
        if not month:
            return None
        # The counts are of the month that ends the day before.
        today = self._clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        said = f"Downloads of the Python package {package} from PyPI in the last month, without mirrors: {month:,}."
        return Found(
            provider=PROVIDER,
            url=f"https://pypistats.org/packages/{package}",
            title=f"{package} (PyPI)",
            text=said + (f"\nIn the last week: {week:,}." if week else ""),
            source_type=common_pb2.SOURCE_TYPE_DIRECTORY,
            published_at=today,
            figure=common_pb2.Figure(
                metric="pypi.downloads.last_month", segment=package, value=month, unit="downloads", year=today.year
            ),
            spans=((0, len(said)),),
            why=f"{package} is named by the idea, or is what Python programs use for a job that it names. "
            "The sentence is composed of the recorded counts.",
            # Counted truthfully, but machines download too: in between.
            confidence=0.5,
        )


def packages_of(query: Query) -> tuple[str, ...]:
    """At most two packages that the words of the claim and the idea name or call for; none for other ideas."""
    if not is_technical(query.idea):
        return ()
    text = "\n".join([*query.terms, query.text, query.idea.text, *query.idea.keywords])
    named = [name.lower() for name in _INSTALL.findall(text)]
    named += [CALLED.get(word, word) for word in _WORD.findall(text.lower()) if word in NAMES]
    index = PhraseIndex(text)
    named += [name for job, names in JOBS if phrase(job) in index for name in names]
    return tuple(dict.fromkeys(named))[:PACKAGES_MAX]


SOURCE = Source(
    PROVIDER,
    # A small site on limited resources, by its own words: at most 30 packages a minute, each once a day.
    Terms(rate=0.2, burst=2, concurrency=1, calls_per_run=2, ttl_seconds=86_400.0),
    PypiStatsProvider,
)
