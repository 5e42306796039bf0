"""practice-clinics: patients with several visits each, new patients in the test set; a random split flatters memory."""

import numpy as np
import pandas as pd

from kagglekit.practice.builtin.registry import built_in

TRAIN_PATIENTS, TEST_PATIENTS, VISITS, PUBLIC = 600, 2000, 8, 0.3
AGE_EFFECT, OWN_LEVEL, VISIT_NOISE, MEASURING_NOISE = 14.0, 7.0, 2.0, 0.01
BLOOD = {"height_cm": (168, 10, 1), "ferritin": (120, 40, 1), "tsh": (2.2, 0.6, 3), "hba1c": (5.8, 0.7, 3), "vitamin_d": (60, 18, 1),
         "ldl": (3.2, 0.8, 3)}
BLOOD_EFFECT = {"height_cm": 1.5, "ferritin": 2.0, "hba1c": -1.5, "vitamin_d": 2.0, "ldl": 1.5}


def _patients(random: np.random.Generator, patients: int, first: int) -> pd.DataFrame:
    """Visits of `patients`: what is measured of a person hardly changes between visits, so that rows of one are easy to recognise."""
    who, rows = np.repeat(np.arange(patients), VISITS), patients * VISITS
    table = pd.DataFrame({"patient": [f"P{first + number:05d}" for number in who],
                          "clinic": random.choice(list("ABCDEFGH"), patients)[who], "age": random.integers(18, 90, patients)[who]})
    score = 60 + AGE_EFFECT * (table["age"].to_numpy() - 54) / 21
    for name, (level, spread, digits) in BLOOD.items():
        own = random.normal(size=patients)[who]
        table[name] = np.round(level + spread * (own + MEASURING_NOISE * random.normal(size=rows)), digits)
        score = score + BLOOD_EFFECT.get(name, 0.0) * own
    table["dose_mg"] = np.round(random.uniform(0, 100, rows), 1)
    table["hours_of_sleep"] = np.round(random.normal(7, 1.2, rows), 1)
    table["heart_rate"] = np.round(random.normal(72, 10, rows)).astype(int)
    table["temperature"] = np.round(random.normal(36.7, 0.4, rows), 2)
    table["days_since_visit"] = random.integers(5, 60, rows)
    score = score - 0.8 * (table["hours_of_sleep"] - 7) / 1.2 + (table["heart_rate"] - 72) / 10 - (table["dose_mg"] - 50) / 29
    own_level = OWN_LEVEL * random.normal(size=patients)[who]
    table["pain_score"] = np.round(score + own_level + VISIT_NOISE * random.normal(size=rows), 2)
    return table.iloc[random.permutation(rows)].reset_index(drop=True)


@built_in("practice-clinics", title="Pain scores in eight clinics", metric="rmse",
          description="Predict the pain score of a visit. Every patient has several visits; the test set holds patients of whom "
                      "nothing is known yet.",
          teaches="A random split puts visits of one patient on both sides. Models that know patients by heart look best there, and are "
                  "not: the test set has new patients. Split by patient.")
def clinics(seed: int) -> dict[str, pd.DataFrame]:
    """Tables of the competition; the same seed gives the same bytes."""
    random = np.random.default_rng(seed)
    train = _patients(random, TRAIN_PATIENTS, 0)
    test = _patients(random, TEST_PATIENTS, TRAIN_PATIENTS)
    train.insert(0, "id", np.arange(len(train)))
    test.insert(0, "id", np.arange(len(train), len(train) + len(test)))
    names = np.sort(test["patient"].unique())
    public = set(random.permutation(names)[:round(PUBLIC * len(names))])
    solution = test[["id", "pain_score"]].assign(Usage=np.where(test["patient"].isin(public), "Public", "Private"))
    return {"train": train, "test": test.drop(columns="pain_score"), "sample_submission": test[["id"]].assign(pain_score=50.0),
            "solution": solution}
