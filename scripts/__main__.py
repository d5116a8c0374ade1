"""Let `python -m scripts` do what `mlops` does."""

from scripts.app import main

main()
