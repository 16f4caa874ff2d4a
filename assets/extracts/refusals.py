"""Files that were refused whole: the manifest holds those that are refused now."""

from collections.abc import Sequence
from dataclasses import replace

from assets.extracts.deliveries import next_delivery_id, write_deliveries
from assets.extracts.loads import Found, Load, Refusal
from assets.extracts.planning import new_delivery


def forget_refusals(load: Load, paths: set[str]) -> None:
    """Takes refused files of these paths out of the manifest."""
    load.connection.execute(
        "delete from landing.deliveries where source = ? and table_name = ? "
        "and state = 'refused' and path in (select unnest(?::varchar[]))",
        [load.contract.source, load.contract.table, sorted(paths)],
    )


def book_refusals(load: Load, refused: Sequence[Refusal]) -> None:
    """The manifest's refused files are those that are refused now; a known one stays as it is."""
    now = {_identity(r.found, r.reason): r for r in refused}
    there = load.deliveries("refused")
    kept = {(d.path, d.content_hash, d.refusal or "") for d in there} & now.keys()
    gone = {d.path for d in there if (d.path, d.content_hash, d.refusal or "") not in kept}
    if gone:
        forget_refusals(load, gone)
    first = next_delivery_id(load.connection)
    fresh = [refusal for said, refusal in now.items() if said not in kept]
    write_deliveries(
        load.connection,
        [
            replace(
                new_delivery(load, refusal.found, None),
                delivery_id=number,
                path_version=0,
                state="refused",
                refusal=refusal.reason,
            )
            for number, refusal in enumerate(fresh, start=first)
        ],
    )


def _identity(found: Found, reason: str) -> tuple[str, str, str]:
    return found.file.path, found.content_hash, reason
