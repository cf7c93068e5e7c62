"""Entry of the agent, as a folder, as a zip, or as `python -m nemeses.agent`.

Why it exists  run as a folder a program has no package, and the modules beside it import each other relatively; so it is given one.
"""

from __future__ import annotations

import os
import sys

if __package__:
    from .serve import main
else:
    import types

    package = types.ModuleType("splitbrain_agent")
    package.__path__ = [os.path.dirname(os.path.abspath(__file__))]  # a zip's path works as well: the importer for it finds modules inside
    sys.modules["splitbrain_agent"] = package
    from splitbrain_agent.serve import main  # type: ignore[import-not-found,no-redef]

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
