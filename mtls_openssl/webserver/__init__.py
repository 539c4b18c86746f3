"""nginx and IIS, set up for mutual TLS with a set (Appendices B and C of the guide).

`certificates` reads the set, `nginx` and `iis` say what goes into a template, `program` finds and
asks the nginx of this machine, `placing` puts a file where it belongs and can take it back.
"""
