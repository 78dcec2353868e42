"""`python -m warehouse.cli`: what the `vru` command runs."""

from warehouse.cli import main

if __name__ == "__main__":
    main()
