"""Ingestion's part of the JSON API: one router, a sub-router for each thing."""

from ninja import Router

from ingestion.api.bumpups import router as bumpups
from ingestion.api.practice import router as practice
from ingestion.api.timing import router as timing

router = Router()
router.add_router("", timing)
router.add_router("", bumpups)
router.add_router("", practice)
