# Flows that marketing tools offer, as rule files with tests: those of rules/recipes, which the manual names, and more of
# them beside the driver. That the driver can refuse is a test of its own.
if(TARGET relance)
  find_package(Python3 COMPONENTS Interpreter REQUIRED)
  add_test(NAME golden_flows
    COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/flows/run.py $<TARGET_FILE:relance>)
  add_test(NAME golden_flows_sabotage
    COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/flows/run.py $<TARGET_FILE:relance> --sabotage)
endif()
