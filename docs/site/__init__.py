"""The documentation site: pages from docs/, and a reference generated from parsers, schemas, docstrings and rules."""
