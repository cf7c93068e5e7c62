"""Entry of a node's program: `python3 -I start.py CONFIG`.

Why it exists  the node's files lie side by side in a folder of any name; here they become a package, so that they can import each other.
Relies on      lying in that folder itself.
"""

from __future__ import annotations

import importlib
import os
import sys
import types

PACKAGE = "quorum_node"

if __name__ == "__main__":
    package = types.ModuleType(PACKAGE)
    package.__path__ = [os.path.dirname(os.path.abspath(__file__))]
    sys.modules[PACKAGE] = package
    importlib.import_module(PACKAGE + ".serve").main(sys.argv[1])
