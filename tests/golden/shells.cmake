# What shells and readers of manual pages are given, in real ones.
if(TARGET relance)
  find_package(Python3 COMPONENTS Interpreter REQUIRED)
  add_test(NAME golden_shells
    COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/shells/run.py $<TARGET_FILE:relance>)
endif()
