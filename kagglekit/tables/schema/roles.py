"""Roles: which file is train, test and sample, which hold more of their rows, labels or other facts; by name, then by columns."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from kagglekit.tables.schema.folders import folders_of
from kagglekit.tables.schema.notes import USUAL, Notes, listed
from kagglekit.tables.schema.peek import Peek

SUFFIX = re.compile(r"\.(csv|tsv|txt|json|jsonl|ndjson|parquet|feather|xlsx|xls)(\.(gz|bz2|zst|xz|zip))?$", re.IGNORECASE)
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
PLAIN = {"set", "data", "dataset", "df", "table", "full", "raw", "all"}
SAMPLE = {"sample", "example", "dummy", "benchmark", "baseline", "template", "format", "random", "naive", "gender", "zeros", "null"}
LABELS = {"label", "labels", "target", "targets", "y", "annotation", "annotations", "answer", "answers", "truth", "class", "classes", "ytrain"}
BESIDE = {"meta", "metadata", "identity", "supplement", "supplementary", "supplemental", "sample", "samples", "small", "mini", "tiny", "subset",
          "extra", "external", "additional", "fold", "folds", "bbox", "bboxes", "box", "boxes", "mask", "masks", "detail", "details", "description",
          "descriptions", "info", "prompt", "prompts", "user", "users", "item", "items", "events", "event", "clinical", "image", "images",
          "structures", "history", "summary", "old", "unlabeled", "unlabelled", "soft", "pseudo", "coordinates", "segmentation",
          "keypoints", "features"}
MOST_IN_A_FOLDER, MOST_OTHERS = 12, 20
Peeks = Callable[[str], Peek | None]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may have a role: the words of its name, and whether a word says train or test."""

    name: str
    words: tuple[str, ...]

    @property
    def bare(self) -> tuple[str, ...]:
        """The words that say more than train or test."""
        return tuple(word for word in self.words if word not in PLAIN and not _says(word, "train") and not _says(word, "test"))

    @property
    def rank(self) -> tuple:
        """Plain names first, then labels' and others'; then short ones near the top folder."""
        bare = self.bare
        return (bool(bare), any(word in BESIDE for word in bare), any(word in LABELS for word in bare), len(bare), self.name.count("/"),
                len(self.name), self.name)


def words_of(name: str) -> tuple[str, ...]:
    """The words of a file's name in lower case, without folders and suffix.

    >>> words_of("data/sampleSubmission_v2.csv")
    ('sample', 'submission', 'v', '2')
    """
    stem = SUFFIX.sub("", name.rsplit("/", 1)[-1])
    return tuple(word.lower() for word in WORD.findall(stem))


def _says(word: str, role: str) -> bool:
    if role == "train":
        return word.startswith("train") or word in ("trn", "xtrain", "ytrain")
    return (word.startswith("test") and not word.startswith("testi")) or word in ("testing", "tst", "xtest")


def guess_roles(names: Sequence[str]) -> dict[str, str]:
    """Which of the table files is train, test and sample, by their names.

    >>> guess_roles(["test.csv", "train.csv", "sample_submission.csv"])["sample"]
    'sample_submission.csv'
    """
    notes = Notes()
    find_roles(names, lambda name: None, notes)
    return {role: str(notes.fields.get(role, "")) for role in ("train", "test", "sample")}


def find_roles(names: Sequence[str], peeks: Peeks, notes: Notes) -> None:
    """Note train, test, sample, labels, train_parts, test_parts and others; where `peeks` gives tables, columns decide between names."""
    files = [Candidate(name, words_of(name)) for name in sorted(names)]
    sample = _sample(files, peeks, notes)
    rest = [file for file in files if file.name != sample and not _sample_rank(file)]
    train = _role("train", rest, _peek(peeks, sample), "", peeks, notes)
    test = _role("test", [file for file in rest if file.name not in _taken(notes)], _peek(peeks, sample), train, peeks, notes)
    _labels(rest, peeks, notes)
    taken = {sample, train, test, *_taken(notes)}
    others = [file.name for file in files if file.name not in taken]
    if others:
        notes.set("others", tuple(others[:MOST_OTHERS]), _beside(others, _peek(peeks, train), peeks))


def in_bulk(names: Sequence[str]) -> set[str]:
    """Tables that lie in a folder with many of their kind, such as one for each day: data of their own, with no role by themselves."""
    return {name for folder in folders_of(names) if len(folder.files) > MOST_IN_A_FOLDER for name in folder.files
            if not any(_says(word, role) for word in words_of(name) for role in ("train", "test"))}


def _taken(notes: Notes) -> set[str]:
    return {name for field in ("sample", "train", "test", "labels", "train_parts", "test_parts") for name in notes.names(field)}


def _peek(peeks: Peeks, name: str) -> Peek | None:
    return peeks(name) if name else None


# Sample submission

def _sample_rank(file: Candidate) -> int:
    words, joined = file.words, "".join(file.words)
    submission = "submi" in joined or "sub" in words or ("solution" in words and "sample" in words) or ("entry" in words and "sample" in words)
    sample = any(word in SAMPLE or word.startswith("sample") for word in words)
    if submission:
        return 3 if sample else 2
    return 1 if sample and words[0].startswith("sample") and len(words) == 1 else 0


def _sample(files: Sequence[Candidate], peeks: Peeks, notes: Notes) -> str:
    said = notes.said("sample", [file.name for file in files], "the competition")
    if said:
        notes.set("sample", said[0], "")
        return said[0]
    fitting = [file for file in files if _sample_rank(file)]
    best = max(map(_sample_rank, fitting), default=0)
    ordered = sorted((file for file in fitting if _sample_rank(file) == best), key=lambda file: (len(file.words), file.name.count("/"), file.name))
    if not ordered:
        return ""
    rivals = [file.name for file in ordered[1:]]
    notes.set("sample", ordered[0].name, "by its name" + (f"; {listed(rivals)} may be one too" if rivals else ""))
    if rivals:
        notes.ask("sample", f"{len(ordered)} files may be the sample submission, {ordered[0].name} (taken) and {listed(rivals)}", rivals[0])
    return ordered[0].name


# Train and test

def _role(role: str, files: Sequence[Candidate], sample: Peek | None, train: str, peeks: Peeks, notes: Notes) -> str:
    """Note the file of a role; asks where several fit as well."""
    given = notes.said(role, [file.name for file in files], "the competition")
    named = [file for file in files if any(_says(word, role) for word in file.words)]
    if role == "test":
        named = [file for file in named if not any(word in LABELS for word in file.bare)]
    named = named or _by_folder(role, files)
    if given:
        notes.set(role, given[0], "")
        return given[0]
    if not named:
        return _unnamed(role, files, sample, peeks, notes)
    ordered = sorted(named, key=lambda file: file.rank)
    plain = [file for file in ordered if not file.bare]
    if len(plain) == 1 or len(ordered) == 1:
        notes.set(role, ordered[0].name, "by its name")
        _same_columns(role, ordered, peeks, notes)
        return ordered[0].name
    return _one_of(role, ordered, sample, train, peeks, notes)


def _by_folder(role: str, files: Sequence[Candidate]) -> list[Candidate]:
    """Files in a folder that says it; of many, none: they are data of their own."""
    inside = [file for file in files if "/" in file.name and any(_says(word, role) for word in words_of(file.name.rsplit("/", 2)[-2]))]
    return inside if len(inside) <= MOST_IN_A_FOLDER else []


def _one_of(role: str, ordered: list[Candidate], sample: Peek | None, train: str, peeks: Peeks, notes: Notes) -> str:
    """One of several by its columns; files that differ in a number only are parts of one table."""
    parts = _parts(ordered, peeks)
    if parts:
        notes.set(role, parts[0], f"the first of {len(parts)} files of the same columns")
        notes.set(f"{role}_parts", tuple(parts), "their rows are one table, and only the first is read so far")
        notes.warn(f"{role} is in {len(parts)} files ({listed(parts)}): only {parts[0]} is read, "
                   f"the others are named as {role}_parts in competition.toml")
        return parts[0]
    if role == "test" and train:
        twin = tuple(word for word in words_of(train) if not _says(word, "train"))
        same = [file for file in ordered if tuple(word for word in file.words if not _says(word, "test")) == twin]
        if len(same) == 1:
            notes.set(role, same[0].name, f"named as {train} is")
            return same[0].name
    fits = {file.name: _fit(role, peeks(file.name), sample) for file in ordered}
    best = max(fits.values(), key=lambda fit: fit[0])
    winners = [file for file in ordered if fits[file.name][0] == best[0]]
    others = [file.name for file in ordered if file is not winners[0]]
    if role == "train" and (rows := _features_beside(winners[0], ordered, sample, peeks)):
        notes.set(role, rows, f"{winners[0].name} holds its labels")
        return rows
    if best[0] > 0 and len(winners) == 1:
        notes.set(role, winners[0].name, f"{best[1]}; {listed(others)} {'has' if len(others) == 1 else 'have'} not")
        return winners[0].name
    notes.set(role, winners[0].name, f"unsure: {listed(others)} may be it too")
    if peeks(winners[0].name) is not None:
        notes.ask(role, f"{len(others) + 1} files may be {role}, {winners[0].name} (taken) and {listed(others)}", others[0])
    return winners[0].name


def _features_beside(chosen: Candidate, ordered: list[Candidate], sample: Peek | None, peeks: Peeks) -> str:
    """The table of features, where the chosen one holds labels only."""
    labels = peeks(chosen.name)
    if labels is None or not chosen.bare:
        return ""
    only = sample is not None and set(labels.columns) == set(sample.columns)
    if not only and not all(word in LABELS for word in chosen.bare):
        return ""
    wider = [file.name for file in ordered if not any(word in BESIDE for word in file.bare) and (table := peeks(file.name)) is not None
             and len(table.columns) > len(labels.columns) and (table.rows == labels.rows or set(table.columns) & set(labels.columns))]
    return wider[0] if wider else ""


def _parts(ordered: list[Candidate], peeks: Peeks) -> list[str]:
    keys = {tuple(word for word in file.words if len(word) > 1 and not word.isdigit()) for file in ordered}
    tables = [peeks(file.name) for file in ordered]
    columns = {tuple(table.columns) for table in tables if table is not None}
    return sorted((file.name for file in ordered), key=_natural) if len(keys) == 1 and len(columns) == 1 and None not in tables else []


def _natural(name: str) -> list:
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def _fit(role: str, table: Peek | None, sample: Peek | None) -> tuple[int, str]:
    """How well a table's columns fit a role, and what speaks for it."""
    if table is None or sample is None:
        return 0, ""
    shared = [column for column in sample.columns if column in table]
    if role == "train":
        values = [column for column in sample.columns[1:] if column in table]
        return (3, f"it has the sample's {listed(values)}") if values else (1, f"it has the sample's {shared[0]}") if shared else (0, "")
    fit = 2 * bool(shared) + (table.rows == sample.rows)
    return fit, f"it has the sample's {listed(shared)}" + (" and as many rows" if table.rows == sample.rows else "")


def _same_columns(role: str, ordered: list[Candidate], peeks: Peeks, notes: Notes) -> None:
    """Say where another file of the role's name has the same columns."""
    table = peeks(ordered[0].name)
    if table is None:
        return
    same = [file.name for file in ordered[1:] if not any(word in BESIDE for word in file.bare)
            and (other := peeks(file.name)) is not None and other.columns == table.columns]
    if same:
        notes.ask(role, f"{listed(same)} {'has' if len(same) == 1 else 'have'} the same columns as {ordered[0].name} (taken as {role})", same[0])


def _unnamed(role: str, files: Sequence[Candidate], sample: Peek | None, peeks: Peeks, notes: Notes) -> str:
    """A file of labels is train where no name says train; anything else that fits by its columns is a proposal only."""
    near = sorted((file for file in files if file.name not in _taken(notes)), key=lambda file: (file.name.count("/"), file.name))
    tables = {file: peeks(file.name) for file in near[:MOST_OTHERS]}
    if role == "train":
        fitting = [file for file, table in tables.items() if table is not None and sample is not None
                   and len(sample.columns) > 1 and all(column in table for column in sample.columns[1:])]
        labelled = [file for file in files if file.bare and all(word in LABELS for word in file.bare)]
        if len(labelled) == 1 and (fitting == labelled or sample is None or not fitting):
            notes.set(role, labelled[0].name, "no name says train; this one says labels")
            return labelled[0].name
        propose = [file.name for file in fitting]
    else:
        propose = [file.name for file, table in tables.items() if table is not None and sample is not None and table.rows == sample.rows
                   and sample.columns[0] in table]
    if propose:
        notes.ask(role, f"no {role} table was found among the files: {listed(propose)} has the columns of one", propose[0])
    return ""


# Labels and others

def _labels(files: Sequence[Candidate], peeks: Peeks, notes: Notes) -> None:
    """A second file with the targets, where train has features only: one row for each id."""
    train = peeks(str(notes.fields.get("train", "")))
    sample = peeks(str(notes.fields.get("sample", "")))
    if train is None:
        return
    values = [] if sample is None else [column for column in sample.columns if column not in train]
    for file in sorted(files, key=lambda one: one.rank):
        table = peeks(file.name) if file.name not in _taken(notes) else None
        if table is None or any(_says(word, "test") for word in file.words):
            continue
        told = any(word in LABELS for word in file.bare) or (any(_says(word, "train") for word in file.words)
                                                             and any(column in values or USUAL.match(column) for column in table.columns))
        if not told:
            continue
        keys, more = [column for column in table.columns if column in train], [column for column in table.columns if column not in train]
        tie = f"{listed(keys)}, which joins them" if keys else "as many rows" if table.rows == train.rows else ""
        if tie and more and (len(more) <= max(len(values), 1) + 3 or any(map(USUAL.match, more))) and (sample is None or values):
            notes.set("labels", file.name, f"it has {listed(more)}, which train lacks, and {tie}")
            return


def _beside(others: list[str], train: Peek | None, peeks: Peeks) -> str:
    """How other tables are tied to train: by the columns that both have, at most a dozen named."""
    ties = []
    for name in others[:MOST_OTHERS]:
        table = peeks(name)
        shared = [] if table is None or train is None else [column for column in table.columns if column in train]
        ties += [f"{name} by {listed(_keys(shared), 2)}"] if shared else []
    more = f"; {len(others) - MOST_OTHERS} more are not listed" if len(others) > MOST_OTHERS else ""
    return f"neither train, test nor sample{'; ' + ', '.join(ties[:12]) if ties else ''}{more}"


def _keys(columns: Iterable[str]) -> list[str]:
    """Columns that look like keys first."""
    return sorted(columns, key=lambda name: not re.search(r"(^|_)(id|key|nbr|code|sk)(_|$)|id$", name, re.IGNORECASE))


def file_role(name: str, fields: Mapping[str, object]) -> str:
    """The role of a file in a competition: train, test, sample, labels, train part, test part or other."""
    for role in ("train", "test", "sample", "labels"):
        if name and name == fields.get(role):
            return role
    for role in ("train", "test"):
        if name in tuple(fields.get(f"{role}_parts", ())):  # type: ignore[arg-type]
            return f"{role} part"
    return "other"
