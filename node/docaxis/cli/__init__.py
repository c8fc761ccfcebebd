"""The command `docaxis`: for clerks, for officers who run a node, for auditors.

It composes what the floors below offer. Nothing here decides about documents. Each module is one command or a few that
belong together; `main` finds them.
"""
