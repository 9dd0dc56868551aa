"""`python -m perennial` is `perennial`."""

from perennial.cli import main

main()
