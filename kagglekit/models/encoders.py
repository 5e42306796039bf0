"""Table encoding, fitted inside the fold: dates, categories, text and missing values into what a family can learn from."""

from dataclasses import dataclass

from kagglekit.errors import KKError
from kagglekit.fold import Fold

FEW, MANY = 30, 1000
ROWS_A_LEVEL = 10  # with fewer rows a level on average a column is text, not categories: unseen levels would say "new row"


@dataclass(frozen=True, slots=True)
class Encoded:
    """The three parts of a fold, encoded by what was fitted on the first."""

    train: object
    valid: object
    test: object


def encoded(fold: Fold, encoding: str, clock: object) -> Encoded:
    """Encode a fold: `numbers` (imputed, scaled, one-hot: linear models), `trees` (codes, missing kept) or `categories` (LightGBM)."""
    with clock.stage("encode"):
        encoder = ENCODINGS[encoding](len(fold.train))
        try:
            train = encoder.fit_transform(fold.X_train)
            valid = encoder.transform(fold.X_valid) if len(fold.valid) else None
            return Encoded(train, valid, encoder.transform(fold.X_test))
        except ValueError as error:
            raise KKError(f"the features cannot be encoded: {error}", "Name such columns as ignore in competition.toml") from error


def _most_levels(rows: int, most: int) -> int:
    return max(2, min(most, rows // ROWS_A_LEVEL))


def _text() -> object:
    from skrub import StringEncoder

    return StringEncoder(n_components=20, random_state=0)


def _numbers(rows: int) -> object:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    from skrub import TableVectorizer

    few = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=5, sparse_output=False, dtype="float32")
    table = TableVectorizer(cardinality_threshold=_most_levels(rows, FEW), low_cardinality=few, high_cardinality=_text())
    return make_pipeline(table, SimpleImputer(strategy="median", keep_empty_features=True, add_indicator=True), StandardScaler())


def _trees(rows: int) -> object:
    from sklearn.preprocessing import OrdinalEncoder
    from skrub import TableVectorizer

    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2)
    return TableVectorizer(cardinality_threshold=_most_levels(rows, MANY), low_cardinality=codes, high_cardinality=_text())


def _categories(rows: int) -> object:
    from skrub import TableVectorizer, ToCategorical

    return TableVectorizer(cardinality_threshold=_most_levels(rows, MANY), low_cardinality=ToCategorical(), high_cardinality=_text())


ENCODINGS = {"numbers": _numbers, "trees": _trees, "categories": _categories}
