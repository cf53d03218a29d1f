"""Text that lies encrypted in the database: keys, tokens, prompts, health values.

A value is sealed with the first of FIELD_KEYS and opened with any of them, so keys can be
rotated (add the new one in front, run `rotate_keys`, take the old one away). The name of the
column is sealed in with the value: moved to another column it does not open. A value that does
not open raises; it is never handed out as it lies.
"""

import hashlib
import json
from functools import lru_cache
from typing import Any, Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.utils.module_loading import import_string

MARK: Final = "fk1"


class SealBroken(Exception):
    """A stored secret does not open: the key is gone, or the value was changed or moved."""


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    if not keys:
        raise ImproperlyConfigured("Set FIELD_KEYS: secrets cannot be stored without a key.")
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise ImproperlyConfigured(
            "FIELD_KEYS must hold Fernet keys (32 bytes in url-safe base64)."
        ) from None


def _key_id(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:8]


def seal(value: str, *, context: str) -> str:
    """`fk1:<key id>:<token>`; only `unseal` with the same context gives the value back."""
    keys = tuple(settings.FIELD_KEYS)
    inner = json.dumps({"c": context, "v": value}, ensure_ascii=False)
    return f"{MARK}:{_key_id(keys[0]) if keys else ''}:{_fernet(keys).encrypt(inner.encode()).decode()}"


def unseal(stored: str, *, context: str) -> str:
    """The value; SealBroken when it does not open here."""
    mark, _, rest = stored.partition(":")
    token = rest.partition(":")[2]
    if mark != MARK or not token:
        raise SealBroken(f"What lies in {context} is not sealed.")
    try:
        inner = json.loads(_fernet(tuple(settings.FIELD_KEYS)).decrypt(token.encode()))
    except InvalidToken:
        raise SealBroken(f"What lies in {context} does not open with any of FIELD_KEYS.") from None
    if inner["c"] != context:
        raise SealBroken(f"What lies in {context} was sealed for another place.")
    return inner["v"]


def is_newest(stored: str) -> bool:
    """Whether this value is sealed with the first of FIELD_KEYS."""
    return stored.startswith(f"{MARK}:{_key_id(settings.FIELD_KEYS[0])}:")


class EncryptedTextField(models.TextField):
    """Text, sealed in the database. It cannot be searched or sorted by; empty stays empty."""

    description = "Encrypted text"

    @property
    def context(self) -> str:
        return f"{self.model._meta.label}.{self.attname}"

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        return self._sealed(value)

    def _sealed(self, value: Any) -> Any:
        if value is None or value == "":
            return value
        if hasattr(value, "resolve_expression"):
            raise FieldError(f"{self.context} is encrypted: give it a value, not an expression.")
        return seal(self._to_text(value), context=self.context)

    def _to_text(self, value: Any) -> str:
        return str(value)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        if value is None or value == "":
            return value
        return self._from_text(unseal(value, context=self.context))

    def _from_text(self, text: str) -> Any:
        return text

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name == "isnull":
            return super().get_lookup(lookup_name)
        raise FieldError(f"{self.context} is encrypted and cannot be searched.")

    def get_transform(self, lookup_name: str) -> Any:
        raise FieldError(f"{self.context} is encrypted and cannot be searched.")


class EncryptedJSONField(EncryptedTextField):
    """Plain data, sealed as JSON. None is stored as NULL."""

    description = "Encrypted JSON"

    def _sealed(self, value: Any) -> Any:
        return None if value is None else seal(self._to_text(value), context=self.context)

    def _to_text(self, value: Any) -> str:
        return json.dumps(value, cls=DjangoJSONEncoder)

    def _from_text(self, text: str) -> Any:
        return json.loads(text)

    def to_python(self, value: Any) -> Any:
        return value


def encrypted_fields() -> list[tuple[type[models.Model], list[EncryptedTextField]]]:
    """Every model with sealed columns."""
    found = []
    for model in apps.get_models():
        fields = [f for f in model._meta.concrete_fields if isinstance(f, EncryptedTextField)]
        if fields:
            found.append((model, fields))
    return found


def faults() -> list[str]:
    """What is wrong with FIELD_KEYS, in words for the operator: no key, no key at all like one, or
    keys that do not open the newest value of a column. Opens one value per column."""
    try:
        _fernet(tuple(settings.FIELD_KEYS))
    except ImproperlyConfigured as fault:
        return [str(fault)]
    found = []
    for model, fields in encrypted_fields():
        for field in fields:
            rows = model._default_manager.annotate(raw=_Raw(field.column)).order_by("-pk")
            stored = rows.exclude(raw=None).exclude(raw="").values_list("raw", flat=True).first()
            try:
                if stored:
                    unseal(stored, context=field.context)
            except SealBroken as fault:
                found.append(f"{fault} Put the key it was sealed with back, behind the new one.")
    return found


def rotate(*, batch: int = 500) -> int:
    """Seal every stored secret anew with the first key; how many rows and files were written."""
    written = sum(import_string(name)() for name in settings.SEALED_FILES)
    for model, fields in encrypted_fields():
        last: Any = None
        while True:
            rows = model._default_manager.order_by("pk")
            if last is not None:
                rows = rows.filter(pk__gt=last)
            with transaction.atomic():
                page = list(rows.select_for_update(of=("self",))[:batch])
                for row in page:
                    raw = model._default_manager.filter(pk=row.pk).annotate(
                        **{f"raw_{f.attname}": _Raw(f.column) for f in fields}
                    )
                    stored = raw.values_list(*(f"raw_{f.attname}" for f in fields)).get()
                    if any(value and not is_newest(value) for value in stored):
                        row.save(update_fields=[f.attname for f in fields])
                        written += 1
            if not page:
                break
            last = page[-1].pk
    return written


class _Raw(models.Expression):
    """A column as it lies, without opening it."""

    def __init__(self, column: str):
        super().__init__(output_field=models.TextField())
        self._column = column

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list]:
        table = connection.ops.quote_name(compiler.query.get_initial_alias())
        return f"{table}.{connection.ops.quote_name(self._column)}", []
