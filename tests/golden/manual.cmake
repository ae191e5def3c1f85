# The tables of the manual against the program: those that it prints, that of the names that may be read where, and the examples of mappings.
if(TARGET relance)
  find_package(Python3 COMPONENTS Interpreter REQUIRED)
  add_test(NAME golden_manual
    COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/manual/run.py $<TARGET_FILE:relance>)
  add_test(NAME golden_manual_names
    COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/manual/names.py $<TARGET_FILE:relance>)
  add_test(NAME golden_manual_mappings
    COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/manual/mappings.py $<TARGET_FILE:relance>)
endif()
