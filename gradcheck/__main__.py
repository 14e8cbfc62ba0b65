"""``python -m gradcheck`` is the command line."""

from __future__ import annotations

import contextlib
import os
import sys

if __name__ == "__main__":
    with contextlib.suppress(OSError):  # the working directory may be gone
        if sys.path and sys.path[0] in ("", os.getcwd()):
            # -m puts it there: a struct.py of the user's would be what numpy imports.  Targets are found without it.
            del sys.path[0]
    from gradcheck.cli.entry import main

    main()
