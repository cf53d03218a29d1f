"""What is written down during a race: pit stops, penalties, weather, fuel on board."""

from django.db import transaction

from racecontrol.shared.errors import InvalidInput, NotFound
from strategy.models import FuelReading, LiveCommand, LiveRun, Penalty, PitStop, WeatherChange
from strategy.queries.live import race_of
from strategy.services.live.changes import request_ways
from strategy.services.live.frame import Done, Order, command

STOP_FIELDS = ("in_ms", "out_ms", "lap", "is_drive_through", "fuel_added_ml", "tyres", "compound",
               "repair_ms", "box_ms", "notes")  # fmt: skip


def log_stop(order: Order, *, stop_id: int | None = None, **values) -> LiveCommand | None:
    """What a visit to the pits was: a new one, or more about one that is known."""
    unknown = values.keys() - set(STOP_FIELDS)
    if unknown:
        raise InvalidInput("Unknown field.", fields={name: ["Unknown."] for name in unknown})
    values = {name: value for name, value in values.items() if value is not None}
    concerns = f"stop:{stop_id or 'new'}"

    def act(run: LiveRun, at_ms: int) -> Done:
        if stop_id is None:
            row = PitStop(run=run, in_ms=at_ms, lap=race_of(run).laps_done)
        else:
            row = _of(run, PitStop, stop_id)
        before = {name: getattr(row, name) for name in values}
        for name, value in values.items():
            setattr(row, name, value)
        if row.out_ms is not None and row.out_ms < row.in_ms:
            raise InvalidInput("A stop ends after it began.", fields={"out_ms": ["Before in_ms."]})
        stood, took = row.box_ms, None if row.out_ms is None else row.out_ms - row.in_ms
        if stood is not None and took is not None and stood > took:
            raise InvalidInput("The car cannot stand longer than the stop took.",
                               fields={"box_ms": [f"At most {took} ms."]})  # fmt: skip
        if row.fuel_added_ml is not None and row.fuel_added_ml > run.strategy.car.tank_ml:
            raise InvalidInput("That is more than the tank holds.",
                               fields={"fuel_added_ml": ["More than the tank."]})  # fmt: skip
        if run.stops.exclude(pk=row.pk).filter(in_ms=row.in_ms).exists():
            raise InvalidInput("A stop from that moment is known.", fields={"in_ms": ["Known."]})
        if stop_id is not None and before == values:
            return Done(None)
        row.save()
        return Done(f"Stop at lap {row.lap} noted.", {f"stop:{row.pk}"}, before,
                    values | {"stop_id": row.pk})  # fmt: skip

    return command(order, "stop", act, body=values | {"stop_id": stop_id}, touches=[concerns])


def give_penalty(
    order: Order, *, kind: str, amount: int = 0, reason: str = ""
) -> LiveCommand | None:
    """A penalty from race control; `amount` in ms, or laps."""
    if kind not in Penalty.Kind.values:
        raise InvalidInput("There is no such penalty.", fields={"kind": ["Unknown kind."]})

    def act(run: LiveRun, at_ms: int) -> Done:
        row = Penalty.objects.create(run=run, kind=kind, amount=amount, reason=reason[:200],
                                     given_ms=at_ms)  # fmt: skip
        words = f"Penalty: {row.get_kind_display()}{': ' if reason else ''}{reason}"
        return Done(words, {f"penalty:{row.pk}"}, {}, {"penalty_id": row.pk}, reason)

    body = {"kind": kind, "amount": amount, "reason": reason}
    return command(order, "penalty", act, body=body, touches=["penalty:new"])


def serve_penalty(order: Order, *, penalty_id: int) -> LiveCommand | None:
    def act(run: LiveRun, at_ms: int) -> Done:
        row = _of(run, Penalty, penalty_id)
        if row.served_ms is not None:
            return Done(None)
        if at_ms < row.given_ms:
            raise InvalidInput("It was given later than that.", fields={"at_ms": ["Too early."]})
        row.served_ms = at_ms
        row.save(update_fields=["served_ms"])
        return Done(f"{row.get_kind_display().capitalize()} served.", {f"penalty:{row.pk}"}, {},
                    {"served_ms": at_ms})  # fmt: skip

    return command(order, "penalty_served", act, body={"penalty_id": penalty_id},
                   touches=[f"penalty:{penalty_id}"])  # fmt: skip


@transaction.atomic
def change_weather(order: Order, *, is_wet: bool) -> LiveCommand | None:
    """Wet or dry from this moment on; ways on with the pace and the drivers for it are looked for.

    Told again, by the same key or by somebody else, it looks for nothing anew.
    """
    is_new = False

    def act(run: LiveRun, at_ms: int) -> Done:
        nonlocal is_new
        is_new = turn_weather(run, is_wet, at_ms)
        if not is_new:
            return Done(None)
        return Done(f"The track is {'wet' if is_wet else 'dry'}.", {"weather"}, {"is_wet": not is_wet},
                    {"is_wet": is_wet, "at_ms": at_ms})  # fmt: skip

    row = command(order, "weather", act, body={"is_wet": is_wet}, touches=["weather"])
    if row is not None and is_new and row.run.state == LiveRun.State.RACING:
        request_ways(strategy_id=order.strategy_id, by=order.by)
    return row


def turn_weather(run: LiveRun, is_wet: bool, at_ms: int) -> bool:
    """Record it; False where it is known."""
    before = run.weather.filter(at_ms__lte=at_ms).order_by("-at_ms").first()
    if before is not None and before.is_wet == is_wet:
        return False
    WeatherChange.objects.update_or_create(run=run, at_ms=at_ms, defaults={"is_wet": is_wet})
    return True


def read_fuel(order: Order, *, fuel_ml: int, lap: int | None = None) -> LiveCommand | None:
    """Fuel on board after a lap (the last one, unless told otherwise); it corrects the burn."""

    def act(run: LiveRun, at_ms: int) -> Done:
        race = race_of(run)
        after = race.laps_done if lap is None else lap
        if fuel_ml > race.instance.car.tank_ml:
            raise InvalidInput("That is more than the tank holds.",
                               fields={"fuel_ml": [f"At most {race.instance.car.tank_ml}."]})  # fmt: skip
        crossing = race.crossings.get(after)
        if lap is not None and crossing is None and lap > 0:
            raise InvalidInput("That lap is not known.", fields={"lap": ["Not driven yet."]})
        moment = crossing.at_ms if crossing and lap is not None else at_ms
        known = FuelReading.objects.filter(run=run, at_ms=moment).values("lap", "fuel_ml").first()
        FuelReading.objects.update_or_create(
            run=run, at_ms=moment, defaults={"lap": after, "fuel_ml": fuel_ml}
        )
        return Done(f"{fuel_ml / 1000:.1f} L on board after lap {after}.", {"fuel"}, known or {},
                    {"fuel_ml": fuel_ml, "lap": after, "at_ms": moment})  # fmt: skip

    return command(order, "fuel", act, body={"fuel_ml": fuel_ml, "lap": lap}, touches=["fuel"])


def _of(run: LiveRun, model, pk: int):
    row = model.objects.select_for_update().filter(run=run, pk=pk).first()
    if row is None:
        raise NotFound("There is no such entry in this race.")
    return row
