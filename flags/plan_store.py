"""The plans that are stored: each version once, none ever changed."""

import json
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from flags import plan_needs, plans
from flags.errors import InvalidValue, RolloutRefused, UnknownRollout
from flags.gates import fitness
from flags.models import RolloutPlan
from flags.plans import Plan

_SEEDER = "first start"


def seed() -> None:
    """Store the default plan, unless that version is there; safe at every start."""
    guide = plans.GUIDE
    RolloutPlan.objects.get_or_create(
        name=guide.name,
        version=guide.version,
        defaults={"body": json.loads(guide.to_text()), "created_by": _SEEDER},
    )


def find(name: str) -> RolloutPlan:
    """Return a plan: `name` its newest version, `name@2` that one.

    Raises: UnknownRollout, naming those there are.
    """
    bare, _, version = name.partition("@")
    found = RolloutPlan.objects.filter(name=bare).order_by("-version")
    if version:
        found = found.filter(version=int(version) if version.isdecimal() else 0)
    if plan := found.first():
        return plan
    every = RolloutPlan.objects.order_by("name", "version")
    known = ", ".join(map(str, every)) or "none"
    raise UnknownRollout(f"There is no plan {name!r}; there are: {known}.")


def newest() -> list[RolloutPlan]:
    """Return every version of every plan, the newest of each name first."""
    return list(RolloutPlan.objects.order_by("name", "-version"))


def read(document: Mapping[str, Any] | object) -> Plan:
    """Return the plan that a document stands for. Raises: InvalidValue."""
    if not isinstance(document, Mapping):
        raise InvalidValue('This is no plan: an object with "phases" is needed.')
    try:
        return Plan.of(document)
    except ValueError as error:
        raise InvalidValue(str(error)) from error


def read_stored(stored: RolloutPlan) -> Plan:
    """Return the plan of a row. Raises: InvalidValue: another release's, say."""
    try:
        return read(stored.body)
    except InvalidValue as error:
        raise InvalidValue(
            f"This release can't read the plan {stored}: {error}"
        ) from error


def read_or_none(stored: RolloutPlan) -> Plan | None:
    """Return the plan of a row; None: this release can't read it."""
    try:
        return read_stored(stored)
    except InvalidValue:
        return None


def faults(plan: Plan) -> list[str]:
    """Return what is wrong with a plan, a sentence each; none: it can be followed."""
    return [*plans.faults(plan), *plan_needs.faults(plan), *fitness.faults(plan)]


def stored_already(plan: Plan) -> RolloutPlan | None:
    """Return its row; None: it is new, and may be stored. Changes nothing.

    Raises: RolloutRefused for one with faults, or a version that says other things.
    """
    if wrong := faults(plan):
        raise RolloutRefused(f"This plan can't be followed. {' '.join(wrong)}")
    same_name = RolloutPlan.objects.filter(name=plan.name).order_by("-version")
    stored = same_name.filter(version=plan.version).first()
    if stored is None:
        return None
    same = read_or_none(stored)
    if same and same.digest == plan.digest:
        return stored
    following = same_name[0].version + 1
    raise RolloutRefused(
        f"{plan.name}@{plan.version} is stored and says something else; no version "
        f'is ever changed. Give this one "version": {following}.'
    )


def add(plan: Plan, *, by: str) -> tuple[RolloutPlan, bool]:
    """Store a version; return it, and whether it is new.

    Raises: RolloutRefused for one with faults, or a version that says other things.
    """
    if stored := stored_already(plan):
        return stored, False
    try:
        with transaction.atomic():
            made = RolloutPlan.objects.create(
                name=plan.name,
                version=plan.version,
                body=json.loads(plan.to_text()),
                created_by=by,
            )
    except IntegrityError:
        # Somebody else was first: with the same, or with something else.
        if stored := stored_already(plan):
            return stored, False
        raise
    return made, True
