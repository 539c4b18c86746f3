"""The first file of a set: its settings, written where there are none yet.

`placing` puts it in place, `example` is what it says where nobody has said anything.
"""
