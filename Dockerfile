# The pipeline and Airflow, for docker-compose.yml. The lock is complete and hashed: nothing is resolved.
FROM python:3.11.13-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

# libgomp: numerical wheels; curl: the health check; gpg: sealing feeds for their recipients
RUN apt-get update \
    && apt-get install --yes --no-install-recommends curl gpg libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --home-dir /var/lib/sudare --shell /usr/sbin/nologin sudare \
    && install --directory --owner sudare --group sudare --mode 0700 /var/lib/sudare /var/lib/sudare/airflow

WORKDIR /opt/sudare
COPY requirements.lock ./
RUN pip install --no-deps --require-hashes -r requirements.lock

COPY pyproject.toml README.md ./
COPY anonymizers anonymizers
COPY expectations expectations
COPY transforms transforms
COPY delivery delivery
COPY dags dags
COPY sudare sudare
# In place, so that the DAG that Airflow parses and the package that it imports are the same files.
RUN pip install --no-deps --no-build-isolation --no-index --editable .

USER 10001:10001
CMD ["airflow", "version"]
