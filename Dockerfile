# The image of every Airflow service in docker-compose.yml: Airflow, its providers and this project,
# all from requirements.lock, so that a container runs the very versions the tests ran with.
FROM python:3.11.14-slim-bookworm

RUN useradd --create-home --uid 50000 --gid 0 airflow \
    && install --directory --owner=airflow --group=0 --mode=0700 \
        /opt/airflow /opt/airflow/logs /srv/sudare /srv/sudare/staging /srv/sudare/published /srv/sudare/outbox

WORKDIR /opt/sudare
# The lock first: it changes seldom, and its layer is the large one.
COPY requirements.lock ./
RUN python -m pip install --no-cache-dir --no-deps --require-hashes -r requirements.lock

COPY pyproject.toml README.md ./
COPY anonymizers anonymizers
COPY expectations expectations
COPY transforms transforms
COPY delivery delivery
COPY dags dags
COPY sudare sudare
# In place, so that the code's version in a manifest is the digest of these files.
RUN python -m pip install --no-cache-dir --no-deps --no-build-isolation --no-index -e .

ENV AIRFLOW_HOME=/opt/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/sudare/dags \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    GX_ANALYTICS_ENABLED=false \
    PYTHONUNBUFFERED=1

USER airflow
WORKDIR /opt/airflow
ENTRYPOINT ["python", "-m", "airflow"]
CMD ["version"]
