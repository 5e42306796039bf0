"""The errors a person reads: what is wrong, with the value, and what to do, as typed."""


class KKError(Exception):
    """A fact that stops the command, and the way out.

    `what` states the fact with its value, in lower case; `do` is a command or an edit as the reader would type it; `record` is
    what is known all the same (an audit, a submission), for --json.

    >>> str(KKError("no folds named 'gruop5'", "Make them with: kk cv --split group"))
    "no folds named 'gruop5'. Make them with: kk cv --split group"
    """

    def __init__(self, what: str, do: str = "", record: object = None) -> None:
        self.what = " ".join(str(what).split()).rstrip(".")
        self.do = " ".join(str(do).split())
        self.record = record
        super().__init__(f"{self.what}. {self.do}" if self.do else self.what)


class UnknownName(KKError):
    """A name that is not registered, with the names that come close."""


class RemoteError(KKError):
    """Kaggle (or the arena) refused or did not answer; `cause` is one word that code may branch on.

    Causes: credentials, forbidden, rules, verification, missing, closed, limit, notebooks-only, rate, refused, offline, server. `wait`:
    seconds that the server asks to wait, 0 where it does not say.
    """

    def __init__(self, what: str, do: str = "", cause: str = "server", wait: float = 0.0) -> None:
        super().__init__(what, do)
        self.cause, self.wait = cause, wait


class SubmissionFailed(KKError):
    """A submission that was refused or ended in an error; `record` holds what is known of it."""
