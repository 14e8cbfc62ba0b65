"""What code may name that provably computes: modules of mathematics, what of them is denied, builtins, attributes, syntax."""

from __future__ import annotations

import ast

import numpy as np


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MODULES = (  # of mathematics: what they hold may be called, but for DENIED
    "numpy",
    "numpy.linalg",
    "numpy.fft",
    "numpy.polynomial",
    "numpy.ma",
    "math",
    "cmath",
    "operator",
    "itertools",
    "functools",
    "scipy",
    "scipy.special",
    "scipy.linalg",
    "scipy.sparse",
    "scipy.sparse.linalg",
    "scipy.fft",
    "scipy.signal",
    "scipy.stats",
    "scipy.spatial",
    "scipy.spatial.distance",
    "scipy.interpolate",
    "scipy.integrate",
    "scipy.ndimage",
    "scipy.optimize",
    "torch",
    "torch.linalg",
    "torch.special",
    "torch.fft",
    "torch.nn.functional",
    "jax",
    "jax.numpy",
    "jax.numpy.linalg",
    "jax.nn",
    "jax.scipy.special",
    "jax.scipy.linalg",
    "jax.lax",
)
DENIED = _words(
    """save savez savez_compressed savetxt load loadtxt genfromtxt fromfile fromregex memmap DataSource open_memmap
    seterr seterrcall setbufsize set_printoptions printoptions show_config show_runtime info test get_include
    source lookfor random rand randn randint frompyfunc from_file set_default_dtype set_default_device manual_seed
    seed compile save_npz load_npz hub jit pure_callback io_callback debug experimental host_callback
    LowLevelCallable cache lru_cache attrgetter methodcaller config"""
)
ROOTS = frozenset(name.partition(".")[0] for name in MODULES)
SCIENCE = frozenset(
    {"numpy", "scipy", "torch", "jax", "jaxlib"}
)  # whose objects compute: sparse arrays, splines, tensors
BUILTINS = _words(
    """abs all any bool complex dict divmod enumerate filter float frozenset int isinstance issubclass len list map
    max min pow property range reversed round set slice sorted str sum super tuple zip ArithmeticError
    AssertionError Exception FloatingPointError IndexError KeyError NotImplementedError OverflowError RuntimeError
    StopIteration TypeError ValueError ZeroDivisionError NotImplemented Ellipsis __debug__"""
)
NEVER = _words(
    """tofile dump dumps setflags setfield format format_map newbyteorder encode backward requires_grad_ apply_"""
)
ATTRIBUTES = (  # that mean the same on every permitted kind of value
    frozenset(
        name
        for kind in (np.ndarray, np.float64, list, tuple, dict, set, str, int, float, complex, slice, range)
        for name in dir(kind)
        if not name.startswith("_")
    )
    | _words(
        """tocsr tocsc tocoo todia tolil toarray todense multiply transpose power maximum minimum getrow getcol data
    indices indptr nnz row col pdf cdf logpdf logcdf ppf sf logsf isf deriv integ derivative antiderivative solve
    eigenvalues eigenvectors U S Vh Q R L P sign logabsdet at reduce accumulate outer reduceat fun root success
    matmul mm mv exp log log1p expm1 sqrt sin cos tan tanh sigmoid relu softmax logsumexp abs square pow unsqueeze
    permute t numel dim detach clone view new_zeros new_ones zeros_like item tolist norm float double long bool to
    cpu numpy expand gather masked_fill unbind flip cumsum eps max min tiny register_forward func args keywords"""
    )
) - NEVER
FORBIDDEN = {
    ast.Global: "writes a global",
    ast.Nonlocal: "writes a variable of an outer function",
    ast.Import: "imports",
    ast.ImportFrom: "imports",
    ast.AsyncFunctionDef: "is asynchronous",
    ast.AsyncFor: "is asynchronous",
    ast.AsyncWith: "is asynchronous",
    ast.Await: "is asynchronous",
    ast.Yield: "is a generator",
    ast.YieldFrom: "is a generator",
    ast.ClassDef: "defines a class",
    ast.Match: "matches patterns",
}
CONTEXTS = frozenset({"errstate", "no_grad"})  # of mathematics that a with statement may enter
MOST_ITEMS = 100_000  # of a container that are looked at
