"""The command line: `fastnet` = `python -m fastnet`."""
