"""Entry point of `python -m scripts`, which is the same program as `mlops`."""

from scripts.app import main

main()
