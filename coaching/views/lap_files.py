"""Laps from a file and to a file."""

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_POST, require_safe

from coaching.forms.garage import FileForm
from coaching.queries import garage as queries
from coaching.services import lap_files
from coaching.uploads.lap_csv import write_lap_csv
from coaching.views.session import show
from racecontrol.shared.jobs import Job


@require_POST
def upload(request: HttpRequest, session_id: int) -> HttpResponse:
    """Take the file and show how its reading goes."""
    session = queries.session_for(request.user, session_id)
    form = FileForm(request.POST, request.FILES, auto_id="file_%s")
    if not form.is_valid():
        return show(request, session, session.heats.last(), ok=False, file_form=form)
    file = form.cleaned_data["file"]
    row, _ = lap_files.request_import(
        by=request.user,
        name=file.name,
        content=file.chunks(),
        session_id=session.pk,
        skip_bad=form.cleaned_data["skip_bad"],
    )
    return redirect("coaching:lap_file", row.pk)


@require_safe
def lap_file(request: HttpRequest, file_id: int) -> HttpResponse:
    """How the reading of a file goes, and which of its lines cannot be used."""
    file = queries.lap_file_for(request.user, file_id)
    job = Job.objects.filter(key=f"laps:{file.pk}").order_by("-created_at").first()
    return render(request, "coaching/garage/lap_file.html", {"file": file, "job": job})


@require_safe
def export(request: HttpRequest, session_id: int) -> StreamingHttpResponse:
    """All laps of the session as CSV, in driven order; it can be imported again."""
    session = queries.session_for(request.user, session_id)
    rows = queries.laps_of(session).iterator(chunk_size=2000)
    answer = StreamingHttpResponse(
        write_lap_csv(session.pk, rows), content_type="text/csv; charset=utf-8"
    )
    name = slugify(session.name) or "session"
    answer["Content-Disposition"] = f'attachment; filename="{name}-laps.csv"'
    return answer
