pytest_plugins = ["pytester"]
collect_ignore = ["downstream"]  # a project of its own, which test_downstream.py installs and runs
