"""How far the numbers of a report can be trusted.

One idea a module: :mod:`intervals` of an error rate, :mod:`bootstrap` of every metric over images,
:mod:`pareto` of the front, :mod:`paired` comparisons of two runs on the same images, and :mod:`verdicts` on
them. Everything here takes arrays and returns arrays; it knows neither files nor tables.
"""
