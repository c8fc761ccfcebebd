"""The capacity executors: how much, how fast, for how many, over a whole country.

`plan` is the contract: whoever draws a plan, carries it or reads the outcome needs nothing else of the others. Two
engines carry plans and agree on every departure. Nothing is imported here, so that checking a scenario loads no engine.
"""
