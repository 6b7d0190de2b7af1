"""`python -m fastnet` is the command `fastnet`."""
from fastnet.cli import main

raise SystemExit(main())
