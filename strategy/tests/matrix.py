"""Who may open strategy's addresses: objects of one person, closed to everybody else."""

from strategy.models import FormationDraft, LiveRun
from strategy.services import news, teams
from strategy.tests import matrix_wall
from strategy.tests.builders import make_strategy

SHARED = {  # whoever holds a link may look, and sign up
    "strategy:team-join",
    "strategy:signup-link",
    "api:get /api/v1/sign-up-links/{token}",
    "api:put /api/v1/sign-up-links/{token}/participation",
}


def samples(owner):
    row = make_strategy(owner)
    team, event = row.team, row.event
    invitation = teams.invite(team_id=team.pk, by=owner)
    letter = teams.invite(team_id=team.pk, email="somebody@example.org", by=owner)
    hook, _ = news.add_webhook(team_id=team.pk, url="https://hooks.example.org/1", by=owner)
    signup = event.signups.get(user=owner)
    draft = FormationDraft.objects.create(
        event=event, teams=[[s.pk] for s in event.signups.all()], options={"smallest": 1}
    )
    of_team, of_event = {"team_id": team.pk}, {"event_id": event.pk}
    of_strategy, of_draft = {"strategy_id": row.pk}, {"draft_id": draft.pk}
    pages = (
        "strategy",
        "optimise",
        "simulate",
        "schedule",
        "print",
        "import",
        "csv",
        "json",
        "ics",
    )
    api = "api:{} /api/v1/{}".format
    return {
        "strategy:team": of_team,
        "strategy:team-role": of_team | {"user_id": owner.pk},
        "strategy:team-revoke": of_team | {"invitation_id": invitation.pk},
        "strategy:team-webhook-remove": of_team | {"webhook_id": hook.pk},
        "strategy:team-join": {"token": invitation.token},
        **{f"strategy:{name}": of_event for name in (
            "event", "event-rules", "signup", "formation-new", "strategy-new", "pairs",
            "signup-open", "event-link")},
        "strategy:signup-link": {"token": event.signup_token},
        "strategy:signup-move": {"signup_id": signup.pk},
        "strategy:formation": of_event | of_draft,
        **{f"strategy:{name}": of_strategy for name in pages},
        "strategy:compare": of_strategy | {"number": 1},
        api("get", "teams/{team_id}"): of_team,
        api("post", "teams/{team_id}/invitations"): of_team,
        api("patch", "teams/{team_id}/members/{user_id}"): of_team | {"user_id": owner.pk},
        api("post", "teams/{team_id}/cars"): of_team,
        api("put", "teams/{team_id}/cars/{car_id}"): of_team | {"car_id": row.car_id},
        api("get", "strategy-events/{event_id}"): of_event,
        api("put", "strategy-events/{event_id}/rules"): of_event,
        api("get", "strategy-events/{event_id}/participations"): of_event,
        api("put", "strategy-events/{event_id}/participations/mine"): of_event,
        api("post", "strategy-events/{event_id}/formations"): of_event,
        api("post", "participations/{signup_id}/status"): {"signup_id": signup.pk},
        api("get", "formations/{draft_id}"): of_draft,
        **{api("post", f"formations/{{draft_id}}/{verb}"): of_draft
           for verb in ("move", "confirm", "undo")},
        api("get", "strategies/{strategy_id}"): of_strategy,
        api("patch", "strategies/{strategy_id}"): of_strategy,
        api("get", "strategies/{strategy_id}/check"): of_strategy,
        api("get", "strategies/{strategy_id}/stints"): of_strategy,
        **{api("post", f"strategies/{{strategy_id}}/{verb}"): of_strategy
           for verb in ("optimise", "use", "simulate", "stints")},
        api("put", "strategies/{strategy_id}/plan"): of_strategy,
        api("patch", "teams/{team_id}"): of_team,
        api("get", "teams/{team_id}/invitations"): of_team,
        api("delete", "teams/{team_id}/invitations/{invitation_id}"):
            of_team | {"invitation_id": invitation.pk},
        api("post", "invitations/{token}/accept"): {"token": letter.token},
        api("delete", "teams/{team_id}/cars/{car_id}"): of_team | {"car_id": row.car_id},
        api("get", "teams/{team_id}/webhooks"): of_team,
        api("post", "teams/{team_id}/webhooks"): of_team,
        api("delete", "teams/{team_id}/webhooks/{webhook_id}"): of_team | {"webhook_id": hook.pk},
        api("patch", "strategy-events/{event_id}"): of_event,
        api("delete", "strategy-events/{event_id}"): of_event,
        **{api(verb, "strategy-events/{event_id}/link"): of_event
           for verb in ("get", "post", "delete")},
        api("get", "sign-up-links/{token}"): {"token": event.signup_token},
        api("put", "sign-up-links/{token}/participation"): {"token": event.signup_token},
        api("post", "strategy-events/{event_id}/starts"): of_event,
        api("delete", "strategy-events/{event_id}/starts/{instance_id}"):
            of_event | {"instance_id": row.instance_id},
        api("get", "strategy-events/{event_id}/formations"): of_event,
        api("get", "strategy-events/{event_id}/pairs"): of_event,
        api("get", "participations/{signup_id}"): {"signup_id": signup.pk},
        api("put", "participations/{signup_id}/team"): {"signup_id": signup.pk},
        api("delete", "strategies/{strategy_id}"): of_strategy,
        **{api("post", f"strategies/{{strategy_id}}/{verb}"): of_strategy
           for verb in ("undo", "refresh")},
        **{api("get", f"strategies/{{strategy_id}}/{thing}"): of_strategy
           for thing in ("standing", "plan", "history")},
        api("get", "strategies/{strategy_id}/versions/{number}"): of_strategy | {"number": 1},
        **{api(verb, "strategies/{strategy_id}/stints/{number}"): of_strategy | {"number": 1}
           for verb in ("get", "patch", "delete")},
        **matrix_wall.samples(owner, row),
        **live_samples(row, api),
    }  # fmt: skip


def live_samples(row, api) -> dict[str, dict]:
    """The race of this strategy, with one of everything that has an address."""
    run = LiveRun.objects.get(strategy=row)
    stop = run.stops.create(in_ms=1_000)
    penalty = run.penalties.create(kind="time", given_ms=1_000)
    event = run.laps.first()
    proposal = run.proposals.create(base_version=1, at_ms=0)
    base, of_strategy = "strategies/{strategy_id}/live", {"strategy_id": row.pk}
    posts = ("", "/state", "/undo", "/flags", "/stops", "/penalties", "/weather", "/fuel", "/feed",
             "/feed/batch")  # fmt: skip
    return {
        **{api("post", base + path): of_strategy for path in posts},
        **{api("get", base + path): of_strategy for path in ("", "/events", "/log")},
        api("post", base + "/stints/{number}/progress"): of_strategy | {"number": 1},
        api("post", base + "/replan"): of_strategy,
        **{api("post", base + f"/stints/{{number}}/{verb}"): of_strategy | {"number": 1}
           for verb in ("swap", "extend")},
        api("get", base + "/proposals/{proposal_id}"): of_strategy | {"proposal_id": proposal.pk},
        api("post", base + "/proposals/{proposal_id}/accept"): (
            of_strategy | {"proposal_id": proposal.pk}),
        api("patch", base + "/stops/{stop_id}"): of_strategy | {"stop_id": stop.pk},
        api("post", base + "/penalties/{penalty_id}/served"): (
            of_strategy | {"penalty_id": penalty.pk}),
        api("patch", base + "/events/{event_id}"): of_strategy | {"event_id": event.pk},
    }  # fmt: skip
