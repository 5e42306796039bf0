"""Text-linear: a linear model on the words and characters of every text column, beside the table's other columns."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from kagglekit.errors import KKError
from kagglekit.fold import Fold
from kagglekit.models.encoders import ENCODINGS, Known, tables_of, targets_of
from kagglekit.models.family import built, family, fit_estimator
from kagglekit.models.linear import above_zero
from kagglekit.models.presets import whole
from kagglekit.models.problem import Problem
from kagglekit.models.several import for_targets

Array = np.ndarray
LONG = 200_000      # rows from which the model is fitted by stochastic gradients
SEEN = 2            # rows that a term needs, where there are 100 rows at least
OURS = ("alpha", "max_features")
LETTERS = 3_000     # characters of a text that are looked at


class Terms:
    """TF-IDF of words (one and two) and of characters (two to five, inside words) of one column, fitted on its training rows."""

    def __init__(self, most: int) -> None:
        self._most = most

    def fit_transform(self, texts: pd.Series) -> object:
        """Sparse float32[rows, terms] of the training rows."""
        from scipy.sparse import csr_matrix, hstack

        plain = _plain(texts)
        seen, found, self._vectorizers = SEEN if len(plain) >= 100 else 1, [], []
        for analyzer, lengths in (("word", (1, 2)), ("char_wb", (2, 5))):
            vectorizer = _vectorizer(analyzer, lengths, seen, self._most)
            try:
                found.append(vectorizer.fit_transform(plain))
                self._vectorizers.append(vectorizer)
            except ValueError:  # no term is left: gaps, or each word is there once
                continue
        return hstack(found, format="csr") if found else csr_matrix((len(plain), 0), dtype=np.float32)

    def transform(self, texts: pd.Series) -> object:
        """The same of other rows."""
        from scipy.sparse import csr_matrix, hstack

        plain = _plain(texts)
        found = [vectorizer.transform(plain) for vectorizer in self._vectorizers]
        return hstack(found, format="csr") if found and plain else csr_matrix((len(plain), sum(len(one.vocabulary_) for one in self._vectorizers)))


def _vectorizer(analyzer: str, lengths: tuple[int, int], seen: int, most: int) -> object:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(analyzer=analyzer, ngram_range=lengths, min_df=seen, max_features=most, sublinear_tf=True, dtype=np.float32,
                           strip_accents="unicode", token_pattern=r"(?u)\b\w+\b" if analyzer == "word" else None)


def _plain(texts: pd.Series) -> list[str]:
    return ["" if text is None or text != text else str(text)[:LETTERS] for text in texts]


def is_text(column: pd.Series) -> bool:
    """Whether a prepared column is text."""
    return not isinstance(column.dtype, pd.CategoricalDtype) and column.dtype.kind not in "iuf"


class Sparse:
    """All columns side by side: terms of the texts, and the other columns as linear models take them."""

    def __init__(self, most: int) -> None:
        self._most = most

    def fit_transform(self, table: pd.DataFrame, known: Known) -> object:
        """Fit all, and encode the training rows."""
        self._texts = {name: Terms(self._most) for name in table.columns if is_text(table[name])}
        self._others = ENCODINGS["numbers"]() if len(self._texts) < table.shape[1] else None
        rest = self._others.fit_transform(table.drop(columns=list(self._texts)), known) if self._others else None
        return self._joined([terms.fit_transform(table[name]) for name, terms in self._texts.items()], rest)

    def transform(self, table: pd.DataFrame) -> object:
        """Encode other rows."""
        rest = self._others.transform(table.drop(columns=list(self._texts))) if self._others else None
        return self._joined([terms.transform(table[name]) for name, terms in self._texts.items()], rest)

    @staticmethod
    def _joined(parts: list, rest: Array | None) -> object:
        from scipy.sparse import csr_matrix, hstack

        # Terms of a row have the length 1; scaled numbers are as long as their number of columns.
        more = [] if rest is None else [csr_matrix(np.clip(rest, -10, 10) / np.sqrt(max(rest.shape[1], 1)))]
        return hstack([*parts, *more], format="csr")


def linear_model(problem: Problem, params: dict, seed: int, rows: int) -> object:
    """Logistic regression or ridge; by stochastic gradients for many rows."""
    from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier, SGDRegressor

    alpha = above_zero("text-linear", params)
    if rows > LONG:
        kind = SGDClassifier if problem.classifies else SGDRegressor
        loss = {"loss": "log_loss"} if problem.classifies else {}
        return built("text-linear", kind, {**loss, "alpha": alpha / rows, **params}, OURS, random_state=seed)
    if problem.classifies:
        return built("text-linear", LogisticRegression, {"solver": "lbfgs", "max_iter": 200, **params}, OURS, C=1 / alpha, random_state=seed)
    return built("text-linear", Ridge, {"solver": "sparse_cg", **params}, OURS, alpha=alpha, random_state=seed)


def _told(problem: Problem) -> str:
    loss = problem.loss
    if loss.kind != "absolute":
        return loss.says
    return f"trains on squared error{' of log1p of the target' if loss.log else ''}: it learns means, and {problem.metric.name} would like medians"


@family("text-linear", several=True, tells=_told)
def text_linear(problem, params, seed, fold, clock):  # type: ignore[no-untyped-def]
    """Encoded, fitted and predicted inside one fold."""
    params = dict(params)
    if problem.loss.kind == "quantile":
        raise KKError(f"text-linear learns means, and {problem.metric.name} judges quantiles", "Take lgbm or linear")
    train, valid, test, kinds = tables_of(fold)
    if not any(is_text(train[name]) for name in train.columns):
        raise KKError("this table has no column of text", "Take linear, or lgbm")
    encoder = Sparse(whole("max_features", params.pop("max_features", 100_000)))
    with clock.stage("encode"):
        first = encoder.fit_transform(train, Known(kinds, targets_of(fold)))
        others = [encoder.transform(table) if len(table) else None for table in (valid, test)]
    estimator = for_targets(linear_model(problem, params, seed, first.shape[0]), problem)
    with clock.stage("fit"):
        fit_estimator("text-linear", estimator, problem, first, fold.target_train)
    with clock.stage("predict"):
        return tuple(np.empty(0) if part is None else problem.predict(estimator, part) for part in others)


def has_text(fold: Fold, params: Mapping | None = None) -> bool:
    """Whether a fold's table has a column of text.

    >>> import numpy as np
    >>> from kagglekit.fold import Data
    >>> data = Data(pd.DataFrame({"x": [1.0, 2.0]}), np.zeros(2), np.zeros(2), pd.DataFrame({"x": [1.0]}))
    >>> has_text(Fold(0, 0, np.array([0]), np.array([1]), data))
    False
    """
    return any(is_text(column) for _, column in tables_of(fold)[0].items())
