"""From score cards to the SR PSNR that a recipe would reach, with an error that is measured out of sample.

`points` joins score cards with reference points; `model` fits linear predictors to them, the published
one-variable rule among them; `intervals` puts jackknife+ intervals around predictions; `validation` leaves
candidates, families and data sets out and scores what was predicted of them (`scores`); `shipped` keeps a
fitted predictor as JSON and predicts from a score card.
"""
