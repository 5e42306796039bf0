"""Files of predictions as people keep them: one file, an archive with both arrays, or a folder with several models."""

import itertools
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.errors import KKError
from kagglekit.predictions import Form
from kagglekit.registry import near_names
from kagglekit.work.load import relative

if TYPE_CHECKING:
    import pandas as pd

FORMS = (".csv", ".csv.gz", ".tsv", ".parquet", ".npy", ".npz")
UNSAFE = (".pkl", ".pickle", ".joblib", ".pt", ".pth")
ROLES = {"oof": "oof", "valid": "oof", "val": "oof", "test": "test", "sub": "test", "submission": "test"}
FILLERS = ("preds", "pred", "predictions", "prediction", "proba", "probas", "probs")
NOT_A_NAME = re.compile(rf"(?<![a-z0-9])({'|'.join((*ROLES, *FILLERS))})(?![a-z0-9])", re.IGNORECASE)
DEEPEST = 3
SHOWN = 5
LOOKED_AT = 100  # lines


@dataclass(frozen=True, slots=True)
class Found:
    """One model's files in a folder; `name` is what is left of their paths without the words for the role, "" for the only one."""

    name: str
    oof: Path
    test: Path | None


def role_of(name: str) -> str:
    """oof or test, as the words of a file's or array's name say; "" where none or both do.

    >>> role_of("oof_lgb_v2"), role_of("test-preds"), role_of("latest")
    ('oof', 'test', '')
    """
    found = {ROLES[word] for word in re.split(r"[^a-z0-9]+", name.lower()) if word in ROLES}
    return found.pop() if len(found) == 1 else ""


def model_of(path: Path) -> str:
    """The model's name in a path: its parts without suffix and without the words for role and predictions.

    >>> model_of(Path("oof_lgb_v2.npy")), model_of(Path("xgb/oof.csv")), model_of(Path("test_preds.npy"))
    ('lgb_v2', 'xgb', '')
    """
    parts = [*path.parts[:-1], path.name.removesuffix(_suffix(path))]
    return "-".join(word for part in parts if (word := NOT_A_NAME.sub("", part.replace("_", " ")).strip(" -.").replace(" ", "_")))


def folder_of(folder: Path) -> list[Found]:
    """The models of a folder that have OOF predictions, by name; raises KKError where there are none, or two files for one.

    Known are `oof_NAME` and `test_NAME`, `NAME_oof`, `NAME/oof`, `oof/NAME`, and archives (npz) that hold both arrays.
    """
    files: dict[str, dict[str, Path]] = {"oof": {}, "test": {}}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if len(inside.parts) > DEEPEST or any(part.startswith(".") for part in inside.parts) or _suffix(path) not in FORMS:
            continue
        role = role_of(" ".join(inside.parts)) or ("oof" if path.suffix == ".npz" and _arrays(path, "oof") else "")
        if role:
            model = model_of(inside)
            if model in files[role]:
                raise KKError(f"{folder} holds two files for {role} of {model or 'one model'}: {files[role][model].name} and {path.name}",
                              "Name the one that is meant: kk add NAME --oof FILE --test FILE")
            files[role][model] = path
    if not files["oof"]:
        raise KKError(*_nothing_in(folder))
    if len(files["oof"]) == 1 and len(files["test"]) == 1:
        return [Found(*next(iter(files["oof"].items())), next(iter(files["test"].values())))]
    return [Found(model, path, files["test"].get(model)) for model, path in files["oof"].items()]


def _nothing_in(folder: Path) -> tuple[str, str]:
    if (folder / "predictor.pkl").exists() or any(folder.glob("models/*/utils/oof.pkl")):
        return (f"{folder} is AutoGluon's, which keeps out-of-fold predictions in pickles: opening one can run any code, so none is read",
                'Export them: predictor.predict_proba_oof().to_csv("oof.csv"), predictor.predict_proba(test).to_csv("test.csv")')
    pickles = [path.name for path in sorted(folder.rglob("*")) if path.suffix in UNSAFE]
    if pickles:
        return (f"{folder} holds pickles only ({', '.join(pickles[:3])}): opening one can run any code, so none is read",
                'Save the values instead: np.save("oof_NAME.npy", values)')
    return f"{folder} holds no out-of-fold predictions", f"Call the files oof_NAME and test_NAME, as {' or '.join(FORMS)}"


def chosen(found: Sequence[Found], name: str, folder: Path) -> Found:
    """The only model of a folder, or the one called `name`; of several others raises KKError with the commands to type."""
    named = [one for one in found if one.name == name]
    if len(found) == 1 or named:
        return (named or list(found))[0]
    lines = [shlex.join(["kk", "add", one.name or name, "--oof", relative(one.oof), *(["--test", relative(one.test)] if one.test else [])])
             for one in found[:SHOWN]]
    raise KKError(f"{folder} holds {len(found)} models: {', '.join(one.name for one in found[:12])}",
                  f"{near_names(name, [one.name for one in found])}Add each with --every, or one: {'; '.join(lines)}")


def sources(name: str, oof: object, test: object, every: bool) -> list[tuple[str, object, object]]:
    """(name, oof, test) of each model that is meant: one, or with `every` all of the folder `oof`, called NAME-MODEL."""
    folder = Path(oof) if isinstance(oof, (str, Path)) and Path(oof).is_dir() else None
    if folder is None:
        if every:
            raise KKError(f"{oof if isinstance(oof, (str, Path)) else 'an array'} is one model", "Give a folder of several, or leave --every out")
        beside = partner(Path(oof)) if test is None and isinstance(oof, (str, Path)) else None
        return [(name, oof, test if beside is None else beside)]
    found = folder_of(folder)
    if every:
        return [(f"{name}-{one.name}" if one.name else name, one.oof, _test_of(one)) for one in found]
    one = chosen(found, name, folder)
    return [(name, one.oof, test if test is not None else _test_of(one))]


def _test_of(one: Found) -> Path | None:
    return one.test or partner(one.oof)


def partner(path: Path) -> Path | None:
    """The same archive, where it holds test predictions beside the OOF ones."""
    return path if path.suffix == ".npz" and path.exists() and _arrays(path, "test") else None


def _arrays(path: Path, role: str) -> list[str]:
    import zipfile

    try:
        with np.load(path, allow_pickle=False) as archive:
            return [name for name in archive.files if role_of(name) == role]
    except (ValueError, EOFError, zipfile.BadZipFile):
        return []


def read_file(path: Path, form: Form) -> object:
    """The table or array that a file of predictions holds; raises KKError for what cannot be read, and for pickles."""
    import zipfile

    suffix = _suffix(path)
    if not path.exists():
        raise KKError(f"no file {path} for {form.what}", "Give the path from here")
    if suffix in UNSAFE:
        raise KKError(f"{path.name} is a pickle: opening one can run any code, so it is not read",
                      'Save the values instead: np.save("oof.npy", values) or frame.to_csv("oof.csv")')
    if path.is_dir() or suffix not in READERS:
        raise KKError(f"{path.name} is not a form of predictions that can be read", f"Give one of: {', '.join(FORMS)}")
    try:
        return READERS[suffix](path, form)
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        pickled = " (it holds Python objects: opening them can run any code, so they are not read)" if "pickle" in str(error) else ""
        raise KKError(f"{path} cannot be read as {suffix}{pickled or f': {error}'}", "Export the predictions again") from error


def _suffix(path: Path) -> str:
    return ".csv.gz" if path.name.lower().endswith(".csv.gz") else path.suffix.lower()


def _read_npy(path: Path, form: Form) -> np.ndarray:
    return np.load(path, allow_pickle=False)


def _read_npz(path: Path, form: Form) -> object:
    """The one array, or the one whose name has the role's word; with the ids beside it where the archive holds them."""
    import pandas as pd

    with np.load(path, allow_pickle=False) as archive:
        ids = [name for name in form.ids.columns if name in archive.files]
        names = [name for name in archive.files if name not in ids]
        role = "test" if "test" in form.what else "oof"
        fitting = names if len(names) == 1 else [name for name in names if role_of(name) == role]
        if len(fitting) != 1:
            raise KKError(f"{path} holds {len(archive.files)} arrays: {', '.join(archive.files)}", f'Call the one that is meant "{role}"')
        values = archive[fitting[0]]
        if len(ids) < len(form.ids.columns) or any(len(archive[name]) != len(values) for name in ids):
            return values
        columns = values.reshape(len(values), -1)
        labels = form.classes if columns.shape[1] == len(form.classes) else form.columns
        if columns.shape[1] != len(labels):
            raise KKError(f"{path}: {fitting[0]} has the shape {values.shape}", f"Give a column for each of: {', '.join(map(str, labels))}")
        return pd.DataFrame({**{name: archive[name] for name in ids}, **{str(label): columns[:, k] for k, label in enumerate(labels)}})


def _read_parquet(path: Path, form: Form) -> "pd.DataFrame":
    import pandas as pd

    return pd.read_parquet(path)


def _read_csv(path: Path, form: Form) -> "pd.DataFrame":
    """A csv with any of the usual separators; ids that are text in the table stay text, a file of bare numbers has no header."""
    import pandas as pd

    separator, decimal = _separator(path)
    texts = {name: str for name in form.ids.columns if form.ids[name].dtype.kind not in "iufbM"}
    table = pd.read_csv(path, sep=separator, decimal=decimal, dtype=texts)
    bare = all(re.fullmatch(r"-?\d*\.?\d+(e[+-]?\d+)?(\.\d+)?", str(name), re.IGNORECASE) for name in table.columns)
    return pd.read_csv(path, sep=separator, decimal=decimal, header=None) if bare and len(table) == len(form.ids) - 1 else table


def _separator(path: Path) -> tuple[str, str]:
    """What stands between columns, and before decimals: a comma where none separates and the first lines have no point in a number."""
    import gzip

    with gzip.open(path, "rt", encoding="utf-8-sig") if path.suffix == ".gz" else path.open(encoding="utf-8-sig") as lines:
        first, shown = lines.readline(), "".join(itertools.islice(lines, LOOKED_AT))
    separator = max(",;\t", key=first.count)
    commas = separator != "," and re.search(r"\d,\d", shown) and not re.search(r"\d\.\d", shown)
    return separator, "," if commas else "."


READERS: dict[str, Callable[[Path, Form], object]] = {
    ".npy": _read_npy, ".npz": _read_npz, ".csv": _read_csv, ".csv.gz": _read_csv, ".tsv": _read_csv, ".parquet": _read_parquet}
