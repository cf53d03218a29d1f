"""Coaching's part of the JSON API: one router, one sub-router for each half."""

from ninja import Router

router = Router()
