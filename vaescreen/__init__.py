"""Which pretrained autoencoder should a latent-diffusion super-resolution model be built on?

`vaescreen.rank(data="chest")` does what `vaescreen rank --data chest` does; `vaescreen.score` and
`vaescreen.compare` do what the commands of those names do. `vaescreen.DataOptions` says more of the images,
`vaescreen.Workplace` where registry and results are, `vaescreen.Machine` where the work runs. What is named in
`__all__` is imported when first used, so that `import vaescreen` costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vaescreen.autoencoders import open_autoencoder
    from vaescreen.errors import VaescreenError
    from vaescreen.execution import Machine
    from vaescreen.images import DataOptions, open_data
    from vaescreen.ranking.comparison import Report, compare
    from vaescreen.ranking.rank import Ranking, rank
    from vaescreen.ranking.scoring import Scoring, Workplace, score
    from vaescreen.registry.catalogue import Registry

__version__ = "0.1.0"

__all__ = [
    "DataOptions",
    "Machine",
    "Ranking",
    "Registry",
    "Report",
    "Scoring",
    "VaescreenError",
    "Workplace",
    "__version__",
    "compare",
    "open_autoencoder",
    "open_data",
    "rank",
    "score",
]

_HOMES = {
    "DataOptions": "vaescreen.images",
    "Machine": "vaescreen.execution",
    "Ranking": "vaescreen.ranking.rank",
    "Registry": "vaescreen.registry.catalogue",
    "Report": "vaescreen.ranking.comparison",
    "Scoring": "vaescreen.ranking.scoring",
    "VaescreenError": "vaescreen.errors",
    "Workplace": "vaescreen.ranking.scoring",
    "compare": "vaescreen.ranking.comparison",
    "open_autoencoder": "vaescreen.autoencoders",
    "open_data": "vaescreen.images",
    "rank": "vaescreen.ranking.rank",
    "score": "vaescreen.ranking.scoring",
}


def __getattr__(name: str) -> Any:
    """Import what `__all__` names (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
