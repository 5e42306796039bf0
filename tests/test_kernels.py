"""The kernels of blending: exact against brute force, the same for any order of models, from memory-mapped files too."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kagglekit.kernels import auc, gram, logistic, logloss
from kagglekit.kernels.simplex import smallest_on_simplex

SEEDS = st.integers(0, 2**31)


def made(models: int = 5, rows: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Truth and predictions with shared and private errors."""
    rng = np.random.default_rng(seed)
    y, shared = rng.normal(size=rows), rng.normal(size=(2, rows))
    oof = y + 0.4 * shared[np.arange(models) % 2] + np.linspace(0.3, 1.2, models)[:, None] * rng.normal(size=(models, rows))
    return y, oof


def chances(models: int = 5, rows: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Classes 0 and 1, and probabilities."""
    y, oof = made(models, rows, seed)
    return (y > 0.4).astype(int), 1 / (1 + np.exp(-oof))


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS)
def test_the_simplex_programme_meets_the_conditions_of_the_optimum(seed: int) -> None:
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(rng.integers(2, 8), rng.integers(2, 8)))
    H, c = A @ A.T, rng.normal(size=len(A))
    w = smallest_on_simplex(H, c)
    gradient = H @ w + c
    assert w.min() >= 0 and w.sum() == pytest.approx(1)
    assert gradient.min() >= gradient @ w - 1e-6 * max(1, np.abs(H).max())
    for other in rng.dirichlet(np.ones(len(w)), 50):
        assert w @ H @ w / 2 + c @ w <= other @ H @ other / 2 + c @ other + 1e-7


def test_grams_add_up_and_come_apart() -> None:
    y, oof = made()
    parts = [np.flatnonzero(np.arange(len(y)) % 3 == k) for k in range(3)]
    whole, pieces = gram.grams(oof, y)[0], gram.grams(oof, y, parts)
    total = pieces[0] + pieces[1] + pieces[2]
    assert total.errors == pytest.approx(whole.errors) and total.n == whole.n == len(y)
    assert (total - pieces[2]).mean_errors == pytest.approx((oof - y)[:, parts[0].tolist() + parts[1].tolist()]
                                                           @ (oof - y)[:, parts[0].tolist() + parts[1].tolist()].T / (pieces[0].n + pieces[1].n))


@pytest.mark.parametrize("weights", [[0.2, 0.3, 0.1, 0.4, 0.0], [1.0, -0.5, 0.2, 0.0, 0.9]])
def test_the_error_of_a_blend_is_read_from_the_gram(weights: list[float]) -> None:
    y, oof = made()
    w = np.array(weights)
    one = gram.grams(oof + 3, y + 3)[0]
    assert gram.mse(one, w) == pytest.approx(np.mean((w @ (oof + 3) - y - 3) ** 2))
    assert gram.mse(one, w, 0.7) == pytest.approx(np.mean((w @ (oof + 3) + 0.7 - y - 3) ** 2))


def test_linear_fits_equal_scikit_learns() -> None:
    from sklearn.linear_model import LinearRegression, LogisticRegression

    y, oof = made()
    weights, intercept = gram.least_squares(gram.grams(oof, y + 5)[0])
    model = LinearRegression().fit(oof.T, y + 5)
    assert weights == pytest.approx(model.coef_, abs=1e-8) and intercept == pytest.approx(model.intercept_, abs=1e-8)
    labels, p = chances(rows=2000)
    Z = logistic.logits(p)
    found, bias = logistic.logistic(Z, labels, l2=1e-9)
    exact = LogisticRegression(C=1e9, tol=1e-8, max_iter=1000).fit(Z.T, labels)
    assert found == pytest.approx(exact.coef_[0], abs=2e-3) and bias == pytest.approx(exact.intercept_[0], abs=2e-3)


def test_the_sketch_leads_to_the_fit_on_all_rows() -> None:
    labels, p = chances(models=6, rows=100_000)
    Z = logistic.logits(p)
    weights, bias = logistic.logistic(Z, labels)
    score = weights @ Z + bias
    gradient = Z @ (1 / (1 + np.exp(-score)) - labels) / len(labels)
    assert np.abs(gradient + 1e-3 * weights * Z.std(axis=1) ** 2).max() < 2e-3


def test_greedy_on_a_gram_picks_what_scoring_every_candidate_picks() -> None:
    y, oof = made(models=6)
    weights = gram.greedy(gram.grams(oof, y)[0])
    total, best, kept, taken = np.zeros(len(y)), np.inf, None, np.zeros(6)
    for step in range(1, 101):
        losses = [np.mean(((total + one) / step - y) ** 2) for one in oof]
        pick = int(np.argmin(losses))
        total, taken[pick] = total + oof[pick], taken[pick] + 1
        if losses[pick] < best - 1e-15:
            best, kept = losses[pick], taken / step
    assert gram.mse(gram.grams(oof, y)[0], weights) == pytest.approx(best, abs=1e-6)
    assert weights == pytest.approx(kept, abs=0.03)


def test_convex_is_no_worse_than_greedy_and_hill_climbing_takes_negative_weights() -> None:
    y, oof = made(models=8, rows=5000)
    one = gram.grams(oof, y)[0]
    assert gram.mse(one, gram.convex(one)) <= gram.mse(one, gram.greedy(one)) + 1e-9
    assert gram.mse(one, gram.hill(one)) <= np.diag(one.mean_errors).min()
    assert gram.ridge(one, 1e6)[0] == pytest.approx(np.full(8, 1 / 8), abs=1e-4)


@pytest.mark.parametrize("shift", [-7.0, 0.0, 7.0])
def test_greedy_by_counting_picks_like_greedy_by_sorting(shift: float) -> None:
    from sklearn.metrics import roc_auc_score

    y, p = chances(models=6, rows=4000)
    oof = 1 / (1 + np.exp(-(np.log(p / (1 - p)) + shift)))
    weights = auc.greedy_auc(oof, y, steps=15)
    total, best = np.zeros(len(y)), 0.0
    for step in range(1, 16):
        scores = [roc_auc_score(y, (total + one) / step) for one in oof]
        total += oof[int(np.argmax(scores))]
        best = max(best, max(scores))
    assert roc_auc_score(y, weights @ oof) == pytest.approx(best, abs=1e-4)


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, levels=st.integers(2, 30))
def test_auc_is_exact_on_ties(seed: int, levels: int) -> None:
    from scipy.stats import rankdata
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(seed)
    y, values = np.append(rng.integers(0, 2, 60), [0, 1]), rng.integers(0, levels, 62).astype(float)
    assert auc.auc_of(values, y) == pytest.approx(roc_auc_score(y, values), abs=1e-12)
    assert auc.rank01(values[None])[0] == pytest.approx((rankdata(values) - 0.5) / 62, abs=1e-6)


@pytest.mark.parametrize("classes", [2, 4])
def test_convex_log_loss_is_the_best_of_all_shares(classes: int) -> None:
    from scipy.optimize import minimize

    rng = np.random.default_rng(1)
    y = rng.integers(0, classes, 600)
    scores = np.eye(classes)[y] + np.linspace(0.5, 2, 4)[:, None, None] * rng.normal(size=(4, 600, classes))
    p = np.exp(scores) / np.exp(scores).sum(axis=2, keepdims=True)
    Q = logloss.true_class(p[:, :, 1] if classes == 2 else p, y)
    assert pytest.approx(np.stack([one[np.arange(600), y] for one in p]), abs=1e-6) == Q
    weights = logloss.convex_logloss(Q)

    def loss(w: np.ndarray) -> float:
        return -float(np.log(np.maximum(w @ Q, 1e-9)).mean())

    exact = minimize(loss, np.full(4, 0.25), bounds=[(0, 1)] * 4, constraints={"type": "eq", "fun": lambda w: w.sum() - 1}, method="SLSQP",
                     options={"ftol": 1e-12})
    assert loss(weights) <= exact.fun + 1e-5 and weights.min() >= 0 and weights.sum() == pytest.approx(1)
    assert loss(logloss.greedy_logloss(Q, steps=100)) == pytest.approx(loss(weights), abs=2e-3)


def test_a_stack_of_classes_beats_the_geometric_mean_where_models_are_over_sure() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 3000)
    scores = 3 * (np.eye(3)[y] + np.array([1.0, 3.0])[:, None, None] * rng.normal(size=(2, 3000, 3)))
    L = scores - np.log(np.exp(scores).sum(axis=2, keepdims=True))
    weights, bias = logistic.multinomial(L, y)
    score = np.tensordot(weights, L, 1) + bias
    fitted = np.log(np.exp(score).sum(axis=1)) - score[np.arange(3000), y]
    mean = L.mean(axis=0)
    plain = np.log(np.exp(mean).sum(axis=1)) - mean[np.arange(3000), y]
    assert fitted.mean() < plain.mean() - 0.1 and weights[0] > weights[1]


@pytest.mark.parametrize("fit", [
    lambda oof, y: gram.convex(gram.grams(oof, y)[0]),
    lambda oof, y: auc.greedy_auc(oof, y, steps=10),
    lambda oof, y: logloss.convex_logloss(logloss.true_class(oof, y)),
    lambda oof, y: logistic.logistic(logistic.logits(oof), y)[0],
])
def test_models_may_be_permuted_and_read_from_disk(fit: object, tmp_path: Path) -> None:
    y, p = chances(rows=3000)
    order = np.array([3, 1, 4, 0, 2])
    plain = fit(p, y)
    assert fit(p[order], y) == pytest.approx(plain[order], abs=2e-3)
    np.save(tmp_path / "oof.npy", p.astype(np.float32))
    assert fit(np.load(tmp_path / "oof.npy", mmap_mode="r"), y) == pytest.approx(plain, abs=2e-3)


def test_identical_models_are_no_trouble() -> None:
    y, oof = made(models=3)
    copies = np.concatenate([oof, oof, oof[:1]])
    one, twice = gram.grams(oof, y)[0], gram.grams(copies, y)[0]
    assert gram.mse(twice, gram.convex(twice)) == pytest.approx(gram.mse(one, gram.convex(one)), rel=1e-6)
    assert np.isfinite(gram.least_squares(twice)[0]).all()
    assert gram.error_correlation(twice)[0, 3] == pytest.approx(1.0)
