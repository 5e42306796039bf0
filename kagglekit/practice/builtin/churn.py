"""practice-churn: who leaves within a month? 60,000 rows, few positives, categories, dates and gaps; log loss."""

import numpy as np
import pandas as pd

from kagglekit.practice.builtin.registry import built_in
from kagglekit.practice.forum import Comment, Notebook, Topic

TRAIN, TEST, REGIONS, PUBLIC = 60_000, 30_000, 200, 0.3
EVALUATION = """
The score is the log loss of the probabilities, clipped at 1e-15. It punishes certainty where it is wrong: 0.01 for somebody who leaves costs far more
than 0.1.

For every `customer_id` of the test set give the probability of leaving. Ids have zeros in front: keep them as text.

    customer_id,churned
    00412345,0.07
    09120001,0.31
"""
TOPICS = (
    Topic("Balance the classes first!", "smoteking",
          "Only one in twelve leaves. Oversample the leavers to 50:50 and recall goes from 2% to 56%. **Never train on unbalanced "
          "data.**", 1.9, 14, (
        Comment("ffion", "And the log loss? This metric wants probabilities, not recall.", 2.0, 31, (
            Comment("smoteking", "0.52 instead of 0.26. Oh. The mean of my predictions is 0.37.", 2.3, 8),
            Comment("ffion", "And the share of leavers is 0.08. Balancing tells the model that half of the customers leave, and it "
                    "believes you.", 2.4, 27))),
        Comment("dev_r", "If you must balance, move the log odds back by log(share / (1 - share)) afterwards. Not balancing is "
                "easier.", 2.8, 18))),
    Topic("What does an empty satisfaction mean?", "dev_r",
          "A quarter has none. Do those leave more often?", 1.2, 11, (
        Comment("ffion", "In train about as often as the others. So the gap tells nothing, but the value does where it is there.", 1.5, 15),)),
    Topic("region has 200 values", "yuto_k",
          "Target encoding gives me a wonderful CV and a so-so board.", 3.7, 16, (
        Comment("dev_r", "Did you encode before you split? Then every row's own answer is inside its feature. Fit the encoding inside each "
                "fold.", 3.9, 34),
        Comment("yuto_k", "I did. Inside the fold CV and board agree. Some gain is left, it is real.", 4.6, 17))),
    Topic("signed_up", "ffion",
          "As text it is useless. As a date: days until the end of June 2025 (how long somebody is with us), and the month. Look at the "
          "months.", 5.0, 23, (
        Comment("yuto_k", "There is one month with more leavers than it should have. A Christmas offer, I guess.", 5.6, 19),)),
)
NOTEBOOKS = (
    Notebook("who-leaves-by-plan-and-calls", "Who leaves, by plan and calls", "dev_r", 1.0, 29),
    Notebook("encode-inside-the-fold", "Encode inside the fold", "yuto_k", 4.8, 43),
    Notebook("lightgbm-with-dates", "LightGBM with dates", "ffion", 5.2, 34),
)


def _customers(random: np.random.Generator, rows: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Customers and whether they leave."""
    plan = random.choice(["basic", "plus", "family", "business"], rows, p=[0.45, 0.3, 0.17, 0.08])
    region = random.integers(0, REGIONS, rows)
    tenure = random.gamma(2.0, 14.0, rows).round(1)
    price = np.select([plan == "basic", plan == "plus", plan == "family"], [9.9, 14.9, 24.9], 39.9) + random.choice([0, 2, 5], rows)
    calls = random.poisson(1.2, rows)
    usage = random.lognormal(2.0, 0.8, rows).round(2)
    satisfaction = np.clip(random.normal(7, 2, rows), 0, 10).round()
    signed = pd.Timestamp("2025-06-30") - pd.to_timedelta((tenure * 30.4).astype(int), unit="D")
    region_effect = 0.5 * np.sin(region * 1.7)
    logit = (-2.62 - 0.03 * tenure + 0.035 * price + 0.35 * calls - 0.25 * np.log1p(usage) - 0.12 * (satisfaction - 7) + region_effect
             + 0.7 * ((plan == "basic") & (calls > 2)) + 0.5 * (signed.month == 12) + 0.8 * (usage < 2))
    leaves = (random.uniform(size=rows) < 1 / (1 + np.exp(-logit))).astype(int)
    table = pd.DataFrame({"plan": plan, "region": [f"R{number:03d}" for number in region], "signed_up": signed.strftime("%Y-%m-%d"),
                          "monthly_price": price, "support_calls": calls, "usage_gb": usage, "satisfaction": satisfaction,
                          "paperless": random.choice(["yes", "no"], rows), "payment": random.choice(["card", "bank", "cash"], rows)})
    table.loc[random.uniform(size=rows) < 0.25, "satisfaction"] = np.nan
    table.loc[random.uniform(size=rows) < 0.05, "usage_gb"] = np.nan
    table.loc[random.uniform(size=rows) < 0.02, "payment"] = None
    return table, leaves


def _baselines(train: pd.DataFrame, test: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The share of leavers, and their share by plan and calls with fifty average customers added to each cell."""
    share, cells = train["churned"].mean(), ["plan", "support_calls"]
    seen = train.groupby(cells)["churned"].agg(["sum", "count"])
    rates = ((seen["sum"] + 50 * share) / (seen["count"] + 50)).rename("rate")
    by_cell = test[cells].join(rates, on=cells)["rate"].fillna(share)
    ids = test[["customer_id"]]
    return {"share of leavers": ids.assign(churned=round(share, 5)), "table of plan and calls": ids.assign(churned=by_cell.round(5))}


@built_in("practice-churn", title="Who leaves next month?", metric="logloss",
          description="Predict the probability that a customer leaves within the next month. One customer in twelve does.",
          evaluation=EVALUATION.strip("\n"), topics=TOPICS, notebooks=NOTEBOOKS,
          teaches="Plain rows at random: a stratified split is right, and the public score confirms it. What pays is the right use of "
                  "categories, dates and gaps.")
def churn(seed: int) -> dict:
    """Tables and baselines of the competition; the same seed gives the same bytes."""
    random = np.random.default_rng(seed + 1000)
    table, leaves = _customers(random, TRAIN + TEST)
    table.insert(0, "customer_id", [f"{number:08d}" for number in random.permutation(10_000_000)[:TRAIN + TEST]])
    train, test = table.iloc[:TRAIN].assign(churned=leaves[:TRAIN]), table.iloc[TRAIN:].reset_index(drop=True)
    public = random.permutation(TEST) < round(PUBLIC * TEST)
    solution = test[["customer_id"]].assign(churned=leaves[TRAIN:], Usage=np.where(public, "Public", "Private"))
    return {"train": train, "test": test, "sample_submission": test[["customer_id"]].assign(churned=0.5), "solution": solution,
            "baselines": _baselines(train, test)}
