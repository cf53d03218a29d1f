"""People who agreed that their health data are kept, and the files they bring."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from coaching.models import AthleteUpload
from coaching.services import athlete as services


@pytest.fixture
def athlete(user):
    services.set_health_consent(by=user, is_given=True)
    return user


def bring(user, content: bytes, name: str = "export.zip") -> AthleteUpload:
    return services.request_upload(by=user, file=SimpleUploadedFile(name, content), name=name)
