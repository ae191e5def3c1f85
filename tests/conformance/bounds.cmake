# What hostile rule files and events may cost. Not under a sanitizer, which owns the memory.
if(NOT RELANCE_SANITIZE)
  find_package(Python3 COMPONENTS Interpreter REQUIRED)
  add_test(NAME conformance_bounds COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/bounds.py $<TARGET_FILE:relance>)
  set_tests_properties(conformance_bounds PROPERTIES TIMEOUT 900)
endif()
