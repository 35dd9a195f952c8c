# Every library comes from Debian by find_package; scripts/setup installs them.
# Each line says who uses it. A room links only what its own CMakeLists names.

find_package(Threads REQUIRED)
find_package(cpprestsdk CONFIG REQUIRED)            # base/http: one file, behind the HTTP seam
find_package(OpenSSL 3.0 REQUIRED)                  # auth: signing; base/http: TLS settings
find_package(nlohmann_json 3.11 CONFIG REQUIRED)    # JSON that is not an event page
find_package(simdjson CONFIG REQUIRED)              # event pages
find_package(SQLite3 3.40 REQUIRED)                 # storage
find_package(ZLIB REQUIRED)                         # base/http: gzip with a cap; import
find_package(tl-expected CONFIG REQUIRED)           # Result<T>
find_package(fmt CONFIG REQUIRED)                   # text formatting
find_package(spdlog CONFIG REQUIRED)                # base/log
find_package(tomlplusplus CONFIG REQUIRED)          # agent/config
find_package(CLI11 CONFIG REQUIRED)                 # agent/cli
find_package(yaml-cpp CONFIG REQUIRED)              # agent/rules

find_package(PkgConfig REQUIRED)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)   # storage: frames
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)        # agent/kql: matches regex, extract

find_package(S2)   # agent/kql: geo_* functions of shapes; optional (docs/decisions/spherical-geometry.md)

if(PICKET_BUILD_TESTS)
  find_package(GTest CONFIG REQUIRED)
  pkg_check_modules(HTTPLIB REQUIRED IMPORTED_TARGET cpp-httplib)             # tests/simulator
endif()
if(PICKET_BENCH)
  find_package(benchmark CONFIG REQUIRED)           # tests/bench
endif()
