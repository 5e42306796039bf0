"""The schema: which file and column is what in layouts of real competitions, every name of a metric, and questions instead of silent guesses."""

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tests.schema_layouts_odd  # noqa: F401 (announces its layouts)
from kagglekit.competition import FILE, Competition, competition_text, read_competition
from kagglekit.errors import KKError
from kagglekit.metrics.kaggle_names import METRICS, kaggle_metric
from kagglekit.replies import Contest
from kagglekit.store import Store
from kagglekit.tables.schema import Peek, file_role, guess_schema
from kagglekit.tables.schema.metric import guess_metric, order_of
from kagglekit.tables.schema.notes import Notes
from kagglekit.tables.schema.roles import guess_roles
from kagglekit.verbs.join import join
from kagglekit.work.describe import first_guess, full_guess
from tests.conftest import SHARED
from tests.schema_layouts import LAYOUTS, Layout

Guessed = tuple[Competition, list[str]]


def described(
    folder: Path,
    tables: Mapping[str, pd.DataFrame],
    metric: str,
    *,
    page: str = "",
    files: Sequence[str] = (),
    code_only: bool = False,
    scores: Sequence[object] = (),
    given: Mapping[str, object] | None = None,
) -> Guessed:
    """What joining would write of these files."""
    contest = Contest(
        slug="c", title="c", url="", metric=metric, deadline=None, started=None, daily_limit=5, teams=0, entered=True, code_only=code_only
    )
    first, warnings = first_guess("c", folder, contest, "kaggle", {"evaluation": page} if page else {}, scores=scores, given=given)
    store = Store(first)
    store.tables.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_parquet(store.table(name), index=False)
    store.manifest.write_text(json.dumps({"files": [{"name": name} for name in (*tables, *files)]}))
    full, more = full_guess(first, store, guess_roles(list(tables)), given=given)
    return full, warnings + more


def of_layout(folder: Path, given: Layout) -> Guessed:
    """What joining a layout would write."""
    return described(folder, given.tables, given.metric, page=given.page, files=given.files, code_only=given.code_only, scores=given.scores)


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_of_real_competitions(name: str, tmp_path: Path) -> None:
    wanted = LAYOUTS[name]()
    found, warnings = of_layout(tmp_path, wanted)
    values = {field: getattr(found, field) for field in wanted.expected}
    assert values == {
        field: type(values[field])() if value is None and values[field] is not None else value for field, value in wanted.expected.items()
    }
    text = "\n".join(warnings)
    assert [words for words in wanted.says if words not in text] == [] and bool(warnings) == bool(wanted.says), text
    assert {field: words for field, words in wanted.why.items() if words not in found.why[field]} == {}, found.why
    (tmp_path / FILE).write_text(competition_text(found))
    again = read_competition(tmp_path)
    assert again == dataclasses.replace(found, folder=tmp_path, classes=again.classes) and list(map(str, again.classes)) == list(
        map(str, plain(found.classes))
    )


def plain(classes: Sequence[object]) -> list[object]:
    """Labels as TOML gives them back."""
    return [label if isinstance(label, (bool, int, float)) else str(label) for label in classes]


REAL = {
    "titanic": (
        "Categorization Accuracy",
        {
            "id": ("PassengerId",),
            "target": ("Survived",),
            "task": "binary",
            "metric": "accuracy",
            "classes": (0, 1),
            "prediction": "label",
            "group": (),
            "time": "",
        },
    ),
    "bike-sharing-demand": (
        "Root Mean Squared Logarithmic Error",
        {"id": ("datetime",), "target": ("count",), "task": "regression", "metric": "rmsle", "time": "datetime", "group": ()},
    ),
    "spooky-author-identification": (
        "Multiclass Loss",
        {
            "id": ("id",),
            "target": ("author",),
            "task": "multiclass",
            "classes": ("EAP", "HPL", "MWS"),
            "metric": "mlogloss",
            "prediction": "proba",
            "text": ("text",),
        },
    ),
    "nomad2018-predict-transparent-conductors": (
        "Mean Columnwise Root Mean Squared Logarithmic Error",
        {
            "id": ("id",),
            "target": ("formation_energy_ev_natom", "bandgap_energy_ev"),
            "task": "multitarget",
            "greater_is_better": False,
            "folders": ("test_geometry/{id}/geometry.xyz", "train_geometry/{id}/geometry.xyz"),
        },
    ),
    "playground-series-s3e3": ("Roc Auc Score", {"id": ("id",), "target": ("Attrition",), "task": "binary", "metric": "auc", "prediction": "rank"}),
}


@pytest.mark.parametrize("slug", REAL)
def test_real_competitions_with_their_boards(slug: str, tmp_path: Path) -> None:
    folder = SHARED / "data" / slug
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    tables = {path.name: pd.read_csv(path) for path in sorted((folder / "files").glob("*.csv"))}
    if "nomad" in slug:
        files = [f"{part}_geometry/{number}/geometry.xyz" for part in ("train", "test") for number in tables[f"{part}.csv"]["id"]]
    else:
        files = []
    metric, expected = REAL[slug]
    scores = pd.read_csv(folder / "leaderboard_public.csv")["score"].head(20).tolist()
    found, warnings = described(tmp_path, tables, metric, files=files, scores=scores)
    assert {field: getattr(found, field) for field in expected} == expected
    assert [warning for warning in warnings if "not built in" not in warning] == []


PRACTICE = {
    "practice-clinics": {"target": ("pain_score",), "task": "regression", "group": ("patient",), "ignore": ("patient",), "test_is_stub": False},
    "practice-churn": {"id": ("customer_id",), "target": ("churned",), "task": "binary", "prediction": "proba", "group": ()},
    "practice-demand": {"target": ("sales",), "task": "regression", "time": "date", "group": ()},
    "practice-cancer": {"target": ("malignant",), "task": "binary", "prediction": "rank", "group": (), "time": ""},
    "practice-digits": {
        "target": ("label",),
        "task": "multiclass",
        "classes": tuple(range(10)),
        "image": ("file",),
        "group": (),
        "folders": ("images/test/{id}.png", "images/train/{id}.png"),
    },
    "practice-houses": {"target": ("price",), "task": "regression", "metric": "rmsle", "group": (), "time": ""},
    "practice-notebook": {"target": ("minutes_left",), "task": "regression", "test_is_stub": True, "group": (), "time": ""},
}


@pytest.mark.parametrize("name", PRACTICE)
def test_practice_competitions(name: str, tmp_path: Path) -> None:
    from kagglekit.metrics import check_metric
    from kagglekit.practice.builtin.registry import REGISTRY

    part = REGISTRY.get(name)
    made = part.function(0)
    tables = {f"{key}.csv": made[key] for key in ("train", "test", "sample_submission")}
    found, warnings = described(
        tmp_path,
        tables,
        check_metric(part.metric).kaggle_names[0],
        page=part.evaluation,
        code_only=part.code_only,
        files=[key for key, value in made.items() if isinstance(value, bytes)],
    )
    assert {field: getattr(found, field) for field in PRACTICE[name]} == PRACTICE[name] and found.metric == part.metric
    assert warnings == (["the visible test set is a stub (10 rows): the real one is seen by notebooks only"] if part.code_only else [])
    if part.code_only:
        assert "candidates: tool" in found.why["group"] and "stub" in found.why["group"]


def test_every_practice_competition_has_its_expected_schema() -> None:
    from kagglekit.practice.builtin.registry import REGISTRY

    assert set(REGISTRY.names()) == set(PRACTICE)


NAMES = """accuracy: Categorization Accuracy, CategorizationAccuracy, Accuracy Score
rmse: Root Mean Squared Error, RMSE, Root Mean Square Error
auc: Area Under Receiver Operating Characteristic Curve, AUC, Roc Auc Score
mean_f1: Mean F-Score, MeanFScore
mae: Mean Absolute Error, MAE
mse: Mean Squared Error, MSE
logloss: Log Loss, LogLoss
fbeta: FScoreBeta, F_{Beta}, F-Score Beta (Micro)
rmsle: RMSLE, Root Mean Squared Logarithmic Error
map@k: MAP@{K}, MAP{K}, Mean Average Precision at K, MAP@k, MAP@5, MAP@12
macro_f1: Macro F-Score, MacroFScore, F-Score (Macro)
levenshtein: Levenshtein Mean, LevenshteinMean
ndcg@k: NDCG@{K}, NDCG{K}, NDCG@10
mlogloss: Multiclass Loss, MulticlassLoss, Multiclass Loss (Deprecated)
mape: MAPE
r2: R^2 score (coefficient of determination), R2Score, R-squared, R2 Score
w_accuracy: Weighted Categorization Accuracy
dice: Dice, SIIMDice, DiceFBeta, Dice3DHausdorff
mcauc: Mean Columnwise Area Under Receiver Operating Characteristic Curve, MCAUC
top_k_err: MeanBestErrorAtK
sum_abs: Absolute Error, AE
iou_seg: IntersectionOverUnionObjectSegmentation, IntersectionOverUnionObjectSegmentationBeta
mean_fbeta: Mean F-Score Beta, MeanFScoreBeta
mcc: Matthews correlation coefficient, Matthews Correlation
qwk: QuadraticWeightedKappa
rmspe: Root Mean Square Percentage Error
smape: SMAPE, Symmetric Mean Absolute Percentage Error
ngini: Normalized Gini Index, Gini Index
mcrmse: Mean Columnwise Root Mean Squared Error
mcrmsle: Mean Columnwise Root Mean Squared Logarithmic Error
wmae: Weighted Mean Absolute Error, Normalized WMAE
spearman: SpearmanR, Mean Columnwise Spearman's r
ap: Average Precision, MCAP
hamming: HammingLoss
mce: Mean Consequential Error
gap: GoogleGlobalAP
wrmse: Weighted Root Mean Squared Error, MWCRMSE
det_ap: OpenImagesObjectDetectionAP, RSNAObjectDetectionAP, LyftObjectDetectionAP
crps: Continuous Rank Probability Score
mclogloss: Mean Columnwise Log Loss
lwlrap: Weighted Label Ranking Average Precision
binom_dev: Capped Binomial Deviance
laplace_ll: Laplace Log Likelihood
pinball: Weighted Pinball Loss, WeightedRowwisePinballLoss
wrmsse: M5_WRMSSE
kld: Kullback Leibler Divergence
jaccard: Jaccard, JaccardFbeta
balanced_accuracy: Balanced Accuracy Score
w_auc: Weighted Area Under ROC, Jigsaw Bias AUC
custom: Custom Metric, Custom Evaluation Metric, Score, PostProcessorKernel, PostProcessorKernelDesc, Metric #1234"""
LOWER = [
    "rmse",
    "mae",
    "mse",
    "logloss",
    "rmsle",
    "levenshtein",
    "mlogloss",
    "mape",
    "top_k_err",
    "sum_abs",
    "rmspe",
    "smape",
    "mcrmse",
    "mcrmsle",
    "wmae",
    "hamming",
    "wrmse",
    "crps",
    "mclogloss",
    "binom_dev",
    "pinball",
    "wrmsse",
    "kld",
]


def test_all_fifty_metrics_by_every_name_with_their_direction() -> None:
    rows = [line.split(": ", 1) for line in NAMES.splitlines()]
    assert len(rows) == 50
    for name, strings in rows:
        for string in strings.split(", "):
            row = kaggle_metric(string)
            assert row is not None and row.name == name, string
            assert row.greater_is_better is (None if name == "custom" else name not in LOWER), name
    assert kaggle_metric("Weighted Multiclass Loss").name == kaggle_metric("Group Mean Squared Error").name == "custom"
    assert kaggle_metric("") is None and kaggle_metric("Glorious Distance") is None
    assert all(row.wants for row in METRICS.values())


def metric_notes(name: str, page: str = "", scores: Sequence[object] = (), given: Mapping[str, object] | None = None) -> Notes:
    notes = Notes("c", given or {})
    guess_metric(name, {"evaluation": page} if page else {}, scores, notes)
    return notes


@pytest.mark.parametrize(
    ("name", "page", "known", "better"),
    [
        ("Mean Squared Log Error", "the root mean squared logarithmic error", "rmsle", False),
        ("Mean Squared Log Error", "the mean squared logarithmic error of the counts", "msle", False),
        ("Mean Squared Error", "scored on the root mean squared error", "rmse", False),
        ("Cohen Kappa Score", "the quadratic weighted kappa", "qwk", True),
        ("Cohen Kappa Score", "cohen's kappa of two raters", "kappa", True),
        ("Mean Consequential Error", "", "mce", True),
        ("Custom Metric", "<p>evaluated on <b>area under the ROC curve</b> between probability and target.</p>", "auc", True),
        ("Metric #4711", "The score is the Root Mean Squared Error (RMSE). Lower is better.", "rmse", False),
        ("Custom Metric", "evaluated by partial area under the ROC curve above 80% TPR", "", None),
        ("Custom Metric", "the mean of weighted recall and the RMSE. Higher is better", "", True),
        ("PostProcessorKernel", "a private kernel", "", False),
        ("PostProcessorKernelDesc", "", "", True),
        ("", "Submissions are scored by the mean absolute error.", "mae", False),
        ("Group Mean Log MAE", "the log of the mean absolute error, calculated for each type. Lower is better.", "", False),
        ("Custom Metric", "log loss, weighted by class. Lower is better.", "", False),
        ("Score", "The smaller, the better.", "", False),
    ],
)
def test_traps_of_names_and_what_pages_say(name: str, page: str, known: str, better: bool | None) -> None:
    notes = metric_notes(name, page)
    assert (notes.fields["metric"] or notes.fields["metric_known_as"], notes.fields["greater_is_better"]) == (known, better)
    text = "\n".join(notes.warnings)
    assert ("is not built in: give metric.py:score" in text) is not bool(notes.fields["metric"])
    assert ("--direction higher|lower" in text) is (better is None)


def test_a_trap_without_a_page_is_a_question() -> None:
    notes = metric_notes("Mean Squared Log Error")
    assert notes.fields["metric"] == "rmsle" and "no evaluation page could be read" in notes.warnings[0] and "--metric rmsle" in notes.warnings[0]
    strange = metric_notes("Glorious Distance", "it is the root mean squared error")
    assert strange.fields["metric"] == "rmse" and "'Glorious Distance' is not known" in strange.warnings[0] and "--metric rmse" in strange.warnings[0]
    both = metric_notes("Custom Metric", "we use log loss here; accuracy is shown for information")
    assert both.fields["metric"] == "logloss" and "also of accuracy" in both.warnings[0]


def test_the_boards_order_is_compared_with_the_direction() -> None:
    assert metric_notes("RMSE", scores=["0.1", "0.2", "0.3"]).warnings == []
    assert (
        "begins with the highest scores (0.9 before 0.5), but rmse is better the lower"
        in metric_notes("RMSE", scores=["0.9", "0.7", "0.5"]).warnings[0]
    )
    assert metric_notes("Custom Metric", scores=["3", "1"]).fields["greater_is_better"] is True
    assert order_of(["1", "2", "1", "2"]) is None and order_of([]) is None and order_of(["0.5", "hidden"]) is None


def test_what_a_person_says_wins_and_ends_the_questions(tmp_path: Path) -> None:
    odd = LAYOUTS["several_columns_that_test_lacks"]()
    assert any("--target COL" in warning for warning in of_layout(tmp_path, odd)[1])
    found, warnings = described(tmp_path / "told", odd.tables, odd.metric, given={"target": ("won",)})
    assert found.target == ("won",) and found.task == "binary" and found.why["target"] == "you said so" and warnings == []
    twins = LAYOUTS["two_candidates_for_train"]()
    found, warnings = described(tmp_path / "twins", twins.tables, twins.metric, given={"train": "train_noisy.csv"})
    assert found.train == "train_noisy.csv" and warnings == []
    found, warnings = described(tmp_path / "metric", odd.tables, "Glorious Distance", given={"metric": "auc", "target": ("won",)})
    assert found.metric == "auc" and found.greater_is_better is True and found.prediction == "rank" and warnings == []


def test_what_is_said_wrongly_is_refused_with_near_names(tmp_path: Path) -> None:
    odd = LAYOUTS["several_columns_that_test_lacks"]()
    for number, (given, words) in enumerate(
        [
            ({"target": ("wonn",)}, "train has no 'wonn'. Did you mean won"),
            ({"id": "ids"}, "test has no 'ids'. Did you mean id"),
            ({"train": "trian.csv"}, "the competition has no 'trian.csv'. Did you mean train.csv"),
        ]
    ):
        with pytest.raises(KKError) as raised:
            described(tmp_path / str(number), odd.tables, odd.metric, given=given)
        assert words in str(raised.value)


@pytest.mark.parametrize(("values", "metric", "called", "says"), [
    ("ab", "Mean F-Score", "f1", ""), ((0, 1), "Mean F-Score", "f1", ""), ("abcd", "Mean F-Score", "accuracy", ""),
    (("a b", "b c", "a", "b", "c"), "Mean F-Score", "mean_f1", ""), ("abcd", "F1 Score", "f1", "f1 is of two classes, the target has 4"),
    ("ab", "Quadratic Weighted Kappa", "qwk", "qwk compares grades"), ("1234", "Quadratic Weighted Kappa", "qwk", ""),
    (("a b", "b c", "a", "b", "c"), "Macro F-Score", "macro_f1", "macro_f1 is of one label a row, each row of the target holds several")])
def test_a_metric_that_does_not_fit_the_target_is_told_or_refused(tmp_path: Path, values: tuple, metric: str, called: str, says: str) -> None:
    train = pd.DataFrame({"id": range(60), "x": np.arange(60) * 0.5, "kind": [values[k % len(values)] for k in range(60)]})
    test = pd.DataFrame({"id": range(60, 90), "x": np.arange(30) * 0.5})
    tables = {"train.csv": train, "test.csv": test, "sample_submission.csv": test[["id"]].assign(kind=values[0])}
    found, warnings = described(tmp_path / "guessed", tables, metric)
    assert found.metric == called
    told = [warning for warning in warnings if says in warning]
    assert told and re.search(r"say kk join \S+ --metric \w+, or write name = ", told[0]) if says else warnings == []
    if says:
        with pytest.raises(KKError, match=f"{says}.*Say another: kk join .* --metric .* or "):
            described(tmp_path / "said", tables, metric, given={"metric": called})


def test_joining_writes_the_reasons_and_the_way_to_change_them(workspace: Path, tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    for name, table in LAYOUTS["digit_recognizer"]().tables.items():
        table.to_csv(files / name, index=False)
    record = join("digits", source=files)
    assert record.id == () and record.target == ("label",) and record.task == "multiclass" and record.prediction == "label"
    text = Path(record.folder, FILE).read_text()
    assert 'sample_id = "ImageId"  # the sample' in text and "rows go by order" in text and 'target = ["label"]  # ' in text
    assert any("kk join digits --metric metric.py:score" in warning for warning in record.warnings)
    assert read_competition(Path(record.folder)).sample_ids == ("ImageId",)


def test_roles_of_files_by_name_alone() -> None:
    assert guess_roles(["gender_submission.csv", "test.csv", "train.csv"]) == {
        "train": "train.csv",
        "test": "test.csv",
        "sample": "gender_submission.csv",
    }
    assert guess_roles(["latest.csv", "constraints.csv"]) == {"train": "", "test": "", "sample": ""}
    assert guess_roles(["a/train/part.csv", "a/test/part.csv"]) == {"train": "a/train/part.csv", "test": "a/test/part.csv", "sample": ""}
    parts = {"train": "train_1.csv", "train_parts": ("train_1.csv", "train_2.csv"), "labels": "y.csv"}
    assert [file_role(name, parts) for name in ("train_1.csv", "train_2.csv", "y.csv", "z.csv")] == ["train", "train part", "labels", "other"]


def test_a_large_table_is_read_in_parts_but_its_classes_and_groups_are_whole(tmp_path: Path) -> None:
    rows = 450_000
    train = pd.DataFrame({"id": np.arange(rows), "user": np.arange(rows) // 3, "x": 1.0, "y": np.where(np.arange(rows) == 60_000, "rare", "usual")})
    test = train.drop(columns="y").assign(id=train["id"] + rows, user=train["user"] + rows).head(9000)
    paths = {"train": tmp_path / "train.parquet", "test": tmp_path / "test.parquet", "sample": tmp_path / "sample.parquet"}
    for path, table in zip(paths.values(), (train, test, test[["id"]].assign(y="usual")), strict=True):
        table.to_parquet(path, index=False, row_group_size=100_000)
    peek = Peek(paths["train"])
    assert not peek.exact and len(peek.sample("x")) < 210_000 and peek.rows == rows
    assert "rare" not in set(peek.sample("y")) and peek.distinct("y", 5) == {"rare", "usual"} and peek.distinct("id", 5) is None
    found = guess_schema(paths)
    assert found.fields["classes"] == ("rare", "usual") and found.fields["group"] == ("user",)
    # A group whose values test shares in rows that were not looked at is none.
    shared = test.assign(user=train["user"].iloc[60_000:69_000].to_numpy())
    shared.to_parquet(paths["test"], index=False)
    assert guess_schema(paths).fields["group"] == ()


@pytest.mark.parametrize("rows", [0, 1])
def test_empty_tables_are_no_crash(rows: int, tmp_path: Path) -> None:
    made = LAYOUTS["house_prices"]()
    found, _ = described(tmp_path, {name: table.head(rows) for name, table in made.tables.items()}, made.metric)
    assert found.id == ("Id",) and found.target == ("SalePrice",)
