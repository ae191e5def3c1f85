# The dashboard and the alerts, against the metrics that there are.
if(TARGET relance)
  find_package(Python3 COMPONENTS Interpreter REQUIRED)
  add_test(NAME golden_grafana
    COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/grafana/run.py $<TARGET_FILE:relance>)
  set_tests_properties(golden_grafana PROPERTIES SKIP_RETURN_CODE 77)
endif()
