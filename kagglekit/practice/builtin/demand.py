"""practice-demand: daily sales of shops, the test period follows train; a random split lets models look between the days."""

import numpy as np
import pandas as pd

from kagglekit.practice.builtin.registry import built_in
from kagglekit.practice.forum import Comment, Notebook, Topic

SHOPS, DAYS, TEST_DAYS, PUBLIC = 18, 266, 100, 0.3
DEPARTMENTS, APPEAL = ("food", "home", "clothes"), (0.15, -0.1, 0.0)
GROWTH, SIZE, LOCAL, MEMORY, NOISE = 1.0, 0.8, 0.5, 0.8, 0.08
WEEK = {"Friday": 0.05, "Saturday": 0.2, "Sunday": -0.2}
DESCRIPTION = """
A young chain has eighteen shops with three departments each. Predict what every department sells on each day of the autumn.

**Files**

- `train.csv`: 1 January to 22 September 2024, with the sales
- `test.csv`: 23 September to 31 December 2024, without them
- `sample_submission.csv`: the form of a submission

**Columns**

- `id`: a number for the row, by date
- `date`, `weekday`
- `holiday`: whether it is a holiday, or a day off in the region
- `visitors_last_year`: visitors of the town centre on the same day of 2023, 100 = usual
- `shop`: S01 to S18
- `department`: food, home or clothes
- `promotion`: whether it was on offer that day; planned ahead, so known for the test period too
- `sales`: pieces sold (train only)

What happens around a shop (road works, weather, a fair) moves all its departments for some days. No column tells of it.
"""
EVALUATION = """
The score is the root mean squared error between the logarithms of 1 + predicted and 1 + true sales. No prediction may be negative.

The public part is the first 30 days of the test period, the private part the 70 days after them.

For every `id` of the test set give one number:

    id,sales
    14364,120
    14365,95.5
"""
RULES = "Sales of the test period may not be bought from the shops' cashiers. All else that is in the files may be used."
TEACHES = """
The test period follows train. A random split leaves the days before and after each validated day in train, and the other departments of the
same shop on that very day: models with a good memory look up what went on there. A deep tree seems far better than a straight
line then, and is far worse on the board, because nobody can look up tomorrow. Folds by time (`kk cv --split time`) validate each block by
what came before it, as the test set does, and put the models in the order of the board. They also show what a forest cannot do: go
on with the growth, beyond all that it has seen. The public part was the first month, the private one the ten weeks after: what holds
for a near future holds less for a far one, so trust the folds whose blocks are about as long as the test period. In a real
competition look first at where test lies in time, and never take a feature that would not be known on the day of the
prediction: sales of yesterday are known for the first day only.
"""
TOPICS = (
    Topic("RMSLE 0.22 in CV, 0.63 on the board. Is the board broken?", "deepwoods",
          "Random forest, five shuffled folds, 0.22. The board gives me 0.63. I checked ids and order three times. Are the test sales from "
          "another chain?", 2.1, 27, (
        Comment("rosa_l", "Which rows are in train when you validate 14 May? I would guess 13 May, 15 May, and the department next "
                "door.", 2.4, 38, (
            Comment("deepwoods", "... all of them. But the test set has none of those. I see.", 2.6, 15),)),
        Comment("okta", "I kept the last block for validation, as long as the test period: 0.6 there. Not nice, but true.", 3.0, 22))),
    Topic("Lag features are all you need", "kaylee_ts",
          "sales of the same shop and department **yesterday** and a week ago: boosting goes from 0.41 to 0.32 in CV! Linear models are "
          "from the last century.", 4.0, 21, (
        Comment("okta", "What is yesterday's value for 15 November in the test set?", 4.1, 30, (
            Comment("kaylee_ts", "I would fill it with my own prediction. Result on the board: 0.64. OK, back to the drawing "
                    "board.", 5.2, 12),)),
        Comment("rosa_l", "A lag must be at least as long as the horizon. Means over the last weeks of train are safe.", 4.6, 24))),
    Topic("The chain grows", "martin_fc",
          "Plot the sum over all shops by week on a log axis: nearly a straight line upwards, with a swing of about two months on it. "
          "Which models go on with a line after its end?", 6.5, 25, (
        Comment("rosa_l", "Not my trees: their last leaf is flat.", 6.6, 18),
        Comment("martin_fc", "You can take the line off first and let the trees have the rest.", 7.0, 20))),
    Topic("Is the public part random rows?", "sam_o",
          "Asking before I trust it.", 0.6, 8, (
        Comment("martin_fc", "No, the evaluation page says the first 30 days. The other 70 are private and further away from everything we "
                "know.", 0.9, 16),)),
)
NOTEBOOKS = (
    Notebook("sales-by-week-on-a-log-axis", "Sales by week, on a log axis", "martin_fc", 6.4, 44),
    Notebook("four-weeks-by-weekday", "Four weeks by weekday: a baseline to beat", "rosa_l", 1.5, 31),
    Notebook("ridge-is-not-dead", "Ridge is not dead", "okta", 8.0, 36),
)


def _calendar(random: np.random.Generator) -> pd.DataFrame:
    date = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(DAYS + TEST_DAYS), unit="D")
    year = np.arange(len(date)) / 366
    holiday = random.uniform(size=len(date)) < 0.035
    visitors = 100 + 20 * np.sin(12 * np.pi * year) + 8 * random.normal(size=len(date))
    return pd.DataFrame({"date": date.strftime("%Y-%m-%d"), "weekday": date.day_name(), "holiday": np.where(holiday, "yes", "no"),
                         "visitors_last_year": np.round(visitors, 1), "year": year})


def _local(random: np.random.Generator, days: int) -> np.ndarray:
    """What goes on around each shop on each day: it lasts for some days, then it is forgotten."""
    local = np.zeros((days, SHOPS))
    for day in range(1, days):
        local[day] = MEMORY * local[day - 1] + np.sqrt(1 - MEMORY**2) * LOCAL * random.normal(size=SHOPS)
    return local


def _sales(random: np.random.Generator) -> pd.DataFrame:
    """All days, shops and departments, by date."""
    calendar = _calendar(random)
    size, local = random.normal(0, SIZE, SHOPS), _local(random, len(calendar))
    sizes = (len(calendar), SHOPS, len(DEPARTMENTS))
    day, shop, department = (part.ravel() for part in np.meshgrid(*map(np.arange, sizes), indexing="ij"))
    promotion = random.uniform(size=len(day)) < 0.15
    facts = calendar.iloc[day].reset_index(drop=True)
    log = (5 + size[shop] + np.array(APPEAL)[department] + GROWTH * facts["year"] + facts["weekday"].map(WEEK).fillna(0)
           - 0.3 * (facts["holiday"] == "yes") + 0.004 * (facts["visitors_last_year"] - 100) + 0.15 * promotion + local[day, shop])
    sold = random.poisson(np.exp(log.to_numpy() + NOISE * random.normal(size=len(day))))
    table = facts.drop(columns="year").assign(shop=np.array([f"S{number:02d}" for number in range(1, SHOPS + 1)])[shop],
                                              department=np.array(DEPARTMENTS)[department],
                                              promotion=np.where(promotion, "yes", "no"), sales=sold)
    table.insert(0, "id", np.arange(len(table)))
    return table


def _log_means(train: pd.DataFrame, test: pd.DataFrame, days: int, columns: list[str]) -> np.ndarray:
    """exp of the mean log of the last `days`, for each value of `columns`."""
    recent = train[train["date"] >= np.sort(train["date"].unique())[-days]]
    means = np.log1p(recent["sales"]).groupby([recent[name] for name in columns]).mean().rename("mean")
    return np.expm1(test[columns].join(means, on=columns)["mean"].to_numpy())


def _baselines(train: pd.DataFrame, test: pd.DataFrame) -> dict[str, pd.DataFrame]:
    where = ["shop", "department"]
    said = {"last week again": _log_means(train, test, 7, [*where, "weekday"]), "mean of all days": _log_means(train, test, DAYS, where),
            "four weeks by weekday": _log_means(train, test, 28, [*where, "weekday"])}
    return {team: test[["id"]].assign(sales=np.round(values, 2)) for team, values in said.items()}


@built_in("practice-demand", title="An autumn of sales in eighteen shops", metric="rmsle", description=DESCRIPTION.strip(),
          evaluation=EVALUATION.strip("\n"), rules=RULES, teaches=TEACHES.strip(), topics=TOPICS, notebooks=NOTEBOOKS)
def demand(seed: int) -> dict:
    """Tables and baselines of the competition; the same seed gives the same bytes."""
    random = np.random.default_rng(seed + 2000)
    table = _sales(random)
    dates = np.sort(table["date"].unique())
    train, test = (table[part].reset_index(drop=True) for part in (table["date"] < dates[DAYS], table["date"] >= dates[DAYS]))
    public = test["date"] < dates[DAYS + round(PUBLIC * TEST_DAYS)]
    solution = test[["id", "sales"]].assign(Usage=np.where(public, "Public", "Private"))
    return {"train": train, "test": test.drop(columns="sales"), "sample_submission": test[["id"]].assign(sales=100), "solution": solution,
            "baselines": _baselines(train, test)}
