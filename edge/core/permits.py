"""
A counted number of permits: how many calls may run at once.

Owns the invariant 0 <= held <= limit. A permit that is given back without having been taken is a bug and raises.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Permits:
    """`limit` permits, none of them queued for: a caller either has one now or is refused now."""

    limit: int
    held: int = 0

    def take(self) -> bool:
        """Take one; False when all are held."""
        if self.held >= self.limit:
            return False
        self.held += 1
        return True

    def give_back(self) -> None:
        """Give one back."""
        if self.held <= 0:
            raise ValueError("a permit was given back that nobody held")
        self.held -= 1
