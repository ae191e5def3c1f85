# Metrics as Prometheus takes them, by its own linter.
if(TARGET relance)
  find_package(Python3 COMPONENTS Interpreter REQUIRED)
  add_test(NAME golden_prometheus
    COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/prometheus/run.py $<TARGET_FILE:relance>)
  set_tests_properties(golden_prometheus PROPERTIES SKIP_RETURN_CODE 77)
endif()
