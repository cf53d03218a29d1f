"""What calls cost: from a price table, in millionths of a US dollar, unknown staying unknown."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Price:
    """Micro-dollars per million tokens of prompt and of completion."""

    prompt_micro_usd: int
    completion_micro_usd: int


def cost_micro_usd(
    price: Price | None, *, prompt_tokens: int | None, completion_tokens: int | None
) -> int | None:
    """Rounded up to a whole micro-dollar; None when the price or a token count is not known."""
    if price is None or prompt_tokens is None or completion_tokens is None:
        return None
    total = prompt_tokens * price.prompt_micro_usd
    total += completion_tokens * price.completion_micro_usd
    return -(-total // 1_000_000)
