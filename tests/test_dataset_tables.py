"""CSVTable and NumpyTable against their definitions: encodings, statistics of the training rows alone, and errors with line and column."""
import json

import numpy as np
import pytest

from fastnet.datasets import CSVTable, NumpyTable, TableEncoder
from fastnet.utils.data import DataLoader

PETS = """name,kind,weight,age,colour
Tom,cat,4,3,grey
Tweety,bird,0.5,,yellow
Felix,cat,6,5,black
Rex,dog,30,4,black
"""


@pytest.fixture
def pets(tmp_path):
    path = tmp_path / "pets.csv"
    path.write_text(PETS)
    return path


def test_numbers_are_standardised_and_categories_one_hot(pets):
    table = CSVTable(pets, "kind", ignore=["name"], missing="mean")
    assert table.features == ["weight", "age", "colour=black", "colour=grey", "colour=yellow"] and table.classes == ["bird", "cat", "dog"]
    weight, age = np.array([4, 0.5, 6, 30]), np.array([3, 4, 5, 4.0])            # the absent age is the mean of the others
    std = np.std([3, 5, 4])
    want = np.stack([(weight - weight.mean()) / weight.std(), (age - 4) / std, [0, 0, 1, 1], [1, 0, 0, 0], [0, 1, 0, 0]], 1)
    x, y = next(iter(DataLoader(table, batch_size=4)))
    np.testing.assert_allclose(x.numpy(), want, rtol=1e-6)
    assert y.tolist() == [1, 0, 1, 2] and x.dtype.itemsize == 4
    assert table[1][1] == 0 and np.array_equal(table[1][0], x.numpy()[1])


def test_categories_as_integers(pets):
    table = CSVTable(pets, "weight", ["colour", "age"], categorical=["age"], categories="index", missing="mean", standardize=False)
    numbers, codes, y = (array for array in table.arrays)
    assert numbers.shape == (4, 0) and table.classes == [] and y.dtype == np.float32 and y.tolist() == [4, 0.5, 6, 30]
    assert codes.tolist() == [[2, 1], [3, 0], [1, 3], [1, 2]] and table.encoder.cardinalities == [4, 4]
    assert len(table[0]) == 3 and next(iter(DataLoader(table, 2)))[1].tolist() == [[2, 1], [3, 0]]


def test_rows_with_absent_values_can_be_dropped(pets):
    table = CSVTable(pets, "kind", ["age"], missing="drop", standardize=False)
    assert table.arrays[0].tolist() == [[3], [5], [4]] and table.classes == ["cat", "dog"]


def test_statistics_and_categories_are_those_of_the_training_rows(tmp_path):
    rng = np.random.default_rng(0)
    values, labels = rng.normal(5, 3, 50), rng.integers(0, 2, 50)
    (tmp_path / "t.csv").write_text("v,l\n" + "".join(f"{v!r},{la}\n" for v, la in zip(values.tolist(), labels)))
    options = {"task": "classification", "validation": 0.3, "seed": 4}
    train, held = (CSVTable(tmp_path / "t.csv", "l", split=split, **options) for split in ("train", "validation"))
    assert len(train) == 35 and len(held) == 15
    np.testing.assert_allclose([train.arrays[0].mean(), train.arrays[0].std()], [0, 1], atol=1e-6)
    mean, std = train.encoder.numeric[0].mean, train.encoder.numeric[0].std
    both = np.concatenate([train.arrays[0], held.arrays[0]])[:, 0] * std + mean
    np.testing.assert_allclose(np.sort(both), np.sort(values), rtol=1e-5)
    assert (held.encoder.numeric[0].mean, held.encoder.numeric[0].std) == (mean, std)
    again = CSVTable(tmp_path / "t.csv", "l", split="validation", **options)
    assert (again.arrays[0] == held.arrays[0]).all()
    copy = CSVTable(tmp_path / "t.csv", like=TableEncoder.from_dict(json.loads(json.dumps(train.encoder.to_dict()))))
    np.testing.assert_allclose(copy.arrays[0][:, 0], (values - mean) / std, atol=1e-6)
    assert copy.arrays[1].tolist() == labels.tolist()


def test_another_file_is_treated_alike(pets, tmp_path):
    train = CSVTable(pets, "kind", ["weight", "colour"], unknown="zero")
    (tmp_path / "new.csv").write_text("colour;weight\npink;4\ngrey;0.5\n")
    new = CSVTable(tmp_path / "new.csv", like=train)
    assert len(new.arrays) == 1 and new.arrays[0][:, 1:].tolist() == [[0, 0, 0], [0, 1, 0]]
    assert new[0][0] == train[0][0][0] and isinstance(new[0], np.ndarray)
    with pytest.raises(ValueError, match="like= settles columns"):
        CSVTable(tmp_path / "new.csv", like=train, standardize=False)
    (tmp_path / "new.csv").write_text("weight\n4\n")
    with pytest.raises(ValueError, match=r"new.csv has no column 'colour' \(the table that this one is like\)"):
        CSVTable(tmp_path / "new.csv", like=train)


@pytest.mark.parametrize("options, message", [
    ({"target": "kinds"}, r"pets.csv has no column 'kinds' \(target\); did you mean 'kind'\?"),
    ({"target": "kind"}, "pets.csv, line 3, column 'age': no value; missing='drop' leaves such rows out, 'mean' fills them"),
    ({"target": "age", "columns": ["weight"], "missing": "mean"}, "line 3, column 'age': no value; missing='drop' leaves such rows out$"),
    ({"target": "colour", "columns": ["weight"], "task": "regression"}, "line 2, column 'colour': 'grey' is no number, and the task is"),
    ({"target": "kind", "columns": ["kind"]}, "the target 'kind' is among the columns"),
    ({"target": "kind", "columns": ["weight"], "categorical": ["colour"]}, "categorical names 'colour', which is none of the columns"),
    ({"missing": "zero"}, "missing must be one of error, drop, mean, got 'zero'"),
    ({"task": "ranking"}, "task must be one of None, classification, regression"),
    ({"columns": ["weight"], "split": "test"}, "split must be one of all, train, validation, got 'test'"),
    ({"columns": ["weight"], "split": "validation"}, "validation must be a share of the rows"),
    ({"columns": ["weight"], "split": "validation", "validation": 0.01}, "4 rows are too few to hold back 0.01 of them"),
])
def test_what_is_asked_wrongly(pets, options, message):
    with pytest.raises(ValueError, match=message):
        CSVTable(pets, **options)


@pytest.mark.parametrize("text, message", [
    ("", "line 1: expected the names of the columns, all different, got nothing"),
    ("a,a\n1,2\n", "line 1: expected the names of the columns"),
    ("a,b\n", "has no rows below"),
    ("a,b\n1,2\n\n1,2,3\n", "line 4: 3 values for 2 columns"),
    ("a,b\n1,2\n1,inf\n", "line 3, column 'b': the number is not finite"),
    ("a,b\n1,\"2\n", "line 2: "),
    ("a,b\nNA,1\n?,2\n", "line 2, column 'a': there is no value in this column"),
    ("a,b\n1,1\n2,l\n3,3\n", r"line 3, column 'b': 'l' is no number, but most values of the column are; categorical=\[...\] makes"),
    ("a,b\n1, 1\n2,l\n3,3\n", "line 3, column 'b': 'l' is no number, but most values"),
    ("a, b\n1,2\n1\n", "line 3: 1 values for 2 columns"),
])
def test_damaged_files_are_told_by_line(tmp_path, text, message):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(ValueError, match="x.csv.*" + message):
        CSVTable(tmp_path / "x.csv", missing="mean")


def test_values_that_the_training_rows_do_not_have(pets, tmp_path):
    train = CSVTable(pets, "kind", ["colour", "weight"])
    for row, message in (("pink,1,cat", "line 2, column 'colour': 'pink' is a category that the training rows do not have"),
                         ("grey,much,cat", "line 2, column 'weight': 'much' is no number"),
                         ("grey,nan,cat", "line 2, column 'weight': no value"),
                         ("grey,1,cow", r"line 2, column 'kind': 'cow' is no class of the table that this one is like \(bird, cat, dog\)")):
        (tmp_path / "new.csv").write_text("colour,weight,kind\n" + row)
        with pytest.raises(ValueError, match=message):
            CSVTable(tmp_path / "new.csv", like=train)


def test_quotes_and_spaces(tmp_path):
    (tmp_path / "x.csv").write_text('name; size ;y\n"Tom; the ""big""\ncat"; 4 ;a\n\n Rex;5;b\n')
    table = CSVTable(tmp_path / "x.csv", "y", standardize=False)
    assert table.features == ["size", "name=Rex", 'name=Tom; the "big"\ncat'] and table.arrays[0].tolist() == [[4, 0, 1], [5, 1, 0]]
    (tmp_path / "y.csv").write_bytes(b"a\r\n1\r\n2\r\n")
    assert CSVTable(tmp_path / "y.csv", standardize=False).arrays[0].tolist() == [[1], [2]]


def test_numbers_as_classes_are_ordered_as_numbers(tmp_path):
    (tmp_path / "x.csv").write_text("\ufeffa,y\n1,10\n2,9\n3,10\n", encoding="utf-8")
    assert CSVTable(tmp_path / "x.csv", "y", task="classification").classes == ["9", "10"]
    assert CSVTable(tmp_path / "x.csv", "y").arrays[1].tolist() == [10, 9, 10]


def test_arrays(tmp_path):
    x = np.array([[1, 5], [np.nan, 5], [3, 8]], np.float32)
    with pytest.raises(ValueError, match="x, row 1, column '0': no value"):
        NumpyTable(x)
    table = NumpyTable(x, np.array([4, 7, 4]), missing="mean")
    assert table.classes == ["4", "7"] and table.arrays[1].tolist() == [0, 1, 0] and table.arrays[0][1, 0] == 0
    assert NumpyTable(x, np.array([4, 7.5, 4]), missing="drop").arrays[1].tolist() == [4, 4]
    np.savez(tmp_path / "t.npz", x=x[[0, 2]], y=np.array(["no", "yes"]))
    loaded = NumpyTable(tmp_path / "t.npz", names=["u", "v"])
    assert loaded.features == ["u", "v"] and loaded.classes == ["no", "yes"]
    np.save(tmp_path / "x.npy", np.array([[2.0, 6.5]]))
    assert NumpyTable(tmp_path / "x.npy", like=loaded)[0].tolist() == [0, 0]
    np.save(tmp_path / "bad.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(ValueError, match="bad.npy cannot be read: .*allow_pickle"):
        NumpyTable(tmp_path / "bad.npy")
    for bad in ((np.zeros(3),), (np.zeros((3, 2)), np.zeros(2)), (np.array([["a"]]),)):
        with pytest.raises(ValueError, match="NumpyTable: expected x of shape"):
            NumpyTable(*bad)
    with pytest.raises(ValueError, match="x has 3 columns, the table that it is like 2"):
        NumpyTable(np.zeros((1, 3)), like=table)
    with pytest.raises(ValueError, match="names must be 2 different ones"):
        NumpyTable(x, names=["a", "a"])
