"""The embedded PostgreSQL: started, started twice, killed, half made, and healed."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest

from racecontrol import devdb
from racecontrol.devdb import Cluster, EmbeddedDatabaseError

pytestmark = pytest.mark.processes


@pytest.fixture
def cluster(tmp_path):
    made = Cluster(tmp_path / "a path with spaces" / "pg", is_throwaway=True)
    yield made
    made.stop("immediate")


def ask(cluster: Cluster, sql: str):
    with psycopg.connect(
        host=cluster.running(), port=devdb.PORT, user=devdb.SUPERUSER, dbname=devdb.DATABASE
    ) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchone()[0] if cursor.description else None


def server_pid(cluster: Cluster) -> int:
    return int((cluster.data / "postmaster.pid").read_text().split()[0])


def is_gone(process: psutil.Process) -> bool:
    """Ended, reaped by its parent or not yet."""
    with contextlib.suppress(psutil.Error):
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    return True


def kill_server(cluster: Cluster) -> None:
    server = psutil.Process(server_pid(cluster))
    server.kill()
    while not is_gone(server):
        time.sleep(0.01)


def test_it_starts_in_a_path_with_spaces_and_listens_on_no_network(cluster):
    cluster.ensure()

    assert ask(cluster, "SELECT 'Zoë' COLLATE \"C\" < 'aé'") is True
    assert ask(cluster, "SHOW listen_addresses") == ""
    assert ask(cluster, "SHOW server_encoding") == "UTF8"
    assert (cluster.data.stat().st_mode & 0o777) == 0o700


def test_many_processes_may_start_it_at_once(cluster):
    code = (
        "import sys, pathlib; from racecontrol.devdb import Cluster;"
        "print(Cluster(pathlib.Path(sys.argv[1]), is_throwaway=True).ensure())"
    )

    def start(_):
        command = [sys.executable, "-c", code, str(cluster.data)]
        return subprocess.check_output(
            command, cwd=Path(__file__).parents[2], text=True, timeout=60
        )

    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(start, range(4)))

    assert answers == {f"{cluster.running()}\n"}


def test_a_path_too_long_for_a_socket_gets_a_private_folder(tmp_path):
    cluster = Cluster(tmp_path / ("long" * 30) / "pg", is_throwaway=True)
    try:
        folder = Path(cluster.ensure())

        assert not folder.is_relative_to(tmp_path)
        assert folder.stat().st_mode & 0o077 == 0
        assert ask(cluster, "SELECT 1") == 1
    finally:
        cluster.stop("immediate")
        folder.rmdir()


def test_a_killed_server_is_healed_with_what_it_had_committed(tmp_path):
    cluster = Cluster(tmp_path / "pg")  # durable, as for people
    cluster.ensure()
    try:
        ask(cluster, "CREATE TABLE lap AS SELECT 24318 AS ms")
        kill_server(cluster)

        cluster.ensure()

        assert ask(cluster, "SELECT ms FROM lap") == 24318
    finally:
        cluster.stop("immediate")


def test_orphans_of_a_killed_server_are_ended_before_the_next(cluster):
    cluster.ensure()
    busy = psycopg.connect(
        host=cluster.running(), port=devdb.PORT, user=devdb.SUPERUSER, dbname=devdb.DATABASE
    )
    orphan = psutil.Process(busy.execute("SELECT pg_backend_pid()").fetchone()[0])
    os.kill(orphan.pid, signal.SIGSTOP)  # it cannot notice that its parent is gone
    kill_server(cluster)

    cluster.ensure()

    assert is_gone(orphan)
    assert ask(cluster, "SELECT 1") == 1
    busy.close()


def test_a_pid_file_that_names_another_program_is_stale(cluster):
    cluster.ensure()
    text = (cluster.data / "postmaster.pid").read_text().splitlines()
    kill_server(cluster)
    # A number that is somebody else's now, as after a restart of the machine.
    (cluster.data / "postmaster.pid").write_text("\n".join([str(os.getppid()), *text[1:]]) + "\n")

    cluster.ensure()

    assert server_pid(cluster) != os.getppid()
    assert ask(cluster, "SELECT 1") == 1


def test_a_server_that_died_but_was_not_reaped_is_dead(cluster):
    zombie = subprocess.Popen([sys.executable, "-c", ""])
    while psutil.Process(zombie.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    cluster.ensure()
    text = (cluster.data / "postmaster.pid").read_text().splitlines()
    kill_server(cluster)
    (cluster.data / "postmaster.pid").write_text("\n".join([str(zombie.pid), *text[1:]]) + "\n")

    cluster.ensure()

    assert ask(cluster, "SELECT 1") == 1
    zombie.wait()


def test_an_initdb_that_was_cut_off_is_made_anew(cluster):
    half_made = cluster.data.with_name("pg.new")
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")

    cluster.ensure()

    assert ask(cluster, "SELECT 1") == 1
    assert not half_made.exists()


def test_data_of_another_version_is_refused_with_the_way_out(cluster):
    cluster.data.mkdir(parents=True)
    (cluster.data / "PG_VERSION").write_text("16\n")

    with pytest.raises(EmbeddedDatabaseError, match=r"made by PostgreSQL 16.*pg_dump"):
        cluster.ensure()

    assert (cluster.data / "PG_VERSION").read_text() == "16\n"


def test_a_folder_that_is_no_cluster_is_left_alone(cluster):
    cluster.data.mkdir(parents=True)
    (cluster.data / "holiday.txt").write_text("photos")

    with pytest.raises(EmbeddedDatabaseError, match="move it away"):
        cluster.ensure()

    assert (cluster.data / "holiday.txt").read_text() == "photos"


def test_it_is_not_stopped_while_somebody_uses_it(cluster):
    cluster.ensure()
    with psycopg.connect(
        host=cluster.running(), port=devdb.PORT, user=devdb.SUPERUSER, dbname=devdb.DATABASE
    ):
        assert cluster.other_clients() == 1
        assert not cluster.stop_if_unused()
        assert cluster.running()

    deadline = time.monotonic() + 60
    while cluster.other_clients() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert cluster.stop_if_unused()
    assert cluster.running() is None


def test_a_copied_folder_does_not_disturb_the_original(cluster, tmp_path):
    cluster.ensure()
    original = cluster.running()
    copy = Cluster(tmp_path / "copy" / "pg", is_throwaway=True)
    copy.data.mkdir(parents=True)
    for name in ("PG_VERSION", "postmaster.pid"):
        (copy.data / name).write_text((cluster.data / name).read_text())

    assert copy._end_leftovers() is None

    assert cluster.running() == original


def test_under_root_only_passing_through_is_opened(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root opens the way for the server's account")
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    cluster = Cluster(private / ".var" / "pg", is_throwaway=True)
    try:
        cluster.ensure()

        assert private.stat().st_mode & 0o777 == 0o701
        assert psutil.Process(server_pid(cluster)).uids().real != 0
    finally:
        cluster.stop("immediate")
