"""The database: server, roles, schemas, build, publish, history, alerts, and the `vru` command."""
