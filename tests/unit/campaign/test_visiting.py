"""Who a visitor is, which page they see, what counts, and which tokens are ours. Pure rules, no server."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.campaign.domain import visiting
from services.campaign.domain.reading.sample_ratio import sample_ratio_p
from services.campaign.domain.visiting import Form
from services.campaign.http.throttle import Rate, Throttle

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
NOW = 1_800_000_000
FORM = Form("0123456789abcdef", "f" * 32, "a", counted=True, issued=NOW)


def test_a_visitor_is_the_address_and_the_browser_under_one_key() -> None:
    """The same person is the same; another browser, address or campaign makes another, and no joint is ambiguous."""
    names = {
        visiting.visitor_of(key, address, agent)
        for key in (KEY, OTHER_KEY)
        for address, agent in (("1.2.3.4", "x"), ("1.2.3.4", "y"), ("1.2.3.5", "x"), ("1.2.3.4x", ""), ("", "1.2.3.4x"))
    }
    assert len(names) == 10
    assert visiting.visitor_of(KEY, "1.2.3.4", "x") in names


def test_each_page_gets_half_of_all_visitors() -> None:
    """Over 20,000 visitors of one network the split is a fair coin's, and two keys split differently."""
    split = {}
    for key in (KEY, OTHER_KEY):
        visitors = [visiting.visitor_of(key, f"10.0.{n // 256}.{n % 256}", "x") for n in range(20_000)]
        split[key] = [visiting.variant_of(key, visitor) for visitor in visitors]
        assert sample_ratio_p(split[key].count("a"), split[key].count("b")) > 0.001
    agree = sum(one == two for one, two in zip(split[KEY], split[OTHER_KEY], strict=True))
    assert sample_ratio_p(agree, 20_000 - agree) > 0.001


@given(visitor=st.text("0123456789abcdef", min_size=32, max_size=32), counted=st.booleans(), age=st.integers(0, 86_400))
def test_what_a_form_says_comes_back(visitor: str, counted: bool, age: int) -> None:
    """Everything that was signed, up to a day later."""
    form = FORM._replace(visitor=visitor, counted=counted)
    assert visiting.read_form_token(KEY, visiting.form_token(KEY, form), NOW + age) == form


@given(at=st.integers(0, 200), to=st.characters(codec="utf-8"))
def test_a_form_that_was_changed_anywhere_is_not_ours(at: int, to: str) -> None:
    """One character is enough."""
    token = visiting.form_token(KEY, FORM)
    at %= len(token)
    changed = token[:at] + to + token[at + 1 :]
    assert (visiting.read_form_token(KEY, changed, NOW) is None) == (changed != token)


def test_a_form_has_its_day_and_its_campaign() -> None:
    """Not from the future, not after a day, not under another key; a cookie is no form."""
    token = visiting.form_token(KEY, FORM)
    assert visiting.read_form_token(KEY, token, NOW + 86_401) is None
    assert visiting.read_form_token(KEY, token, NOW - 1) is None
    assert visiting.read_form_token(OTHER_KEY, token, NOW) is None
    assert visiting.read_form_token(KEY, visiting.cookie(KEY, "f" * 32, "a"), NOW) is None


@given(st.text())
@example("." * 100)
@example("\ud800")
def test_no_text_is_a_form_or_a_cookie_by_chance(text: str) -> None:
    """Refused without an error."""
    assert visiting.read_form_token(KEY, text, NOW) is None
    assert visiting.read_cookie(KEY, text) is None


def test_a_cookie_says_who_and_which_page() -> None:
    """As it was signed, and neither another page nor another campaign."""
    cookie = visiting.cookie(KEY, "f" * 32, "b")
    assert visiting.read_cookie(KEY, cookie) == ("f" * 32, "b")
    assert visiting.read_cookie(KEY, cookie.replace(".b.", ".a.")) is None
    assert visiting.read_cookie(OTHER_KEY, cookie) is None


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36",
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) [FBAN/FBIOS;FBAV/490.0;FBDV/iPhone16,1]",
        "Mozilla/5.0 (Linux; Android 15; CUBOT X90) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Mobile",
    ],
)
def test_people_are_counted(agent: str) -> None:
    """Browsers, those within apps included, and a phone whose maker is called Cubot."""
    assert visiting.not_counted("GET", {"User-Agent": agent}) == ""


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2)",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/142.0 Safari/537.36",
        "AdsBot-Google (+http://www.google.com/adsbot.html)",
        "LinkedInBot/1.0",
        "WhatsApp/2.23",
        "python-requests/2.32",
        "Go-http-client/2.0",
    ],
)
def test_programs_that_name_themselves_are_not(agent: str) -> None:
    """Crawlers, the ad platforms' own among them, previews and libraries."""
    assert visiting.not_counted("GET", {"User-Agent": agent}) == "robot"


@given(st.text())
def test_words_of_a_link_are_short_and_plain(text: str) -> None:
    """At most 100 characters, none of which controls anything."""
    source = visiting.origin_of({"utm_source": text}).source
    assert len(source) <= visiting.UTM_CHARS_MAX
    assert source == source.strip()
    assert source.isprintable() or source == ""


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [
        (" Ada@Example.ORG ", "ada@example.org"),
        ("ada+test@mail.example.co.uk", "ada+test@mail.example.co.uk"),
        ("\uff41da@example.org", "ada@example.org"),
        ("ada", ""),
        ("ada@localhost", ""),
        ("ada@@example.org", ""),
        (".ada@example.org", ""),
        ("a..b@example.org", ""),
        ("ada@-example.org", ""),
        ("ada@example.org\r\nBcc: all@example.org", ""),
        ("a" * 65 + "@example.org", ""),
        ("a@" + "b" * 250 + ".org", ""),
        ("", ""),
    ],
)
def test_an_address_is_kept_in_one_form_or_not_at_all(given_text: str, kept: str) -> None:
    """Lower case without spaces; what mail could not be sent to, or would send it on, is none."""
    assert visiting.normal_email(given_text) == kept


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1:2:3", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("no address", "no address"),
        ("", ""),
    ],
)
def test_whom_an_address_counts_as_where_tries_are_limited(address: str, network: str) -> None:
    """IPv4 by address, IPv6 by the network that one customer has."""
    assert visiting.network_of(address) == network


def test_a_throttle_forgets_who_was_away_longest() -> None:
    """Its table is bounded; whoever is still there keeps waiting."""
    throttle = Throttle(Rate(burst=1, per_minute=1), clients_max=3)
    assert [throttle.wait(f"c{n}", 0.0) for n in range(5)] == [0.0] * 5
    assert throttle.wait("c4", 1.0) == pytest.approx(59.0)
    assert throttle.wait("c0", 1.0) == 0.0
    assert throttle.wait("c4", 61.0) == 0.0
