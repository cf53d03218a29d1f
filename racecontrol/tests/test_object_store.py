"""Uploads in an S3-compatible store, against a real server of that kind on this machine."""

import boto3
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from moto.server import ThreadedMotoServer

from racecontrol.settings import s3_store


@pytest.fixture
def store(settings):
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "region_name": "us-east-1"}
    boto3.client("s3", endpoint_url=url, **keys).create_bucket(Bucket="uploads")
    settings.STORAGES = {
        **settings.STORAGES, "default": s3_store(bucket="uploads", url=url, key="k", secret="s"),
    }  # fmt: skip
    yield default_storage
    server.stop()


@pytest.mark.filterwarnings("ignore")
def test_a_file_goes_to_the_store_comes_back_and_is_gone(store):
    name = store.save("athlete/ride.fit", ContentFile(b"laps " * 50_000))
    other = store.save("athlete/ride.fit", ContentFile(b"other"))

    assert name != other  # nothing is overwritten
    with store.open(name, "rb") as file:
        assert file.read(9) == b"laps laps"
    assert store.size(name) == 250_000
    store.delete(name)
    assert not store.exists(name)
    assert store.exists(other)
