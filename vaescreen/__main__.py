"""`python -m vaescreen`: the command line, for launchers that start modules."""

from vaescreen.cli import main

if __name__ == "__main__":
    main()
