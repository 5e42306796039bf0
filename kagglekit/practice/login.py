"""Who asks: the team of a token, or, where no tokens are needed, of a user name."""

import base64
import binascii

from kagglekit.credentials import PRACTICE_USER
from kagglekit.practice.protocol import Login, Refused
from kagglekit.practice.state import State


def check_login(header: str, state: State, tokens: bool) -> Login:
    """The Login of an Authorization header; Refused (401) where there is none, or `tokens` are needed and it is not one.

    A token comes as Bearer, or as the key of a user name. Without tokens any user name with any key is a team of that name.
    """
    kind, _, rest = header.partition(" ")
    if kind.lower() == "bearer" and rest.strip():
        known = login_of(PRACTICE_USER, rest.strip(), state, tokens)
        return Login(known.team, known.team)
    if kind.lower() == "basic":
        try:
            user, _, key = base64.b64decode(rest, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            user = key = ""
        if user and key:
            return login_of(user, key, state, tokens)
    raise Refused(401, "Unauthenticated: set KAGGLE_USERNAME and KAGGLE_KEY to " + ("your team's token" if tokens else "anything"))


def login_of(user: str, key: str, state: State, tokens: bool) -> Login:
    """The Login of a user name and a key, which may be a team's token."""
    team = state.team_of(key)
    if team is None and tokens:
        raise Refused(401, "Unauthenticated: this arena knows no team with that token")
    return Login(team or user, user)
