# Names of strangers through everything that the program prints.
if(TARGET relance)
  find_package(Python3 COMPONENTS Interpreter REQUIRED)
  add_test(NAME golden_outputs
    COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/outputs/outputs.py $<TARGET_FILE:relance>)
endif()
