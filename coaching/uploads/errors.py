"""What can be wrong with a file somebody brought, in words for them."""

from racecontrol.shared.errors import InvalidInput


class BadUpload(InvalidInput):
    """The file cannot be used; nothing of it was kept."""

    code = "bad_upload"

    def __init__(self, message: str):
        super().__init__(message, fields={"file": [message]})
