"""kk tune: search a model's parameters on the folds, with what of the gain may be believed, and record the run of the best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kagglekit.errors import KKError
from kagglekit.fold import Data
from kagglekit.folds import Folds
from kagglekit.ledger import open_ledger
from kagglekit.models import presets
from kagglekit.models.family import Model, check_model
from kagglekit.progress import say
from kagglekit.run import Run, Score
from kagglekit.store import Store, open_store
from kagglekit.work.clock import Clock
from kagglekit.work.features import Features
from kagglekit.work.going_on import file_sha256
from kagglekit.work.hours import spending
from kagglekit.work.kept import load_folds
from kagglekit.work.plan import Plan
from kagglekit.work.plot_tune import picture
from kagglekit.work.save import data_sha256
from kagglekit.work.space import Parameter, read_space, space_of
from kagglekit.work.study import Study, as_json, open_study, value_of
from kagglekit.work.time_limit import TimeLimit
from kagglekit.work.training import make_plan, recipe_for, train_run
from kagglekit.work.trial import Ground
from kagglekit.work.tuned import Found, families_tried, families_warning, found_in, settings_line, verdict
from kagglekit.work.tuning import Search, Wish

TRIALS = 30  # where neither trials nor a budget are given


@dataclass(frozen=True, slots=True)
class BestTrial:
    """The best trial: its score on the folds as trials see it, and `honest`, what is left without the luck of having been picked."""

    trial: int
    score: float
    honest: float | None
    optimism: float | None
    defaults: float | None


@dataclass(frozen=True, slots=True)
class Gained:
    """What the best trial is ahead of the defaults, positive where it is better; se paired over folds; `honest` without the luck of the pick."""

    value: float
    se: float | None
    honest: float | None


@dataclass(frozen=True, slots=True)
class Tuned:
    """A search as `kk tune` shows it: the run of the best parameters, and what the search came to.

    trials: those that ended, complete or pruned; `best_params` what the best trial changes in the defaults; `importance` shares by parameter.
    """

    run: str
    recipe: str
    model: str
    name: str
    folds: str
    kind: str
    metric: str
    greater_is_better: bool
    score: Score
    rows_scored: int
    rounds: Mapping[str, object]
    inference: str
    seconds: Mapping[str, float]
    bottleneck: str
    shared: tuple[str, ...]
    resumed: bool
    study: str
    storage: str
    trials: int
    pruned: int
    failed: int
    best_params: Mapping[str, object]
    best: BestTrial
    gain: Gained | None
    verdict: str
    importance: Mapping[str, float]
    plot: str
    warnings: tuple[str, ...]
    next: str


def tune(model: object, *, trials: int | None = None, budget: str | float | None = None, folds: str | None = None, sample: float = 1.0, seed: int = 0,
         seeds: int = 1, params: Mapping[str, object] | None = None, space: str | Path | None = None, features: str | Sequence[str] | None = None,
         refit: bool = False, prune: bool = True, study: str | None = None, storage: str | None = None, name: str | None = None,
         competition: object = None) -> Tuned:
    """Search the parameters of `model` in the space of its preset (or of the TOML file `space`) and train the best on all folds and seeds.

    Trial 0 is the defaults. `trials` counts all trials of the study, also earlier ones and those of other processes; `budget` is a time
    ("10m"), the final training within it. A search that was stopped goes on; several processes may work on one study. A trial stops
    when its chance to end ahead of the best is below 5 %. `params` are set and not searched; `seed` is the sampler's.
    Raises KKError for unknown models, spaces that cannot be searched, databases that cannot be used and studies of something else.

        >>> kk.tune("lgbm", trials=50, folds="group5")  # doctest: +SKIP
    """
    if trials is not None and trials < 1:
        raise KKError(f"--trials {trials} tries nothing", "Give at least 1: --trials 30")
    store, clock, limit = open_store(competition), Clock(), TimeLimit(budget)
    wish = Wish(TRIALS if trials is None and budget is None else trials, limit, seed, prune)
    with spending(store, "tune") as spent:
        chosen = check_model(model, store.folder)
        own = {chosen.renames.get(key, key): value for key, value in (params or {}).items()}
        parameters = _space(chosen, space, own)
        with clock.stage("read"):
            the_folds, looks = load_folds(folds, store), Features(store, features)
            data = looks.data()
        warned = families_warning(families_tried(store))
        if warned:
            say(warned)
        place = _Place(store, chosen, the_folds, looks, data, own, sample, parameters)
        the_study = place.open(study, storage, model)
        Search(the_study, Ground(place.plan, data, clock), parameters, place.params, wish).run()
        found = found_in(the_study, place.plan, data, parameters)
        done, resumed = _trained(place, the_study, found, seeds, refit, name or chosen.name, model, clock)
        spent["what"] = f"{done.id} {done.name}"
        drawn = store.reports / f"tune-{done.name}.png"
        picture(the_study, found, place.plan, parameters, chosen.name, drawn)
    return _shown(place, the_study, found, done, resumed, str(drawn), tuple(one for one in (warned,) if one))


@dataclass(frozen=True, slots=True)
class _Place:
    """What is searched on."""

    store: Store
    model: Model
    folds: Folds
    looks: Features
    data: Data
    params: Mapping[str, object]
    sample: float
    space: Sequence[Parameter]

    @property
    def plan(self) -> Plan:
        return make_plan(self.store, self.model, self.folds, self.params, sample=self.sample)

    def open(self, name: str | None, storage: str | None, given: object) -> Study:
        """The study, under a name that says the model, the folds and the sample."""
        plan, slug = self.plan, self.store.competition.slug
        usual = "-".join([slug, self.model.name, self.folds.name, *([f"{self.sample:g}"] if self.sample < 1 else [])])
        code = self.model.code + file_sha256(given, self.store)
        facts = {"competition": slug, "metric": plan.problem.metric.name, "data": data_sha256(self.store)[:12],
                 "folds": f"{self.folds.name} ({self.folds.fingerprint[:8]})", "sample": f"{self.sample:g}",
                 "model": f"{self.model.name} {as_json({'code': code})}" if code else self.model.name,
                 "features": f"{', '.join(self.looks.names)} {self.looks.code[:8]}".strip(), "parameters": as_json(plan.params)}
        return open_study(self.store, name or usual, storage, facts, self.space, plan.params, plan.problem.metric.sign)


def _space(model: Model, given: str | Path | None, fixed: Mapping[str, object]) -> tuple[Parameter, ...]:
    """The space of the file, else of the preset, under the family's own names of parameters."""
    entries, where = (presets.space(model.name), f"configs/{model.name}.toml") if given is None else (read_space(Path(given)), str(given))
    return space_of({model.renames.get(name, name): entry for name, entry in entries.items()}, fixed, where, model.renames)


def _trained(place: _Place, study: Study, found: Found, seeds: int, refit: bool, name: str, given: object, clock: Clock) -> tuple[Run, bool]:
    """The run of the best parameters; of several processes on one study one trains it, and a search that is done already has it."""
    params = {**place.params, **found.best.user_attrs["given"]}
    plan = make_plan(place.store, place.model, place.folds, params, sample=place.sample, seeds=seeds, refit=refit)
    recipe = recipe_for(plan, sample=place.sample, features=place.looks)
    uid = study.folder.name
    with study.alone():
        there = [run for run in place.store.all_runs() if run.kind == "tune" and run.status == "done" and run.recipe == recipe and run.name == name
                 and (run.notes.get("study"), run.notes.get("trial")) == (uid, found.best.number)]
        if there:
            say(f"{there[-1].id} {there[-1].name} is the run of the best trial already")
            return _noted(place.store, there[-1], study, found), True
        say(f"training {place.model.name} with the parameters of trial {found.best.number}")
        done, resumed = train_run(place.store, place.model, place.folds, place.looks, place.data, params=params, sample=place.sample, seeds=seeds,
                                  refit=refit, name=name, kind="tune", smoke=False, given=given if isinstance(given, str) else None, clock=clock,
                                  notes={"study": uid, "trial": found.best.number})
        return _noted(place.store, done, study, found), resumed


def _noted(store: Store, run: Run, study: Study, found: Found) -> Run:
    """The run with what the search came to in its notes."""
    gain = found.gain
    told = {"study": study.name, "trials": found.complete + found.pruned, "best": value_of(found.best),
            "defaults": value_of(found.defaults) if found.defaults else None, "gain": gain.value if gain else None,
            "gain_se": gain.se if gain else None, "optimism": found.luck.value if found.luck else None}
    noted = replace(run, notes={**run.notes, "tune": told})
    store.write_run(noted)
    open_ledger(store).save_run(noted)
    return noted


def _shown(place: _Place, study: Study, found: Found, done: Run, resumed: bool, plot: str, warned: tuple[str, ...]) -> Tuned:
    best, gain, luck, sign = found.best, found.gain, found.luck, study.sign
    given = best.user_attrs["given"]
    is_default = bool(best.user_attrs.get("defaults"))
    score = value_of(best)
    shown = BestTrial(best.number, score, None if luck is None else score - sign * luck.value, None if luck is None else luck.value,
                      value_of(found.defaults) if found.defaults else None)
    following = f"kk submit {done.id}" if place.store.array(done, "test") is not None else "kk runs"
    if place.sample < 1:
        following = f"kk train {done.model} {settings_line({**place.params, **given})}".strip()
    return Tuned(run=done.id, recipe=done.recipe, model=done.model, name=done.name, folds=done.folds, kind=done.kind, metric=done.metric,
                 greater_is_better=done.greater_is_better, score=done.score, rows_scored=done.rows_scored, rounds=done.rounds,
                 inference=done.inference, seconds=done.seconds, bottleneck=str(done.notes["bottleneck"]), shared=tuple(done.notes["shared"]),
                 resumed=resumed, study=study.name, storage=study.shown, trials=found.complete + found.pruned, pruned=found.pruned,
                 failed=found.failed, best_params=dict(given), best=shown, gain=None if gain is None else Gained(gain.value, gain.se, gain.honest),
                 verdict=verdict(gain, is_default), importance=found.importance, plot=plot, warnings=(*warned, *done.warnings), next=following)
