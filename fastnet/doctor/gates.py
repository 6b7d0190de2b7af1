"""Gates of recurrent layers, which live inside one kernel: how many are stuck, read from what the op keeps for backward."""
from __future__ import annotations

import numpy as np

from fastnet._core.engine import node_facts
from fastnet._core.tape import Node
from fastnet.doctor.sample import rows

SAVED = 8                                                 # place of the gates among what `ops/recurrent.pyx` saves: GATES
KINDS = {0: ("hidden state",), 2: ("input gate", "forget gate", "cell input", "output gate"), 3: ("reset gate", "update gate", "new state")}
TANH = {"hidden state", "cell input", "new state"}
SIGMOID = {"input gate", "output gate", "reset gate"}


def stuck(node: Node) -> dict[str, float]:
    """For each gate of a recurrence the fraction that has less than 5 % of its activation's largest slope.

    An LSTM's forget gate counts where it is shut: an open one hands gradients on. A GRU's update gate does that both ways, and does not
    count. Empty for a ReLU's recurrence.
    """
    facts = node_facts(node)
    names, values = KINDS.get(facts["integers"][0], ()), facts["saved"][SAVED]
    if not names or values is None:
        return {}
    sample = rows(values.numpy(), False)
    sample = sample.reshape(len(sample), len(names), -1)
    found = {}
    for k, name in enumerate(names):
        a = sample[:, k]
        if name in TANH:
            found[name] = float(np.mean(1 - a * a < 0.05))
        elif name in SIGMOID:
            found[name] = float(np.mean(a * (1 - a) < 0.05 * 0.25))
        elif name == "forget gate":
            found[name] = float(np.mean(a < 0.0127))      # where its slope falls to 5 %
    return found
