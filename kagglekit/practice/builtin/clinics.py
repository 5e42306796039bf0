"""practice-clinics: patients with several visits each, new patients in the test set; a random split flatters memory."""

import numpy as np
import pandas as pd

from kagglekit.practice.builtin.registry import built_in
from kagglekit.practice.forum import Comment, Notebook, Topic

TRAIN_PATIENTS, TEST_PATIENTS, VISITS, PUBLIC = 600, 2000, 8, 0.3
AGE_EFFECT, OWN_LEVEL, VISIT_NOISE, MEASURING_NOISE = 14.0, 7.0, 2.0, 0.01
BLOOD = {"height_cm": (168, 10, 1), "ferritin": (120, 40, 1), "tsh": (2.2, 0.6, 3), "hba1c": (5.8, 0.7, 3), "vitamin_d": (60, 18, 1),
         "ldl": (3.2, 0.8, 3)}
BLOOD_EFFECT = {"height_cm": 1.5, "ferritin": 2.0, "hba1c": -1.5, "vitamin_d": 2.0, "ldl": 1.5}
EVALUATION = """
The score is the root mean squared error of the pain score.

The public part holds three patients in ten with all their visits, the private part the others.

For every `id` of the test set give one number:

    id,pain_score
    4800,61.5
    4801,48
"""
TOPICS = (
    Topic("Deep trees are unbeatable here", "hal_9k",
          "One decision tree, no limit on depth: RMSE 3.9 in five random folds. A linear model has 6.9. I stop tuning, **this one is "
          "won**.", 1.6, 18, (
        Comment("dr_wen", "Have you submitted it?", 1.7, 12, (
            Comment("hal_9k", "Just now. 11.1?! The straight line has 7.4 there. It beats me. There must be a bug in the scoring.", 2.2, 9),
            Comment("p_lindqvist", "No bug. Ask what a tree can know of a visit when seven others of the same patient are in "
                    "train.", 2.4, 33))),
        Comment("dr_wen", "Height, ferritin, TSH: to the third digit nearly the same at all visits of one person. That is a "
                "fingerprint.", 3.0, 29))),
    Topic("Is any patient in both files?", "amara",
          "I joined train and test by `patient`: no match at all. Eight visits each, 600 patients here, 2,000 there. Does that "
          "matter?", 2.9, 21, (
        Comment("p_lindqvist", "It is the one thing that matters. Your folds should have that property too.", 3.1, 35),)),
    Topic("The patient's own mean as a feature", "tomasz_b",
          "Mean pain score of the patient's other visits, made inside each fold as one should. LightGBM goes from 4.1 to **2.4** in CV.", 4.0, 7, (
        Comment("amara", "And for P00600 and all after it? In the test set that column is empty in every row.", 4.1, 19, (
            Comment("tomasz_b", "40 on the board. It had learnt to lean on nothing else.", 4.2, 16),)),
        Comment("dr_wen", "Leave the patient out as a feature, keep it as the group.", 4.4, 22))),
    Topic("What is left to find?", "p_lindqvist",
          "Age explains most. Blood values next, all nearly straight lines as far as I can see. Every patient has a level of their own "
          "that no column explains: no model gets below that.", 9.0, 24, (
        Comment("amara", "So the scores near the top should be close together. Blending helps me a little, nothing else does.", 9.6, 13),)),
)
NOTEBOOKS = (
    Notebook("eight-visits-one-fingerprint", "Eight visits, one fingerprint", "dr_wen", 3.2, 47),
    Notebook("age-first-a-line-to-start-with", "Age first: a line to start with", "amara", 1.1, 26),
    Notebook("group-folds-in-five-lines", "Group folds in five lines", "p_lindqvist", 3.5, 51),
)


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
                  "not: the test set has new patients. Split by patient.",
          evaluation=EVALUATION.strip("\n"), topics=TOPICS, notebooks=NOTEBOOKS)
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
