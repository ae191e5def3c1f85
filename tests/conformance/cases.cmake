add_test(NAME conformance_cases COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/cases.py $<TARGET_FILE:relance>)
