"""`vaescreen registry add` and `check`: candidates are opened, measured and judged."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typing_extensions import TypedDict

from vaescreen.cli import options
from vaescreen.cli.grouping import prints
from vaescreen.cli.options import DeviceName, Format
from vaescreen.cli.printing import Sheet, parted, show, tell

if TYPE_CHECKING:
    from vaescreen.images import DataSet
    from vaescreen.registry.candidate import Candidate
    from vaescreen.screening.doctor import Examination

_STATED = "What cannot be measured"
_FILES = "Where its files are"
_IMAGES = "What it is examined on"
_FITTED_ON, _LOOKED_AT = 8, 3
_HEADERS = ("candidate", "verdict", "PSNR", "ms / image", "peak MB", "remark")
_COSTS = ("encode_ms", "decode_ms", "peak_memory_mb")
_MARKS = {"ok": "ok", "warning": "WARNING", "refused": "REFUSED", "not measured": "-"}

Images = Annotated[
    str,
    typer.Option(
        "--data",
        "-d",
        metavar="DATA",
        help=options.DATA_HELP,
        rich_help_panel=_IMAGES,
    ),
]
Size = Annotated[int, typer.Option(min=64, metavar="N", help=options.SIZE_HELP, rich_help_panel=_IMAGES)]


class Added(TypedDict):
    """A candidate that was entered, the file, and which of its fields nobody stated or measured."""

    candidate: str
    file: str
    verdict: str
    unverified: list[str]


@prints(list[Added])
def add(
    spec: Annotated[
        str,
        typer.Argument(
            metavar="HUB_ID|PATH|MODULE:FACTORY",
            help="A repository on the hub, a folder or weight file, or a function that gives an autoencoder.",
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option(
            help=options.NAME_HELP, show_default="after where it comes from", rich_help_panel=_STATED
        ),
    ] = None,
    adapter: Annotated[
        str | None,
        typer.Option(
            help="diffusers or ldm.", show_default="what its files look like", rich_help_panel=_STATED
        ),
    ] = None,
    revision: Annotated[
        str | None,
        typer.Option(help="Commit, branch or tag on the hub.", show_default="main", rich_help_panel=_FILES),
    ] = None,
    subfolder: Annotated[
        str | None,
        typer.Option(
            metavar="DIR", help="Inside the folder or the repository on the hub.", rich_help_panel=_FILES
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Weights, where they have a name of their own.", rich_help_panel=_FILES
        ),
    ] = None,
    config: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Configuration, where it has a name of its own.", rich_help_panel=_FILES
        ),
    ] = None,
    variant: Annotated[
        str | None,
        typer.Option(
            metavar="WORD", help="Such as fp16, of weights beside the plain ones.", rich_help_panel=_FILES
        ),
    ] = None,
    value_range: Annotated[
        str | None,
        typer.Option(
            metavar="LOW,HIGH",
            help="Black and white as the network takes them.",
            show_default="what the examination finds",
        ),
    ] = None,
    licence: Annotated[
        str | None,
        typer.Option("--licence", "--license", help=options.LICENCE_HELP, rich_help_panel=_STATED),
    ] = None,
    domain: Annotated[str | None, typer.Option(help=options.DOMAIN_HELP, rich_help_panel=_STATED)] = None,
    training_data: Annotated[
        str | None, typer.Option(help="What it was trained on.", rich_help_panel=_STATED)
    ] = None,
    family: Annotated[
        str | None,
        typer.Option(
            help="One word for all autoencoders of its origin.",
            show_default="its name",
            rich_help_panel=_STATED,
        ),
    ] = None,
    citation: Annotated[str | None, typer.Option(help=options.CITATION_HELP, rich_help_panel=_STATED)] = None,
    registry: options.RegistryFile = None,
    data: Images = "chest",
    private: options.Private = False,
    window: options.Window = None,
    keep_labels: options.KeepLabels = False,
    size: Size = 128,
    device: options.Device = DeviceName.AUTO,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Examine an autoencoder, measure what its entry must say, and write the entry.

    Layout, geometry, range of values and latent scale are found out by running it on images; what the files cannot
    tell, such as licence and training data, is yours to state. What is not stated is marked as unverified.

    One that the examination refuses is not added: the error says what is wrong and how to mend it.

    Examples
    --------
    vaescreen registry add ./my-vae --licence MIT --domain medical --training-data "chest X-rays"
    vaescreen registry add org/name --subfolder vae --registry registry.yaml
    vaescreen registry add mypackage.models:build --name mine
    """
    from vaescreen.execution import choose_device
    from vaescreen.registry.catalogue import user_file
    from vaescreen.registry.yaml_editing import as_entered
    from vaescreen.screening.adding import Statement, add_candidate

    statement = Statement(
        name=name,
        adapter=adapter,
        revision=revision,
        subfolder=subfolder,
        weights=weights,
        config=config,
        variant=variant,
        value_range=_limits(value_range),
        licence=licence,
        domain=domain,
        training_data=training_data,
        family=family,
        citation=citation,
    )
    file = (registry or user_file()).absolute()
    images, place = _images(data, size, private, window, keep_labels), choose_device(device.value)
    added = add_candidate(spec, file, images, statement=statement, device=place)
    candidate = added.candidate
    unverified = list(candidate.unverified)
    extra = f" --registry {registry}" if registry else ""
    lines = [
        added.examination.verdict,
        *as_entered(file, candidate.name, candidate.entry(file.parent)),
        *([f"Not stated, so marked as unverified: {', '.join(unverified)}."] if unverified else []),
        f"Rank it: vaescreen rank --data chest{extra}",
    ]
    record: Added = {
        "candidate": candidate.name,
        "file": str(file),
        "verdict": added.examination.verdict,
        "unverified": unverified,
    }
    tell(lines, [record], form)


def _limits(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        low, high = (float(end) for end in text.strip("[]() ").split(","))
    except ValueError:
        low = high = 0.0
    if not -math.inf < low < high < math.inf:
        raise typer.BadParameter(
            f"{text!r} is no range; give two numbers such as -1,1", param_hint="--value-range"
        )
    return low, high


class ValidFile(TypedDict):
    """A registry file without a mistake, and how many candidates are its."""

    file: str
    candidates: int


class Found(TypedDict):
    """Outcome of one check."""

    check: str
    status: str
    message: str
    mend: str | None


class Examined(TypedDict):
    """What was found of a candidate."""

    candidate: str
    refused: bool
    verdict: str
    findings: list[Found]
    measured: dict[str, Any]


@prints(list[Examined], list[ValidFile])
def check(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CANDIDATE",
            help="Names in the registry.",
            show_default="none: only the registry files are validated",
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Examine all candidates that are on this machine.")
    ] = False,
    registry: options.RegistryFile = None,
    data: Images = "chest",
    private: options.Private = False,
    window: options.Window = None,
    keep_labels: options.KeepLabels = False,
    size: Size = 128,
    device: options.Device = DeviceName.AUTO,
    verbose: Annotated[bool, typer.Option("--verbose", help="Say how long each check takes.")] = False,
    form: options.OutputFormat = Format.TABLE,
) -> None:
    """Validate the registry files, or examine candidates as a doctor would: is each run as it must be?

    The examination looks for another range of values that reconstructs better, a latent scale that decoding does not
    undo, values that are not finite, chance, influence between the images of a batch, sizes that cannot be taken, and
    what half precision costs. Every finding names its mend.

    The exit code is 1 if a candidate is refused.

    Examples
    --------
    vaescreen registry check
    vaescreen registry check medical-f4c3 --data path/to/folder
    vaescreen registry check --all --format json
    """
    from vaescreen.autoencoders.weights import available, locate
    from vaescreen.execution import choose_device
    from vaescreen.registry.catalogue import Registry
    from vaescreen.screening.doctor import examine_candidate

    known = Registry.load(registry)
    if every:
        chosen = [candidate for candidate in known.candidates.values() if available(candidate)]
    else:
        chosen = [known.candidate(name) for name in dict.fromkeys(names or ())]
    if not chosen:
        _tell_files(known.files, known.origins, form)
        return
    for candidate in chosen:
        if not available(candidate):
            locate(candidate)  # says why it is not there, and how to get it
    place = choose_device(device.value)
    reports = [
        examine_candidate(each, _images_for(each, data, size, private, window, keep_labels), device=place)
        for each in chosen
    ]
    show(_findings(reports[0], verbose) if len(reports) == 1 else _summary(reports), form)
    if any(report.refused for report in reports):
        raise typer.Exit(1)


def _images(data: str, size: int, private: bool, window: str | None, keep_labels: bool) -> "DataSet":
    from vaescreen.images import open_data

    return open_data(
        data,
        size=size,
        train_images=_FITTED_ON,
        test_images=_LOOKED_AT,
        private=private,
        window=window,
        keep_labels=keep_labels,
    )


def _images_for(
    candidate: "Candidate", data: str, size: int, private: bool, window: str | None, keep_labels: bool
) -> "DataSet":
    """Images of the size that is asked for, or of the only one the network works on."""
    multiple = candidate.input.multiple if candidate.input else 1
    return _images(data, -(-size // multiple) * multiple, private, window, keep_labels)


def _tell_files(files: Sequence[Path], origins: dict[str, Path], form: Format) -> None:
    records: list[ValidFile] = [
        {"file": str(file), "candidates": sum(origin == file for origin in origins.values())}
        for file in files
    ]
    lines = [
        f"{each['file']}: {each['candidates']} candidate{'' if each['candidates'] == 1 else 's'}, all valid"
        for each in records
    ]
    tell(lines, records, form)


def _printed(report: "Examination") -> tuple[dict[str, Any], dict[str, Any]]:
    """What every examination finds alike, and what it cost."""
    record = report.as_json()
    record["findings"], seconds = parted(record["findings"], ("check",), ("seconds",))
    (record["measured"],), (took,) = parted([record["measured"]], (), _COSTS)
    for finding in record["findings"]:
        if finding["check"] == "cost":
            took["cost"], finding["message"] = finding["message"], "among the timings"
    return record, {"candidate": record["candidate"], **took, "seconds": seconds}


def _findings(report: "Examination", verbose: bool) -> Sheet:
    records = report.as_json()["findings"]
    payload, timings = _printed(report)
    cells = [
        [
            each["check"],
            _MARKS[each["status"]],
            each["message"]
            + (f"; {each['mend']}" if each["mend"] else "")
            + (f" ({each['seconds']:.1f} s)" if verbose else ""),
        ]
        for each in records
    ]
    return Sheet(
        headers=("check", "", "finding"),
        cells=cells,
        records=records,
        payload=[payload],
        timings=[timings],
        notes=[report.verdict],
        text_columns=3,
    )


def _summary(reports: Sequence["Examination"]) -> Sheet:
    refused = sum(report.refused for report in reports)
    records = [
        {
            "candidate": report.candidate,
            "verdict": "refused" if report.refused else "accepted",
            "psnr": report.measured.get("psnr"),
            "ms": _milliseconds(report),
            "peak_memory_mb": report.measured.get("peak_memory_mb"),
            "remark": report.remark,
        }
        for report in reports
    ]
    cells = [
        [
            str(record["candidate"]),
            str(record["verdict"]),
            _number(record["psnr"], 2),
            _number(record["ms"], 1),
            _number(record["peak_memory_mb"], 0),
            str(record["remark"]),
        ]
        for record in records
    ]
    notes = [f"{len(reports)} examined, {refused} refused; `vaescreen registry check NAME` says all of one."]
    payload, timings = zip(*map(_printed, reports), strict=True)
    return Sheet(_HEADERS, cells, records, payload, notes=notes, text_columns=2, timings=timings)


def _milliseconds(report: "Examination") -> float | None:
    found = report.measured
    return found["encode_ms"] + found["decode_ms"] if "encode_ms" in found else None


def _number(value: object, digits: int) -> str:
    return f"{value:.{digits}f}" if isinstance(value, float) else "-"
