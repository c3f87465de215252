# A static binary in an empty image: no shell, no libraries, no root.
#
#   docker build -t vestibule .
#   docker run --read-only -v "$PWD:/app:ro" -p 5000:5000 vestibule
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN deploy/dist /out

FROM scratch
COPY --from=build /out/vestibule /vestibule
# Where xs-app.json, xs-tenants.json and localDir folders are mounted.
WORKDIR /app
# Numeric, for there is no /etc/passwd; Kubernetes' runAsNonRoot wants it so as well.
USER 65532:65532
ENV PORT=5000
EXPOSE 5000
STOPSIGNAL SIGTERM
ENTRYPOINT ["/vestibule"]
