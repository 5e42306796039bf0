"""The metrics equal scikit-learn's, on ties and at the edges too; their names, weights, constants and refusals."""

import itertools
import warnings
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as theirs

from kagglekit import metrics
from kagglekit.errors import KKError
from kagglekit.metrics import REGISTRY, check_metric, misfit
from kagglekit.metrics.kaggle_names import METRICS, kaggle_metric
from kagglekit.predictions import decide
from tests.test_influence import example

Array = np.ndarray
SEEDS = st.integers(0, 2**31)


def weighted_columns(function: Callable, **options: object) -> Callable:
    """The mean over columns of a score of one."""
    return lambda y, p, **w: np.mean([function(y[:, k], p[:, k], **options, **w) for k in range(y.shape[1])])


LABELS = {
    "accuracy": theirs.accuracy_score,
    "balanced_accuracy": theirs.balanced_accuracy_score,
    "f1": lambda y, p, **w: theirs.f1_score(y, p, zero_division=0, **w),
    "fbeta@0.5": lambda y, p, **w: theirs.fbeta_score(y, p, beta=0.5, zero_division=0, **w),
    "fbeta@3": lambda y, p, **w: theirs.fbeta_score(y, p, beta=3, zero_division=0, **w),
    "macro_f1": lambda y, p, **w: theirs.f1_score(y, p, average="macro", zero_division=0, **w),
    "mcc": theirs.matthews_corrcoef,
    "kappa": theirs.cohen_kappa_score,
    "qwk": lambda y, p, **w: theirs.cohen_kappa_score(y, p, weights="quadratic", labels=range(4), **w),
    "mean_f1": lambda y, p, **w: theirs.f1_score(y, p, average="samples", zero_division=0, **w),
    "mean_fbeta@2": lambda y, p, **w: theirs.fbeta_score(y, p, beta=2, average="samples", zero_division=0, **w),
    "micro_f1": lambda y, p, **w: theirs.f1_score(y, p, average="micro", zero_division=0, **w),
    "hamming": theirs.hamming_loss,
}
SCORES = {
    "auc": theirs.roc_auc_score,
    "mcauc": lambda y, p, **w: theirs.roc_auc_score(y, p, average="macro", **w),
    "ap": theirs.average_precision_score,
    "logloss": theirs.log_loss,
    "mlogloss": lambda y, p, **w: theirs.log_loss(y, p, labels=range(p.shape[1]), **w),
    "mclogloss": weighted_columns(theirs.log_loss, labels=[0, 1]),
}
VALUES = {
    "rmse": theirs.root_mean_squared_error,
    "mse": theirs.mean_squared_error,
    "mae": theirs.mean_absolute_error,
    "rmsle": theirs.root_mean_squared_log_error,
    "mape": theirs.mean_absolute_percentage_error,
    "r2": theirs.r2_score,
    "mcrmse": theirs.root_mean_squared_error,
    "mcrmsle": theirs.root_mean_squared_log_error,
    "pinball@0.9": lambda y, p, **w: theirs.mean_pinball_loss(y, p, alpha=0.9, **w),
    "medae": theirs.median_absolute_error,
}


@pytest.mark.parametrize("name", [*LABELS, *SCORES, *VALUES])
@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, rows=st.integers(12, 200), weighted=st.booleans(), tied=st.booleans())
def test_metrics_equal_scikit_learn(name: str, seed: int, rows: int, weighted: bool, tied: bool) -> None:
    metric, peer = REGISTRY.get(name), {**LABELS, **SCORES, **VALUES}[name]
    y, p = example(metric, rows, seed)
    p = p.round(1) if tied and name in ("auc", "mcauc", "ap") else p
    weights = np.random.default_rng(seed).uniform(0.1, 3, rows) if weighted and metric.weighted and name != "mape" else None
    given = {} if weights is None else {"sample_weight": weights}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a class that is said but not true
        assert metric(y, p, weights) == pytest.approx(peer(y, p, **given), rel=1e-9, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(y=st.lists(st.integers(0, 1), min_size=1, max_size=12), data=st.data(), name=st.sampled_from(list(LABELS)[:8]))
def test_labels_at_the_edges(y: list[int], data: st.DataObject, name: str) -> None:
    """Few rows, one class only, constant predictions; scikit-learn has no number where one side is constant, Kaggle shows 0."""
    p = data.draw(st.lists(st.integers(0, 1), min_size=len(y), max_size=len(y)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = LABELS[name](y, p)
    assert REGISTRY.get(name)(y, p) == pytest.approx(0.0 if np.isnan(peer) else peer, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(y=st.lists(st.integers(0, 1), min_size=2, max_size=12).filter(lambda y: 0 < sum(y) < len(y)), data=st.data(),
       name=st.sampled_from(["auc", "ap"]))
def test_areas_are_exact_on_ties_and_of_constant_scores(y: list[int], data: st.DataObject, name: str) -> None:
    p = data.draw(st.lists(st.sampled_from([0.0, 0.25, 1.0]), min_size=len(y), max_size=len(y)))
    assert REGISTRY.get(name)(y, p) == pytest.approx(SCORES[name](y, p), rel=1e-14)
    if name == "auc":
        pairs = [(a > b) + (a == b) / 2 for (ya, a), (yb, b) in itertools.product(zip(y, p), repeat=2) if ya > yb]
        assert REGISTRY.get(name)(y, p) == sum(pairs) / len(pairs)  # to the last bit


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, tied=st.booleans())
def test_rank_correlations_equal_scipy(seed: int, tied: bool) -> None:
    y, p = example(REGISTRY.get("spearman"), 50, seed)
    y, p = (y.round(1), p.round(1)) if tied else (y, p)
    assert REGISTRY.get("spearman")(y, p) == pytest.approx(stats.spearmanr(y, p).statistic, abs=1e-12)
    assert REGISTRY.get("pearson")(y, p) == pytest.approx(stats.pearsonr(y, p).statistic, abs=1e-12)
    assert REGISTRY.get("spearman")(y, np.zeros(50)) == 0.0


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS)
def test_normalised_gini_is_that_of_the_lorenz_curve_and_for_two_classes_twice_the_area(seed: int) -> None:
    y, p = example(REGISTRY.get("ngini"), 60, seed)

    def gini(order: Array) -> float:
        return float(np.cumsum(y[order]).sum() / y.sum() - (len(y) + 1) / 2)

    assert REGISTRY.get("ngini")(y, p) == pytest.approx(gini(np.argsort(-p)) / gini(np.argsort(-y)))
    y, p = example(REGISTRY.get("auc"), 60, seed)
    assert REGISTRY.get("ngini")(y, p.round(1)) == pytest.approx(2 * REGISTRY.get("auc")(y, p.round(1)) - 1)


# Lists

def brute_map(truth: list[list[int]], lists: list[list[int]], k: int) -> float:
    """Mean average precision, row by row."""
    scores = []
    for right, said in zip(truth, lists):
        hits, total, seen = 0, 0.0, set()
        for place, code in enumerate(said[:k], 1):
            if code in right and code not in seen and code >= 0:
                hits += 1
                total += hits / place
            seen.add(code)
        scores.append(total / min(len(set(right)), k) if right else 0.0)
    return float(np.mean(scores))


@settings(max_examples=60, deadline=None)
@given(truth=st.lists(st.lists(st.integers(0, 4), max_size=4), min_size=1, max_size=8), k=st.integers(1, 6), data=st.data())
def test_map_is_that_of_each_list_with_codes_that_repeat_and_lists_that_are_short(truth: list[list[int]], k: int, data: st.DataObject) -> None:
    lists = data.draw(st.lists(st.lists(st.integers(-1, 4), min_size=4, max_size=4), min_size=len(truth), max_size=len(truth)))
    padded = np.array([row + [-1] * (4 - len(row)) for row in truth])
    assert check_metric(f"map@{k}")(padded, np.array(lists)) == pytest.approx(brute_map(truth, lists, k))


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, k=st.integers(1, 6))
def test_ndcg_and_misses_equal_scikit_learn(seed: int, k: int) -> None:
    random = np.random.default_rng(seed)
    score, right = random.normal(size=(20, 6)), random.uniform(size=(20, 6)) < 0.4
    right[:, 0] |= ~right.any(axis=1)
    padded = np.where(right, np.arange(6), -1)
    lists = decide(score, "list", range(6))
    assert check_metric(f"NDCG@{k}")(padded, lists) == pytest.approx(theirs.ndcg_score(right, score, k=k))
    code = random.integers(0, 6, 20)
    found = theirs.top_k_accuracy_score(code, score, k=k, labels=range(6)) if k < 6 else 1.0
    assert check_metric(f"top_k_err@{k}")(code, lists) == pytest.approx(1 - found)
    if k == 6:
        assert REGISTRY.get("map@k")(padded, lists) == pytest.approx(theirs.label_ranking_average_precision_score(right, score))


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, tied=st.booleans())
def test_lwlrap_is_label_ranking_precision_weighted_by_labels(seed: int, tied: bool) -> None:
    y, p = example(REGISTRY.get("lwlrap"), 40, seed)
    p = p.round(1) if tied else p
    peer = theirs.label_ranking_average_precision_score(y, p, sample_weight=y.sum(axis=1))
    assert REGISTRY.get("lwlrap")(y, p) == pytest.approx(peer)


def test_predictions_are_decided_for_lists_and_several_labels() -> None:
    score = np.array([[0.1, 0.7, 0.2], [0.5, 0.5, 0.0]])
    assert decide(score, "list", "abc").tolist() == [[1, 2, 0], [0, 1, 2]]
    assert decide(score, "list", "abc", k=2).tolist() == [[1, 2], [0, 1]]
    assert decide(np.array([[3, 1]]), "list", "abc").tolist() == [[3, 1]]
    assert decide(score, REGISTRY.get("mean_f1").form, ()).tolist() == [[0, 1, 0], [0, 0, 0]]
    wide = np.random.default_rng(0).normal(size=(50, 400)).round(1)
    assert (decide(wide, "list", (), k=400) == np.argsort(-wide, axis=1, kind="stable")).all()
    for k in (1, 12):
        top = decide(wide, "list", (), k=k)
        assert (np.take_along_axis(wide, top, axis=1) == -np.sort(-wide, axis=1)[:, :k]).all()


# Names

def test_every_name_of_kaggle_is_a_metric_or_is_told_with_its_direction() -> None:
    taken = {("msle", "Mean Squared Log Error"): "rmsle", ("kappa", "Cohen Kappa Score"): "qwk"}  # what Kaggle means by them
    for row in METRICS.values():
        family = REGISTRY.family(row.name)
        if row.name not in REGISTRY and family is None:
            for name in (row.name, *row.strings):
                if (row.name, name) in taken:
                    assert check_metric(name).name == taken[row.name, name]
                    continue
                with pytest.raises(KKError, match=r"(not built in|no metric is called).*metric\.py:score"):
                    check_metric(name)
            continue
        built = REGISTRY.get(row.name) if row.name in REGISTRY else family.metric
        assert (built.name.partition("@")[0], built.needs) == (row.name.partition("@")[0], row.kind)
        assert built.greater_is_better is row.greater_is_better
        for name in row.strings:
            if family is None or row.name in REGISTRY:
                assert check_metric(name).name == taken.get((row.name, name), built.name), name


def test_no_metric_has_a_name_that_the_table_gives_to_another() -> None:
    for name in REGISTRY.names():
        for alias in REGISTRY.get(name).kaggle_names:
            row = kaggle_metric(alias)
            same = row is None or row.name.partition("@")[0] == name.partition("@")[0]
            assert same or alias in ("Mean Squared Log Error", "Cohen Kappa Score"), alias


@pytest.mark.parametrize(("given", "name", "parameter"), [
    ("map@3", "map@3", 3), ("MAP@12", "map@12", 12), ("Mean Average Precision @ 3", "map@3", 3), ("Mean Average Precision at 5", "map@5", 5),
    ("MAP{7}", "map@7", 7), ("NDCG@10", "ndcg@10", 10), ("fbeta@0.5", "fbeta@0.5", 0.5), ("F2 Score", "fbeta@2", 2.0), ("F0.5", "fbeta@0.5", 0.5),
    ("Mean F2 Score", "mean_fbeta@2", 2.0), ("pinball@0.1, 0.9", "pinball@0.1,0.9", (0.1, 0.9)), ("MAP@{K}", "map@k", None), ("F1", "f1", None),
    ("R2", "r2", None), ("MeanBestErrorAt5", "top_k_err@5", 5), ("fbeta@2.0", "fbeta@2", 2.0), ("samples f1", "mean_f1", None),
    ("column-mean auc", "mcauc", None), ("column-mean logloss", "mclogloss", None), ("column-mean rmse", "mcrmse", None),
    ("column-mean rmsle", "mcrmsle", None)])
def test_names_with_a_number(given: str, name: str, parameter: object) -> None:
    found = check_metric(given)
    assert (found.name, found.parameter, given in REGISTRY) == (name, parameter, True)
    assert all(check_metric(alias).name == name for alias in found.kaggle_names)


@pytest.mark.parametrize(("given", "says"), [
    ("fbeta", "fbeta has no beta. .*fbeta@0.5, fbeta@2"), ("pinball@1.5", "a quantile lies between 0 and 1"), ("map@0", "whole number above 0"),
    ("map@1.5", "whole number above 0"), ("fbeta@-1", "beta is a number above 0"), ("fbeta@ -2", "beta is a number above 0"),
    ("map@-3", "whole number above 0"), ("pinball@0.1,-0.9", "between 0 and 1"), ("Custom Metric", "not built in. Give it as .*metric.py:score"),
    ("PostProcessorKernelDesc", "not built in. Give it as .*metric.py:score"), ("fbeta@0", "beta is a number above 0"),
    ("acuracy", "Did you mean accuracy"),
    ("wmae", r"wmae is not built in \(lower is better\)"), ("Dice", r"dice is not built in \(higher is better\)"),
    ("Absolute Error", "mae puts submissions in the same order")])
def test_what_is_no_metric_is_told_with_the_way_out(given: str, says: str) -> None:
    with pytest.raises(KKError, match=says):
        check_metric(given)


# What does not fit

ONE_CLASS = {"auc": "both classes", "mcauc": "column 0 of mcauc.*both classes", "ap": "a positive row"}


@pytest.mark.parametrize("name", ONE_CLASS)
def test_one_class_is_refused_with_the_way_out(name: str) -> None:
    y, p = example(REGISTRY.get(name), 20)
    with pytest.raises(KKError, match=f"{ONE_CLASS[name]}.*kk cv --split stratified"):
        REGISTRY.get(name)(np.zeros_like(y), p)


@pytest.mark.parametrize(("name", "y", "p", "says"), [
    ("rmse", [1.0, 2.0], [[1.0], [2.0]], "same shape"), ("rmse", [1.0, 2.0], [1.0], "one prediction for each row"),
    ("rmse", [], [], "no rows"), ("rmse", [1.0, np.nan], [1.0, 2.0], "y has no value .NaN. in 1 of 2 rows"),
    ("mae", [[1.0]], [[np.nan]], "p has no value .NaN. in 1 of 1 rows"), ("mlogloss", [0, 3], [[0.5, 0.5], [0.5, 0.5]], "codes 0 to 3"),
    ("mlogloss", [0, 1], [0.5, 0.5], "rows x classes"), ("map@3", [0, 1], [0.2, 0.5], "Give codes"),
    ("map@3", [0, 1], [1, 0], "decide.values, .list., classes"), ("f1", [0, 1, 2], [0, 1, 2], "macro_f1"),
    ("mean_f1", [0, 1], [0, 1], "rows x labels"), ("lwlrap", [0, 1], [0.5, 1.0], "rows x labels"),
    ("rmsle", [1.0], [-1.0], "at least 0"), ("mape", [0.0], [1.0], "targets that are not 0, 1 of 1"), ("rmspe", [0.0], [1.0], "not 0, all are"),
    ("qwk", ["a", "b"], ["a", "b"], "QWK needs numbers"), ("pinball@0.1,0.9", [1.0], [1.0], "one column for each of: 0.1, 0.9")])
def test_arrays_that_do_not_fit_are_refused(name: str, y: list, p: list, says: str) -> None:
    with pytest.raises(KKError, match=says):
        REGISTRY.get(name)(y, p)


@pytest.mark.parametrize(("name", "weights", "says"), [
    ("rmse", [1.0], "one number of at least 0 a row"), ("rmse", [1.0, -1.0], "at least 0"), ("auc", [0.0, 0.0], "not all of them 0"),
    ("auc", [1.0, 0.0], "both classes among the rows with a weight"), ("spearman", [1.0, 1.0], "takes no weights")])
def test_weights_that_do_not_fit_are_refused(name: str, weights: list, says: str) -> None:
    with pytest.raises(KKError, match=says):
        REGISTRY.get(name)([0.0, 1.0], [0.1, 0.2], weights)


def test_labels_may_be_text_and_the_positive_one_is_1_even_where_no_row_has_it() -> None:
    words, other = np.array(["no", "yes", "yes"]), np.array(["no", "yes", "no"], dtype=object)
    for name in ("accuracy", "f1", "mcc", "balanced_accuracy", "kappa", "macro_f1"):
        codes = REGISTRY.get(name)([0, 1, 1], [0, 1, 0])
        assert REGISTRY.get(name)(words, other) == pytest.approx(codes)
    assert REGISTRY.get("f1")([0, 0], [0, 0]) == 0.0  # of no positive row nothing is right
    assert REGISTRY.get("f1")([False, True], [False, True]) == 1.0


# Constants and functions of a person's own

def test_the_best_constant_of_several_columns_is_that_of_each() -> None:
    for name in ("rmse", "mae", "rmsle", "mcauc", "mcrmse", "mape", "smape", "rmspe", "hamming", "accuracy"):
        metric = REGISTRY.get(name)
        y = np.random.default_rng(0).integers(1, 4, (40, 3)).astype(float)
        assert np.allclose(metric.constant(y), [metric.constant(column) for column in y.T]), name
        assert np.ndim(metric.constant(y[:, 0])) == 0


def test_a_function_with_kaggles_own_signature_scores_several_columns() -> None:
    def score(solution, submission, row_id_column_name):
        assert list(solution.columns) == [row_id_column_name, "value", "value_1"]
        return float((solution["value_1"] - submission["value_1"]).abs().mean())

    metric = check_metric(score, greater_is_better=False)
    assert metric(np.zeros((2, 2)), np.array([[9.0, 1.0], [9.0, 3.0]])) == 2.0 and metric.own and not metric.weighted
    with pytest.raises(KKError, match="score takes no weights"):
        metric(np.zeros((2, 2)), np.zeros((2, 2)), np.ones(2))


@pytest.mark.parametrize(("columns", "y", "p", "truth", "said"), [
    (("key", "left"), [0, 1], [0.2, 0.9], {"left": [0, 1]}, {"left": [0.2, 0.9]}),
    (("key", "left"), ["no", "yes"], ["no", "no"], {"left": ["no", "yes"]}, {"left": ["no", "no"]}),
    (("key", "a", "b"), [[1.0, 2.0]], [[3.0, 4.0]], {"a": [1.0], "b": [2.0]}, {"a": [3.0], "b": [4.0]}),
    (("key", "cat", "dog"), [1, 0], [0.25, 0.75], {"cat": [0, 1], "dog": [1, 0]}, {"cat": [0.75, 0.25], "dog": [0.25, 0.75]}),
    (("key", "a", "b", "c"), [2], [[0.1, 0.2, 0.7]], {"a": [0], "b": [0], "c": [1]}, {"a": [0.1], "b": [0.2], "c": [0.7]})])
def test_kaggles_own_signature_gets_tables_with_the_samples_columns(columns: tuple, y: list, p: list, truth: dict, said: dict) -> None:
    seen = []

    def score(solution, submission, row_id_column_name):
        assert row_id_column_name == "key" and list(solution.pop("key")) == list(submission.pop("key"))
        seen.extend([solution.to_dict("list"), submission.to_dict("list")])
        return -0.0

    found = check_metric(score, greater_is_better=True, columns=columns)(np.array(y), np.array(p))
    assert seen == [truth, said] and str(found) == "0.0"


@pytest.mark.parametrize(("name", "targets", "classes", "several", "says"), [
    ("f1", 1, "abcd", False, "f1 is of two classes, the target has 4"), ("fbeta@2", 1, "abc", False, "two classes"), ("f1", 1, "ab", False, ""),
    ("qwk", 1, ("low", "high"), False, "the target holds 'low'"), ("qwk", 1, ("1", 2, 3.0), False, ""),
    ("accuracy", 2, (), False, "2 target columns"),
    ("macro_f1", 1, (), True, "holds several"), ("map@3", 2, (), False, "one list a row"), ("mean_f1", 1, "ab", False, "the target is one column"),
    ("mean_f1", 3, (), False, ""), ("mean_f1", 1, (), True, ""), ("hamming", 1, (0, 1), False, ""), ("rmse", 3, (), False, ""),
    ("f1", 0, (), False, "")])
def test_targets_that_a_metric_cannot_score_are_told_with_metrics_that_can(name: str, targets: int, classes, several: bool, says: str) -> None:
    found = misfit(check_metric(name), targets, tuple(classes), several)
    assert says in found[0] if says else found is None
    assert not says or all(misfit(REGISTRY.get(other), targets, tuple(classes), several) is None for other in found[1])


def test_functions_are_called_as_they_are_too() -> None:
    y, p = np.array([0, 1, 1]), np.array([0.2, 0.9, 0.4])
    assert metrics.auc(y, p) == REGISTRY.get("auc")(y, p) == 1.0
    assert metrics.map_at_k(np.array([1]), np.array([[0, 1]]), k=1) == 0.0
    assert metrics.pinball(np.array([1.0]), np.array([[0.0, 2.0]]), quantiles=(0.1, 0.9)) == pytest.approx(0.1)
