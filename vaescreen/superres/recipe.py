"""What a recipe is: every choice that moves the outcome of an SR training, checked when it is made."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from vaescreen.errors import RecipeError
from vaescreen.images.degradation import Degradation
from vaescreen.screening.conditioning import Conditioning, Part, Target
from vaescreen.screening.view import View
from vaescreen.superres.networks import Network

Scaling = Literal["standardised", "native", "none"]
Objective = Literal["x0", "epsilon", "v", "flow", "residual-shift", "regression"]
Preconditioning = Literal["none", "wiener"]
Schedule = Literal["cosine", "linear", "zero-terminal-snr", "straight", "geometric"]
Loss = Literal["l1", "l2"]
Precision = Literal["bfloat16", "float32"]
Sampler = Literal["ddim", "ddpm", "dpm-solver++", "euler", "residual-shift", "posterior-mean", "truncated"]

WORDS: dict[str, tuple[str, ...]] = {
    "conditioning": get_args(Part),
    "latent_scaling": get_args(Scaling),
    "target": get_args(Target),
    "objective": get_args(Objective),
    "preconditioning": get_args(Preconditioning),
    "schedule": get_args(Schedule),
    "loss": get_args(Loss),
    "precision": get_args(Precision),
    "sampler": get_args(Sampler),
}
_POSITIVE = (
    "version",
    "crop",
    "batch",
    "learning_rate",
    "noise_levels",
    "clip",
    "sampler_steps",
    "start_noise",
)
_OF_SAMPLING = ("name", "version", "sampler", "sampler_steps", "start_noise")


@dataclass(frozen=True)
class Recipe:
    """A latent-diffusion SR training and its evaluation.

    Parameters
    ----------
    name, version
        Identity; results of unlike versions are not compared.
    size
        Side of the HR images in pixels.
    degradation
        From HR to LR.
    conditioning
        What is concatenated to the noisy latent (see `Conditioning`).
    latent_scaling
        `standardised` per channel on the train split; `native`, as the autoencoder's own generative models take
        them; or `none`.
    target
        What is generated, the HR `latent` or its `residual` (see `Conditioning`), scaled as the latents are. A model of
        the residual need not learn to copy what it is told.
    mirror
        Whether the mirror images of the train split are trained on too.
    objective
        What the network predicts: `x0`, `epsilon`, `v` (Salimans and Ho, 2022) or `flow`, the velocity
        of rectified flow (Liu et al., 2023), noise - x0; `residual-shift`, x0 where noise comes with a shift
        towards the latent of the upsampled image (ResShift, Yue et al., 2023); or `regression`, x0 from the
        condition alone, without noise: no diffusion, but the baseline that it must beat.
    preconditioning
        What the network is shown of noisy latents: `none`, the latents as they are (residual-shift divides them by
        their SD, as published), or `wiener`, the linear estimate of x0 from them alone, which is zero where nothing but
        noise is left: the network need not learn to ignore it.
    schedule, noise_levels
        `cosine` (Nichol and Dhariwal, 2021), `linear` (Ho et al., 2020), `zero-terminal-snr` (the linear one
        rescaled, Lin et al., 2024); `straight`, from x0 to noise in equal steps, for flow alone; `geometric`, the
        shifts of ResShift, for residual-shift alone.
    loss
        `l2` or `l1` between the prediction and what it should be.
    network
        A `UNet` or a `Transformer`.
    crop
        Side in HR pixels of the random crops that the network is trained on; it is sampled on whole images.
    samples, epochs
        Training budget, one of both: crops seen, equal for all candidates whatever their latents cost, or times
        the train split is seen. With epochs the learning rate is constant within each.
    batch, learning_rate, weight_decay, warm_up, clip
        AdamW with linear warm-up over `warm_up` steps, cosine decay to zero and gradients clipped to norm `clip`.
    ema
        Decay of the moving average of the weights, which is what is evaluated; 0 for the weights themselves.
    precision
        Of the network's arithmetic: `bfloat16` is mixed precision; weights and all else are float32.
    compile
        Whether `torch.compile` speeds the network up on a GPU.
    sampler, sampler_steps
        diffusers' `ddim` (eta 0), `ddpm`, `dpm-solver++` (second order) or `euler` over evenly strided levels from
        the last one down, ending at zero noise; `residual-shift`, ResShift's own chain over all its levels;
        `posterior-mean`, one step from pure noise; or `truncated`, what published code does: the first
        `sampler_steps` of *all* levels, then the estimate of x0 as it stands.
    start_noise
        SD of the noise that sampling starts from; 1 is what the schedules assume.

    Raises
    ------
    RecipeError
        If choices are unknown or make no sense together.
    """

    name: str
    version: int
    size: int
    degradation: Degradation
    conditioning: tuple[Part, ...]
    latent_scaling: Scaling
    target: Target
    mirror: bool
    objective: Objective
    preconditioning: Preconditioning
    schedule: Schedule
    noise_levels: int
    loss: Loss
    network: Network
    crop: int
    samples: int | None
    epochs: int | None
    batch: int
    learning_rate: float
    weight_decay: float
    warm_up: int
    clip: float
    ema: float
    precision: Precision
    compile: bool
    sampler: Sampler
    sampler_steps: int
    start_noise: float

    def __post_init__(self) -> None:
        for field, words in WORDS.items():
            value = getattr(self, field)
            for word in value if isinstance(value, tuple) else (value,):
                if word not in words:
                    self._refuse(f"{field} is {word!r}; choose from {', '.join(words)}")
        for field in _POSITIVE:
            if not getattr(self, field) > 0:
                self._refuse(f"{field} is {getattr(self, field)}; give a positive number")
        for problem in self._problems():
            self._refuse(problem)

    def _problems(self) -> list[str]:
        flow, scale, steps = self.objective == "flow", self.degradation.scale, self.sampler_steps
        shift, mean = self.objective == "residual-shift", self.sampler == "posterior-mean"
        strided = self.sampler not in ("posterior-mean", "truncated")
        checks = [
            (not self.conditioning, "conditioning is empty; a super-resolution model must see the LR image"),
            (len(set(self.conditioning)) < len(self.conditioning), "conditioning names one thing twice"),
            (self.size % scale, f"size {self.size} is not a multiple of the scale {scale}"),
            (self.crop > self.size, f"crop {self.crop} is larger than size {self.size}"),
            (self.crop % scale, f"crop {self.crop} does not end on the LR grid; give a multiple of {scale}"),
            (
                self.network.kind == "transformer" and self.crop != self.size,
                f"a transformer knows places by their coordinates: train it on whole images, crop {self.size}",
            ),
            ((self.samples is None) == (self.epochs is None), "give the budget as samples or as epochs"),
            (self.samples is not None and self.samples < self.batch, "samples are fewer than one batch"),
            (self.epochs is not None and self.epochs < 1, f"epochs is {self.epochs}; give 1 at least"),
            (not 0 <= self.ema < 1, f"ema is {self.ema}; give a decay from 0 to below 1"),
            (self.warm_up < 0 or self.weight_decay < 0, "warm_up and weight_decay cannot be negative"),
            (
                (shift or self.target == "residual") and "upsampled-latent" not in self.conditioning,
                "what departs from the latent of the upsampled image must be told it: add upsampled-latent to the "
                "conditioning",
            ),
            (
                shift and self.target == "residual",
                "residual-shift takes target latent; the shift is its residual",
            ),
            (
                self.preconditioning == "wiener" and self.objective != "x0",
                "preconditioning wiener hides the noise that other objectives predict; it goes with objective x0",
            ),
            (flow != (self.schedule == "straight"), "objective flow and schedule straight go together"),
            (
                len(
                    {
                        shift,
                        self.schedule == "geometric",
                        self.sampler == "residual-shift" or (shift and mean),
                    }
                )
                > 1,
                "objective residual-shift, schedule geometric and sampler residual-shift or posterior-mean go together",
            ),
            (
                self.sampler == "residual-shift" and steps != self.noise_levels,
                f"sampler residual-shift walks all {self.noise_levels} noise_levels, not {steps} of them",
            ),
            (
                flow and self.sampler not in ("euler", "posterior-mean"),
                f"objective flow is sampled by euler, not by {self.sampler}",
            ),
            (
                self.objective == "regression" and (self.sampler, self.noise_levels) != ("posterior-mean", 1),
                "regression knows no noise: it takes sampler posterior-mean and noise_levels 1",
            ),
            (
                self.objective == "epsilon" and self.schedule == "zero-terminal-snr",
                "where the last level is noise alone, epsilon says nothing of x0; predict v or x0",
            ),
            (
                strided and self.noise_levels % steps,
                f"{steps} sampler_steps do not divide {self.noise_levels} noise_levels into equal strides",
            ),
            (steps > self.noise_levels, f"sampler_steps {steps} are more than noise_levels"),
        ]
        return [problem for wrong, problem in checks if wrong]

    def _refuse(self, problem: str) -> None:
        raise RecipeError(f"recipe {self.name}: {problem}")

    @property
    def task(self) -> Conditioning:
        """What the network is told and what it generates."""
        return Conditioning(self.conditioning, self.target)

    @property
    def view(self) -> View:
        """What a score card must have looked at to foresee this training."""
        return View(self.size, self.degradation, self.task)

    def steps_on(self, images: int) -> int:
        """Optimiser steps that use up the budget on a train split of `images`."""
        samples = self.samples if self.samples is not None else (self.epochs or 0) * images
        return max(samples // self.batch, 1)

    def description(self) -> dict[str, Any]:
        """All choices as JSON-able values."""
        return {
            **_plain(asdict(self)),
            "degradation": self.degradation.description(),
            "network": _plain(asdict(self.network)),
        }

    def training_description(self) -> dict[str, Any]:
        """The choices that decide the trained weights: recipes that differ only in sampling share them."""
        return {key: value for key, value in self.description().items() if key not in _OF_SAMPLING}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}
