"""The report's style sheet with its font inside, so that a page loads nothing and measures the same everywhere.

Without the font, a page would be set in whatever sans serif the reader's machine has, and labels that were placed by
the widths of one font (`svg.width_of`) would touch in another.

fonts/inter.woff2 is a subset of Inter 4.1 (InterVariable.woff2 of the npm package inter-ui 4.1.1; licence: fonts/OFL.txt)
with Latin letters and the weights that style.css uses. Figures, plus and minus have a tabular form; the hyphen and
brackets do not, for they stand in sentences too. It was made with fonttools and brotli:

    fonttools varLib.instancer -o inter.ttf InterVariable.woff2 opsz=14 wght=400:600
    pyftsubset inter.ttf --output-file=inter.woff2 --flavor=woff2 --no-hinting --name-IDs='*'
        --layout-features=kern,tnum --no-layout-closure --glyphs=zero.tf,one.tf,two.tf,three.tf,four.tf,five.tf,six.tf,
        seven.tf,eight.tf,nine.tf,plus.tf,minus.tf --unicodes=U+20-7E,U+A0-17F,U+218-21B,U+1E9E,U+2009,U+200A,U+202F,
        U+2010-2015,U+2018-201E,U+2020-2022,U+2026,U+2030,U+2032,U+2033,U+2039,U+203A,U+20AC,U+2122,U+2190-2193,U+2202,
        U+2212,U+221E,U+2248,U+2260,U+2264,U+2265,U+25B2,U+25BC,U+25CF,U+2713,U+2717

fonts/inter.ttf is that subset unpacked, for drawings as pixels. Other characters are shown in the fonts that style.css
names after it.
"""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache
from importlib.resources import files

from markupsafe import Markup

FONT = "fonts/inter.woff2"


@cache
def style_sheet() -> Markup:
    """The text of style.css, its font as a data: URI."""
    return Markup(_read_css().replace(f"url({FONT})", f"url({_font_uri()})"))  # noqa: S704 - files of ours


@cache
def drawing_style() -> str:
    """The rules of style.css that a drawing needs to stand alone, in light colours: its variables have their values."""
    css = _read_css()
    tokens = re.search(r":root \{(.*?)\}", css, re.DOTALL)
    charts = re.search(r"/\* charts \*/(.*?)/\*", css, re.DOTALL)
    assert tokens is not None, "style.css begins with its tokens"
    assert charts is not None, "style.css has a part for charts"
    colours = dict(re.findall(r"(--[\w-]+): (#\w+)", tokens[1]))
    rules = re.sub(r"var\((--[\w-]+)\)", lambda name: colours[name[1]], charts[1]).replace("font-family: inherit; ", "")
    family = 'svg { font-family: "Inter", "Inter Variable", sans-serif; font-variant-numeric: tabular-nums; }'
    return f"{family}\n.paper {{ fill: {colours['--paper']}; }}{rules}"


def font_face() -> str:
    """The rule that brings the font."""
    return f'@font-face {{ font-family: Inter; src: url({_font_uri()}) format("woff2"); font-weight: 400 600; }}\n'


@cache
def _font_uri() -> str:
    return f"data:font/woff2;base64,{b64encode(_FOLDER.joinpath(FONT).read_bytes()).decode()}"


def _read_css() -> str:
    return _FOLDER.joinpath("style.css").read_text(encoding="utf-8")


_FOLDER = files("perennial.report.templates")
