"""OpenTelemetry spans and Prometheus metrics of what a host of rtfs_framework does."""
