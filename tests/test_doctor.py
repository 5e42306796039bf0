"""kk doctor and kk init: what is wrong with this machine, told with its remedy, and a folder to work in."""

import os
import re
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from kagglekit.verbs.doctor import PACKAGES
from tests.conftest import ROOT, Ran


def checks(ran: Ran) -> dict[str, dict]:
    return {check["name"]: check for check in ran.json["checks"]}


def test_outside_a_workspace_each_failing_check_has_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kk: Callable[..., Ran]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KK_KAGGLE_ENDPOINT", "http://127.0.0.1:9")
    ran = kk("doctor", "--json")
    failing = {name: check["do"] for name, check in checks(ran).items() if not check["ok"]}
    assert set(failing) == {"credentials", "network", "workspace", "arena"} and all(failing.values())
    assert failing["workspace"] == "Make one: kk init ." and "kk join practice-clinics --practice" in failing["network"]
    assert ran.json["ok"] is False and ran.json["next"] == "kk init ." and ran.code == 0


def test_a_machine_that_is_ready_is_called_so(workspace: Path, monkeypatch: pytest.MonkeyPatch, kk: Callable[..., Ran]) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setenv("KK_KAGGLE_ENDPOINT", f"http://127.0.0.1:{listener.getsockname()[1]}")
    monkeypatch.setenv("KAGGLE_USERNAME", "me")
    monkeypatch.setenv("KAGGLE_KEY", "very-secret")
    ran = kk("doctor", "--json")
    found = checks(ran)
    assert [name for name, check in found.items() if not check["ok"] and name not in ("disk", "memory")] == []
    assert found["credentials"]["says"] == "KAGGLE_USERNAME and KAGGLE_KEY" and "very-secret" not in ran.out + ran.err
    assert found["python"]["says"] == ".".join(map(str, sys.version_info[:3])) and "UTC" in found["clock"]["says"]
    assert found["workspace"]["says"] == str(workspace) and ran.json["next"] == "kk join practice-clinics --practice"
    listener.close()


def test_the_login_that_wins_is_named_with_the_one_it_hides(workspace: Path, monkeypatch: pytest.MonkeyPatch, kk: Callable[..., Ran]) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", "very-secret")
    monkeypatch.setenv("KAGGLE_USERNAME", "me")
    monkeypatch.setenv("KAGGLE_KEY", "more-secret")
    ran = kk("doctor", "--json")
    assert checks(ran)["credentials"]["says"] == "token from KAGGLE_API_TOKEN; it hides KAGGLE_USERNAME and KAGGLE_KEY"
    assert "secret" not in ran.out + ran.err


def test_a_spoilt_kaggle_json_is_told(workspace: Path, kk: Callable[..., Ran]) -> None:
    folder = Path.home() / ".kaggle"
    folder.mkdir()
    (folder / "kaggle.json").write_text("{")
    check = checks(kk("doctor", "--json"))["credentials"]
    assert not check["ok"] and f"{folder / 'kaggle.json'} cannot be used" in check["says"] and check["do"]


def test_a_proxy_is_what_must_be_reached(workspace: Path, monkeypatch: pytest.MonkeyPatch, kk: Callable[..., Ran]) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{listener.getsockname()[1]}")
    check = checks(kk("doctor", "--json"))["network"]
    assert check["ok"] and check["says"] == "https://api.kaggle.com can be reached by the proxy 127.0.0.1"
    listener.close()


def test_every_package_that_is_required_is_looked_for() -> None:
    required = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.match(r"[A-Za-z0-9_-]+", line).group() for line in required}
    assert names - {"kaggle"} <= set(PACKAGES)


def test_doctor_loads_nothing_heavy(tmp_path: Path) -> None:
    code = ("import sys; from kagglekit.verbs.doctor import doctor; doctor(); "
            "print(sorted({'numpy', 'pandas', 'kagglesdk', 'requests', 'sklearn', 'pyarrow'} & set(sys.modules)))")
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path,
                         env={**os.environ, "PYTHONPATH": str(ROOT), "KK_KAGGLE_ENDPOINT": "http://127.0.0.1:9"}, check=True)
    assert ran.stdout.strip() == "[]"


def test_init_makes_a_workspace_in_which_competitions_can_be_joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                                    kk: Callable[..., Ran]) -> None:
    monkeypatch.chdir(tmp_path)
    record = kk("init", "my kaggle", "--json").json
    assert record["folder"] == str(tmp_path / "my kaggle") and record["next"] == "cd 'my kaggle' && kk join practice-clinics --practice"
    assert {"competitions/", "configs/", "configs/lgbm.toml", ".gitignore"} <= set(record["created"])
    assert all((tmp_path / "my kaggle" / name).exists() for name in record["created"])
    monkeypatch.chdir(tmp_path / "my kaggle")
    assert checks(kk("doctor", "--json"))["workspace"]["ok"]


def test_init_refuses_a_workspace_and_what_is_no_folder(workspace: Path, kk: Callable[..., Ran]) -> None:
    assert kk("init", ".").error == f"Error: {workspace} is a workspace already. Go on in it: kk status"
    (workspace / "note").write_text("")
    assert kk("init", "note").error == "Error: note is a file. Give a folder: kk init my-workspace"
    assert kk("init", "note/inside").error.startswith("Error: cannot write note/inside: Not a directory.")


def test_init_keeps_what_a_person_has_already(tmp_path: Path, kk: Callable[..., Ran]) -> None:
    place = tmp_path / "mine"
    (place / "configs").mkdir(parents=True)
    (place / "configs" / "lgbm.toml").write_text("mine = 1\n")
    (place / ".gitignore").write_text("mine\n")
    record = kk("init", place, "--json").json
    assert (place / "configs" / "lgbm.toml").read_text() == "mine = 1\n" and (place / ".gitignore").read_text() == "mine\n"
    assert "configs/lgbm.toml" not in record["created"] and (place / "competitions").is_dir()


def test_the_gpu_is_what_the_driver_says(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kk: Callable[..., Ran]) -> None:
    def gpu() -> dict:
        return next(check for check in kk("doctor", "--json").json["checks"] if check["name"] == "gpu")

    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpu()["ok"] and "none found" in gpu()["says"]
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\necho 'Tesla T4, 15360 MiB'\n")
    driver.chmod(0o755)
    assert gpu()["says"] == "Tesla T4, 15360 MiB"
    driver.write_text("#!/bin/sh\necho 'Driver/library version mismatch' >&2\nexit 9\n")
    assert not gpu()["ok"] and "version mismatch" in gpu()["says"] and "restart the machine" in gpu()["do"]


def test_a_client_that_cannot_be_imported_is_told(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kk: Callable[..., Ran]) -> None:
    (tmp_path / "six.py").write_text("raise ImportError('six is broken')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    check = next(check for check in kk("doctor", "--json").json["checks"] if check["name"] == "kaggle")
    assert not check["ok"] and "cannot be imported: ImportError: six is broken" in check["says"] and check["do"].startswith("pip install")
