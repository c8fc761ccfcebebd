"""The capacity executors: how much, how fast, for how many; plans of a whole country, carried by two engines that
agree.

`plan` is the contract: whoever draws a plan, carries it or reads the outcome needs nothing else of the others. Nothing
is imported here, so that checking a scenario loads no engine.
"""
