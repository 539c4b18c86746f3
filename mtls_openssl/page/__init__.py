"""A set as one HTML page that needs no network: what there is, what was proven, what was run.

`proving` has the proof made again, `record` reads the end of the log; `drawing` lays the chain out
and `timeline` the days, `words` is what the page says by itself. `making` puts it together: every
text goes through the template's escaping, and no key or password is among them.
"""
