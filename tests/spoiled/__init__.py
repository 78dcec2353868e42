"""Ways in which people and publishers spoil what they deliver, on each form of file that they apply to, and what becomes of each.

`VRU_HOME=… python -m tests.spoiled` prints the proof, on a copy of a home that has published a night of the stand-ins.
"""
