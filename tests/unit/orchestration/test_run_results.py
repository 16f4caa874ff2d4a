"""What a run's events and the definitions of its checks come to in the ledger."""

import dagster as dg
import pytest

from assets.alerts.check_history import CheckOutcome
from orchestration import running
from orchestration.run_results import read_run, split_words, words_of
from orchestration.settings import Settings

TABLE = dg.TableMetadataValue(
    records=[dg.TableRecord({"account_id": "a", "email": "***"})],
    schema=dg.TableSchema(columns=[dg.TableColumn("account_id"), dg.TableColumn("email")]),
)


@dg.asset(key=["crm", "accounts"], group_name="raw_crm", owners=["data@example.com"])
def accounts() -> None:
    """A table."""


@dg.asset_check(asset=accounts, description="They add up. To do: add again.")
def adds_up() -> dg.AssetCheckResult:
    """A red check that counts and shows rows."""
    return dg.AssetCheckResult(
        passed=False,
        severity=dg.AssetCheckSeverity.WARN,
        description="1 doesn't",
        metadata={"rows_failed": 1, "rows_tested": 7, "failing_rows": TABLE},
    )


@dg.asset_check(asset=accounts)
def may_be_missing() -> dg.AssetCheckResult:
    """A green one of which nobody need know."""
    return dg.AssetCheckResult(passed=True, metadata={"severity": "info"})


DEFINITIONS = dg.Definitions(assets=[accounts], asset_checks=[adds_up, may_be_missing])


def test_a_run_is_read_with_rows_severity_and_who_asked(settings_of_nothing: Settings) -> None:
    """Counts and rows that stay in Dagster's storage, where no release and no mail sees them."""
    with dg.instance_for_test() as instance:
        job = DEFINITIONS.resolve_implicit_global_asset_job_def()
        tags = {"dagster/schedule_name": "every_morning", "csw/as_of": "2025-03-02"}
        job.execute_in_process(instance=instance, tags=tags)
        (record,) = instance.get_run_records()
        found = read_run(settings_of_nothing, instance, record)
    assert (found.is_green, found.asked_by) == (True, "every_morning")
    assert str(found.as_of) == "2025-03-02 00:00:00+00:00"
    assert sorted(found.checks, key=lambda check: check.check) == [
        CheckOutcome(
            asset="crm/accounts",
            check="adds_up",
            severity="warn",
            passed=False,
            summary="1 doesn't",
            rows_failed=1,
            rows_tested=7,
            failing_rows=({"account_id": "a", "email": "***"},),
        ),
        CheckOutcome(
            asset="crm/accounts",
            check="may_be_missing",
            severity="info",
            passed=True,
            summary="passed",
        ),
    ]


@dg.asset
def slow() -> None:
    """One that somebody grows tired of."""
    raise dg.DagsterExecutionInterruptedError


def test_a_run_that_somebody_stopped_says_so(settings_of_nothing: Settings) -> None:
    """The name of a class in front of whoever pressed Ctrl-C, and in what ops is told."""
    with dg.instance_for_test() as instance:
        result = dg.materialize([slow], instance=instance, raise_on_error=False)
        (record,) = instance.get_run_records()
        found = read_run(settings_of_nothing, instance, record)
    assert found.failures == ("slow: somebody stopped it",)
    assert running._failures(result) == ["slow: somebody stopped it"]  # noqa: SLF001


@dg.resource
def shut() -> None:
    """What a run builds in, and can't."""
    raise OSError("the disk said no")


@dg.asset(required_resource_keys={"shut"})
def built() -> None:
    """What never begins."""


def test_a_run_that_could_not_begin_says_why(settings_of_nothing: Settings) -> None:
    """No step of it failed: "see the log", and in the log nothing."""
    with dg.instance_for_test() as instance:
        result = dg.materialize(
            [built], resources={"shut": shut}, instance=instance, raise_on_error=False
        )
        (record,) = instance.get_run_records()
        found = read_run(settings_of_nothing, instance, record)
    assert found.failures == tuple(running._failures(result))  # noqa: SLF001
    assert "the disk said no" in found.failures[0]


def test_a_check_means_what_its_definition_says() -> None:
    """A red check of nobody."""
    words = {each.check: each for each in words_of(DEFINITIONS)}["adds_up"]
    assert (words.asset, words.layer, words.owner) == ("crm/accounts", "raw", "data@example.com")
    assert (words.means, words.what_to_do) == ("They add up.", "Add again.")


@pytest.mark.parametrize(
    ("description", "means", "what_to_do"),
    [
        ("It is so. To do: look.", "It is so.", "Look."),
        ("It is so. A failure is a fault.", "It is so.", "A failure is a fault."),
        ("It is so. Land the rows shown.", "It is so.", "Land the rows shown."),
        ("It is so.", "It is so.", "The definition is at fault, not the data: show the owner the"),
    ],
)
def test_a_description_is_split_into_what_is_so_and_what_to_do(
    description: str, means: str, what_to_do: str
) -> None:
    """One blob of text where a page wants two."""
    found = split_words(description)
    assert found[0] == means
    assert found[1].startswith(what_to_do)


@pytest.fixture
def settings_of_nothing() -> Settings:
    return Settings(reporting_time_zone="UTC")
