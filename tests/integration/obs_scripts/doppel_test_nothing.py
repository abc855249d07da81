"""A script that does nothing: what reloading costs OBS itself."""


def script_load(settings):
    pass
