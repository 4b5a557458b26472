"""matplotlib where it is installed, and its output without dates and random ids: same plot, same bytes."""

import io
from typing import TYPE_CHECKING, Literal

from vaescreen.errors import VaescreenError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(width: float, height: float) -> "Figure":
    """Empty figure of a size in inches, bound to no window.

    Raises
    ------
    VaescreenError
        If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise VaescreenError(
            "figures need matplotlib; install it with `pip install 'vaescreen[figures]'`"
        ) from error
    return Figure(figsize=(width, height), layout="constrained")


def save(figure: "Figure", kind: Literal["svg", "png"], description: str) -> bytes:
    """Image file of a figure that carries `description` as metadata."""
    import matplotlib as mpl

    metadata: dict[str, str | None] = {"Description": description}
    metadata |= {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "vaescreen"}):
        figure.savefig(buffer, format=kind, metadata=metadata, dpi=150)
    return buffer.getvalue()
