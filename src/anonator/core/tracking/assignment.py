"""Which rows go with which columns at the lowest total cost: the assignment problem.

Source: D. F. Crouse, "On implementing 2D rectangular assignment algorithms", IEEE Transactions on Aerospace
and Electronic Systems 52 (2016). The steps come in the order of SciPy's linear_sum_assignment, so that equal
costs are decided alike.
"""

from __future__ import annotations

import numpy as np

from anonator.core.frames import Float32Array, Float64Array


def cheapest_pairs(cost: Float32Array | Float64Array) -> list[tuple[int, int]]:
    """Pair rows and columns, as many as there are of the fewer, so that the costs add up to the least.

    Args:
        cost: (N, M) of each row with each column; finite.

    Returns:
        (row, column) in order of the rows. Of several answers that cost the same it is SciPy's.

    Raises:
        ValueError: a cost is no number, or infinite.
    """
    if not np.isfinite(cost).all():  # the search would not end
        raise ValueError("a cost is no number")
    rows, columns = cost.shape
    if columns < rows:
        return sorted((row, column) for column, row in cheapest_pairs(cost.T))
    search = _Search(np.asarray(cost, np.float64))
    for row in range(rows):
        search.add(row)
    return list(enumerate(search.column_of))


class _Search:
    """Shortest augmenting paths: rows come one by one, and each may push others to their second choice."""

    def __init__(self, cost: Float64Array) -> None:
        self._cost, self._lists = cost, cost.tolist()
        rows, columns = cost.shape
        self.column_of, self._row_of = [-1] * rows, [-1] * columns
        self._of_rows = [0.0] * rows
        self._of_columns: Float64Array | None = None
        """What each has paid so far for making way for others; None as long as no column has paid."""

    def add(self, row: int) -> None:
        """Give one more row its column."""
        if not self._takes_its_best(row):
            self._augment(row)

    def _takes_its_best(self, row: int) -> bool:
        """Give the row its cheapest column if that is free, as it nearly always is; whether it was."""
        paid = self._of_columns
        costs = self._lists[row] if paid is None else (self._cost[row] - paid).tolist()
        lowest, column = min(costs), -1
        for _ in range(costs.count(lowest)):
            column = costs.index(lowest, column + 1)
            if self._row_of[column] < 0:
                self.column_of[row], self._row_of[column] = column, row
                self._of_rows[row] = lowest
                return True
        return False

    def _augment(self, new: int) -> None:
        columns = self._cost.shape[1]
        if self._of_columns is None:
            self._of_columns = np.zeros(columns)
        left = np.arange(columns)[::-1].copy()  # of equal columns the first is taken, being the last
        taken_by = np.array(self._row_of)
        shortest, came_from = np.full(columns, np.inf), np.full(columns, -1)
        row, length, sink = new, 0.0, -1
        passed_rows, passed_columns = [], []
        while sink < 0:
            passed_rows.append(row)
            way = length + self._cost[row, left] - self._of_rows[row] - self._of_columns[left]
            shorter = way < shortest[left]
            shortest[left[shorter]], came_from[left[shorter]] = way[shorter], row
            best = np.flatnonzero(shortest[left] == shortest[left].min())
            free = best[taken_by[left[best]] < 0]
            place = int(free[-1] if len(free) else best[0])
            column = int(left[place])
            length = float(shortest[column])
            passed_columns.append(column)
            if taken_by[column] < 0:
                sink = column
            else:
                row = int(taken_by[column])
            left[place] = left[-1]
            left = left[:-1]
        self._of_rows[new] += length
        for row in passed_rows[1:]:
            self._of_rows[row] += length - shortest[self.column_of[row]]
        for column in passed_columns:
            self._of_columns[column] -= length - shortest[column]
        column = sink
        while True:
            row = int(came_from[column])
            self._row_of[column] = row
            self.column_of[row], column = column, self.column_of[row]
            if row == new:
                return
