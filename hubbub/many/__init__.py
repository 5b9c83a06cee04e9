"""Many recordings into a folder of results: taken up after a kill, one bad recording never in the way of the others.

`run.py` drives; `engines.py` hands recordings to the cores of this machine or of a cluster, through joblib; `crew.py`
keeps the child processes that read and listen, which may die; `child.py` is what runs in them; `results.py` is the
folder.
"""
