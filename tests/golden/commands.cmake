# What the commands print: *.test files beside the driver, run against the program as built.
if(TARGET relance)
  find_package(Python3 COMPONENTS Interpreter REQUIRED)
  add_test(NAME golden_commands
    COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/commands/run.py $<TARGET_FILE:relance>)
  set_tests_properties(golden_commands PROPERTIES SKIP_RETURN_CODE 77)
endif()
