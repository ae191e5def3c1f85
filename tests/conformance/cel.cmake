# The public suite, and in its form what it says too little of.
add_executable(cel_conformance ${CMAKE_CURRENT_LIST_DIR}/cel_conformance.c)
target_include_directories(cel_conformance PRIVATE ${CMAKE_SOURCE_DIR}/tests/support)
target_link_libraries(cel_conformance PRIVATE rules_cel PkgConfig::CJSON)
add_test(NAME cel_conformance_more COMMAND cel_conformance ${CMAKE_CURRENT_LIST_DIR}/cel/more.jsonl)
add_test(NAME cel_conformance COMMAND sh -c
  [[test -e "$1" || { echo "skipped: $1 is not there"; exit 77; }; exec "$0" "$1"]]
  $<TARGET_FILE:cel_conformance> ${CMAKE_SOURCE_DIR}/../shared/suites/cel/conformance.jsonl)

add_executable(cel_cost ${CMAKE_CURRENT_LIST_DIR}/cel_cost.c)
target_include_directories(cel_cost PRIVATE ${CMAKE_SOURCE_DIR}/tests/support)
target_link_libraries(cel_cost PRIVATE rules_cel)
if(NOT RELANCE_SANITIZE) # it is about seconds, and takes ten times as many where each access is looked at
  add_test(NAME cel_cost COMMAND cel_cost)
endif()
