"""What a measurement is held to: each is printed with whether it was kept."""

from __future__ import annotations


def at_most(what: str, found: float, limit: float, unit: str = "s") -> None:
    """Print a measurement that may not be larger than its limit."""
    _print(what, found, f"at most {_number(limit)}", unit, is_kept=found <= limit)


def at_least(what: str, found: float, limit: float, unit: str) -> None:
    """Print a measurement that may not be smaller than its limit."""
    _print(what, found, f"at least {_number(limit)}", unit, is_kept=found >= limit)


def _print(what: str, found: float, limit: str, unit: str, *, is_kept: bool) -> None:
    print(f"  {'pass' if is_kept else 'FAIL'}  {what}: {_number(found)} {unit} ({limit})", flush=True)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
