"""docs/api/run-plans.yaml says what the code does."""

import json
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command
from django.utils.module_loading import import_string

from runplans.domain.inputs import KNOWN
from runplans.management.commands.export_run_plans_api import TARGET, document


def test_the_exported_document_is_not_stale():
    text = (Path(settings.BASE_DIR) / TARGET).read_text()

    assert text == document(), "stale: run manage.py export_run_plans_api"
    call_command("export_run_plans_api", "--check")


def test_a_stale_document_is_noticed(tmp_path, settings):
    settings.BASE_DIR = tmp_path
    with pytest.raises(SystemExit):
        call_command("export_run_plans_api", "--check")
    call_command("export_run_plans_api")
    call_command("export_run_plans_api", "--check")


def test_it_is_the_api_of_run_plans_and_whole():
    told = yaml.safe_load(document())
    whole = json.loads(json.dumps(import_string("racecontrol.api.api").get_openapi_schema()))

    assert set(told["paths"]) == {"/api/v1/run-plans", "/api/v1/run-plans/{plan_id}"}
    assert all(told["paths"][path] == whole["paths"][path] for path in told["paths"])
    for name, schema in told["components"]["schemas"].items():
        assert schema == whole["components"]["schemas"][name]
    assert "ErrorOut" in told["components"]["schemas"]
    body = told["paths"]["/api/v1/run-plans"]["post"]["requestBody"]
    assert set(body["content"]["application/json"]["schema"]["properties"]) == KNOWN
