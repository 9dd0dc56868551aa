"""Encoders and losses of this project's own, named in params.yaml, section train: `encoder: {kind: custom, name: …}`.

An encoder is (n_columns, *, settings) → a module from numbers x_BF to (B, F, D) with the whole number `d_out` = D; a
loss is (raw_BKR, y_B, arm_B, *, settings) → the loss of each row (B,). See
`Features, rules, encoders and losses of your own` in the docs of perennial-ml.
"""
