"""The statistics of kk lbcheck and kk final: their size, power, coverage and regret, with the Monte-Carlo error of each figure.

    python benchmarks/agreement.py [--quick] [--only verdict,anchors,...] [--tables DIR]

Parts: verdict (size and power with standard errors estimated from folds), ties, anchors, gaps (fit, outliers, drift), coverage (each standard
error against resampling), order (calibration of P(order) and of the board), leak (real learners, leaking groups), splits, finals (regret in
simulation), reality (experiment tables with private scores, skipped where there are none), speed. Seeded. The peers are the rules
that people use: by public score, by CV, one of each; Kendall's tau; a constant noise.
"""

import argparse
import resource
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kagglekit import agreement
from kagglekit.metrics import check_metric

Array = np.ndarray
FOLDS = 5
FACTOR = np.sqrt(1 / FOLDS + 1 / (FOLDS - 1))  # Nadeau & Bengio's SE in units of the sd over folds
HIGHER = ("accuracy", "auc", "kappa", "f1", "r2", "qwk")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a quarter of the draws")
    parser.add_argument("--only", default="", help="parts, with commas")
    parser.add_argument("--tables", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "lb")
    given = parser.parse_args()
    wanted = given.only.split(",") if given.only else list(PARTS)
    for name in wanted:
        if name not in PARTS:
            raise SystemExit(f"Error: no part is called {name!r}. Parts: {', '.join(PARTS)}")
        start = time.process_time()
        print(f"== {name}: {PARTS[name].__doc__.splitlines()[0]}")
        PARTS[name](0.25 if given.quick else 1.0, given.tables)
        print(f"   ({time.process_time() - start:.0f} s of processor)\n", flush=True)


def _share(hits: Array) -> str:
    """A share of cases with its Monte-Carlo error."""
    hits = np.asarray(hits, float)
    return f"{hits.mean():.3f} ± {hits.std() / np.sqrt(len(hits)):.3f}"


def _history(random: np.random.Generator, models: int, related: float, spread: float) -> tuple[Array, Array, Array]:
    """(CV, public, estimated se_cv) with se_lb 1 and se_cv .5 in pairs, as five fold scores would give them."""
    quality = random.normal(size=models) * spread
    other = related * quality + np.sqrt(1 - related**2) * random.normal(size=models) * spread
    folds = random.normal(size=(models, FOLDS)) * 0.5 / np.sqrt(2) / FACTOR
    cv = quality + random.normal(size=models) * 0.5 / np.sqrt(2)
    return cv, other + random.normal(size=models) / np.sqrt(2), agreement.cv_se(folds, 1 / (FOLDS - 1)).se


def verdict_part(scale: float, _: Path) -> None:
    """tracks / does not track, by true relation (se_cv = .5 se_lb from 5 folds; spread of true quality in se_lb)."""
    random, cases = np.random.default_rng(0), int(600 * scale)
    worst_yes = worst_no = 0.0
    for related, spread in ((1.0, 1), (1.0, 4), (0.9, 4), (0.5, 4), (0.0, 0.5), (0.0, 1), (0.0, 4), (-0.7, 4)):
        row = []
        for models in (4, 5, 6, 8, 10):
            states = []
            for _ in range((4 * cases if related in (0, 1) else cases) // (1 if models < 8 else 4)):
                cv, lb, se = _history(random, models, related, spread)
                states.append(agreement.verdict(cv, lb, se, 1.0, FOLDS - 1).state)
            yes, no = (np.mean([state == one for state in states]) for one in ("tracks", "does-not-track"))
            row.append(f"M={models} {yes:.2f}/{no:.2f}")
            worst_yes, worst_no = max(worst_yes, yes if related == 0 else 0), max(worst_no, no if related == 1 else 0)
        print(f"   relation {related:4.1f} spread {spread:3.1f}: {'  '.join(row)}")
    error = np.sqrt(0.05 * 0.95 / cases)  # of the cells with the fewest draws
    print(f"   largest false yes {worst_yes:.3f} (limit .07), largest false no on a perfect split {worst_no:.3f} (limit .01); error ± {error:.3f}")


def ties_part(scale: float, _: Path) -> None:
    """Scores at the ceiling: three of five tied at 1.00000 in public; how often it is said to track, no relation and perfect."""
    random, cases, found = np.random.default_rng(1), int(800 * scale), {}
    for related in (0.0, 1.0):
        said = []
        for _ in range(cases):
            cv, lb, se = _history(random, 5, related, 4)
            lb = np.minimum(lb, np.sort(lb)[2])
            said.append([agreement.verdict(cv, lb, se, 1.0, 4).state == "tracks", agreement.kendall_exact(cv, lb)[1] <= 0.05])
        found[related] = np.array(said)
    for related, said in found.items():
        print(f"   relation {related}: verdict {_share(said[:, 0])}, Kendall's p <= .05 alone {_share(said[:, 1])}")


def anchors_part(scale: float, _: Path) -> None:
    """Four unrelated real models and 0-3 constants: tracks with the constants set apart, and if they were counted."""
    random, cases = np.random.default_rng(2), int(400 * scale)
    for anchors in range(4):
        said = []
        for _ in range(cases):
            cv, lb, se = _history(random, 4, 0.0, 1)
            weak = np.full(anchors, -30.0) + random.normal(size=anchors) * 0.1
            all_lb = np.r_[lb, weak]
            keep = ~agreement.is_anchor(all_lb, -30.0, 1.0) if anchors else np.ones(4, bool)
            grid = np.full((4 + anchors, 4 + anchors), 0.5)
            grid[:4, :4] = se
            both = [agreement.verdict(np.r_[cv, weak][rows], all_lb[rows], grid[np.ix_(rows, rows)], 1.0, 4).state == "tracks"
                    for rows in (np.flatnonzero(keep), np.arange(4 + anchors))]
            said.append(both)
        said = np.array(said)
        print(f"   {anchors} anchors: {_share(said[:, 0])} set apart, {_share(said[:, 1])} counted")


def gaps_part(scale: float, _: Path) -> None:
    """Fit of one constant: size and power with V from 5 folds; outlier of 4 paired SE; drift."""
    random, cases = np.random.default_rng(3), int(300 * scale)
    for models in (3, 5, 10, 20):
        null, extra, naive, leak, false = [], [], [], [], []
        for _ in range(cases):
            quality = random.normal(size=models) * 3
            folds = random.normal(size=(models, FOLDS)) / np.sqrt(2) / FACTOR + random.normal(size=FOLDS)
            cv = quality + random.normal(size=models) / np.sqrt(2)
            lb, se = quality + random.normal(size=models) / np.sqrt(2), agreement.cv_se(folds, 1 / (FOLDS - 1)).se
            fit = agreement.gap_model(cv, lb, se, 1.0, FOLDS - 1, draws=299)
            null.append(fit.p <= 0.05)
            naive.append(fit.q > _chi2(models - 1))
            extra.append(agreement.gap_model(cv, lb + random.normal(size=models) * 2 * np.sqrt(2), se, 1.0, FOLDS - 1, draws=299).p <= 0.05)
            if models == 20:
                continue
            false.append(bool(agreement.outliers(cv, lb, se, 1.0, FOLDS - 1)))
            moved = cv + np.r_[4 * np.sqrt(2), np.zeros(models - 1)]
            leak.append([one.model for one in agreement.outliers(moved, lb, se, 1.0, FOLDS - 1)][:1] == [0])
        print(f"   M={models:2d}: size {_share(null)} (chi-squared limit: {_share(naive)}), power at 2 SE {_share(extra)}"
              + (f", false outlier {_share(false)}, leak found {_share(leak)}" if leak else ""))
    for submissions in (10, 20, 40):
        null, real = [], []
        for _ in range(cases):
            cv, noise = random.normal(size=submissions), random.normal(size=submissions)
            null.append(agreement.drift(cv, cv + noise).p <= 0.05)
            real.append(agreement.drift(cv, cv + noise + 0.1 * np.arange(submissions)).p <= 0.05)
        print(f"   drift, {submissions} submissions: size {_share(null)}, power at .1 gap-sd a submission {_share(real)}")


def _chi2(df: int) -> float:
    from scipy.stats import chi2
    return float(chi2.ppf(0.95, df))


def _rows(random: np.random.Generator, rows: int, metric: str) -> tuple[Array, Array]:
    """Truth and two models of latent score correlation .95, in the form of the metric."""
    latent = random.normal(size=rows)
    shared = random.normal(size=rows)
    said = np.stack([latent + 0.75 * (np.sqrt(0.9) * shared + np.sqrt(0.1) * random.normal(size=rows)) for _ in range(2)])
    if metric in ("rmse", "mae", "r2"):
        return latent, said
    if metric == "qwk":
        edges = np.array([-1.2, -0.4, 0.4, 1.2])
        return np.digitize(latent, edges), np.digitize(said / 1.25, edges)
    y = (latent + 0.3 * random.normal(size=rows) > 0.9).astype(int)
    if metric == "logloss":
        return y, 1 / (1 + np.exp(-2.2 * (said - 1.3)))
    return y, said if metric == "auc" else (said > 1.0).astype(int)


def coverage_part(scale: float, _: Path) -> None:
    """Standard errors of a public gap against resampling (4,000 OOF rows, 2,000 public), and of CV with real learners."""
    random, cases = np.random.default_rng(4), int(400 * scale)
    for name in ("auc", "logloss", "accuracy", "f1", "mcc", "qwk", "rmse", "mae", "r2"):
        metric = check_metric(name)
        estimated, gaps, single = [], [], []
        y, said = _rows(random, 400_000, name)
        truth = metric(y, said[0]) - metric(y, said[1])
        for _ in range(cases):
            oof, public = random.integers(0, len(y), 4000), random.integers(0, len(y), 2000)
            noise = agreement.lb_se(y[oof], said[:, oof], metric, 2000) if len(estimated) < 60 else None
            estimated += [(noise.se[0, 1], noise.single[0])] if noise else []
            scores = [metric(y[public], one[public]) for one in said]
            gaps.append(scores[0] - scores[1])
            single.append(scores[0])
        pair, alone = np.mean(estimated, axis=0)
        inside = np.abs(np.array(gaps) - truth) < 1.96 * pair
        print(f"   {name:9s} formula / resampled: pair {pair / np.std(gaps):.2f}, single {alone / np.std(single):.2f} "
              f"(± {0.71 / np.sqrt(cases):.2f}); 95 % covers {_share(inside)}")
    _cv_coverage(random, int(60 * scale))


def _cv_coverage(random: np.random.Generator, cases: int) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.tree import DecisionTreeClassifier
    metric, covers, naive = check_metric("logloss"), [], []
    for _ in range(cases):
        def draw(rows: int) -> tuple[Array, Array]:
            x = random.normal(size=(rows, 6))
            return x, (x[:, 0] + 0.7 * x[:, 1] * (x[:, 2] > 0) + random.logistic(size=rows) > 0).astype(int)
        (x, y), (test_x, test_y) = draw(500), draw(10_000)
        fold = random.permutation(500) % FOLDS
        makers = [lambda: LogisticRegression(), lambda: DecisionTreeClassifier(max_depth=3, min_samples_leaf=20, random_state=0)]
        scores, on_test = np.empty((2, FOLDS)), []
        for m, make in enumerate(makers):
            for k in range(FOLDS):
                fitted = make().fit(x[fold != k], y[fold != k])
                scores[m, k] = metric(y[fold == k], fitted.predict_proba(x[fold == k])[:, 1])
            on_test.append(metric(test_y, make().fit(x, y).predict_proba(test_x)[:, 1]))
        gap, truth, noise = scores[0].mean() - scores[1].mean(), on_test[0] - on_test[1], agreement.cv_se(scores, 1 / (FOLDS - 1))
        covers.append(abs(gap - truth) < 2.776 * noise.se[0, 1])
        naive.append(abs(gap - truth) < 2.776 * (scores[0] - scores[1]).std(ddof=1) / np.sqrt(FOLDS))
    print(f"   CV gap (logistic, tree; 500 rows): Nadeau-Bengio covers {_share(covers)}, sd/sqrt(K) {_share(naive)}")


def order_part(scale: float, _: Path) -> None:
    """P(private order = public order): said and seen by bin (noise CV .5, public 1, private 3 times the rows); own place on a board."""
    random, said, seen = np.random.default_rng(5), [], []
    for _ in range(int(600 * scale)):
        true = random.normal(size=8) * random.choice([0.5, 1, 3])
        cv, lb = true + random.normal(size=8) * 0.5 / np.sqrt(2), true + random.normal(size=8) / np.sqrt(2)
        private = true + random.normal(size=8) / np.sqrt(6)
        chance = agreement.p_order(cv, lb, 0.5, 1.0, n_public=1000, n_private=3000)
        upper = np.triu_indices(8, 1)
        said.append(chance[upper])
        seen.append((np.sign(lb[:, None] - lb) == np.sign(private[:, None] - private))[upper])
    said, seen = np.concatenate(said), np.concatenate(seen)
    print("  ", "  ".join(f"{said[rows].mean():.2f}:{seen[rows].mean():.2f}" for low, high in ((0, .3), (.3, .5), (.5, .7), (.7, .9), (.9, 1.01))
                          if (rows := (said >= low) & (said < high)).any()), "(said:seen)")
    inside, taus = [], []
    for _ in range(int(60 * scale)):
        true = np.r_[random.normal(size=400) * 2, -random.exponential(20, size=100)]
        public, private = true + random.normal(size=500) / np.sqrt(2), true + random.normal(size=500) / np.sqrt(2) * np.sqrt(3 / 7)
        me = int(random.integers(0, 500))
        found = agreement.board_forecast(public, 1.0, n_public=3000, n_private=7000, own=float(public[me]), draws=200)
        inside.append(found.low <= (private > private[me]).sum() + 1 <= found.high)
        order = np.argsort(-public)
        taus.append(found.tau - agreement.kendall_exact(public[order][::5], private[order][::5])[0])
    print(f"   own private place in its 90 % interval {_share(inside)}; tau of public and private, said less seen {np.mean(taus):+.3f} ± "
          f"{np.std(taus) / np.sqrt(len(taus)):.3f}")


def leak_part(scale: float, _: Path) -> None:
    """100 groups of 10 rows, test of new groups, six real learners: verdict under a random and a group split, and the split chosen."""
    random, found, picked, gaps = np.random.default_rng(6), {"random": [], "group": []}, [], {"random": [], "group": []}
    for _ in range(max(3, int(20 * scale))):
        result = _leaking(random)
        for name in found:
            cv, lb, se_cv, se_lb = result[name]
            found[name].append(agreement.verdict(cv, lb, se_cv, se_lb, FOLDS - 1).state)
            gaps[name].append(np.mean(lb - cv))
        picked.append(agreement.compare_splits(np.stack([result[name][0] for name in found]), result["group"][1])[0].split == 1)
    for name, states in found.items():
        counts = {one: f"{np.mean([state == one for state in states]):.2f}" for one in ("tracks", "cannot-tell", "does-not-track")}
        print(f"   {name:6s} split: {counts}, public less CV {np.mean(gaps[name]):+.3f}")
    print(f"   compare_splits picks the group split {_share(picked)}")


def _leaking(random: np.random.Generator) -> dict[str, tuple[Array, Array, Array, Array]]:
    """(cv, public, se_cv, se_lb), higher is better, by split."""
    from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor
    from sklearn.linear_model import Ridge
    from sklearn.neighbors import KNeighborsRegressor
    from sklearn.tree import DecisionTreeRegressor
    metric, groups = check_metric("rmse"), np.repeat(np.arange(100), 10)

    def draw() -> tuple[Array, Array]:
        own = random.normal(size=(100, 4))[groups] + 0.01 * random.normal(size=(1000, 4))
        rows = random.normal(size=(1000, 3))
        return np.c_[rows, own], rows @ [1.0, 0.7, 0.4] + 2.0 * random.normal(size=100)[groups] + 0.5 * random.normal(size=1000)

    (x, y), (test_x, test_y) = draw(), draw()
    learners = [Ridge(1.0), Ridge(300.0), KNeighborsRegressor(2), DecisionTreeRegressor(random_state=0),
                RandomForestRegressor(30, max_features=0.5, random_state=0), ExtraTreesRegressor(30, min_samples_leaf=8, random_state=0)]
    lb = -np.array([metric(test_y, one.fit(x, y).predict(test_x)) for one in learners])
    answer = {}
    for name, fold in {"random": random.permutation(1000) % FOLDS, "group": (random.permutation(100) % FOLDS)[groups]}.items():
        oof = np.empty((len(learners), 1000))
        for k in range(FOLDS):
            for m, learner in enumerate(learners):
                oof[m, fold == k] = learner.fit(x[fold != k], y[fold != k]).predict(x[fold == k])
        scores = np.array([[metric(y[fold == k], one[fold == k]) for k in range(FOLDS)] for one in oof])
        answer[name] = (-scores.mean(axis=1), lb, agreement.cv_se(scores, 1 / (FOLDS - 1)).se,
                        agreement.lb_se(y, oof, metric, 1000, groups=groups).se)
    return answer


def splits_part(scale: float, _: Path) -> None:
    """Five splits of noise .2 to 2: how often the best is picked, by error and by Kendall's tau; false "some split correlates"."""
    random, cases = np.random.default_rng(7), int(400 * scale)
    for models in (4, 5, 8, 12):
        by_error, by_tau, false, sure = [], [], [], []
        for _ in range(cases):
            quality = random.normal(size=models)
            cv = quality + np.array([[0.2], [0.5], [0.8], [1.2], [2]]) * random.normal(size=(5, models))
            fits = agreement.compare_splits(cv, quality + 0.2 * random.normal(size=models), draws=50)
            by_error.append(fits[0].split == 0)
            by_tau.append(max(fits, key=lambda fit: fit.tau).split == 0)
            unrelated = agreement.compare_splits(quality + 0.5 * random.normal(size=(5, models)), random.normal(size=models), draws=5)
            false.append(min(fit.p_max_t for fit in unrelated) <= 0.05)
            sure += [fits[0].split == 0] if (fits[0].p_best or 0) > 0.95 else []
        claimed = f", P(best) > .95 right {_share(sure)}" if len(sure) > 20 else ""
        print(f"   M={models:2d}: by error {_share(by_error)}, by tau {_share(by_tau)}; max-T false {_share(false)}{claimed}")


RULES: dict[str, Callable[[Array, Array], list[int]]] = {
    "public": lambda cv, lb: np.argsort(-lb, kind="stable")[:2].tolist(),
    "CV": lambda cv, lb: np.argsort(-cv, kind="stable")[:2].tolist(),
    "one of each": lambda cv, lb: list(dict.fromkeys([int(np.argmax(lb)), *np.argsort(-cv, kind="stable").tolist()]))[:2],
}


def finals_part(scale: float, _: Path) -> None:
    """Regret of two picks from 20 (sd of quality 1), by noise of CV and public, family shift; se_cv from 5 folds."""
    random, cases = np.random.default_rng(8), int(600 * scale)
    for noise_cv, noise_lb, shift in ((1, 1, 0), (0.5, 1.5, 0), (1.5, 0.5, 0), (0.2, 0.2, 0), (1, 1, 1), (0.5, 1.5, 1)):
        lost, said = {name: [] for name in (*RULES, "final", "final, no SE")}, []
        for _ in range(cases):
            families = random.integers(0, 4, 20)
            true = random.normal(size=20)
            private = true + shift * random.normal(size=4)[families]
            cv, lb = true + noise_cv * random.normal(size=20), true + noise_lb * random.normal(size=20)
            se_cv = agreement.cv_se(random.normal(size=(20, FOLDS)) * noise_cv / FACTOR, 1 / (FOLDS - 1)).se
            se_lb = np.full((20, 20), noise_lb * np.sqrt(2))
            np.fill_diagonal(se_lb, noise_lb * 2)
            names = families.astype(str).tolist() if shift else None
            picks = {**{name: rule(cv, lb) for name, rule in RULES.items()},
                     "final": agreement.final_picks(cv, lb, True, se_cv=se_cv, se_public=se_lb, families=names),
                     "final, no SE": agreement.final_picks(cv, lb, True, families=names)}
            for name, rows in picks.items():
                lost[name].append(private.max() - private[rows].max())
            if not shift and len(said) < 60:
                said.append(agreement.choose_finals(cv, lb, True, se_cv=se_cv, se_public=se_lb).regret)
        told = f"; final says {np.mean(said):.2f}" if said else ""
        print(f"   CV {noise_cv:3.1f} public {noise_lb:3.1f} shift {shift}: "
              + ", ".join(f"{name} {np.mean(one):.3f}" for name, one in lost.items()) + f" (± {np.std(lost['final']) / np.sqrt(cases):.3f}){told}")


def reality_part(scale: float, tables: Path) -> None:
    """Real experiment tables: random histories of 5-20 models, two picks from CV and public only, regret in sd of the private scores.

    The first error is Monte-Carlo's, the second the jackknife's over the table's models (nan: all are in every history): how far these few
    models can tell.
    """
    import pandas as pd
    files = [path for path in sorted(tables.glob("*.csv")) if {"cv", "public", "private"} <= set(pd.read_csv(path, nrows=1).columns)]
    if not files:
        print(f"   skipped: no tables with the columns model, cv, public, private in {tables}; give --tables DIR")
        return
    cases = int(1000 * scale)
    for path in files:
        table = pd.read_csv(path).dropna(subset=["cv", "public", "private"])
        sign = 1 if _higher(tables, path.name) else -1
        cv, lb, private = (sign * table[name].to_numpy(float) for name in ("cv", "public", "private"))
        random, lost, used = np.random.default_rng(9), [], np.zeros((cases, len(cv)), dtype=bool)
        for case in range(cases):
            rows = random.choice(len(cv), min(len(cv), int(random.integers(5, 21))), replace=False)
            used[case, rows] = True
            picks = [*(rule(cv[rows], lb[rows]) for rule in RULES.values()), agreement.final_picks(cv[rows], lb[rows], True)]
            lost.append([private[rows].max() - private[rows][one].max() for one in picks])
        lost = np.array(lost) / private.std()
        best = int(lost[:, :3].mean(axis=0).argmin())
        worse = lost[:, 3] - lost[:, best]
        print(f"   {path.stem[:24]:24s} ({len(cv):3d} models): " + ", ".join(f"{name} {one:.4f}" for name, one in
              zip([*RULES, "final"], lost.mean(axis=0), strict=True)) + f"; final less best "
              f"{worse.mean():+.4f} ± {worse.std() / np.sqrt(cases):.4f} ± {_jackknife(worse, used):.4f}")


def _jackknife(values: Array, used: Array) -> float:
    """Standard error of a mean over histories as another draw of models would change it; nan where every history holds all."""
    without = np.array([values[~used[:, model]].mean() if (~used[:, model]).any() else np.nan for model in range(used.shape[1])])
    models = len(without)
    # leaving out one model of the histories of size s from m is a draw of s from m - 1
    return float(np.sqrt((models - 1) / models * ((without - without.mean()) ** 2).sum()))


def _higher(tables: Path, name: str) -> bool:
    """Whether higher is better, from the table of SOURCE.md (file, ..., better, ...); else read off the scores' relation to nothing: lower."""
    source = tables / "SOURCE.md"
    lines = source.read_text(encoding="utf-8").splitlines() if source.exists() else []
    line = next((one.lower() for one in lines if one.startswith(f"| {name}")), "")
    return "| higher |" in line or (not line and any(word in name.lower() for word in HIGHER))


def speed_part(scale: float, _: Path) -> None:
    """100 submissions x 1,000,000 OOF rows, and 10,000 permutations of 10 and of 100 models."""
    rows, models = int(1_000_000 * scale), 100
    random = np.random.default_rng(10)
    y = (random.random(rows) < 0.3).astype(np.int64)
    oof = np.empty((models, rows), np.float32)
    for one in oof:
        one[:] = 1 / (1 + np.exp(-(y - 1 + random.standard_normal(rows, dtype=np.float32))))
    for name in ("logloss", "auc"):
        start, clock = time.process_time(), time.perf_counter()
        agreement.lb_se(y, oof, check_metric(name), 300_000)
        print(f"   standard errors, {name}: {time.process_time() - start:.1f} s of processor, {time.perf_counter() - clock:.1f} s, "
              f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")
    for count in (10, 100):
        cv = random.normal(size=count)
        start = time.process_time()
        agreement.verdict(cv, cv + random.normal(size=count), 0.5, 1.0, 4)
        print(f"   verdict of {count} models, 9,999 permutations: {time.process_time() - start:.2f} s")


PARTS = {"verdict": verdict_part, "ties": ties_part, "anchors": anchors_part, "gaps": gaps_part, "coverage": coverage_part, "order": order_part,
         "leak": leak_part, "splits": splits_part, "finals": finals_part, "reality": reality_part, "speed": speed_part}

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
