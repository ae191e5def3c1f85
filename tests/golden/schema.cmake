# rules.schema.json and mapping.schema.json against the program, both ways.
if(TARGET relance)
  find_package(Python3 COMPONENTS Interpreter REQUIRED)
  add_test(NAME golden_schema
    COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/schema/run.py $<TARGET_FILE:relance>)
  add_test(NAME golden_schema_mapping
    COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/schema/mapping.py $<TARGET_FILE:relance>)
endif()
