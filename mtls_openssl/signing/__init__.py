"""Certificates for keys that somebody else keeps: what was asked, what is granted, and the proof.

`asking` reads a request, `granting` decides, `telling` shows the two side by side, and `proving`
holds what was made against them. What is granted becomes a plan (`plan.signed`).
"""
