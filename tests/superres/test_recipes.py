"""A recipe is looked up by name and describes every choice it makes."""

import json
from dataclasses import fields, replace

import pytest

from vaescreen.errors import ResultError
from vaescreen.superres.recipes import NANO, RECIPES, recipe_named


def test_recipes_are_found_by_their_own_names():
    assert all(recipe_named(name).name == name for name in RECIPES)
    assert recipe_named("nano") is NANO


def test_unknown_names_get_a_hint():
    with pytest.raises(ResultError, match="unknown recipe 'nanno'; did you mean 'nano'"):
        recipe_named("nanno")
    with pytest.raises(ResultError, match="choose from nano"):
        recipe_named("zzz")


def test_the_description_survives_json_and_holds_every_choice():
    description = NANO.description()
    assert json.loads(json.dumps(description)) == description
    assert set(description) == {field.name for field in fields(NANO)}
    assert replace(NANO, ema=0.9).description() != description


def test_the_budget_counts_samples():
    assert replace(NANO, samples=35, batch=8).steps == 4
    assert replace(NANO, samples=35, batch=8, crop=128).steps == 4
