"""practice-churn: who leaves within a month? 60,000 rows, few positives, categories, dates and gaps; log loss."""

import numpy as np
import pandas as pd

from kagglekit.practice.builtin.registry import built_in

TRAIN, TEST, REGIONS, PUBLIC = 60_000, 30_000, 200, 0.3


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


@built_in("practice-churn", title="Who leaves next month?", metric="logloss",
          description="Predict the probability that a customer leaves within the next month. One customer in twelve does.",
          teaches="Plain rows at random: a stratified split is right, and the public score confirms it. What pays is the right use of "
                  "categories, dates and gaps.")
def churn(seed: int) -> dict[str, pd.DataFrame]:
    """Tables of the competition; the same seed gives the same bytes."""
    random = np.random.default_rng(seed + 1000)
    table, leaves = _customers(random, TRAIN + TEST)
    table.insert(0, "customer_id", [f"{number:08d}" for number in random.permutation(10_000_000)[:TRAIN + TEST]])
    train, test = table.iloc[:TRAIN].assign(churned=leaves[:TRAIN]), table.iloc[TRAIN:].reset_index(drop=True)
    public = random.permutation(TEST) < round(PUBLIC * TEST)
    solution = test[["customer_id"]].assign(churned=leaves[TRAIN:], Usage=np.where(public, "Public", "Private"))
    return {"train": train, "test": test, "sample_submission": test[["customer_id"]].assign(churned=0.5), "solution": solution}
