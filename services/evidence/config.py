"""Settings of the evidence server, `PIPELINE_*`: for each provider an address, and a key where it takes one."""

from __future__ import annotations

from typing import Any

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from chassis.config import TextModelConfig
from chassis.safe_url import check_place
from services.evidence.providers.base import Access


def _address(default: str, what: str) -> Any:
    return Field(default, description=f"address of {what}; empty: not asked")


def _key(what: str) -> Any:
    return Field(SecretStr(""), description=f"key for {what}")


def listed(value: str) -> list[str]:
    """The parts of a value with commas between them."""
    return [part.strip() for part in value.split(",") if part.strip()]


class EvidenceConfig(TextModelConfig):
    """Where the evidence server listens and whom it asks. No key is needed."""

    listen: str = Field("127.0.0.1:50062", description="address to serve on: host:port or unix:/path")
    contact: str = Field(
        "", max_length=200, description="your e-mail address or page, told to the public APIs that ask for one"
    )
    providers: str = Field(
        "", description="names of the outside sources to ask, with commas between them; empty: all that are set up"
    )
    upstream_rate_factor: float = Field(
        1.0,
        gt=0,
        le=1_000,
        allow_inf_nan=False,
        description="multiplies every source's call rate: above 1 only for mirrors of your own",
    )
    fetch_pages: bool = Field(True, description="false: neither read the pages that searches lead to nor look at links")
    fetch_allowed: str = Field(
        "", description="host:port places that may be read although they are not public, with commas between them"
    )
    fetch_only: str = Field(
        "", description="host:port places that alone are read, with commas between them; empty: any public page"
    )
    evidence_cache_size: int = Field(1_000, ge=1, le=100_000, description="answers kept in memory for each source")

    hackernews_url: str = _address("https://hn.algolia.com", "the Hacker News search")
    wikipedia_url: str = _address("https://en.wikipedia.org", "Wikipedia")
    wikidata_url: str = _address("https://www.wikidata.org", "Wikidata")
    openalex_url: str = _address("https://api.openalex.org", "OpenAlex")
    crossref_url: str = _address("https://api.crossref.org", "Crossref")
    arxiv_url: str = _address("https://export.arxiv.org", "arXiv")
    semantic_scholar_url: str = _address("https://api.semanticscholar.org", "Semantic Scholar")
    stackexchange_url: str = _address("https://api.stackexchange.com", "Stack Exchange")
    github_url: str = _address("https://api.github.com", "GitHub")
    gdelt_url: str = _address("https://api.gdeltproject.org", "GDELT")
    sec_url: str = _address("https://efts.sec.gov", "the SEC full-text search")
    worldbank_url: str = _address("https://api.worldbank.org", "the World Bank")
    npm_url: str = _address("https://api.npmjs.org", "the npm download counts")
    npm_registry_url: str = _address("https://registry.npmjs.org", "the npm package search")
    pypistats_url: str = _address("https://pypistats.org", "the PyPI download counts")
    searxng_url: str = _address("", "a SearXNG of your own (its json format enabled)")
    brave_url: str = _address("https://api.search.brave.com", "Brave Search")
    tavily_url: str = _address("https://api.tavily.com", "Tavily")
    serper_url: str = _address("https://google.serper.dev", "Serper")

    openalex_key: SecretStr = _key("OpenAlex")
    semantic_scholar_key: SecretStr = _key("Semantic Scholar")
    stackexchange_key: SecretStr = _key("Stack Exchange")
    github_key: SecretStr = _key("GitHub (a token without any scope)")
    brave_key: SecretStr = _key("Brave Search")
    tavily_key: SecretStr = _key("Tavily")
    serper_key: SecretStr = _key("Serper")

    @field_validator("*")
    @classmethod
    def _is_address(cls, value: object, info: ValidationInfo) -> object:
        wrong = isinstance(value, str) and value and not value.startswith(("http://", "https://"))
        if wrong and (info.field_name or "").endswith("_url"):
            raise ValueError("must start with http:// or https://, for example https://hn.algolia.com")
        return value

    @field_validator("fetch_allowed", "fetch_only")
    @classmethod
    def _places(cls, value: str) -> str:
        for place in listed(value):
            check_place(place)
        return value

    @field_validator("providers")
    @classmethod
    def _known(cls, value: str) -> str:
        from services.evidence.providers.registry import SOURCES

        known = [source.name for source in SOURCES]
        for name in listed(value):
            if name not in known:
                raise ValueError(f"names {name}, which is no source; choose from {', '.join(known)}")
        return value

    def asks(self, name: str) -> bool:
        """Whether the provider of this name is to be asked."""
        names = listed(self.providers)
        return not names or name in names

    def access(self, name: str) -> Access:
        """How the provider of this name is reached."""
        key = getattr(self, f"{name}_key", SecretStr(""))
        return Access(
            getattr(self, f"{name}_url", ""),
            key.get_secret_value(),
            self.contact,
            getattr(self, f"{name}_registry_url", ""),
        )
