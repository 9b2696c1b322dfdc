"""The HTML of a quality report: readable on light and dark pages, without scripts."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final, Protocol

from workbench.data.findings import KINDS
from workbench.model.times import utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workbench.data.findings import Finding

__all__ = ["QualityFindings", "quality_card"]

_SHOWN: Final = 4
# Colours come from the page: text by inheritance, everything else as grey with an alpha. Repeated classes outweigh
# JupyterLab's own rules for tables.
_STYLE: Final = """
.wb-quality{max-width:880px;margin:4px 0 10px;padding:14px 16px 12px;border:1px solid rgba(128,128,128,.28);
 border-radius:10px;font:13px/1.45 Inter,'Segoe UI',system-ui,-apple-system,Roboto,'DejaVu Sans',sans-serif;
 font-variant-numeric:tabular-nums;color:var(--jp-content-font-color1,inherit);background:rgba(128,128,128,.05)}
.wb-quality h4{margin:0 0 2px;font-size:14px;font-weight:600;color:inherit;overflow-wrap:anywhere}
.wb-quality small{font-size:12px;opacity:.68}
.wb-quality .wb-ok{color:#16a085}.wb-quality .wb-no{color:#ef4a50}.wb-quality .wb-odd{color:#c77a12}
.wb-quality.wb-quality.wb-quality table{margin:10px 0 0;border-collapse:collapse;font-size:12px;background:none;
 color:inherit;width:100%;table-layout:auto}
.wb-quality.wb-quality.wb-quality tr{background:none}
.wb-quality.wb-quality.wb-quality td,.wb-quality.wb-quality.wb-quality th{padding:3px 12px 3px 0;border:0;
 text-align:left;vertical-align:top;background:none;color:inherit;white-space:nowrap}
.wb-quality.wb-quality.wb-quality th{padding-top:9px;font-weight:600}
.wb-quality.wb-quality.wb-quality td.wb-n{text-align:right;width:1%}
.wb-quality.wb-quality.wb-quality td:last-child{white-space:normal;width:99%}
.wb-quality.wb-quality.wb-quality tr.wb-more td{opacity:.68}
""".replace("\n", "")


class QualityFindings(Protocol):
    """What the card needs of a report."""

    @property
    def title(self) -> str:
        """What was looked at."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How many findings there are of each kind."""

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""

    @property
    def is_loadable(self) -> bool:
        """Whether the rows can be loaded as they are."""

    def listed(self, kind: str) -> tuple[Finding, ...]:
        """Return the findings of a `kind`."""

    def headline(self) -> str:
        """Return one line about the whole."""


def quality_card(report: QualityFindings) -> str:
    """Return a report as HTML: a headline, and per kind the number and the first findings.

    Parameters
    ----------
    report : QualityFindings
        The report.
    """
    state = "ok" if report.is_clean else "odd" if report.is_loadable else "no"
    rows = "".join(_kind(report, kind) for kind in report.counts)
    table = f"<table>{rows}</table>" if rows else ""
    return (
        f"<div class='wb-quality'><style>{_STYLE}</style><h4>{escape(report.title)} "
        f"<span class='wb-{state}'>&#9679;</span></h4><small>{escape(report.headline())}</small>{table}</div>"
    )


def _kind(report: QualityFindings, kind: str) -> str:
    total = report.counts[kind]
    listed = report.listed(kind)
    meaning = KINDS[kind]  # type: ignore[index]  # a kind of the report is one of them
    head = f"<tr><th colspan='4'>{kind.replace('_', ' ')}: {total:,} <small>{escape(meaning)}</small></th></tr>"
    rest = f"<tr class='wb-more'><td colspan='4'>and {total - _SHOWN:,} more</td></tr>" if total > _SHOWN else ""
    return head + "".join(map(_row, listed[:_SHOWN])) + rest


def _row(finding: Finding) -> str:
    row = "" if finding.row is None else f"row {finding.row:,}"
    time = "" if finding.time_ns is None else utc_text(finding.time_ns)
    unit = "bars" if finding.kind == "gap" else "rows"
    count = "" if finding.count == 1 else f"{finding.count:,} {unit}"
    cells = f"<td class='wb-n'>{row}</td><td>{time}</td><td class='wb-n'>{count}</td><td>{escape(finding.reason)}</td>"
    return f"<tr>{cells}</tr>"
