"""A recipe is looked up by name, describes every choice it makes, and refuses choices that make no sense."""

import json
from dataclasses import fields, replace

import pytest

from vaescreen.errors import RecipeError
from vaescreen.superres.networks import NETWORKS
from vaescreen.superres.recipes import COMPACT, PAPER, RECIPES, recipe_named
from vaescreen.superres.variants import vary


def test_recipes_are_found_by_their_own_names():
    assert all(recipe_named(name).name == name for name in RECIPES)
    assert recipe_named("compact") is COMPACT
    assert set(RECIPES) == {"compact", "standard", "published-conditioning", "paper"}


def test_unknown_names_get_a_hint():
    with pytest.raises(RecipeError, match="unknown recipe 'compakt'; did you mean 'compact'"):
        recipe_named("compakt")
    with pytest.raises(RecipeError, match="choose from compact, standard, published-conditioning, paper"):
        recipe_named("zzz")


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))
def test_the_description_survives_json_and_holds_every_choice(recipe):
    description = recipe.description()
    assert json.loads(json.dumps(description)) == description
    assert set(description) == {field.name for field in fields(recipe)}
    assert replace(recipe, ema=0.9).description() != description


def test_recipes_that_differ_in_sampling_alone_share_their_training():
    sampled = replace(COMPACT, name="other", sampler="ddpm", sampler_steps=10, start_noise=0.5)
    assert sampled.training_description() == COMPACT.training_description()
    for change in ({"target": "latent"}, {"ema": 0.9}, {"size": 256}, {"network": NETWORKS["unet-small"]}):
        assert replace(COMPACT, **change).training_description() != COMPACT.training_description()


def test_the_budget_counts_samples_or_epochs():
    assert replace(COMPACT, samples=35, batch=8).steps_on(1) == 4
    assert replace(COMPACT, samples=35, batch=8).steps_on(1000) == 4
    assert PAPER.steps_on(1000) == 100 * 1000 // 8


def test_paper_is_the_published_training():
    """arXiv 2604.12152, as facts that a reader can check against its section on the SR model."""
    published = {
        "objective": "x0",
        "loss": "l1",
        "schedule": "cosine",
        "noise_levels": 1000,
        "conditioning": ("lr-latent",),
        "target": "latent",
        "learning_rate": 1e-4,
        "weight_decay": 0.01,
        "clip": 1.0,
        "batch": 8,
        "epochs": 100,
        "size": 256,
        "crop": 256,
        "warm_up": 0,
    }
    assert {name: getattr(PAPER, name) for name in published} == published
    assert PAPER.degradation.scale == 4
    network = PAPER.network.build(6, 3, 64).config
    assert tuple(network.block_out_channels) == (128, 256, 512, 512)
    assert network.layers_per_block == 2
    assert tuple(network.down_block_types) == ("DownBlock2D",) * 2 + ("AttnDownBlock2D", "DownBlock2D")
    assert tuple(network.up_block_types) == ("UpBlock2D", "AttnUpBlock2D") + ("UpBlock2D",) * 2


PLAIN = {"preconditioning": "none"}
SHIFT = {
    **PLAIN,
    "objective": "residual-shift",
    "target": "latent",
    "schedule": "geometric",
    "noise_levels": 15,
    "sampler": "residual-shift",
    "sampler_steps": 15,
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"objective": "x1"}, "objective is 'x1'; choose from x0, epsilon, v, flow"),
        ({"conditioning": ("lr-latent", "hr")}, "conditioning is 'hr'; choose from lr-latent"),
        ({"conditioning": ()}, "conditioning is empty"),
        ({"conditioning": ("lr-latent", "lr-latent")}, "names one thing twice"),
        ({"sampler_steps": 30}, "30 sampler_steps do not divide 1000 noise_levels"),
        ({"sampler": "truncated", "sampler_steps": 1001}, "1001 are more than noise_levels"),
        ({"size": 130}, "size 130 is not a multiple of the scale 4"),
        ({"crop": 66}, "crop 66 does not end on the LR grid; give a multiple of 4"),
        ({"crop": 256}, "crop 256 is larger than size 128"),
        ({"network": NETWORKS["dit-nano"]}, "train it on whole images, crop 128"),
        ({"samples": None}, "budget as samples or as epochs"),
        ({"epochs": 3}, "budget as samples or as epochs"),
        ({"samples": 15}, "fewer than one batch"),
        ({"batch": 0}, "batch is 0; give a positive number"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"ema": 1.0}, "ema is 1.0; give a decay from 0 to below 1"),
        ({"objective": "v"}, "preconditioning wiener hides the noise"),
        ({"objective": "flow", **PLAIN}, "flow and schedule straight go together"),
        ({"schedule": "straight"}, "flow and schedule straight go together"),
        ({"objective": "flow", "schedule": "straight", **PLAIN}, "flow is sampled by euler, not by ddim"),
        ({"target": "difference"}, "target is 'difference'; choose from latent, residual"),
        ({"conditioning": ("lr-pixels",)}, "must be told it: add upsampled-latent"),
        (
            {"objective": "residual-shift", "target": "latent", **PLAIN},
            "schedule geometric and sampler residual-shift",
        ),
        ({"schedule": "geometric"}, "schedule geometric and sampler residual-shift"),
        ({"sampler": "residual-shift"}, "schedule geometric and sampler residual-shift"),
        ({**SHIFT, "target": "residual"}, "residual-shift takes target latent"),
        ({**SHIFT, "sampler_steps": 5}, "walks all 15 noise_levels, not 5"),
        ({**SHIFT, "conditioning": ("lr-latent",)}, "must be told it: add upsampled-latent"),
        ({"objective": "epsilon", "schedule": "zero-terminal-snr", **PLAIN}, "epsilon says nothing of x0"),
    ],
)
def test_senseless_combinations_are_refused_in_one_line(change, message):
    with pytest.raises(RecipeError, match=message) as caught:
        replace(COMPACT, **change)
    assert str(caught.value).startswith("recipe compact: ")
    assert "\n" not in str(caught.value)


class TestVariants:
    def test_the_name_says_what_changed_and_finds_the_variant_again(self):
        for changes in (
            {"objective": "v"},
            {"objective": "flow"},
            {"sampler": "dpm-solver++", "sampler_steps": 10},
            {"network": "dit-nano"},
            {"conditioning": "lr-latent_lr-pixels", "target": "latent"},
            {"objective": "residual-shift"},
            {"target": "latent"},
            {"ema": 0.5, "mirror": False},
            {"degradation": "kspace-rician0.05-x2", "objective": "v"},
            {"degradation": "bicubic-torch-aliased-x4"},
        ):
            variant = vary(COMPACT, **changes)
            assert variant.name == "compact" + "".join(f"+{name}={value}" for name, value in changes.items())
            assert recipe_named(variant.name) == variant
            assert variant != COMPACT

    def test_texts_become_values_of_the_field(self):
        variant = vary(COMPACT, mirror="false", samples="320", ema="0.5", sampler_steps="1")
        assert (variant.mirror, variant.samples, variant.ema, variant.sampler_steps) == (False, 320, 0.5, 1)
        assert isinstance(variant.samples, int)

    def test_what_a_choice_needs_follows(self):
        flow = vary(COMPACT, objective="flow")
        assert (flow.schedule, flow.sampler) == ("straight", "euler")
        assert vary(flow, objective="x0").schedule == "cosine"
        shift = vary(COMPACT, objective="residual-shift")
        assert {name: getattr(shift, name) for name in SHIFT} == SHIFT
        assert vary(COMPACT, objective="residual-shift", sampler="posterior-mean").noise_levels == 15
        assert vary(vary(shift, objective="flow"), objective="x0").schedule == "cosine"
        assert vary(COMPACT, network="dit-nano").crop == COMPACT.size
        assert vary(COMPACT, epochs=2).samples is None
        assert vary(PAPER, samples=800).epochs is None

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"objectiv": "v"}, "no choice called 'objectiv'; did you mean 'objective'"),
            ({"name": "x"}, "no choice called 'name'"),
            ({"degradation": "blur-x4"}, "unknown degradation 'blur'"),
            ({"network": "unet-huge"}, "unknown network 'unet-huge'; choose from unet-nano"),
            ({"samples": "many"}, "samples cannot be 'many'"),
            ({"mirror": "perhaps"}, "mirror cannot be 'perhaps'"),
            ({"schedule": "square"}, "schedule is 'square'"),
        ],
    )
    def test_what_cannot_be_is_refused(self, changes, message):
        with pytest.raises(RecipeError, match=message):
            vary(COMPACT, **changes)
