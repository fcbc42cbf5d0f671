"""`python -m lk_portal` is `lk`."""

from lk_portal.cli import main

if __name__ == "__main__":
    main()
