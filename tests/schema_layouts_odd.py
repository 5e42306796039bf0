"""Layouts with something odd: several rows a unit, other kinds of predictions, and files that need a question."""

import numpy as np
import pandas as pd

from tests.schema_layouts import ASKED, ROWS, Layout, features, labels, layout, numbers, pair, sentences


@layout
def open_vaccine() -> Layout:
    """The sample's id is test's id and a position."""
    columns = ["reactivity", "deg_Mg"]
    train, test = features(ROWS), features(20, 1)
    train, test = train.assign(id=[f"id_{row:09x}" for row in range(ROWS)]), test.assign(id=[f"id_{row:09x}" for row in range(700, 720)])
    train = train.assign(**{name: numbers() for name in columns})
    ids = [f"{name}_{place}" for name in test["id"] for place in range(7)]
    return Layout(
        {"train.csv": train, "test.csv": test, "sample_submission.csv": pd.DataFrame({"id_seqpos": ids}).assign(**dict.fromkeys(columns, 0.0))},
        "MCRMSE",
        {"id": ("id_seqpos",), "unit": ("id",), "id_form": "{id}_{number}", "target": tuple(columns), "task": "multitarget"},
        says=("the sample has 7 rows for each row of test, its id_seqpos is id_number",),
    )


@layout
def columns_as_rows() -> Layout:
    """The sample's id is test's id and the name of a target column."""
    names = ["clinical_score", "motor", "sleep"]
    train, test = pair("visit_id")
    train = train.assign(**{name: numbers() for name in names})
    ids = [f"{visit}_{name}" for visit in test["visit_id"] for name in names]
    return Layout(
        {"train.csv": train, "test.csv": test, "sample_submission.csv": pd.DataFrame({"prediction_id": ids, "rating": 0})},
        "SMAPE",
        {"unit": ("visit_id",), "id_form": "{visit_id}_{column}", "target": tuple(names), "id": ("prediction_id",), "task": "multitarget"},
        says=("3 rows for each row of test",),
    )


@layout
def walmart() -> Layout:
    """The sample's id is made of three of test's columns."""

    def rows(count: int, first: str) -> pd.DataFrame:
        return pd.DataFrame({"Store": np.repeat([1, 2, 3], count), "Dept": 7, "Date": np.tile(pd.date_range(first, periods=count, freq="7D"), 3)})

    train, test = rows(100, "2010-02-05"), rows(39, "2012-11-02")
    ids = [f"{row.Store}_{row.Dept}_{row.Date:%Y-%m-%d}" for row in test.itertuples()]
    return Layout(
        {
            "train.csv": train.assign(Weekly_Sales=numbers()),
            "test.csv": test,
            "stores.csv": pd.DataFrame({"Store": [1, 2, 3], "Size": 9}),
            "sampleSubmission.csv": pd.DataFrame({"Id": ids, "Weekly_Sales": 0}),
        },
        "Weighted Mean Absolute Error",
        {"id": (), "sample_id": "Id", "id_form": "{Store}_{Dept}_{Date}", "target": ("Weekly_Sales",), "time": "Date", "metric_known_as": "wmae"},
        says=("wmae",),
    )


@layout
def long_form() -> Layout:
    """Several rows of the sample an id, told apart by a second column."""
    train, test = pair("well")
    sample = pd.DataFrame({"well": test["well"].repeat(3).to_numpy(), "horizon": np.tile([1, 2, 3], ASKED), "depth": 0.0})
    return Layout(
        {"train.csv": train.assign(depth=numbers()), "test.csv": test, "sample_submission.csv": sample},
        "MAE",
        {"id": ("well", "horizon"), "unit": ("well",), "target": ("depth",)},
        why={"unit": "3 rows for each row of test, told apart by horizon"},
    )


@layout
def two_key_columns() -> Layout:
    """An id of two columns."""
    train, test = (
        pd.DataFrame({"station": np.repeat(np.arange(10), rows // 10), "hour": np.tile(np.arange(rows // 10), 10) + first, "x": 1.5})
        for rows, first in ((ROWS, 0), (ASKED, 50))
    )
    return Layout(
        {"train.csv": train.assign(pm25=numbers()), "test.csv": test, "sample_submission.csv": test[["station", "hour"]].assign(pm25=0.0)},
        "R2 Score",
        {"id": ("station", "hour"), "target": ("pm25",), "metric": "r2", "greater_is_better": True},
    )


@layout
def another_name_for_the_id() -> Layout:
    train, test = pair("passenger")
    sample = pd.DataFrame({"Passenger Id": test["passenger"], "Transported": False})
    return Layout(
        {"train.csv": train.assign(Transported=labels(2) == 1), "test.csv": test, "sample_submission.csv": sample},
        "Accuracy Score",
        {"id": (), "sample_id": "Passenger Id", "target": ("Transported",), "classes": (False, True), "task": "binary"},
        why={"id": "test calls it passenger"},
    )


@layout
def otto() -> Layout:
    train, test = pair("id")
    kinds = [f"Class_{number}" for number in range(1, 10)]
    return Layout(
        {
            "train.csv": train.assign(target=np.array(kinds)[labels(9)]),
            "test.csv": test,
            "sampleSubmission.csv": test[["id"]].assign(**dict.fromkeys(kinds, 0)),
        },
        "Multiclass Loss",
        {"target": ("target",), "task": "multiclass", "classes": tuple(kinds), "prediction": "proba", "metric": "mlogloss"},
    )


@layout
def status_columns() -> Layout:
    train, test = pair("id")
    sample = test[["id"]].assign(Status_C=0.6, Status_CL=0.03, Status_D=0.37)
    return Layout(
        {
            "train.csv": train.assign(Status=np.array(["D", "C", "CL"])[labels(3)], Drug="x"),
            "test.csv": test.assign(Drug="x"),
            "sample_submission.csv": sample,
        },
        "Log Loss",
        {"target": ("Status",), "task": "multiclass", "classes": ("C", "CL", "D"), "metric": "mlogloss", "greater_is_better": False},
        why={"metric": "a column for each"},
    )


@layout
def dog_breeds() -> Layout:
    """Labels beside folders of images, no test table."""
    kinds = ["boxer", "collie", "poodle"]
    names = [f"{row:032x}" for row in range(30)]
    sample = pd.DataFrame({"id": [f"{row:032x}" for row in range(900, 910)]}).assign(**dict.fromkeys(kinds, 0.33))
    return Layout(
        {"labels.csv": pd.DataFrame({"id": names, "breed": np.array(kinds)[labels(3, 30)]}), "sample_submission.csv": sample},
        "Multiclass Loss",
        {"train": "labels.csv", "target": ("breed",), "classes": tuple(kinds), "image": ("id",), "folders": ("test/{id}.jpg", "train/{id}.jpg")},
        says=("no test table",),
        files=tuple(f"train/{name}.jpg" for name in names) + tuple(f"test/{name}.jpg" for name in sample["id"]),
    )


@layout
def wheat_heads() -> Layout:
    names = [f"{row:09x}" for row in range(30)]
    train = pd.DataFrame({"image_id": np.repeat(names, 4), "width": 1024, "bbox": "[834.0, 222.0, 56.0, 36.0]", "source": "usask_1"})
    sample = pd.DataFrame({"image_id": ["aac893a91", "51f1be19e"], "PredictionString": "1.0 0 0 50 50"})
    return Layout(
        {"train.csv": train, "sample_submission.csv": sample},
        "Custom Metric",
        {"prediction": "boxes", "task": "other", "metric": "", "greater_is_better": True, "target": None},
        says=("no test table", "not built in", "--target"),
        page="Mean average precision at different IoU thresholds, a custom form. Higher is better.",
        files=tuple(f"train/{name}.jpg" for name in names),
        code_only=True,
    )


@layout
def tweets() -> Layout:
    train = pd.DataFrame({"textID": [f"{row:010x}" for row in range(ROWS)], "text": sentences(ROWS), "sentiment": "neutral"})
    test = pd.DataFrame({"textID": [f"{row:010x}" for row in range(900, 900 + ASKED)], "text": sentences(ASKED, 8), "sentiment": "neutral"})
    return Layout(
        {
            "train.csv": train.assign(selected_text=[text[:30] for text in train["text"]]),
            "test.csv": test,
            "sample_submission.csv": test[["textID"]].assign(selected_text=" "),
        },
        "Jaccard",
        {"prediction": "text", "task": "other", "target": ("selected_text",), "text": ("text",), "metric_known_as": "jaccard"},
        says=("jaccard: higher is better",),
    )


@layout
def grades() -> Layout:
    train, test = pair("Id")
    return Layout(
        {"train.csv": train.assign(quality=labels(6) + 3), "test.csv": test, "sample_submission.csv": test[["Id"]].assign(quality=5)},
        "Cohen Kappa Score",
        {"metric": "qwk", "task": "multiclass", "prediction": "label", "classes": (3, 4, 5, 6, 7, 8)},
        page="Submissions are scored based on the quadratic weighted kappa.",
    )


@layout
def parts_of_train() -> Layout:
    train, test = pair("id")
    train = train.assign(y=numbers())
    parts = {f"train_{number + 1}.csv": train.iloc[number * 100 : number * 100 + 100] for number in range(3)}
    return Layout(
        {**parts, "test.csv": test, "sample_submission.csv": test[["id"]].assign(y=0.0)},
        "RMSE",
        {"train": "train_1.csv", "train_parts": ("train_1.csv", "train_2.csv", "train_3.csv"), "target": ("y",)},
        says=("train is in 3 files",),
    )


@layout
def two_candidates_for_train() -> Layout:
    train, test = pair("id")
    train = train.assign(y=numbers())
    return Layout(
        {"train_clean.csv": train, "train_noisy.csv": train, "test.csv": test, "sample_submission.csv": test[["id"]].assign(y=0.0)},
        "RMSE",
        {"train": "train_clean.csv", "target": ("y",)},
        says=("2 files may be train, train_clean.csv (taken) and train_noisy.csv: say kk join c --train train_noisy.csv",),
    )


@layout
def sub_folders_and_other_names() -> Layout:
    train, test = pair("id")
    return Layout(
        {
            "data/training_set.csv": train.assign(y=labels(2)),
            "data/testing.csv": test,
            "extra/gender_submission.csv": test[["id"]].assign(y=0),
            "extra/people.csv": train[["id"]],
        },
        "Accuracy Score",
        {"train": "data/training_set.csv", "test": "data/testing.csv", "sample": "extra/gender_submission.csv", "target": ("y",)},
    )


@layout
def no_name_says_train() -> Layout:
    train, test = pair("id")
    return Layout(
        {"learning.csv": train.assign(y=labels(2)), "test.csv": test, "sample_submission.csv": test[["id"]].assign(y=0)},
        "Accuracy Score",
        {"train": None, "task": "", "id": ("id",)},
        says=("no train table was found among the files: learning.csv", "--train learning.csv"),
    )


@layout
def no_sample() -> Layout:
    train, test = pair("id")
    return Layout(
        {"train.csv": train.assign(price=numbers()), "test.csv": test},
        "RMSE",
        {"id": ("id",), "target": ("price",), "task": "regression"},
        says=("there is no sample submission", "kk join c --id id", "no sample table"),
    )


@layout
def ids_of_another_test() -> Layout:
    train, test = pair("id")
    return Layout(
        {
            "train.csv": train.assign(y=numbers()),
            "test.csv": test,
            "sample_submission.csv": pd.DataFrame({"id": np.arange(5000, 5000 + ASKED), "y": 0.0}),
        },
        "RMSE",
        {"id": ("id",), "target": ("y",)},
        says=(f"{ASKED} of the sample's {ASKED} id are not in test, such as 5000",),
    )


@layout
def target_missing_in_train() -> Layout:
    train, test = pair("id")
    return Layout(
        {"train.csv": train, "test.csv": test, "sample_submission.csv": test[["id"]].assign(y=0.0)},
        "RMSE",
        {"target": (), "task": ""},
        says=("train has no column that test lacks", "kk join c --target COL"),
    )


@layout
def several_columns_that_test_lacks() -> Layout:
    train, test = pair("id")
    return Layout(
        {
            "train.csv": train.assign(won=labels(2), points=labels(9), margin=numbers()),
            "test.csv": test,
            "sample_submission.csv": test[["id"]].assign(pred=0.5),
        },
        "Log Loss",
        {"target": (), "metric": "logloss"},
        says=("train has won, points, margin that test lacks: say kk join c --target COL",),
    )


@layout
def no_metric_at_all() -> Layout:
    train, test = pair("id")
    return Layout(
        {"train.csv": train.assign(y=numbers()), "test.csv": test, "sample_submission.csv": test[["id"]].assign(y=0)},
        "",
        {"metric": "", "greater_is_better": None, "task": "regression"},
        says=("no metric is named", "--direction higher|lower", "--metric NAME"),
    )


@layout
def a_board_in_the_other_order() -> Layout:
    train, test = pair("id")
    return Layout(
        {"train.csv": train.assign(y=labels(2)), "test.csv": test, "sample_submission.csv": test[["id"]].assign(y=0)},
        "Accuracy Score",
        {"metric": "accuracy"},
        says=("the leaderboard begins with the lowest scores (0.1 before 0.4), but accuracy is better the higher",),
        scores=("0.1", "0.2", "0.4"),
    )


@layout
def a_copied_test() -> Layout:
    """Notebooks only, and the visible test is train's first rows: nothing can be read from it."""
    train, _ = pair("id")
    train = train.assign(
        id=[f"P{row // 10:03d}-{row % 10}" for row in range(ROWS)], patient=[f"P{row // 10:03d}" for row in range(ROWS)], y=numbers()
    )
    test = train.drop(columns="y").head(40)
    return Layout(
        {"train.csv": train, "test.csv": test, "sample_submission.csv": test[["id"]].assign(y=0.0)},
        "MAE",
        {"test_is_stub": True, "group": (), "target": ("y",)},
        says=("stub (40 rows)",),
        code_only=True,
        why={"group": "candidates: patient"},
    )


@layout
def scores_beside_logs() -> Layout:
    """Train's labels are in a table of their own whose name does not say so."""
    logs = features(ROWS).assign(id=[f"{row // 6:06x}" for row in range(ROWS)])
    asked = features(60, 1).assign(id=[f"{row // 6:06x}" for row in range(6000, 6060)])
    scores = logs[["id"]].drop_duplicates().assign(score=(labels(11, 50) + 1) / 2)
    sample = asked[["id"]].drop_duplicates().assign(score=3.0)
    expected = {"train": "train_logs.csv", "labels": "train_scores.csv", "target": ("score",), "unit": ("id",), "task": "regression"}
    tables = {"train_logs.csv": logs, "train_scores.csv": scores, "test_logs.csv": asked, "sample_submission.csv": sample}
    return Layout(tables, "RMSE", expected, says=("join them by id", "several rows for each id"))


@layout
def top_five_of_a_hundred_clusters() -> Layout:
    train, test = pair("id")
    sample = test[["id"]].assign(hotel_cluster="99 3 1 75 20")
    tables = {"train.csv": train.assign(hotel_cluster=labels(100)), "test.csv": test, "sample_submission.csv": sample}
    expected = {"target": ("hotel_cluster",), "task": "multiclass", "prediction": "list", "classes": tuple(range(100))}
    return Layout(tables, "MAP@{K}", expected, says=())


@layout
def clicks() -> Layout:
    """The sample's second column is in test too: it is sorted by a target that only train has."""
    train, test = (
        pd.DataFrame({"display_id": np.arange(rows) // 5 + first, "ad_id": np.arange(rows) % 17}) for rows, first in ((ROWS, 0), (ASKED, 500))
    )
    sample = pd.DataFrame({"display_id": sorted(set(test["display_id"])), "ad_id": "1 2 3 4 5"})
    tables = {"clicks_train.csv": train.assign(clicked=labels(5) // 4), "clicks_test.csv": test, "sample_submission.csv": sample}
    expected = {"train": "clicks_train.csv", "target": ("clicked",), "id": ("display_id",), "prediction": "list", "unit": ("display_id",)}
    return Layout(tables, "MAP@{K}", expected, says=("several rows for each display_id",))


@layout
def trips() -> Layout:
    """Several rows of test a unit, and a column for each class behind the target's name."""
    train, test = features(ROWS), features(ASKED, 1)
    train, test = (table.assign(VisitNumber=np.arange(len(table)) // 3 + first) for table, first in ((train, 0), (test, 900)))
    kinds = [f"TripType_{number}" for number in (3, 8, 40)]
    tables = {
        "train.csv": train.assign(TripType=np.array([3, 8, 40])[labels(3)]),
        "test.csv": test,
        "sample_submission.csv": test[["VisitNumber"]].drop_duplicates().assign(**dict.fromkeys(kinds, 0)),
    }
    expected = {"target": ("TripType",), "classes": (3, 8, 40), "unit": ("VisitNumber",), "task": "multiclass", "metric": "mlogloss"}
    return Layout(tables, "Multiclass Loss", expected, says=("several rows for each VisitNumber",))


@layout
def stars() -> Layout:
    """Curves in one table, facts and target of each object in another."""
    curve, asked = (
        pd.DataFrame({"object_id": np.arange(rows) // 6 + first, "mjd": 59000.5, "flux": numbers(rows)}) for rows, first in ((ROWS, 0), (60, 90))
    )
    facts, others = (
        table[["object_id"]].drop_duplicates().assign(ra=1.5, decl=2.5, hostgal=0.1, gal_l=1.0, gal_b=2.0, mwebv=0.1) for table in (curve, asked)
    )
    sample = others[["object_id"]].assign(class_6=0.2, class_15=0.3, class_16=0.2, class_99=0.3)
    tables = {
        "training_set.csv": curve,
        "training_set_metadata.csv": facts.assign(target=np.array([6, 15, 16])[labels(3, 50)]),
        "test_set.csv": asked,
        "test_set_metadata.csv": others,
        "sample_submission.csv": sample,
    }
    expected = {
        "train": "training_set.csv",
        "test": "test_set.csv",
        "labels": "training_set_metadata.csv",
        "target": ("target",),
        "task": "multiclass",
        "metric": "",
        "unit": ("object_id",),
        "others": ("test_set_metadata.csv",),
    }
    return Layout(tables, "Weighted Multiclass Loss", expected, says=("training_set_metadata.csv: join them by object_id", "several rows"))
