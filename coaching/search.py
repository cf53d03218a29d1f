"""What the search over everything finds in coaching: the person's own garage and missions."""

from collections.abc import Iterator

from django.http import HttpRequest
from django.urls import reverse

from coaching.models import Mission, RacerProfile, Session, Vehicle
from coaching.queries import garage
from coaching.queries.missions import missions_of
from racecontrol.shared.search import Group, Hit, Question, among, group_of

# A car's own words, beside those of the session or racer it is found with.
CAR = ("brand", "model", "nickname", "class_name")


def coaching(request: HttpRequest, question: Question) -> Iterator[Group]:
    """Missions, sessions of the run log (by name, track, car and racer), cars and racers.

    Of a mission only what stands open in its row: notes and goals are sealed and not searched.
    """
    if not question.terms:
        return
    user, terms = request.user, question.terms
    nearest = question.nearest_first("name")
    missions = among(missions_of(user), terms, "name", "event_name")
    missions = missions.order_by(nearest, "-created_at", "-pk")
    yield from group_of(question, "mission", "Missions", "sunrise", missions, _mission,
                        question.listed("coaching:missions"))  # fmt: skip

    of_car = [f"vehicle__{one}" for one in CAR]
    sessions = Session.objects.filter(profile__user=user)
    sessions = among(sessions, terms, "name", "track_name", "profile__name", *of_car)
    sessions = sessions.select_related("vehicle").order_by(nearest, "-start_date", "-pk")
    yield from group_of(question, "session", "Run logs", "notebook-pen", sessions, _session,
                        question.listed("coaching:home", "#garage-sessions"))  # fmt: skip

    cars = among(garage.vehicles_of(user), terms, *CAR, "profile__name")
    cars = cars.order_by(question.nearest_first("nickname"), "brand", "model", "pk")
    yield from group_of(question, "car", "Cars", "car", cars, _car)

    racers = among(RacerProfile.objects.filter(user=user), terms, "name", "transponder")
    racers = racers.order_by(nearest, "name", "pk")
    yield from group_of(question, "racer", "Racers", "user-round", racers, _racer)


def _mission(row: Mission) -> Hit:
    detail = f"{row.event_name}, {row.get_state_display()}"
    return Hit("mission", row.pk, row.name, detail, reverse("coaching:mission", args=[row.pk]))


def _session(row: Session) -> Hit:
    car = str(row.vehicle) if row.vehicle else ""
    detail = ", ".join(filter(None, [f"{row.start_date:%-d %b %Y}", row.track_name, car]))
    return Hit("session", row.pk, row.name, detail, reverse("coaching:session", args=[row.pk]))


def _car(row: Vehicle) -> Hit:
    detail = ", ".join(filter(None, [f"{row.brand} {row.model}", row.class_name, row.profile.name]))
    return Hit("car", row.pk, str(row), detail, reverse("coaching:vehicle", args=[row.pk]))


def _racer(row: RacerProfile) -> Hit:
    return Hit("racer", row.pk, row.name, "", reverse("coaching:profile", args=[row.pk]))
