"""The half of the work that is done on another host, by its own openssl, over ssh.

`address` reads whom to ask, `door` starts ssh, `lines` says what the host's shell is told, `host`
asks and understands what went wrong, and `work` makes the key there and puts the certificate
beside it. A private key stays where it was made: none of these lines prints one.
"""
