"""Numbers by name, such as averages and features, as columns of their own."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def spread(table: pa.Table) -> pa.Table:
    """Return a table whose maps of numbers are columns, each named as its number.

    A number that a row has not is null. One that is called like another column has the map's name
    in front.

    Examples
    --------
    >>> kind = pa.map_(pa.string(), pa.float64())
    >>> values = pa.array([[("sma5", 7.0)], [("sma5", 8.0), ("sma20", 9.0)]], kind)
    >>> spread(pa.table({"seq": [1, 2], "values": values})).to_pydict()
    {'seq': [1, 2], 'sma5': [7.0, 8.0], 'sma20': [None, 9.0]}

    """
    columns: dict[str, pa.Array | pa.ChunkedArray] = {}
    for name in table.column_names:
        column = table.column(name)
        if not pa.types.is_map(column.type) or not pa.types.is_floating(column.type.item_type):
            columns[name] = column
            continue
        for key, numbers in _columns(column):
            columns[f"{name}.{key}" if key in (*columns, *table.column_names) else key] = numbers
    return pa.table(columns)


def _columns(maps: pa.ChunkedArray) -> list[tuple[str, pa.Array]]:
    """Return the numbers of each key, in the order in which keys are first met."""
    kind = pa.list_(pa.struct([("key", pa.string()), ("value", pa.float64())]))
    pairs = maps.combine_chunks().cast(kind)
    names, values = pairs.flatten().flatten()
    rows = pc.list_parent_indices(pairs).to_numpy()
    keys, items = names.dictionary_encode(), values.to_numpy()
    codes, found = keys.indices.to_numpy(), []
    for code, key in enumerate(keys.dictionary.to_pylist()):
        numbers, missing = np.zeros(len(maps)), np.ones(len(maps), bool)
        here = codes == code
        numbers[rows[here]] = items[here]
        missing[rows[here]] = False
        found.append((key, pa.array(numbers, mask=missing)))
    return found
