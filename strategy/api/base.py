"""The one router of strategy: operations of one address must share it, whichever file they stand in."""

from ninja import Query, Router

router = Router(tags=["strategy"])
Limit = Query(50, ge=1, le=200)
