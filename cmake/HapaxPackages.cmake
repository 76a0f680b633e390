# The packages that each component is built on, for the build and for find_package(hapax). Debian 12 has them all
# (scripts/setup installs them).
set(hapax_common_packages Threads OpenSSL Protobuf absl)
set(hapax_client_packages "gRPC CONFIG" SQLite3)
set(hapax_server_packages "gRPC CONFIG" PostgreSQL ZLIB "RocksDB CONFIG" "spdlog CONFIG" "prometheus-cpp CONFIG")
set(hapax_compute_packages "")
set(hapax_testing_packages "")
