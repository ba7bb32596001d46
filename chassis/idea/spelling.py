"""Frequent slips of the pen, mended for reading only: the idea and the quoted bases keep the founder's words."""

from __future__ import annotations

import re

# What is written -> what is meant; words that are no other English word in an idea's sentence.
_SLIPS = {
    "peoples": "people", "loosing": "losing", "buisness": "business", "bussiness": "business", "busines": "business",
    "recieve": "receive", "recieves": "receives", "seperate": "separate", "jewelery": "jewelry",
    "accomodation": "accommodation", "adress": "address", "calender": "calendar", "collegue": "colleague",
    "collegues": "colleagues", "comunity": "community", "costumer": "customer", "costumers": "customers",
    "custumers": "customers", "definately": "definitely", "enviroment": "environment", "exersise": "exercise",
    "freind": "friend", "freinds": "friends", "goverment": "government", "grammer": "grammar", "garantee": "guarantee",
    "gardner": "gardener", "knowlege": "knowledge", "maintainance": "maintenance", "managment": "management",
    "mechant": "merchant", "neccessary": "necessary", "occured": "occurred", "oppurtunity": "opportunity",
    "patiens": "patients", "persue": "pursue", "platfrom": "platform", "proffesional": "professional",
    "proffesionals": "professionals", "recomend": "recommend", "recomends": "recommends", "restaraunt": "restaurant",
    "restaraunts": "restaurants", "resturant": "restaurant", "resturants": "restaurants", "shcedule": "schedule",
    "shedule": "schedule", "sofware": "software", "studens": "students", "sucess": "success", "teh": "the",
    "tommorow": "tomorrow", "vaccum": "vacuum", "wich": "which", "writting": "writing", "childs": "children",
    "childrens": "children", "informations": "information", "softwares": "software", "equipments": "equipment",
    "homeworks": "homework", "furnitures": "furniture", "advices": "advice", "persons": "people",
}  # fmt: skip
_WORD = re.compile(r"[A-Za-z]+")
# "loosing there keys": a possessive before a noun; "there is", "there exists" stay.
_THERE = re.compile(r"\bthere(?= (?!(?:is|was|exists|seems|remains|has|does)\b)[a-z]+s\b)")


def mend(text: str) -> tuple[str, dict[str, str]]:
    """(text with known slips mended, mended phrase -> what was written); the same text and {} where there is none."""
    undo: dict[str, str] = {}

    def correct(match: re.Match[str]) -> str:
        word = match.group()
        meant = _SLIPS.get(word.lower())
        if meant is None:
            return word
        meant = meant.capitalize() if word[0].isupper() else meant
        undo[meant] = word
        return meant

    mended = _WORD.sub(correct, text)
    for match in _THERE.finditer(mended):
        following = mended[match.end() :].split()[0]
        undo[f"their {following}"] = f"there {following}"
    return _THERE.sub("their", mended), undo


def as_written(phrase: str, undo: dict[str, str]) -> str:
    """A phrase of the mended text in the founder's own spelling."""
    for meant, written in undo.items():
        phrase = re.sub(rf"\b{re.escape(meant)}\b", written.replace("\\", ""), phrase)
    return phrase
