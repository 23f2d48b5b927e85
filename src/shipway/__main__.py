"""``python -m shipway`` runs the program."""

from shipway.cli import main

if __name__ == "__main__":
    main()
