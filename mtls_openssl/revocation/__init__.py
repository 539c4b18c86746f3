"""Takes back what an authority has issued: revocation, CRLs, answers by OCSP.

`work` is a run over the register, `revoking` revokes, `listing` makes the CRLs and `proving` says
what must be true of them, `responder` answers by OCSP, `checking` holds a set against its CRLs,
and `advice` is what a person must know besides.
"""
