# The tables of the manual against the program that prints them.
if(TARGET relance)
  find_package(Python3 COMPONENTS Interpreter REQUIRED)
  add_test(NAME golden_manual
    COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/manual/run.py $<TARGET_FILE:relance>)
endif()
