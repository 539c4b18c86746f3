"""A Dask cluster as an executor: joined over mutual TLS, watched, and left with nothing on it.

Dask's own executor never gives up: where nobody is left to run what was sent, it waits. This one
ends what it was sent with an error that a person can do something about. Dask is imported here
alone, and only where a cluster is asked for.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import pkgutil
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from typing import Any, ParamSpec, TypeVar

from mtls_openssl.errors import MtlsError, UnreachableError, UsageError
from mtls_openssl.fleet import errand
from mtls_openssl.fleet.errand import Errand
from mtls_openssl.fleet.scheduler import NODE, Address, Identity
from mtls_openssl.language import Text, _

_TICK = 1.0
_LEAVING = 5.0
_LOUD = ("distributed", "tornado", "asyncio")
"""Those who log on standard error what is told here in other words."""

P = ParamSpec("P")
T = TypeVar("T")


@contextlib.contextmanager
def joined(address: Address, identity: Identity | None, limit: float) -> Iterator[Cluster]:
    """A cluster, for as long as the block lasts.

    Args:
        address: its scheduler's.
        identity: who we are to it; None to speak without TLS.
        limit: seconds to wait for a first worker, and later for a last one to come back.

    Raises:
        UsageError: Dask is not installed.
        UnreachableError: there is no scheduler, or it has no workers.
    """
    client = _client(address, identity, limit)
    cluster = Cluster(client, address, limit)
    try:
        cluster.wait_for_workers()
        yield cluster
    finally:
        cluster.shutdown(wait=False, cancel_futures=True)


def _client(address: Address, identity: Identity | None, limit: float) -> Any:
    try:
        from distributed import Client  # noqa: PLC0415 - an extra, and a second of start-up
        from distributed.security import Security  # noqa: PLC0415
    except ImportError:
        raise UsageError(
            _("--scheduler needs Dask, which is not installed."),
            fix=_("install it: {command}", command='pip install "mtls-openssl[dask]"'),
        ) from None
    _be_quiet()
    security = Security(require_encryption=False)
    if identity:
        security = Security(
            tls_ca_file=str(identity.ca),
            tls_client_cert=str(identity.certificate),
            tls_client_key=str(identity.key),
            require_encryption=True,
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of releases that differ: an errand sees to ours
            return Client(str(address), security=security, timeout=limit, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UnreachableError(
            _("The scheduler {address} does not answer as one.", address=str(address)),
            cause=str(error),
            fix=_("see that the same release of Dask is there as here, and what its own log says"),
        ) from None


def _be_quiet() -> None:
    for name in [*_LOUD, *logging.root.manager.loggerDict]:
        if name.partition(".")[0] in _LOUD:
            logger = logging.getLogger(name)
            logger.handlers = [logging.NullHandler()]
            logger.propagate = False
            logger.setLevel(logging.CRITICAL)


class Cluster(Executor):
    """The workers of a scheduler; make it with `joined`.

    Args:
        client: Dask's own client.
        address: the scheduler's.
        limit: seconds without any worker after which nobody waits any longer.
    """

    def __init__(self, client: Any, address: Address, limit: float) -> None:
        self._client = client
        self._address = address
        self._limit = limit
        # Not pure: the same command makes another key each time.
        self._dask = client.get_executor(pure=False)
        self._lock = threading.Lock()
        self._open: set[Future[Any]] = set()
        self._runs: set[str] = set()
        self._left = threading.Event()
        self._watch = threading.Thread(target=self._watched, daemon=True)

    def wait_for_workers(self) -> None:
        """Wait for a first worker, and watch from then on.

        Raises:
            UnreachableError: none comes, or one is of no use.
            OpensslNotFoundError: one has no openssl.
        """
        until = time.monotonic() + self._limit
        while not self.hands:
            if time.monotonic() > until:
                raise self._deserted()
            time.sleep(_TICK / 10)
        self._within(self._examine)
        self._watch.start()

    @property
    def hands(self) -> int:
        """How many errands it runs at the same time, as far as it answers."""
        try:
            found = self._client.sync(self._client.scheduler.ncores, callback_timeout=_LEAVING)
        except (OSError, RuntimeError, CancelledError):
            return 0
        return sum(found.values())

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have something run by a worker, as `Executor.submit`; all of it can be pickled."""
        ours: Future[T] = Future()
        try:
            theirs: Future[T] = self._dask.submit(fn, *args, **kwargs)
        except Exception as error:
            raise self._explained(error) from error
        with self._lock:
            self._open.add(ours)
            self._runs |= {one.run for one in args if isinstance(one, Errand)}
        # Not a word of itself in it: what refers to itself is let go late, and so is the key in it.
        theirs.add_done_callback(functools.partial(self._settled, ours))
        return ours

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - as its like
        """Leave the cluster with nothing of ours on it; twice does no harm.

        Args:
            wait: whether what was sent is waited for.
            cancel_futures: whether what has not begun is not begun any more; what has is ended.
        """
        if self._left.is_set():
            return
        if wait and not cancel_futures:
            for one in self._still_open():
                one.exception()
        self._left.set()
        for one in self._still_open():
            self._end(one, CancelledError())
        with contextlib.suppress(MtlsError):
            self._within(self._leave)

    def _examine(self) -> None:
        """See that all can do what they will be asked; Dask ends a worker that can't read it."""
        version = (pkgutil.resolve_name, f"{__package__.partition('.')[0]}:__version__")
        try:
            there = self._client.run_on_scheduler(*version)
        except ImportError:
            there = None
        found = {
            _("The scheduler {address}", address=str(self._address)): there,
            **{
                _("The worker {address}", address=worker): said
                for worker, said in self._client.run(*version, on_error="return").items()
            },
        }
        for where, said in found.items():
            if fault := errand.unlike(where, said):
                raise fault
        for said in self._client.run(errand.make_ready, on_error="return").values():
            if said is not None:
                raise self._explained(said)

    def _within(self, work: Callable[[], None]) -> None:
        """Have the cluster do something: one that is gone must not keep us for ever."""
        failed: list[BaseException] = []

        def done() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
                failed.append(error)

        worker = threading.Thread(target=done, daemon=True)
        worker.start()
        until = time.monotonic() + max(self._limit, _LEAVING)
        while worker.is_alive():
            worker.join(_TICK / 10)
            if time.monotonic() > until:
                raise UnreachableError(
                    _("The cluster of {address} does not answer.", address=str(self._address)),
                    cause=_("a worker hangs, or the connection to it"),
                    fix=_("end the workers that hang; then run the same command again"),
                )
        if failed:
            raise self._explained(failed[0])

    def _leave(self) -> None:
        with contextlib.suppress(Exception):
            self._dask.shutdown(wait=False)
            for run in self._runs:
                self._client.run(errand.stop, run, on_error="ignore")
        with contextlib.suppress(Exception):
            self._client.close(timeout=_LEAVING)

    def _still_open(self) -> list[Future[Any]]:
        with self._lock:
            return list(self._open)

    def _settled(self, ours: Future[T], theirs: Future[T]) -> None:
        try:
            result = theirs.result()
        except BaseException as error:  # noqa: BLE001 - whoever waits for it gets it
            self._end(ours, self._explained(error))
            return
        if self._taken(ours):
            ours.set_result(result)

    def _taken(self, ours: Future[Any]) -> bool:
        with self._lock:
            if ours not in self._open:
                return False
            self._open.discard(ours)
        return ours.set_running_or_notify_cancel()

    def _end(self, ours: Future[Any], error: BaseException) -> None:
        if self._taken(ours):
            ours.set_exception(error)

    def _watched(self) -> None:
        seen = time.monotonic()
        while not self._left.wait(_TICK):
            if self.hands:
                seen = time.monotonic()
            elif time.monotonic() - seen > self._limit:
                for one in self._still_open():
                    self._end(one, self._deserted())

    def _deserted(self) -> UnreachableError:
        return UnreachableError(
            _("The scheduler {address} has no workers.", address=str(self._address)),
            cause=_(
                "none has been there for {seconds:g} s, or the scheduler is gone",
                seconds=self._limit,
            ),
            fix=_(
                "start some, and run the same command again: {command}",
                command=f"dask worker {self._address}" + f" {NODE}" * self._address.is_private,
            ),
        )

    def _explained(self, error: BaseException) -> BaseException:
        """What went wrong with an errand, for a person."""
        if isinstance(error, MtlsError):
            return error
        if isinstance(error, CancelledError):
            return UnreachableError(
                _("The scheduler {address} has forgotten us.", address=str(self._address)),
                cause=_("it was started anew, or the connection to it was lost"),
                fix=_AGAIN,
            )
        if type(error).__name__ == "KilledWorker":
            return UnreachableError(
                _("Several workers were lost over the making of one key."),
                cause=_("they were killed, lack memory, or came later and have no mtls-openssl"),
                fix=_("look into their logs; then run the same command again"),
            )
        return UnreachableError(
            _("A worker could not do what it was asked."),
            cause=Text("{kind}: {error}", kind=type(error).__name__, error=str(error)),
            fix=_("look into its log; then run the same command again"),
        )


_AGAIN = _("run the same command again: it goes on where it was stopped")
