"""Why two policies differ, account by account and month by month; plain Python.

One policy's rules are put in the other one's place, one at a time and in a fixed order; each
changes the ending balance by its part of the difference.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from tests.recompute.policies import Policy, pairs, steps


def bridge(
    account_id: str,
    months: Sequence[date],
    policies: Sequence[Policy],
    endings: Callable[[Policy], Sequence[Decimal]],
) -> Iterator[dict[str, Any]]:
    """The rows of an account in which any rule makes a difference.

    Args:
        account_id: the account.
        months: its months.
        policies: those to compare, each two of them.
        endings: the ending balances of these months under a policy.
    """
    for one, other in pairs(policies):
        names = [name for name, _ in steps(one, other)]
        stages = [endings(stage) for stage in (one, *(stage for _, stage in steps(one, other)))]
        for place, month in enumerate(months):
            balances = [stage[place] for stage in stages]
            if len(set(balances)) > 1:
                yield {
                    "account_id": account_id,
                    "month": month,
                    "policy": one.policy,
                    "compared_policy": other.policy,
                    "ending_mrr": balances[0],
                    "compared_mrr": balances[-1],
                    "difference": balances[-1] - balances[0],
                    **{
                        f"{name}_difference": after - before
                        for name, before, after in zip(names, balances, balances[1:], strict=False)
                    },
                }
