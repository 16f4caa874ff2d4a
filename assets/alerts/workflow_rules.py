"""What a workflow is: what sets it off, and its steps in their order."""

from functools import cached_property
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from assets.alerts.digests import digest
from assets.alerts.filters import WorkflowCondition
from assets.alerts.receivers import ROLES, Channel, Route, RuleName, SentTransition, Told
from assets.placeholders import check_placeholders
from assets.seed_files import SeedRow

# A task is somebody's, and what is escalated goes to the manager.
_FOR: dict[str, tuple[str, ...]] = {"assign_task": ROLES, "escalate": ("manager",)}


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

    @field_validator("channel")
    @classmethod
    def _calls_a_webhook_by_webhook(cls, channel: Channel, info: ValidationInfo) -> Channel:
        if info.data.get("action") == "webhook" and channel != "webhook":
            raise ValueError(f"'{channel}' is no webhook; allowed is webhook")
        return channel

    @field_validator("target")
    @classmethod
    def _is_for_whom_the_action_is(cls, target: str, info: ValidationInfo) -> str:
        action = str(info.data.get("action"))
        allowed = _FOR.get(action)
        if allowed and target not in allowed:
            raise ValueError(f"'{target}' is not for '{action}'; allowed is {', '.join(allowed)}")
        return target

    @field_validator("title")
    @classmethod
    def _names_known_placeholders(cls, title: str) -> str:
        return check_placeholders(title, ("account", "scope"))

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
    enabled: bool = True
    conditions: tuple[WorkflowCondition, ...] = Field(default=(), exclude=True)
    steps: tuple[WorkflowStep, ...] = Field(default=(), exclude=True)

    @cached_property
    def version(self) -> str:
        """A hash of the workflow's row, its conditions and its steps."""
        parts = {"conditions": self.conditions, "steps": self.steps}
        rows = {name: [row.model_dump(mode="json") for row in of] for name, of in parts.items()}
        return digest({**self.model_dump(mode="json"), **rows})[:16]
