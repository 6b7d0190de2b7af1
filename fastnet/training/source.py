"""Where a training is in its data: the generators that decide the order, and how to come back to a batch in the middle of an epoch."""
from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from fastnet.training import rng
from fastnet.utils.data import DataLoader


class Source:
    """The training data, with its place.

    Args:
        data: an iterable of batches.

    A `DataLoader` comes back to batch k by drawing the order of the epoch again, from the generators' states at its beginning, and
    leaving out the first k batches, which are not fetched. A list does too. Any other iterable is gone through from the beginning of the
    epoch: it must give the same batches when the generators are as they were there. An object with `state_dict` and `load_state_dict`
    is asked for its own place.
    """

    def __init__(self, data: Any) -> None:
        self.data = data
        self.stateful = callable(getattr(data, "state_dict", None)) and callable(getattr(data, "load_state_dict", None))
        known = {id(rng.fn.default_generator): rng.fn.default_generator}
        fetched = data.dataset if isinstance(data, DataLoader) else data
        # what samples are made with; a generator that makes the order as well is found here
        self.inner = rng.find(fetched, known=known)
        order = [data.generator, data.sampler, data.batch_sampler] if isinstance(data, DataLoader) else []
        self.order = rng.find(order, known=known)
        self.epoch_state: dict[str, Any] = {}

    def length(self) -> int | None:
        """Batches an epoch, where the data tells."""
        try:
            return len(self.data)
        except TypeError:
            return None

    def begin(self, epoch: int) -> Iterator[Any]:
        """The batches of an epoch, counted from 1, which a dataset or a sampler with `set_epoch` is told, counted from 0."""
        self._tell(epoch)
        self.epoch_state = {"globals": rng.capture_globals(), "order": rng.capture(self.order), "inner": rng.capture(self.inner),
                            "pool": _pool_is_open(self.data)}
        return iter(self.data)

    def state(self) -> dict[str, Any]:
        """What `resume` needs, beside the number of batches done."""
        state = {"epoch": self.epoch_state, "globals": rng.capture_globals(), "order": rng.capture(self.order),
                 "inner": rng.capture(self.inner), "pool": _pool_is_open(self.data), "length": self.length()}
        if self.stateful:
            state["own"] = self.data.state_dict()
        return state

    def restore(self, state: dict[str, Any]) -> None:
        """Generators as they were between two epochs."""
        _open_pool(self.data, state["pool"])
        rng.restore(self.order, state["order"])
        if self.stateful:
            self.data.load_state_dict(state["own"])
        self._restore_samples(state)

    def resume(self, state: dict[str, Any], epoch: int, batches: int) -> Iterator[Any]:
        """The batches of an epoch of which `batches` are done.

        Raises: ValueError for data of another length.
        """
        if state["length"] != self.length():
            raise ValueError(f"resume: the checkpoint was made in the middle of an epoch of {state['length']} batches, this data has "
                             f"{self.length()}; give the same data")
        self._tell(epoch)
        start = self.epoch_state = state["epoch"]
        _open_pool(self.data, start["pool"])
        rng.restore_globals(start["globals"])
        rng.restore(self.order, start["order"])
        if self.stateful:
            self.data.load_state_dict(state["own"])
            rest = iter(self.data)
        elif isinstance(self.data, DataLoader):
            if self.data._stream:
                rng.restore(self.inner, start["inner"])
            rest = self.data.iterate(batches)
        elif isinstance(self.data, (list, tuple)):
            rest = islice(self.data, batches, None)
        else:
            rng.restore(self.inner, start["inner"])
            rest = iter(self.data)
            done = sum(1 for _ in islice(rest, batches))
            if done < batches:
                raise ValueError(f"resume: {batches} batches of the epoch are done, the data has only {done}; give the same data")
        self._restore_samples(state)
        return rest

    def _restore_samples(self, state: dict[str, Any]) -> None:
        """The generators that samples are made with: they are where they were, whether batches were fetched again or not."""
        rng.restore(self.inner, state["inner"])
        rng.restore_globals(state["globals"])

    def _tell(self, epoch: int) -> None:
        for part in _parts(self.data):
            if callable(getattr(part, "set_epoch", None)):
                part.set_epoch(epoch - 1)


def _parts(data: Any) -> list[Any]:
    """The data, its samplers, its dataset and the datasets that this is made of, each once."""
    found: list[Any] = []
    ahead = [data]
    while ahead:
        part = ahead.pop(0)
        if any(part is other for other in found):
            continue
        found.append(part)
        ahead += [getattr(part, name) for name in ("batch_sampler", "sampler", "dataset", "transform") if hasattr(part, name)]
        several = getattr(part, "datasets", ())
        ahead += several.values() if isinstance(several, dict) else several
    return found


def _pool_is_open(data: Any) -> bool:
    return isinstance(data, DataLoader) and data._pool is not None


def _open_pool(data: Any, was_open: bool) -> None:
    """Start the workers that persisted; their seed was drawn long ago, and must not be drawn from what is restored next."""
    if was_open and isinstance(data, DataLoader) and data.persistent_workers and data._pool is None:
        data._open_pool()
