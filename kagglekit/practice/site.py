"""What a browser shows of the arena: the rules to accept, and the leaderboard for the wall of a class room."""

import html
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from kagglekit.practice.board import board, is_over
from kagglekit.practice.contest import Contest, find_contest
from kagglekit.practice.login import login_of
from kagglekit.practice.protocol import Refused, shown
from kagglekit.practice.state import State

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

MOST = 4096
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>{head}<style>
body {{ font: 17px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem; color: #222; }}
table {{ border-collapse: collapse; width: 100%; }} th, td {{ text-align: left; padding: .35rem .6rem; border-bottom: 1px solid #ddd; }}
td.number, th.number {{ text-align: right; font-variant-numeric: tabular-nums; }} tr.baseline {{ color: #888; font-style: italic; }}
p.rules {{ white-space: pre-line; }} input, button {{ font: inherit; padding: .3rem .6rem; }}
</style></head><body><h1>{title}</h1>{body}</body></html>"""


class Site:
    """The pages."""

    def __init__(self, state: State, tokens: bool) -> None:
        self._state, self._tokens = state, tokens

    async def rules(self, request: "Request") -> "Response":
        """The rules with a form to accept them; a POST of it does."""
        from starlette.concurrency import run_in_threadpool

        contest = await run_in_threadpool(find_contest, self._state.home, request.path_params["slug"])
        if contest is None:
            return _page("Not found", "<p>The arena has no such competition.</p>", status=404)
        if request.method == "POST":
            body = b""
            async for chunk in request.stream():
                body += chunk
                if len(body) > MOST:
                    return _page(contest.title, "<p>The form is too large.</p>", status=413)
            given = {key: values[0] for key, values in parse_qs(body.decode("utf-8", "replace")).items()}
            return await run_in_threadpool(self._accept, contest, given.get("team", ""), given.get("token", ""))
        ask = '<label>Token of your team: <input name="token" type="password"></label>' if self._tokens else (
            '<label>Team: <input name="team" value="practice"></label>')
        form = f'<form method="post">{ask} <button>I understand and accept</button></form>'
        return _page(contest.title, f'<h2>Rules</h2><p class="rules">{html.escape(contest.pages()["rules"])}</p>{form}')

    def _accept(self, contest: Contest, team: str, token: str) -> "Response":
        if self._state.now() > contest.entry_deadline:
            return _page(contest.title, "<p>The entry deadline has passed.</p>", status=403)
        try:
            login = login_of(team, token or team, self._state, self._tokens)
        except Refused as refused:
            return _page(contest.title, f"<p>{html.escape(refused.message)}</p>", status=refused.code)
        if not login.team:
            return _page(contest.title, "<p>Name your team.</p>", status=400)
        self._state.enter(contest.slug, login.team)
        return _page(contest.title, f"<p>{html.escape(login.team)} has accepted the rules.</p>")

    async def leaderboard(self, request: "Request") -> "Response":
        """The standing, made anew every ten seconds."""
        from starlette.concurrency import run_in_threadpool

        contest = await run_in_threadpool(find_contest, self._state.home, request.path_params["slug"])
        if contest is None:
            return _page("Not found", "<p>The arena has no such competition.</p>", status=404)
        return await run_in_threadpool(self._leaderboard, contest)

    def _leaderboard(self, contest: Contest) -> "Response":
        rows = "".join(f'<tr{" class=baseline" if line.baseline else ""}><td class="number">{rank}</td><td>{html.escape(line.team)}</td>'
                       f'<td class="number">{shown(line.score)}</td><td class="number">{line.entries or ""}</td></tr>'
                       for rank, line in enumerate(board(self._state, contest)[:500], start=1))
        said = "Final standing, by the private part." if is_over(self._state, contest) else (
            f"Public standing; ends {contest.deadline:%Y-%m-%d %H:%M} UTC.")
        head = '<tr><th class="number">#</th><th>Team</th><th class="number">Score</th><th class="number">Entries</th></tr>'
        return _page(contest.title, f"<p>{said} {html.escape(contest.display_metric)}.</p><table>{head}{rows}</table>",
                     head='<meta http-equiv="refresh" content="10">')


def _page(title: str, body: str, status: int = 200, head: str = "") -> "Response":
    from starlette.responses import HTMLResponse

    return HTMLResponse(PAGE.format(title=html.escape(title), body=body, head=head), status_code=status)
