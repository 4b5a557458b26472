"""What becomes of a task: a result, or the line that says why there is none."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Generic, TypeVar

from vaescreen.errors import VaescreenError

Shared = TypeVar("Shared")
Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Outcome(Generic[Result]):
    """What became of a task: its result, or in `error` the line that says why there is none."""

    name: str
    result: Result | None = None
    error: str | None = None


def attempt(
    function: Callable[[Shared, Task], Result], shared: Shared, name: str, task: Task
) -> Outcome[Result]:
    """Call `function(shared, task)`; an exception, or the wish to exit, becomes the outcome's error."""
    try:
        return Outcome(name, result=function(shared, task))
    except VaescreenError as error:
        return Outcome(name, error=str(error))
    except (Exception, SystemExit) as error:  # one broken task must not cost the results of the others
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{PurePath(place.filename).name}:{place.lineno}"
        reason = " ".join(str(error).split())[:150]
        return Outcome(name, error=f"unexpected {type(error).__name__} at {where}: {reason}")
