"""The protocol itself: five words are enough to read it.

An *event* is something that happened (`events`). The *machine* decides (`machine`). An *effect* is something the node
wants (`effects`): first what must be durable, then what may leave, then what people are told. A *port* is a thing the
core is handed at birth (`ports`). A *limit* is a bound with a name and a unit (`limits`).

Nothing in here does I/O, reads a clock, rolls dice or logs: time is an int of milliseconds and chance is an argument.
"""
