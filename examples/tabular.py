"""Tabular data with scikit-learn: a table with gaps and words through a pipeline into a network.  Needs scikit-learn:

    pip install 'fastnet[sklearn]'
    python examples/tabular.py
"""
import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import fastnet as fn
from fastnet.sklearn import MLPClassifier, NetClassifier

# 569 tumours, 30 measured numbers each, benign or malignant.  To look like a table from life, one number becomes words, and some are lost.
data = load_breast_cancer()
rng = np.random.default_rng(0)
numbers = np.where(rng.random(data.data.shape) < 0.05, np.nan, data.data)
size = np.array(["small", "middle", "large"], dtype=object)[np.digitize(data.data[:, 0], [12, 16])]
table = np.column_stack((numbers[:, 1:].astype(object), size))
labels = data.target_names[data.target]
train_x, test_x, train_y, test_y = train_test_split(table, labels, test_size=0.25, stratify=labels, random_state=0)

columns = make_column_transformer(
    (make_pipeline(SimpleImputer(), StandardScaler()), list(range(29))),     # networks want numbers of about the same size
    (OneHotEncoder(), [29]),
)


# A perceptron with scikit-learn's arguments, beside a linear model.
for name, model in (("logistic regression", LogisticRegression(max_iter=1000)),
                    ("MLPClassifier", MLPClassifier((64,), max_iter=60, early_stopping=True, learning_rate_init=0.01, random_state=0))):
    scores = cross_val_score(make_pipeline(columns, model), train_x, train_y, cv=5)
    print(f"{name}: {100 * scores.mean():.1f}% +- {100 * scores.std():.1f} in 5 folds")


# Any network as an estimator; what it is made of can be searched over.
class Tabular(fn.nn.Sequential):
    def __init__(self, features, classes, width=32, dropout=0.2):
        super().__init__(fn.nn.Linear(features, width), fn.nn.BatchNorm1d(width), fn.nn.ReLU(), fn.nn.Dropout(dropout),
                         fn.nn.Linear(width, classes))


net = NetClassifier(Tabular, optimizer="adamw", epochs=30, batch_size=32, validation_fraction=0.15, early_stopping=5, random_state=0)
search = GridSearchCV(make_pipeline(columns, net), {"netclassifier__lr": [0.001, 0.01, 0.03]}, cv=3).fit(train_x, train_y)
best = search.best_estimator_
history = best[-1].history_
print(f"NetClassifier: lr {search.best_params_['netclassifier__lr']}, {len(history)} epochs, "
      f"validation loss {history[0]['val_loss']:.2f} -> {min(record['val_loss'] for record in history):.2f}")
print(f"test accuracy {100 * best.score(test_x, test_y):.1f}%")

probabilities = best.predict_proba(test_x[:3])
for row, said, right in zip(probabilities, best.predict(test_x[:3]), test_y):
    print("  ".join(f"{name} {p:.3f}" for name, p in zip(best.classes_, row)), f"  said {said}, is {right}")
