"""Alembic's environment: the runner hands over an open connection; nothing is read from a file or the environment."""

from alembic import context

from exam_engine.infra.migrations.names import include_name

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=context.config.attributes.get("metadata"),
    include_name=include_name,
    compare_type=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
