# Airflow's services and the nightly steps, on torch's CPU build. Build from the repository's root.
FROM python:3.11.14-slim-bookworm
RUN apt-get update \
    && apt-get install --yes --no-install-recommends make libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 nightcart
WORKDIR /opt/nightcart
COPY --chown=nightcart . .
RUN chown nightcart /opt/nightcart && install --directory --owner nightcart /srv/nightcart
USER nightcart
RUN make setup TORCH=cpu && rm -rf .cache
ENV PATH=/opt/nightcart/.venv/bin:$PATH \
    NIGHTCART_HOME=/srv/nightcart \
    AIRFLOW_HOME=/srv/nightcart/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/nightcart/dags \
    AIRFLOW__CORE__LOAD_EXAMPLES=False
CMD ["make", "help"]
