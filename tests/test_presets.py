"""Presets: shipped ones are sound, those of the workspace win, and parameters mean what they say under any of their names."""

from pathlib import Path

import pytest

from kagglekit.errors import KKError
from kagglekit.models import presets
from kagglekit.models.family import REGISTRY, check_model


@pytest.mark.parametrize("name", presets.known())
def test_a_shipped_preset_is_of_a_family_tells_what_it_is_and_searches_what_can_be_searched(name: str) -> None:
    assert presets.model_of(name) in REGISTRY and 0 < len(presets.about(name)) <= 80 and check_model(name).name == name
    for key, entry in presets.space(name).items():
        default = presets.defaults(name).get(key)
        if isinstance(default, (int, float)) and "low" in entry and key != "iterations":
            assert entry["low"] <= default <= entry["high"], f"{key} of {name}"


def test_a_preset_of_the_workspace_is_a_model_and_wins_over_the_shipped_one(workspace: Path) -> None:
    (workspace / "configs" / "forest.toml").write_text("[defaults]\nn_estimators = 7\n")
    (workspace / "configs" / "stump.toml").write_text('model = "tree"\nabout = "one cut"\n[defaults]\nmax_depth = 1\n')
    assert presets.defaults("forest") == {"n_estimators": 7} and presets.space("forest") == {}
    assert "stump" in presets.known() and presets.model_of("stump") == "tree" and presets.about("stump") == "one cut"
    model = check_model("Stump")
    assert model.name == "stump" and presets.merged("stump", {"min_samples_leaf": 3}) == {"max_depth": 1, "min_samples_leaf": 3}
    (workspace / "configs" / "stump.toml").write_text('model = "tree"\n[defaults]\nmax_depth = 2\n')
    assert presets.defaults("stump") == {"max_depth": 2}


@pytest.mark.parametrize(("text", "says"), [
    ("[defaults\n", "cannot be read"), ("defaults = 3\n", "defaults is no table"),
    ("[space]\nx = { low = 5, high = 1 }\n", "the space of x is"), ("[space]\nx = { low = 0, high = 1, log = true }\n", "the space of x is"),
    ("[space]\nx = { low = 0, high = 1, when = { y = 1 } }\n", "'y' has a value, which is not searched"),
])
def test_a_preset_that_makes_no_sense_names_its_file(workspace: Path, text: str, says: str) -> None:
    (workspace / "configs" / "tree.toml").write_text(text)
    with pytest.raises(KKError, match=says):
        presets.space("tree")
        presets.defaults("tree")


def test_names_in_any_spelling_and_near_names_of_unknown_ones() -> None:
    assert check_model("LGBM dart").name == "lgbm-dart" and check_model("ridge").name == check_model("logistic").name == "linear"
    with pytest.raises(KKError, match=r"no model is called 'lgbm-drat'. Did you mean lgbm-dart"):
        check_model("lgbm-drat")


@pytest.mark.parametrize("name", ["num_iterations", "num_boost_round", "n_estimators", "num_trees", "nrounds"])
def test_every_name_of_the_rounds_fixes_them(name: str) -> None:
    assert presets.merged("lgbm", {name: 12}, "n_estimators")["n_estimators"] == 12


def test_other_names_stand_in_for_the_presets_and_nothing_is_given_twice() -> None:
    params = presets.merged("lgbm", {"eta": 0.5, "early_stopping_round": 9, "sub_row": 0.4}, "n_estimators")
    assert params["learning_rate"] == 0.5 and params["patience"] == 9 and params["bagging_fraction"] == 0.4 and "eta" not in params
    with pytest.raises(KKError, match="learning_rate is given twice"):
        presets.merged("lgbm", {"eta": 0.5, "learning_rate": 0.1}, "n_estimators")


@pytest.mark.parametrize("value", [0, -3, "abc", 1.5, True, float("nan")])
def test_rounds_are_a_whole_number_above_nothing(value: object) -> None:
    with pytest.raises(KKError, match="n_estimators = .* is no whole number of at least 1"):
        presets.merged("lgbm", {"num_rounds": value}, "n_estimators")
