"""The terminal: one module a noun, and no logic of its own; what is not here is in the Python API.

Modules import the package's machinery inside their functions: `vaescreen --help` must not wait for torch.
"""

from typing import Annotated

import typer

from vaescreen import __version__
from vaescreen.cli import cache, data, predictor, reference, registry
from vaescreen.cli.adapt import adapt
from vaescreen.cli.application import Application
from vaescreen.cli.baseline import baseline
from vaescreen.cli.compare import compare
from vaescreen.cli.doctor import doctor
from vaescreen.cli.grouping import Commands
from vaescreen.cli.publish import publish
from vaescreen.cli.rank import Ranks, rank
from vaescreen.cli.reproduce import reproduce
from vaescreen.cli.schema import schema
from vaescreen.cli.score import score
from vaescreen.cli.submit import submit

app = Commands(
    cls=Application,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(cls=Ranks)(rank)
app.command()(score)
app.command()(compare)
app.add_typer(registry.app, name="registry")
app.add_typer(data.app, name="data")
reference.app.command()(baseline)
app.add_typer(reference.app, name="reference")
app.add_typer(predictor.app, name="predictor")
app.command()(adapt)
app.command()(publish)
app.command()(reproduce)
app.command()(submit)
app.command()(doctor)
app.add_typer(cache.app, name="cache")
app.command()(schema)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"vaescreen {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Which pretrained autoencoder should a latent-diffusion super-resolution model be built on?

    Start with `vaescreen rank --data chest`, then give --data a folder of your own images.
    """


def main() -> None:
    """Entry point of the console script."""
    app(prog_name="vaescreen")
