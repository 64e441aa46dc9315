# The API: no torch in it. Build from the repository's root:
#   docker build -f docker/api.Dockerfile -t extremal-perturbations-api .
FROM python:3.12.12-slim AS build
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /src
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY ep_core ep_core
COPY worker worker
COPY service service
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --constraint constraints.txt '.[api,blobs,otel]'
RUN pip check

FROM python:3.12.12-slim
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin ep
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    EP_HOST=0.0.0.0 \
    EP_PORT=8000 \
    EP_LOG_JSON=true
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"EP_PORT\"]}/healthz', timeout=4)"]
CMD ["python", "-m", "service"]
