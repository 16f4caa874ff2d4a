"""The page that a run ends with: what came in, what came out, who needs attention, what is next."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from assets.alerts.ledger import create_ledger
from assets.alerts.open_alerts import OpenAlert, open_alerts
from assets.releases import folders
from orchestration.settings import Settings

_STATE_STYLES = {"good": "green", "average": "yellow", "poor": "red", "unknown": "dim"}
_SEVERITY_STYLES = {"critical": "bold red", "warning": "yellow", "info": "cyan"}
_ARROWS = {"up": "↗", "down": "↘", "flat": "→"}
_SHOWN_ACCOUNTS = 10
_SHOWN_ALERTS = 12
_SHOWN_MONTHS = 6


def print_summary(settings: Settings, console: Console) -> None:
    """Print what the current release holds, or that there is none yet."""
    manifest = folders.read_manifest(settings.releases)
    if manifest is None:
        console.print(f"There is no release in {settings.releases} yet.")
        return
    path = settings.releases / folders.CURRENT / folders.RELEASE_FILE
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        console.print(_release_panel(manifest, connection))
        console.print(_attention_table(connection))
        console.print(_mrr_table(connection))
    console.print(_alert_table(_read_alerts(settings)))
    console.print(_files_panel(settings, manifest))


def _release_panel(manifest: dict[str, Any], connection: duckdb.DuckDBPyConnection) -> Panel:
    stages = Table.grid(padding=(0, 2))
    stages.add_column(style="dim")
    stages.add_column(justify="right")
    stages.add_column(style="dim")
    for stage, rows, note in _stages(manifest, connection):
        stages.add_row(stage, f"{rows:,}", note)
    failed = [check for check in manifest["checks"] if not check["passed"]]
    checks = Text(f"{len(manifest['checks']) - len(failed)} checks passed", style="green")
    lines: list[Any] = [stages, Text(), checks]
    lines += [
        Text(f"warns: {check['check']} on {check['asset']}: {check['summary']}", style="yellow")
        for check in failed
    ]
    return Panel(
        Group(*lines),
        title=f"[bold]Release {manifest['id']}[/] · as of {manifest['as_of'][:10]}",
        title_align="left",
        border_style="green",
    )


def _stages(
    manifest: dict[str, Any], connection: duckdb.DuckDBPyConnection
) -> list[tuple[str, int, str]]:
    read, loaded, rejected, duplicate, files = _one(
        connection,
        "select coalesce(sum(rows_read), 0), coalesce(sum(rows_loaded), 0), "
        "coalesce(sum(rows_rejected), 0), coalesce(sum(rows_duplicate), 0), count(*) "
        "from meta.deliveries where state <> 'refused'",
    )
    marts = {name: facts["rows"] for name, facts in manifest["tables"].items()}
    watermarks = ", ".join(f"{name} {day}" for name, day in manifest["watermarks"].items())
    return [
        ("rows read", read, f"from {files:,} deliveries"),
        ("rows loaded", loaded, f"{rejected:,} in quarantine, {duplicate:,} duplicates"),
        ("rows in marts", sum(marts.values()), f"in {len(marts)} tables"),
        ("accounts", marts.get("accounts.dim_accounts", 0), f"landed through: {watermarks}"),
    ]


def _attention_table(connection: duckdb.DuckDBPyConnection) -> Table:
    table = Table(
        title="Who needs attention", title_justify="left", title_style="bold", show_lines=False
    )
    for name, justify in (
        ("#", "right"),
        ("account", "left"),
        ("csm", "left"),
        ("ARR", "right"),
        ("health", "right"),
        ("why", "left"),
    ):
        table.add_column(name, justify=justify, no_wrap=name != "why")  # type: ignore[arg-type]
    rows = connection.execute(
        "select attention_rank, account_name, coalesce(csm_name, 'nobody'), arr, health_score, "
        "health_state, health_arrow, health_unknown_reason, "
        "list_filter([reason_1, reason_2, reason_3], lambda r: r is not null) "
        "from accounts.account_scorecard where attention_rank <= ? order by attention_rank",
        [_SHOWN_ACCOUNTS],
    ).fetchall()
    for rank, name, csm, arr, score, state, arrow, unknown, reasons in rows:
        said = f"{score:.0f} {_ARROWS.get(arrow, '')}" if score is not None else str(unknown)
        table.add_row(
            str(rank),
            name,
            csm,
            f"{arr:,.0f}",
            Text(said, style=_STATE_STYLES.get(state, "")),
            "; ".join(_short(reason) for reason in reasons),
        )
    return table


def _mrr_table(connection: duckdb.DuckDBPyConnection) -> Table:
    """The latest months of everybody's MRR, what moved it, and what stayed of a year before."""
    table = Table(title="MRR by month", title_justify="left", title_style="bold")
    for name in (
        "month", "starting", "new", "back", "expansion", "contraction", "churn", "fx", "ending",
        "NRR", "GRR",
    ):  # fmt: skip
        table.add_column(name, justify="left" if name == "month" else "right", no_wrap=True)
    rows = connection.execute(
        "select strftime(b.month, '%Y-%m'), b.starting_mrr, b.new_mrr, b.reactivation_mrr, "
        "b.expansion_mrr, -b.contraction_mrr, -b.churn_mrr, b.fx_mrr, b.ending_mrr, "
        "r.net_revenue_retention_ratio, r.gross_revenue_retention_ratio "
        "from revenue.mrr_bridge_monthly b left join revenue.revenue_retention_monthly r "
        "on r.month = b.month and r.is_headline and r.segment_by = 'all' "
        "where b.segment_by = 'all' order by b.month desc limit ?",
        [_SHOWN_MONTHS],
    ).fetchall()
    for month, *amounts, net, gross in reversed(rows):
        ratios = ("" if ratio is None else f"{ratio:.0%}" for ratio in (net, gross))
        table.add_row(month, *(f"{amount:,.0f}" for amount in amounts), *ratios)
    return table


def _alert_table(alerts: Sequence[OpenAlert]) -> Table:
    table = Table(title=f"Open alerts: {len(alerts)}", title_justify="left", title_style="bold")
    for name in ("severity", "since", "what", "rule"):
        table.add_column(name, no_wrap=name != "what")
    for alert in alerts[:_SHOWN_ALERTS]:
        table.add_row(
            Text(alert.severity, style=_SEVERITY_STYLES.get(alert.severity, "")),
            alert.opened_on.isoformat(),
            alert.sentence,
            alert.rule,
        )
    if len(alerts) > _SHOWN_ALERTS:
        table.add_row("…", "", f"{len(alerts) - _SHOWN_ALERTS} more", "")
    return table


def _files_panel(settings: Settings, manifest: dict[str, Any]) -> Panel:
    release = settings.releases / folders.CURRENT / folders.RELEASE_FILE
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    quarantined = sum(manifest["quarantine"].values())
    for name, value in (
        ("marts", _near(release)),
        ("manifest", _near(release.parent / folders.MANIFEST_FILE)),
        ("alerts told", _near(settings.outbox)),
        ("quarantine", f"{quarantined:,} rows in meta.quarantine"),
        ("read it", _one_liner(release)),
        ("look at it", "make ui, then http://127.0.0.1:3000"),
        ("next", "make demo again: more days land, and the run is incremental"),
    ):
        grid.add_row(name, value)
    return Panel(grid, title="[bold]Where things are[/]", title_align="left", border_style="dim")


def _one_liner(release: Path) -> str:
    """What to paste to see the scorecard."""
    return (
        f"python -c \"import duckdb; duckdb.connect('{_near(release)}', read_only=True)"
        ".sql('from accounts.account_scorecard').show()\""
    )


def _read_alerts(settings: Settings) -> list[OpenAlert]:
    engine = create_ledger(settings.ledger)
    try:
        return open_alerts(engine)
    finally:
        engine.dispose()


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    return connection.execute(query).fetchone() or ()


def _short(reason: str) -> str:
    """A reason without its bands, which the release holds."""
    return reason.split(" (")[0]


def _near(path: Path) -> str:
    """A path as someone in the current folder would type it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
