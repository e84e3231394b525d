"""`python -m advisor`, and what `accelerate launch -m advisor run …` starts in each process."""

from advisor.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
