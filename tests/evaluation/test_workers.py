"""Evaluation elsewhere: the same values whatever the number of workers, and no wrong answer when they fail."""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import pytest

from gradcheck import UsageError, UserCodeError
from gradcheck.evaluation.function import Function
from gradcheck.evaluation.jobs import as_future
from gradcheck.evaluation.workers import Workers

X = np.random.default_rng(0).standard_normal(30)
COLUMNS = np.arange(30)
STEPS = np.full(30, 1e-3)


def slow(x):
    time.sleep(1e-3)
    return float(np.sin(x).sum() + x[0] * x[-1])


def rows(x):
    time.sleep(1e-3)
    return np.sin(x).sum(axis=-1) + x[..., 0] * x[..., -1]


def deadly(x, main):
    if os.getpid() != main:
        os._exit(3)
    return slow(x)


def killed(x, main):
    if os.getpid() != main:
        os.kill(os.getpid(), signal.SIGKILL)
    return slow(x)


def deadly_once(x, main, trace):
    if os.getpid() != main and not trace.exists():
        trace.touch()
        os._exit(3)
    return slow(x)


class Odd(Exception):
    def __init__(self, one, two):
        super().__init__(one)


def raising(x):
    time.sleep(1e-3)
    if x[3] > X[3]:
        raise Odd("first", "second")
    return x.sum()


def evaluated(f, **options):
    """plus, minus and the Function, after what a check does first."""
    function = Function(f, X, **options)
    function.at(X)
    try:
        line = function.line(X, np.ones(30), np.array([1e-3, 1e-2]))
        pairs = function.pairs(X, COLUMNS, STEPS)
    finally:
        function.close()
    return np.concatenate([*line[:2], *pairs]), function


@pytest.fixture(autouse=True)
def _eager(monkeypatch):
    """Any work is worth starting processes for."""
    monkeypatch.setattr("gradcheck.evaluation.workers.START_WORTHWHILE", 0.0)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("jobs", [2, 3])
@pytest.mark.parametrize(("f", "options"), [(slow, {}), (rows, {"vectorized": True})], ids=["single", "rows"])
def test_values_do_not_depend_on_the_number_of_processes(f, options, jobs):
    alone, one = evaluated(f, **options)
    together, many = evaluated(f, jobs=jobs, **options)
    np.testing.assert_array_equal(together, alone)
    assert many.calls == one.calls
    assert many.engine == f"{one.engine} on {jobs} processes"
    assert many.notes == []


@pytest.mark.parametrize("workers", [1, 4])
def test_values_do_not_depend_on_the_number_of_threads(workers):
    with ThreadPoolExecutor(workers) as executor:
        together, function = evaluated(slow, executor=executor)
    np.testing.assert_array_equal(together, evaluated(slow)[0])
    assert function.engine == "one point at a time on ThreadPoolExecutor"


@pytest.mark.parametrize(
    ("worthwhile", "engine"),
    [(math.inf, "one point at a time"), (0.0, "one point at a time on ThreadPoolExecutor")],
    ids=["little", "much"],
)
def test_work_that_is_not_worth_it_stays_here(worthwhile, engine, monkeypatch):
    monkeypatch.setattr("gradcheck.evaluation.workers.WORTHWHILE", worthwhile)
    with ThreadPoolExecutor(2) as executor:
        _, function = evaluated(np.sum, executor=executor)
    assert function.engine == engine


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_what_f_raises_away_from_the_point_is_no_value_there():
    values, _ = evaluated(raising, jobs=2)
    np.testing.assert_array_equal(values, evaluated(raising)[0])
    assert np.isnan(values).sum() == 3


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_worker_that_dies_is_replaced(tmp_path):
    values, function = evaluated(deadly_once, args=(os.getpid(), tmp_path / "died"), jobs=2)
    np.testing.assert_array_equal(values, evaluated(slow)[0])
    assert (tmp_path / "died").exists()
    assert "a worker process ended (exit code 3)" in function.notes[0]
    assert len(function.notes) == 1


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_if_workers_are_killed_again_the_work_is_done_here():
    values, function = evaluated(killed, args=(os.getpid(),), jobs=2)
    np.testing.assert_array_equal(values, evaluated(slow)[0])
    assert "ended again (SIGKILL)" in function.notes[-1]


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_an_f_that_ends_its_process_is_named():
    with pytest.raises(UserCodeError, match=r"f ended its worker process again \(exit code 3\)"):
        evaluated(deadly, args=(os.getpid(),), jobs=2)


class Failing(Executor):
    """An executor of which the first `failures` pieces of work are lost."""

    def __init__(self, failures, error):
        self.failures, self.error = failures, error

    def submit(self, function, /, *args, **kwargs):
        future = Future()
        if self.failures:
            self.failures -= 1
            future.set_exception(self.error)
        else:
            future.set_result(function(*args, **kwargs))
        return future


@pytest.mark.parametrize("error", [BrokenProcessPool("died"), TimeoutError("late"), RuntimeError("shut down")])
def test_a_lost_piece_of_work_is_sent_again(error):
    values, function = evaluated(slow, executor=Failing(1, error))
    np.testing.assert_array_equal(values, evaluated(slow)[0])
    assert "were repeated" in function.notes[0]


def test_an_executor_that_goes_away_is_an_error():
    with pytest.raises(UserCodeError, match=r"the executor Failing failed \(TimeoutError: gone\)"):
        evaluated(slow, executor=Failing(1000, TimeoutError("gone")))


def test_an_executor_that_was_shut_down_is_an_error():
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    with pytest.raises(UserCodeError, match="after shutdown"):
        evaluated(slow, executor=executor)


def test_a_function_that_cannot_be_sent_is_named():
    with ProcessPoolExecutor(1) as executor, pytest.raises(UsageError, match="cannot be sent to another process"):
        evaluated(lambda x: slow(x), executor=executor)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_where_processes_start_anew_a_function_that_cannot_be_sent_is_evaluated_here(monkeypatch):
    monkeypatch.setattr(multiprocessing, "get_start_method", lambda: "spawn")
    values, function = evaluated(lambda x: slow(x), jobs=2)
    np.testing.assert_array_equal(values, evaluated(slow)[0])
    assert "cannot be sent" in function.notes[0]


def test_something_that_is_no_executor_is_named():
    with pytest.raises(UsageError, match="executor is int"):
        Function(slow, X, executor=3)


@pytest.mark.parametrize(
    ("count", "seconds", "piece"),
    [(1000, 1.0, 1), (1000, 1e-3, 63), (1000, 1e-6, 250), (10**7, 1e-6, 625_000), (3, 1e-3, 1), (10**5, 1e-3, 1000)],
)
def test_pieces_are_neither_tiny_nor_long(count, seconds, piece):
    assert Workers(4, ThreadPoolExecutor(1), []).piece(count, seconds) == piece


class Job:
    """What submitit returns: no future, and its `result` knows of no time limit."""

    def __init__(self, call, arguments, looks=2):
        self.call, self.arguments, self.looks, self.given_up = call, arguments, looks, False

    def done(self):
        self.looks -= 1
        return self.looks < 0

    def result(self):
        return self.call(*self.arguments)

    def exception(self):
        return None

    def cancel(self):
        self.given_up = True


class Queue:
    """Its executor."""

    def __init__(self):
        self.jobs = []

    def submit(self, call, *arguments):
        self.jobs.append(Job(call, arguments))
        return self.jobs[-1]


def test_jobs_that_are_no_futures_are_waited_for(monkeypatch):
    monkeypatch.setattr("gradcheck.evaluation.jobs.LOOK", (1e-4, 1e-4))
    queue = Queue()
    values, function = evaluated(slow, executor=queue)
    assert queue.jobs
    np.testing.assert_array_equal(values, evaluated(slow)[0])
    assert "Queue" in function.engine


def test_a_job_that_does_not_end_in_time_is_given_up(monkeypatch):
    monkeypatch.setattr("gradcheck.evaluation.jobs.LOOK", (1e-4, 1e-4))
    job = as_future(Job(slow, (X,), looks=10**9))
    with pytest.raises(TimeoutError):
        job.result(1e-3)
    job.cancel()
    assert job.cancelled()
    assert job.job.given_up


@pytest.mark.parametrize("library", ["submitit", "executorlib"])
def test_an_executor_of_slurm_works_on_one_machine(library, tmp_path):
    pytest.importorskip(library, reason=f"needs {library}, which no extra brings")
    (tmp_path / "m.py").write_text(
        "import time\nimport numpy as np\n"
        "def f(x):\n    time.sleep(0.02)\n    return float(np.sum(x**3))\n"
        "def g(x):\n    return 3 * x**2\n"
        "def submitit():\n    import submitit\n    return submitit.AutoExecutor(folder='logs', cluster='local')\n"
        "def executorlib():\n    import executorlib\n    return executorlib.SingleNodeExecutor(max_workers=2)\n"
    )
    words = ["m:f", "--grad", "m:g", "--point", "0.5", "--executor", f"m:{library}", "--journal", "run.db"]
    for _ in range(2):
        done = subprocess.run([sys.executable, "-m", "gradcheck", *words], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "Executor" in done.stdout


def test_a_cluster_loses_a_worker_in_the_middle(tmp_path):
    distributed = pytest.importorskip("distributed", reason="needs the extra dask")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, local_directory=str(tmp_path)
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        trace = Path(tmp_path) / "died"
        values, function = evaluated(deadly_once, args=(os.getpid(), trace), executor=client.get_executor())
        assert trace.exists()
    np.testing.assert_array_equal(values, evaluated(slow)[0])
    assert "ClientExecutor" in function.engine


@pytest.fixture
def loky():
    module = pytest.importorskip("loky", reason="needs the extra loky")
    yield module
    module.get_reusable_executor(max_workers=2).shutdown(kill_workers=True)


def test_values_do_not_depend_on_workers_of_loky(loky):
    together, many = evaluated(slow, executor=loky.get_reusable_executor(max_workers=2))
    alone, one = evaluated(slow)
    np.testing.assert_array_equal(together, alone)
    assert many.calls == one.calls
    assert many.notes == []


def test_loky_takes_what_pickle_does_not(loky):
    together, _ = evaluated(lambda x: slow(x), executor=loky.get_reusable_executor(max_workers=2))
    np.testing.assert_array_equal(together, evaluated(slow)[0])


def test_a_worker_of_loky_that_dies_is_an_error(loky, tmp_path):
    # loky gives up an executor of which a worker has died; the next one it hands out is as good as new.
    broken = loky.get_reusable_executor(max_workers=2)
    with pytest.raises(UserCodeError, match=r"failed \(TerminatedWorkerError"):
        evaluated(deadly_once, args=(os.getpid(), tmp_path / "died"), executor=broken)
    together, _ = evaluated(slow, executor=loky.get_reusable_executor(max_workers=2))
    np.testing.assert_array_equal(together, evaluated(slow)[0])
