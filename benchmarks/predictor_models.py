"""Models of SR PSNR that were tried, ours among them, each scored on what it has not seen.

    python benchmarks/predictor_models.py [--results leaderboards/results] [--recipe nano]

writes `benchmarks/results/predictor-models.json` and `.md`. Every choice of features or strength is made inside
the validation, on the points that are left in. The ideas:

- published rule, bicubic alone, AE ceiling and bicubic, each probe alone
- additive error model: squared error = a * AE + b * (probe - AE) + ..., slopes not negative, relative errors
- ridge over all corrections, its strength by the error at single points left out
- mixed model: the convolutional probe's gap on two corrections, the data set as random effect
- Gaussian process on the probe's gap
- a probe with one, two or three corrections chosen by the same error as the strength of ours, the simplest within
  one standard error (Breiman et al., 1984); two corrections with free slopes; two chosen by candidates alone
- the mean of the twenty best of the forms with two corrections
- ours with a kernel that is more or less smooth, or linear alone, which it was until this was found; ours on fewer
  corrections; on either denoising probe instead of the convolutional one; the mean of linear and Gaussian process
"""

import argparse
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations, groupby
from pathlib import Path

import numpy as np
import statsmodels.api as sm
from scipy.optimize import nnls
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vaescreen.errors import ResultError
from vaescreen.predictor.catalogue import CORRECTIONS, OURS, PREDICTOR, PREDICTORS
from vaescreen.predictor.linear import Form
from vaescreen.predictor.model import Fits, Model
from vaescreen.predictor.points import TARGETS, load_points
from vaescreen.predictor.sample import Sample, Vector, stack
from vaescreen.predictor.scores import Predictions, Scores, score
from vaescreen.predictor.transfer import group_errors, transfer_losses
from vaescreen.predictor.validation import SCHEMES, values_held_out
from vaescreen.ranking.columns import number
from vaescreen.reports.markdown import table
from vaescreen.storage import write_bytes, write_json

Columns = Mapping[str, Vector]

CONV = "conv_probe_psnr"
GAP_FEATURES = (
    "latent_gap",
    "log2_factor",
    "log2_channels",
    "denoising_gap",
    "sampling_gap",
    "nonlinear_gap",
)
MIXED_FEATURES = ("latent_gap", "log2_factor")


@dataclass(frozen=True)
class Fitted:
    """A model as a function from features to dB."""

    function: Callable[[Columns], Vector]

    def predict(self, columns: Columns) -> Vector:
        return self.function(columns)


def stacked(names: Sequence[str], columns: Columns) -> Vector:
    return np.column_stack([columns[name] for name in names])


def squared(psnr: Vector) -> Vector:
    return np.power(10.0, -psnr / 10)


@dataclass(frozen=True)
class Additive:
    """Squared error as a sum of the autoencoder's and of each probe's beyond it, fitted by relative errors.

    Non-negative least squares on `sum of slope * part / target = 1`: to first order that is least squares in dB.
    """

    probes: tuple[str, ...]

    def fit(self, sample: Sample) -> Fitted:
        probes = [name for name in self.probes if name in sample.columns]
        if len(probes) < len(self.probes):
            raise ResultError(f"no {set(self.probes) - set(probes)} in every score card")
        target = squared(sample.target)
        slopes, _ = nnls(self._parts(sample.columns) / target[:, None], np.ones(len(target)))
        return Fitted(lambda columns: -10 * np.log10(self._parts(columns) @ slopes))

    def _parts(self, columns: Columns) -> Vector:
        own = squared(columns["ae_ceiling"])
        beyond = [np.maximum(squared(columns[name]) - own, 1e-9) for name in self.probes]
        return np.column_stack([own, *beyond])


class AllFeaturesRidge:
    """Ridge of the convolutional probe's gap over every correction."""

    def fit(self, sample: Sample) -> Fitted:
        names = [name for name in CORRECTIONS if name in sample.columns]
        model = make_pipeline(StandardScaler(), RidgeCV(alphas=np.logspace(-2, 4, 25)))
        model.fit(stacked(names, sample.columns), sample.target - sample.columns[CONV])
        return Fitted(lambda columns: columns[CONV] + model.predict(stacked(names, columns)))


class Mixed:
    """The gap on two corrections with a random intercept for each data set, known again by its bicubic PSNR."""

    def fit(self, sample: Sample) -> Fitted:
        gap = sample.target - sample.columns[CONV]
        groups = np.round(sample.columns["bicubic_psnr"], 6)
        design = sm.add_constant(stacked(MIXED_FEATURES, sample.columns))
        if len(np.unique(groups)) < 2:
            fixed, effects = np.linalg.lstsq(design, gap, rcond=None)[0], {}
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                result = sm.MixedLM(gap, design, groups).fit()
            fixed = result.fe_params
            varies = np.asarray(result.cov_re).item() > 0
            effects = {
                group: float(effect.iloc[0])
                for group, effect in (result.random_effects.items() if varies else ())
            }

        def predict(columns: Columns) -> Vector:
            known = np.array([effects.get(each, 0.0) for each in np.round(columns["bicubic_psnr"], 6)])
            rows = sm.add_constant(stacked(MIXED_FEATURES, columns), has_constant="add")
            value: Vector = columns[CONV] + rows @ fixed + known
            return value

        return Fitted(predict)


class GaussianProcess:
    """The gap as a smooth function of a few corrections."""

    def fit(self, sample: Sample) -> Fitted:
        names = [name for name in GAP_FEATURES if name in sample.columns]
        kernel = ConstantKernel(1.0) * RBF([3.0] * len(names), (0.5, 1e3)) + WhiteKernel(0.05)
        process = GaussianProcessRegressor(kernel, normalize_y=True, n_restarts_optimizer=0, random_state=0)
        model = make_pipeline(StandardScaler(), process)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(stacked(names, sample.columns), sample.target - sample.columns[CONV])
        return Fitted(lambda columns: columns[CONV] + model.predict(stacked(names, columns)))


@dataclass(frozen=True)
class Blend:
    """Mean of the predictions of several models."""

    parts: tuple[Fits[Model], ...]

    def fit(self, sample: Sample) -> Fitted:
        models = [part.fit(sample) for part in self.parts]
        return Fitted(lambda columns: np.mean([model.predict(columns) for model in models], axis=0))


@dataclass(frozen=True)
class Chosen:
    """Forms among which the points decide.

    Of the forms whose mean loss is at most one standard error above the least (of the paired difference, candidates
    being the units) the one with the fewest parameters, or with `simplest` off the one with the least loss. The loss
    is that of ours, or without `data` the error on candidates left out. `mean_of` averages the best forms instead.
    """

    forms: tuple[Form, ...]
    data: bool = True
    simplest: bool = True
    mean_of: int = 1

    def fit(self, sample: Sample) -> Model:
        forms = [form for form in self.forms if all(name in sample.columns for name in form.used)]
        if not forms:
            raise ResultError("no form has its features in every score card")
        losses = np.concatenate(
            [
                self._losses(list(equal), sample)
                for _, equal in groupby(forms, key=lambda form: len(form.features))
            ]
        )
        means = losses.mean(axis=1)
        if self.mean_of > 1:
            return Blend(tuple(forms[place] for place in means.argsort()[: self.mean_of])).fit(sample)
        near = [
            place for place in range(len(forms)) if self._near(losses[place], losses[means.argmin()], sample)
        ]
        order = (
            (lambda place: (len(forms[place].features), means[place])) if self.simplest else means.__getitem__
        )
        return forms[min(near, key=order)].fit(sample)

    def _losses(self, forms: Sequence[Form], sample: Sample) -> Vector:
        features = np.stack([stack(form.features, sample.columns) for form in forms])
        left, _, _ = np.linalg.svd(features - features.mean(axis=1, keepdims=True), full_matrices=False)
        hats = left @ left.swapaxes(1, 2) + 1 / len(sample)
        targets = np.stack([form.response(sample) for form in forms])
        if self.data:
            return transfer_losses(hats, targets, sample)
        return group_errors(hats, targets, np.unique(sample.candidates, return_inverse=True)[1]) ** 2

    def _near(self, loss: Vector, least: Vector, sample: Sample) -> bool:
        if not np.isfinite(loss).all():
            return False
        sums = [(loss - least)[sample.candidates == name].sum() for name in np.unique(sample.candidates)]
        return bool((loss - least).mean() <= np.sqrt(len(sums)) * np.std(sums, ddof=1) / len(loss))


BASES = (CONV, "denoise_mean_psnr", "denoise_sample_psnr")


def forms(most: int, free: bool = False) -> tuple[Form, ...]:
    """Every base with up to `most` corrections, the simplest first; with a slope of its own if `free`."""
    return tuple(
        Form((base, *corrections)) if free else Form(corrections, offset=base)
        for count in range(most + 1)
        for corrections in combinations(CORRECTIONS, count)
        for base in BASES
    )


MODELS: dict[str, Fits[Model]] = {
    **{name: predictor for name, predictor in PREDICTORS.items() if name != OURS},
    "denoising probe gap": Form((), offset="denoise_mean_psnr"),
    "sampled probe gap": Form((), offset="denoise_sample_psnr"),
    "additive, convolutional probe": Additive((CONV,)),
    "additive, denoising probes": Additive((CONV, "denoise_mean_psnr", "denoise_sample_psnr")),
    "mixed model": Mixed(),
    "Gaussian process": GaussianProcess(),
    "one correction": Chosen(forms(1)),
    "two corrections": Chosen(forms(2)),
    "three corrections": Chosen(forms(3)),
    "two corrections, free slopes": Chosen(forms(2, free=True)),
    "two corrections, by candidates alone": Chosen(forms(2), data=False, simplest=False),
    "mean of the twenty best with two": Chosen(forms(2), mean_of=20),
    "ridge by points alone": AllFeaturesRidge(),
    OURS: PREDICTOR,
    "ours, linear alone": replace(PREDICTOR, smooth=0.0),
    "ours, a quarter smooth": replace(PREDICTOR, smooth=0.25),
    "ours, three quarters smooth": replace(PREDICTOR, smooth=0.75),
    "ours, smooth alone": replace(PREDICTOR, smooth=1.0),
    "ours on six corrections": replace(PREDICTOR, corrections=GAP_FEATURES),
    "ours on the denoising probe": replace(PREDICTOR, offset="denoise_mean_psnr"),
    "ours on the sampled probe": replace(PREDICTOR, offset="denoise_sample_psnr"),
    "linear alone and Gaussian process": Blend((replace(PREDICTOR, smooth=0.0), GaussianProcess())),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=Path("leaderboards/results"))
    parser.add_argument("--recipe", default="nano")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    arguments = parser.parse_args()
    points = load_points(arguments.results, arguments.recipe)
    figures: dict[str, dict[str, dict[str, Scores | str]]] = {}
    for target in TARGETS:
        sample = Sample.of(points, target)
        for name, model in MODELS.items():
            for scheme, (_, group_of) in SCHEMES.items():
                groups = np.array([group_of(point) for point in points])
                cell = figures.setdefault(target, {}).setdefault(name, {})
                try:
                    value = values_held_out(model, sample, groups)
                except (ResultError, np.linalg.LinAlgError) as error:
                    cell[scheme] = str(error)
                else:
                    unbounded = np.full_like(value, np.inf)
                    cell[scheme] = score(
                        sample.target, Predictions(value, -unbounded, unbounded), sample.data
                    )
            print(target, name, flush=True)
    _write(arguments.out, len(points), figures)


def _write(out: Path, points: int, figures: Mapping[str, Mapping[str, Mapping[str, Scores | str]]]) -> None:
    record = {
        target: {
            name: {scheme: cell if isinstance(cell, str) else asdict(cell) for scheme, cell in cells.items()}
            for name, cells in models.items()
        }
        for target, models in figures.items()
    }
    write_json(out / "predictor-models.json", {"points": points, "figures": record})
    parts = [
        "# Models of SR PSNR that were tried",
        f"{points} reference points; `python benchmarks/predictor_models.py`. Q² and MAE in dB with one candidate, "
        "geometry, domain or data set left out; the smallest Kendall's tau and the largest regret of the data sets "
        "with one candidate left out.",
    ]
    for target, models in figures.items():
        rows = [[name, *(_cells(cells))] for name, cells in models.items()]
        headers = ["model", *(scheme.removeprefix("leave-one-").removesuffix("-out") for scheme in SCHEMES)]
        parts += [f"## {target}", table([*headers, "tau", "regret"], rows)]
    write_bytes(out / "predictor-models.md", ("\n\n".join(parts) + "\n").encode())
    print(json.dumps({"written": str(out / "predictor-models.md")}))


def _cells(cells: Mapping[str, Scores | str]) -> list[str]:
    shown = [
        "—" if isinstance(cell, str) else f"{number(cell.q2, 3)}, {number(cell.mae)}"
        for cell in cells.values()
    ]
    first = next(iter(cells.values()))
    return [*shown, *(["—"] * 2 if isinstance(first, str) else [number(first.tau), number(first.regret)])]


if __name__ == "__main__":
    main()
