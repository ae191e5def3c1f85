# What people see on a terminal.
if(TARGET relance)
  find_package(Python3 COMPONENTS Interpreter REQUIRED)
  add_test(NAME golden_terminal
    COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/terminal/run.py $<TARGET_FILE:relance>)
endif()
