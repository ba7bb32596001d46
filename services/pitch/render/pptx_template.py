"""The presentation's master, layouts and theme: real placeholders, so that the deck can be edited like any other.

Starts from python-pptx's bare template and replaces what is in it: page 16:9, one master, six layouts, our colours
and type. Loaded on first use: python-pptx takes a third of a second to import.
"""

from __future__ import annotations

import re
from typing import Any
from xml.sax.saxutils import escape

from services.pitch.render import theme
from services.pitch.render.theme import Box

EMU_PER_POINT = 12_700
# Placeholder indices, as the writer addresses them.
KICKER_INDEX, BODY_INDEX, TABLE_INDEX, CHART_INDEX, FOOTER_INDEX, NUMBER_INDEX = 13, 1, 14, 15, 11, 12
COVER, TEXT, TEXT_TABLE, TEXT_CHART, TEXT_TABLE_CHART, TABLE_ONLY = range(6)
_LAYOUT_NAMES = ("Cover", "Text", "Text and table", "Text and chart", "Text, table and chart", "Reference")

_NAMESPACES = (
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
)


def new_presentation() -> Any:
    """An empty presentation with the house's master and layouts."""
    from pptx import Presentation
    from pptx.util import Pt

    presentation = Presentation()
    presentation.slide_width, presentation.slide_height = Pt(theme.PAGE_WIDTH), Pt(theme.PAGE_HEIGHT)
    master = presentation.slide_masters[0]
    layouts = list(master.slide_layouts)
    for layout in layouts[len(_LAYOUT_NAMES) :]:
        master.slide_layouts.remove(layout)
    _restyle_theme(master)
    _restyle_master(master)
    for place, name in enumerate(_LAYOUT_NAMES):
        _restyle_layout(layouts[place], place, name)
    _drop_leftovers(presentation)
    return presentation


def _drop_leftovers(presentation: Any) -> None:
    """The bare template's thumbnail and printer settings are not ours."""
    for holder in (presentation.part.package._rels, presentation.part.rels):
        for key, relation in list(holder.items()):
            if relation.reltype.endswith(("/thumbnail", "/printerSettings")):
                holder.pop(key)


def _restyle_theme(master: Any) -> None:
    from pptx.opc.constants import RELATIONSHIP_TYPE

    part = master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    xml = part.blob.decode("utf-8")
    colours = {
        "dk1": theme.INK,
        "lt1": theme.PAPER,
        "dk2": theme.COVER,
        "lt2": theme.TINT,
        "accent1": theme.ACCENT,
        "accent2": theme.SERIES[2],
        "accent3": theme.SERIES[0],
        "accent4": theme.AGAINST,
        "accent5": theme.MUTED,
        "accent6": theme.LINE,
        "hlink": theme.ACCENT,
        "folHlink": theme.MUTED,
    }
    scheme = "".join(f'<a:{name}><a:srgbClr val="{value}"/></a:{name}>' for name, value in colours.items())
    xml = re.sub(
        r"<a:clrScheme.*?</a:clrScheme>", f'<a:clrScheme name="Pipeline">{scheme}</a:clrScheme>', xml, flags=re.S
    )
    faces = f'<a:latin typeface="{theme.FONT}"/><a:ea typeface=""/><a:cs typeface=""/>'
    fonts = (
        f'<a:fontScheme name="Pipeline"><a:majorFont>{faces}</a:majorFont>'
        f"<a:minorFont>{faces}</a:minorFont></a:fontScheme>"
    )
    xml = re.sub(r"<a:fontScheme.*?</a:fontScheme>", fonts, xml, flags=re.S)
    part._blob = xml.encode("utf-8")


def _element(xml: str) -> Any:
    from pptx.oxml import parse_xml

    return parse_xml(xml)


def _transform(box: Box) -> str:
    x, y, width, height = (round(value * EMU_PER_POINT) for value in (box.x, box.y, box.width, box.height))
    return f'<a:xfrm><a:off x="{x}" y="{y}"/><a:ext cx="{width}" cy="{height}"/></a:xfrm>'


def placeholder_xml(id_: int, name: str, kind: str, index: int | None, box: Box, style: str, prompt: str) -> str:
    """A placeholder shape of a master or layout. `kind` is title, body, tbl, chart, ftr or sldNum."""
    anchor = "b" if kind == "title" and box == theme.COVER_TITLE else "t"
    at = f' idx="{index}"' if index is not None else ""
    text = (
        '<a:fld id="{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}" type="slidenum"><a:rPr lang="en-US"/><a:t>‹#›</a:t></a:fld>'
        if kind == "sldNum"
        else f'<a:r><a:rPr lang="en-US"/><a:t>{escape(prompt)}</a:t></a:r>'
    )
    return (
        f'<p:sp {_NAMESPACES}><p:nvSpPr><p:cNvPr id="{id_}" name="{name}"/>'
        '<p:cNvSpPr><a:spLocks noGrp="1"/></p:cNvSpPr>'
        f'<p:nvPr><p:ph type="{kind}"{at}/></p:nvPr></p:nvSpPr>'
        f'<p:spPr>{_transform(box)}<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></p:spPr>'
        f'<p:txBody><a:bodyPr wrap="square" lIns="0" tIns="0" rIns="0" bIns="0" anchor="{anchor}">'
        f"<a:noAutofit/></a:bodyPr>"
        f"<a:lstStyle>{style}</a:lstStyle><a:p>{text}</a:p></p:txBody></p:sp>"
    )


def _level(size: float, colour: str, *, bold: bool = False, indent: float = 0, gap: float = 0, align: str = "l") -> str:
    """First-level style of a placeholder."""
    margin = round(indent * EMU_PER_POINT)
    bullet = '<a:buFont typeface="Arial"/><a:buChar char="•"/>' if indent else "<a:buNone/>"
    tint = f'<a:buClr><a:srgbClr val="{theme.ACCENT}"/></a:buClr>' if indent else ""
    return (
        f'<a:lvl1pPr marL="{margin}" indent="{-margin}" algn="{align}"><a:lnSpc><a:spcPct val="100000"/></a:lnSpc>'
        f'<a:spcBef><a:spcPts val="0"/></a:spcBef><a:spcAft><a:spcPts val="{round(gap * 100)}"/></a:spcAft>'
        f"{tint}{bullet}"
        f'<a:defRPr sz="{round(size * 100)}" b="{int(bold)}"><a:solidFill><a:srgbClr val="{colour}"/></a:solidFill>'
        f'<a:latin typeface="+mn-lt"/></a:defRPr></a:lvl1pPr>'
    )


def _replace_shapes(holder: Any, shapes: list[str]) -> None:
    tree = holder.shapes._spTree
    for child in list(tree):
        if child.tag.endswith(("}sp", "}pic", "}grpSp", "}cxnSp", "}graphicFrame")):
            tree.remove(child)
    for shape in shapes:
        tree.append(_element(shape))


def rgb(colour: str) -> Any:
    """python-pptx's colour from RRGGBB."""
    from pptx.dml.color import RGBColor

    return RGBColor(*bytes.fromhex(colour))  # type: ignore[no-untyped-call]


def _background(holder: Any, colour: str) -> None:
    holder.background.fill.solid()
    holder.background.fill.fore_color.rgb = rgb(colour)


def _restyle_master(master: Any) -> None:
    _background(master, theme.PAPER)
    _replace_shapes(
        master,
        [
            placeholder_xml(2, "Title", "title", None, theme.TITLE, "", "Title"),
            placeholder_xml(3, "Text", "body", BODY_INDEX, theme.BODY, "", "Text"),
            placeholder_xml(4, "Footer", "ftr", FOOTER_INDEX, theme.FOOTER, _level(10, theme.MUTED), ""),
            placeholder_xml(
                5, "Slide number", "sldNum", NUMBER_INDEX, theme.NUMBER, _level(10, theme.MUTED, align="r"), ""
            ),
        ],
    )
    styles = master.element.find("{http://schemas.openxmlformats.org/presentationml/2006/main}txStyles")
    fresh = _element(
        f"<p:txStyles {_NAMESPACES}>"
        f"<p:titleStyle>{_level(28, theme.INK, bold=True)}</p:titleStyle>"
        f"<p:bodyStyle>{_level(18, theme.INK, indent=theme.INDENT, gap=8)}</p:bodyStyle>"
        f"<p:otherStyle>{_level(14, theme.INK)}</p:otherStyle></p:txStyles>"
    )
    styles.getparent().replace(styles, fresh)


def _restyle_layout(layout: Any, place: int, name: str) -> None:
    layout.name = name
    layout.element.attrib.pop("type", None)
    if place == COVER:
        _background(layout, theme.COVER)
        name_style = _level(56, theme.COVER_TEXT, bold=True)
        kicker_style = _level(theme.KICKER_SIZE, theme.COVER_MUTED, bold=True)
        text_style = _level(20, theme.COVER_TEXT, gap=10)
        _replace_shapes(
            layout,
            [
                placeholder_xml(2, "Title", "title", None, theme.COVER_TITLE, name_style, "Name"),
                placeholder_xml(3, "Kicker", "body", KICKER_INDEX, theme.COVER_KICKER, kicker_style, "Kicker"),
                placeholder_xml(4, "Text", "body", BODY_INDEX, theme.COVER_BODY, text_style, "Text"),
            ],
        )
        return
    half = theme.CONTENT_WIDTH / 2 - 12
    left = Box(theme.BODY.x, theme.BODY.y, half, theme.BODY.height)
    beside_text = Box(theme.BODY.x + half + 24, theme.BODY.y, half, theme.BODY.height)
    body = Box(theme.BODY.x, theme.BODY.y, theme.CONTENT_WIDTH, 100)
    low = Box(theme.BODY.x, theme.BODY.y + 120, theme.CONTENT_WIDTH, theme.BODY.height - 120)
    text = _level(18, theme.INK, indent=theme.INDENT, gap=8)
    kicker = _level(theme.KICKER_SIZE, theme.ACCENT, bold=True)
    right = _level(theme.FOOTER_SIZE, theme.MUTED, align="r")
    shapes = [
        placeholder_xml(2, "Title", "title", None, theme.TITLE, _level(28, theme.INK, bold=True), "Title"),
        placeholder_xml(3, "Kicker", "body", KICKER_INDEX, theme.KICKER, kicker, "Kicker"),
        placeholder_xml(4, "Footer", "ftr", FOOTER_INDEX, theme.FOOTER, _level(10, theme.MUTED), ""),
        placeholder_xml(5, "Slide number", "sldNum", NUMBER_INDEX, theme.NUMBER, right, ""),
    ]
    if place == TEXT:
        shapes.append(placeholder_xml(6, "Text", "body", BODY_INDEX, theme.BODY, text, "Text"))
    if place in {TEXT_TABLE, TEXT_TABLE_CHART}:
        shapes.append(placeholder_xml(6, "Text", "body", BODY_INDEX, body, text, "Text"))
        box = low if place == TEXT_TABLE else Box(low.x, low.y, low.width - 372, low.height)
        shapes.append(placeholder_xml(7, "Table", "tbl", TABLE_INDEX, box, "", "Table"))
    if place == TEXT_CHART:
        shapes.append(placeholder_xml(6, "Text", "body", BODY_INDEX, left, text, "Text"))
        shapes.append(placeholder_xml(8, "Chart", "chart", CHART_INDEX, beside_text, "", "Chart"))
    if place == TEXT_TABLE_CHART:
        beside = Box(low.x + low.width - 348, low.y, 348, low.height)
        shapes.append(placeholder_xml(8, "Chart", "chart", CHART_INDEX, beside, "", "Chart"))
    if place == TABLE_ONLY:
        shapes.append(placeholder_xml(7, "Table", "tbl", TABLE_INDEX, theme.BODY, "", "Table"))
    _replace_shapes(layout, shapes)
