# The operator's image: one static program, no shell, not root.
#
#   docker build --tag registry.example.com/fleetwright:dev .
#
# The same commit gives the same program on every machine: no paths, no build id, no cgo, versions pinned by go.sum. For an
# image that can be made again byte by byte, pin both FROM lines by digest and set SOURCE_DATE_EPOCH.
ARG GO_VERSION=1.26

FROM --platform=$BUILDPLATFORM golang:${GO_VERSION} AS build
ARG TARGETOS
ARG TARGETARCH
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY api api
COPY cmd cmd
COPY drain drain
COPY internal internal
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOTOOLCHAIN=local GOOS=${TARGETOS} GOARCH=${TARGETARCH} \
    go build -trimpath -buildvcs=false -ldflags="-s -w -buildid=" -o /out/fleetwright ./cmd/fleetwright

# Certificate authorities, time zones and the user nonroot (65532); nothing else.
FROM gcr.io/distroless/static:nonroot
LABEL org.opencontainers.image.title="fleetwright" \
      org.opencontainers.image.source="https://github.com/fleetwright/fleetwright" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/fleetwright /fleetwright
USER 65532:65532
ENTRYPOINT ["/fleetwright"]
