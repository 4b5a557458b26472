"""From score cards to the SR PSNR that a recipe would reach, with an error that is measured out of sample.

`points` joins score cards with reference points (`fields` reads them, `features` says what of a card is used);
`catalogue` names the predictors that are compared: the published one-variable rule, others that are `linear`, and
ours, a `kernel` ridge whose strength is chosen by its error on what it must `transfer` to; `intervals` puts
jackknife+ intervals around predictions. `validation` leaves candidates, geometries, domains and data sets out and
scores what was predicted of them (`scores`), `floor`, `robustness` and `external` say what that is worth,
`examination` runs it all. `fitted` is a predictor ready for use, `files` keeps it as JSON; `attribution` says which
features moved a prediction, `best` tells predictions apart, `forecast` is all that is said of the candidates on one
data set, `suggestion` names the run that would narrow it most, and `track_record` keeps what was said before a
training.
"""
