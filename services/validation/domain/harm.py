"""Purposes that no verdict may pass: narrow patterns of what a product would do, read with the verb in front of them.

A word list would refuse the very ideas that fight these things ("fraud detection", "ransomware recovery"), so each
pattern names an act ("sells stolen cards"), and a protecting verb shortly before it, or "against", lifts it.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Harm(NamedTuple):
    """What was found: the kind of harm and the words of the idea."""

    kind: str
    quote: str


_ACT = (
    r"(?:sell(?:s|ing)?|offer(?:s|ing)?|buy(?:s|ing)?|trad(?:e|es|ing)|distribut(?:e|es|ing)|creat(?:e|es|ing)|"
    r"mak(?:e|es|ing)|generat(?:e|es|ing)|build(?:s|ing)?|provid(?:e|es|ing)|deliver(?:s|ing)?|print(?:s|ing)?|"
    r"writ(?:e|es|ing)|post(?:s|ing)?|produc(?:e|es|ing)|ship(?:s|ping)?|marketplace (?:for|of|where)|"
    r"shop for|store for|network for|service for|"
    r"order(?:s|ing)?|rent(?:s|ing)?)"
)
_GAP = r"(?:\s+[\w'-]+){0,4}?\s+"
_PATTERNS: tuple[tuple[str, str], ...] = (
    ("stolen goods or data", rf"\b{_ACT}{_GAP}stolen\s+(?:\w+\s+)?(?:credit\s+cards?|cards?|data|goods|identit\w+|"
    rf"accounts?|bikes?|phones?|passwords?|credentials)\b"),
    ("forged documents", rf"\b{_ACT}{_GAP}(?:fake|forged|counterfeit)\s+(?:ids?|i\.d\.s|passports?|driv\w+ "
    rf"licen[cs]es|degrees|diplomas|"
                         r"prescriptions|money|banknotes|currency|vaccin\w+ (?:cards|certificates)|identit\w+ "
                         r"documents)\b"),
    ("fake reviews or followers", rf"\b{_ACT}{_GAP}fake\s+(?:[\w-]+\s+)?(?:reviews?|followers|testimonials|"
    rf"ratings|votes|news)\b"),
    ("malware", rf"\b{_ACT}{_GAP}(?:ransomware|malware|spyware|stalkerware|phishing\s+(?:kits?|pages?|"
    rf"e-?mails?|sites?|campaigns?)|botnets?|"
                r"zero-?day exploits to (?:criminals|anyone))\b|\b(?:ransomware|malware|"
    r"phishing)[\s-]as[\s-]a[\s-]service\b"
                r"(?!\s+(?:detect|defen|protect|attack|gang|group|threat|victim|kits?\s+detect))"),
    ("attacks for hire", r"\b(?:ddos[\s-]*(?:for[\s-]hire|as[\s-]a[\s-]service)|hack(?:s|"
    r"ing)?\s+into\s+(?:someone|other people|people|strangers|your (?:ex|partner|"
                         r"wife|husband|neighbou?r|boss)|anyone|competitors?|rival)\w*|"
                         r"hackers?[\s-]for[\s-]hire|tak(?:e|es|ing)\s+down\s+(?:\w+\s+)?(?:competitors?'?|"
    r"competing|rival)\s+"
    r"(?:web)?sites?)"),
    ("violence", r"\b(?:hit ?m[ae]n|murder[\s-]for[\s-]hire|contract\s+kill\w*|hir(?:e|es|ing)\s+(?:assassins?|"
    r"killers?)|assassinat\w+\s+(?:service|market\w*)|"
                 r"how to (?:kill|murder|poison)\s+(?:someone|people|your)\b)"),
    ("weapons of mass harm", rf"\b{_ACT}{_GAP}(?:(?:pipe\s+|home-?made\s+|dirty\s+)bombs?|"
    rf"explosives?\s+at\s+home|bioweapons?|biological weapons?|chemical weapons?|nerve "
                             r"agents?|nerve gas|sarin|anthrax|untraceable (?:guns|firearms)|ghost guns)\b"),
    ("illegal drugs", rf"\b{_ACT}{_GAP}(?:cocaine|heroin|fentanyl|meth(?:amphetamine)?|crystal meth|illegal "
    rf"drugs|prescription drugs without (?:a )?prescriptions?)\b"),
    ("exploitation of people", r"\b(?:child (?:porn\w*|sexual|abuse (?:material|images))|sexual(?:ly|ised|"
    r"ized)? (?:images|content|videos) of (?:children|minors|kids)|"
                               r"(?:nudes?|naked|nude)\s+(?:photos?|pictures?|images?|"
    r"videos?) of [^.;!?]{0,40}without (?:their|her|his) (?:consent|knowledge)|"
                               r"smuggl(?:e|es|ing) (?:people|humans|migrants)|traffick(?:s|ing)? (?:people|"
    r"humans|women|girls|children|workers)|sell(?:s|"
                               r"ing)? (?:organs|kidneys|babies|slaves)|revenge porn|"
                               r"nud(?:e|ify)\w* (?:photos |pictures |images )?of (?:classmates|strangers|"
                               r"anyone|people) without)\b"),
    ("money laundering or evasion", r"\b(?:launder(?:s|ing)?\s+(?:\w+\s+)?(?:money|cash|proceeds|crypto\w*)|"
    r"(?:evad(?:e|es|ing)|dodg(?:e|es|ing)|circumvent(?:s|ing)?)\s+(?:\w+\s+)?"
                                    r"(?:sanctions|taxes|tax)|ponzi\s+(?:scheme|fund)\w*|pyramid\s+scheme\w*)\b"),
    ("fraud on people", r"\b(?:scam(?:s|ming)?|defraud(?:s|ing)?|trick(?:s|ing)?|con(?:s|ning)?|swindl(?:e|es|"
    r"ing))\s+(?:\w+\s+){0,2}?(?:elderly|seniors|old people|pensioners|people|"
                        r"grandparents|investors|customers|users|victims|immigrants|banks|insurers|tourists)\b"),
    ("covert surveillance of people", r"\b(?:spy(?:s|ing)?\s+on|secretly\s+(?:track|record|film|monitor|watch|"
    r"read)\w*|stalk(?:s|ing)?)\s+(?:\w+\s+){0,2}?(?:wife|wives|husband|spouse|partner|"
                                      r"girlfriend|boyfriend|ex(?:es)?|women|neighbou?rs?|classmates|strangers|"
                                      r"people)\w*(?:'s)?\b"),
    ("cheating for pay", r"\b(?:take|takes|taking|sit|sits|sitting)\s+(?:exams?|tests?)\s+(?:for|on behalf "
    r"of)\s+(?:students?|others?|candidates?)\b"),
)  # fmt: skip
_COMPILED = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _PATTERNS)
_PROTECTING = re.compile(
    r"\b(?:detect\w*|prevent\w*|block\w*|stop\w*|fight\w*|filter\w*|flag\w*|report\w*|identif\w+|protect\w*|"
    r"against|combat\w*|avoid\w*|catch\w*|spot\w*|"
    r"recover\w*|remov\w+|investigat\w+|expos\w+|anti|tak(?:e|es|ing) down|trac(?:e|es|ing)|warn\w*|train\w* "
    r"(?:people|employees|staff)|simulat\w+|"
    r"educat\w+|recogni[sz]\w+|counter\w*|deter\w*|reduc\w+|eliminat\w+|screen\w*|victims? of|when|whether|who|"
    r"those that|attackers?|criminals?|"
    r"scammers?|fraudsters?|people from|not|never|without)\b[^.;!?]{0,70}$",
    re.IGNORECASE,
)


def find(text: str) -> list[Harm]:
    """Harmful acts that the text proposes, in its order; empty for ideas that fight them."""
    found: list[tuple[int, Harm]] = []
    for kind, pattern in _COMPILED:
        for match in pattern.finditer(text):
            before = text[max(0, match.start() - 90) : match.start()]
            if _PROTECTING.search(before):
                continue
            found.append((match.start(), Harm(kind, match.group().strip())))
            break
    found.sort()
    return [harm for _, harm in found]
