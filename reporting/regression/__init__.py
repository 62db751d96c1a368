"""A run beside a baseline, image by image.

:mod:`baseline` keeps a run's outcomes as a file, :mod:`image_sets` tells whether two runs looked at the same
images, :mod:`comparing` and :mod:`mce_difference` come to the verdicts, :mod:`shown` is what people read of
them; the way in is :mod:`plugin` from a session and :mod:`reporting.commands.compare` from files.
"""
