# The steps with torch's CUDA build, for a machine with a GPU. Build from the repository's root.
FROM nvidia/cuda:12.8.1-base-ubuntu22.04
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update \
    && apt-get install --yes --no-install-recommends make libgomp1 python3.11 python3.11-venv \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 nightcart
WORKDIR /opt/nightcart
COPY --chown=nightcart . .
RUN chown nightcart /opt/nightcart && install --directory --owner nightcart /srv/nightcart
USER nightcart
RUN make setup TORCH=cuda PYTHON=python3.11 && rm -rf .cache
ENV PATH=/opt/nightcart/.venv/bin:$PATH \
    TORCH=cuda \
    NIGHTCART_HOME=/srv/nightcart
ENTRYPOINT ["nightcart"]
CMD ["--help"]
