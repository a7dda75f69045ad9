"""Runs one stage of the pipeline ahead of the next in a thread, behind a queue bounded in bytes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Generic, TypeVar

T = TypeVar("T")
AHEAD_BYTES = 24 * 1024 * 1024
"""Frames that wait between two stages of a job."""


class StageStopped(Exception):
    """The stage was closed while another still wanted items from it; ends that one too."""


class RunAhead(Generic[T]):
    """An iterator over what another iterable yields in its own thread.

    An exception of the stage is raised here, in the consumer, with its traceback. Close it (it is a
    context manager) to stop the stage early: it is asked to stop, its queue is emptied and the
    thread is joined, in this order, because a stage that waits for space in the queue would never
    see the request.
    """

    def __init__(self, source: Iterable[T], *, nbytes: Callable[[T], int], limit: int, name: str) -> None:
        """Start the thread.

        Args:
            source: is iterated in the thread, and closed there if it is a generator.
            nbytes: size of an item in bytes.
            limit: the queue takes another item while it holds less than this many bytes.
            name: of the thread.
        """
        self._source = source
        self._nbytes = nbytes
        self._limit = limit
        self._items: deque[tuple[T, int]] = deque()
        self._held = 0
        self._stopped = self._finished = False
        self._error: BaseException | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._produce, name=name, daemon=True)
        self._thread.start()

    def __enter__(self) -> RunAhead[T]:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        with self._changed:
            while not self._items and not self._finished and not self._stopped:
                self._changed.wait()
            if self._stopped:
                # not StopIteration: the next stage must not mistake this for the end of the video
                raise StageStopped
            if self._items:
                item, size = self._items.popleft()
                self._held -= size
                self._changed.notify_all()
                return item
            error, self._error = self._error, None
        if error is not None:
            raise error
        raise StopIteration

    def close(self) -> None:
        """Stop the stage and wait for its thread; can be called twice."""
        with self._changed:
            self._stopped = True
            self._items.clear()
            self._changed.notify_all()
        self._thread.join()

    def _produce(self) -> None:
        iterator = iter(self._source)
        try:
            for item in iterator:
                with self._changed:
                    while self._held >= self._limit and not self._stopped:
                        self._changed.wait()
                    if self._stopped:
                        break
                    size = self._nbytes(item)
                    self._items.append((item, size))
                    self._held += size
                    self._changed.notify_all()
                del item  # a waiting stage must not keep the last frame in memory
        except BaseException as exc:
            self._error = exc
        finally:
            try:
                closer = getattr(iterator, "close", None)
                if closer is not None:
                    closer()
            except BaseException as exc:
                self._error = self._error or exc
            finally:
                with self._changed:
                    self._finished = True
                    self._changed.notify_all()


def ahead(items: Iterable[T], nbytes: Callable[[T], int], name: str, stages: ExitStack) -> RunAhead[T]:
    """Let a stage work ahead of the next one in its own thread, until the stack is closed.

    Args:
        items: what the stage yields.
        nbytes: size of an item in bytes.
        name: of the thread, after "anonator-".
        stages: closes it.
    """
    return stages.enter_context(RunAhead(items, nbytes=nbytes, limit=AHEAD_BYTES, name=f"anonator-{name}"))
