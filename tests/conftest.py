from hypothesis import settings

settings.register_profile("without a clock", deadline=None)  # a busy machine is no failure
settings.load_profile("without a clock")

pytest_plugins = ["pytester"]
collect_ignore = ["downstream"]  # a project of its own, which test_downstream.py installs and runs
