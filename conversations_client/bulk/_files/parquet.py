"""Reads Parquet."""

import math
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import accumulate, islice, pairwise
from typing import Any, BinaryIO, Final

from attrs import frozen

from conversations_client.bulk._errors import BulkError
from conversations_client.bulk._files.column_names import quoted
from conversations_client.bulk._files.columns import METADATA, Columns
from conversations_client.bulk._files.formats import pyarrow
from conversations_client.bulk._files.rows import Fields, Key, Unreadable, from_table, key_of

_BATCH: Final = 1_000  # rows


class ParquetTable:
    """A Parquet file.

    Args:
        file: The open file.
        name: Its name, for error messages.

    Raises:
        BulkError: The file is not Parquet, or the `bulk` extra isn't installed.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._name = name
        self._arrow, parquet = pyarrow()
        with self._translate_errors():
            self._file = parquet.ParquetFile(file, page_checksum_verification=True)
            self._schema = self._file.schema_arrow
            if sum(self._sizes()) != self.total():
                raise self._damage()

    def total(self) -> int:
        """The number of rows."""
        return int(self._file.metadata.num_rows)

    def names(self) -> list[str]:
        """The names of the columns; those in a `metadata` struct have the form `metadata.model`."""
        names: list[str] = []
        with self._translate_errors():
            for field in self._schema:
                if field.name == METADATA and self._arrow.types.is_struct(field.type):
                    names += [f"{METADATA}.{inner.name}" for inner in field.type]
                else:
                    names.append(field.name)
        return names

    def rows(
        self, columns: Columns, start: int, stop: int | None
    ) -> Iterator[tuple[Fields | Unreadable, Key]]:
        """The fields and keys of the rows from `start` on; skips row groups without these rows.

        Raises:
            BulkError: The file is damaged, or has no key column.
        """
        if columns.key is not None and columns.key not in self.names():
            # A part of an import doesn't check the columns again.
            raise BulkError(f"{self._name}: There is no column {quoted(columns.key)}.")
        end = math.inf if stop is None else stop
        bounds = enumerate(pairwise(accumulate(self._sizes(), initial=0)))
        groups = {n: first for n, (first, after) in bounds if first < end and after > start}
        before = start - min(groups.values(), default=start)
        yield from islice(self._rows_of(list(groups), columns), before, None)

    def _sizes(self) -> list[int]:
        """The number of rows in each row group."""
        metadata = self._file.metadata
        return [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]

    def _rows_of(
        self, groups: list[int], columns: Columns
    ) -> Iterator[tuple[Fields | Unreadable, Key]]:
        with self._translate_errors():
            sent = [name for name in self.names() if columns.target(name) is not None]
            read = list(dict.fromkeys([*sent, *([] if columns.key is None else [columns.key])]))
            batches = self._file.iter_batches(batch_size=_BATCH, row_groups=groups, columns=read)
            for batch in batches:
                cells = [_values(self._column(batch, name)) for name in sent]
                keys = self._keys(batch, columns.key)
                for number, key in enumerate(keys):
                    row = {name: column[number] for name, column in zip(sent, cells, strict=True)}
                    yield _row(row, key, columns)

    def _keys(self, batch: Any, key: str | None) -> list[Any]:  # noqa: ANN401 - pyarrow has no types
        if key is None:
            return [None] * int(batch.num_rows)
        column = self._column(batch, key)
        types = self._arrow.types
        if not (types.is_timestamp(column.type) or types.is_time64(column.type)):
            return _values(column)
        try:
            # As text, because Python's times have no nanoseconds.
            texts = column.cast(self._arrow.string()).to_pylist()
        except self._arrow.ArrowException:  # an unknown time zone
            return _values(column)
        return [_Unconvertible() if _is_out_of_range(text) else text for text in texts]

    def _column(self, batch: Any, name: str) -> Any:  # noqa: ANN401
        """A column, or a field of the `metadata` struct."""
        if name in self._schema.names:
            return batch.column(name)
        metadata = batch.column(METADATA)
        field = metadata.type.get_field_index(name.removeprefix(f"{METADATA}."))
        return metadata.flatten()[field]

    @contextmanager
    def _translate_errors(self) -> Generator[None, None, None]:
        try:
            yield
        except (self._arrow.ArrowException, OSError, UnicodeDecodeError) as error:
            raise self._damage() from error

    def _damage(self) -> BulkError:
        return BulkError(
            f"{self._name} can't be read as Parquet: it is not a Parquet file, is damaged, or "
            "uses a feature that pyarrow lacks. Write it again."
        )


@frozen
class _Unconvertible:
    """A value that Python can't represent."""


def _is_out_of_range(text: str | None) -> bool:
    """Whether the text is pyarrow's placeholder for a time that it could not convert."""
    return text is not None and text.startswith("<")


def _values(column: Any) -> list[Any]:  # noqa: ANN401 - pyarrow has no types
    try:
        return list(column.to_pylist())
    except Exception:  # noqa: BLE001 - depends on the value that can't be converted
        return [_value(each) for each in column]


def _value(scalar: Any) -> object:  # noqa: ANN401 - pyarrow has no types
    try:
        return scalar.as_py()
    except Exception:  # noqa: BLE001 - as above
        return _Unconvertible()


def _row(cells: Fields, cell: object, columns: Columns) -> tuple[Fields | Unreadable, Key]:
    for name, value in {columns.key or "": cell, **cells}.items():
        if isinstance(value, _Unconvertible):
            return Unreadable(f"The value of {quoted(name)} can't be read."), None
    key = key_of(cell)
    if isinstance(key, Unreadable):
        return key, None
    return from_table(cells, columns), key
