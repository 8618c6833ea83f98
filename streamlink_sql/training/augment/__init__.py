"""Bi-directional augmentation: many pairs about the user's data from few accepted ones, and from none. Trains nothing.

forward    accepted pairs become templates; their slots are filled with other fields and values, the phrasing varies
backward   SQL is sampled by a grammar over the schema, its question made of phrase templates and the words of the schema
"""

from streamlink_sql.training.augment.augmenting import Augmented, Plan, augment

__all__ = ["Augmented", "Plan", "augment"]
