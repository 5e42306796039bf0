"""practice-houses: prices with a long tail, judged by their logarithms; who trains on the plain price trains for another contest."""

import numpy as np
import pandas as pd

from kagglekit.practice.builtin.registry import built_in
from kagglekit.practice.forum import Comment, Notebook, Topic

TRAIN, TEST, PUBLIC, NOISE = 2400, 2400, 0.3, 0.14
QUARTERS = ("Abbey Hill", "Bridgefoot", "Canal Side", "Dry Dock", "East Gate", "Fairlawn", "Gasworks", "Harbour", "Ironbridge", "Kilnfield",
            "Lakeside", "Millbrook", "North End", "Old Town", "Parkway", "Quarry Bank", "Rosehill", "Station Road", "Tannery", "Westfield")
KINDS, KIND_EFFECT, KIND_AREA = ("detached", "semi-detached", "terraced", "flat"), (0.12, 0.0, -0.08, -0.05), (160, 125, 105, 68)
DESCRIPTION = """
Houses and flats in twenty quarters of one town, sold between 2019 and 2024. Predict what the test set's were sold for.

**Files**

- `train.csv`: 2,400 sales with their price
- `test.csv`: 2,400 sales without it
- `sample_submission.csv`: the form of a submission

**Columns**

- `id`: a number for the sale, in no order
- `quarter`, `kind`: where it stands; detached, semi-detached, terraced or flat
- `living_area_m2`, `lot_area_m2`: empty lot for flats
- `lot_front_m`: length of the lot along the street; often not measured
- `rooms`, `bathrooms`, `basement_m2`
- `quality`: the valuer's mark, 1 (poor) to 10
- `year_built`, `year_renovated`: empty where it never was
- `garage_places`, `garage_year`: empty where there is no garage
- `fireplace`: its condition; empty where there is none
- `energy_class`: A (best) to G; older houses often have none
- `year_sold`, `month_sold`
- `price`: in euros (train only)

The sales are made up, the way they come is not: empty cells mean different things in different columns.
"""
EVALUATION = """
The score is the root mean squared error between the logarithms of 1 + predicted and 1 + true price. Ten percent off costs the same on a
flat as on a villa. A negative price has no logarithm: such a file ends in an error.

For every `id` of the test set give one price:

    id,price
    1204,215000
    77,489500.5
"""
RULES = "No external data: the town exists nowhere else."
TEACHES = """
The metric decides what is learnt. RMSLE measures ratios, and prices have a long tail. A model trained on plain euros bends
itself to a few villas and neglects thousands of flats; a straight line even sells some of those for less than nothing. The same model
trained on log(1 + price), and turned back with exp(.) - 1, is better without one new feature. The constants show it most simply: the mean
price is no good constant here, the geometric mean is (`kk submit-zeros --value constant` sends it). `kk train` does this by
itself where the metric is RMSLE; in your own code it is your job. Look at the metric before the models: which constant is
best under it, and which loss has the same optimum? Empty cells came second: no garage year means no garage, while a front that
was not measured means nothing. Models that are told which is which need fewer rows.
"""
TOPICS = (
    Topic("ERROR: predictions of at least 0?", "hedda_w",
          "My first submission failed, it says RMSLE needs predictions of at least 0. It is a plain linear regression. Why would it "
          "predict a negative price for a flat?", 0.8, 17, (
        Comment("marek", "Because a straight line in euros has to go through the villas too. Clip at something sensible and it runs. "
                "Better: ask yourself which scale this metric lives on.", 1.0, 25),
        Comment("lena_s", "What is your score for one constant? Try the mean, then the median, then exp of the mean log. That told me "
                "all.", 1.3, 19))),
    Topic("Remove the outliers and RMSE drops by a quarter", "grandmaestro",
          "Delete every sale above one million from train. My validation RMSE in euros drops by more than a quarter. **Easy gain, do "
          "it.**", 3.1, 12, (
        Comment("lena_s", "Did you delete them from the validation rows too? Then the task became easier, not the model better. And the "
                "metric is not RMSE in euros.", 3.3, 30, (
            Comment("grandmaestro", "... yes, from both. With them kept for validation my RMSLE is 0.216 instead of 0.207.", 3.5, 9),)),
        Comment("marek", "On the log scale these villas are not even outliers: plot the histogram of the log.", 3.8, 21))),
    Topic("What do the gaps mean?", "ines_b",
          "garage_year, year_renovated, fireplace, lot_front_m, energy_class: all with gaps. Fill with the median?", 2.0, 13, (
        Comment("hedda_w", "Look at garage_places where garage_year is empty. A median year for a garage that is not there ...", 2.2, 18),
        Comment("ines_b", "All zero, I see. And lot_front_m is empty at random as far as I can tell.", 2.5, 10))),
    Topic("Feature that helped most", "marek",
          "log of the living area for the line. Trees do not care, but the blend of both got better.", 8.0, 16, (
        Comment("lena_s", "Same. And the age at the sale instead of the two years.", 8.4, 14),)),
)
NOTEBOOKS = (
    Notebook("one-histogram-before-all", "One histogram before all", "lena_s", 1.4, 52),
    Notebook("houses-ridge-on-logs", "Ridge on logs, gaps told apart", "marek", 4.0, 37),
    Notebook("houses-lightgbm-start", "LightGBM to start with", "ines_b", 2.8, 21),
)


def _houses(random: np.random.Generator, rows: int) -> pd.DataFrame:
    """Facts of the houses before anything is left out."""
    kind, quarter = random.choice(4, rows, p=[0.24, 0.2, 0.26, 0.3]), random.integers(0, len(QUARTERS), rows)
    quality = np.clip(np.round(random.normal(5.8, 1.7, rows)), 1, 10).astype(int)
    area = np.round(np.array(KIND_AREA)[kind] * np.exp(0.05 * (quality - 6) + random.normal(0, 0.32, rows)))
    built = np.round(2018 - random.gamma(1.6, 28, rows)).astype(int)
    sold = random.integers(2019, 2025, rows)
    renovated = np.where((random.uniform(size=rows) < 0.3) & (built < 1995), random.integers(1996, 2019, rows), 0)
    lot = np.round(area * random.lognormal(1.1, 0.45, rows))
    garages = np.where(random.uniform(size=rows) < np.array([0.85, 0.6, 0.3, 0.2])[kind], 1 + (random.uniform(size=rows) < 0.3) * (kind < 2), 0)
    return pd.DataFrame({
        "quarter": np.array(QUARTERS)[quarter], "kind": np.array(KINDS)[kind], "living_area_m2": area.astype(int),
        "lot_area_m2": lot, "lot_front_m": np.round(np.sqrt(lot) * random.uniform(0.5, 1.0, rows), 1),
        "rooms": np.maximum(1, np.round(area / 26 + random.normal(0, 0.8, rows))).astype(int),
        "bathrooms": np.maximum(1, np.round(area / 85 + random.normal(0, 0.4, rows))).astype(int),
        "basement_m2": np.where((kind < 3) & (random.uniform(size=rows) < 0.6), np.round(area * random.uniform(0.2, 0.5, rows)), 0).astype(int),
        "quality": quality, "year_built": built, "year_renovated": renovated, "garage_places": garages,
        "garage_year": np.minimum(built + random.integers(0, 25, rows), 2018),
        "fireplace": random.choice(["good", "usable", "broken"], rows, p=[0.4, 0.4, 0.2]),
        "energy_class": np.array(list("GFEDCBA"))[np.clip((np.maximum(built, renovated) - 1935) // 12 + random.integers(-1, 2, rows), 0, 6)],
        "year_sold": sold, "month_sold": random.integers(1, 13, rows), "_quarter": quarter, "_kind": kind, "_warm": random.uniform(size=rows) < 0.35})


def _log_price(table: pd.DataFrame, random: np.random.Generator) -> np.ndarray:
    quarter = random.normal(0, 0.33, len(QUARTERS))[table["_quarter"]]
    age = np.minimum(table["year_sold"] - np.maximum(table["year_built"], table["year_renovated"] - 8), 90)
    lot = np.where(table["_kind"] < 3, 0.12 * np.log(table["lot_area_m2"] / 350), 0)
    return (12.45 + quarter + np.array(KIND_EFFECT)[table["_kind"]] + 0.85 * np.log(table["living_area_m2"] / 110) + 0.085 * (table["quality"] - 6)
            - 0.005 * age + lot + 0.06 * table["garage_places"] + 0.05 * (table["bathrooms"] - 1) + 0.0008 * table["basement_m2"]
            + 0.05 * (table["_warm"] & (table["fireplace"] == "good")) + 0.035 * (table["year_sold"] - 2019)
            + 0.12 * ((table["quality"] >= 8) & (quarter > 0.2)) + NOISE * random.standard_t(6, len(table)))


def _with_gaps(table: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Leave out what is not there, and some of what was not measured."""
    def chance() -> np.ndarray:
        return random.uniform(size=len(table))

    gaps = {"lot_area_m2": table["kind"] == "flat", "lot_front_m": (table["kind"] == "flat") | (chance() < 0.18),
            "year_renovated": table["year_renovated"] == 0, "garage_year": table["garage_places"] == 0, "fireplace": ~table["_warm"],
            "energy_class": chance() < np.where(table["year_built"] < 1980, 0.45, 0.08)}
    shown = table.drop(columns=["_quarter", "_kind", "_warm"])
    return shown.assign(**{name: shown[name].astype(object).mask(empty) for name, empty in gaps.items()})


def _line_in_logs(train: pd.DataFrame, test: pd.DataFrame) -> np.ndarray:
    """Least squares of the log price on log area, quality, age and quarter."""
    def features(table: pd.DataFrame) -> np.ndarray:
        quarters = table["quarter"].to_numpy()[:, None] == np.array(QUARTERS)
        return np.column_stack([quarters, np.log(table["living_area_m2"]), table["quality"], table["year_sold"] - table["year_built"]]).astype(float)

    weights = np.linalg.lstsq(features(train), np.log1p(train["price"].to_numpy()), rcond=None)[0]
    return np.expm1(features(test) @ weights)


def _baselines(train: pd.DataFrame, test: pd.DataFrame) -> dict[str, pd.DataFrame]:
    price = train["price"]
    by_metre = (price / train["living_area_m2"]).groupby(train["quarter"]).median()
    said = {"mean price": np.full(len(test), price.mean()), "geometric mean price": np.full(len(test), np.expm1(np.log1p(price).mean())),
            "price per square metre of the quarter": (test["quarter"].map(by_metre) * test["living_area_m2"]).to_numpy(),
            "straight line in logs": _line_in_logs(train, test)}
    return {team: test[["id"]].assign(price=np.round(values, 2)) for team, values in said.items()}


@built_in("practice-houses", title="What was it sold for?", metric="rmsle", description=DESCRIPTION.strip(), evaluation=EVALUATION.strip("\n"),
          rules=RULES, teaches=TEACHES.strip(), topics=TOPICS, notebooks=NOTEBOOKS)
def houses(seed: int) -> dict:
    """Tables and baselines of the competition; the same seed gives the same bytes."""
    random = np.random.default_rng(seed + 5000)
    facts = _houses(random, TRAIN + TEST)
    price = np.round(np.exp(_log_price(facts, random)), -2).astype(int)
    table = _with_gaps(facts, random).assign(price=price)
    table.insert(0, "id", random.permutation(len(table)) + 1)
    train, test = table.iloc[:TRAIN], table.iloc[TRAIN:].reset_index(drop=True)
    public = random.permutation(TEST) < round(PUBLIC * TEST)
    solution = test[["id", "price"]].assign(Usage=np.where(public, "Public", "Private"))
    return {"train": train, "test": test.drop(columns="price"), "sample_submission": test[["id"]].assign(price=200_000), "solution": solution,
            "baselines": _baselines(train, test)}
