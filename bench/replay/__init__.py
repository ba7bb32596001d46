"""A stand-in for the outside world on loopback: the APIs that the evidence providers ask and the pages they lead to.

Everything it says is made from the question by a seed: the same question gets the same answer, another one another.
"""
