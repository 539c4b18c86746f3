"""Real TLS connections: a handshake proven on loopback, and one to any server told in words.

`alerts`, `verification` and `refusals` are the tables of what TLS, X.509 and servers say, each in
words, with its usual cause and cure; `target` reads an address, `reading` one connection,
`connect` makes it, `handshake` tries a set against itself.
"""
