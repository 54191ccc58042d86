"""Running and deploying: the command line, the runner, migrations; may import every room."""
