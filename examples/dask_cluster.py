"""A slow f, evaluated on a cluster: here a Dask LocalCluster of two processes, one of which is killed in the middle.

    pip install "gradcheck[dask]"
    python examples/dask_cluster.py

Any `concurrent.futures.Executor` will do in place of Dask's.  The values, and so the report, are the same as without it.
"""

from __future__ import annotations

import os
import time

import numpy as np

import gradcheck

D = 60


def f(x):
    time.sleep(0.005)  # in earnest, a simulation
    return float(np.sum(np.cos(x[1:] * x[:-1])))


def grad(x):
    s = np.sin(x[1:] * x[:-1])
    g = np.zeros_like(x)
    g[1:] -= s * x[:-1]
    g[:-1] -= s * x[1:]
    return g


def main() -> None:
    from dask.distributed import Client, LocalCluster

    x = np.random.default_rng(0).standard_normal(D)
    alone = gradcheck.check_gradient(f, grad, x)
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        client.wait_for_workers(2)
        victim = next(iter(client.run(os.getpid).values()))

        def kill(phase: str, done: int, total: int, evaluations: int, detail: str) -> None:
            nonlocal victim
            if victim and done:
                os.kill(victim, 9)
                victim = 0

        together = gradcheck.check_gradient(f, grad, x, executor=client.get_executor(), progress=kill)
    print(f"alone:    {alone.headline} {alone.engine}, {alone.seconds:.2f} s")
    print(f"together: {together.headline} {together.engine}, {together.seconds:.2f} s, one worker killed: {not victim}")
    same = [entry.estimate.value for entry in alone.entries] == [entry.estimate.value for entry in together.entries]
    print(f"the numeric derivatives are {'the same to the last bit' if same else 'different'}")


if __name__ == "__main__":
    main()
