"""Draw which room of the package imports which, as the picture in docs/architecture.md.

    python -m benchmarks.rooms [--check]

An arrow stands for imports; one that a longer way through other rooms says already is left out.
"""

import argparse
import sys
from pathlib import Path

import grimp
import networkx as nx

PAGE = Path("docs/architecture.md")
BEGIN, END = "```mermaid\n", "```\n"


def imports() -> nx.DiGraph:
    """Rooms and loose modules of the package, an edge from the one that imports."""
    graph = grimp.build_graph("vaescreen")
    rooms: nx.DiGraph = nx.DiGraph()
    for module in graph.modules:
        room = _room(module)
        for imported in graph.find_modules_directly_imported_by(module):
            other = _room(imported)
            if room and other and room != other:
                rooms.add_edge(room, other)
    return rooms


def _room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] != "__main__" else ""


def picture() -> str:
    rooms = nx.transitive_reduction(imports())
    edges = sorted(f"    {room} --> {other}" for room, other in rooms.edges)
    return BEGIN + "\n".join(["flowchart TD", *edges]) + "\n" + END


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the picture is stale")
    options = parser.parse_args()
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    drawn = before + picture() + after
    if not options.check:
        PAGE.write_text(drawn, encoding="utf-8")
    elif drawn != text:
        sys.exit(f"the picture in {PAGE} is stale; run `python -m benchmarks.rooms`")


if __name__ == "__main__":
    main()
