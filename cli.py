"""Runs `advise` from a checkout without installing it: python cli.py --model t5 --samples 3000 --device cpu."""

from advisor.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
