"""The tests: a mirror of the code. A package only so that no library's folder of this name is taken for it.

Programs that tests start find their modules here (`python -m tests.store.committer`). Nothing is imported here, and the
folders below have no such file.
"""
