"""Who may open strategy's addresses: objects of one person, closed to everybody else."""

from racecontrol.testing.matrix import of_api
from strategy.models import FormationDraft
from strategy.services import news, teams
from strategy.tests import matrix_wall
from strategy.tests.builders import make_strategy

SHARED = {  # whoever holds a link may look, and sign up
    "strategy:team-join",
    "strategy:signup-link",
    "api:get /api/v1/sign-up-links/{token}",
    "api:put /api/v1/sign-up-links/{token}/participation",
}
EVENT_PAGES = ("event", "event-rules", "signup", "formation-new", "strategy-new", "pairs",
               "signup-open", "event-link")  # fmt: skip
STRATEGY_PAGES = ("strategy", "optimise", "simulate", "schedule", "print", "import", "csv", "json",
                  "ics")  # fmt: skip
OPERATIONS = (
    "get|patch teams/{team_id}",
    "get|post teams/{team_id}/invitations",
    "delete teams/{team_id}/invitations/{invitation_id}",
    "patch teams/{team_id}/members/{user_id}",
    "post teams/{team_id}/cars",
    "put|delete teams/{team_id}/cars/{car_id}",
    "get|post teams/{team_id}/webhooks",
    "delete teams/{team_id}/webhooks/{webhook_id}",
    "get|patch|delete strategy-events/{event_id}",
    "put strategy-events/{event_id}/rules",
    "get|post|delete strategy-events/{event_id}/link",
    "get strategy-events/{event_id}/participations",
    "put strategy-events/{event_id}/participations/mine",
    "get|post strategy-events/{event_id}/formations",
    "get strategy-events/{event_id}/pairs",
    "post strategy-events/{event_id}/starts",
    "delete strategy-events/{event_id}/starts/{instance_id}",
    "get participations/{signup_id}",
    "post participations/{signup_id}/status",
    "put participations/{signup_id}/team",
    "get formations/{draft_id}",
    *(f"post formations/{{draft_id}}/{verb}" for verb in ("move", "confirm", "undo")),
    "get|patch|delete strategies/{strategy_id}",
    *(f"get strategies/{{strategy_id}}/{thing}" for thing in ("check", "standing", "history")),
    *(f"post strategies/{{strategy_id}}/{verb}"
      for verb in ("optimise", "use", "simulate", "undo", "refresh")),
    "get|put strategies/{strategy_id}/plan",
    "get|post strategies/{strategy_id}/stints",
    "get|patch|delete strategies/{strategy_id}/stints/{number}",
    "get strategies/{strategy_id}/versions/{number}",
)  # fmt: skip
LINK_OPERATIONS = ("get sign-up-links/{token}", "put sign-up-links/{token}/participation")


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
    ids = {
        "team_id": team.pk, "invitation_id": invitation.pk, "user_id": owner.pk,
        "car_id": row.car_id, "webhook_id": hook.pk, "event_id": event.pk,
        "instance_id": row.instance_id, "signup_id": signup.pk, "draft_id": draft.pk,
        "strategy_id": row.pk, "number": 1,
    }  # fmt: skip
    return {
        **pages(ids),
        "strategy:team-join": {"token": invitation.token},
        "strategy:signup-link": {"token": event.signup_token},
        **of_api(OPERATIONS, **ids),
        **of_api(["post invitations/{token}/accept"], token=letter.token),
        **of_api(LINK_OPERATIONS, token=event.signup_token),
        **matrix_wall.samples(owner, row),
    }


def pages(ids) -> dict[str, dict]:
    of_team, of_event = {"team_id": ids["team_id"]}, {"event_id": ids["event_id"]}
    of_strategy = {"strategy_id": ids["strategy_id"]}
    return {
        "strategy:team": of_team,
        "strategy:team-role": of_team | {"user_id": ids["user_id"]},
        "strategy:team-revoke": of_team | {"invitation_id": ids["invitation_id"]},
        "strategy:team-webhook-remove": of_team | {"webhook_id": ids["webhook_id"]},
        **{f"strategy:{name}": of_event for name in EVENT_PAGES},
        "strategy:signup-move": {"signup_id": ids["signup_id"]},
        "strategy:formation": of_event | {"draft_id": ids["draft_id"]},
        **{f"strategy:{name}": of_strategy for name in STRATEGY_PAGES},
        "strategy:compare": of_strategy | {"number": 1},
    }
