"""What a workflow is: what sets it off, and its steps in their order."""

from functools import cached_property
from typing import Literal

from pydantic import Field

from assets.alerts.digests import digest
from assets.alerts.filters import FilterOperator, RuleFilter
from assets.alerts.receivers import Channel, Route, RuleName, SentTransition, Told
from assets.seed_files import SeedRow


class WorkflowStep(Told):
    """One step of a workflow: what is done, for whom, how many days after its trigger."""

    workflow: RuleName
    position: int = Field(ge=1)
    action: Literal["notify", "assign_task", "reminder", "escalate", "webhook"]
    channel: Channel
    target: str = Field(min_length=1)
    fallback: str | None = Field(default=None, validate_default=True)
    offset_days: int = Field(default=0, ge=0, le=366)
    due_in_days: int = Field(default=0, ge=0, le=366)
    title: str = Field(min_length=1)
    closes_with_alert: bool = True

    @property
    def route(self) -> Route:
        """The step as a route."""
        return Route(
            rule=self.workflow,
            position=self.position,
            channel=self.channel,
            target=self.target,
            fallback=self.fallback,
        )


class Workflow(SeedRow):
    """What happens, step by step, once a rule's alert opens or is resolved."""

    workflow: RuleName
    description: str = Field(min_length=1)
    rule: RuleName
    trigger: SentTransition
    attribute: str | None = None
    operator: FilterOperator | None = None
    value: str | None = None
    enabled: bool = True
    steps: tuple[WorkflowStep, ...] = Field(default=(), exclude=True)

    @property
    def condition(self) -> RuleFilter | None:
        """The condition on the account's attribute, if there is one."""
        if not (self.attribute and self.operator and self.value):
            return None
        return RuleFilter(
            rule=self.rule, attribute=self.attribute, operator=self.operator, value=self.value
        )

    @cached_property
    def version(self) -> str:
        """A hash of the workflow's row and its steps."""
        steps = [step.model_dump(mode="json") for step in self.steps]
        return digest({**self.model_dump(mode="json"), "steps": steps})[:16]
