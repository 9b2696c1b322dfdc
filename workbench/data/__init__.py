"""Market data: the candle store, candle files, downloads, and the made-up markets; `load_bars` reads all of them."""

from __future__ import annotations

from workbench.data.download import download
from workbench.data.download_summary import DownloadSummary, SymbolDownload
from workbench.data.file_format import FileFormat
from workbench.data.findings import Finding, Findings
from workbench.data.funding import FundingRates, read_funding
from workbench.data.load import load_bars
from workbench.data.quality import QualityReport
from workbench.data.quality_sources import quality_report
from workbench.data.regular_file import size_text
from workbench.data.repair import Repaired
from workbench.data.resample import Resampled, ThinBar, resample
from workbench.data.series import Series
from workbench.data.series_writer import SeriesWriter
from workbench.data.spans import Span
from workbench.data.store import CandleStore, SeriesInfo, default_store_folder

__all__ = [
    "CandleStore",
    "DownloadSummary",
    "FileFormat",
    "Finding",
    "Findings",
    "FundingRates",
    "QualityReport",
    "Repaired",
    "Resampled",
    "Series",
    "SeriesInfo",
    "SeriesWriter",
    "Span",
    "SymbolDownload",
    "ThinBar",
    "default_store_folder",
    "download",
    "load_bars",
    "quality_report",
    "read_funding",
    "resample",
    "size_text",
]
