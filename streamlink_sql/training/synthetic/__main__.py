"""Runs `python -m streamlink_sql.training.synthetic`."""

from streamlink_sql.training.synthetic.build import main

if __name__ == "__main__":
    main()
