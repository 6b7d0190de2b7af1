"""The examples and the README's first Python block run as they stand, and reach what they claim."""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def output(script, folder):
    done = subprocess.run([sys.executable, script], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_scalar(tmp_path):
    text = output(ROOT / "examples/scalar.py", tmp_path)
    assert "tensor([16.], grad_fn=<PowBackward0>)" in text and "tensor([-24.])" in text and "w = 3.3333;" in text


def test_digits(tmp_path):
    text = output(ROOT / "examples/digits.py", tmp_path)
    assert float(re.search(r"test accuracy ([\d.]+)%", text)[1]) >= 97


def test_gradcheck(tmp_path):
    text = output(ROOT / "examples/gradcheck.py", tmp_path)
    assert text.splitlines() == ["softplus: True", "a wrong backward: False", "linear and cross-entropy: True"]


def test_the_readme_loop_reaches_its_accuracy(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (tmp_path / "readme.py").write_text(blocks[0])
    assert len(blocks[0].strip().splitlines()) <= 15
    assert float(re.search(r"[\d.]+", output(tmp_path / "readme.py", tmp_path))[0]) >= 0.97
