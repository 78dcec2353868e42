"""Taking a load back, and keeping ledger and landing of one mind about what is withdrawn."""

from __future__ import annotations

import psycopg

from ingest import landing, ledger, queue, raw
from ingest.declaration import Source, find_source
from ingest.errors import Refusal, in_one_line
from ingest.load import load as load_file
from ingest.naming import label_of
from warehouse.platform import audit
from warehouse.platform.connection import LOADER, connect
from warehouse.platform.settings import Settings
from warehouse.steps import step


def withdraw(source: str, dataset: str, load_id: int, reason: str, by: str) -> str | None:
    """Take a load back: its rows out of raw, its bytes kept and read by no build and no rebuild, who and why in ops.withdrawal.

    Of a dataset that keeps only the newest release of each part, the one before it speaks again.

    Args:
        load_id: a load of that dataset whose rows stand in raw (`vru loads`).
        reason: why, in words; without anything personal, for it is shown.
        by: who says so.

    Returns:
        What loading the edition before it came to, in words; None where none had to be.

    Raises:
        Refusal: it is no such load, the edition before it cannot be loaded, or `reason` or `by` is no text; nothing changed.
    """
    chosen, declared = step.settings(), find_source(source)
    declared_dataset = declared.dataset(dataset)
    reason, by = _checked("reason", reason), _checked("by", by)
    again = None
    with connect(chosen, LOADER, autocommit=True) as connection:
        if load_id in settle_withdrawals(chosen, connection):
            return None  # it was withdrawn by a command that was killed before it had noted that beside the file
        with connection.transaction():
            queue.lock_shared(connection, source)
            row = connection.execute(
                "select landed_path, part, state from ops.load where source = %s and dataset = %s and load_id = %s",
                [source, dataset, load_id],
            ).fetchone()
            if row is None or row[2] not in {"loaded", "set_aside"}:
                raise Refusal(
                    "LOAD_IN_ANOTHER_STATE",
                    f"load {load_id} of {source} {dataset} {f'is {row[2]}' if row else 'is not in the ledger'}",
                    kept="nothing changed",
                    next_step="only a load that stands or is set aside can be withdrawn: state loaded or set_aside in `vru loads`",
                )
            landing.find(chosen.landing, row[0])
            raw.take_out_for_good(connection, source, dataset, [load_id])
            ledger.withdraw(connection, load_id, chosen.now(), by, reason)
            if declared_dataset.keep_releases == "newest_of_each_part":
                again = _load_before(connection, chosen, declared, dataset, row[1])
            audit.record(
                connection, LOADER, "withdraw", f"load {load_id}", why=reason, by=by, source=source, dataset=dataset
            )
        audit.note_head(chosen)
        # Only now: what is refused or killed before this is as if it had not been asked for.
        settle_withdrawals(chosen, connection)
    return again


def _checked(option: str, text: str) -> str:
    """What a person gave as an option, in one line. Raises Refusal where it is blank or has bytes that are no UTF-8."""
    if not text.strip() or any("\ud800" <= character <= "\udfff" for character in text):
        raise Refusal(
            "OPTION_INVALID",
            f"--{option} is {'not text in UTF-8' if text.strip() else 'empty'}",
            kept="nothing changed",
            next_step="give a reason",
        )
    return in_one_line(text.strip())


def settle_withdrawals(chosen: Settings, connection: psycopg.Connection) -> list[int]:
    """Make the notes beside landed files say what the ledger says, where a command was killed between the two.

    Bytes that the ledger does not know keep theirs: a home that is restored from landing alone has nothing else.

    Args:
        connection: as vru_loader, not in a transaction.

    Returns:
        The withdrawn loads that were noted now.
    """
    noted = []
    for load_id, path, withdrawn_at, by, reason in connection.execute(
        """select l.load_id, l.landed_path, w.withdrawn_at, w.withdrawn_by, w.reason
           from (select distinct on (source, dataset, sha256) * from ops.load where state <> 'refused'
                 order by source, dataset, sha256, load_id desc) as l
           left join ops.withdrawal as w on w.load_id = l.load_id"""
    ).fetchall():
        file = chosen.landing / path
        if withdrawn_at is None:
            landing.clear_withdrawal(file)
        elif file.is_file() and landing.read_withdrawal(file) is None:
            landing.note_withdrawal(file, withdrawn_at, by, reason)
            noted.append(load_id)
    return noted


def _load_before(
    connection: psycopg.Connection, chosen: Settings, declared: Source, dataset: str, part: str
) -> str | None:
    """Load the newest release of a part that was superseded and not withdrawn since; what that came to, None where there is none."""
    row = connection.execute(
        """select landed_path from ops.load as l where source = %s and dataset = %s and part = %s and state = 'superseded'
               and not exists (select from ops.load as o where o.source = l.source and o.dataset = l.dataset
                               and o.sha256 = l.sha256 and o.load_id > l.load_id and o.state = 'withdrawn')
           order by release_date desc, landed_at desc, load_id desc limit 1""",
        [declared.source, dataset, part],
    ).fetchone()
    if row is None:
        return None
    try:
        before = landing.find(chosen.landing, row[0])
        done = load_file(connection, declared, dataset, before, chosen.now(), chosen.landing)
    except Refusal as refusal:
        raise Refusal(
            refusal.code,
            f"the edition before it cannot take its place: {refusal.problem}",
            where=refusal.where,
            kept="nothing changed, and nothing is withdrawn",
            next_step="put that right, then withdraw again",
        ) from refusal
    return f"{label_of(before.provenance)}: {done}"


def refuse_withdrawn(file: landing.LandedFile, withdrawal: dict[str, str], but: str, else_do: str = "") -> Refusal:
    """The refusal of a file that somebody withdrew.

    Args:
        withdrawal: when, by whom and why (`landing.read_withdrawal`).
        but: what happened all the same.
        else_do: what else may be done about it.
    """
    return Refusal(
        "FILE_WITHDRAWN",
        f"was withdrawn on {withdrawal['withdrawn_at'][:10]} by {withdrawal['withdrawn_by']} ({withdrawal['reason']}) and {but}",
        where=f"{file.provenance.source} {file.provenance.dataset}, {label_of(file.provenance)}",
        kept="its bytes are in landing; it is in no build",
        next_step=f"if it is to stand again, land it by hand: `vru land`{else_do}",
    )
