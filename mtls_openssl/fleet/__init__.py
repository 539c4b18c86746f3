"""Clients by the hundred: asked for in a table, made on all processors, put in place in batches.

`table` and `series` say who is asked for, `asking` sees that all of it can be had, `renewing` finds
who nears the end, `choosing` says what is made of each. `steps` has the commands of a batch,
`batch` makes and proves one, `book` keeps the register and `passwords` the passwords, `issuing` is
the run. A client is there if and only if its folder is, which
`inventory.clients` looks for.
"""
