"""python -m kagglekit: the same as kk."""

from kagglekit.cli import main

if __name__ == "__main__":
    main(prog_name="kk")
