"""The documentation: links lead somewhere, and what its pages show runs and prints what it says."""
import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
if not (ROOT / "docs/check.py").is_file():
    pytest.skip("the tests are not in a source tree", allow_module_level=True)
spec = importlib.util.spec_from_file_location("docs_check", ROOT / "docs/check.py")
check = importlib.util.module_from_spec(spec)
spec.loader.exec_module(check)


def convolution(lines):
    assert [line.split()[0] for line in lines] == ["forward", "input", "weight", "direct"]


def readme(lines):
    block = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)[0]
    assert len(block.strip().splitlines()) <= 15
    assert float(re.search(r"[\d.]+", lines[0])[0]) >= 0.99


def text(lines):
    assert lines[:4] == ["(12, 64) (12, 64)"] * 3 + ["True"] and len(lines) > 4


def training(lines):
    assert lines[-1] == "82 164" and "val_accuracy" in "".join(lines) and "gradient_norm" in "".join(lines)


def language(lines):
    assert lines[0].startswith("The ") and sum(map(len, lines)) > 105 and lines[-1].startswith("[[")


def datasets(lines):
    assert lines[0].startswith("3 2 ['weight', 'colour=") and lines[1].endswith("[[15.0, 5.0, 25.0, 15.0]] ['dog']")


def diagnosis(lines):
    for words in ("error: vanishing in 1", "learning rate too high", "gradient descent raises it", "fails: inside."):
        assert any(words in line for line in lines), words


def augmentation(lines):
    assert lines == ["(1, 8, 8) fastnet.float32"]


PRINTS = {"docs/augmentation.md": augmentation,
          "README.md": readme, "docs/convolution.md": convolution, "docs/text.md": text, "docs/language.md": language,
          "docs/training.md": training, "docs/datasets.md": datasets, "docs/diagnosis.md": diagnosis}
PAGES = [page.relative_to(ROOT).as_posix() for page in check.pages()]


@pytest.mark.parametrize("name", [p for p in PAGES if check.program(ROOT / p)[2]])
def test_the_page_runs(name, tmp_path, monkeypatch):
    monkeypatch.setenv("FASTNET_NUM_THREADS", "1")         # the same bits, and a busy machine does not wait for a second thread
    page = ROOT / name
    if check.slow(page):
        pytest.skip(f"{check.slow(page)}: python docs/check.py {name}")
    done = check.run(page, tmp_path)
    assert done.returncode == 0, done.stderr
    if name in PRINTS:
        PRINTS[name](done.stdout.splitlines())


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name):
    assert not check.links(ROOT / name)


def test_the_index_has_every_page():
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    assert not [p for p in PAGES if p.startswith("docs/") and p != "docs/README.md" and f"({p.removeprefix('docs/')}" not in index]


def test_what_runs_and_what_does_not(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A page\n\n```python\nx = 1\n```\n\n```text\nno\n```\n<!-- not run: no file -->\n```python\n1 / 0\n```\n\n"
                    "<!-- needs: no_such_module -->\n```python\nimport no_such_module\n```\n```python\nassert x == 1\n1 / 0\n```\n")
    source, reasons, blocks = check.program(page)
    assert blocks == 2 and reasons == ["no file", "no_such_module is not installed"]
    done = check.run(page, tmp_path)
    assert done.returncode == 1 and "line 21" in done.stderr and "ZeroDivisionError" in done.stderr
    page.write_text("# X\n## The `fit` loop: what, why?\n## X\n[gone](gone.md) [there](page.md#x) [out](https://example.org#no)\n"
                    "[here](#the-fit-loop-what-why) [twice](#x-1) [not](#y) [nor](page.md#the-fit-loop) [code](page.py#L3)\n"
                    "```text\n# y\n```\n<!-- slow: a minute -->\n")
    (tmp_path / "page.py").write_text("")
    assert check.links(page) == ["gone.md", "#y", "page.md#the-fit-loop"]
    assert check.slow(page) == "a minute" and check.run(page, tmp_path) is None
