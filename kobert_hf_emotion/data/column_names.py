"""The names of columns: those of the data sets that this package makes and reads."""

from __future__ import annotations

TEXT_COLUMN, TEXT_PAIR_COLUMN, LABEL_COLUMN = "text", "text_pair", "label"
"""Of a data set as `load_emotion_dataset` gives it."""
CONVERSATION_COLUMN = "conversation"
"""Of one whose second texts are the turns before a line."""
COARSE_COLUMN = "coarse_label"
"""Of the same, where labels have two levels: the coarse one, which follows from `label`."""
IDS_COLUMN, LABELS_COLUMN = "input_ids", "labels"
"""Of an encoded data set, as models take them."""
ANNOTATIONS_COLUMN = "annotations"
"""Of a data set of votes that has a column for each annotator in its file: who named what, as a JSON object."""
WEIGHT_COLUMN = "row_weight"
"""Of an encoded data set of training rows: what the loss of a row is multiplied by."""
