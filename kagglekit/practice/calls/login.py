"""Tokens."""

from kagglekit.practice.protocol import Answer, Call, Refused, call


@call("security.OAuthService/IntrospectToken")
def introspect_token(c: Call) -> Answer:
    """Whose token it is: one that is not known never comes here."""
    return {"active": True, "username": c.login.user, "userId": 1, "scope": "resources.admin:*"}


@call("users.AccountService/GenerateAccessToken")
def generate_access_token(c: Call) -> Answer:
    """The arena has no sign-in of its own in a browser."""
    raise Refused(400, "The arena knows no sign-in by browser. Use KAGGLE_USERNAME and KAGGLE_KEY")
