import pytest

from workbench.data import FileFormat
from workbench.errors import ConfigError


def test_usual_format_is_taken() -> None:
    usual = FileFormat()
    assert (usual.separator, usual.decimal, usual.thousands, usual.time_zone) == (",", ".", None, None)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("separator", "ab", "separator must be one of ',', ';'"),
        ("separator", "", "separator must be one of"),
        ("decimal", "'", "decimal must be '.' or ',', was \"'\""),
        ("decimal", ",", "separator must differ from decimal, was ','"),
        ("thousands", "x", "thousands must be None or one of"),
        ("thousands", ".", "thousands must differ from decimal, was '.'"),
        ("skip_rows", -1, "skip_rows must be a whole number from 0, was -1"),
        ("skip_rows", 1.5, "skip_rows must be a whole number from 0, was 1.5"),
        ("header", (), "header must be names of columns, was ()"),
        ("header", "time", "header must be names of columns, was 'time'"),
        ("time_zone", "Mars/Olympus", "time_zone must be a name such as 'UTC' or 'Europe/Berlin', was 'Mars/Olympus'"),
        ("time_zone", "../../etc/passwd", "time_zone must be a name"),
        ("max_size_bytes", 10, "max_size_bytes must be at least 1024, was 10"),
        ("max_size_bytes", float("nan"), "max_size_bytes must be at least 1024, was nan"),
    ],
)
def test_field_out_of_its_range_is_named(field: str, value: object, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        FileFormat(**{field: value})  # type: ignore[arg-type] # the point of the test
    assert reason in str(caught.value)


def test_every_wrong_field_is_named_at_once() -> None:
    with pytest.raises(ConfigError, match=r"separator must be .*; skip_rows must be .*; time_zone must be"):
        FileFormat(separator="x", skip_rows=-1, time_zone="nowhere")
