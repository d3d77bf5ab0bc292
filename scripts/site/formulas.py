"""Formulas of the guides, which are plain text, as MathML: browsers draw it without a script or a font.

The notation is that of docs/theory: x² and x₊, x_a and x^{a+b}, V̂, √x and √(x + y), S*, words where they are meant.
"""

from __future__ import annotations

import re
import unicodedata
from html import escape
from typing import NamedTuple

# Letters behind one another are a product, but for these.
WORDS = {"Tr", "tr", "Re", "Im", "TW", "KS", "in", "by", "of", "is", "or", "at", "dx", "dy", "ds", "du", "df", "dI"}
PRODUCTS = {"cru"}

SUPERSCRIPTS = {"²": "2", "³": "3", "⁴": "4", "¹": "1", "⁻": "−", "ʲ": "j", "ᵀ": "T", "⁺": "+"}
SUBSCRIPTS = {char: str(digit) for digit, char in enumerate("₀₁₂₃₄₅₆₇₈₉")} | {"₊": "+", "₋": "−"}
ACCENTS = {"\u0302": "^", "\u0303": "~", "\u0304": "¯"}
PRIMES = "′'"

TOKEN = re.compile(
    r"(?P<code>`[^`]*`)"
    r"|(?P<gap>\s+)"
    r"|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Za-z]{3,}(?:_[a-z]{2,})+|[A-Za-z]+(?:-[a-z]+)*(?![\u0302-\u0304]))"
    rf"|(?P<raised>[{''.join(SUPERSCRIPTS)}]+)"
    rf"|(?P<lowered>[{''.join(SUBSCRIPTS)}]+)"
    rf"|(?P<primes>[{PRIMES}]+)"
    r"|(?P<letter>[^\W\d_][\u0302-\u0304]?)"
    r"|(?P<other>.)"
)


class Token(NamedTuple):
    """A piece of a formula: its kind, as TOKEN names it, and its text."""

    kind: str
    text: str


def tokens(text: str) -> list[Token]:
    """The pieces of a line."""
    pieces: list[Token] = []
    for match in TOKEN.finditer(unicodedata.normalize("NFD", text)):
        kind, piece = str(match.lastgroup), match[0]
        if kind == "word" and not is_word(piece):
            # The last letter may carry an accent.
            pieces += [Token("letter", letter) for letter in piece]
        else:
            pieces.append(Token(kind, piece))
    return pieces


def is_word(letters: str) -> bool:
    """Whether letters are a word rather than a product."""
    return letters in WORDS or (len(letters) > 2 and letters not in PRODUCTS)


class Reader:
    """Reads a line from the left, one atom with what is attached to it at a time."""

    def __init__(self, text: str) -> None:
        self._tokens = tokens(text)
        self._at = 0

    def row(self, end: int | None = None) -> str:
        """All up to the token of this number, or to the end of the line."""
        atoms: list[str] = []
        while self._at < (len(self._tokens) if end is None else end):
            atoms.append(self._with_scripts(self._atom()))
        return "<mrow>" + "".join(atoms) + "</mrow>"

    def _end(self, opening: str, closing: str) -> int:
        """Where the bracket is closed that was taken last: those inside come in pairs."""
        depth = 1
        for at, (_, text) in enumerate(self._tokens[self._at :], self._at):
            depth += (text == opening) - (text == closing)
            if depth == 0:
                return at
        return len(self._tokens)

    def _next(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _take(self) -> Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _atom(self) -> str:
        kind, text = self._take()
        if text == "√":
            return f"<msqrt>{self._argument('(', ')')}</msqrt>"
        if kind == "letter" and len(text) > 1:
            return f'<mover accent="true"><mi>{text[0]}</mi><mo>{ACCENTS[text[1]]}</mo></mover>'
        if kind == "gap":
            return f'<mspace width="{0.2 if len(text) == 1 else min(0.5 * len(text), 2):g}em"/>'
        if kind == "code":
            return f"<mtext>{escape(text.strip('`'))}</mtext>"
        if kind in ("letter", "word"):
            return f"<mi>{text}</mi>"
        if kind == "number":
            return f"<mn>{text}</mn>"
        return f'<mo stretchy="false">{escape(text)}</mo>'

    def _argument(self, opening: str, closing: str) -> str:
        """One atom, or all between brackets, without them."""
        follows = self._next()
        if follows is None:
            return "<mrow></mrow>"
        if follows.text != opening:
            return self._with_scripts(self._atom())
        self._take()
        end = self._end(opening, closing)
        inside = self.row(end)
        self._at = end + 1
        return inside

    def _with_scripts(self, atom: str) -> str:
        found = {"sub": "", "sup": ""}
        while (follows := self._next()) is not None and (scripts := self._scripts(follows)) is not None:
            place, script = scripts
            found[place] += script
        sub, sup = (f"<mrow>{script}</mrow>" for script in found.values())
        if found["sub"] and found["sup"]:
            return f"<msubsup>{atom}{sub}{sup}</msubsup>"
        if found["sub"]:
            return f"<msub>{atom}{sub}</msub>"
        return f"<msup>{atom}{sup}</msup>" if found["sup"] else atom

    def _scripts(self, follows: Token) -> tuple[str, str] | None:
        kind, text = follows
        if kind == "raised":
            self._take()
            return "sup", "".join(f"<mi>{SUPERSCRIPTS[char]}</mi>" for char in text)
        if kind == "lowered":
            self._take()
            return "sub", "".join(f"<mi>{SUBSCRIPTS[char]}</mi>" for char in text)
        if kind == "primes":
            self._take()
            return "sup", f"<mo>{'′' * len(text)}</mo>"
        if text == "*":
            self._take()
            return "sup", "<mo>*</mo>"
        if text in ("_", "^"):
            self._take()
            return ("sub" if text == "_" else "sup"), self._script()
        return None

    def _script(self) -> str:
        """What an index or a power is: all in braces, else letters and digits as far as they go."""
        if (follows := self._next()) is not None and follows.text == "{":
            return self._argument("{", "}")
        parts = ""
        while (follows := self._next()) is not None and follows.kind in ("letter", "word", "number"):
            parts += self._atom()
        return f"<mrow>{parts or self._atom()}</mrow>"


def mathml(lines: list[str]) -> str:
    """Lines of one displayed formula as an element of a page. Gaps of several lines are columns."""
    if len(lines) == 1:
        body = Reader(lines[0].strip()).row()
    else:
        rows = [re.split(r"\s{2,}", line.strip()) for line in lines]
        cells = ["".join(f"<mtd>{Reader(cell).row()}</mtd>" for cell in row) for row in rows]
        body = "<mtable>" + "".join(f"<mtr>{row}</mtr>" for row in cells) + "</mtable>"
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">{body}</math>'


def with_stars(line: str) -> str:
    """A line of text in which the star of a letter, as in S*, is none that begins or ends emphasis; not in code."""
    parts = line.split("`")
    parts[::2] = [re.sub(r"(?<![^\W_])([^\W\d_])\*(?![A-Za-zΑ-ω0-9*])", r"\1\\*", part) for part in parts[::2]]
    return "`".join(parts)


def rendered(text: str) -> str:
    """A page with MathML in place of its indented blocks, which are formulas; those in fences stay."""
    lines, result = text.splitlines(), []
    fenced = False
    at = 0
    while at < len(lines):
        line = lines[at]
        fenced ^= line.startswith("```")
        if fenced or not (line.startswith("    ") and line.strip()) or (at > 0 and lines[at - 1].strip()):
            result.append(line if fenced or line.startswith("    ") else with_stars(line))
            at += 1
            continue
        block = []
        while at < len(lines) and lines[at].startswith("    "):
            block.append(lines[at])
            at += 1
        result += ["```{raw} html", f'<div class="formula">{mathml(block)}</div>', "```"]
    return "\n".join(result) + "\n"
