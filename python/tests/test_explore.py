"""The page with live theory, in a frame and in a file."""

import html
import os
import pathlib
import re
import subprocess

import pytest

import attnlaw


def has_page() -> bool:
    """Whether this build has the page: scripts/setup explorer."""
    program = os.environ["ATTNLAW_PROGRAM"]
    return subprocess.run([program, "explore", "--html", os.devnull], capture_output=True).returncode == 0


@pytest.mark.skipif(not has_page(), reason="this build has no explorer")
def test_the_page_stands_in_a_frame_and_begins_at_the_problem() -> None:
    problem = attnlaw.Problem(alpha=0.3, lambda_=0.05, noise=0.125)
    shown = attnlaw.explore(problem)._repr_html_()
    assert shown is not None
    assert shown.startswith("<iframe")
    assert 'sandbox="allow-scripts allow-downloads"' in shown
    assert "&quot;noise&quot;:0.125" in shown


@pytest.mark.skipif(not has_page(), reason="this build has no explorer")
def test_the_frame_has_the_page_of_the_program_to_the_byte(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "page.html"
    options = ["--alpha", "0.3", "--lambda", "0.05", "--noise", "0.125"]
    subprocess.run([os.environ["ATTNLAW_PROGRAM"], "explore", *options, "--html", path], check=True)
    shown = attnlaw.explore(attnlaw.Problem(alpha=0.3, lambda_=0.05, noise=0.125))._repr_html_()
    assert shown is not None
    source = re.search(r'srcdoc="([^"]*)"', shown)
    assert source is not None
    assert html.unescape(source[1]) == path.read_text(encoding="utf-8")


@pytest.mark.skipif(not has_page(), reason="this build has no explorer")
def test_the_page_goes_to_a_file(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "page.html"
    attnlaw.explore(html=path)
    assert "<title>attnlaw explorer" in path.read_text(encoding="utf-8")


@pytest.mark.skipif(has_page(), reason="this build has an explorer")
def test_a_build_without_the_page_says_how_to_get_it() -> None:
    with pytest.raises(RuntimeError, match="scripts/setup explorer"):
        attnlaw.explore()
