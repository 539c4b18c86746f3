"""What there is: certificates, lists, bundles in folders, files and servers, and how they stand.

`der` takes DER apart, and on it stand `certificate`, `revocation`, `container` and `keys`, so that
thousands of files are read without a process for each. `places` says which files are meant,
`reading` what is in them, `entered` what index.txt says. `survey` looks at a place: `held` has
each certificate with its issuer and its key, `bundles` the PKCS#12 files, `tree` puts it together,
and `judging` says how each thing stands. `telling`, `data`, `nagios`, `prometheus` pass it on.
"""
