"""The kk command as a person or a script meets it: errors in one line, one JSON document, tables that fit, pipes that close."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import numpy as np
import pytest

from kagglekit.cli import output
from kagglekit.cli.terminal import describe
from kagglekit.errors import KKError, SubmissionFailed
from kagglekit.progress import Task
from tests.conftest import ROOT, Ran

KK = [sys.executable, "-m", "kagglekit"]


@dataclass(frozen=True, slots=True)
class Shown:
    """A record with everything that JSON has no word for."""

    where: Path
    when: datetime
    scores: tuple[float, ...]
    matrix: object
    next: str = "kk runs"


RECORD = Shown(Path("a/b"), datetime(2026, 1, 2, tzinfo=UTC), (0.5, float("nan")), np.array([[1.0, np.inf], [np.float32(2), 3]]))


def show(capsys: pytest.CaptureFixture[str], call: Callable[[], object], **flags: bool) -> Ran:
    """What the terminal shows of a call, and the exit status."""
    code = 0
    try:
        output.run(call, lambda record: ["first", "second"], **{"as_json": False, "quiet": False, "debug": False, **flags})
    except SystemExit as ended:
        code = int(str(ended.code))
    told = capsys.readouterr()
    return Ran(code, told.out, told.err)


def raising(error: BaseException) -> Callable[[], object]:
    def call() -> object:
        raise error
    return call


def in_a_process(*args: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*KK, *args], capture_output=True, text=True, encoding="utf-8", timeout=120,  # type: ignore[call-overload]
                          **{"env": {**os.environ, "PYTHONPATH": str(ROOT)}, **options})


def test_json_is_one_document_in_which_nan_is_null_and_paths_and_dates_are_text(capsys: pytest.CaptureFixture[str]) -> None:
    ran = show(capsys, lambda: RECORD, as_json=True)
    assert ran.out.count("\n") == 1 and ran.err == ""
    assert ran.json == {"where": "a/b", "when": "2026-01-02T00:00:00+00:00", "scores": [0.5, None], "matrix": [[1.0, None], [2.0, 3.0]],
                        "next": "kk runs"}


def test_the_last_line_of_an_answer_is_the_next_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert show(capsys, lambda: RECORD).out == "first\nsecond\nnext: kk runs\n"


def test_an_error_is_the_last_line_of_stderr_and_exit_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    ran = show(capsys, raising(KKError("no folds named 'x'\nat all", "Make them: kk cv")))
    assert (ran.code, ran.out, ran.err) == (1, "", "Error: no folds named 'x' at all. Make them: kk cv\n")


def test_an_error_with_json_is_a_document_on_stdout_and_the_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    ran = show(capsys, raising(KKError("no folds", "Make them: kk cv")), as_json=True)
    assert ran.code == 1 and ran.json == {"error": {"what": "no folds", "do": "Make them: kk cv"}}
    assert ran.error == "Error: no folds. Make them: kk cv"


def test_a_failed_submission_tells_scripts_its_status_and_reason_too(capsys: pytest.CaptureFixture[str]) -> None:
    record = {"ref": "7", "status": "error", "reason": "", "error": "wrong columns"}
    ran = show(capsys, raising(SubmissionFailed("submission 7 failed", "Mend it", record)), as_json=True)
    assert ran.code == 1 and ran.json["status"] == "error" and ran.json["error"] == {"what": "submission 7 failed", "do": "Mend it"}


def test_debug_puts_the_traceback_before_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    ran = show(capsys, raising(KKError("no folds", "Make them")), debug=True)
    assert ran.err.startswith("Traceback") and ran.error == "Error: no folds. Make them"


def test_what_nobody_expected_is_one_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    ran = show(capsys, lambda: output.table(("a",), [("x", "y", "z")]) and json.loads("{"))
    assert ran.code == 1 and ran.err.count("\n") == 1 and "JSONDecodeError" in ran.error and "--debug" in ran.error


def test_a_mistake_while_showing_is_one_line_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        output.run(lambda: RECORD, lambda record: [record.nosuch], as_json=False, quiet=False, debug=False)
    assert capsys.readouterr().err.startswith("Error: ")


def test_a_full_disk_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    ran = show(capsys, raising(OSError(28, "No space left on device", "oof.npy")))
    assert ran.error == ("Error: oof.npy: no space left on device. Free some space and run the command again: "
                         "nothing half written was kept")


def test_ctrl_c_ends_with_130_and_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    ran = show(capsys, raising(KeyboardInterrupt()))
    assert (ran.code, ran.error) == (130, "Error: stopped. Run the same command to go on")


def test_a_mistake_in_the_persons_own_model_names_their_file(small: Path, kk: Callable[..., Ran]) -> None:
    kk("cv")
    (small / "models").mkdir(exist_ok=True)
    (small / "models" / "mine.py").write_text("def fit_predict(fold):\n    raise ValueError('my own mistake')\n")
    ran = kk("train", small / "models" / "mine.py:fit_predict")
    assert ran.code == 1 and ran.error.startswith("Error: mine.py:2: raise ValueError('my own mistake') (ValueError: my own mistake). "
                                                  "Correct that line; the whole traceback is in ")
    assert "my own mistake" in next(small.glob("runs/*/traceback.txt")).read_text()


@pytest.mark.parametrize(("args", "code", "words"), [
    (["trian"], 2, "Did you mean train?"), (["runs", "--nosuch"], 2, "No such option"), (["train"], 2, "Missing argument"),
    (["train", "linear", "--set", "depth"], 2, "'depth' is not key=value")])
def test_a_mistake_in_syntax_is_exit_status_2(args: list[str], code: int, words: str, kk: Callable[..., Ran]) -> None:
    ran = kk(*args)
    assert ran.code == code and ran.out == "" and ran.error.startswith("Error: ") and words in ran.error


@pytest.mark.parametrize("args", [["train", "nosuch"], ["submit", "r99"], ["runs", "-c", "nosuch"], ["train", "linear", "--folds", "nosuch"]])
def test_an_unknown_name_is_an_error_and_no_usage(args: list[str], small: Path, kk: Callable[..., Ran]) -> None:
    kk("cv")
    ran = kk(*args, "--json")
    assert ran.code == 1 and set(ran.json["error"]) == {"what", "do"} and ran.json["error"]["do"]
    assert ran.error.startswith("Error: ") and args[-1] in ran.json["error"]["what"]


def test_outside_a_workspace_the_way_into_one_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kk: Callable[..., Ran]) -> None:
    monkeypatch.chdir(tmp_path)
    ran = kk("runs")
    assert ran.code == 1 and "kk init" in ran.error


def test_set_takes_numbers_truth_values_and_text() -> None:
    from kagglekit.cli.options import parameters

    given = parameters(click.Context(click.Command("x")), click.Option(["--set"]), ("a=1", "b=0.5", "c=true", "d=x=y", "e=none"))
    assert given == {"a": 1, "b": 0.5, "c": True, "d": "x=y", "e": None}


def test_a_table_cuts_words_and_never_a_number() -> None:
    rows = [("r1", "a name that goes on and on for ever and ever and longer than that", 0.81234, "0.81234 ± 0.00410", "1,234.50*")]
    lines = output.table(("run", "name", "score", "local ± SE", "public"), rows)
    assert max(map(len, lines)) == 80
    assert "…" in lines[2] and lines[2].endswith("0.81234  0.81234 ± 0.00410  1,234.50*")


def test_a_number_stays_whole_even_where_it_is_the_widest_of_the_line() -> None:
    wide = "15.89801 ± 0.22639"
    lines = output.table(("run", "name", "a", "b", "c"), [("r2", "tree-shallow-and-17", wide, wide, wide)])
    assert lines[2].count(wide) == 3 and "…" in lines[2] and max(map(len, lines)) == 80


def test_scores_have_five_digits_and_large_ones_two() -> None:
    assert [output.score(0.5), output.score(None), output.score(12345.678, 9.0)] == ["0.50000", "-", "12345.68 ± 9.00"]


def test_wrapped_text_keeps_commands_and_paths_whole() -> None:
    path = "/a/" + "long-" * 15 + "folder"
    assert path in output.wrapped(f"made in {path} and kk submit-zeros")


def test_counted_work_tells_amount_rate_and_time_left() -> None:
    work = Task("training lgbm", total=5, unit="folds", done=2, note="rmse 7.2", started=100.0)
    assert describe(work, 110.0) == "training lgbm  2/5 folds  0.2/s  0:15 left  rmse 7.2"


def test_narration_goes_to_stderr_and_quiet_silences_it(small: Path, kk: Callable[..., Ran]) -> None:
    kk("cv")
    kk("train", "constant")
    loud, silent = kk("submit", "constant", "--json"), kk("submit", "constant", "--json", "-q")
    assert loud.json["status"] == silent.json["status"] == "complete"
    assert loud.err.startswith("sending ") and silent.err == ""


def test_every_table_of_a_competition_fits_eighty_columns(small: Path, kk: Callable[..., Ran]) -> None:
    asked = [kk("cv"), kk("train", "constant"), kk("train", "linear", "--name", "a-linear-model-with-a-long-name"), kk("submit", "constant"),
             kk("train", "tree"),
             kk("submit", "a-linear-model-with-a-long-name"), kk("arena", "advance", "--days", 4000), kk("submissions"), kk("runs"),
             kk("lbcheck", "--all"), kk("ensemble"), kk("status"), kk("arena", "list")]
    for ran in asked:
        assert ran.code == 0, ran.err
        assert [line for line in ran.out.splitlines() if len(line) > 80] == []
        assert ran.out.splitlines()[-1].startswith("next: kk ")


def test_a_reader_that_leaves_early_meets_no_traceback(small: Path) -> None:
    in_a_process("cv")
    assert in_a_process("cv", "--split", "random").stdout
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([*KK, "runs"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as kk:
        assert kk.stdout is not None and kk.stderr is not None
        kk.stdout.close()
        assert kk.stderr.read() == "" and kk.wait(60) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_an_output_that_cannot_be_written_is_one_line(workspace: Path) -> None:
    with open("/dev/full", "w") as full:
        ran = subprocess.run([*KK, "status"], stdout=full, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert ran.returncode == 1 and ran.stderr == "Error: the output: no space left on device. " \
        "Free some space and run the command again: nothing half written was kept\n"


def test_the_plus_minus_sign_survives_a_narrow_encoding(small: Path, kk: Callable[..., Ran]) -> None:
    kk("cv")
    kk("train", "constant")
    ran = in_a_process("runs", env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "latin-1", "LC_ALL": "C"})
    assert ran.returncode == 0 and "score ± SE" in ran.stdout


def test_serve_prints_the_lines_to_paste_at_once_and_ctrl_c_ends_it_well(workspace: Path, kk_process: Callable[..., subprocess.Popen]) -> None:
    with kk_process("arena", "serve", "--port", 0, "--json") as served:
        record = json.loads(served.stdout.readline())
        assert record["lines"][0] == "export KAGGLE_API_ENVIRONMENT=LOCALHOST" and f"export http_proxy={record['url']}" in record["lines"]
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with pytest.raises(urllib.error.HTTPError):  # it answers, to who has no business there
            opener.open(record["url"] + "/nosuch", timeout=30)
        served.send_signal(signal.SIGINT)
        assert served.wait(60) == 0
        assert served.stdout.read() == "" and served.stderr.read() == ""
