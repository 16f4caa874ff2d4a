"""The ledger's tables of runs, their checks, and what an operator was told of them."""

import sqlalchemy as sa

from assets.alerts.ledger_tables import Instant, metadata

run_results = sa.Table(
    "run_results",
    metadata,
    sa.Column("run_id", sa.Text, primary_key=True),
    sa.Column("job", sa.Text, nullable=False),
    sa.Column("as_of", Instant),
    sa.Column("asked_by", sa.Text),
    sa.Column("is_green", sa.Boolean, nullable=False),
    sa.Column("failures", sa.JSON, nullable=False),
    sa.Column("ended_at", Instant, nullable=False),
    comment="One row per run, red ones too.",
)

check_results = sa.Table(
    "check_results",
    metadata,
    sa.Column("run_id", sa.Text, primary_key=True),
    sa.Column("asset", sa.Text, primary_key=True),
    sa.Column("check", sa.Text, primary_key=True, quote=True),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("passed", sa.Boolean, nullable=False),
    sa.Column("summary", sa.Text, nullable=False),
    sa.Column("ended_at", Instant, nullable=False),
    sa.Column("rows_failed", sa.BigInteger),
    sa.Column("rows_tested", sa.BigInteger),
    sa.Column("failing_rows", sa.JSON(none_as_null=True)),
    sa.Column("failing_since", Instant),
    sa.Column("last_green_at", Instant),
    sa.Index("check_results_by_check", "asset", "check", "ended_at"),
    comment="One row per run and check, of red runs too.",
)

checks = sa.Table(
    "checks",
    metadata,
    sa.Column("asset", sa.Text, primary_key=True),
    sa.Column("check", sa.Text, primary_key=True, quote=True),
    sa.Column("layer", sa.Text, nullable=False),
    sa.Column("owner", sa.Text),
    sa.Column("means", sa.Text, nullable=False),
    sa.Column("what_to_do", sa.Text, nullable=False),
    sa.Column("code_version", sa.Text, nullable=False),
    comment="One row per check that the code has: whose it is, what it means, what to do.",
)

ops_findings = sa.Table(
    "ops_findings",
    metadata,
    sa.Column("finding", sa.Text, primary_key=True),
    sa.Column("began_at", Instant, primary_key=True),
    sa.Column("sentence", sa.Text, nullable=False),
    sa.Column("ended_at", Instant),
    comment="One row per stretch of something that an operator should look at; told once each.",
)
