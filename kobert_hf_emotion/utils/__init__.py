"""Files, versions, modules and the garbage collector: what is of no domain."""
