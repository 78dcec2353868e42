"""How data are to be handled: what each source, model and column says of itself, in the same words."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ingest.declaration.columns import Strict


class Handling(Strict):
    """Who may see data, by what right they are held, and how they may leave. Declared for a source in its source.yml, for a model in dbt's meta.

    Attributes:
        classification: of the Government Security Classifications.
        owner: whose data they are, or who keeps them.
        legal_gateway: by what law or licence they came; pcsc_s17 is section 17 of the Police, Crime, Sentencing and Courts Act 2022, which
            lets nothing out of the restricted schemas; of_each_source where several came together.
        istv_level: the finest use that Information Sharing to Tackle Violence knows: 1 areas, 2 places within them, 3 persons.
        personal_data: none; small_counts, of which one may be of one person; events, a row each; or of_a_person, what a row says of one.
        special_category: of the UK GDPR, article 9.
        retention_days: how long a file of it may be kept.
        publish_rule: how counts may leave (marts_open.publishable); of_each_source where several came together.
    """

    classification: Literal["OFFICIAL", "OFFICIAL-SENSITIVE"]
    owner: str
    legal_gateway: Literal[
        "open_data", "information_sharing_agreement", "pcsc_s16", "pcsc_s17", "cda_s17a", "of_each_source"
    ]
    istv_level: Literal[1, 2, 3]
    personal_data: Literal["none", "small_counts", "events", "of_a_person"]
    special_category: Literal["none", "health", "ethnic_group"]
    retention_days: Literal["unlimited"] | Annotated[int, Field(gt=0)]
    publish_rule: Literal["open", "suppress_1_to_7_round_5", "of_each_source"]


KEYS = tuple(Handling.model_fields)
