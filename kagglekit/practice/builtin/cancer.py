"""practice-cancer: 569 tumours that any good model tells apart; the gaps on the leaderboard lie inside its noise."""

import numpy as np
import pandas as pd

from kagglekit.practice.builtin.registry import built_in
from kagglekit.practice.forum import Comment, Notebook, Topic

TEST, PUBLIC = 200, 0.3
DESCRIPTION = """
A fine needle takes cells from a lump in the breast. A picture of them is measured: how large the nuclei are, how rough, how
uneven. From these numbers, say which tumours are malignant.

**Files**

- `train.csv`: 369 tumours with the answer
- `test.csv`: 200 tumours without it
- `sample_submission.csv`: the form of a submission

**Columns**

- `id`: a number for the tumour, in no order
- `mean_*`: ten measurements, each the mean over the nuclei of one picture: radius, texture, perimeter, area, smoothness,
  compactness, concavity, concave points, symmetry, fractal dimension
- `*_error`: the standard error of the same ten
- `worst_*`: the mean of the three largest values of the same ten
- `malignant`: 1 for malignant, 0 for benign (train only)

The data are the Breast Cancer Wisconsin (Diagnostic) set of W. H. Wolberg, W. N. Street and O. L. Mangasarian, 1995, as it
comes with scikit-learn. Every row is real. The answers are therefore public: looking them up teaches nothing.
"""
EVALUATION = """
The score is the area under the ROC curve: the chance that a malignant tumour gets a higher number than a benign one. Only the
order of your numbers counts, so that probabilities, scores and ranks are all welcome.

For every `id` of the test set give one number:

    id,malignant
    17,0.93
    4,0.08
    251,0.5
"""
RULES = "External data are forbidden: that means the original data set above all."
TEACHES = """
About 60 tumours decided the public places, some 22 of them malignant. An AUC near 0.99 has there a standard error of about 0.01,
and all good models lie closer together than that. Whoever led the public board was lucky first and good second: the private
board, with its 140 rows, is ordered anew. `kk lbcheck` said `cannot-tell` for good models, and that was the right answer, not
a failing of your models. With so few rows the cross-validation over all of train holds far more evidence than the public score:
it has six times as many rows, and repeats (`kk cv --repeats 5`) make it steadier. Do not spend submissions on telling 0.991 from
0.993. Choose two finals by the local score, take different kinds of models, and blend them: an average of a line and a forest
loses little where one of them is wrong. In a real competition look first at how many rows the public part has; under a thousand,
read the board as a rumour.
"""
TOPICS = (
    Topic("1.00000 on the public board: my recipe", "aucstronaut",
          "Forest with 200 trees, seed 11. I tried a dozen seeds and this one is perfect on the board. **The seed matters more than the "
          "features here.** Happy to share the notebook.", 4.2, 19, (
        Comment("mira_holt", "A dozen seeds on some sixty public rows: one of them has to look good. What does your CV say for that "
                "seed?", 4.5, 31, (
            Comment("aucstronaut", "The same as for all the others. Hm.", 4.6, 6),
            Comment("t_okafor", "So the seed was the best of twelve draws. On the private part it will be one of the twelve "
                    "again.", 4.9, 17))),
        Comment("beanstalk", "I had the same last year elsewhere, lost 300 places. Never again.", 5.1, 8))),
    Topic("How many rows is the public part?", "t_okafor",
          "The evaluation page says about a third of the test data, so some 60 rows. Has anybody worked out what that means for the "
          "standard error of an AUC?", 1.5, 14, (
        Comment("mira_holt", "By DeLong's formula on my out-of-fold predictions, scaled to 60 rows: about 0.01 for one model, and about as "
                "much for the gap of two models of a different kind. The whole first page of the board fits in there.", 1.8, 22),
        Comment("jules_p", "One pair of tumours in the wrong order is 1/(22 x 38) = 0.0012. So most of us differ by a few pairs.", 2.4, 12))),
    Topic("Radius, perimeter and area are the same thing", "jules_p",
          "The three correlate at 0.99. Is anyone dropping two of them?", 2.0, 9, (
        Comment("beanstalk", "For trees it does not matter. For a line on scaled columns a stronger penalty does the same, and keeps what "
                "little they differ in.", 2.3, 11),
        Comment("mira_holt", "Skewed columns (area, all the errors) like a log before a linear model.", 3.0, 10))),
)
NOTEBOOKS = (
    Notebook("thirty-measurements-eda", "Thirty measurements at a glance", "jules_p", 1.0, 24),
    Notebook("logistic-regression-in-ten-lines", "Logistic regression in ten lines", "beanstalk", 2.6, 33),
    Notebook("how-wide-is-an-auc", "How wide is an AUC on 60 rows? A bootstrap", "mira_holt", 5.0, 41),
)


def _tumours() -> pd.DataFrame:
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    table = pd.DataFrame(data.data, columns=[name.replace(" ", "_") for name in data.feature_names])
    return table.assign(malignant=1 - data.target)


def _ranked(train: pd.DataFrame, test: pd.DataFrame, columns: list[str]) -> np.ndarray:
    """Mean over columns of the share of train's tumours with a smaller value."""
    shares = [np.searchsorted(np.sort(train[name].to_numpy()), test[name].to_numpy()) / len(train) for name in columns]
    return np.round(np.mean(shares, axis=0), 4)


@built_in("practice-cancer", title="Benign or malignant?", metric="auc", description=DESCRIPTION.strip(), evaluation=EVALUATION.strip("\n"),
          rules=RULES, teaches=TEACHES.strip(), topics=TOPICS, notebooks=NOTEBOOKS)
def cancer(seed: int) -> dict:
    """Tables and baselines of the competition; the seed chooses the split, the data are fixed."""
    random = np.random.default_rng(seed + 3001)
    table = _tumours()
    table = table.iloc[random.permutation(len(table))].reset_index(drop=True)
    table.insert(0, "id", random.permutation(len(table)) + 1)
    train, test = table.iloc[TEST:].reset_index(drop=True), table.iloc[:TEST].reset_index(drop=True)
    public = random.permutation(TEST) < round(PUBLIC * TEST)
    ids = test[["id"]]
    baselines = {"unevenness of the texture": ids.assign(malignant=_ranked(train, test, ["texture_error"])),
                 "mean texture": ids.assign(malignant=_ranked(train, test, ["mean_texture"])),
                 "worst radius": ids.assign(malignant=_ranked(train, test, ["worst_radius"])),
                 "mean of four ranks": ids.assign(malignant=_ranked(train, test, ["worst_radius", "worst_texture", "worst_concave_points",
                                                                                 "worst_smoothness"]))}
    return {"train": train, "test": test.drop(columns="malignant"), "sample_submission": ids.assign(malignant=0.5),
            "solution": ids.assign(malignant=test["malignant"], Usage=np.where(public, "Public", "Private")), "baselines": baselines}
