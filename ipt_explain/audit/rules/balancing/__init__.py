"""2xx: how service chains spread connections over endpoints."""

from __future__ import annotations

from ipt_explain.audit.rule import AuditRule
from ipt_explain.audit.rules.balancing.ipt201_uneven_probabilities import uneven_probabilities
from ipt_explain.audit.rules.balancing.ipt202_traffic_leaks import traffic_leaks
from ipt_explain.audit.rules.balancing.ipt203_dead_endpoint import dead_endpoint
from ipt_explain.audit.rules.balancing.ipt204_repeated_endpoint import repeated_endpoint
from ipt_explain.audit.rules.balancing.ipt205_not_random import not_random
from ipt_explain.audit.rules.balancing.ipt206_strange_target import strange_target
from ipt_explain.audit.rules.balancing.ipt207_endpoint_order import endpoint_order
from ipt_explain.audit.rules.balancing.ipt208_mixed_precision import mixed_precision
from ipt_explain.audit.rules.balancing.ipt209_observed_skew import observed_skew

RULES: tuple[AuditRule, ...] = (
    uneven_probabilities,
    traffic_leaks,
    dead_endpoint,
    repeated_endpoint,
    not_random,
    strange_target,
    endpoint_order,
    mixed_precision,
    observed_skew,
)
