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

Other characters are shown in the fonts that style.css names after it.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from importlib.resources import files

from markupsafe import Markup

FONT = "fonts/inter.woff2"


@cache
def style_sheet() -> Markup:
    """The text of style.css, its font as a data: URI."""
    folder = files("perennial.report.templates")
    css = folder.joinpath("style.css").read_text(encoding="utf-8")
    font = b64encode(folder.joinpath(FONT).read_bytes()).decode()
    return Markup(css.replace(f"url({FONT})", f"url(data:font/woff2;base64,{font})"))  # noqa: S704 - files of ours
