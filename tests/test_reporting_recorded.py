"""Recorded results are read as they are meant, and refused with the reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reporting.frames import CELLS, LATENCY, SIZES
from reporting.recorded import InputError, read_cells, read_latency, read_sizes

HEADER = "dataset,model,technique,corruption,severity,error\n"

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "recorded.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_techniques_are_known_by_number_and_by_name(write: Write) -> None:
    cells = read_cells(write(HEADER + "d,m,14,fog,1,0.25\nd,m,pqat_int8,fog,2,0.5\n"))
    assert cells["technique"].tolist() == ["pqat_int8", "pqat_int8"]
    assert cells["error"].tolist() == [0.25, 0.5]


def test_counts_are_unknown_where_only_the_rate_is_recorded(write: Write) -> None:
    cells = read_cells(write(HEADER + "d,m,1,clean,0,0.25\n"))
    assert cells.dtypes.astype(str).to_dict() == dict(CELLS)
    assert cells[["images", "errors"]].isna().all(axis=None)


def test_counts_are_read_where_they_are_recorded(write: Write) -> None:
    cells = read_cells(write("errors,images," + HEADER + "50,200,d,m,1,clean,0,0.25\n"))
    assert cells.loc[0, ["images", "errors"]].tolist() == [200, 50]


def test_columns_that_are_not_needed_are_ignored(write: Write) -> None:
    sizes = read_sizes(write("dataset,model,technique,mce,zipped_bytes\nd,m,1,nonsense,100\n"))
    assert list(sizes.columns) == list(SIZES)


def test_a_size_that_is_blank_is_not_a_size(write: Write) -> None:
    sizes = read_sizes(write("dataset,model,technique,zipped_bytes\nd,m,1,100\nd,m,2,\n"))
    assert sizes["technique"].tolist() == ["original"]


def test_latency_is_read_in_seconds(write: Write) -> None:
    latency = read_latency(write("dataset,model,technique,n,median_s,p90_s\nd,m,2,9,0.5,0.75\n"))
    assert list(latency.columns) == list(LATENCY)
    assert latency.loc[0, ["median_s", "p90_s"]].tolist() == [0.5, 0.75]


def test_a_file_written_by_a_spreadsheet_is_read(write: Write) -> None:
    cells = read_cells(write("\ufeff" + (HEADER + 'd,"m",1,fog,3,0.5\n').replace("\n", "\r\n")))
    assert cells.loc[0, "model"] == "m"


def test_a_file_with_only_column_names_is_empty(write: Write) -> None:
    assert read_cells(write(HEADER)).dtypes.astype(str).to_dict() == dict(CELLS)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        pytest.param(
            "d,m,pqat_int,fog,1,0.5", r"technique.*'pqat_int'.*try 'pqat_int8'.*line 2", id="near-name"
        ),
        pytest.param("d,m,21,fog,1,0.5", r"technique.*'21'.*try one of original, .*line 2", id="no-number"),
        pytest.param(
            "d,m,1,fog,1,1.5", r"error: expected an error rate from 0 to 1, got 1\.5.*line 2", id="above"
        ),
        pytest.param("d,m,1,fog,1,25.5", r"per cent; try dividing by 100", id="per-cent"),
        pytest.param("d,m,1,fog,1,-0.1", r"error: expected an error rate.*line 2", id="below"),
        pytest.param("d,m,1,fog,1,nan", r"error: expected a number, got 'nan'.*line 2", id="nan"),
        pytest.param("d,m,1,fog,1,", r"error: expected a number, got ''.*line 2", id="blank"),
        pytest.param("d,m,1,fog,x,0.5", r"severity: expected a whole number.*line 2", id="severity"),
        pytest.param(
            "d,m,1,fog,0,0.5", r"1 or more for a corruption, got 0 for 'fog'.*line 2", id="severity-0"
        ),
        pytest.param("d,m,1,clean,3,0.5", r"severity 0 for 'clean'.*got 3.*line 2", id="clean-severity"),
        pytest.param("d,,1,fog,1,0.5", r"model: expected a name, got a blank.*line 2", id="no-model"),
        pytest.param(
            "d,m,1,fog,1,0.5\nd,m,2,fog,1,0.5\nd,m,original,fog,1,0.4",
            r"got d m original fog 1 on line 2 and again .*line 4",
            id="twice",
        ),
        pytest.param("d,m,1,fog,1", r"expected 6 fields.*line 2", id="short-line"),
        pytest.param("d,m,1,fog,1,0.5,9", r"expected 6 fields.*line 2", id="long-line"),
        pytest.param('d,m,1,fog,1,"0.5', r"expected a CSV file", id="open-quote"),
    ],
)
def test_a_wrong_row_is_refused_by_its_line(write: Write, rows: str, message: str) -> None:
    with pytest.raises(InputError, match=f"(?s){message}"):
        read_cells(write(f"{HEADER}{rows}\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "got none", id="empty"),
        pytest.param(HEADER.replace(",error", ""), "without error;", id="missing-column"),
        pytest.param(HEADER.replace(",", ";"), "comma-separated", id="semicolons"),
    ],
)
def test_a_file_without_the_columns_is_refused(write: Write, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_cells(write(text))


def test_a_picture_is_not_a_csv_file(tmp_path: Path) -> None:
    path = tmp_path / "pareto.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    with pytest.raises(InputError, match=r"expected a CSV file in UTF-8.*pareto\.png"):
        read_cells(path)


def test_a_size_of_nothing_is_refused(write: Write) -> None:
    with pytest.raises(InputError, match=r"zipped_bytes: expected a whole number of at least 1, got '0'"):
        read_sizes(write("dataset,model,technique,zipped_bytes\nd,m,1,0\n"))
