"""The documentation site: formulas, and what works in a browser without a network."""

import functools
import os
import re
import shutil
import subprocess
from importlib import util
from pathlib import Path
from xml.etree import ElementTree

import pytest

import attnlaw

ROOT = Path(os.environ.get("ATTNLAW_SOURCE", Path(__file__).parents[2]))
NAMES = {"m": "http://www.w3.org/1998/Math/MathML"}


@pytest.fixture(scope="module")
def formulas():
    spec = util.spec_from_file_location("formulas", ROOT / "scripts" / "site" / "formulas.py")
    assert spec is not None and spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("f(x) = (x − 2λ)₊/V̂", ["<mover accent", "<mi>V</mi>", "<msub>"]),
        ("m̂ = 2α E[g·η] / √(Q* + Δ − m²/q)", ["<msqrt><mrow>", "<mo>*</mo>", "<mi>2</mi>"]),
        ("√(a(b) + c) d", ['<mi>c</mi></mrow></msqrt><mspace width="0.2em"/><mi>d</mi>']),
        ("x^{√(2/ψ''(λ̄))}", ['<mo stretchy="false">)</mo></mrow></msqrt></mrow></mrow></msup></mrow></math>']),
        ("√(√(a) + (b)) + c", ["</msqrt>", "</mrow></msqrt>" + '<mspace width="0.2em"/><mo stretchy="false">+</mo>']),
        ("‖S‖²_F", ["<msubsup>"]),
        ("k_{2j} = Σ_k x^{a+b}", ["<mn>2</mn><mi>j</mi>", "<msup>"]),
        ("plug_in_test = qQ*", ["<mi>plug_in_test</mi>", "<mi>q</mi>"]),
    ],
)
def test_formulas_have_their_structure(formulas, text, parts):
    element = formulas.mathml([text])
    for part in parts:
        assert part in element
    ElementTree.fromstring(element)


def test_all_displayed_formulas_are_rendered(formulas):
    count = 0
    for page in sorted((ROOT / "docs" / "theory").glob("*.md")):
        rendered = formulas.rendered(page.read_text(encoding="utf-8"))
        for element in re.findall(r"<math .*?</math>", rendered):
            tree = ElementTree.fromstring(element)
            assert not [leaf.text for leaf in tree.iter() if leaf.text in list("_√²³ᵀ₊\u0302\u0304")], element
            assert tree.findall(".//m:mi", NAMES)
            count += 1
        assert not re.search(r"\n\n    \S", re.sub(r"(?ms)^```.*?^```$", "", rendered)), page
    assert count > 80


def test_stars_of_letters_are_no_emphasis(formulas):
    assert (
        formulas.rendered("Tr S*²/d is Tr(S S*)/d, `S*`, **bold**\n") == "Tr S\\*²/d is Tr(S S\\*)/d, `S*`, **bold**\n"
    )


def test_fences_and_lists_stay(formulas):
    text = "a\n\n```cpp\n\n    int x;\n```\n\n* one\n    continued\n"
    assert formulas.rendered(text) == text


@pytest.fixture(scope="module")
def site():
    package = str(Path(attnlaw.__file__).parents[1])
    environment = os.environ | {"ATTNLAW_PACKAGE": package}
    done = subprocess.run([ROOT / "scripts" / "docs"], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in done.stderr.lower()
    return ROOT / "build" / "docs" / "html"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("Chromium is not installed (scripts/setup test)")
    profile = tmp_path_factory.mktemp("chromium")

    @functools.cache
    def page(address):
        """The page as it stands after its scripts; no name of another machine is found."""
        options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"]
        options += ["--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=20000", "--dump-dom"]
        done = subprocess.run([program, *options, address], capture_output=True, text=True, check=True, timeout=300)
        return done.stdout

    return page


@pytest.mark.slow
def test_the_site_asks_nothing_of_other_machines(site):
    assert "Huber" in (site / "examples" / "your_own_model.html").read_text(encoding="utf-8")
    foreign = re.compile(r"<(?:script|link|img)[^>]*(?:src|href)=\"(?:https?:)?//")
    assert not [page for page in site.rglob("*.html") if foreign.search(page.read_text(encoding="utf-8"))]


@pytest.mark.slow
def test_search_works_offline(site, browser):
    found = browser((site / "search.html").as_uri() + "?q=Huber")
    assert "your_own_model.html" in found or "own_models.html" in found
    assert re.search(r"found [1-9][0-9]* page", found)
    nothing = browser((site / "search.html").as_uri() + "?q=qwertzuiop")
    assert "did not match any documents" in nothing


@pytest.mark.slow
def test_formulas_are_drawn(site, browser):
    page = browser((site / "docs" / "theory" / "erm.html").as_uri())
    assert page.count("<math") >= 9
    assert "<msqrt" in page
    assert (site / "_static" / "formulas.css").exists()
