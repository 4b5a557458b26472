"""Coverage-guided fuzzing of everything that reads images: a file gives an image in [0, 1] or one reason, ever.

pip install atheris
python benchmarks/fuzz_loaders.py --minutes 10 --format dicom --out benchmarks/results/fuzz_loaders.json

Each format is fuzzed in a process of its own by libFuzzer through atheris, from the small valid files of
`tests/valid_files.py`; the Python code of the package and of the decoders it calls is instrumented, that in C is
not. A finding is another exception than `DataError`, the end of the process, an image that is not one, memory above
2 GB, or an input that takes longer than 20 s. Inputs are kept beside the results, and fuzzing goes on until the time
is over; what ends in the same words counts once. Formats that are not fuzzed this time keep the result that they
have in the file.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1] / "tests"
MEMORY_MB = 2048
SECONDS_AN_INPUT = 20
LARGEST_INPUT = 65_536
INSTRUMENTED = (
    "vaescreen.images",
    "PIL",
    "pydicom",
    "nibabel",
    "nrrd",
    "numpy.lib",
    "zipfile",
    "tarfile",
    "gzip",
)


def fuzz(kind: str, arguments: list[str]) -> None:
    """Fuzz one format in this process until libFuzzer ends it."""
    import atheris

    with atheris.instrument_imports(include=list(INSTRUMENTED)):
        sys.path.insert(0, str(TESTS))
        from damage import look_at
        from valid_files import valid_files

        suffixes = sorted({"".join(Path(name).suffixes) for name in valid_files(kind)})

    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:

        def one_input(data: bytes) -> None:
            if not data:
                return
            path = Path(folder) / f"input{suffixes[data[0] % len(suffixes)]}"
            path.write_bytes(data[1:])
            look_at(path)

        atheris.Setup([sys.argv[0], *arguments], one_input)
        atheris.Fuzz()


def campaign(kind: str, seconds: float, kept: Path) -> dict[str, Any]:
    """Fuzz a format for some time, again and again if something is found."""
    end = time.monotonic() + seconds
    executions, coverage, rounds = 0, 0, 0
    findings: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        _write_seeds(kind, corpus)
        while (left := int(end - time.monotonic())) > 0:
            rounds += 1
            kept.mkdir(parents=True, exist_ok=True)
            options = [
                str(corpus),
                f"-max_total_time={left}",
                f"-rss_limit_mb={MEMORY_MB}",
                f"-timeout={SECONDS_AN_INPUT}",
                f"-max_len={LARGEST_INPUT}",
                f"-artifact_prefix={kept}/{kind}-",
                "-print_final_stats=1",
                f"-seed={rounds}",
            ]
            command = [sys.executable, __file__, "--in-process", kind, *options]
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
            said = done.stderr + done.stdout
            executions += sum(map(int, re.findall(r"number_of_executed_units: (\d+)", said)))
            coverage = max([coverage, *map(int, re.findall(r"\bcov: (\d+)", said))])
            if done.returncode == 0:
                continue
            complaint = _complaint(said)
            file = re.search(r"Test unit written to \S*/(\S+)", said)
            findings.setdefault(complaint, {"finding": complaint, "input": file.group(1) if file else ""})
            if rounds > 3 and not executions:
                raise SystemExit(f"{kind} cannot be fuzzed: {complaint}")
        inputs = len(list(corpus.iterdir()))
    return {
        "format": kind,
        "seconds": round(seconds),
        "executions": executions,
        "coverage": coverage,
        "corpus": inputs,
        "findings": list(findings.values()),
    }


def _write_seeds(kind: str, corpus: Path) -> None:
    """The valid files, each after a byte that chooses its suffix."""
    sys.path.insert(0, str(TESTS))
    from valid_files import valid_files

    files = valid_files(kind)
    suffixes = sorted({"".join(Path(name).suffixes) for name in files})
    for name, data in files.items():
        (corpus / name).write_bytes(bytes([suffixes.index("".join(Path(name).suffixes))]) + data)


def _complaint(said: str) -> str:
    """What ended a run: an exception's last line, or libFuzzer's own."""
    traced = re.findall(r"^(\w[\w.]*(?:Error|Exception|Warning|Interrupt)\b.*)$", said, re.MULTILINE)
    own = re.findall(r"libFuzzer: (.+)", said)
    lines = [line for line in traced if "DataError" not in line] or own or said.splitlines() or ["nothing"]
    return str(lines[-1])[:300]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10, help="for each format")
    parser.add_argument("--format", action="append", dest="formats", help="one of them; all by default")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    sys.path.insert(0, str(TESTS))
    from valid_files import FORMATS

    from vaescreen.environment import command_line, environment
    from vaescreen.storage import read_json, write_json

    known = read_json(options.out)["formats"] if options.out and options.out.is_file() else []
    results: dict[str, dict[str, Any]] = {result["format"]: result for result in known}
    found = False
    kept = (options.out.parent if options.out else Path.cwd()) / "fuzz-findings"
    for kind in options.formats or FORMATS:
        results[kind] = campaign(kind, 60 * options.minutes, kept) | {"command": command_line()}
        found = found or bool(results[kind]["findings"])
        print(results[kind], flush=True)
        if options.out:
            record = {
                "formats": list(results.values()),
                "memory_mb": MEMORY_MB,
                "seconds_an_input": SECONDS_AN_INPUT,
                "environment": environment(),
            }
            write_json(options.out, record)
    if kept.is_dir() and not any(kept.iterdir()):
        kept.rmdir()
    if found:
        raise SystemExit("something was found; the inputs are kept")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--in-process"]:
        fuzz(sys.argv[2], sys.argv[3:])
    else:
        main()
