"""The vocabulary: one module per openssl sub-command, its argv beside the parser of its output.

Every function is pure. The arguments are the guide's own, in the guide's order; file names are
bare, since a command runs in the folder of the set.
"""
