"""The words of a name, as PostgreSQL's full text search indexes them.

One expression for index and query: an index on an expression serves only the very same one.
"""

from django.contrib.postgres.search import SearchVector
from django.db.models import F, Func, TextField, Value

CONFIG = "simple"  # names are not English: no stemming, no stop words


def words_of(*fields: str) -> SearchVector:
    """Letters and digits only, so that '1/10', 'A-Main' and O'DELL fall into the words people type."""
    return SearchVector(
        *(
            Func(
                F(name),
                Value("[^[:alnum:]]+"),
                Value(" "),
                Value("g"),
                function="regexp_replace",
                output_field=TextField(),
            )
            for name in fields
        ),
        config=CONFIG,
    )
