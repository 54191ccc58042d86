"""`python -m infra` is `deck`."""

from infra.deck import main

if __name__ == "__main__":
    main()
