"""Folders of files beside the tables: which there are, and which column of train names their files."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kagglekit.tables.schema.notes import Notes, listed
from kagglekit.tables.schema.peek import Peek

IMAGES = {"png", "jpg", "jpeg", "tif", "tiff", "dcm", "bmp", "gif", "webp", "nii", "nii.gz", "svs"}
FEWEST, MANY, ASKED, MATCHED = 4, 8, 200, 0.9
PACKED = re.compile(r"\.(nii\.gz|[A-Za-z0-9]+)$")


@dataclass(frozen=True, slots=True)
class Folder:
    """Files of one kind: a pattern such as images/train/*.png, and their names."""

    pattern: str
    files: tuple[str, ...]

    @property
    def ending(self) -> str:
        """The files' suffix without the dot, in lower case."""
        return ending_of(self.pattern)


def ending_of(name: str) -> str:
    """A name's suffix without the dot, in lower case; nii.gz stays whole."""
    found = PACKED.search(name.rsplit("/", 1)[-1])
    return found.group(1).lower() if found else ""


def folders_of(files: Sequence[str]) -> list[Folder]:
    """Files by folder and suffix, at least four of a kind; sub-folders of which there are many are one pattern.

    >>> [folder.pattern for folder in folders_of([f"a/{n}/geometry.xyz" for n in range(9)] + ["train.csv"])]
    ['a/*/geometry.xyz']
    """
    children: dict[tuple[str, ...], set[str]] = defaultdict(set)
    split = [name.split("/") for name in files]
    for parts in split:
        for depth in range(len(parts) - 1):
            children[tuple(parts[:depth])].add(parts[depth])
    kinds: dict[str, list[str]] = defaultdict(list)
    for name, parts in zip(files, split, strict=True):
        if len(parts) > 1:
            kinds[_pattern(parts, children)].append(name)
    return [Folder(_named(pattern, names), tuple(names)) for pattern, names in sorted(kinds.items()) if len(names) >= FEWEST]


def _pattern(parts: list[str], children: Mapping[tuple[str, ...], set[str]]) -> str:
    folders = ["*" if len(children[tuple(parts[:depth])]) > MANY else part for depth, part in enumerate(parts[:-1])]
    ending = ending_of(parts[-1])
    return "/".join([*folders, f"*.{ending}" if ending else "*"])


def _named(pattern: str, names: list[str]) -> str:
    """The pattern with the file's own name where it is always the same."""
    last = {name.rsplit("/", 1)[-1] for name in names}
    return f"{pattern.rsplit('/', 1)[0]}/{last.pop()}" if len(last) == 1 else pattern


def find_folders(files: Sequence[str], tables: Mapping[str, Peek], notes: Notes) -> None:
    """Note folders, and image: the columns of `tables` (train, test, sample) whose values name files, written into the pattern as {column}."""
    folders = folders_of(files)
    if not folders:
        return
    patterns, reasons, linked = [], [], []
    for folder in folders:
        links = _links(folder, tables)
        patterns.append(next((pattern for pattern in links.values() if not pattern.startswith("{")), folder.pattern))
        # A column of paths or file names says more than an id that happens to be a file's stem.
        column = next((name for name, pattern in links.items() if pattern.endswith("}")), next(iter(links), ""))
        reasons.append(f"{len(folder.files)} {folder.ending or 'files'}" + (f" named by {column}" if column else ""))
        if column and column not in linked and folder.ending in IMAGES:
            linked.append(column)
    notes.set("folders", tuple(patterns[:20]), listed(reasons, 6))
    if linked:
        notes.set("image", tuple(linked), "its values name image files, see folders")


def _links(folder: Folder, tables: Mapping[str, Peek]) -> dict[str, str]:
    """The columns whose values name the folder's files, each with the pattern in which it stands as {column}; of the first table that has any."""
    names, links = _names(folder), {}
    for table in tables.values():
        for column in [name for name in table.columns[:80] if table.kind(name) in ("integer", "text")]:
            values = [str(value) for value in table.sample(column).dropna().unique()[:5000].tolist()]
            shown = values[:: max(len(values) // ASKED, 1)][:ASKED]
            how = Counter(way for value in shown for way in names.get(value, ()))
            best = how.most_common(1)
            # Of a table with train's and test's files, or of a test folder, only a part is named.
            if best and len(shown) > 1 and (best[0][1] >= MATCHED * len(shown) or _covers(values, names, folder, best[0][0])):
                links[column] = best[0][0].replace("{}", f"{{{column}}}")
        if links:
            break
    return links


def _covers(values: list[str], names: Mapping[str, set[str]], folder: Folder, way: str) -> bool:
    """Whether the values name most of the folder's files, though not only those."""
    named = sum(way in names.get(value, ()) for value in values)
    return len(folder.files) > FEWEST and named >= MATCHED * len(folder.files)


def _names(folder: Folder) -> dict[str, set[str]]:
    """For each word by which a value may name a file of the folder: the pattern with {} in the word's place."""
    found: dict[str, set[str]] = defaultdict(set)
    for name in folder.files:
        parts = name.split("/")
        for start in range(len(parts)):  # the path, or an end of it
            found["/".join(parts[start:])].add("/".join(["*" if star == "*" else part for star, part in _paired(folder, parts[:start])] + ["{}"]))
        stem = parts[-1].removesuffix(f".{_suffix(parts[-1])}")
        above = ["*" if star == "*" else part for star, part in _paired(folder, parts[:-1])]
        if stem != parts[-1]:
            found[stem].add("/".join([*above, f"{{}}.{_suffix(parts[-1])}"]))
        for depth, star in enumerate(folder.pattern.split("/")[:-1]):
            if star == "*" and depth < len(parts) - 1:
                pattern = folder.pattern.split("/")
                found[parts[depth]].add("/".join([*pattern[:depth], "{}", *pattern[depth + 1:]]))
    return found


def _paired(folder: Folder, parts: list[str]) -> list[tuple[str, str]]:
    return list(zip(folder.pattern.split("/"), parts, strict=False))


def _suffix(name: str) -> str:
    found = PACKED.search(name)
    return found.group(1) if found else ""
