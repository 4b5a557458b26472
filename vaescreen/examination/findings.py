"""What an examination finds: one finding a check, and the verdict that follows from them."""

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """Outcome of one check."""

    OK = "ok"
    WARNING = "warning"
    REFUSED = "refused"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Finding:
    """Outcome of one check, in words; `mend` says what to do about it, `seconds` how long it took."""

    check: str
    status: Status
    message: str
    mend: str | None = None
    seconds: float = 0.0


@dataclass
class Examination:
    """All findings about one candidate.

    Attributes
    ----------
    candidate : str
        Its name.
    findings : list of Finding
        In the order of the checks; those after a failure that leaves nothing to look at are missing.
    measured : dict
        JSON-able numbers behind the findings: `psnr`, `channels`, `factor`, `multiple`, `latent_mean`, ...
    """

    candidate: str
    findings: list[Finding] = field(default_factory=list)
    measured: dict[str, Any] = field(default_factory=dict)
    _since: float = field(default_factory=time.perf_counter, repr=False)

    @property
    def refused(self) -> bool:
        """Whether any check refuses the candidate."""
        return any(finding.status is Status.REFUSED for finding in self.findings)

    @property
    def verdict(self) -> str:
        """One line: refused and by which checks, or accepted and with which warnings."""
        refusals = [finding.check for finding in self.findings if finding.status is Status.REFUSED]
        warnings = [finding.check for finding in self.findings if finding.status is Status.WARNING]
        if refusals:
            return f"{self.candidate}: refused ({', '.join(refusals)})"
        return f"{self.candidate}: accepted" + (
            f", with warnings ({', '.join(warnings)})" if warnings else ""
        )

    @property
    def remark(self) -> str:
        """The first refusal, or else the first warning, in words; empty if there is none."""
        for status in (Status.REFUSED, Status.WARNING):
            for finding in self.findings:
                if finding.status is status:
                    return f"{finding.check}: {finding.message}"
        return ""

    @property
    def refusal(self) -> str:
        """One line: the verdict, then the first refusal and its mend."""
        first = next(finding for finding in self.findings if finding.status is Status.REFUSED)
        return f"{self.verdict}: {first.message}" + (f"; {first.mend}" if first.mend else "")

    def add(self, check: str, status: Status, message: str, mend: str | None = None) -> None:
        """Note the outcome of a check; the time since the one before it is its own."""
        now = time.perf_counter()
        self.findings.append(Finding(check, status, message, mend, now - self._since))
        self._since = now

    def as_json(self) -> dict[str, Any]:
        """Give the object that `vaescreen registry check --format json` prints for a candidate."""
        return {
            "candidate": self.candidate,
            "refused": self.refused,
            "verdict": self.verdict,
            "findings": [
                {
                    "check": finding.check,
                    "status": finding.status.value,
                    "message": finding.message,
                    "mend": finding.mend,
                    "seconds": round(finding.seconds, 3),
                }
                for finding in self.findings
            ],
            "measured": self.measured,
        }
