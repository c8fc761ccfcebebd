"""Reports: one page that opens without a network, made of inline SVG; charts know nothing of what they show.

Nothing here computes a figure: what is drawn was measured and estimated elsewhere.
"""
