"""Features: the person's features.py as named sets of columns; computed once, kept by the hash of code and data, fitted ones inside each fold."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from kagglekit.errors import KKError
from kagglekit.fold import Data, Fold, View
from kagglekit.registry import near_names
from kagglekit.store import Store
from kagglekit.work.feature_cache import kept_or_made
from kagglekit.work.feature_checks import checked, checked_extra, joined
from kagglekit.work.feature_code import Code, Set, not_a_set, read_code
from kagglekit.work.load import learnt, load_data, problem_of, read_table

Array = np.ndarray
RAW, DEFAULT, EXTRA = "raw", "features", "extra"


@dataclass(frozen=True, slots=True)
class Part:
    """What a set that is fitted inside the fold may see: all but the targets of the validated rows.

    `train` and `valid` are row numbers of the train table; X_train and y_train end with the rows of extra(fold), where there are any.
    """

    repeat: int
    fold: int
    train: Array
    valid: Array
    X_train: pd.DataFrame
    y_train: Array
    X_valid: pd.DataFrame
    X_test: pd.DataFrame

    def __getattr__(self, name: str) -> object:
        if name in ("y", "y_valid", "target", "data"):
            raise KKError(f"features.py asks for fold.{name}, which holds targets of validated rows", "Use fold.y_train")
        raise AttributeError(f"fold has no {name!r}. It has: repeat, fold, train, valid, X_train, y_train, X_valid, X_test")


class Features:
    """Named sets of features of a competition, side by side: columns for all folds, and what is fitted anew inside each.

    `names` are the sets in use: "base,ratios", a sequence, or None for `features` and `extra` as far as features.py has them, else `raw`,
    the raw columns. `code` is a hash of what computes them (empty for raw columns alone), for the recipe. Raises KKError for unknown
    names and for a features.py that cannot be imported.

    >>> Features(store, "raw,ratios").data().X  # doctest: +SKIP
    """

    def __init__(self, store: Store, names: str | Sequence[str] | None = None) -> None:
        self._store, self._competition = store, store.competition
        self._code = read_code(store.folder)
        self.names = _named(names, self._code)
        sets = [self._code.sets[name] for name in self.names if name != RAW]
        self.code = self._code.sha256 if sets else ""
        self._tables = [one for one in sets if one.kind == "table"]
        self._fitted = [one for one in sets if one.kind == "fold"]
        self._extra = next((one for one in sets if one.kind == "extra"), None)
        # What folds show beside the columns fitted inside them; ids alone (images) are shown where there is nothing else.
        self._shown = RAW in self.names or bool(self._tables) or not self._fitted
        self._data: Data | None = None

    def frame(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """(train, test): the columns of the sets that are not fitted inside a fold; the raw ones where there is no such set."""
        raw = load_data(self._store)
        parts = [] if raw.ids_only else [(RAW, raw.X, raw.X_test)]
        if self._tables:
            parts = [part for part in parts if RAW in self.names]
        if not parts and not self._tables:
            return raw.X, raw.X_test
        seen = _Seen(self._store)
        for one in self._tables:
            parts.append((one.name, *kept_or_made(self._store, one, self._code, lambda one=one: self._made(one, seen))))
        return joined([(name, train) for name, train, _ in parts]), joined([(name, test) for name, _, test in parts])

    def data(self) -> Data:
        """The competition's Data with these features, made once; folds of it make what is fitted inside them at the first look."""
        self._data = self._data or self._whole()
        return self._data

    def _whole(self) -> Data:
        raw = load_data(self._store)
        if self.names == (RAW,):
            return raw
        train, test = self.frame()
        data = replace(raw, X=train, X_test=test, ids_only=raw.ids_only and not self._tables and not self._fitted)
        return replace(data, fitted=lambda fold: self._view(fold, data)) if self._fitted or self._extra else data

    def fold(self, fold: Fold) -> Fold:
        """The same rows as `fold`, with these features."""
        return Fold(fold.repeat, fold.fold, fold.train, fold.valid, self.data())

    def _view(self, fold: Fold, data: Data) -> View:
        """What is fitted inside this fold."""
        X, y, target = data.X.iloc[fold.train], data.y[fold.train], data.target[fold.train]
        part = Part(fold.repeat, fold.fold, fold.train, fold.valid, X, y, data.X.iloc[fold.valid], data.X_test)
        if self._extra and (added := self._added(part)):
            rows, values, learnt_values = added
            X = pd.concat([X, rows])
            y, target = np.concatenate([y, values]), np.concatenate([target, learnt_values])
            part = replace(part, X_train=X, y_train=y)
        shown = self._shown and not (self._fitted and not self._tables and load_data(self._store).ids_only)
        parts: list[list[tuple[str, pd.DataFrame]]] = [[(RAW, table)] if shown else [] for table in (X, part.X_valid, part.X_test)]
        for one in self._fitted:
            for found, table in zip(parts, self._fit(one, part), strict=True):
                found.append((one.name, table))
        train, valid, test = (joined(found, last_wins=True) for found in parts)
        return View(train, valid, test, y, target)

    def _made(self, one: Set, seen: "_Seen") -> tuple[pd.DataFrame, pd.DataFrame]:
        """The columns of a set of features(train, test)."""
        answer = self._code.call(one, *(table.copy() for table in seen.tables()))
        made = [checked(table, like, one, self._competition, place)
                for table, like, place in zip(_several(answer, one, ("train", "test")), seen.tables(), ("train", "test"), strict=True)]
        return _alike(made, one)

    def _fit(self, one: Set, part: Part) -> list[pd.DataFrame]:
        """The columns of a set of features(fold): of the training, validated and test rows."""
        likes = {"train": part.X_train, "valid": part.X_valid, "test": part.X_test}
        copies = {f"X_{name}": table.copy() for name, table in likes.items()}
        answer = self._code.call(one, replace(part, **copies, y_train=part.y_train.copy()))
        made = [checked(table, like, one, self._competition, place)
                for table, (place, like) in zip(_several(answer, one, tuple(likes)), likes.items(), strict=True)]
        return _alike(made, one)

    def _added(self, part: Part) -> tuple[pd.DataFrame, Array, Array] | None:
        """The rows of extra(fold), their targets as they are given and as models learn them; None where it gives no row."""
        answer = self._code.call(self._extra, replace(part, X_train=part.X_train.copy(), X_test=part.X_test.copy()))
        rows, y = _several(answer, self._extra, ("X_extra", "y_extra"))
        rows = checked_extra(rows, part.X_train, self._extra)
        names, problem = list(self._competition.target), problem_of(self._competition)
        values = np.asarray(y).reshape(len(y), -1)
        if values.shape != (len(rows), len(names)):
            raise KKError(f"{self._extra.place} gives {len(rows)} rows and targets of the shape {np.asarray(y).shape}", "Give one target a row")
        if not len(rows):
            return None
        table = pd.DataFrame({name: pd.Series(list(values[:, number])).infer_objects() for number, name in enumerate(names)})
        rows.index = np.arange(len(rows)) + len(load_data(self._store).X)
        return rows, *learnt(table, self._competition, problem)


class _Seen:
    """What features(train, test) sees: columns of both tables, ids and ignored ones too, no target."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read: tuple[pd.DataFrame, pd.DataFrame] | None = None

    def tables(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """(train, test), read once."""
        if self._read is None:
            train, test = read_table(self._store, "train"), read_table(self._store, "test")
            names = [name for name in train.columns if name in test.columns and name not in self._store.competition.target]
            self._read = train[names], test[names]
        return self._read


def _named(names: str | Sequence[str] | None, code: Code) -> tuple[str, ...]:
    """The sets in use."""
    if names is None:
        found = tuple(name for name in (DEFAULT, EXTRA) if name in code.sets)
        return found if DEFAULT in found else (RAW, *found)
    asked = [name.strip() for name in (names.split(",") if isinstance(names, str) else names)]
    chosen = tuple(dict.fromkeys(name for name in asked if name)) or (RAW,)
    known = [RAW, *code.sets]
    for name in chosen:
        if name in code.others:
            raise not_a_set(name, code.others[name])
        if name not in known:
            where = "" if code.sets else " There is no set in features.py: write def NAME(train, test) or def NAME(fold)"
            raise KKError(f"no features are called {name!r}", f"{near_names(name, known)}Known: {', '.join(known)}.{where}")
    return chosen


def _several(answer: object, one: Set, parts: tuple[str, ...]) -> tuple:
    if not isinstance(answer, (tuple, list)) or len(answer) != len(parts):
        given = f"{len(answer)} things" if isinstance(answer, (tuple, list)) else type(answer).__name__
        raise KKError(f"{one.place} gives {given}, not {len(parts)}", f"End it with: return {', '.join(parts)}")
    return tuple(answer)


def _alike(tables: list[pd.DataFrame], one: Set) -> list[pd.DataFrame]:
    """All with the columns of the first, in its order."""
    first = tables[0]
    for other in tables[1:]:
        lacking, more = first.columns.difference(other.columns, sort=False), other.columns.difference(first.columns, sort=False)
        if len(lacking) or len(more):
            name, where = (lacking[0], "train, not in all other tables") if len(lacking) else (more[0], "another table, not in train")
            raise KKError(f"{one.place} makes the column {name!r} in {where}", "Return the same columns for all")
    return [first, *(other[list(first.columns)] for other in tables[1:])]
