# The event reader against the public suites and the events of the shared cases; skipped where they are absent.
foreach(program event_suites event_cases)
  add_executable(${program} ${program}.c)
  target_include_directories(${program} PRIVATE ${CMAKE_SOURCE_DIR}/tests/support)
  target_link_libraries(${program} PRIVATE rules_event)
endforeach()
add_test(NAME conformance_event_suites COMMAND event_suites ${CMAKE_SOURCE_DIR}/../shared/suites)
add_test(NAME conformance_event_cases COMMAND event_cases ${CMAKE_SOURCE_DIR}/../shared/cases)
set_tests_properties(conformance_event_suites conformance_event_cases PROPERTIES SKIP_RETURN_CODE 77)
