# docker build -t poolbench .        docs/docker.md shows how to run it, and how to build for both architectures.

# Compiles on the build machine: JavaScript is the same on every architecture.
FROM --platform=$BUILDPLATFORM node:20-bookworm-slim AS build
WORKDIR /poolbench
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY build.mjs tsconfig.json tsconfig.build.json ./
COPY src src
RUN node build.mjs && rm dist/*.tsbuildinfo dist/sources.sha256

# What has a binary, for the architecture that the image is for: some dependencies, and the io_uring transport of wire.
FROM node:20-bookworm-slim AS dependencies
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev
WORKDIR /poolbench
COPY package.json package-lock.json ./
RUN npm ci --omit=dev
COPY native native
RUN node native/build.mjs

FROM node:20-bookworm-slim
# Node is not suited to be process 1: it would ignore signals without a listener, and not reap orphans.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends tini \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /poolbench
COPY package.json LICENSE ./
COPY configs configs
COPY native native
COPY --from=dependencies /poolbench/node_modules node_modules
COPY --from=dependencies /poolbench/prebuilds prebuilds
COPY --from=build /poolbench/dist dist
# Any user may write here, for docker run --user "$(id -u)".
RUN mkdir -m 1777 -p /runs /runs/results
ENV NODE_ENV=production
USER node
WORKDIR /runs
VOLUME /runs/results
ENTRYPOINT ["tini", "--", "node", "/poolbench/dist/main/cli.js"]
CMD ["--help"]
