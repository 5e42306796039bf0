"""Reading a constant's score back: what is said of the hidden answers, against the hidden answers themselves.

`python -m tests.test_reading` prints the readings of every practice competition, and of the real ones beside the checkout, with the truth.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kagglekit.metrics import REGISTRY, check_metric
from kagglekit.practice.create import create
from kagglekit.practice.state import State
from kagglekit.store import Store, open_store
from kagglekit.tables.reading import Case, Reading, hits, read_constant, solve
from kagglekit.verbs.cv import cv
from kagglekit.verbs.join import join
from kagglekit.verbs.lbcheck import lbcheck
from kagglekit.verbs.submissions import submissions
from kagglekit.verbs.submit_zeros import submit_zeros
from kagglekit.work.evidence import gather
from tests.conftest import SHARED

TRAIN, TEST = 600, 400
PRACTICE = ("practice-clinics", "practice-churn", "practice-houses", "practice-demand", "practice-digits", "practice-cancer")
REAL = {"bike-sharing-demand": "rmsle", "nomad2018-predict-transparent-conductors": "rmsle", "playground-series-s3e3": "auc",
        "spooky-author-identification": "mlogloss", "titanic": "accuracy"}


def make(workspace: Path, metric: str, target: dict[str, np.ndarray], own: str = "", **sample: object) -> np.ndarray:
    """A joined practice contest `tiny` with this target (train, then test); gives the public answers."""
    source, home = workspace / "source", workspace / "arena"
    source.mkdir()
    home.mkdir(exist_ok=True)
    table = pd.DataFrame({"id": np.arange(TRAIN + TEST), "size": np.random.default_rng(5).normal(size=TRAIN + TEST)})
    answers = pd.DataFrame(target)
    table[:TRAIN].join(answers).to_csv(source / "train.csv", index=False)
    table[TRAIN:].to_csv(source / "test.csv", index=False)
    ids = table[["id"]][TRAIN:]
    ids.assign(**(sample or dict.fromkeys(target, 0))).to_csv(source / "sample_submission.csv", index=False)
    first = next(iter(target.values()))
    hidden = answers[TRAIN:] if not sample or len(sample) == len(target) else pd.DataFrame({name: (first[TRAIN:] == name) * 1 for name in sample})
    ids.reset_index(drop=True).join(hidden.reset_index(drop=True)).to_csv(source / "solution.csv", index=False)
    if own:
        (source / "metric.py").write_text(own)
    create(home, "tiny", source=source, metric="metric.py:score" if own else metric, now=State(home).now(),
           higher_is_better=False if own else None, daily_limit=9)
    join("tiny", practice=True)
    if own:
        rename(metric)
    solution = pd.read_csv(home / "tiny" / "solution.csv")
    shown = solution.loc[solution["Usage"] == "Public", list(hidden.columns)].to_numpy()
    return shown[:, 0] if shown.shape[1] == 1 else shown


def rename(metric: str) -> None:
    """The person writes another metric into competition.toml."""
    toml = open_store("tiny").toml
    lines = toml.read_text().splitlines()
    lines[lines.index("[metric]") + 1] = f'name = "{metric}"'
    toml.write_text("\n".join(lines) + "\n")


def of_kind(readings: object, kind: str) -> dict:
    """The first reading of a kind."""
    return next((reading for reading in readings if reading["kind"] == kind), {})


def read(target: np.ndarray, constant: object, named: str, score: Callable[[np.ndarray, np.ndarray], float]) -> tuple[np.ndarray, list[Reading]]:
    """The public answers (a third of the rows after train) and what is read from the score that a server's function gives."""
    public = target[TRAIN:][np.random.default_rng(6).permutation(TEST) < TEST * 3 // 10]
    classes = tuple(np.unique(target).tolist()) if target.dtype.kind in "iU" else ()
    shown = round(float(score(public, np.full(len(public), constant))), 5)
    scorer = check_metric(named) if named in REGISTRY else None
    return public, read_constant(Case(named, scorer, constant, shown, target[:TRAIN], classes, len(public)))


def told_of(readings: list[Reading], kind: str) -> Reading:
    """The first reading of a kind."""
    return next(reading for reading in readings if reading.kind == kind)


AMOUNTS = np.random.default_rng(1).gamma(2.0, 30.0, TRAIN + TEST).round(2)
RARE = (np.random.default_rng(2).random(TRAIN + TEST) < 0.2).astype(int)
GRADES = np.random.default_rng(3).choice([0, 1, 2, 3], TRAIN + TEST, p=[0.5, 0.2, 0.2, 0.1])
COLOURS = np.random.default_rng(4).choice(["blue", "green", "red"], TRAIN + TEST, p=[0.6, 0.3, 0.1])


@pytest.mark.parametrize(("metric", "target", "value", "truth"), [
    ("rmse", AMOUNTS, "zeros", lambda y: np.mean(y**2)),
    ("mae", AMOUNTS, "zeros", lambda y: np.mean(np.abs(y))),
    ("rmsle", AMOUNTS, "constant", lambda y: np.mean((np.log1p(y) - np.log1p(AMOUNTS[:TRAIN]).mean()) ** 2)),
    ("r2", AMOUNTS, "zeros", lambda y: y.mean() / y.std()),
    ("smape", np.maximum(AMOUNTS - 30, 0), "zeros", lambda y: np.mean(y != 0)),
    ("accuracy", GRADES, "zeros", lambda y: np.mean(y == 0)),
    ("logloss", RARE, "zeros", lambda y: np.mean(y == 1)),
    ("logloss", RARE, "constant", lambda y: np.mean(y == 1)),
    ("f1", RARE, "constant", lambda y: np.mean(y == 1)),
])
def test_the_public_mean_or_share_is_solved_from_the_score(metric: str, target: np.ndarray, value: str, truth: Callable) -> None:
    scorer = check_metric(metric)
    public, readings = read(target, 0 if value == "zeros" else scorer.constant(target[:TRAIN]), metric, scorer)
    first, metric_reading, shift = readings[0], told_of(readings, "metric"), readings[-1]
    assert first.kind in ("mean", "prior") and first.value == pytest.approx(truth(public), rel=2e-4)
    assert abs(first.value - truth(target[:TRAIN])) < 4 * first.se
    assert metric_reading.state in ("confirmed", "fits") and (shift.kind, shift.state) == ("shift", "none")
    score = scorer(public, np.full(len(public), 0 if value == "zeros" else scorer.constant(target[:TRAIN])))
    assert shift.value == pytest.approx(score - metric_reading.value, abs=1e-5) and shift.se > 0


@pytest.mark.parametrize(("metric", "target", "score"), [("auc", RARE, 0.5), ("qwk", GRADES, 0.0), ("mcc", RARE, 0.0), ("f1", RARE, 0.0)])
def test_a_metric_that_no_constant_can_move_is_told_and_no_shift_is_read(metric: str, target: np.ndarray, score: float) -> None:
    readings = read(target, 0, metric, check_metric(metric))[1]
    assert readings[0].says.startswith(f"{metric} of this constant is {score:g} whatever the answers are")
    assert readings[0].state in ("confirmed", "fits") and not [one for one in readings if one.kind == "shift"]


def test_uniform_shares_say_nothing_and_the_priors_say_one_thing(workspace: Path) -> None:
    public = make(workspace, "mlogloss", {"target": COLOURS}, blue=0.4, green=0.3, red=0.3)
    zeros, constant = submit_zeros(), submit_zeros(value="constant")
    assert of_kind(zeros.reading, "metric")["state"] == "confirmed" and not of_kind(zeros.reading, "shift")
    assert "made to sum to 1" in of_kind(zeros.reading, "form")["says"]
    shares = np.array([(COLOURS[:TRAIN] == name).mean() for name in ("blue", "green", "red")])
    assert constant.reading[0]["value"] == pytest.approx(float(-(public @ np.log(shares)).mean()), abs=1e-5)


def test_two_columns_are_read_together(workspace: Path) -> None:
    public = make(workspace, "rmse", {"width": AMOUNTS, "height": AMOUNTS[::-1].copy()})
    rename("mcrmse")
    sent = submit_zeros()
    assert sent.reading[0]["value"] == pytest.approx(np.sqrt((public**2).mean(axis=0)).mean(), abs=1e-5)
    assert of_kind(sent.reading, "shift")["state"] == "none"


def test_two_constants_give_the_mean_of_the_target(workspace: Path) -> None:
    public = make(workspace, "rmse", {"target": AMOUNTS})
    submit_zeros()
    sent = submit_zeros(value="constant")
    mean = next(reading for reading in sent.reading if "two constants" in reading["evidence"])
    assert mean["value"] == pytest.approx(public.mean(), abs=1e-3)
    assert {tuple(reading) for reading in sent.reading} == {("says", "value", "evidence", "kind", "se", "state")}
    submissions()
    assert open_store("tiny").all_submissions()[1].reading == sent.reading


def test_a_shifted_target_is_seen_and_no_other_metric_is_accused() -> None:
    target = np.where(np.arange(TRAIN + TEST) < TRAIN, 100.0, 112.0) + AMOUNTS / 10
    readings = read(target, 0, "rmse", check_metric("rmse"))[1]
    assert (readings[-1].state, told_of(readings, "metric").state) == ("shifted", "open")
    assert readings[-1].value == pytest.approx(12, abs=2)


@pytest.mark.parametrize("shift", [1.0, 1.5])
def test_a_shifted_target_contradicts_no_metric(shift: float) -> None:
    random, states = np.random.default_rng(0), []
    for metric in ("rmse", "mae", "rmsle", "r2", "smape"):
        scorer = check_metric(metric)
        for _ in range(15):
            y, public = random.gamma(2, 30, 800), shift * random.gamma(2, 30, 200)
            for constant in (0.0, scorer.constant(y)):
                case = Case(metric, scorer, constant, round(scorer(public, np.full(200, constant)), 5), y, (), 200)
                states.append(told_of(read_constant(case), "metric").state)
    assert "contradicted" not in states
    assert states.count("open") < 8 or shift != 1


# A metric that is not what it is called

@pytest.mark.parametrize(("scored", "called", "says"), [
    ("rmse", "rmsle", "the score fits rmse, not rmsle"),
    ("rmsle", "rmse", "the score fits rmsle, not rmse"),
    ("logloss", "auc", "the score fits logloss"),
    ("accuracy", "qwk", "the score fits accuracy"),
])
def test_a_misnamed_metric_is_told_by_its_score(scored: str, called: str, says: str) -> None:
    target = {"logloss": RARE, "accuracy": GRADES}.get(scored, AMOUNTS)
    found = told_of(read(target, 0, called, check_metric(scored))[1], "metric")
    assert found.state == "contradicted" and found.says.startswith(says) and f", not {called}" in found.says


@pytest.mark.parametrize(("score", "called", "kind", "says"), [
    (lambda y, p: np.mean((y - p) ** 2), "rmse", "metric", "the score fits mse, not rmse"),
    (lambda y, p: np.mean((np.log1p(y) - np.log1p(p)) ** 2), "rmsle", "metric", "the score fits msle, not rmsle"),
    (lambda y, p: -np.mean(np.abs(y - p)), "mae", "form", "the server shows minus the error"),
    (lambda y, p: 100 * np.mean(np.abs(y - p) / y), "mape", "form", "mape: in per cent"),
    (lambda y, p: np.mean(np.abs(y - p)), "auc", "metric", "nothing can be read from auc of this constant; the score fits mae"),
])
def test_roots_squares_scales_and_signs_are_told(score: Callable, called: str, kind: str, says: str) -> None:
    assert told_of(read(AMOUNTS + 1, 0, called, score)[1], kind).says.startswith(says)


def test_an_area_of_ties_in_file_order_is_told() -> None:
    def by_order(y: np.ndarray, p: np.ndarray) -> float:
        return check_metric("auc")(y, np.arange(len(y)))

    found = told_of(read(RARE, 0, "auc", by_order)[1], "metric")
    assert found.state == "open" and "ties are broken by the file's order" in found.says


def test_a_clip_that_the_score_tells_is_named() -> None:
    def clipped(y: np.ndarray, p: np.ndarray) -> float:
        return float(np.mean(-np.log(np.where(y == 1, 1e-7, 1 - 1e-7))))

    assert "clipped at 1" in told_of(read(RARE, 0, "logloss", clipped)[1], "form").says


def test_minus_an_error_is_read_with_its_sign_turned_in_a_sample_that_is_constant(workspace: Path) -> None:
    own = "import numpy as np\n\n\ndef score(y, p):\n    return -float(np.sqrt(np.mean((y - p) ** 2)))\n"
    public = make(workspace, "rmse", {"target": AMOUNTS}, own=own)
    sent = submit_zeros(value="sample")
    assert sent.public < 0 and sent.reading[0]["value"] == pytest.approx(np.mean(public**2), rel=1e-4)
    assert of_kind(sent.reading, "form")["state"] == "flipped" and sent.reading[-1]["state"] == "none"


def test_where_no_metric_is_named_those_that_fit_are(workspace: Path) -> None:
    make(workspace, "rmsle", {"target": AMOUNTS})
    rename("")
    found = of_kind(submit_zeros().reading, "metric")
    assert found["state"] == "fits" and found["says"] == "the score fits rmsle"


def test_one_over_the_number_of_classes_is_balanced_accuracy() -> None:
    case = Case("accuracy", check_metric("accuracy"), 0, 0.25, GRADES, (0, 1, 2, 3), 5000)
    found = next(reading for reading in read_constant(case) if reading.kind == "metric")
    assert found.state == "contradicted" and found.says.startswith("the score fits balanced_acc, not accuracy")


def test_noise_that_covers_two_metrics_is_said_to() -> None:
    y = np.random.default_rng(0).normal(0, 1, 300)
    case = Case("rmse", check_metric("rmse"), 0, round(float(np.sqrt(np.mean(y[:90] ** 2))), 5), y, (), 90)
    found = next(reading for reading in read_constant(case) if reading.kind == "metric")
    assert found.state == "fits" and "mse would give it too" in found.says


def test_an_own_metric_is_compared_by_drawing_rows() -> None:
    def spread(y: np.ndarray, p: np.ndarray) -> float:
        return float(np.quantile(np.abs(y - p), 0.9))

    def broken(y: np.ndarray, p: np.ndarray) -> float:
        raise RuntimeError("only for models")

    for function, score, state in ((spread, spread(AMOUNTS[:200], np.zeros(200)), "confirmed"), (spread, 400.0, "open"), (broken, 400.0, "open")):
        case = Case("metric.py:score", check_metric(function, False), 0.0, score, AMOUNTS[:TRAIN], (), 200)
        assert told_of(read_constant(case), "metric").state == state


def test_rows_of_a_group_widen_the_noise() -> None:
    sites = np.repeat(np.arange(30), 20)
    y = np.random.default_rng(0).normal(50, 5, 30)[sites]
    alone, together = (read_constant(Case("rmse", check_metric("rmse"), 0, 50.0, y, (), 200, groups))[-1].se for groups in (None, sites))
    assert together == pytest.approx(alone * np.sqrt(20), rel=0.01)


# The public rows

def unique_share(rows: int, scores: int, draws: int = 150) -> tuple[float, float]:
    """Of random accuracies in 0.7 to 0.9 on `rows` rows: how often one count fits, and how often the true one is among those that do."""
    random, unique, found = np.random.default_rng(rows + scores), 0, 0
    for _ in range(draws):
        n = rows + int(random.integers(-rows // 100, rows // 100))
        shown = [round(int(random.integers(int(0.7 * n), int(0.9 * n))) / n, 5) for _ in range(scores)]
        lattice = solve([hits(score, 1e-5) for score in shown], int(n * 0.985), int(n * 1.015))
        unique, found = unique + (lattice.unique == n), found + (n in lattice.counts)
    return unique / draws, found / draws


@pytest.mark.parametrize(("rows", "scores", "share"), [(1000, 1, 0.83), (1000, 2, 1.0), (5000, 1, 0.0), (5000, 2, 0.76), (5000, 4, 1.0),
                                                       (20000, 4, 0.33), (20000, 8, 1.0)])
def test_the_lattice_finds_the_public_rows_as_often_as_it_can(rows: int, scores: int, share: float) -> None:
    unique, found = unique_share(rows, scores)
    assert unique == pytest.approx(share, abs=0.12) and found == 1.0


def test_no_count_may_fit_and_without_a_share_luck_is_no_proof() -> None:
    assert solve([hits(0.7, 1e-5)], 100, 105).unique == 100 and solve([hits(0.12345, 1e-5)], 200, 220).counts == ()
    found = solve([hits(0.7123, 1e-5), hits(0.8001, 1e-5)], 9_990, 10_009, trusted=False)
    assert found.counts == (10_000,) and found.chance > 0.1 and found.unique is None


def test_the_public_rows_reach_lbcheck(workspace: Path) -> None:
    public = make(workspace, "accuracy", {"target": RARE})
    sent = submit_zeros()
    found = of_kind(sent.reading, "n_pub")
    assert (found["value"], found["state"]) == (len(public), "unique")
    cv()
    assert lbcheck().n_pub == {"value": float(len(public)), "source": "score lattice"}
    assert lbcheck(n_public=77).n_pub == {"value": 77.0, "source": "given"}
    toml = open_store("tiny").toml
    toml.write_text(toml.read_text().replace("public_fraction = 0.3", "public_fraction = 0.5"))
    assert lbcheck().n_pub["source"] == "the page says 50%"


def test_a_contradicted_metric_reaches_lbcheck(workspace: Path) -> None:
    make(workspace, "rmse", {"target": AMOUNTS})
    rename("rmsle")
    submit_zeros()
    cv()
    assert any("the score fits rmse, not rmsle" in note for note in gather(open_store("tiny"), None, (), None).notes)


# Against the truth

@dataclass(frozen=True)
class Told:
    """A reading beside what is true."""

    slug: str
    sent: str
    what: str
    says: str
    value: float | None
    truth: float
    se: float | None


TRUTHS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "rmse": lambda y, c: float(np.mean((y - c) ** 2)), "rmsle": lambda y, c: float(np.mean((np.log1p(y) - np.log1p(c)) ** 2)),
    "accuracy": lambda y, c: float(np.mean(y == c)), "logloss": lambda y, c: float(np.mean(y == 1)),
    "mcrmsle": lambda y, c: float(np.sqrt(np.mean((np.log1p(y) - np.log1p(c)) ** 2, axis=0)).mean()),
    "mlogloss": lambda y, c: float(-(y @ np.log(c)).mean())}


def told(store: Store, value: str) -> Iterator[Told]:
    """The readings of one constant beside the truth of the arena's answers."""
    slug, sent = store.competition.slug, submit_zeros(value=value, competition=store.competition.slug)
    solution = pd.read_csv(store.folder.parent.parent / "arena" / slug / "solution.csv")
    sample = pd.read_parquet(store.table(store.competition.sample))
    columns = [name for name in sample.columns if name not in store.competition.sample_ids]
    public = solution.loc[solution["Usage"] == "Public", columns].to_numpy()
    public = public[:, 0] if len(columns) == 1 else public
    metric = store.competition.metric or store.competition.metric_known_as
    assert sent.reading, slug
    for reading in sent.reading:
        kind, truth = reading["kind"], np.nan
        if kind in ("mean", "prior"):
            target = np.log1p(public) if metric == "rmsle" else public
            truth = float(target.mean()) if "two constants" in reading["evidence"] else TRUTHS[metric](public, np.asarray(sent.value))
        elif kind == "n_pub":
            truth = float(len(public))
        yield Told(slug, value, kind, reading["says"], reading["value"], truth, reading["se"])


def all_told(names: dict[str, str], values: tuple[str, ...] = ("zeros", "constant")) -> Iterator[Told]:
    """Joins each competition in the workspace of the cwd (real ones are made first) and reads its constants."""
    home = Path("arena").resolve()
    home.mkdir(exist_ok=True)
    for slug, metric in names.items():
        if metric:
            create(home, slug, source=SHARED / "data" / slug, metric=metric, now=State(home).now())
        join(slug, practice=True)
        store = open_store(slug)
        for value in values if store.competition.metric else values[:1]:
            yield from told(store, value)


def check(rows: list[Told]) -> None:
    """Every number that is told is the truth."""
    wrong = [row for row in rows if row.what in ("mean", "prior", "n_pub") and row.value is not None
             and row.value != pytest.approx(row.truth, rel=2e-4)]
    assert not wrong
    assert not [row for row in rows if "not " in row.says and row.what == "metric" and "fits" in row.says]


def test_practice_competitions_are_read_right(workspace: Path) -> None:
    rows = list(all_told(dict.fromkeys(PRACTICE, "")))
    check(rows)
    assert {row.slug for row in rows if row.what == "shift" and "is shifted" in row.says} == {"practice-demand"}
    assert {row.slug for row in rows if row.what == "n_pub" and row.value} == {"practice-churn", "practice-digits"}


@pytest.mark.skipif(not (SHARED / "data").is_dir(), reason="the real competitions are not beside this checkout")
def test_real_competitions_are_read_right(workspace: Path) -> None:
    present = {slug: metric for slug, metric in REAL.items() if (SHARED / "data" / slug).is_dir()}
    rows = list(all_told(present))
    check(rows)
    assert {row.slug for row in rows} == set(present)


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name in ("configs", "competitions"):
            Path(name).mkdir()
        present = {slug: metric for slug, metric in REAL.items() if (SHARED / "data" / slug).is_dir()}
        print("| competition | sent | kind | reading | value | truth | se |\n|---|---|---|---|---|---|---|")
        for row in all_told({**dict.fromkeys(PRACTICE, ""), **present}):
            numbers = ["" if value is None or value != value else f"{value:.6g}" for value in (row.value, row.truth, row.se)]
            print(f"| {row.slug} | {row.sent} | {row.what} | {row.says} | {' | '.join(numbers)} |")
        os.chdir("/")


if __name__ == "__main__":
    main()
