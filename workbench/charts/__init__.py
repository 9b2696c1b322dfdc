"""Figures of results, and the live chart: the only room that knows plotly and anywidget."""
