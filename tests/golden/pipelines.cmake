# What the presets make of public bodies, a line each; skipped where the data are absent.
add_test(NAME golden_pipelines COMMAND python3 ${CMAKE_CURRENT_LIST_DIR}/pipelines/run.py $<TARGET_FILE:map_tool>)
set_tests_properties(golden_pipelines PROPERTIES SKIP_RETURN_CODE 77)
