"""Schema of result files: what must be in them before anything is made of them; more may be."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)


class _Geometry(_Part):
    channels: PositiveInt
    factor: PositiveInt


class _Data(_Part):
    name: str
    kind: Literal["real", "phantom"]
    fingerprint: str = Field(min_length=8)
    description: dict[str, Any]


class _Degradation(_Part):
    kernel: str
    scale: PositiveInt


class _View(_Part):
    size: PositiveInt | None
    degradation: _Degradation


class _Counts(_Part):
    train_images: NonNegativeInt
    test_images: PositiveInt
    test_patients: PositiveInt


class _CardSummary(_Part):
    __pydantic_extra__: dict[str, float | None]
    psnr: float
    psnr_foreground: float
    ssim: float
    bicubic_psnr: float


class _ReferenceSummary(_Part):
    __pydantic_extra__: dict[str, float | None]
    sr_psnr: float
    posterior_mean_psnr: float


class _Result(_Part):
    candidate: str
    fingerprint: str = Field(min_length=8)
    family: str
    domain: str
    geometry: _Geometry
    data: _Data
    environment: dict[str, Any]
    command: str


class ScoreCard(_Result):
    """`scores/<data>/<candidate>.json`."""

    protocol: Literal["score-1", "score-2", "score-3"]
    view: _View
    counts: _Counts
    summary: _CardSummary


class ReferencePoint(_Result):
    """`reference/<recipe>/<data>/<candidate>-seed<n>.json`."""

    protocol: Literal["reference-1", "reference-2"]
    recipe: dict[str, Any]
    seed: NonNegativeInt
    summary: _ReferenceSummary


Schema = type[ScoreCard] | type[ReferencePoint]
