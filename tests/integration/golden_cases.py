"""The golden cases of spec 20 that concern MRR, with the numbers worked out by hand.

`S` is the standard policy, `T` stripe_like, `C` chartmogul_like. A month's factor is 52 / 12 for a
week, 365 / 12 for a day, 1 / 12 for a year.
"""

from tests.integration.golden_books import Golden, Subscription, off, price

S, T, C = "standard", "stripe_like", "chartmogul_like"

TIME = (
    Golden(
        name="annual 1,200 started mid-month",
        prevents="A start spread over days; months without an invoice skipped; a spine that stops "
        "where no end is known. 1,200 / 12 = 100 in every month from February to June.",
        lands=[Subscription(start="2024-02-15 09:00", items=[price("1200", "year")])],
        moves={S: ["2024-02-15 09:00 new 100.00"]},
        endings={S: {"2024-02": "100.00"}},
    ),
    Golden(
        name="starts and ends on a 1st",
        prevents="The first instant of a month on its wrong side.",
        lands=[
            Subscription(start="2024-02-01", items=[price("50")], more={"ended_at": "2024-04-01"})
        ],
        moves={S: ["2024-02-01 new 50.00", "2024-04-01 churn 50.00"]},
        endings={S: {"2024-02": "50.00", "2024-04": "0.00"}},
    ),
    Golden(
        name="31 January anchor in a leap year",
        prevents="A month of 30 days. 20 off once, that is until 29 February.",
        lands=[
            Subscription(
                start="2024-01-31",
                items=[price("100")],
                discounts=[off("once", "2024-01-31", amount="20")],
            )
        ],
        moves={
            S: ["2024-01-31 new 100.00"],
            C: ["2024-01-31 new 80.00", "2024-02-29 expansion 20.00"],
        },
        endings={S: {"2024-01": "100.00"}, C: {"2024-01": "80.00", "2024-02": "100.00"}},
    ),
    Golden(
        name="31 January anchor in a plain year",
        prevents="The 31st of February moved into March: it is the 28th.",
        lands=[
            Subscription(
                start="2023-01-31",
                items=[price("100")],
                discounts=[off("once", "2023-01-31", amount="20")],
            )
        ],
        moves={C: ["2023-01-31 new 80.00", "2023-02-28 expansion 20.00"]},
        endings={C: {"2023-01": "80.00", "2023-02": "100.00"}},
    ),
    Golden(
        name="euro price without the rate of its period",
        prevents="A rate older than a week. By its periods the price needs the rate before 31 "
        "January, and the last one is of the 14th: nothing is said at all.",
        lands=[Subscription(start="2024-01-31", currency="EUR", items=[price("100")])],
        moves={
            S: [
                "2024-01-31 new 110.00",
                "2024-02-01 fx 10.00",
                "2024-03-01 fx -5.00",
            ],
            C: [],
        },
        endings={S: {"2024-01": "110.00", "2024-02": "120.00", "2024-03": "115.00"}, C: {}},
    ),
    Golden(
        name="future-dated start",
        prevents="A contract that begins after as-of, in today's MRR.",
        lands=[Subscription(start="2024-08-01", items=[price("500")])],
        moves={S: [], T: [], C: []},
        endings={S: {}, T: {}, C: {}},
    ),
    Golden(
        name="left-truncated history",
        prevents="A customer from before everything else, cut off or new in the first month.",
        lands=[Subscription(start="2019-06-01", items=[price("100")])],
        moves={S: ["2019-06-01 new 100.00"]},
        endings={S: {"2019-06": "100.00"}},
    ),
)

CHANGES = (
    Golden(
        name="monthly to annual switch",
        prevents="Today's interval read back into the past: 120 a month, then 1,200 / 12 = 100.",
        lands=[
            Subscription(
                start="2024-01-10",
                items=[
                    price("120", end="2024-04-10"),
                    price("1200", "year", start="2024-04-10"),
                ],
            )
        ],
        moves={S: ["2024-01-10 new 120.00", "2024-04-10 contraction 20.00"]},
        endings={S: {"2024-01": "120.00", "2024-04": "100.00"}},
    ),
    Golden(
        name="upgrade on day 15",
        prevents="An upgrade by swapping items, counted as churn and new: 90 - 40 = 50.",
        lands=[
            Subscription(
                start="2024-02-01",
                items=[
                    price("40", end="2024-03-15", product="Basic", name="basic"),
                    price("90", start="2024-03-15", product="Pro", name="pro"),
                ],
            )
        ],
        moves={S: ["2024-02-01 new 40.00", "2024-03-15 expansion 50.00"]},
        endings={S: {"2024-02": "40.00", "2024-03": "90.00"}},
    ),
    Golden(
        name="plan swapped at a constant amount",
        prevents="A swap at the same price that moves something, or that nobody can see.",
        lands=[
            Subscription(
                start="2024-02-01",
                items=[
                    price("50", end="2024-03-15", product="Basic", name="basic"),
                    price("600", "year", start="2024-03-15", product="Pro", name="pro"),
                ],
            )
        ],
        moves={S: ["2024-02-01 new 50.00"]},
        endings={S: {"2024-02": "50.00"}},
    ),
    Golden(
        name="downgrade at period end",
        prevents="A downgrade on the day of the click: the period ends on 10 April. 90 - 40 = 50.",
        lands=[
            Subscription(
                start="2024-01-10",
                items=[price("90", end="2024-04-10"), price("40", start="2024-04-10")],
            )
        ],
        moves={S: ["2024-01-10 new 90.00", "2024-04-10 contraction 50.00"]},
        endings={S: {"2024-01": "90.00", "2024-04": "40.00"}},
    ),
    Golden(
        name="quantity change",
        prevents="Seats that are not in the price: 3 x 10, then 4.5 x 10.",
        lands=[
            Subscription(
                start="2024-01-31",
                items=[
                    price("10", quantity="3", end="2024-02-29"),
                    price("10", quantity="4.5", start="2024-02-29"),
                ],
            )
        ],
        moves={S: ["2024-01-31 new 30.00", "2024-02-29 expansion 15.00"]},
        endings={S: {"2024-01": "30.00", "2024-02": "45.00"}},
    ),
    Golden(
        name="weekly and daily prices",
        prevents="Months of 4 weeks or 30 days: 10 x 52 / 12 = 43.33, 10 x 365 / 12 = 304.17, "
        "10 every 2 weeks = 21.67; together 369.17.",
        lands=[
            Subscription(
                start="2024-01-10",
                items=[
                    price("10", "week", name="weekly"),
                    price("10", "day", name="daily"),
                    price("10", "week", count=2, name="fortnightly"),
                ],
            )
        ],
        moves={S: ["2024-01-10 new 369.17"]},
        endings={S: {"2024-01": "369.17"}},
    ),
    Golden(
        name="price of 0",
        prevents="A free plan that is new, or whose end is churn.",
        lands=[
            Subscription(start="2024-01-10", items=[price("0")], more={"ended_at": "2024-03-10"})
        ],
        moves={S: []},
        endings={S: {}},
    ),
    Golden(
        name="metered line",
        prevents="Usage in the headline. By chartmogul_like 30, 60 and 90 invoiced in February, "
        "March and April are 10, 30, 60, 50 and 30 by the mean of three months, on top of 50.",
        lands=[
            Subscription(
                start="2024-01-10",
                items=[price("50"), price("0.01", quantity="1000", name="calls", is_metered=True)],
            )
        ],
        usage={"2024-02-05": "30", "2024-03-05": "60", "2024-04-05": "90"},
        moves={
            S: ["2024-01-10 new 50.00"],
            C: [
                "2024-01-10 new 50.00",
                "2024-02-01 expansion 10.00",
                "2024-03-01 expansion 20.00",
                "2024-04-01 expansion 30.00",
                "2024-05-01 contraction 10.00",
                "2024-06-01 contraction 20.00",
            ],
        },
        endings={
            S: {"2024-01": "50.00"},
            C: {
                "2024-01": "50.00",
                "2024-02": "60.00",
                "2024-03": "80.00",
                "2024-04": "110.00",
                "2024-05": "100.00",
                "2024-06": "80.00",
            },
        },
    ),
)

_BACK = Subscription(start="2024-01-05", items=[price("80")], more={"ended_at": "2024-03-05"})

LOSSES = (
    Golden(
        name="two subscriptions, one cancelled",
        prevents="A customer who still pays, counted as lost; a second subscription as new.",
        lands=[
            Subscription(start="2024-01-05", items=[price("80")]),
            Subscription(start="2024-02-05", items=[price("30")], more={"ended_at": "2024-05-20"}),
        ],
        moves={
            S: [
                "2024-01-05 new 80.00",
                "2024-02-05 expansion 30.00",
                "2024-05-20 contraction 30.00",
            ]
        },
        endings={S: {"2024-01": "80.00", "2024-02": "110.00", "2024-05": "80.00"}},
    ),
    Golden(
        name="back after 1 month",
        prevents="A churn or a reactivation that no branch can reach; new twice.",
        lands=[_BACK, Subscription(start="2024-04-05", items=[price("90")])],
        moves={
            S: ["2024-01-05 new 80.00", "2024-03-05 churn 80.00", "2024-04-05 reactivation 90.00"]
        },
        endings={S: {"2024-01": "80.00", "2024-03": "0.00", "2024-04": "90.00"}},
    ),
    Golden(
        name="back after 2 months",
        prevents="The same, with a month of zeros in between.",
        lands=[_BACK, Subscription(start="2024-05-05", items=[price("90")])],
        moves={
            S: ["2024-01-05 new 80.00", "2024-03-05 churn 80.00", "2024-05-05 reactivation 90.00"]
        },
        endings={S: {"2024-01": "80.00", "2024-03": "0.00", "2024-05": "90.00"}},
    ),
    Golden(
        name="back after 14 months",
        prevents="A window of a year after which who comes back is new.",
        lands=[
            Subscription(start="2023-02-05", items=[price("80")], more={"ended_at": "2023-04-05"}),
            Subscription(start="2024-06-05", items=[price("90")]),
        ],
        moves={
            S: ["2023-02-05 new 80.00", "2023-04-05 churn 80.00", "2024-06-05 reactivation 90.00"]
        },
        endings={S: {"2023-02": "80.00", "2023-04": "0.00", "2024-06": "90.00"}},
    ),
    Golden(
        name="new and churn in one month",
        prevents="Two rows netted over the month: nobody ever came.",
        lands=[
            Subscription(start="2024-02-03", items=[price("9")], more={"ended_at": "2024-02-20"})
        ],
        moves={S: ["2024-02-03 new 9.00", "2024-02-20 churn 9.00"]},
        endings={S: {}},
    ),
    Golden(
        name="scheduled cancellation",
        prevents="Churn on the day of the click. It is planned on 2 March and comes on 10 May.",
        lands=[
            Subscription(
                start="2024-01-10",
                items=[price("40")],
                more={"cancelled_at": "2024-03-02", "cancel_at": "2024-05-10"},
            )
        ],
        moves={
            S: ["2024-01-10 new 40.00", "2024-05-10 churn 40.00"],
            T: ["2024-01-10 new 40.00", "2024-05-10 churn 40.00"],
        },
        endings={
            S: {"2024-01": "40.00", "2024-05": "0.00"},
            T: {"2024-01": "40.00", "2024-05": "0.00"},
        },
    ),
    Golden(
        name="cancelled inside a paid period",
        prevents="The end of the paid period (10 April) taken for the cancellation (20 March), or "
        "the other way round: policies differ in just that.",
        lands=[
            Subscription(
                start="2024-01-10",
                items=[price("40")],
                more={
                    "status": "canceled",
                    "cancelled_at": "2024-03-20",
                    "current_period_end_at": "2024-04-10",
                },
            )
        ],
        moves={
            S: ["2024-01-10 new 40.00", "2024-04-10 churn 40.00"],
            T: ["2024-01-10 new 40.00", "2024-03-20 churn 40.00"],
            C: ["2024-01-10 new 40.00", "2024-03-20 churn 40.00"],
        },
        endings={
            S: {"2024-01": "40.00", "2024-04": "0.00"},
            T: {"2024-01": "40.00", "2024-03": "0.00"},
            C: {"2024-01": "40.00", "2024-03": "0.00"},
        },
    ),
)


def _past_due(days: int, paid: str, moves: list[str], endings: dict[str, str]) -> Golden:
    return Golden(
        name=f"past due for {days} days",
        prevents="A grace that ends a day early or late, or whoever pays late counted as lost: the "
        "30 days from 1 March end with the first instant of 31 March.",
        lands=[
            Subscription(
                start="2024-01-10",
                items=[price("60")],
                words={"2024-03-01": "past_due", paid: "active"},
            )
        ],
        moves={S: ["2024-01-10 new 60.00", *moves], T: ["2024-01-10 new 60.00"]},
        endings={S: {"2024-01": "60.00", **endings}, T: {"2024-01": "60.00"}},
    )


STATUSES = (
    Golden(
        name="trial to paid with an unpaid first invoice",
        prevents="MRR of a trial; a first invoice that is never paid as a customer for ever.",
        lands=[
            Subscription(
                start="2024-02-16",
                items=[price("40")],
                more={"status": "unpaid", "trial_ends_at": "2024-03-01"},
                words={
                    "2024-02-16": "trialing",
                    "2024-03-01": "past_due",
                    "2024-03-20": "unpaid",
                },
            )
        ],
        moves={
            S: ["2024-03-01 new 40.00", "2024-03-20 churn 40.00"],
            T: ["2024-03-01 new 40.00", "2024-03-20 churn 40.00"],
        },
        endings={S: {}, T: {}},
    ),
    _past_due(29, "2024-03-30", [], {}),
    _past_due(30, "2024-03-31", [], {}),
    _past_due(31, "2024-04-01", ["2024-03-31 churn 60.00", "2024-04-01 reactivation 60.00"],
              {"2024-03": "0.00", "2024-04": "60.00"}),
    Golden(
        name="pause and resume",
        prevents="A paused subscription in MRR, in the months of its pause or in all of them.",
        lands=[
            Subscription(
                start="2024-01-10",
                items=[price("70")],
                words={"2024-03-01": "paused", "2024-05-01": "active"},
            )
        ],
        moves={
            S: ["2024-01-10 new 70.00", "2024-03-01 churn 70.00", "2024-05-01 reactivation 70.00"]
        },
        endings={S: {"2024-01": "70.00", "2024-03": "0.00", "2024-05": "70.00"}},
    ),
    Golden(
        name="no status that pays",
        prevents="No filter on the status: four subscriptions that nobody pays for.",
        lands=[
            Subscription(start="2024-01-10", items=[price("70")], more={"status": word})
            for word in ("incomplete", "Incomplete_Expired", "UNPAID", "trialing")
        ],
        moves={S: [], T: [], C: []},
        endings={S: {}, T: {}, C: {}},
    ),
)  # fmt: skip

DISCOUNTS = (
    Golden(
        name="discount for ever",
        prevents="The list price as MRR: 100 less 25 %.",
        lands=[
            Subscription(
                start="2024-01-10",
                items=[price("100")],
                discounts=[off("forever", "2024-01-10", percent="25")],
            )
        ],
        moves={policy: ["2024-01-10 new 75.00"] for policy in (S, T, C)},
        endings={policy: {"2024-01": "75.00"} for policy in (S, T, C)},
    ),
    Golden(
        name="discount once",
        prevents="A discount on one invoice as a smaller contract and then an expansion; only "
        "chartmogul_like counts it, for one interval of the item.",
        lands=[
            Subscription(
                start="2024-01-10",
                items=[price("100")],
                discounts=[off("once", "2024-01-10", amount="20")],
            )
        ],
        moves={
            S: ["2024-01-10 new 100.00"],
            T: ["2024-01-10 new 100.00"],
            C: ["2024-01-10 new 80.00", "2024-02-10 expansion 20.00"],
        },
        endings={
            S: {"2024-01": "100.00"},
            T: {"2024-01": "100.00"},
            C: {"2024-01": "80.00", "2024-02": "100.00"},
        },
    ),
    Golden(
        name="discount repeating for three months",
        prevents="A discount that outlives its last month, or that counts for ever or never.",
        lands=[
            Subscription(
                start="2024-01-10",
                items=[price("100")],
                discounts=[off("repeating", "2024-01-10", "2024-04-10", percent="10")],
            )
        ],
        moves={
            S: ["2024-01-10 new 90.00", "2024-04-10 expansion 10.00"],
            T: ["2024-01-10 new 100.00"],
            C: ["2024-01-10 new 90.00", "2024-04-10 expansion 10.00"],
        },
        endings={
            S: {"2024-01": "90.00", "2024-04": "100.00"},
            T: {"2024-01": "100.00"},
            C: {"2024-01": "90.00", "2024-04": "100.00"},
        },
    ),
    Golden(
        name="discount repeating for one period",
        prevents="One period by another name: it is one-time, like `once`.",
        lands=[
            Subscription(
                start="2024-01-10",
                items=[price("100")],
                discounts=[off("repeating", "2024-01-10", "2024-02-10", percent="10")],
            )
        ],
        moves={
            S: ["2024-01-10 new 100.00"],
            C: ["2024-01-10 new 90.00", "2024-02-10 expansion 10.00"],
        },
        endings={S: {"2024-01": "100.00"}, C: {"2024-01": "90.00", "2024-02": "100.00"}},
    ),
    Golden(
        name="two stacked discounts",
        prevents="Both taken off the list price, or in the order of their ids: half of 100 first, "
        "then 10 off is 40 (10 off first would be 45, half and 10 % of the list price 40 too).",
        lands=[
            Subscription(
                start="2024-01-10",
                items=[price("100")],
                discounts=[
                    off("forever", "2024-01-10", amount="10", position=2),
                    off("forever", "2024-01-10", percent="50", position=1),
                ],
            )
        ],
        moves={S: ["2024-01-10 new 40.00"]},
        endings={S: {"2024-01": "40.00"}},
    ),
    Golden(
        name="two stacked percentages",
        prevents="Percentages added up: 100 x 0.8 x 0.9 = 72, not 70.",
        lands=[
            Subscription(
                start="2024-01-10",
                items=[price("100")],
                discounts=[
                    off("forever", "2024-01-10", percent="20", position=1),
                    off("forever", "2024-01-10", percent="10", position=2),
                ],
            )
        ],
        moves={S: ["2024-01-10 new 72.00"]},
        endings={S: {"2024-01": "72.00"}},
    ),
    Golden(
        name="amount off over a monthly and a yearly item",
        prevents="9 off taken from each item, or the yearly item's share not divided by 12. Gross "
        "60 and 360 / 12 = 30: 60 / 90 x 9 = 6 a month and 30 / 90 x 9 / 12 = 0.25; 54 + 29.75.",
        lands=[
            Subscription(
                start="2024-01-10",
                items=[price("60", name="monthly"), price("360", "year", name="yearly")],
                discounts=[off("forever", "2024-01-10", amount="9")],
            )
        ],
        moves={S: ["2024-01-10 new 83.75"]},
        endings={S: {"2024-01": "83.75"}},
    ),
    Golden(
        name="amount off on one item",
        prevents="A discount of one item that takes from the others: 30 - 12 and 40.",
        lands=[
            Subscription(
                start="2024-01-10",
                items=[price("30", name="seats"), price("40", name="more")],
                discounts=[off("forever", "2024-01-10", amount="12", item="seats")],
            )
        ],
        moves={S: ["2024-01-10 new 58.00"]},
        endings={S: {"2024-01": "58.00"}},
    ),
    Golden(
        name="more off than it costs",
        prevents="Net below 0: 5 less 10 is nothing, and 30 beside it stays 30.",
        lands=[
            Subscription(
                start="2024-01-10",
                items=[price("5", name="seats"), price("30", name="more")],
                discounts=[off("forever", "2024-01-10", amount="10", item="seats")],
            )
        ],
        moves={S: ["2024-01-10 new 30.00"]},
        endings={S: {"2024-01": "30.00"}},
    ),
)

CURRENCIES = (
    Golden(
        name="euro account whose only change is the rate",
        prevents="Currencies grouped but not converted; a rate's change as expansion. 100 EUR at "
        "1.10, 1.20 and 1.15; by the periods from the 15th at 1.12 and 1.16.",
        lands=[Subscription(start="2024-01-15", currency="EUR", items=[price("100")])],
        moves={
            S: ["2024-01-15 new 110.00", "2024-02-01 fx 10.00", "2024-03-01 fx -5.00"],
            C: ["2024-01-15 new 112.00", "2024-02-15 fx 4.00"],
        },
        endings={
            S: {"2024-01": "110.00", "2024-02": "120.00", "2024-03": "115.00"},
            C: {"2024-01": "112.00", "2024-02": "116.00"},
        },
    ),
    Golden(
        name="move from euro to dollar",
        prevents="A change of currency as churn and new. On 1 March the 100 EUR stand at 115, and "
        "120 USD take their place: 5 more.",
        lands=[
            Subscription(
                start="2024-01-15",
                currency="EUR",
                items=[price("100")],
                more={"ended_at": "2024-03-01"},
            ),
            Subscription(start="2024-03-01", items=[price("120")]),
        ],
        moves={
            S: [
                "2024-01-15 new 110.00",
                "2024-02-01 fx 10.00",
                "2024-03-01 expansion 5.00",
                "2024-03-01 fx -5.00",
            ]
        },
        endings={S: {"2024-01": "110.00", "2024-02": "120.00"}},
    ),
    Golden(
        name="yen with four decimals",
        prevents="Whole yen: 10,000.1234 JPY x 0.0065 = 65.0008.",
        lands=[Subscription(start="2024-02-10", currency="JPY", items=[price("10000.1234")])],
        moves={S: ["2024-02-10 new 65.00"]},
        endings={S: {"2024-02": "65.00"}},
    ),
)

CONTINUED = (
    Golden(
        name="billing migration",
        prevents="A move to another billing system as churn and reactivation; 40, then 45.",
        lands=[
            Subscription(start="2024-01-10", items=[price("40")], more={"ended_at": "2024-03-31"}),
            Subscription(start="2024-04-03", items=[price("45")]),
        ],
        migration=(0, 1),
        moves={S: ["2024-01-10 new 40.00", "2024-04-03 expansion 5.00"]},
        endings={S: {"2024-01": "40.00", "2024-04": "45.00"}},
    ),
    Golden(
        name="account merge",
        prevents="A merge that is churn here and new there: the survivor has both histories.",
        lands=[
            Subscription(start="2024-02-10", items=[price("30")]),
            Subscription(start="2024-01-10", items=[price("80")]),
        ],
        merged=(0, "2024-05-01"),
        moves={S: ["2024-01-10 new 80.00", "2024-02-10 expansion 30.00"]},
        endings={S: {"2024-01": "80.00", "2024-02": "110.00"}},
    ),
)

CASES = (*TIME, *CHANGES, *LOSSES, *STATUSES, *DISCOUNTS, *CURRENCIES, *CONTINUED)

# What public models get wrong, and the cases that would show it.
WEAKNESSES = {
    "the current interval applied to historical prices": ["monthly to annual switch"],
    "no filter on the status": ["no status that pays", "pause and resume"],
    "end of the paid period against immediate cancellation": ["cancelled inside a paid period"],
    "daily and weekly prices": ["weekly and daily prices"],
    "stacked discounts": ["two stacked discounts", "two stacked percentages"],
    "currencies grouped but not converted": ["euro account whose only change is the rate"],
    "months without charges skipped": ["annual 1,200 started mid-month"],
    "churn and reactivation that no branch reaches": ["back after 1 month", "back after 14 months"],
    "a customer without an end date whose spine stops": ["left-truncated history"],
    "a swap of items counted as churn and new": [
        "upgrade on day 15",
        "plan swapped at a constant amount",
    ],
}
