"""Who publishes a web page? The kind of source that its address belongs to, by a table that anyone can read.

The most specific entry wins: `ncbi.nlm.nih.gov` is scholarly although `.gov` is government. Where the table does not
know the host, the first label says it ("forum.example.com" is a community), then the ending (".gov.uk", ".ac.jp",
".com"). What none of them knows stays UNSPECIFIED, which the credibility table trusts least.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pipeline.v1 import common_pb2
from services.evidence.domain.model import SourceType

# Official figures: states, their unions and the organisations that they founded.
_GOVERNMENT = """
    gov mil europa.eu who.int un.org oecd.org worldbank.org imf.org ilo.org fao.org unesco.org unicef.org wto.org
    canada.ca gc.ca gouv.fr bund.de destatis.de admin.ch gob.mx nhs.uk insee.fr cbs.nl scb.se ssb.no dst.dk istat.it
    overheid.nl rijksoverheid.nl federalreserve.gov stlouisfed.org bankofengland.co.uk ecb.int
"""
# Journals, their publishers and archives, indexes of papers.
_SCHOLARLY = """
    arxiv.org doi.org pubmed.ncbi.nlm.nih.gov ncbi.nlm.nih.gov europepmc.org biorxiv.org medrxiv.org ssrn.com
    nature.com science.org sciencemag.org sciencedirect.com cell.com thelancet.com nejm.org bmj.com jamanetwork.com
    plos.org springer.com link.springer.com wiley.com onlinelibrary.wiley.com tandfonline.com sagepub.com jstor.org
    academic.oup.com cambridge.org frontiersin.org mdpi.com hindawi.com acm.org ieee.org computer.org aclanthology.org
    openreview.net semanticscholar.org openalex.org crossref.org researchgate.net nber.org pnas.org iopscience.iop.org
    acs.org rsc.org apa.org cochranelibrary.com zenodo.org osf.io core.ac.uk hal.science
"""
_REFERENCE = """
    wikipedia.org wikidata.org wiktionary.org britannica.com investopedia.com merriam-webster.com mayoclinic.org
    developer.mozilla.org ourworldindata.org w3.org rfc-editor.org ietf.org iso.org
"""
# Surveys, market figures, rating and polling houses.
_INDUSTRY_REPORT = """
    statista.com gartner.com forrester.com idc.com mckinsey.com bcg.com bain.com deloitte.com pwc.com ey.com kpmg.com
    accenture.com nielsen.com kantar.com ipsos.com gallup.com pewresearch.org yougov.com cbinsights.com pitchbook.com
    grandviewresearch.com marketsandmarkets.com mordorintelligence.com fortunebusinessinsights.com ibisworld.com
    euromonitor.com mintel.com emarketer.com precedenceresearch.com alliedmarketresearch.com startupgenome.com
"""
_NEWS = """
    reuters.com apnews.com bloomberg.com ft.com wsj.com economist.com nytimes.com washingtonpost.com theguardian.com
    bbc.com bbc.co.uk cnn.com cnbc.com npr.org forbes.com fortune.com businessinsider.com techcrunch.com theverge.com
    wired.com arstechnica.com venturebeat.com axios.com politico.com politico.eu time.com usatoday.com latimes.com
    theatlantic.com vox.com aljazeera.com dw.com lemonde.fr spiegel.de zeit.de faz.net handelsblatt.com elpais.com
    nikkei.com scmp.com japantimes.co.jp hindustantimes.com timesofindia.indiatimes.com economictimes.indiatimes.com
    moneycontrol.com globaltimes.cn theinformation.com infoworld.com zdnet.com cnet.com engadget.com independent.co.uk
    telegraph.co.uk thetimes.co.uk sky.com abc.net.au smh.com.au cbc.ca theglobeandmail.com prnewswire.com
    businesswire.com globenewswire.com marketwatch.com barrons.com inc.com fastcompany.com hbr.org news.google.com
    news.yahoo.com finance.yahoo.com msn.com abcnews.go.com cbsnews.com nbcnews.com foxnews.com
    sifted.eu restofworld.org
"""
# Lists of products: facts and ratings as filed there.
_DIRECTORY = """
    g2.com capterra.com getapp.com softwareadvice.com trustradius.com alternativeto.net producthunt.com crunchbase.com
    github.com gitlab.com npmjs.com pypi.org crates.io packagist.org rubygems.org huggingface.co apps.apple.com
    play.google.com chromewebstore.google.com yelp.com trustpilot.com sourceforge.net f-droid.org wellfound.com
"""
# Where anyone writes: forums, question sites, blogs on shared hosts, video and social networks.
_COMMUNITY = """
    reddit.com news.ycombinator.com stackoverflow.com stackexchange.com superuser.com serverfault.com askubuntu.com
    mathoverflow.net quora.com medium.com substack.com dev.to hashnode.dev lobste.rs indiehackers.com tumblr.com
    wordpress.com blogspot.com blogger.com youtube.com vimeo.com tiktok.com facebook.com instagram.com x.com
    twitter.com threads.net bsky.app linkedin.com pinterest.com discord.com t.me mumsnet.com disqus.com slashdot.org
    hackernoon.com zhihu.com v2ex.com github.io
"""
# Endings under which mostly businesses register. ".org" and the endings of countries say nothing about who writes.
_COMPANY = """
    com co io ai app dev shop store biz inc llc ltd software cloud tech agency solutions services company business
    co.uk com.au co.nz co.jp com.br co.in com.mx co.za com.sg com.tr
"""
_FIRST_LABELS = {
    common_pb2.SOURCE_TYPE_COMMUNITY: ("forum", "forums", "community", "discuss", "discourse", "answers", "boards"),
    common_pb2.SOURCE_TYPE_NEWS: ("news",),
}

_TABLE: dict[str, SourceType] = {
    host: kind
    for kind, hosts in (
        (common_pb2.SOURCE_TYPE_GOVERNMENT, _GOVERNMENT),
        (common_pb2.SOURCE_TYPE_REFERENCE, _REFERENCE),
        (common_pb2.SOURCE_TYPE_INDUSTRY_REPORT, _INDUSTRY_REPORT),
        (common_pb2.SOURCE_TYPE_NEWS, _NEWS),
        (common_pb2.SOURCE_TYPE_DIRECTORY, _DIRECTORY),
        (common_pb2.SOURCE_TYPE_COMMUNITY, _COMMUNITY),
        (common_pb2.SOURCE_TYPE_SCHOLARLY, _SCHOLARLY),
    )
    for host in hosts.split()
}
_COMMERCIAL = frozenset(_COMPANY.split())
# "gov.uk", "go.jp", "gob.es", "gouv.ci", "govt.nz"; "ac.uk", "edu.au". Every country's own.
_STATE = re.compile(r"(?:^|\.)(?:gov|go|gob|gouv|govt|mil)\.[a-z]{2}$")
_UNIVERSITY = re.compile(r"(?:^|\.)(?:edu|(?:edu|ac)\.[a-z]{2})$")


def source_type(url: str) -> SourceType:
    """Return the kind of source that a web address belongs to.

    >>> source_type("https://www.bls.gov/news.release/") == common_pb2.SOURCE_TYPE_GOVERNMENT
    True
    >>> source_type("https://old.reddit.com.example/x") == common_pb2.SOURCE_TYPE_COMMUNITY
    False
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".").removeprefix("www.")
    except ValueError:
        return common_pb2.SOURCE_TYPE_UNSPECIFIED
    known = _listed(host)
    if known is not None:
        return known
    if _STATE.search(host):
        return common_pb2.SOURCE_TYPE_GOVERNMENT
    if _UNIVERSITY.search(host):
        # A person's own page on a university's server is a person's page.
        personal = parts.path.startswith("/~")
        return common_pb2.SOURCE_TYPE_UNSPECIFIED if personal else common_pb2.SOURCE_TYPE_SCHOLARLY
    first = host.partition(".")[0]
    for kind, labels in _FIRST_LABELS.items():
        if first in labels and "." in host:
            return kind
    return _ending(host)


def _listed(host: str) -> SourceType | None:
    """The entry for the host or for a domain above it, the most specific first."""
    labels = host.split(".")
    names = (".".join(labels[start:]) for start in range(len(labels)))
    return next((_TABLE[name] for name in names if name in _TABLE), None)


def _ending(host: str) -> SourceType:
    """COMPANY for a name below an ending of business; an ending alone is no host."""
    labels = host.split(".")
    commercial = any(".".join(labels[start:]) in _COMMERCIAL for start in range(1, len(labels)))
    return common_pb2.SOURCE_TYPE_COMPANY if commercial else common_pb2.SOURCE_TYPE_UNSPECIFIED
