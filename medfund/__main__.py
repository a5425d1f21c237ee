"""``python -m medfund``."""

import sys

from medfund.cli import main

if __name__ == "__main__":
    sys.exit(main())
