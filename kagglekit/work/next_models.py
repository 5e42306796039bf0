"""What is ready to settle a verdict: trained runs not yet submitted, rungs not yet trained, splits not yet compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kagglekit.errors import KKError
from kagglekit.store import Store
from kagglekit.work.scored import HISTORY, Evidence, is_constant

RUNGS = ("linear", "tree", "forest", "lgbm")  # from weak to strong: their distances are what a verdict needs


@dataclass(frozen=True, slots=True)
class Ready:
    """Commands that are cheapest next: `submit` teaches most of the trained runs, `train` makes another model, `splits` compares splits.

    `final` is what comes after a split that tracks. Empty text: there is no such. `unsubmitted` counts trained runs without a public score.
    """

    submit: str = ""
    train: str = ""
    splits: str = ""
    final: str = "kk ensemble"
    unsubmitted: int = 0


def ready_of(store: Store, evidence: Evidence) -> Ready:
    """What is ready on the split of the evidence."""
    if evidence.split == HISTORY and HISTORY not in store.folds_names():
        return Ready(train="kk train linear --refit" if store.folds_names() else "kk cv")
    mark = store.folds_record(evidence.split)["fingerprint"]
    scored = {record.recipe for record in store.all_submissions() if record.public is not None}
    here = [run for run in store.all_runs() if run.status == "done" and run.folds_fingerprint == mark and run.score.mean is not None]
    way = evidence.models[0].inference if evidence.models else ""
    waiting = [run for run in here if run.recipe not in scored and not is_constant(run) and run.sample == 1.0 and way in ("", run.inference)
               and (store.run_folder(run) / "test.npy").exists()]
    known = [model.cv for model in evidence.models if model.cv is not None]
    best = max(waiting, key=lambda run: min((abs(run.score.mean - cv) for cv in known), default=0.0), default=None)
    trained = {run.model for run in here}
    rung = next((name for name in RUNGS if name not in trained), "")
    train = f"kk train {rung} --folds {evidence.split}{' --refit' if way in ('', 'refit') else ''}" if rung else ""
    return Ready(f"kk submit {best.id}" if best else "", train, _splits(store, evidence.split), unsubmitted=len(waiting))


def _splits(store: Store, split: str) -> str:
    """The command that compares this split with the other folds, and with what the data asks for."""
    names = [split, *(name for name in reversed(store.folds_names()) if name != split)]
    have = {str(store.folds_record(name).get("splitter")) for name in names}
    names += [name for name in advised_splits(store, names) if name not in have]
    return f"kk lbcheck --splits {','.join(names[:3])}" if len(names) > 1 else ""


def advised_splits(store: Store, names: Sequence[str]) -> list[str]:
    """Splitters that kk cv found evidence for when these folds were made, the best first, each once."""
    found: list[str] = []
    for name in names:
        advice = store.folds_record(name).get("recommendation") or {}
        found += [str(advice.get("splitter") or ""), *(str(one.get("splitter") or "") for one in advice.get("runners_up") or ())]
    return [name for name in dict.fromkeys(found) if name]


def evidence_order(store: Store, splits: Sequence[str]) -> list[int]:
    """Places of the splits (names of folds) that kk cv found evidence for, the best supported first."""
    advised = advised_splits(store, splits)
    made = [str(store.folds_record(name).get("splitter")) for name in splits]
    return sorted((place for place, name in enumerate(made) if name in advised), key=lambda place: advised.index(made[place]))


def make_default(store: Store, name: str) -> None:
    """Make these folds the default of every command: the latest."""
    import json

    from kagglekit.ledger import open_ledger
    from kagglekit.run import now
    from kagglekit.store import write_text

    record: Mapping[str, object] = {**store.folds_record(name), "created": now()}
    write_text(store.folds_files(name)[1], json.dumps(record, indent=1, default=str) + "\n")
    open_ledger(store).save_folds(record)
    if store.latest_folds() != name:
        raise KKError(f"{name} could not be made the default", f"Name it in each command: --folds {name}")
