"""Small copies of how real competitions lay out their files, with the schema that a person would write for each."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Layout:
    """Tables by file name, what Kaggle tells, the expected fields and words that the warnings must hold (none: no warning)."""

    tables: dict[str, pd.DataFrame]
    metric: str
    expected: dict[str, object]
    says: tuple[str, ...] = ()
    page: str = ""
    files: tuple[str, ...] = ()
    code_only: bool = False
    scores: tuple[str, ...] = ()
    why: dict[str, str] = field(default_factory=dict)


LAYOUTS: dict[str, Callable[[], Layout]] = {}
ROWS, ASKED = 300, 120
RANDOM = np.random.default_rng(5)


def layout(make: Callable[[], Layout]) -> Callable[[], Layout]:
    """Announce a layout under its function's name."""
    LAYOUTS[make.__name__] = make
    return make


def features(rows: int, seed: int = 0) -> pd.DataFrame:
    """Two numbers and a category."""
    random = np.random.default_rng(seed)
    return pd.DataFrame({"x1": random.normal(size=rows), "x2": random.integers(0, 9, rows), "kind": random.choice(["a", "b", "c"], rows)})


def pair(name: str, first: int = 0, test_first: int | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train and test with running ids."""
    train, test = features(ROWS), features(ASKED, 1)
    train.insert(0, name, np.arange(first, first + ROWS))
    test.insert(0, name, np.arange(ASKED) + (first + ROWS if test_first is None else test_first))
    return train, test


def numbers(rows: int = ROWS) -> np.ndarray:
    """A skewed target."""
    return np.exp(np.random.default_rng(2).normal(size=rows)).round(4)


def labels(count: int, rows: int = ROWS) -> np.ndarray:
    """A target of whole numbers."""
    return np.arange(rows) % count


def sentences(rows: int, seed: int = 0) -> list[str]:
    """Different texts of a dozen words."""
    words = np.array(
        ["the", "a", "river", "town", "runs", "over", "under", "bright", "old", "stone", "hill", "every", "day", "some", "people", "walk"]
    )
    random = np.random.default_rng(seed)
    return [" ".join(random.choice(words, 12)) + f" {row}" for row in range(rows)]


@layout
def house_prices() -> Layout:
    train, test = pair("Id", 1)
    return Layout(
        {"train.csv": train.assign(SalePrice=numbers()), "test.csv": test, "sample_submission.csv": test[["Id"]].assign(SalePrice=1.0)},
        "Root Mean Squared Error",
        {"id": ("Id",), "target": ("SalePrice",), "task": "regression", "metric": "rmsle", "prediction": "value", "greater_is_better": False},
        page="Root-Mean-Squared-Error (RMSE) between the logarithm of the predicted value and the logarithm of the observed price",
    )


@layout
def digit_recognizer() -> Layout:
    pixels = pd.DataFrame(RANDOM.integers(0, 255, (ROWS, 16)), columns=[f"pixel{number}" for number in range(16)])
    train = pixels.copy()
    train.insert(0, "label", labels(10))
    return Layout(
        {"train.csv": train, "test.csv": pixels.head(ASKED), "sample_submission.csv": pd.DataFrame({"ImageId": np.arange(1, ASKED + 1), "Label": 0})},
        "Categorization Accuracy",
        {"id": (), "sample_id": "ImageId", "target": ("label",), "task": "multiclass", "classes": tuple(range(10))},
        why={"id": "counts its rows from 1: rows go by order"},
    )


@layout
def forest_cover() -> Layout:
    train, test = pair("Id", 1)
    return Layout(
        {"train.csv": train.assign(Cover_Type=labels(7) + 1), "test.csv": test, "sampleSubmission.csv": test[["Id"]].assign(Cover_Type=1)},
        "CategorizationAccuracy",
        {"sample": "sampleSubmission.csv", "task": "multiclass", "classes": (1, 2, 3, 4, 5, 6, 7), "prediction": "label"},
    )


@layout
def porto_seguro() -> Layout:
    train, test = pair("id")
    return Layout(
        {"train.csv": train.assign(target=labels(2)), "test.csv": test, "sample_submission.csv": test[["id"]].assign(target=0.0364)},
        "Normalized Gini Index",
        {"metric": "ngini", "metric_known_as": "", "greater_is_better": True, "task": "binary", "prediction": "rank"},
    )


@layout
def mercari() -> Layout:
    train, test = pair("train_id")
    test = test.rename(columns={"train_id": "test_id"})
    train, test = (table.assign(item_description=sentences(len(table))) for table in (train, test))
    return Layout(
        {
            "train.tsv": train.assign(price=numbers()),
            "test.tsv": test,
            "test_stg2.tsv": test,
            "sample_submission.csv": test[["test_id"]].assign(price=9.5),
            "sample_submission_stg2.csv": test[["test_id"]].assign(price=9.5),
        },
        "RMSLE",
        {"train": "train.tsv", "test": "test.tsv", "id": ("test_id",), "target": ("price",), "metric": "rmsle", "text": ("item_description",)},
        says=("--sample sample_submission_stg2.csv", "--test test_stg2.tsv"),
        why={"id": "train has no test_id: its rows are counted"},
    )


@layout
def quora() -> Layout:
    train = pd.DataFrame({"qid": [f"q{row:05d}" for row in range(ROWS)], "question_text": sentences(ROWS)})
    test = pd.DataFrame({"qid": [f"q{row:05d}" for row in range(900, 900 + ASKED)], "question_text": sentences(ASKED, 4)})
    return Layout(
        {"train.csv": train.assign(target=labels(2)), "test.csv": test, "sample_submission.csv": test[["qid"]].assign(prediction=0)},
        "F1 Score",
        {"id": ("qid",), "target": ("target",), "task": "binary", "text": ("question_text",), "group": None, "prediction": "label"},
    )


@layout
def toxic_comments() -> Layout:
    kinds = ["toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate"]
    train = pd.DataFrame({"id": [f"{row:016x}" for row in range(ROWS)], "comment_text": sentences(ROWS)})
    test = pd.DataFrame({"id": [f"{row:016x}" for row in range(5000, 5000 + ASKED)], "comment_text": sentences(ASKED, 3)})
    marks = {name: RANDOM.integers(0, 2, ROWS) for name in kinds}
    return Layout(
        {
            "train.csv": train.assign(**marks),
            "test.csv": test,
            "test_labels.csv": test[["id"]].assign(**dict.fromkeys(kinds, -1)),
            "sample_submission.csv": test[["id"]].assign(**dict.fromkeys(kinds, 0.5)),
        },
        "Roc Auc Score",
        {
            "task": "multilabel",
            "target": tuple(kinds),
            "test": "test.csv",
            "metric_known_as": "",
            "metric": "mcauc",
            "others": ("test_labels.csv",),
            "greater_is_better": True,
            "prediction": "rank",
        },
        why={"others": "test_labels.csv by id"},
    )


@layout
def plant_pathology() -> Layout:
    image = [f"{row:08x}.jpg" for row in range(ROWS)]
    sick = np.array(["healthy", "scab", "rust", "scab rust", "complex", "rust complex"])[labels(6)]
    sample = pd.DataFrame({"image": [f"{row:08x}.jpg" for row in range(900, 905)], "labels": "healthy"})
    return Layout(
        {"train.csv": pd.DataFrame({"image": image, "labels": sick}), "sample_submission.csv": sample},
        "Mean F-Score",
        {
            "task": "multilabel",
            "classes": ("complex", "healthy", "rust", "scab"),
            "image": ("image",),
            "test": None,
            "id": ("image",),
            "folders": ("test_images/{image}", "train_images/{image}"),
            "metric_known_as": "",
        },
        says=("no test table",),
        files=tuple(f"train_images/{name}" for name in image) + tuple(f"test_images/{name}" for name in sample["image"]),
    )


@layout
def m5() -> Layout:
    ids = [f"FOODS_{row}_CA" for row in range(60)]
    days = pd.DataFrame(RANDOM.integers(0, 9, (60, 30)), columns=[f"d_{day}" for day in range(1, 31)])
    train = pd.DataFrame({"id": [f"{name}_validation" for name in ids], "item_id": ids}).join(days)
    longer = train.assign(id=[f"{name}_evaluation" for name in ids], d_31=1, d_32=2)
    sample = pd.DataFrame({"id": train["id"].tolist() + longer["id"].tolist(), **{f"F{day}": 0 for day in range(1, 29)}})
    return Layout(
        {
            "sales_train_validation.csv": train,
            "sales_train_evaluation.csv": longer,
            "sample_submission.csv": sample,
            "calendar.csv": pd.DataFrame({"d": ["d_1"], "date": ["2011-01-29"]}),
            "sell_prices.csv": train[["item_id"]].assign(sell_price=1.0),
        },
        "M5_WRMSSE",
        {
            "metric_known_as": "wrmsse",
            "greater_is_better": False,
            "target": (),
            "sample": "sample_submission.csv",
            "others": ("calendar.csv", "sales_train_validation.csv", "sell_prices.csv"),
        },
        says=("2 files may be train", "kk join c --train", "F1, F2, F3, F4 and 24 more are none of train's", "--target", "wrmsse", "no test table"),
    )


@layout
def store_sales() -> Layout:
    days = pd.date_range("2020-01-01", periods=30).repeat(12)
    table = pd.DataFrame({"id": np.arange(360), "date": days, "store_nbr": np.tile(np.arange(12), 30), "onpromotion": 0})
    train, test = table.head(240).assign(sales=numbers(240)), table.tail(120)
    return Layout(
        {
            "train.csv": train,
            "test.csv": test,
            "sample_submission.csv": test[["id"]].assign(sales=0.0),
            "oil.csv": pd.DataFrame({"date": days, "oil": 1.0}),
            "stores.csv": pd.DataFrame({"store_nbr": np.arange(12), "city": "Quito"}),
        },
        "Root Mean Squared Logarithmic Error",
        {"time": "date", "target": ("sales",), "others": ("oil.csv", "stores.csv"), "group": None},
        why={"time": "test is later than train", "others": "stores.csv by store_nbr"},
    )


@layout
def rossmann() -> Layout:
    train, test = features(ROWS), features(ASKED, 1)
    train = train.assign(Store=np.arange(ROWS) % 40, Sales=numbers(), Customers=labels(9))
    test.insert(0, "Id", np.arange(1, ASKED + 1))
    test = test.assign(Store=np.arange(ASKED) % 40)
    return Layout(
        {
            "train.csv": train,
            "test.csv": test,
            "store.csv": pd.DataFrame({"Store": np.arange(40), "StoreType": "a"}),
            "sample_submission.csv": test[["Id"]].assign(Sales=0),
        },
        "Root Mean Square Percentage Error",
        {"id": ("Id",), "target": ("Sales",), "metric_known_as": "", "others": ("store.csv",)},
        why={"group": "candidates: Store"},
    )


@layout
def santander() -> Layout:
    train, test = features(ROWS), features(ASKED, 1)
    train.insert(0, "ID_code", [f"train_{row}" for row in range(ROWS)])
    test.insert(0, "ID_code", [f"test_{row}" for row in range(ASKED)])
    return Layout(
        {"train.csv": train.assign(target=labels(2)), "test.csv": test, "sample_submission.csv": test[["ID_code"]].assign(target=0)},
        "AUC",
        {"id": ("ID_code",), "metric": "auc", "task": "binary", "group": None},
    )


@layout
def home_credit() -> Layout:
    train, test = pair("SK_ID_CURR", 100001)
    beside = pd.DataFrame({"SK_ID_CURR": train["SK_ID_CURR"].repeat(3), "SK_ID_BUREAU": np.arange(3 * ROWS)})
    return Layout(
        {
            "application_train.csv": train.assign(TARGET=labels(2)),
            "application_test.csv": test,
            "sample_submission.csv": test[["SK_ID_CURR"]].assign(TARGET=0.5),
            "bureau.csv": beside,
            "bureau_balance.csv": beside[["SK_ID_BUREAU"]].assign(STATUS="C"),
        },
        "Area Under Receiver Operating Characteristic Curve",
        {
            "train": "application_train.csv",
            "test": "application_test.csv",
            "id": ("SK_ID_CURR",),
            "target": ("TARGET",),
            "others": ("bureau.csv", "bureau_balance.csv"),
        },
        why={"others": "bureau.csv by SK_ID_CURR"},
    )


@layout
def elo() -> Layout:
    train, test = features(ROWS), features(ASKED, 1)
    train.insert(0, "card_id", [f"C_{row:06d}" for row in range(ROWS)])
    test.insert(0, "card_id", [f"C_{row:06d}" for row in range(ROWS, ROWS + ASKED)])
    bought = train[["card_id"]].assign(purchase_amount=1.0)
    return Layout(
        {
            "train.csv": train.assign(target=numbers()),
            "test.csv": test,
            "sample_submission.csv": test[["card_id"]].assign(target=0.0),
            "historical_transactions.csv": bought,
            "new_merchant_transactions.csv": bought,
            "merchants.csv": pd.DataFrame({"merchant_id": ["M"]}),
        },
        "RMSE",
        {"metric": "rmse", "task": "regression", "others": ("historical_transactions.csv", "merchants.csv", "new_merchant_transactions.csv")},
    )


@layout
def ieee_fraud() -> Layout:
    train, test = pair("TransactionID", 2987000)
    train, test = train.assign(TransactionDT=np.arange(ROWS) + 86400), test.assign(TransactionDT=np.arange(ASKED) + 990000)
    facts = [table[["TransactionID"]].head(50).assign(DeviceType="mobile") for table in (train, test)]
    return Layout(
        {
            "train_transaction.csv": train.assign(isFraud=labels(2)),
            "train_identity.csv": facts[0],
            "test_transaction.csv": test,
            "test_identity.csv": facts[1],
            "sample_submission.csv": test[["TransactionID"]].assign(isFraud=0.5),
        },
        "Area Under Receiver Operating Characteristic Curve",
        {
            "train": "train_transaction.csv",
            "test": "test_transaction.csv",
            "time": "TransactionDT",
            "target": ("isFraud",),
            "others": ("test_identity.csv", "train_identity.csv"),
        },
        why={"train": "it has the sample's isFraud; train_identity.csv has not"},
    )


@layout
def molecular_properties() -> Layout:
    train, test = pair("id")
    train = train.assign(molecule_name=[f"dsgdb_{row // 5:06d}" for row in range(ROWS)], scalar_coupling_constant=RANDOM.normal(size=ROWS))
    test = test.assign(molecule_name=[f"dsgdb_{row // 5:06d}" for row in range(ROWS, ROWS + ASKED)])
    return Layout(
        {
            "train.csv": train,
            "test.csv": test,
            "structures.csv": train[["molecule_name"]].assign(atom="C"),
            "sample_submission.csv": test[["id"]].assign(scalar_coupling_constant=0),
        },
        "Group Mean Log MAE",
        {
            "group": ("molecule_name",),
            "ignore": ("molecule_name",),
            "metric": "",
            "greater_is_better": False,
            "task": "regression",
            "target": ("scalar_coupling_constant",),
        },
        says=("'Group Mean Log MAE' is not built in",),
        page="The score is the log of a mean over types. Lower is better.",
        why={"greater_is_better": "the evaluation page says 'lower is better'"},
    )


@layout
def happywhale() -> Layout:
    image = [f"{row:012x}.jpg" for row in range(ROWS)]
    train = pd.DataFrame(
        {"image": image, "species": np.array(["dolphin", "whale"])[labels(2)], "individual_id": [f"{row % 70:010x}" for row in range(ROWS)]}
    )
    top = "new_individual " + " ".join(train["individual_id"].iloc[:4])
    sample = pd.DataFrame({"image": [f"{row:012x}.jpg" for row in range(900, 920)], "predictions": top})
    return Layout(
        {"train.csv": train, "sample_submission.csv": sample},
        "MAP@5",
        {
            "target": ("individual_id",),
            "prediction": "list",
            "task": "multiclass",
            "metric_known_as": "",
            "image": ("image",),
            "id": ("image",),
            "greater_is_better": True,
        },
        says=("no test table",),
        files=tuple(f"train_images/{name}" for name in image),
    )


@layout
def sartorius() -> Layout:
    names = [f"{row:012x}" for row in range(60)]
    train = pd.DataFrame(
        {
            "id": np.repeat(names, 5),
            "annotation": [f"{start} 3 {start + 700} 5" for start in range(300)],
            "width": 704,
            "height": 520,
            "cell_type": np.array(["cort", "astro", "shsy5y"])[labels(3)],
        }
    )
    sample = pd.DataFrame({"id": ["7ae19de7bc2a", "d48ec7815252"], "predicted": ["1 2", "1 2 9 4"]})
    return Layout(
        {"train.csv": train, "sample_submission.csv": sample},
        "IntersectionOverUnionObjectSegmentation",
        {"target": ("annotation",), "prediction": "mask", "task": "other", "image": ("id",), "folders": ("train/{id}.png",)},
        says=("no test table", "run-length"),
        files=tuple(f"train/{name}.png" for name in names),
        code_only=True,
    )


@layout
def feedback_prize() -> Layout:
    scales = ["cohesion", "syntax", "vocabulary", "phraseology", "grammar", "conventions"]
    train = pd.DataFrame({"text_id": [f"{row:012X}" for row in range(ROWS)], "full_text": sentences(ROWS)})
    train = train.assign(**{name: (labels(9) + 2) / 2 for name in scales})
    test = train[["text_id", "full_text"]].head(3)
    return Layout(
        {"train.csv": train, "test.csv": test, "sample_submission.csv": test[["text_id"]].assign(**dict.fromkeys(scales, 3.0))},
        "MCRMSE",
        {
            "task": "multitarget",
            "target": tuple(scales),
            "test_is_stub": True,
            "text": ("full_text",),
            "metric_known_as": "",
            "prediction": "value",
            "greater_is_better": False,
        },
        says=("the visible test set is a stub (3 rows)",),
        code_only=True,
    )


@layout
def commonlit() -> Layout:
    train = pd.DataFrame(
        {"id": [f"{row:09x}" for row in range(ROWS)], "url_legal": None, "excerpt": sentences(ROWS), "target": numbers(), "standard_error": numbers()}
    )
    test = pd.DataFrame({"id": [f"{row:09x}" for row in range(700, 707)], "url_legal": None, "excerpt": sentences(7, 9)})
    return Layout(
        {"train.csv": train, "test.csv": test, "sample_submission.csv": test[["id"]].assign(target=0.0)},
        "Root Mean Squared Error",
        {"task": "regression", "target": ("target",), "test_is_stub": True, "text": ("excerpt",), "group": None},
        says=("the visible test set is a stub (7 rows)",),
        code_only=True,
    )


@layout
def optiver() -> Layout:
    train = pd.DataFrame({"stock_id": np.repeat(np.arange(3), 100), "time_id": np.tile(np.arange(5, 105), 3), "target": numbers()})
    test = pd.DataFrame({"stock_id": 0, "time_id": [4, 32, 34], "row_id": ["0-4", "0-32", "0-34"]})
    return Layout(
        {"train.csv": train, "test.csv": test, "sample_submission.csv": test[["row_id"]].assign(target=0.003)},
        "Root Mean Square Percentage Error",
        {
            "id": ("row_id",),
            "target": ("target",),
            "test_is_stub": True,
            "metric_known_as": "",
            "group": (),
            "folders": ("book_train.parquet/*/*.parquet",),
        },
        says=("stub",),
        code_only=True,
        why={"group": "candidates: time_id"},
        files=tuple(f"book_train.parquet/stock_id={number}/{number * 7919:032x}.parquet" for number in range(20)),
    )


@layout
def amex() -> Layout:
    customers = [f"{row:016x}" for row in range(100)]
    train, test = (
        features(300, seed).assign(customer_ID=np.repeat(customers if not seed else [name[::-1] for name in customers], 3)) for seed in (0, 1)
    )
    known = pd.DataFrame({"customer_ID": customers, "target": labels(2, 100)})
    return Layout(
        {
            "train_data.csv": train,
            "train_labels.csv": known,
            "test_data.csv": test,
            "sample_submission.csv": test[["customer_ID"]].drop_duplicates().assign(prediction=0),
        },
        "Custom Metric",
        {
            "train": "train_data.csv",
            "labels": "train_labels.csv",
            "target": ("target",),
            "task": "binary",
            "unit": ("customer_ID",),
            "metric": "",
            "greater_is_better": True,
            "id": ("customer_ID",),
        },
        says=(
            "the targets are not in train but in train_labels.csv: join them by customer_ID",
            "not built in",
            "several rows for each customer_ID",
            "--metric",
        ),
        page="The metric is the mean of two measures of rank ordering: a form of normalized Gini and the default rate captured at 4%.",
        scores=("0.80", "0.79", "0.75"),
        why={"greater_is_better": "the leaderboard begins with the highest score"},
    )


@layout
def llm_detect() -> Layout:
    train = pd.DataFrame(
        {"id": [f"{row:08x}" for row in range(ROWS)], "prompt_id": labels(2), "text": sentences(ROWS), "generated": (labels(50) == 0).astype(int)}
    )
    test = pd.DataFrame(
        {"id": ["0000aaaa", "1111bbbb", "2222cccc"], "prompt_id": [2, 3, 4], "text": ["Aaa bbb ccc.", "Bbb ccc ddd.", "CCC ddd eee."]}
    )
    prompts = pd.DataFrame({"prompt_id": [0, 1], "prompt_name": ["Cars", "Votes"], "instructions": sentences(2)})
    return Layout(
        {
            "train_essays.csv": train,
            "train_prompts.csv": prompts,
            "test_essays.csv": test,
            "sample_submission.csv": test[["id"]].assign(generated=0.1),
        },
        "Roc Auc Score",
        {
            "train": "train_essays.csv",
            "test": "test_essays.csv",
            "target": ("generated",),
            "task": "binary",
            "text": ("text",),
            "test_is_stub": True,
            "others": ("train_prompts.csv",),
        },
        says=("stub",),
        code_only=True,
    )
