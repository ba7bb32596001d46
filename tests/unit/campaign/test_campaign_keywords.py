"""Search keywords: the idea's words with match types, alternatives by name, and negatives that do not bite the idea."""

from __future__ import annotations

from pipeline.v1 import campaign_pb2, common_pb2
from services.campaign.domain.brief import read_brief
from services.campaign.domain.keywords import plan_keywords
from tests.support.campaigns import IDEAS, request_for


def test_keywords_have_match_types_and_no_duplicates() -> None:
    """Phrases of the idea are bought as phrase and exact, each once."""
    keywords = plan_keywords(read_brief(request_for(IDEAS["food"]).profile, []), [])
    pairs = [(k.text, k.match) for k in keywords]
    assert ("food waste", campaign_pb2.KEYWORD_MATCH_PHRASE) in pairs
    assert ("food waste", campaign_pb2.KEYWORD_MATCH_EXACT) in pairs
    assert len(pairs) == len(set(pairs))


def test_competitors_become_alternative_searches() -> None:
    """Products found as competition are searched for by name, without a claim about them."""
    product = common_pb2.ProductFact(name="FridgeList", alternative_to=["BigKitchen"])
    item = common_pb2.EvidenceItem(product=product, stance=common_pb2.STANCE_MENTIONS, composite=0.8)
    found = [k.text for k in plan_keywords(read_brief(request_for(IDEAS["food"]).profile, []), [item])]
    assert "fridgelist alternative" in found
    assert "bigkitchen alternative" in found


def test_negatives_do_not_block_the_idea_itself() -> None:
    """ "jobs" is kept out for a recipe app and allowed for a job board."""
    food = plan_keywords(read_brief(request_for(IDEAS["food"]).profile, []), [])
    board = plan_keywords(read_brief(request_for("A job board that helps nurses find jobs near home").profile, []), [])
    assert "jobs" in {k.text for k in food if k.negative}
    assert not {"job", "jobs"} & {k.text for k in board if k.negative}


def test_negatives_follow_the_customer() -> None:
    """What a home searches for is kept out of ads for firms, and what a firm searches for out of ads for homes."""
    firm, home = (_negatives_of(IDEAS[key]) for key in ("fraud", "food"))
    assert "diy" in firm - home
    assert "wholesale" in home - firm


def test_nobody_searches_for_examples_measures_or_the_buyers_themselves() -> None:
    """Names in brackets, units of time and the audience's own name buy clicks of other people."""
    idea = "A B2B solution targeting central banks (Fed, Stripe). to solve: Reconciling payment files takes weeks."
    texts = {k.text for k in plan_keywords(read_brief(request_for(idea).profile, []), []) if not k.negative}
    assert not [t for t in texts if t == "central bank" or "stripe" in t or "week" in t]


def _negatives_of(idea: str) -> set[str]:
    return {k.text for k in plan_keywords(read_brief(request_for(idea).profile, []), []) if k.negative}
