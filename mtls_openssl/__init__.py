"""Root CA, server and client certificates for mutual TLS, made with the user's own openssl.

The rooms in reading order: `settings` and `profiles` (what to make), `steps` (the nouns),
`openssl` (the vocabulary of its sub-commands), `plan` (settings to steps), `templating`,
`process` (the one door to openssl), `locate` (which openssl), `workspace` (the folder of a set),
`audit` (the log), `runner` (steps to outcomes), `proof` (what a finished set must pass),
`scripting` (steps to a script that does the same), `pipeline` (all of it in order),
`report` (what a person or a program reads), `cli` (the command line).
"""

__version__ = "0.1.0"
