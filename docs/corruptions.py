"""Draws `docs/corruptions.png`: one image under every corruption and severity.

python -m docs.corruptions DATASET [--data DIR] [--index I] [--out docs/corruptions.png]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from fixtures.corruptions import CORRUPTIONS, corrupt
from fixtures.datasets import load_dataset

SEVERITIES = range(1, 6)


def draw(image: np.ndarray, index: int, seed: int = 2025) -> Figure:
    """Return the figure of a uint8 image (h, w, 3): a column a corruption, a row a severity, clean on top."""
    figure = Figure(
        figsize=(1.05 * len(CORRUPTIONS), 1.05 * (len(SEVERITIES) + 1) + 0.9), layout="constrained"
    )
    grid = figure.subplots(len(SEVERITIES) + 1, len(CORRUPTIONS))
    for column, name in enumerate(CORRUPTIONS):
        grid[0, column].set_title(name.replace("_", "\n", 1), fontsize=9)
        grid[0, column].imshow(image)
        for severity in SEVERITIES:
            (changed,) = corrupt(name, image[None], severity, seed=seed, indices=np.array([index]))
            grid[severity, column].imshow(changed)
    for row, label in enumerate(["clean", *(f"severity {severity}" for severity in SEVERITIES)]):
        grid[row, 0].set_ylabel(label, fontsize=9)
    for axes in grid.flat:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    return figure


def main() -> None:
    """Draw the figure that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset")
    parser.add_argument("--data", type=Path, default=Path("data"))
    parser.add_argument("--index", type=int, default=0, help="of the test image")
    parser.add_argument("--out", type=Path, default=Path("docs/corruptions.png"))
    options = parser.parse_args()
    image = load_dataset(options.dataset, data_dir=options.data).test.images[options.index]
    draw(image, options.index).savefig(options.out, dpi=110)


if __name__ == "__main__":
    main()
