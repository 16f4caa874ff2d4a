"""Alembic's environment: it works on the connection that `migrating.py` hands over."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], render_as_batch=True)
context.run_migrations()
