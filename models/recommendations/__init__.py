"""Recommendations: what each customer is shown, in order."""

from models.recommendations.popular import PopularEver, PopularRecent

CONTESTANTS: tuple[type[PopularEver] | type[PopularRecent], ...] = (PopularEver, PopularRecent)
"""The models that the gate compares, the baseline first."""

__all__ = ["CONTESTANTS", "PopularEver", "PopularRecent"]
