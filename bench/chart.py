"""The chart of a run, made from its JSON: how many times longer each library takes than fastnet."""
from __future__ import annotations

COLOURS = {"numpy": "#9aa5b1", "torch": "#e4593b", "torch-tuned": "#f2a65a", "torch-cl": "#b279a2", "jax": "#4c78a8"}
TITLES = {"numpy": "NumPy", "torch": "PyTorch", "torch-tuned": "PyTorch, tuned", "torch-cl": "PyTorch, channels last", "jax": "JAX, jit"}


def draw(data: dict, path: str) -> None:
    """Write the chart to path; its ending (.svg, .png, .pdf) chooses the format.

    Raises:
        SystemExit: matplotlib is not installed, or no case has both fastnet and another library.
    """
    try:
        import matplotlib
    except ImportError:
        raise SystemExit("--chart needs matplotlib: pip install 'fastnet[bench]'") from None
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    bars = []
    for case in data["chart_cases"]:
        rows = {(r["peer"], r["threads"]): r["min_us"] for r in data["results"] if r["case"] == case and "min_us" in r}
        threads = max((t for name, t in rows if name == "fastnet"), default=0)
        ratios = {name: rows[name, threads] / rows["fastnet", threads] for name in COLOURS if (name, threads) in rows}
        if ratios:
            bars.append((f"{case}\n{threads} thread{'s' * (threads > 1)}", ratios))
    if not bars:
        raise SystemExit("--chart: no case has a time of fastnet and of another library")
    plt.rcParams["svg.hashsalt"] = "fastnet"              # the same JSON gives the same file
    figure, axes = plt.subplots(figsize=(9, 1.2 + 0.62 * len(bars)))
    height = 0.2                                          # no case has more than four of them
    shown: set[str] = set()
    for at, (_, ratios) in enumerate(bars):
        for slot, (name, ratio) in enumerate(ratios.items()):
            y = at + (slot - (len(ratios) - 1) / 2) * height
            axes.barh(y, ratio, height * 0.92, color=COLOURS[name], label=TITLES[name] if name not in shown else None)
            axes.text(ratio * 1.03, y, f"{ratio:.2g}" if ratio < 9.95 else f"{ratio:.0f}", va="center", fontsize=7)
            shown.add(name)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}x")
    axes.set_yticks(range(len(bars)), [label for label, _ in bars], fontsize=8)
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.set_xlabel("time over fastnet's (right of the line: fastnet is faster)")
    axes.set_title(f"{data['machine']['cpu']}, {data['machine']['cpus']} CPUs, {data['date']}", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, loc="lower right", frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=150, metadata={"Date": None} if path.endswith(".svg") else None)
    plt.close(figure)
