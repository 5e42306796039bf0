"""The built-in practice competitions: form, words, baselines, and that each teaches what it says."""

import functools
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import kagglekit
from kagglekit.errors import KKError
from kagglekit.metrics import check_metric
from kagglekit.practice.builtin.registry import REGISTRY, BuiltIn
from kagglekit.practice.contest import find_contest, read_contest
from kagglekit.practice.forum import Comment
from kagglekit.practice.generate import ensure_built_ins
from kagglekit.practice.server import Embedded
from kagglekit.practice.state import State
from kagglekit.tables.schema import public_fraction
from tests.bare_client import Client
from tests.conftest import Ran

NAMES = REGISTRY.names()
SEVEN = {f"practice-{name}" for name in ("cancer", "churn", "clinics", "demand", "digits", "houses", "notebook")}
# Better before worse, on the private part.
BETTER = {"practice-cancer": [("mean of four ranks", "mean texture"), ("worst radius", "mean texture"),
                              ("mean texture", "unevenness of the texture")],
          "practice-churn": [("table of plan and calls", "share of leavers"), ("share of leavers", "sample submission")],
          "practice-demand": [("four weeks by weekday", "mean of all days"), ("four weeks by weekday", "last week again")],
          "practice-digits": [("nearest image", "nearest mean image"), ("nearest mean image", "amount of ink")],
          "practice-houses": [("straight line in logs", "price per square metre of the quarter"), ("geometric mean price", "mean price"),
                              ("price per square metre of the quarter", "geometric mean price")],
          "practice-notebook": [("tool-life-line", "tool-life-median")]}


@functools.cache
def made(name: str, seed: int = 0) -> dict:
    return REGISTRY.get(name).function(seed)


def same(one: dict, other: dict) -> bool:
    def equal(a: object, b: object) -> bool:
        if isinstance(a, dict):
            return same(a, b)
        return a == b if isinstance(a, bytes) else a.to_csv(index=False) == b.to_csv(index=False)

    return list(one) == list(other) and all(equal(one[key], other[key]) for key in one)


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An arena where all of them are announced, their files not yet made."""
    home = tmp_path_factory.mktemp("all")
    ensure_built_ins(home, State(home).now())
    return home


@pytest.fixture
def play(workspace: Path) -> Callable[[str], Path]:
    """Join a built-in in a fresh workspace; gives its folder."""
    def joined(name: str) -> Path:
        kagglekit.join(name, practice=True)
        return workspace / "competitions" / name

    return joined


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_fixes_every_byte_and_another_seed_gives_others(name: str) -> None:
    one, other = made(name), made(name, 1)
    assert same(one, REGISTRY.get(name).function(0))
    assert not one["train"].equals(other["train"]) and not one["solution"].equals(other["solution"])
    public = [found["solution"]["Usage"] == "Public" for found in (one, other)]
    assert name == "practice-demand" or not public[0].equals(public[1]), "demand's public part is a period"
    images = [key for key in one if key.endswith(".png")]
    assert bool(images) == (name == "practice-digits") and (not images or sum(one[key] != other[key] for key in images) > len(images) / 2)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", [0, 1])
def test_tables_fit_together_and_test_holds_no_answer(name: str, seed: int) -> None:
    part, found = REGISTRY.get(name), made(name, seed)
    train, test, sample, solution = (found[key] for key in ("train", "test", "sample_submission", "solution"))
    key, *values = sample.columns
    assert list(solution.columns) == [key, *values, "Usage"]
    assert not set(values) & set(test.columns) and set(values) <= set(train.columns)
    assert set(train.columns) == set(test.columns) | set(values)
    for table in (train, test, sample, solution):
        assert table[key].is_unique and table[key].notna().all()
    assert list(sample[key]) == list(test[key]) and solution[values].notna().all(axis=None)
    share = solution["Usage"].value_counts(normalize=True)
    assert set(share.index) == {"Public", "Private"} and share["Public"] == pytest.approx(0.3, abs=0.02)
    assert not set(train[key]) & set(solution[key])
    assert part.code_only or list(solution[key]) == list(test[key])
    for table in found.get("baselines", {}).values():
        assert list(table.columns) == list(sample.columns) and list(table[key]) == list(solution[key])


def comments(given: tuple[Comment, ...]) -> list[Comment]:
    return [one for comment in given for one in (comment, *comments(comment.replies))]


def test_the_seven_are_there_with_words_of_their_own(arena: Path) -> None:
    assert set(NAMES) >= SEVEN
    titles = [REGISTRY.get(name).title for name in NAMES]
    assert len(set(titles)) == len(NAMES) and all(titles)
    assert [name for name in NAMES if REGISTRY.get(name).code_only] == ["practice-notebook"]
    for name in NAMES:
        pages = read_contest(arena / name).pages(over=True)
        assert list(pages) == ["description", "evaluation", "rules", "what-this-teaches"] and all(text.strip() for text in pages.values())
        assert public_fraction(pages) == 0.3, "another percentage of the test data stands before the true one"


@pytest.mark.parametrize("name", NAMES)
def test_pages_show_the_form_of_a_submission_and_people_talk(name: str) -> None:
    part: BuiltIn = REGISTRY.get(name)
    sample, metric = made(name)["sample_submission"], check_metric(part.metric)
    assert check_metric(metric.kaggle_names[0]).name == part.metric
    header = f"    {','.join(sample.columns)}\n"
    assert header in part.evaluation
    example = part.evaluation.split(header)[1].splitlines()[0].strip().split(",")
    assert len(example) == len(sample.columns) and all(map(math.isfinite, map(float, example[1:])))
    assert 2 <= len(part.topics) <= 4 and 1 <= len(part.notebooks) <= 3
    for topic in part.topics:
        assert topic.title and topic.text and topic.author and topic.comments
        days = [topic.day, *(comment.day for comment in comments(topic.comments))]
        assert min(days) == topic.day and max(days) < part.days
        for comment in comments(topic.comments):
            assert all(reply.day > comment.day for reply in comment.replies)
    assert any(comment.replies for topic in part.topics for comment in topic.comments), "nobody is contradicted"
    assert len({one.slug for one in part.notebooks}) == len(part.notebooks)


@pytest.mark.parametrize("name", sorted(SEVEN - {"practice-clinics", "practice-churn"}))
def test_columns_are_described(name: str) -> None:
    text = REGISTRY.get(name).description
    for column in (*made(name)["test"].columns, *made(name)["sample_submission"].columns):
        short = {"mean": "mean_*", "worst": "worst_*"}.get(column.split("_")[0], "*_error" if column.endswith("_error") else column)
        assert f"`{column}`" in text or (name == "practice-cancer" and f"`{short}`" in text), column


@pytest.mark.parametrize("name", sorted(BETTER))
def test_baselines_stand_on_the_board_in_a_sensible_order(name: str, arena: Path, monkeypatch: pytest.MonkeyPatch, kk: Callable[..., Ran]) -> None:
    monkeypatch.setenv("KK_ARENA_HOME", str(arena))
    find_contest(arena, name)
    public = {row["team"]: row["score"] for row in kagglekit.arena_board(name).rows}
    assert set(made(name)["baselines"]) <= set(public) and all(map(math.isfinite, public.values()))
    assert ("sample submission" in public) == (name != "practice-notebook")
    table = pd.read_csv(arena / name / "baselines.csv").set_index("team")["private"]
    metric = check_metric(REGISTRY.get(name).metric)
    for better, worse in BETTER[name]:
        assert metric.sign * table[better] > metric.sign * table[worse], (better, worse)
    shown = kk("arena", "board", name, "--json").json
    assert [row["team"] for row in shown["rows"]] == sorted(public, key=lambda team: -metric.sign * public[team])


def trained(models: tuple, folds: str) -> dict[str, float]:
    """Local scores by name."""
    runs = [kagglekit.train(model, name=name, params=params, refit=True, folds=folds) for model, name, params in models]
    return {run.name: run.score.mean for run in runs}


def submitted(names: tuple) -> dict[str, float]:
    """Public scores by name, over as many days as the limit asks for."""
    found = {}
    for number, name in enumerate(names):
        if number and number % 5 == 0:
            kagglekit.arena_advance(days=1)
        found[name] = kagglekit.submit(name).public
    return found


def order(scores: dict[str, float]) -> list[str]:
    return sorted(scores, key=scores.__getitem__)


@pytest.mark.slow
def test_demand_a_random_split_misleads_and_the_time_split_tracks(play: Callable[[str], Path]) -> None:
    models = (("linear", "linear", {}), ("tree", "shallow", {"max_depth": 2}), ("tree", "deep", {"max_depth": 0}),
              ("forest", "forest", {"n_estimators": 20}), ("lgbm", "lgbm", {"n_estimators": 100}))
    play("practice-demand")
    advised = kagglekit.cv()
    assert (advised.splitter, advised.recommendation.params) == ("time", {"time": "date"})
    random = trained(models, kagglekit.cv(split="random").folds)
    public = submitted(tuple(random))
    assert random["deep"] < random["linear"] and public["deep"] > public["linear"] + 0.1
    assert kagglekit.lbcheck(folds="random5").verdict == "does-not-track"
    by_time = trained(models, advised.folds)
    assert by_time["deep"] > by_time["linear"] + 0.1 and order(by_time)[2:] == order(public)[2:]
    assert kagglekit.lbcheck(folds=advised.folds).verdict == "tracks"
    assert max(abs(random[name] - public[name]) for name in public) > 2 * max(abs(by_time[name] - public[name]) for name in public)


def test_cancer_good_models_lie_inside_the_noise(play: Callable[[str], Path]) -> None:
    models = (("constant", "constant", {}), ("linear", "linear", {}), ("linear", "careful", {"alpha": 30.0}), ("lgbm", "lgbm", {"n_estimators": 60}),
              ("forest", "forest", {"n_estimators": 60}))
    play("practice-cancer")
    local = trained(models, kagglekit.cv().folds)
    public = submitted(tuple(local))
    assert all(min(scores[name] for name in scores if name != "constant") > 0.97 for scores in (local, public))
    found = kagglekit.lbcheck()
    assert (found.verdict, found.m, found.n_pub["value"]) == ("cannot-tell", 4, 60)
    assert "no pair of models is further apart than the noise" in found.can_say and found.smallest_resolved_gap is None
    assert all(abs(pair["public_gap"]) < 2 * pair["public_se"] for pair in found.pairs)


DIGITS = '''
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.neighbors import KNeighborsClassifier

RAW = Path("competitions/practice-digits/data/raw")


def blocks(y, n=5, seed=0):
    return np.arange(len(y)) * n // len(y)


def cells(table):
    return np.array([np.asarray(Image.open(RAW / name))[::4, ::4].ravel() / 15 for name in table["file"]])


def nearest(fold):
    model = KNeighborsClassifier(1).fit(cells(fold.X_train), fold.y_train)
    return model.predict_proba(cells(fold.X_valid)), model.predict_proba(cells(fold.X_test))
'''


def test_digits_are_read_from_files_and_the_order_of_ids_tells_the_writers(play: Callable[[str], Path], workspace: Path) -> None:
    folder = play("practice-digits")
    (workspace / "mine.py").write_text(DIGITS)
    images = sorted((folder / "data" / "raw" / "images").glob("*/*.png"))
    assert len(images) == 1797 and {path.parent.name for path in images} == {"train", "test"}
    train = pd.read_parquet(folder / "data" / "tables" / "train.parquet")
    assert train["id"].iloc[0] == "0001" and len(train) == 1097
    score = {split: kagglekit.train("mine.py:nearest", folds=kagglekit.cv(split=split).folds, name=split.rpartition(":")[2]).score.mean
             for split in ("random", "mine.py:blocks")}
    public = kagglekit.submit("blocks").public
    # The private part is where all of them end: three in four of the rows.
    private = pd.read_csv(next(folder.parents[1].glob("arena/practice-digits/baselines.csv"))).set_index("team").loc["nearest image", "private"]
    assert score["random"] > 0.98 and max(public, private) < score["random"] - 0.01
    assert abs(score["mine.py:blocks"] - private) < (score["random"] - private) / 2


def test_digits_images_give_back_the_cells() -> None:
    from io import BytesIO

    from PIL import Image
    from sklearn.datasets import load_digits

    cells, labels = load_digits(return_X_y=True)
    known = {(row.astype(int).tobytes(), int(label)) for row, label in zip(cells, labels)}
    found, answers = made("practice-digits"), pd.concat([made("practice-digits")["train"], made("practice-digits")["solution"]])
    for row in answers.sample(60, random_state=0).itertuples():
        name = row.file if isinstance(row.file, str) else f"images/test/{row.id}.png"
        image = np.asarray(Image.open(BytesIO(found[name])))
        assert image.shape == (32, 32) and ((image[::4, ::4] // 15).ravel().astype(int).tobytes(), row.label) in known


HOUSES = '''
import numpy as np

NUMBERS = ["living_area_m2", "quality", "year_built", "garage_places", "bathrooms", "basement_m2", "year_sold"]


def features(table):
    return np.column_stack([np.ones(len(table)), table[NUMBERS].to_numpy(dtype=float)])


def line(fold, forward, back):
    weights = np.linalg.lstsq(features(fold.X_train), forward(np.asarray(fold.y_train, dtype=float)), rcond=None)[0]
    return tuple(np.maximum(back(features(table) @ weights), 1.0) for table in (fold.X_valid, fold.X_test))


def in_euros(fold):
    return line(fold, lambda price: price, lambda price: price)


def in_logs(fold):
    return line(fold, np.log1p, np.expm1)
'''


def test_houses_the_metric_decides_the_constant_and_the_loss(play: Callable[[str], Path], workspace: Path) -> None:
    play("practice-houses")
    (workspace / "mine.py").write_text(HOUSES)
    board = {row["team"]: row["score"] for row in kagglekit.arena_board("practice-houses").rows}
    constant = kagglekit.submit_zeros(value="constant")
    assert constant.public == pytest.approx(board["geometric mean price"], abs=1e-4) and constant.public < board["mean price"] - 0.015
    folds = kagglekit.cv(split="random").folds
    euros, logs = (kagglekit.train(f"mine.py:{name}", folds=folds, name=name) for name in ("in_euros", "in_logs"))
    assert logs.score.mean < euros.score.mean - 10 * logs.score.se
    assert kagglekit.submit("in_logs").public < kagglekit.submit("in_euros").public / 1.5
    train = pd.read_parquet(workspace / "competitions" / "practice-houses" / "data" / "tables" / "train.parquet")
    assert train["price"].skew() > 2 and abs(np.log(train["price"]).skew()) < 0.5
    assert (train["garage_places"][train["garage_year"].isna()] == 0).all() and 0.1 < train["lot_front_m"].isna().mean() < 0.6


def test_notebook_the_stub_says_nothing_and_hidden_tools_are_new(play: Callable[[str], Path], workspace: Path) -> None:
    play("practice-notebook")
    joined = kagglekit.join("practice-notebook", practice=True)
    assert joined.test_is_stub and joined.code_only and joined.rows == {"train": 12800, "test": 10}
    found = made("practice-notebook")
    assert set(found["test"]["tool"]) <= set(found["train"]["tool"]) and len(found["solution"]) == 6000
    assert not set(found["solution"]["id"].str[:5]) & set(found["train"]["tool"])
    split = kagglekit.cv(split="random")
    assert split.recommendation.splitter == "group" and any("stub" in line for line in split.recommendation.evidence)
    score = {folds: kagglekit.train("lgbm", params={"n_estimators": 60}, folds=folds, name=f"lgbm-{folds}").score.mean
             for folds in (split.folds, kagglekit.cv(split="group", group="tool").folds)}
    assert score["random5"] < score["group5"] / 2
    with pytest.raises(KKError, match="from notebooks only"):
        kagglekit.submit("lgbm-group5")
    with Embedded(workspace / "arena") as server:
        client = Client(server.url, team="practice")
        sent = client.call("CreateCodeSubmission", competitionName="practice-notebook", kernelOwner="v_rao", kernelSlug="tool-life-line",
                           kernelVersion=1, fileName="submission.csv", submissionDescription="line").json()
        answer = client.wait(sent["ref"])
    board = {row["team"]: row["score"] for row in kagglekit.arena_board("practice-notebook").rows}
    assert float(answer["publicScore"]) == pytest.approx(board["tool-life-line"], abs=1e-5)
    assert board["tool-life-line"] < board["tool-life-median"]


def test_what_it_teaches_is_told_at_the_end(play: Callable[[str], Path]) -> None:
    play("practice-houses")
    with pytest.raises(KKError, match="is not over"):
        kagglekit.review()
    kagglekit.submit_zeros(value="constant")
    kagglekit.arena_close("practice-houses")
    assert kagglekit.review().teaches == REGISTRY.get("practice-houses").teaches
