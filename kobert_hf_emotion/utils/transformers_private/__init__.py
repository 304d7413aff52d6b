"""The one place that touches transformers' private names, each as a method or function with a name of our own.

`tests/utils/test_private_names.py` lists them, and says by name what a release of transformers took away or changed.
CONTRIBUTING.md tells which releases were tried.
"""
