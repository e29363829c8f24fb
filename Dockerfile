# feedsvc as a container: one process tree, data in /data, no root, read-only root file system.
#   docker build -t feedsvc . && docker run -p 8080:8080 -v feedsvc:/data feedsvc
ARG BASE_IMAGE=python:3.13-slim-bookworm

FROM ${BASE_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /src
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends binutils
RUN python3 -m venv /opt/feedsvc
COPY requirements/base.txt requirements/
RUN /opt/feedsvc/bin/python -m pip install --quiet --require-hashes -r requirements/base.txt
COPY pyproject.toml README.md LICENSE ./
COPY feedsvc feedsvc
# of no use at run time: symbols, sources of compiled modules, what only installs things, and the
# highlighter of source code that rich brings; the last line proves that nothing else was lost
RUN /opt/feedsvc/bin/python -m pip install --quiet --no-deps --no-build-isolation --no-index . \
 && /opt/feedsvc/bin/python -m pip uninstall --quiet --yes pip setuptools pygments \
 && find /opt/feedsvc -type d -name tests -prune -exec rm -rf {} + \
 && find /opt/feedsvc -type f \( -name '*.pyx' -o -name '*.pxd' -o -name '*.c' -o -name '*.h' -o -name '*.pyi' \) -delete \
 && find /opt/feedsvc -type f -name '*.so*' -exec strip --strip-unneeded {} + \
 && /opt/feedsvc/bin/feedsvc --version && /opt/feedsvc/bin/feedsvc config check

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="feedsvc" \
      org.opencontainers.image.description="Self-hosted feed server: queryable, cross-linked Atom, RSS and JSON feeds" \
      org.opencontainers.image.licenses="MIT"
RUN groupadd --system --gid 10001 feedsvc \
 && useradd --system --uid 10001 --gid feedsvc --home-dir /data --no-create-home --shell /usr/sbin/nologin feedsvc \
 && install -d -o feedsvc -g feedsvc /data
COPY --from=build /opt/feedsvc /opt/feedsvc
COPY seeds /srv/feedsvc/seeds
COPY config /srv/feedsvc/config
WORKDIR /srv/feedsvc
ENV PATH=/opt/feedsvc/bin:$PATH \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    FEEDSVC_STORE__URL=sqlite:////data/feedsvc.db \
    FEEDSVC_WEB__HOST=0.0.0.0
USER feedsvc
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python3", "-c", "import os,urllib.request; urllib.request.urlopen('http://127.0.0.1:'+os.environ.get('FEEDSVC_WEB__PORT','8080')+'/healthz', timeout=4)"]
ENTRYPOINT ["feedsvc"]
CMD ["run"]
