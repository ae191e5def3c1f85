relance_fuzz(http_door http_door.c LINK relance_shell)
