"""`python -m ipt_explain` is `ipt-explain`."""

from ipt_explain.cli.main import main

if __name__ == "__main__":
    main()
