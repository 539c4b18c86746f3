"""The life of a set after its first day: what there is, what is wanted, and what to do about it.

`condition` looks, `deciding` compares, `describing` reads a certificate as what was asked for it.
`taken` says which names somebody has.
What is decided becomes a plan (`plan.selected`) and runs as every other.
"""
