"""Addresses of one PostgreSQL or of several, as SQLAlchemy, asyncpg and libpq read them."""

import pytest

from exam_engine.infra.database import database_url, hosts_of
from exam_engine.infra.embedded.dumps import conninfo
from exam_engine.infra.settings import Secret, Settings


@pytest.mark.parametrize(
    ("address", "hosts", "ports"),
    [
        pytest.param("postgresql://a:b@db/exam", ["db"], [5432], id="one host"),
        pytest.param("postgresql://a:b@db:6000/exam", ["db"], [6000], id="one host and port"),
        pytest.param("postgresql://a@/exam?host=/run/pg", ["/run/pg"], [5432], id="a socket"),
        pytest.param("postgresql://a@/exam?host=x,y&port=1,2", ["x", "y"], [1, 2], id="two hosts"),
        pytest.param("postgresql://a@/exam?host=x,y", ["x", "y"], [5432, 5432], id="two hosts, usual port"),
    ],
)
def test_hosts_and_ports_are_read_from_the_address(address: str, hosts: list[str], ports: list[int]) -> None:
    settings = Settings(database_url=Secret(address))
    assert hosts_of(database_url(settings)) == (hosts, ports)
    assert f"host={','.join(hosts)}" in conninfo(settings)
    assert f"port={','.join(map(str, ports))}" in conninfo(settings)


def test_of_several_hosts_the_primary_is_asked_for() -> None:
    several = Settings(database_url=Secret("postgresql://a@/exam?host=x,y"))
    assert database_url(several).query["target_session_attrs"] == "primary"
    assert "target_session_attrs=primary" in conninfo(several)
    assert "target_session_attrs" not in conninfo(Settings(database_url=Secret("postgresql://a@x/exam")))
