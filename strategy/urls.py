"""Addresses of strategy."""

from django.urls import path

from strategy.views import events, formation, plans, report, teams, wall, wall_commands

app_name = "strategy"
urlpatterns = [
    path("", events.home, name="home"),
    path("my-stints/", plans.my_schedule, name="my-schedule"),
    path("my-stints.ics", plans.my_ics, name="my-ics"),
    path("teams/", teams.team_list, name="teams"),
    path("teams/<int:team_id>/", teams.team_page, name="team"),
    path("teams/<int:team_id>/members/<int:user_id>/", teams.change_role, name="team-role"),
    path("teams/<int:team_id>/invitations/<int:invitation_id>/revoke/", teams.revoke_invitation,
         name="team-revoke"),
    path("teams/<int:team_id>/webhooks/<int:webhook_id>/remove/", teams.remove_webhook,
         name="team-webhook-remove"),
    path("join/<uuid:token>/", teams.join, name="team-join"),
    path("events/new/", events.new_event, name="event-new"),
    path("events/<int:event_id>/", events.event_page, name="event"),
    path("events/<int:event_id>/rules/", events.rules, name="event-rules"),
    path("events/<int:event_id>/sign-up/", events.sign_up, name="signup"),
    path("sign-ups/<int:signup_id>/move/", events.move_signup, name="signup-move"),
    path("events/<int:event_id>/formations/", formation.options, name="formation-new"),
    path("events/<int:event_id>/pairs/", formation.pair_table, name="pairs"),
    path("events/<int:event_id>/sign-up/open/", events.set_signup_open, name="signup-open"),
    path("events/<int:event_id>/formations/<int:draft_id>/", formation.formation_page,
         name="formation"),
    path("events/<int:event_id>/strategies/new/", plans.new_strategy, name="strategy-new"),
    path("<int:strategy_id>/", plans.strategy_page, name="strategy"),
    path("<int:strategy_id>/optimise/", plans.optimise, name="optimise"),
    path("<int:strategy_id>/compare/<int:number>/", plans.compare, name="compare"),
    path("<int:strategy_id>/what-if/", plans.simulate, name="simulate"),
    path("<int:strategy_id>/schedule/", plans.schedule, name="schedule"),
    path("<int:strategy_id>/print/", plans.print_sheet, name="print"),
    path("<int:strategy_id>/import/", plans.import_plan, name="import"),
    path("<int:strategy_id>/report/", report.report, name="report"),
    path("<int:strategy_id>/report/burn/", report.take_burn, name="take-burn"),
    path("<int:strategy_id>/report.csv", report.report_csv, name="report-csv"),
    path("<int:strategy_id>/report.json", report.report_json, name="report-json"),
    path("teams/<int:team_id>/trends/", report.trends, name="trends"),
    path("<int:strategy_id>/wall/", wall.wall, name="wall"),
    path("<int:strategy_id>/wall/do/<str:name>/", wall_commands.do, name="wall-do"),
    path("<int:strategy_id>/wall/me/", wall.my_turn, name="my-turn"),
    path("<int:strategy_id>/plan.csv", plans.plan_csv, name="csv"),
    path("<int:strategy_id>/plan.json", plans.plan_json, name="json"),
    path("<int:strategy_id>/plan.ics", plans.plan_ics, name="ics"),
]  # fmt: skip
