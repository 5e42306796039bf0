"""practice-digits: handwritten digits as image files beside a csv; the people who wrote them come in runs."""

import io

import numpy as np
import pandas as pd

from kagglekit.practice.builtin.registry import built_in
from kagglekit.practice.forum import Comment, Notebook, Topic

TEST, PUBLIC, SIDE, ENLARGED, GREY = 700, 0.3, 8, 4, 15
FIRST, LAST = 180, 660  # where the training images may begin: elsewhere the later writers are easier, and the gap is smaller
DESCRIPTION = """
Read handwritten digits. The data are images; the csv files hold only their ids, their paths and the labels.

**Files**

- `images/train/<id>.png`: 1,097 images, grey, 32 x 32 pixels
- `images/test/<id>.png`: 700 more
- `train.csv`: path and label of each training image
- `test.csv`: path of each test image
- `sample_submission.csv`: the form of a submission

**Columns**

- `id`: four digits, zeros in front (`0042`); keep them as text. Ids number the images in the order in which they were
  collected. The test images were collected after the training images.
- `file`: where the image is, from the folder of the csv files
- `label`: 0 to 9 (train only)

An image has 8 x 8 cells of 17 greys, each drawn as a square of 4 x 4 pixels: `image[::4, ::4] / 15` gives back the whole
numbers from 0 to 16. White is ink.

The data are E. Alpaydin's and C. Kaynak's Optical Recognition of Handwritten Digits, 1998, as they come with scikit-learn:
1,797 digits by 13 people. Who wrote which is not recorded. External data are forbidden.
"""
EVALUATION = """
The score is the accuracy: the share of the test images whose label is right.

For every `id` of the test set give one label:

    id,label
    1098,7
    1099,0
"""
RULES = "The original data set holds the answers: do not use it. Networks trained on other images are allowed."
TEACHES = """
Two things. First, the csv had no features: the images were files, and nothing was lost as long as predictions stayed
tied to ids. A `fit_predict` of your own that reads the files (`kk train models/mine.py:fit_predict`), or `kk add` with
out-of-fold and test predictions of any notebook, is how images, sounds and texts come into the same loop as tables. Ids with zeros in front are text.
Second, the images of one person stand next to each other. A random split puts a person's digits on both sides, so that even the
nearest image looks almost perfect, some two to six points better than on the board, where other people wrote. Folds of
consecutive images come much closer to the board. The files never said who wrote what: the order of the ids did. In a real
competition look at how files were collected: order, names, sizes and dates are the groups that nobody wrote down.
"""
TOPICS = (
    Topic("train.csv has no features??", "kiri_v",
          "Only `id`, `file` and `label`. Is the upload broken, or is there a second csv somewhere? LightGBM on that gives me "
          "10%.", 0.4, 6, (
        Comment("pixelpete", "The features are the pictures. Read one with PIL, `[::4, ::4]`, flatten: 64 columns.", 0.5, 21),
        Comment("sandro_m", "And read the ids as text (`dtype=str`), or `0042` becomes 42 and your submission has ids that nobody asked "
                "for.", 0.7, 16))),
    Topic("98.8% with 1-NN, this competition is solved", "quicksilver",
          "Nearest neighbour, k=1, five shuffled folds: **98.8%**. No need for a net, the rest of the month is for the third "
          "decimal.", 2.2, 15, (
        Comment("sandro_m", "And on the board? With the same code I am two points lower there, with logistic regression three.", 2.4, 19, (
            Comment("quicksilver", "96.7%. The public part has 210 rows, must be bad luck.", 2.6, 2),
            Comment("nadia_kf", "Two points on 210 rows could be luck, for one model. But everybody here has the same bad luck, in the "
                    "same direction. That is not noise.", 2.9, 26))),)),
    Topic("Look at the sevens in the order of their ids", "nadia_kf",
          "I drew all sevens in one long strip, sorted by id. Some have a bar, some do not: and they come in runs. Same with the ones. "
          "What does that mean for shuffled folds?", 6.0, 34, (
        Comment("pixelpete", "Same hand, same run. So with a shuffle my nearest neighbour is the same person three lines further "
                "down.", 6.2, 23),
        Comment("sandro_m", "Folds of consecutive ids: 1-NN falls from 98.8% to 96.8%, the line from 97.1% to 92.2%. Much closer to the "
                "board.", 6.6, 28),
        Comment("kiri_v", "`kk cv` takes a function of y for that: `np.arange(len(y)) * 5 // len(y)`.", 7.3, 12))),
    Topic("Augmentation", "ola_b",
          "Four copies of each training image, shifted by one cell: my SVM goes from 97.1% to 98.2%, on blocks of ids.", 9.0, 11, (
        Comment("pixelpete", "Half a point for the nearest neighbour. A flip does not help: a mirrored 2 is no digit.", 9.2, 13),)),
)
NOTEBOOKS = (
    Notebook("from-png-to-64-columns", "From PNG files to 64 columns", "pixelpete", 1.0, 38),
    Notebook("digits-in-the-order-of-their-ids", "Digits in the order of their ids", "nadia_kf", 6.1, 45),
    Notebook("small-cnn-with-shifts", "A small CNN with shifts", "ola_b", 9.5, 27),
)


def _png(cells: np.ndarray) -> bytes:
    from PIL import Image

    sink, square = io.BytesIO(), cells.reshape(SIDE, SIDE) * GREY
    Image.fromarray(np.kron(square, np.ones((ENLARGED, ENLARGED))).astype(np.uint8)).save(sink, "PNG")
    return sink.getvalue()


def _squared_distances(cells: np.ndarray, others: np.ndarray) -> np.ndarray:
    return (cells**2).sum(axis=1)[:, None] - 2 * cells @ others.T + (others**2).sum(axis=1)


def _baselines(cells: np.ndarray, labels: np.ndarray, asked: np.ndarray) -> dict[str, np.ndarray]:
    """Labels by the amount of ink, by the nearest mean image and by the nearest image."""
    means = np.array([cells[labels == digit].mean(axis=0) for digit in range(10)])
    ink = np.abs(asked.sum(axis=1)[:, None] - means.sum(axis=1)).argmin(axis=1)
    return {"amount of ink": ink, "nearest mean image": _squared_distances(asked, means).argmin(axis=1),
            "nearest image": labels[_squared_distances(asked, cells).argmin(axis=1)]}


@built_in("practice-digits", title="Handwritten digits as image files", metric="accuracy", description=DESCRIPTION.strip(),
          evaluation=EVALUATION.strip("\n"), rules=RULES, teaches=TEACHES.strip(), topics=TOPICS, notebooks=NOTEBOOKS)
def digits(seed: int) -> dict:
    """Tables, images and baselines of the competition; the seed chooses where in the original order the images begin."""
    from sklearn.datasets import load_digits

    random = np.random.default_rng(seed + 4000)
    cells, labels = load_digits(return_X_y=True)
    order = np.roll(np.arange(len(labels)), -int(random.integers(FIRST, LAST)))
    cells, labels, first = cells[order], labels[order], len(labels) - TEST
    ids = [f"{number:04d}" for number in range(1, len(labels) + 1)]
    files = [f"images/{'train' if number < first else 'test'}/{name}.png" for number, name in enumerate(ids)]
    table = pd.DataFrame({"id": ids, "file": files, "label": labels})
    train, test = table.iloc[:first], table.iloc[first:].reset_index(drop=True)
    public = random.permutation(TEST) < round(PUBLIC * TEST)
    images = {name: _png(cells[number]) for number, name in enumerate(files)}
    said = _baselines(cells[:first], labels[:first], cells[first:])
    return {"train": train, "test": test[["id", "file"]], "sample_submission": test[["id"]].assign(label=0),
            "solution": test[["id", "label"]].assign(Usage=np.where(public, "Public", "Private")), **images,
            "baselines": {team: test[["id"]].assign(label=answer) for team, answer in said.items()}}
