"""The doctor of a candidate: is this autoencoder run as it must be, and what does it cost?

`examine` opens a candidate, encodes and decodes a few images, and gives an `Examination`: a finding for each
check, with the mend where there is one, and a verdict. `subject` says what is examined, `behaviour` checks
shapes, sizes and repeatability, `value_range`, `posterior` and `precision` open the candidate in other ways, `cost`
measures time and memory.
"""

from vaescreen.screening.doctor.examine import examine, examine_candidate
from vaescreen.screening.doctor.findings import Examination, Finding, Status

__all__ = ["Examination", "Finding", "Status", "examine", "examine_candidate"]
