"""python -m kagglekit: the same as kk."""

from kagglekit.cli import main

main()
