"""What all commands have in common, asked of each of them."""

import inspect
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

import pytest
import typer
from commands import commands, options_of, parse, validator
from small import write_pictures, write_registry

from vaescreen.cli import app
from vaescreen.cli.manual import document

FORMATS = {"table", "json", "csv", "markdown"}
EVERY = sorted(commands())
PANELS = ["Data", "Output"]


def test_the_commands_are_those_of_the_application() -> None:
    assert len(EVERY) > 30
    assert {"rank", "registry list", "reference baseline", "schema"} <= set(EVERY)


@pytest.mark.parametrize("name", EVERY)
def test_it_prints_in_four_formats_can_be_quiet_and_has_a_short_help(run, name: str) -> None:
    options = options_of(commands()[name])
    assert {"--quiet", "-q", "--no-progress", "--format", "-f"} <= options.keys()
    assert {each.value for each in type(options["--format"].default)} == FORMATS
    shown = run(*name.split(), "-h")
    assert shown.exit_code == 0
    assert "--help" in shown.stdout


@pytest.mark.parametrize("name", EVERY)
def test_its_json_has_a_schema_that_says_what_is_in_it(name: str) -> None:
    schema = validator(name).schema
    for body in schema.get("anyOf", [schema]):
        assert {"schema", "version", "command", "warnings", "timings"} <= set(body["required"])
        assert body["properties"]["command"] == {"const": name}
        assert len(body["properties"]) > 5 or name == "schema"


@pytest.mark.parametrize("name", EVERY)
def test_its_help_has_paragraphs_and_examples_that_can_be_typed(name: str) -> None:
    command = commands()[name]
    head, *examples = command.epilog.split("\n\n")
    assert head == "Examples:"
    assert 2 <= len(examples) <= 3
    assert [parse(example) for example in examples] == [name] * len(examples)
    for paragraph in command.help.split("\n\n"):
        assert "\n" not in paragraph
        assert paragraph.endswith((".", "?"))


@pytest.mark.parametrize("name", EVERY)
def test_options_of_data_and_output_come_first_and_those_of_a_cluster_last(name: str) -> None:
    panels = [each.rich_help_panel for each in commands()[name].params if each.param_type_name == "option"]
    order = list(dict.fromkeys(panels))
    assert len([panel for place, panel in enumerate(panels) if panels[place - 1 : place] != [panel]]) == len(
        order
    )
    assert order[: order.index("Output") + 1] == [panel for panel in PANELS if panel in order]
    last = [panel for panel in ("Run", "Cluster") if panel in order]
    assert order[len(order) - len(last) :] == last


DEFAULTS_DIFFER = {
    "--data": "two commands examine an autoencoder, on chest unless told otherwise",
    "--format": "a schema is JSON, a model card Markdown",
    "--name": "data are named after their folder, an autoencoder after where it comes from",
    "--out": "each writes something else",
    "--recipe": "score needs none",
    "--size": "that of the recipe, of the entry, or what an examination needs",
}
"""Why options of one meaning have more than one default."""
OF_RESULTS = ("--data", "publish")
"""An option that names data whose images are not read: their names alone."""


def test_an_option_means_the_same_wherever_it_is() -> None:
    """One text, one kind of value and one default for each name over all commands."""
    said = defaultdict(set)
    defaults = defaultdict(set)
    for name, command in commands().items():
        for option, each in options_of(command).items():
            if option.startswith("--") and (option, name) != OF_RESULTS:
                said[option].add(each.help)
                defaults[option].add((repr(_one(each.default)), each.show_default))
    assert {option: texts for option, texts in said.items() if len(texts) > 1} == {}
    assert {option for option, values in defaults.items() if len(values) > 1} == DEFAULTS_DIFFER.keys()


def _one(default: object) -> object:
    """Default of an option that may be given several times as if it were given once."""
    return default[0] if isinstance(default, list) and len(default) == 1 else default


def test_strict_exits_with_3_wherever_it_is() -> None:
    strict = {name for name, command in commands().items() if "--strict" in options_of(command)}
    assert {"rank", "score", "compare"} <= strict
    assert all("Exit with 3" in options_of(commands()[name])["--strict"].help for name in strict)


def test_schemas_are_printed_of_a_command_of_a_group_and_of_all(run) -> None:
    alone = json.loads(run("schema", "registry", "list").stdout)
    assert alone["title"] == "vaescreen registry list --format json"
    assert alone["properties"]["rows"]["type"] == "array"
    group = json.loads(run("schema", "registry").stdout)["schemas"]
    assert group.keys() == {name for name in EVERY if name.startswith("registry ")}
    assert group["registry list"]["properties"] == alone["properties"]
    assert json.loads(run("schema").stdout)["schemas"].keys() == set(EVERY)
    assert run("schema", "rnak").exit_code == 2


def test_the_page_of_commands_is_fresh() -> None:
    page = Path(__file__).parents[2] / "docs" / "commands.md"
    assert page.read_text() == document(), "python -m vaescreen.cli.manual > docs/commands.md"


Arguments = Callable[[Path], tuple[str | Path, ...]]

QUICK: dict[str, Arguments] = {
    "cache clean": lambda place: ("data",),
    "cache list": lambda place: (),
    "data add": lambda place: ("ward", write_pictures(place / "pictures")),
    "data list": lambda place: (),
    "data preview": lambda place: (write_pictures(place / "pictures", count=4),),
    "data remove": lambda place: ("kodak",),
    "data show": lambda place: (write_pictures(place / "pictures"), "--size", "32"),
    "doctor": lambda place: (),
    "predictor fit": lambda place: ("--points", "shipped", "--out", place / "mine.json"),
    "predictor show": lambda place: (),
    "reference baseline": lambda place: (
        *("nearest", "--data", write_pictures(place / "pictures", count=4)),
        *("--results", place / "results"),
    ),
    "reference recipes": lambda place: (),
    "reference status": lambda place: ("--results", place),
    "registry check": lambda place: ("dct-f16c4", "--registry", write_registry(place), "--size", "64"),
    "registry list": lambda place: (),
    "registry pull": lambda place: ("dct-f4c3",),
    "registry show": lambda place: ("taesd",),
    "registry trust": lambda place: (write_registry(place),),
    "schema": lambda place: (),
}
"""Commands whose whole work is done in a second or two, and what they are given."""
ELSEWHERE = {
    "adapt": "trains; test_adapt.py",
    "compare": "statistics of many metrics; test_compare.py",
    "data fetch": "downloads; test_data_sets.py",
    "predictor card": "fits predictors; test_predictor.py",
    "predictor validate": "fits hundreds of predictors; test_predictor.py",
    "publish": "needs results; test_publish.py",
    "rank": "fits probes; test_rank.py",
    "reference ablate": "trains; test_reference.py",
    "reference evaluate": "trains; test_reference.py",
    "reference plan": "times trainings; test_reference.py",
    "reference train": "trains; test_reference.py",
    "registry add": "needs a network; test_registry.py",
    "registry remove": "needs an entry of one's own; test_registry.py",
    "reproduce": "fits probes; test_reproduce.py",
    "score": "fits probes; test_score.py",
    "submit": "fits probes; tests/ranking/test_submission.py",
}
"""Why the others are not run here, and where they are; their JSON is held to its schema there as well."""


def test_every_command_is_run_here_or_elsewhere() -> None:
    assert sorted([*QUICK, *ELSEWHERE]) == EVERY


@pytest.mark.parametrize("name", QUICK)
def test_its_forms_tell_the_same(run, tmp_path: Path, name: str) -> None:
    arguments = (*name.split(), *QUICK[name](tmp_path))
    found = run(*arguments, "--format", "json")
    assert found.exit_code == 0, found.output
    payload = json.loads(found.stdout)
    assert (payload["command"], payload["schema"]) == (name, f"vaescreen/{name.replace(' ', '-')}/2")
    if name in ("data add", "cache clean"):
        return  # done once, it cannot be done again
    again = json.loads(run(*arguments, "--format", "json").stdout)
    assert [each.pop("timings") is not None for each in (payload, again)] == [True, True]
    measured = {"cache_mb", "free_mb"}
    assert {key: payload[key] for key in payload.keys() - measured} == {
        key: again[key] for key in again.keys() - measured
    }
    marked = run(*arguments, "--format", "markdown").stdout
    assert "| :-- " in marked or not payload.get("rows", True)
    assert "\\`" not in marked
    header = run(*arguments, "--format", "csv").stdout.partition("\n")[0]
    assert re.fullmatch(r"[^\s,]+( [^\s,]+)*(,[^,]+)*", header) or not payload.get("rows", True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("form", ["table", "json"])
@pytest.mark.parametrize("name", [each for each in QUICK if each not in ("data add", "cache clean")])
def test_a_full_disk_is_one_line(tmp_path: Path, capfd, name: str, form: str) -> None:
    arguments = [*name.split(), *map(str, QUICK[name](tmp_path)), "--format", form, "--quiet"]
    with Path("/dev/full").open("w") as full, redirect_stdout(full), pytest.raises(SystemExit) as ended:
        typer.main.get_command(app)(arguments)
    assert ended.value.code == 1
    told = capfd.readouterr().err.splitlines()
    assert told[-1:] == [f"error: standard output: {os.strerror(28)}"]
    assert len(told) == 1


@pytest.mark.parametrize("name", EVERY)
def test_whoever_reads_the_source_finds_what_it_prints(name: str) -> None:
    assert inspect.unwrap(commands()[name].callback).outputs


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
@pytest.mark.parametrize(
    "name", ["registry list", "data list", "reference recipes", "predictor show", "doctor"]
)
def test_tables_survive_any_terminal(run, monkeypatch, name: str, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    shown = run(*name.split())
    assert shown.exit_code == 0
    assert "\x1b" not in shown.stdout
    assert "…" not in shown.stdout


def test_markdown_of_a_hostile_name_means_nothing(run, tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "<img src=x onerror=alert(1)> `a` [b](http:c)", count=4)
    marked = run("data", "show", folder, "--size", "32", "--format", "markdown").stdout
    assert "&lt;img" in marked
    assert "<img" not in marked
    assert not re.search(r"(?<!\\)\]\(http", marked)


def test_terminals_of_few_letters_get_all_of_the_answer(tmp_path: Path) -> None:
    """What an ASCII terminal cannot show is written out, and nothing is lost."""
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "LANG": "C", "LC_ALL": "C", "COLUMNS": "60"}
    command = [sys.executable, "-m", "vaescreen", "predictor", "show"]
    shown = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.isascii()
    assert b"Average slopes" in shown.stdout
    assert b"\\u" not in shown.stdout
