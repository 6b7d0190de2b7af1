"""Run the documentation: the Python blocks of each page are one program, run in an empty folder; links must lead somewhere.

    python docs/check.py [--all] [--write] [PAGE...]

Blocks marked ```python run; ```console, ```text and unmarked ones do not.  Comments, which readers do not see, tell exceptions:
    <!-- not run: why -->           above a block: it does not run
    <!-- needs: NAME -->            above a block: it runs where the module NAME can be imported
    <!-- slow: about 20 s -->       anywhere: the page runs only with --all, or when it is named
"""
import argparse
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parents[1]
COMMENT = re.compile(r"<!-- (not run|needs|slow): (.+?) -->")


def pages():
    """README and all pages of docs."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]


def slow(page):
    """Why a page runs only when it is asked for, or None."""
    found = [m[2] for m in COMMENT.finditer(page.read_text(encoding="utf-8")) if m[1] == "slow"]
    return found[0] if found else None


def program(page):
    """(source whose lines are numbered as the page's, reasons for blocks that are left out, number of blocks that run)."""
    kept, reasons, inside, above, run, blocks = [], [], None, "", False, 0
    for line in page.read_text(encoding="utf-8").splitlines():
        if inside is None and (m := re.match(r"```(\w*)", line)):
            inside, run = m[1], m[1] == "python"
            comment = COMMENT.match(above.strip())
            if run and comment and comment[1] == "not run":
                run, _ = False, reasons.append(comment[2])
            if run and comment and comment[1] == "needs" and importlib.util.find_spec(comment[2]) is None:
                run, _ = False, reasons.append(f"{comment[2]} is not installed")
            blocks += run
            kept.append("")
        elif inside is not None and line.startswith("```"):
            inside = None
            kept.append("")
        else:
            kept.append(line if inside is not None and run else "")
        above = line if line.strip() else above
    return "\n".join(kept) + "\n", reasons, blocks


def run(page, folder):
    """Run a page's program in a folder; the finished process, or None where it has none."""
    source, _, blocks = program(page)
    if not blocks:
        return None
    script = Path(folder) / "_page.py"
    script.write_text(source, encoding="utf-8")
    path = os.pathsep.join(filter(None, [str(ROOT) if any(ROOT.glob("fastnet/**/*.so")) else "", os.environ.get("PYTHONPATH", "")]))
    return subprocess.run([sys.executable, str(script)], cwd=folder, capture_output=True, text=True, timeout=600,
                          env={**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"})


def prose(page):
    """The text of a page without its blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)


def anchors(page):
    """What a link to a page may name after #: its headings as GitHub writes them, and `<a name>`s."""
    text, found, seen = prose(page), set(), {}
    for heading in re.findall(r"^#{1,6} +(.+?)[ #]*$", text, flags=re.M):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        seen[name] = seen.get(name, -1) + 1
        found.add(f"{name}-{seen[name]}" if seen[name] else name)
    return found | set(re.findall(r"<a (?:name|id)=\"([^\"]+)\"", text))


def links(page):
    """Links of a page to files that do not exist, or to headings that a page does not have."""
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        name, _, anchor = target.partition("#")
        where = page if not name else page.parent / name
        if re.match(r"\w+:", target):
            continue
        if not where.exists() or (anchor and where.suffix == ".md" and anchor not in anchors(where)):
            broken.append(target)
    return broken


def pictures(page):
    """Files that a page shows."""
    return [(page.parent / t).resolve() for t in re.findall(r"!\[[^\]]*\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))]


def check(page, write):
    """Run a page and print a line about it; whether it is right."""
    reasons = program(page)[1]
    with tempfile.TemporaryDirectory() as folder:
        start = perf_counter()
        done = run(page, folder)
        words = "no program" if done is None else f"{perf_counter() - start:.1f} s"
        for picture in pictures(page) if write and done is not None else ():
            made = Path(folder) / picture.name
            if made.exists():
                picture.parent.mkdir(exist_ok=True)
                picture.write_bytes(made.read_bytes())
                words += f", wrote {picture.name}"
    broken = links(page)
    wrong = (done is not None and done.returncode != 0) or broken
    print(f"{'WRONG' if wrong else 'ok':6}{page.relative_to(ROOT)}: {words}" + "".join(f"; not run: {r}" for r in reasons))
    for target in broken:
        print(f"      a link leads nowhere: {target}")
    if done is not None and done.returncode != 0:
        print(done.stdout + done.stderr)
    return not wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", type=Path, metavar="PAGE", help="pages to run; default: all that are quick")
    parser.add_argument("--all", action="store_true", help="the slow pages, too")
    parser.add_argument("--write", action="store_true", help="replace the pictures of each page by those that its program wrote")
    args = parser.parse_args()
    right = True
    for page in map(Path.resolve, args.pages) if args.pages else pages():
        reason = None if args.all or args.pages else slow(page)
        if reason:
            print(f"skip  {page.relative_to(ROOT)}: {reason}; --all runs it")
        else:
            right = check(page, args.write) and right
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
