"""A slow f, evaluated on a cluster: here a Dask LocalCluster of two processes.

    pip install "gradcheck[dask]"
    python examples/dask_cluster.py

First one of the workers is killed in the middle; then the client gives up and the cluster is gone, and another client on
another cluster goes on from the journal.  Any `concurrent.futures.Executor` will do in place of Dask's.  The values, and so the
report, are the same as without it.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time

import numpy as np

import gradcheck

D = 60


def f(x, calls=""):
    if calls:  # only to show how often it is called
        with open(calls, "a") as file:
            file.write(".")
    time.sleep(0.005)  # in earnest, a simulation
    return float(np.sum(np.cos(x[1:] * x[:-1])))


def grad(x, calls=""):
    s = np.sin(x[1:] * x[:-1])
    g = np.zeros_like(x)
    g[1:] -= s * x[:-1]
    g[:-1] -= s * x[1:]
    return g


@contextlib.contextmanager
def cluster_of_two():
    """A client of a new cluster of two processes, and the number of one of these."""
    from dask.distributed import Client, LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        client.wait_for_workers(2)
        yield client, next(iter(client.run(os.getpid).values()))


def values(report):
    return [entry.estimate.value for entry in report.entries]


def main() -> None:
    x = np.random.default_rng(0).standard_normal(D)
    alone = gradcheck.check_gradient(f, grad, x)
    print(f"alone: {alone.headline} {alone.engine}")

    killed = []
    with cluster_of_two() as (client, victim):

        def kill(phase, done, total, evaluations, detail):
            if done and not killed:
                os.kill(victim, 9)
                killed.append(victim)

        together = gradcheck.check_gradient(f, grad, x, executor=client.get_executor(), progress=kill)
    same = "the same to the last bit" if values(together) == values(alone) else "different"
    print(f"a worker killed: {together.headline} {together.engine}; the numeric derivatives are {same}")

    with tempfile.TemporaryDirectory() as folder:
        calls = os.path.join(folder, "calls")
        how = {"journal": os.path.join(folder, "run.db"), "args": (calls,)}
        with cluster_of_two() as (client, _):

            def give_up(phase, done, total, evaluations, detail):
                if phase == "entries" and done >= D // 2:
                    raise KeyboardInterrupt

            try:
                gradcheck.check_gradient(f, grad, x, executor=client.get_executor(), progress=give_up, **how)
            except gradcheck.CheckInterrupted:
                print(f"the client gave up after {os.path.getsize(calls)} calls of f")
        with cluster_of_two() as (client, _):
            again = gradcheck.check_gradient(f, grad, x, executor=client.get_executor(), **how)
        same = "the same to the last bit" if values(again) == values(alone) else "different"
        made = os.path.getsize(calls)
        print(f"another client: {again.headline} The numeric derivatives are {same}")
        print(f"f was called {made} times for {again.nfev} evaluations")


if __name__ == "__main__":
    main()
