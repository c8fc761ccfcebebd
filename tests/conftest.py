"""What every test has: nothing yet but the settings of hypothesis.

Fixtures live beside the tests that use them; only what all rooms need may come here.
"""

from hypothesis import HealthCheck, settings

# A shared machine may be slow for a moment: a property fails on what it finds, never on how long it took.
settings.register_profile(
    "house", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True, derandomize=True
)
# One commit, one verdict: examples come from the test's own text, so what was green stays green until somebody changes
# something. Whoever looks for new examples runs `tools/test --hypothesis-profile=explore`, and keeps what is found.
settings.register_profile("explore", settings.get_profile("house"), derandomize=False, max_examples=1_000)
settings.load_profile("house")
