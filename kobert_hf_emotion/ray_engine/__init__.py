"""Prediction of many files on Ray: a pool of actors on one machine or a cluster, parts that are whole, a manifest."""

from __future__ import annotations

from ..utils.lazy_names import lazy_names

__getattr__ = lazy_names(__name__, {"RayPrediction": "prediction", "predict_on_ray": "prediction"})
