"""Which language a text is written in: by script, and for Latin script by function words; rules, no model."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

_SCRIPTS = {
    "CYRILLIC": "ru", "GREEK": "el", "HEBREW": "he", "ARABIC": "ar", "DEVANAGARI": "hi", "THAI": "th", "HANGUL": "ko",
    "HIRAGANA": "ja", "KATAKANA": "ja", "CJK": "zh", "BENGALI": "bn", "TAMIL": "ta", "GEORGIAN": "ka",
    "ARMENIAN": "hy",
}  # fmt: skip
# Function words; those shared by two languages count for both and cancel out.
_FUNCTION_WORDS = {
    "en": "the of and to in that for with is on as by it an be are this from or which their who helps them into how "
    "your our we so it's people a using",
    "fr": "le la les des et un une du pour qui dans que est sur avec par au aux ce cette en leur leurs ou aide nos de "
    "plus sans être sont permet afin",
    "de": "der die das und ein eine einer für mit von den dem ist zu auf im nicht sich als auch bei wird durch "
    "oder die "
    "hilft ihre über eines einen zum zur",
    "es": "el la los las de y un una que para con por en del se su sus es como más al o ayuda a lo sin son",
    "it": "il lo la gli le di e un una che per con del della dei delle in nel si è sono come più o aiuta al alla da",
    "pt": "o a os as de e um uma que para com por em do da dos das no na se é como mais ou ajuda sem são ao",
    "nl": "de het een en van voor met die dat in op te zijn niet aan bij als ook helpt wordt hun of om door naar",
    "pl": "i w na z do dla że się jest to które który jak oraz po przez od nie aplikacja pomaga",
    "sv": "och att det som en ett för med på av är till den inte om har de hjälper sina",
    "tr": "ve bir için bu ile de da olan olarak uygulama daha çok en yardımcı",
}
_WORD_SETS = {code: frozenset(words.split()) for code, words in _FUNCTION_WORDS.items()}


def detect(text: str, known_english: int) -> tuple[str, float]:
    """ISO 639-1 code and confidence, 0 to 1; an empty code when nothing tells.

    `known_english` counts the words of the text that the English lexicons of this package know: a title such as
    "AI-powered invoice matching platform" has no function word, but is English all the same.
    """
    letters = [char for char in text if char.isalpha()]
    if not letters:
        return "", 0.0
    scripts = Counter(unicodedata.name(char, "?").split(" ")[0].split("-")[0] for char in letters)
    if scripts.get("LATIN", 0) < 0.5 * len(letters):
        if scripts.get("HIRAGANA", 0) + scripts.get("KATAKANA", 0) > 0:
            return "ja", 0.9
        script, count = scripts.most_common(1)[0]
        return _SCRIPTS.get(script, ""), round(count / len(letters), 2) if script in _SCRIPTS else 0.0
    words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text.lower())
    hits = {code: sum(word in known for word in words) for code, known in _WORD_SETS.items()}
    hits["en"] += known_english
    best = max(hits, key=lambda code: (hits[code], code == "en"))
    rest = max(count for code, count in hits.items() if code != best)
    if hits[best] == 0:
        return "", 0.0
    return best, round(min(1.0, (hits[best] - rest / 2) / max(3.0, 0.35 * len(words))), 2)
