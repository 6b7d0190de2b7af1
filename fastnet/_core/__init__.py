"""The core: memory, launches, tape, Tensor.  Knows no op by name."""
