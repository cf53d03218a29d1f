"""The peer: run plans as the brief's own stack would have them, FastAPI over SQLAlchemy async.

Minimal and idiomatic: pydantic in and out, one table with the same columns and indexes, the
formulas of the brief on floats. It checks less than we do, and neither limits, logs nor counts.
"""

import os
import uuid
from contextlib import asynccontextmanager
from datetime import datetime
from math import ceil, floor
from typing import Any

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import DateTime, Index, String, Text, func
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(os.environ["PEER_DATABASE_URL"], pool_size=8)
make_session = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class RunPlan(Base):
    __tablename__ = "peer_run_plans"
    __table_args__ = (
        Index("peer_created_at", "created_at"),
        Index("peer_inputs_gin", "inputs", postgresql_using="gin"),
        Index("peer_result_gin", "result", postgresql_using="gin"),
    )

    id: Mapped[uuid.UUID] = mapped_column(
        UUID(as_uuid=True), primary_key=True, server_default=func.gen_random_uuid()
    )
    title: Mapped[str | None] = mapped_column(Text)
    objective: Mapped[str | None] = mapped_column(Text)
    inputs: Mapped[dict] = mapped_column(JSONB)
    result: Mapped[dict] = mapped_column(JSONB)
    status: Mapped[str] = mapped_column(String(20), server_default="computed")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Car(BaseModel):
    model_config = ConfigDict(extra="allow")
    tank_capacity_l: float | None = Field(None, gt=0)


class RunPlanIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: str | None = None
    objective: str | None = None
    required_laps: int | None = Field(None, ge=1, le=20_000)
    run_duration_min: float | None = Field(None, ge=1)
    target_pace_s: float | None = Field(None, gt=0)
    fuel_burn_l_per_lap: float = Field(gt=0)
    starting_fuel_l: float | None = Field(None, ge=0)
    car: Car | None = None
    track: dict[str, Any] | None = None
    weather: dict[str, Any] | None = None
    driver: dict[str, Any] | None = None

    @model_validator(mode="after")
    def consistent(self) -> "RunPlanIn":
        if self.required_laps is None and self.run_duration_min is None:
            raise ValueError("required_laps or run_duration_min")
        tank = self.car.tank_capacity_l if self.car else None
        if tank and self.starting_fuel_l and self.starting_fuel_l > tank:
            raise ValueError("starting_fuel_l above the tank")
        return self


class Stint(BaseModel):
    stint_no: int
    laps: int
    fuel_start_l: float
    refuel_l: float
    fuel_end_l: float


class Result(BaseModel):
    estimated_laps: int
    total_fuel_required_l: float
    laps_possible: int
    pit_stops_required: int
    stints: list[Stint]
    estimated_total_time_s: float | None
    notes: list[str]


class RunPlanOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: uuid.UUID
    inputs: dict[str, Any]
    result: Result


def compute(run: RunPlanIn) -> Result:
    burn, tank = run.fuel_burn_l_per_lap, run.car.tank_capacity_l if run.car else None
    laps = run.required_laps or floor(run.run_duration_min * 60 / run.target_pace_s)
    total = laps * burn
    fuel = run.starting_fuel_l if run.starting_fuel_l is not None else tank or total
    possible = floor(fuel / burn)
    stints, left = [], laps
    while left > 0:
        most = floor((tank or total) / burn)
        driven = min(left, possible if not stints and possible else most)
        refuel = max(0.0, driven * burn - fuel)
        start = fuel + refuel
        fuel = start - driven * burn
        stints.append(
            Stint(
                stint_no=len(stints) + 1,
                laps=driven,
                fuel_start_l=round(start, 6),
                refuel_l=round(refuel, 6),
                fuel_end_l=round(fuel, 6),
            )
        )
        left -= driven
    formula = ceil(total / tank) - 1 if tank else 0
    return Result(
        estimated_laps=laps,
        total_fuel_required_l=round(total, 6),
        laps_possible=possible,
        pit_stops_required=max(formula, len(stints) - 1),
        stints=stints,
        estimated_total_time_s=laps * run.target_pace_s if run.target_pace_s else None,
        notes=[],
    )


@asynccontextmanager
async def lifespan(app: FastAPI):
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


async def session():
    async with make_session() as opened:
        yield opened


app = FastAPI(lifespan=lifespan)


@app.post("/api/v1/run-plans", status_code=201, response_model=RunPlanOut)
async def create(run: RunPlanIn, db: AsyncSession = Depends(session)) -> RunPlan:  # noqa: B008
    plan = RunPlan(
        title=run.title,
        objective=run.objective,
        inputs=run.model_dump(exclude_unset=True),
        result=compute(run).model_dump(),
    )
    db.add(plan)
    await db.commit()
    return plan


@app.get("/api/v1/run-plans/{plan_id}", response_model=RunPlanOut)
async def read(plan_id: uuid.UUID, db: AsyncSession = Depends(session)) -> RunPlan:  # noqa: B008
    plan = await db.get(RunPlan, plan_id)
    if plan is None:
        raise HTTPException(404)
    return plan
