# The presets' own tests, and the mappings that their comments show.
add_test(NAME conformance_presets COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/presets.py $<TARGET_FILE:relance>)
# Public bodies, and other people's tests of pipelines; skipped where the data are absent.
add_test(NAME conformance_pipelines COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/pipelines/run.py $<TARGET_FILE:relance> $<TARGET_FILE:map_tool>)
set_tests_properties(conformance_pipelines PROPERTIES SKIP_RETURN_CODE 77)
# A cart that was left, told by each preset to the rules that ship.
add_test(NAME conformance_carts COMMAND python3 ${CMAKE_CURRENT_SOURCE_DIR}/carts.py $<TARGET_FILE:relance> $<TARGET_FILE:map_tool>)
