"""What is counted about run plans, for Prometheus."""

from prometheus_client import Counter, Histogram

CREATED = Counter("run_plan_create_success", "Run plans computed and stored")
REFUSED = Counter("run_plan_create_validation_error", "Run plans refused for their inputs")
CREATE_MS = Histogram(
    "run_plan_create_duration_ms",
    "Milliseconds from the body to the stored plan",
    buckets=(0.5, 1, 2, 5, 10, 25, 50, 100, 250, 1000),
)
