# A worker, for CPU and GPU alike: PyPI's torch brings CUDA along and runs without a GPU too. From the repository's root:
#   docker build -f docker/worker.Dockerfile -t extremal-perturbations-worker .
# Without GPUs, --build-arg TORCH_INDEX=<the PyTorch project's index of CPU wheels> makes the image some GB smaller.
FROM python:3.12.12-slim AS build
ARG TORCH_INDEX=""
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /src
COPY constraints.txt ./
# A layer of its own, so that a change of our code doesn't send torch over the network again.
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --constraint constraints.txt ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} torch torchvision
COPY pyproject.toml README.md LICENSE ./
COPY ep_core ep_core
COPY worker worker
COPY service service
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --constraint constraints.txt '.[worker,blobs,huggingface,open-clip,otel,timm]'
RUN pip check
RUN TORCH_HOME=/opt/cache/torch ep models --fetch mobilenet_v2

FROM python:3.12.12-slim
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin ep \
    && install --directory --owner=10001 --group=10001 /var/lib/ep
COPY --from=build /opt/venv /opt/venv
# Mount a volume here to keep the weights of other models; a new named volume starts with what the image holds.
COPY --from=build --chown=10001:10001 /opt/cache/ /var/lib/ep/
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    TORCH_HOME=/var/lib/ep/torch \
    HF_HOME=/var/lib/ep/huggingface \
    MPLCONFIGDIR=/tmp/matplotlib \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    EP_LOG_JSON=true
USER 10001:10001
WORKDIR /tmp
# A worker that runs a job still beats; one that hangs doesn't.
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s --retries=3 CMD ["python", "-m", "worker", "--check"]
CMD ["python", "-m", "worker"]
