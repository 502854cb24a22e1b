"""Champions by hand: a person says who serves from the next night on, and why; earlier nights keep theirs."""

from __future__ import annotations

from datetime import date, timedelta

import sqlalchemy as sa

from pipelines.errors import NothingToDo, UsageFault
from pipelines.home import Home
from pipelines.records import Row, model_performance
from pipelines.scoring.outputs import output_of
from pipelines.training.aliases import mirror
from pipelines.training.champions import decisions_of, is_stored, load_model, newest_night, succeed

PROMOTED, DEMOTED = "nightcart promote", "nightcart demote"
"""How `decided_by` begins, before who it was."""


def versions_of(home: Home, output: str) -> dict[str, Row]:
    """The versions whose files are stored, by name, the newest data first: model and trained_as_of of each."""
    served = [(row["model"], row["model_version"], row["trained_as_of"]) for row in decisions_of(home, output)]
    judged = model_performance.c
    query = sa.select(judged.model, judged.model_version, judged.as_of).distinct()
    query = query.where(judged.output == output, judged.kind == "offline", judged.model_version != judged.model)
    trained = [tuple(row.values()) for row in home.records.rows(query)]
    found = {
        version: {"model": model, "model_version": version, "trained_as_of": as_of}
        for model, version, as_of in sorted({*served, *trained}, key=lambda one: (one[2], one[1]), reverse=True)
    }
    return {version: row for version, row in found.items() if is_stored(home, output, version)}


def promote(home: Home, name: str, version: str, who: str, reason: str, is_dry_run: bool = False) -> Row:
    """Let a stored version serve from the next night on; returns the decision with what it takes over from.

    Raises:
        UsageFault: there is no such output or version, or no reason.
        NothingToDo: it serves already.
    """
    spec, known = output_of(name), versions_of(home, name)
    if version not in known:
        raise UsageFault(
            f"{name} has no version {version}", f"its versions are {', '.join(known) or 'none yet: train first'}"
        )
    load_model(home, spec, known[version])  # its files are what was stored
    return _decide(home, name, known[version], f"{PROMOTED} ({who})", reason, is_dry_run)


def demote(home: Home, name: str, who: str, reason: str, is_dry_run: bool = False) -> Row:
    """Let the champion before serve again from the next night on; where there was none, the baseline.

    Raises:
        UsageFault: there is no such output, or no reason.
        NothingToDo: nobody serves, or it is the baseline that does and nobody served before.
    """
    spec = output_of(name)
    line = line_of(decisions_of(home, name))
    if not line:
        raise NothingToDo(f"{name} has no champion", f"`nightcart train {name} AS_OF` makes one")
    by = f"{DEMOTED} ({who})"
    if len(line) > 1:
        load_model(home, spec, line[-2])
        return _decide(home, name, line[-2], by, reason, is_dry_run)
    baseline = spec.contestants()[0].name
    if line[-1]["model"] == baseline:
        raise NothingToDo(f"the baseline {baseline} serves, and nothing served before it", "train, or promote by hand")
    _check(reason)
    version = _baseline(home, name, newest_night(home) or line[-1]["trained_as_of"], is_dry_run)
    return _decide(home, name, version, by, reason, is_dry_run)


def line_of(decisions: list[Row]) -> list[Row]:
    """The champions that a demotion goes back through, the one that serves last: one taken back is out of the line."""
    line: list[Row] = []
    for decision in decisions:
        versions = [row["model_version"] for row in line]
        if decision["decided_by"].startswith(DEMOTED):
            line = line[: versions.index(decision["model_version"])] if decision["model_version"] in versions else []
        if not line or line[-1]["model_version"] != decision["model_version"]:
            line = [*line, decision]
    return line


def _decide(home: Home, name: str, version: Row, by: str, reason: str, is_dry_run: bool) -> Row:
    """Record it after all decisions there are, and let MLflow's alias follow."""
    from pipelines.training.tracking import tracking

    _check(reason)
    decisions = decisions_of(home, name)
    over = decisions[-1] if decisions else None
    if over and over["model_version"] == version["model_version"]:
        raise NothingToDo(
            f"{version['model_version']} serves {name} already", f"`nightcart champions {name}` lists who"
        )
    start = starts(home, version["trained_as_of"], over)
    found = {**version, "output": name, "effective_from": start, "decided_by": by, "reason": reason}
    found |= {"over": over["model_version"] if over else None, "is_dry_run": is_dry_run, "is_in_mlflow": None}
    if is_dry_run:
        return found
    if not succeed(home, name, version, start, by, reason, over):
        raise UsageFault(f"another decision on {name} was made just now", f"see `nightcart champions {name}`")
    with tracking(home, name):
        return found | {"is_in_mlflow": mirror(home, name)}


def starts(home: Home, trained_as_of: date, over: Row | None) -> date:
    """The first night that a decision by hand is for: none that began, and none before the last decision's."""
    newest = newest_night(home)
    first = newest + timedelta(days=1) if newest else trained_as_of
    return max(first, trained_as_of, over["effective_from"] if over else first)


def _baseline(home: Home, name: str, as_of: date, is_dry_run: bool) -> Row:
    """The baseline fitted on what was known at as_of, stored and registered."""
    from pipelines.training.train import fit_baseline

    if not is_dry_run:
        return fit_baseline(home, name, as_of)
    model = output_of(name).contestants()[0].name
    return {"model": model, "model_version": f"{model} (to be fitted)", "trained_as_of": as_of}


def _check(reason: str) -> None:
    if not reason.strip():
        raise UsageFault("the reason is empty", 'say why: --reason "..."; it is kept on record')
