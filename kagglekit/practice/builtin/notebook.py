"""practice-notebook: the visible test set is a stub of ten rows; the real one is seen by notebooks only."""

import numpy as np
import pandas as pd

from kagglekit.practice.builtin.registry import built_in
from kagglekit.practice.forum import Comment, Notebook, Topic

TOOLS, HIDDEN_TOOLS, RECORDS, STUB, PUBLIC, OWN_LIFE = 320, 150, 40, 10, 0.3, 0.35
MATERIALS, MATERIAL_EFFECT = ("aluminium", "brass", "steel", "titanium"), (0.5, 0.35, 0.0, -0.6)
COATINGS, COATING_EFFECT = ("none", "TiN", "AlTiN"), (-0.15, 0.05, 0.15)
DESCRIPTION = """
Milling tools wear out. From a short record of a machine (how it shakes, how warm it gets, what it draws) predict how many minutes of
cutting the tool has left.

**This is a code competition.** You submit a notebook. When it is scored it runs again, and `test.csv` is exchanged for the real test set:
about 6,000 records of 150 tools, none of which is in train. The `test.csv` that you can download is a stub: ten rows of `train.csv`, there
so that your code has something to read. Nothing about the real test set can be learnt from it.

**Files**

- `train.csv`: 12,800 records of 320 tools
- `test.csv`: the stub
- `sample_submission.csv`: the form of a submission, for the stub's rows

**Columns**

- `id`: the record
- `tool`: the tool; 40 records each, at moments of its life in no order
- `material`, `coating`, `cutting_speed`: set once for a tool
- `minutes_used`: how long it has cut so far
- `vibration`, `temperature`, `power_kw`: mean over the record
- `minutes_left`: until the tool is changed (train only)
"""
EVALUATION = """
The score is the mean absolute error in minutes.

The notebook must write `submission.csv` with one number for every `id` of the `test.csv` that it finds when it runs:

    id,minutes_left
    T0007-31,142.5
    T0007-02,12

The public part holds three tools in ten, the private part the others.
"""
RULES = ("Submissions are made by notebooks: a file by itself is refused. This arena runs no code: it knows what the public notebooks "
         "`tool-life-median` and `tool-life-line` predict for the real test set, and scores a submission of one of them with that.")
TEACHES = """
The test set that you saw was no test set. Its ten rows were copies of training rows: its tools are known, a split by rows seemed right, and a
program that counts rows would have taken ten for the truth. The hidden one had other tools, 6,000 rows of them. In a code competition all that
you know of the real test set stands in words on the data page: here that it holds 150 tools of which none is in train. That
sentence asks for folds by tool (`kk cv --split group --group tool`); a random split shows models other records of the same tool, and
its score is too good. `kk` marks such a test set as a stub and takes no advice, no row count and no check from it; what you know
from the page you tell it yourself. Write notebooks for any number of rows, with ids never seen, with categories never seen, and time
them on train: 12,800 rows are a rehearsal for 6,000. The score of a notebook comes late and its error text is short, so rehearse before.
"""
TOPICS = (
    Topic("Read this first: the test.csv you see is a stub", "host_anna",
          "As on the data page: ten rows of train. When your notebook is scored there are about 6,000 rows with other ids and other tools. "
          "Please do not ask why your ten predictions are perfect.", 0.1, 40, (
        Comment("v_rao", "Are the categories the same, materials and coatings?", 0.4, 7, (
            Comment("host_anna", "The same. The tools are not.", 0.5, 11),)),), sticky=True),
    Topic("Submission Scoring Error", "noor_a",
          "Runs through in the editor, then *Submission Scoring Error*. My code:\n\n    answer = pd.DataFrame({'id': sample['id'], "
          "'minutes_left': predictions[:10]})\n\nAny idea?", 1.8, 18, (
        Comment("v_rao", "`[:10]`. There are 6,000 rows when it counts.", 1.9, 29),
        Comment("lupo", "A rehearsal helps: save a few thousand rows of train under new ids as test.csv and run the notebook on "
                "that.", 2.3, 22))),
    Topic("Tools repeat, so use the tool as a feature", "bigtable",
          "All tools in test.csv are in train too. Target-encode `tool` and you get an MAE of 9 in CV. **Free win.**", 2.6, 16, (
        Comment("lupo", "In the ten rows, yes. They are train rows. Read the data page again: none of the 150 tools is in "
                "train.", 2.7, 35, (
            Comment("bigtable", "Submitted it anyway: far worse than the median on the board. Unknown tools all get the default.", 3.4, 10),)),
        Comment("noor_a", "So folds by tool, I suppose, whatever the visible test set looks like.", 3.0, 24))),
    Topic("Minutes left, or share of life?", "lupo",
          "Some tools live five times as long as others. Has anybody tried the whole life, used plus left, on a log scale, and subtracted "
          "what is used?", 7.0, 15, (
        Comment("v_rao", "Yes. Under random folds it looks like a gain, 26.8 instead of 30.0. Under folds by tool there is none: 49.7, "
                "before it was 49.0.", 7.4, 14),)),
)
NOTEBOOKS = (
    Notebook("tool-life-median", "The median of all, as a notebook", "host_anna", 0.2, 28),
    Notebook("tool-life-line", "A straight line for the tool's life", "v_rao", 3.0, 39),
    Notebook("shake-heat-and-power", "Shake, heat and power over a tool's life", "lupo", 1.2, 33),
)


def _records(random: np.random.Generator, tools: int, first: int) -> pd.DataFrame:
    """All records of `tools`, in no order."""
    who, rows = np.repeat(np.arange(tools), RECORDS), tools * RECORDS
    material, coating = random.integers(0, 4, tools), random.integers(0, 3, tools)
    speed = random.integers(80, 261, tools)
    own = random.normal(size=tools)
    life = np.exp(5.2 + np.array(MATERIAL_EFFECT)[material] + np.array(COATING_EFFECT)[coating] - 0.005 * (speed - 170) + OWN_LIFE * own)[who]
    share, shake = random.uniform(size=rows), random.normal(0, 0.25, tools)[who]
    table = pd.DataFrame({
        "tool": [f"T{first + number:04d}" for number in who], "material": np.array(MATERIALS)[material][who],
        "coating": np.array(COATINGS)[coating][who], "cutting_speed": speed[who], "minutes_used": np.round(life * share, 1),
        "vibration": np.round(1.2 + shake + 1.6 * share**2 + random.normal(0, 0.25, rows), 3),
        "temperature": np.round(60 + 0.25 * speed[who] + 35 * share + random.normal(0, 9, rows), 1),
        "power_kw": np.round(2.2 + 0.004 * speed[who] + 0.7 * share + random.normal(0, 0.3, rows), 2)})
    number = np.tile(np.arange(RECORDS), tools)
    table.insert(0, "id", [f"{name}-{record:02d}" for name, record in zip(table["tool"], number)])
    table["minutes_left"] = np.round(life * (1 - share), 1)
    return table.iloc[random.permutation(rows)].reset_index(drop=True)


def _features(table: pd.DataFrame) -> np.ndarray:
    material = table["material"].to_numpy()[:, None] == np.array(MATERIALS)
    coating = table["coating"].to_numpy()[:, None] == np.array(COATINGS[1:])
    return np.column_stack([material, coating, table[["cutting_speed", "vibration", "temperature", "power_kw"]]]).astype(float)


def _line(train: pd.DataFrame, hidden: pd.DataFrame) -> np.ndarray:
    """Least squares of the log of the minutes left, floored at one minute."""
    weights = np.linalg.lstsq(_features(train), np.log(np.maximum(train["minutes_left"].to_numpy(), 1)), rcond=None)[0]
    return np.exp(_features(hidden) @ weights)


@built_in("practice-notebook", title="How long does the tool last?", metric="mae", code_only=True, description=DESCRIPTION.strip(),
          evaluation=EVALUATION.strip("\n"), rules=RULES, teaches=TEACHES.strip(), topics=TOPICS, notebooks=NOTEBOOKS)
def notebook(seed: int) -> dict:
    """Tables and baselines of the competition; the solution and the baselines have the hidden test set's ids, test the stub's."""
    random = np.random.default_rng(seed + 6000)
    train, hidden = _records(random, TOOLS, 1), _records(random, HIDDEN_TOOLS, TOOLS + 1)
    stub = train.iloc[:STUB].reset_index(drop=True)
    public = set(random.permutation(hidden["tool"].unique())[:round(PUBLIC * HIDDEN_TOOLS)])
    median = float(train["minutes_left"].median())
    answers = {"tool-life-median": np.full(len(hidden), median), "tool-life-line": np.round(_line(train, hidden), 2)}
    solution = hidden[["id", "minutes_left"]].assign(Usage=np.where(hidden["tool"].isin(public), "Public", "Private"))
    return {"train": train, "test": stub.drop(columns="minutes_left"), "sample_submission": stub[["id"]].assign(minutes_left=100.0),
            "solution": solution, "baselines": {team: hidden[["id"]].assign(minutes_left=values) for team, values in answers.items()}}
