"""What a server's refusal means: one decision tree from its status and words to a cause and the way out."""

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass

from kagglekit.credentials import Credentials
from kagglekit.errors import RemoteError

SITE = "https://www.kaggle.com"
LATER = "Try again in a minute"


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked: of which server (kaggle, practice or a URL), about which competition ('' none), with which login."""

    server: str
    slug: str
    credentials: Credentials
    base: str = ""

    @property
    def rules_url(self) -> str:
        """Where the rules are accepted in a browser."""
        site = SITE if self.server == "kaggle" else self.base.split("/api/")[0].rstrip("/")
        return f"{site}/competitions/{self.slug}/rules"


def refusal(status: int, said: str, asked: Asked, headers: Mapping[str, str] | None = None) -> RemoteError:
    """The RemoteError of an answer; `said` is the server's own text.

    >>> me = Asked("kaggle", "titanic", Credentials("kaggle.json"))
    >>> refusal(403, "You must accept this competition's rules", me).cause
    'rules'
    """
    words = said.lower()
    if status == 401:
        return _login(asked)
    if status == 429:
        return _rate(asked, headers or {})
    if status in (400, 403):
        for cause, pattern, answer in BRANCHES:
            if re.search(pattern, words):
                return RemoteError(*answer(asked, said), cause=cause)
    causes = {400: "refused", 403: "forbidden", 404: "missing"}
    remedy = "Check the name, and that your account has joined" if status in causes else LATER
    return RemoteError(f"{asked.server} answered {status}: {said}", remedy, cause=causes.get(status, "server"))


def _login(asked: Asked) -> RemoteError:
    login = asked.credentials
    hidden = f"; it hides {login.shadowed}, unset it to use that" if login.shadowed else ""
    return RemoteError(f"{asked.server} refused the login: {login.source}{hidden}",
                       f"Make a new token under {SITE.removeprefix('https://www.')}/settings and save it as ~/.kaggle/kaggle.json",
                       cause="credentials")


def _rate(asked: Asked, headers: Mapping[str, str]) -> RemoteError:
    seconds = retry_after(headers)
    wait = f"Try again in {seconds:.0f} seconds" if seconds else LATER
    return RemoteError(f"{asked.server} asks to wait: too many requests", wait, cause="rate", wait=seconds)


def retry_after(headers: Mapping[str, str], now: datetime.datetime | None = None) -> float:
    """Seconds that a Retry-After header asks for (a number or a date), 0 where it asks nothing.

    >>> retry_after({"Retry-After": "12"})
    12.0
    """
    from email.utils import parsedate_to_datetime

    text = (headers.get("Retry-After") or "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return 0.0
    until = until.replace(tzinfo=datetime.UTC) if until.tzinfo is None else until
    return max((until - (now or datetime.datetime.now(datetime.UTC))).total_seconds(), 0.0)


def closed(asked: Asked, deadline: datetime.datetime) -> RemoteError:
    """Nobody new may enter any more."""
    return RemoteError(f"the entry deadline of {asked.slug} passed on {deadline:%Y-%m-%d %H:%M} UTC and this account has not entered",
                       "See what can still be joined: kk competitions", cause="closed")


def _rules(asked: Asked, said: str) -> tuple[str, str]:
    if asked.server == "practice":
        return (f"the rules of {asked.slug} are not accepted yet",
                f"Accept them with: kk arena accept {asked.slug}; or run it with --wait and open {asked.rules_url}")
    return f"the rules of {asked.slug} are not accepted yet", f"Accept them at {asked.rules_url} and run the command again (--wait waits for it)"


def _phone(asked: Asked, said: str) -> tuple[str, str]:
    return f"{asked.slug or asked.server} takes accounts with a verified phone number only", f"Verify yours at {SITE}/settings/phone and run it again"


def _closed(asked: Asked, said: str) -> tuple[str, str]:
    return f"{asked.slug} cannot be entered any more: {said}", "See what can still be joined: kk competitions"


def _limit(asked: Asked, said: str) -> tuple[str, str]:
    return said, "Wait for the next day (UTC)" + (", or rehearse: kk arena advance --days 1" if asked.server == "practice" else "")


def _notebooks(asked: Asked, said: str) -> tuple[str, str]:
    return said, f"Submit a notebook at {SITE}/competitions/{asked.slug}: its output is scored on the hidden test set"


# The first that fits the server's words; wordings are those of public reports and of the arena.
BRANCHES = (
    ("rules", r"\brules\b", _rules),
    ("verification", r"phone|verif(y|ied|ication).*(account|identity)|identity verif", _phone),
    ("closed", r"entry deadline|no longer accept|new entrants|competition (is|has) (closed|ended)", _closed),
    ("limit", r"limit", _limit),
    ("notebooks-only", r"only accepts submissions from notebooks|code competition|kernels? only", _notebooks),
)
