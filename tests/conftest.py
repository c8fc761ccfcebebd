"""What every test has: nothing yet but the settings of hypothesis.

Fixtures live beside the tests that use them; only what all rooms need may come here.
"""

from hypothesis import HealthCheck, settings

# A shared machine may be slow for a moment: a property fails on what it finds, never on how long it took.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("house")
