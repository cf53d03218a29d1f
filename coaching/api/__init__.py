"""Coaching's part of the JSON API: one router, one sub-router for each part."""

from ninja import Router

from coaching.api.athlete import router as athlete
from coaching.api.missions import router as missions
from coaching.api.sessions import router as sessions

router = Router()
router.add_router("", sessions)
router.add_router("", missions)
router.add_router("", athlete)
