"""A report page: one HTML file that needs no other, in light or dark, on screen or paper."""

import string
from collections.abc import Sequence
from html import escape

from training.reports.parts import Figure, HardestErrors, Part, Table

_PAGE = string.Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: .2rem; } h2 { margin-top: 2.2rem; }
table { border-collapse: collapse; margin: .6rem 0; }
th, td { border: 1px solid #8886; padding: .25rem .6rem; text-align: left; vertical-align: top; }
th { background: #8882; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 0; background: #fff; display: inline-block; padding: .4rem; }
svg { max-width: 100%; height: auto; }
p.note { color: GrayText; margin: .3rem 0; }
div.wide { overflow-x: auto; }
</style>
</head>
<body>
<h1>$title</h1>
$body
</body>
</html>
""")


def page(title: str, lead: str, parts: Sequence[Part]) -> str:
    """The HTML of a title, a first paragraph and parts."""
    body = [f"<p>{escape(lead)}</p>", *(_part(part) for part in parts)]
    return _PAGE.substitute(title=escape(title), body="\n".join(body))


def index_page(links: Sequence[tuple[str, str, str]]) -> str:
    """The list of pages: (file, name, first paragraph) each."""
    rows = [
        f'<li><a href="{escape(file)}">{escape(name)}</a>: {escape(lead)}</li>'
        for file, name, lead in links
    ]
    return _PAGE.substitute(title="Models", body="<ul>\n" + "\n".join(rows) + "\n</ul>")


def _part(part: Part) -> str:
    note = f'<p class="note">{escape(part.note)}</p>' if part.note else ""
    return f"<section>\n<h2>{escape(part.title)}</h2>\n{_content(part)}\n{note}</section>"


def _content(part: Part) -> str:
    if isinstance(part, Figure):
        return f"<figure>{part.svg}</figure>"
    if isinstance(part, HardestErrors):
        rows = [(case.text, case.expected, case.found, f"{case.score:.3f}") for case in part.cases]
        return _table(Table("", ("text", "expected", "found", "probability"), rows))
    return _table(part)


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.header)
    rows = ["".join(_cell(cell) for cell in row) for row in table.rows]
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="wide"><table>\n<tr>{head}</tr>\n{body}\n</table></div>'


def _cell(text: str) -> str:
    kind = ' class="number"' if text.replace(".", "", 1).replace("-", "", 1).isdigit() else ""
    return f"<td{kind}>{escape(text)}</td>"
