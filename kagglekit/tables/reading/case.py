"""What a reading starts from: one constant's public score, train's target, and the size of the public part."""

from dataclasses import dataclass

import numpy as np

from kagglekit.metrics import Metric
from kagglekit.noise import paired_row_se

Array = np.ndarray
STEP = 1e-5  # Kaggle shows five decimals; trailing zeros may be cut


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing that a constant's score says.

    `kind` is metric, form, mean, prior, n_pub, shift or accepted. `value` is the number itself (None where none can be read), `se`
    its standard error. `state` is confirmed, fits, contradicted or open for a metric; none, shifted, far or open for a shift; unique,
    open or none for n_pub; unique, several or flipped for a form.
    """

    says: str
    value: float | None
    evidence: str
    kind: str = "accepted"
    se: float | None = None
    state: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One constant for all rows and its public score.

    `target` is train's, as the file has it: rows, or rows x columns where several are predicted. `constant` is the value sent: a
    number, a label, or one number a column (`columns` of them). `metric` is the competition's name of it, `scorer` the function
    where there is one. `rows` is the size of the public part or a guess of it; rows of one of `groups` are not independent.
    """

    metric: str
    scorer: Metric | None
    constant: object
    score: float
    target: Array
    classes: tuple[object, ...] = ()
    rows: int = 1000
    groups: Array | None = None
    columns: int = 1
    step: float = STEP
    by_time: bool = False

    @property
    def numbers(self) -> Array | None:
        """The target as numbers, None where it holds text."""
        target = np.asarray(self.target)
        return target.astype(np.float64) if target.dtype.kind in "iufb" else None

    @property
    def number(self) -> Array | None:
        """The constant as a number (or one a target column), None where it is text or has another width than the target."""
        try:
            value = np.asarray(self.constant, dtype=np.float64)
        except (TypeError, ValueError):
            return None
        width = self.target.shape[1] if np.ndim(self.target) == 2 else 1
        return value if value.size == 1 or value.size == width else None

    @property
    def codes(self) -> Array | None:
        """The target as class numbers 0, 1, ...; None where it has no classes or several columns."""
        if not self.classes or np.ndim(self.target) != 1:
            return None
        names = {str(label): number for number, label in enumerate(self.classes)}
        values, inverse = np.unique(np.asarray(self.target).astype(str), return_inverse=True)
        known = np.array([names.get(value, -1) for value in values])
        return known[inverse] if (known >= 0).all() else None

    def se_of_mean(self, values: Array) -> float:
        """Standard error of (public mean - train mean) of one number a row; the larger of that over rows and over groups."""
        rows, groups = len(values), self.groups if self.groups is not None and len(self.groups) == len(values) else None
        return paired_row_se((values - values.mean()) / rows, groups) * float(np.sqrt(rows / max(self.rows, 1) + 1))


def step_of(shown: list[str]) -> float:
    """The step of the scores as shown. Fewer than three decimals are taken for five whose zeros were cut."""
    from kagglekit.noise import public_decimals

    decimals = public_decimals([text for text in shown if text])
    return 10.0 ** -decimals if decimals >= 3 else STEP
