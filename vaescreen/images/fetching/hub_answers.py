"""What the Hugging Face hub answers when it refuses, in one line."""

import re

_SECRETS = re.compile(r"hf_\w+|(?<=\?)[^\s'\"]+|(?i:bearer\s+\S+)")


def explain(error: Exception, repo: str, revision: str, page: str) -> str:
    """Say why a repository at a revision gave nothing, to follow its name.

    Parameters
    ----------
    error
        What the hub's client raised; its transport errors share no base class.
    repo, revision
        What was asked for.
    page
        Address of the repository's page, where a licence is accepted.
    """
    from huggingface_hub import errors

    match error:
        case errors.GatedRepoError():
            return f"is gated; accept its licence at {page}, then log in with `hf auth login`"
        case errors.RepositoryNotFoundError():
            return "is not on the hub, or is private (`hf auth login`)"
        case errors.RevisionNotFoundError():
            return f"has no revision {revision!r}"
        case errors.OfflineModeIsEnabled() | errors.LocalEntryNotFoundError():
            return _unreachable(error)
        case errors.HfHubHTTPError():
            return f"cannot be fetched: {_status(error.response.status_code)}"
        case _:
            detail = _SECRETS.sub("***", " ".join(str(error).split()))[:150] or type(error).__name__
            return f"could not be fetched ({detail}); try again"


def _unreachable(error: Exception) -> str:
    """Say why the hub gave nothing: an answer that its client passes on as a cause, or no connection."""
    from huggingface_hub.errors import HfHubHTTPError

    cause = error.__cause__
    if isinstance(cause, HfHubHTTPError):
        return f"cannot be fetched: {_status(cause.response.status_code)}"
    return "cannot be reached: no connection to the hub, or HF_HUB_OFFLINE is set"


def _status(code: int) -> str:
    reasons = {401: "not logged in (`hf auth login`)", 403: "access is refused", 429: "too many requests"}
    return f"the hub answered {code} ({reasons.get(code, 'its own fault')}); try again later"
