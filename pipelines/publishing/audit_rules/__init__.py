"""The audit's rules that need more than one row: SQL over the release's files, each naming the rows that break it.

Views: the output tables, the marts and what the night was scored from, under their own names.
Variables: as_of, horizon, period_days, unserved, reviews_per_night, and those of the lists: top_k,
exclude_bought, repeatable_categories, max_per_category, min_margin, pinned, banned.
"""

from pipelines.publishing.audit_rules.business import BUSINESS
from pipelines.publishing.audit_rules.demand import DEMAND, REORDER
from pipelines.publishing.audit_rules.general import MARTS, generated_rules
from pipelines.publishing.audit_rules.recommendations import RECOMMENDATIONS
from pipelines.publishing.audit_rules.risk import RISK
from pipelines.publishing.audit_rules.rule import Rule
from pipelines.publishing.audit_rules.support import SUPPORT

AT_CUTOFFS = ("features_customer_products", "features_products", "features_demand_products", "features_stock")
"""Features of which the rows of tonight count."""
OF_EVENTS = (
    "features_payments",
    "features_tickets",
    "features_ticket_replies",
    "features_ticket_facts",
    "features_ticket_products",
)
"""Features that hold exactly what tonight is about, each row as of its own night."""
FEATURES_READ = AT_CUTOFFS + OF_EVENTS
RULES: tuple[Rule, ...] = generated_rules() + RECOMMENDATIONS + BUSINESS + DEMAND + REORDER + RISK + SUPPORT + MARTS

__all__ = ["AT_CUTOFFS", "FEATURES_READ", "RULES", "Rule", "generated_rules"]
