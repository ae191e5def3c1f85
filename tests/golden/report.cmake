# A report of a shop in three currencies, in its three forms; the pages are developed against its JSON.
add_test(NAME golden_report COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/report/run.py $<TARGET_FILE:relance>)
