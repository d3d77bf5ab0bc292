"""The package as text: types, style, documentation."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import attnlaw

ROOT = Path(os.environ.get("ATTNLAW_SOURCE", Path(__file__).parents[2]))
PYTHON = ROOT / "python"


def succeeds(*command, **options):
    done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def typed(tmp_path_factory):
    """Checks types, as strictly as pyproject.toml says: NumPy's are read once."""
    folder = tmp_path_factory.mktemp("mypy")

    def check(*files, **environment):
        options = ("--config-file", ROOT / "pyproject.toml", "--cache-dir", folder)
        succeeds("-m", "mypy", *options, *files, env=os.environ | environment, cwd=folder)

    return check


def test_stubs_are_right_for_examples(typed):
    package = Path(attnlaw.__file__).parent
    assert (package / "operations.pyi").exists()
    examples = [*sorted((PYTHON / "tests" / "typed").glob("*.py")), ROOT / "examples" / "own_model.py"]
    typed(*examples, MYPYPATH=str(package.parent))


def test_the_package_is_typed(typed):
    typed(PYTHON / "attnlaw")


def test_examples_of_types_run():
    for example in (PYTHON / "tests" / "typed").glob("*.py"):
        succeeds(example)


def test_style():
    folders = (PYTHON, ROOT / "examples", ROOT / "bench", ROOT / "scripts")
    succeeds("-m", "ruff", "check", "--no-cache", "--config", ROOT / "pyproject.toml", *folders)
    succeeds("-m", "ruff", "format", "--no-cache", "--check", "--config", ROOT / "pyproject.toml", *folders)


def test_the_reference_is_up_to_date():
    succeeds(ROOT / "scripts" / "python_reference", "--check")


@pytest.mark.parametrize("name", attnlaw.__all__)
def test_everything_public_is_documented(name):
    documented = getattr(attnlaw, name).__doc__
    assert documented
    assert documented.strip().splitlines()[0].endswith((".", ":"))


def test_help_lists_every_option():
    text = attnlaw.solve.__doc__
    for option in ("alpha : float", "lambda_ : ", "n/d²", "default wishart:0.5", "diagnostics : Record"):
        assert option in text
