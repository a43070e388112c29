"""`python -m chat.local_gemini`: the server without Django."""

import argparse
import sys

from . import options, server
from .errors import BrainUnavailable


def main() -> int:
    """Run the server; 3 means that the brain cannot run here."""
    parser = argparse.ArgumentParser(prog="local_gemini", description=server.__doc__)
    options.add_arguments(parser)
    try:
        server.run(options.from_namespace(parser.parse_args()))
    except BrainUnavailable as error:
        sys.stderr.write(f"{error}\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
