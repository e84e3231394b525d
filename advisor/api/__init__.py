"""The Python API: what the command line does, as functions on plain values. `import advisor` offers all of it.

`advisor.advise`, `advisor.check`, `advisor.run`, `advisor.gate`, `advisor.search` and
`advisor.load`. Each is imported when it is first
used, so `import advisor` stays fast and never loads PyTorch.
"""
