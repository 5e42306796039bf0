"""How the command shows what nobody expected: the person's own file by name and line, and no score of -0.0."""

import functools
import re
from pathlib import Path

import pytest

from kagglekit.cli.output import run, score, table


@pytest.mark.parametrize(("text", "says"), [
    ("x = 1\ndef broken(:\n    pass\n", r"mine\.py, line 2: SyntaxError: [^(]*\. Correct mine\.py"),
    ("x = 1\ny = {}['x']\n", r"mine\.py, line 2: KeyError: 'x'\. Correct mine\.py"),
    ("  x = 1\n", r"mine\.py, line 1: IndentationError: unexpected indent\. Correct mine\.py")])
def test_an_error_in_a_persons_file_names_the_file_and_the_line(text: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(SystemExit):
        run(lambda: exec(compile(path.read_text(), str(path), "exec")), lambda record: [], as_json=False, quiet=True, debug=False)
    assert re.search(says, capsys.readouterr().err)


def test_an_error_that_is_not_the_persons_is_called_internal(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(functools.partial(score, "text"), lambda record: [], as_json=False, quiet=True, debug=False)
    assert re.search(r"internal error in output\.py, line \d+: TypeError: .*--debug", capsys.readouterr().err)


def test_no_score_is_minus_nothing() -> None:
    assert (score(-0.0), score(-4e-6), score(-6e-6), score(-1234.5)) == ("0.00000", "0.00000", "-0.00001", "-1234.50")
    assert table(["gain"], [[-1e-9]])[-1].strip() == "0.00000"
