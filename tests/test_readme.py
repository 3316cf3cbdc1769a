"""The README shows whole files and explains every setting: what it shows works, and nothing that is read is missing."""

import ast
import re
import subprocess
from pathlib import Path

import polars as pl
import pytest

from delivery.manifest import render, sha256
from delivery.match_keys import normalise
from transforms.suites import table_suite
from transforms.tables import catalogue

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
INTERNAL = {"SUDARE_STEPS_FILE"}
"""Set by one part of the code for another; nobody else sets it."""


def read_by_the_code() -> set[str]:
    """Every string of the code that is a variable's name, whole."""
    constants = (
        node.value
        for package in ("anonymizers", "expectations", "transforms", "delivery", "dags", "sudare")
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return {text for text in constants if re.fullmatch(r"SUDARE_[A-Z_]*[A-Z]", text)}


@pytest.mark.parametrize("name", sorted(read_by_the_code() - INTERNAL))
def test_a_variable_that_is_read_is_explained(name):
    assert f"`{name}`" in README


def test_the_env_file_that_the_readme_shows_is_what_the_deployment_asks_for():
    asked = set(re.findall(r"\$\{([A-Z_]+):\?", (ROOT / "docker-compose.yml").read_text(encoding="utf-8")))
    env_file = README.split("cat > .env <<EOF\n", 1)[1].split("\nEOF", 1)[0]
    assert {line.split("=")[0] for line in env_file.splitlines()} == asked


def test_every_step_of_the_picture_is_a_task_and_the_other_way_round():
    picture = README.split("## What a night does\n", 1)[1].split("```")[1]
    steps = (ROOT / "dags" / "nightly.py").read_text(encoding="utf-8")
    tasks = set(re.findall(r'step\("([a-z_]+)"', steps))
    tasks |= {
        name.strip('" ') for names in re.findall(r"for name in \(([^)]*)\)\]", steps) for name in names.split(",")
    }
    drawn = set(re.findall(r"([a-z_]+)(?=\[| ─|$)", picture, re.MULTILINE))
    assert {word for word in drawn if word in tasks or "_" in word} == tasks


def test_what_the_readme_links_to_is_there():
    headings = re.findall(r"^#+ (.*)$", README, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= anchors


def test_the_check_of_a_copied_night_that_the_readme_shows_finds_a_short_copy(tmp_path):
    """With the names and digests as a manifest has them."""
    (lines,) = re.findall(r"^\(cd tables && .*?--quiet\)$", README, re.MULTILINE | re.DOTALL)
    tables = tmp_path / "tables"
    tables.mkdir()
    (tables / "a.csv").write_bytes(b"1\n")
    manifest = {"outputs": [{"table": "a", "sha256": {"a.csv": sha256(b"1\n")}}]}
    (tables / "manifest.json").write_bytes(render(manifest))
    check = ["bash", "-o", "pipefail", "-c", lines]
    assert subprocess.run(check, cwd=tmp_path, capture_output=True).returncode == 0
    (tables / "a.csv").unlink()
    assert subprocess.run(check, cwd=tmp_path, capture_output=True).returncode != 0


def shown(title: str, level: int = 3) -> dict:
    """What the file that stands under a heading defines, when it is run."""
    text = README.split(f"\n{'#' * level} {title}\n", 1)[1]
    source = re.search(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)[1]
    names: dict = {}
    exec(compile(source, title, "exec"), names)
    return names


def test_the_table_that_the_readme_shows_is_one():
    table = shown("Add a table")["TABLE"]
    assert table.name not in catalogue()
    assert table_suite(table, 10)
    rows, cells = table.example.rows.strip().splitlines(), table.example.cells.strip().splitlines()
    assert rows[0].split()[1:] == [d.name for d in table.dimensions]
    assert cells[0].split() == [*(d.name for d in table.dimensions), "members", "contributions"]


def test_the_destination_that_the_readme_shows_is_one():
    destination = shown("Add a destination")["DESTINATION"]
    typed = pl.DataFrame({"typed": [typed for typed, _ in destination.example]})
    assert typed.select(normalise(pl.col("typed"), destination.email))["typed"].to_list() == [
        form for _, form in destination.example
    ]


def test_the_recogniser_that_the_readme_shows_finds_what_it_says():
    module = shown("Add a recogniser")
    for example in module["EXAMPLES"]:
        found = module["recognizer"]().analyze(example.text, [])
        assert tuple(example.text[r.start : r.end] for r in found) == example.found


def test_the_recognisers_work_in_a_plain_analyzer_as_the_readme_shows():
    found = shown("Japanese text", level=2)["found"]
    assert (found.entity_type, found.start, found.end) == ("PHONE", 3, 16)
