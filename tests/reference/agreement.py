from tests.reference.scenario import play_reference as play  # noqa: F401
