"""What all components of a served Airflow have to agree on."""

from sudare.up import fernet_key


def test_the_key_of_connections_is_made_once_and_is_nobody_elses_to_read(tmp_path):
    first = fernet_key(tmp_path / "airflow")
    assert len(first) == 44
    assert fernet_key(tmp_path / "airflow") == first
    assert (tmp_path / "airflow" / "fernet.key").stat().st_mode & 0o077 == 0
    assert fernet_key(tmp_path / "another") != first


def test_a_key_that_airflow_has_written_stays(tmp_path):
    """What was kept under it could be read no more."""
    (tmp_path / "airflow.cfg").write_text("[core]\n# fernet_key = no\nfernet_key = what-airflow-made=\n")
    assert fernet_key(tmp_path) == "what-airflow-made="
