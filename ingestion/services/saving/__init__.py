"""Read pages into rows. Everything here is repeatable: the same page twice changes nothing."""
