include(GoogleTest)

# picket_room(NAME SOURCES … [USES rooms…] [LIBS public libraries…] [PRIVATE private libraries…])
#
# A room is one static library, picket_NAME. It links the rooms it uses and nothing else, so the
# linker backs what scripts/check-rooms says of the includes.
function(picket_room name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;LIBS;PRIVATE" ${ARGN})
  if(ARG_SOURCES)
    add_library(picket_${name} STATIC ${ARG_SOURCES})
    set(visibility PUBLIC)
    target_link_libraries(picket_${name} PRIVATE ${ARG_PRIVATE})
  else()
    add_library(picket_${name} INTERFACE)
    set(visibility INTERFACE)
  endif()
  list(TRANSFORM ARG_USES PREPEND picket_)
  target_link_libraries(picket_${name} ${visibility} picket_build tl::expected ${ARG_USES} ${ARG_LIBS})
endfunction()

# picket_test(NAME SOURCES … LIBS … [LABELS …] [TIMEOUT seconds])
#
# One test program; each of its tests is a ctest of its own.
function(picket_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LIBS;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  if(PICKET_SANITIZE)
    math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * 5")  # what ThreadSanitizer costs
  endif()
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE picket_build ${ARG_LIBS} GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE
    PICKET_SOURCE_DIR="${PROJECT_SOURCE_DIR}" PICKET_SHARED_DIR="${PROJECT_SOURCE_DIR}/../shared")
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST PROPERTIES
    LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT})
endfunction()
